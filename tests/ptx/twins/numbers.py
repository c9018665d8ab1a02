"""Numbers that arithmetic gets wrong if it can, and sums as the definition has them."""

import numpy as np

F32, F64 = np.float32, np.float64
KINDS = ("smooth", "positive", "cancelling", "wild", "ones", "denormal", "half_places", "sparse")


def vector(rng, kind, count):
    """`count` binary32 numbers of a kind."""
    unit = rng.uniform(-1, 1, count).astype(F32)
    if kind == "positive":
        return np.abs(unit) + F32(0.5)
    if kind == "cancelling":
        odd = np.arange(count) % 2 == 1
        before = np.concatenate(([F32(0)], unit[:-1]))
        nudge = F32(1) + F32(2**-23) * rng.integers(0, 3, count).astype(F32)
        return np.where(odd, -before * nudge, unit).astype(F32)
    if kind == "wild":
        return (unit * 10.0 ** rng.integers(-44, 38, count)).astype(F32)
    if kind == "ones":
        return (0x3FFFFFFF - rng.integers(0, 2, count)).astype(np.uint32).view(F32)
    if kind == "denormal":
        return rng.integers(0, 0x800000, count).astype(np.uint32).view(F32)
    if kind == "half_places":
        return np.full(count, 1 + 1 / 2048 - 2**-23, F32)
    if kind == "sparse":
        return np.where(rng.integers(0, 10, count) > 0, unit * F32(0), unit * F32(1000))
    return unit


def butterfly(terms):
    """Sums over the last axis in 32 lanes, which a butterfly adds."""
    count = terms.shape[-1]
    lanes = np.zeros((*terms.shape[:-1], 32), F64)
    for first in range(0, count, 32):
        own = terms[..., first:first + 32]
        lanes[..., :own.shape[-1]] = lanes[..., :own.shape[-1]] + own
    for step in (16, 8, 4, 2, 1):
        lanes = lanes + lanes[..., np.arange(32) ^ step]
    return lanes[..., 0]


def score(x, weight, bias):
    """Canonical scores of rows [..., dim] with weights [..., dim] and biases [...]."""
    with np.errstate(all="ignore"):
        return butterfly(x.astype(F64) * weight.astype(F64)) + bias.astype(F64)
