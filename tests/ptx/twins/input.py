"""Twin of kernels/input.cu: the steps before the encoder, as docs/DEFINITION.md has them."""

import struct

import numpy as np

from case import Case, same
from twins.numbers import F32, F64, KINDS, butterfly, vector

SUBTRACT, DIVIDE, STANDARDIZE, SCALE_TO_NORM, SCALE = range(5)


def take(step, x):
    """A step, on all rows."""
    kind, numbers, first, second = step
    first, second, dim = F32(first), F32(second), x.shape[1]
    with np.errstate(all="ignore"):
        if kind == SUBTRACT:
            return x - numbers
        if kind == DIVIDE:
            return x / numbers
        if kind == SCALE:
            return x * first
        wide = x.astype(F64)
        if kind == SCALE_TO_NORM:
            length = np.sqrt(butterfly(wide * wide)).astype(F32)
            # A length that is not a number gives way to the least one.
            return x * (first / np.fmax(length, second))[:, None]
        mean = butterfly(wide) / F64(dim)
        difference = wide - mean[:, None]
        variance = butterfly(difference * difference) / F64(dim - 1)
        divisor = np.sqrt(variance).astype(F32) + first
        return (x - mean.astype(F32)[:, None]) / divisor[:, None]


def rows_of(rng, dim, count):
    rows = [vector(rng, KINDS[n % len(KINDS)], dim) for n in range(count - 4)]
    rows += [np.zeros(dim, F32), np.full(dim, -2.5, F32)]
    for odd in (np.nan, np.inf):
        row = vector(rng, "smooth", dim)
        row[dim // 2] = odd
        rows.append(row)
    return np.array(rows[:count], F32)


def case(seed, count, dim, steps, grid):
    rng = np.random.default_rng(seed)
    x = rows_of(rng, dim, count) if count > 4 else np.array([vector(rng, "wild", dim)] * count, F32)
    own = []
    for kind, first, second in steps:
        low, high = (0.1, 3) if kind == DIVIDE else (-2, 2)
        numbers = rng.uniform(low, high, dim).astype(F32) if kind <= DIVIDE else None
        own.append((kind, numbers, first, second))
    expected = x
    for step in own:
        expected = take(step, expected).astype(F32)
    arrays = {f"numbers {i}": s[1] for i, s in enumerate(own) if s[1] is not None}
    # Steps hold addresses, which the launch alone knows.
    records = np.zeros(max(len(own), 1) * 24, np.uint8)

    def argument(at):
        texts = [struct.pack("<QIffI", at(f"numbers {i}"), s[0], s[2], s[3], 0) for i, s in enumerate(own)]
        at("steps", b"".join(texts)) if own else None
        return struct.pack("<2Q4I", at("x"), at("steps"), len(own), count, dim, 0)

    names = " ".join(str(s[0]) for s in steps)
    return Case(f"{count} rows of {dim}, steps {names or 'none'}, {grid} blocks",
                "input", "input_steps", grid, 256, 0, arrays | {"steps": records}, {"x": x},
                argument, lambda found: same("x", found("x").reshape(count, dim), expected), ["x"])


def cases():
    every = [(SUBTRACT, 0, 0), (STANDARDIZE, 1e-5, 0), (SCALE, 0.3, 0), (DIVIDE, 0, 0),
             (SCALE_TO_NORM, 3, 1e-12)]
    return [
        case(1, 14, 65, every, 2),
        case(2, 13, 2, [(STANDARDIZE, 0, 0)], 1),
        case(3, 12, 33, [(STANDARDIZE, 1e-8, 0), (SCALE, 1e-30, 0)], 2),
        case(4, 12, 100, [(SCALE_TO_NORM, 10, 0)], 1),
        case(5, 14, 31, [(SCALE_TO_NORM, 1, 1e30), (SUBTRACT, 0, 0)], 3),
        case(6, 1, 257, [(DIVIDE, 0, 0), (SCALE, -1.5, 0), (SUBTRACT, 0, 0)], 1),
        case(7, 17, 1, [(SUBTRACT, 0, 0), (DIVIDE, 0, 0)], 1),
        case(8, 9, 129, [], 1),
        case(9, 20, 530, [(DIVIDE, 0, 0), (STANDARDIZE, 1e-5, 0)], 2),
    ]
