"""Instructions that compute: a function of arrays of bits for each opcode.

Operands come as unsigned integers of the instruction's width (predicates as booleans), and so does the
result. Follows "PTX ISA", chapter 9.7. An opcode that is not here is refused."""

import numpy as np

from floats import fma32, fma64, largest, narrowed
from parser import SIZES, Unknown

UNSIGNED = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}
SIGNED = {1: np.int8, 2: np.int16, 4: np.int32, 8: np.int64}
FLOAT = {2: np.float16, 4: np.float32, 8: np.float64}


class Fault(Exception):
    """A kernel does what it must not."""


def number_type(kind):
    """NumPy's type for a type of PTX."""
    table = {"f": FLOAT, "s": SIGNED}.get(kind[0], UNSIGNED)
    return table[SIZES[kind]]


def bits(array):
    return array.view(UNSIGNED[array.dtype.itemsize])


def seen_as(array, kind):
    return array.view(number_type(kind))


COMPARE = {
    "eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "gt": np.greater,
    "ge": np.greater_equal,
}
NOT_ORDERED = {"equ": "ne", "neu": "eq", "ltu": "ge", "leu": "gt", "gtu": "le", "geu": "lt"}


def setp(compare, kind):
    def ordered_ne(a, b):
        return (a < b) | (a > b)

    if kind[0] == "f" and compare in NOT_ORDERED:
        # `neu` is the opposite of `eq`; `equ` that of an ordered `ne`.
        opposite = ordered_ne if compare == "equ" else COMPARE[NOT_ORDERED[compare]]
        return lambda a, b: ~opposite(seen_as(a, kind), seen_as(b, kind))
    if kind[0] == "f" and compare == "ne":
        return lambda a, b: ordered_ne(seen_as(a, kind), seen_as(b, kind))
    function = COMPARE[compare]
    return lambda a, b: function(seen_as(a, kind), seen_as(b, kind))


def shift(left, kind):
    """A shift by any number: beyond the width all bits are gone, or are the sign."""
    width = 8 * SIZES[kind]

    def shifted(a, by):
        far, own = by >= width, np.minimum(by, width - 1).astype(a.dtype)
        if left:
            return np.where(far, a.dtype.type(0), a << own)
        if kind[0] == "s":
            return bits(seen_as(a, kind) >> own.astype(number_type(kind)))
        return np.where(far, a.dtype.type(0), a >> own)

    return shifted


def divide(kind, remainder):
    def divided(a, b):
        if np.any(b == 0):
            raise Fault("a division of integers by 0")
        return a % b if remainder else a // b

    if kind[0] != "u":
        raise Unknown(f"div.{kind}")
    return divided


def float_binary(name, mode, kind):
    function = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide}[name]
    if mode == "rn":
        return lambda a, b: bits(function(seen_as(a, kind), seen_as(b, kind)))
    if kind == "f32" and name == "mul":
        def product(a, b):
            exact = seen_as(a, kind).astype(np.float64) * seen_as(b, kind).astype(np.float64)
            return bits(narrowed(exact, mode))
        return product
    raise Unknown(f"{name}.{mode}.{kind}")


def convert(parts):
    mode, (to, source) = (parts[1] if len(parts) == 4 else None), parts[-2:]
    if to[0] != "f" and source[0] != "f":
        def widened(a):
            # A register may be wider than the type that is read from it.
            own = a.astype(UNSIGNED[SIZES[source]]).view(number_type(source))
            return bits(own.astype(number_type(to)))
        return widened
    if source == "f64" and to == "f32" and mode:
        return lambda a: bits(narrowed(seen_as(a, "f64"), mode))
    if (mode, to, source) == ("rz", "f16", "f32"):
        return cut_to_half
    exact = (source, to) in (("f32", "f64"), ("f16", "f32"), ("f16", "f64"), ("u32", "f64"), ("s32", "f64"))
    if exact or (mode == "rn" and (source, to) in (("f32", "f16"), ("u32", "f32"), ("s32", "f32"))):
        return lambda a: bits(np.atleast_1d(seen_as(a, source)).astype(number_type(to)))
    raise Unknown(".".join(parts))


def cut_to_half(a):
    wide = np.atleast_1d(seen_as(a, "f32"))
    near = wide.astype(np.float16)
    larger = np.abs(near.astype(np.float32)) > np.abs(wide)
    return bits(np.where(larger, np.nextafter(near, np.float16(0)), near))


def extreme(name, kind):
    if kind in ("f32", "f64") and name == "max":
        return lambda a, b: largest(*np.broadcast_arrays(a, b), UNSIGNED[SIZES[kind]])
    if kind[0] == "f":
        raise Unknown(f"{name}.{kind}")
    function = np.maximum if name == "max" else np.minimum
    return lambda a, b: bits(function(seen_as(a, kind), seen_as(b, kind)))


def leading_zeros(a):
    return (32 - np.frexp(a.astype(np.float64))[1]).astype(np.uint32)


LOGIC = {"and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor}
FUSED = {"f64": fma64, "f32": fma32}


def function_of(opcode):
    """The function of an opcode. Raises `Unknown`."""
    parts = opcode.split(".")
    name, kind = parts[0], parts[-1]
    if name in ("mov", "cvta"):
        return lambda a: a
    if name in LOGIC and len(parts) == 2:
        return LOGIC[name]
    if name == "not":
        return np.invert
    if name == "setp" and len(parts) == 3:
        return setp(parts[1], kind)
    if name == "selp":
        return lambda a, b, p: np.where(p, a, b)
    if name == "cvt":
        return convert(parts)
    if name in ("shl", "shr"):
        return shift(name == "shl", kind)
    if name in ("max", "min") and len(parts) == 2:
        return extreme(name, kind)
    if kind in ("f32", "f64"):
        return float_function(parts, opcode)
    if name in ("add", "sub") and len(parts) == 2:
        return np.add if name == "add" else np.subtract
    if name in ("div", "rem") and len(parts) == 2:
        return divide(kind, name == "rem")
    if parts[:2] == ["mul", "lo"]:
        return np.multiply
    if parts[:2] == ["mad", "lo"]:
        return lambda a, b, c: a * b + c
    if parts[:2] == ["mul", "wide"]:
        wide = number_type(kind[0] + str(16 * SIZES[kind]))
        return lambda a, b: bits(seen_as(a, kind).astype(wide) * seen_as(b, kind).astype(wide))
    if name == "neg":
        return lambda a: np.negative(a)
    if opcode == "popc.b32":
        return lambda a: np.bitwise_count(a).astype(np.uint32)
    if opcode == "clz.b32":
        return leading_zeros
    raise Unknown(opcode)


def float_function(parts, opcode):
    name, kind = parts[0], parts[-1]
    if len(parts) == 3 and name in ("add", "sub", "mul", "div"):
        return float_binary(name, parts[1], kind)
    if parts[:2] == ["sqrt", "rn"]:
        return lambda a: bits(np.sqrt(seen_as(a, kind)))
    if parts[:2] == ["rcp", "rn"]:
        return lambda a: bits(number_type(kind)(1) / seen_as(a, kind))
    if parts[:2] == ["fma", "rn"] and len(parts) == 3:
        fused = FUSED[kind]
        return lambda a, b, c: bits(fused(*(np.atleast_1d(seen_as(x, kind)) for x in (a, b, c))))
    if name in ("abs", "neg") and len(parts) == 2:
        unsigned = UNSIGNED[SIZES[kind]]
        sign = unsigned(1 << (8 * SIZES[kind] - 1))
        return (lambda a: a & ~sign) if name == "abs" else (lambda a: a ^ sign)
    raise Unknown(opcode)
