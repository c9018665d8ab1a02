"""Floating-point arithmetic of PTX on NumPy arrays, to the bit: what NumPy does not have itself."""

from fractions import Fraction

import numpy as np

F32, F64 = np.float32, np.float64
U32, U64 = np.uint32, np.uint64


def two_sum(a, b):
    """a + b rounded, and what rounding took away, exactly (Knuth)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def two_product(a, b):
    """a · b rounded, and what rounding took away, exactly where nothing overflows or underflows
    (Dekker, Veltkamp)."""
    def split(x):
        big = x * F64(134217729.0)
        high = big - (big - x)
        return high, x - high

    product = a * b
    (ah, al), (bh, bl) = split(a), split(b)
    return product, ((ah * bh - product) + ah * bl + al * bh) + al * bl


def to_odd(total, lost):
    """The sum `total + lost` rounded to odd: cut off, and the last bit set where anything was lost."""
    bits = np.atleast_1d(np.array(total, F64)).view(U64).copy()
    inexact = (np.atleast_1d(lost) != 0) & ((bits & U64(1)) == 0)
    # Towards the other side of what was rounded: one place up in magnitude, or down.
    outward = (np.atleast_1d(lost) > 0) == (bits >> U64(63) == 0)
    bits = np.where(inexact, np.where(outward, bits + U64(1), bits - U64(1)), bits)
    return bits.view(F64)


def fma64_exact(a, b, c):
    """One fused multiply-add in binary64 by whole numbers."""
    if not (np.isfinite(a) and np.isfinite(b) and np.isfinite(c)):
        return F64(a) * F64(b) + F64(c)
    exact = Fraction(float(a)) * Fraction(float(b)) + Fraction(float(c))
    if exact == 0:
        return F64(a) * F64(b) + F64(c)
    try:
        return F64(exact.numerator / exact.denominator)
    except OverflowError:
        return F64(np.inf if exact > 0 else -np.inf)


def fma64(a, b, c):
    """a · b + c in binary64, rounded once (Boldo & Melquiond, "Emulation of FMA and correctly rounded
    sums", 2008; whole numbers at the ends of the range)."""
    a, b, c = np.broadcast_arrays(*(np.atleast_1d(x) for x in (a, b, c)))
    if not ((a.view(U64) | b.view(U64)) & U64(0x1FFFFFFF)).any():
        return a * b + c  # two binary32 numbers: their product is exact
    high, low = two_product(a, b)
    tail, tail_lost = two_sum(c, low)
    head, head_lost = two_sum(high, tail)
    result = head + to_odd(*two_sum(tail_lost, head_lost))
    size = np.abs(np.stack([a, b, high, c]))
    extreme = ~((size < 1e290).all(0) & ((size[:3] > 1e-120).all(0) | (high == 0) & (size[:2] == 0).any(0)))
    extreme |= (np.abs(result) < 1e-250) & (result != 0)
    for i in np.nonzero(extreme)[0]:
        result[i] = fma64_exact(a[i], b[i], c[i])
    return result


def fma32(a, b, c):
    """a · b + c in binary32, rounded once: the product is exact in binary64, the sum is rounded to odd
    there, which has more than twice the bits."""
    product, wide = a.astype(F64) * b.astype(F64), c.astype(F64)
    total, lost = two_sum(product, wide)
    odd = to_odd(total, np.where(np.isfinite(lost), lost, 0.0))
    return np.where(np.isfinite(np.atleast_1d(total)), odd, total).astype(F32)


def narrowed(exact, mode):
    """A binary64 number in binary32: rn, rz, rm (down) or rp (up)."""
    near = np.atleast_1d(exact).astype(F32)
    if mode == "rn":
        return near
    wide = near.astype(F64)
    down, up = wide > exact, wide < exact
    if mode == "rz":
        down, up = down & (exact > 0), up & (exact < 0)
    elif mode == "rm":
        up = np.zeros_like(down)
    else:
        down = np.zeros_like(up)
    near = np.where(down, np.nextafter(near, F32(-np.inf)), near)
    return np.where(up, np.nextafter(near, F32(np.inf)), near).astype(F32)


def largest(a, b, unsigned):
    """max of two arrays of bits: the number beside a NaN, +0 of two zeros, one NaN of two."""
    kind = F32 if unsigned is U32 else F64
    x, y = a.view(kind), b.view(kind)
    found = np.fmax(x, y)
    nan = unsigned(0x7FFFFFFF if unsigned is U32 else 0x7FFFFFFFFFFFFFFF)
    bits = np.where(x == y, a & b, found.view(unsigned))
    return np.where(np.isnan(found), nan, bits)
