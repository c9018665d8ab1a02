"""Twin of kernels/coactivate.cu: on how many rows two chosen atoms fire together."""

import struct

import numpy as np

from case import Case, same

NO_SLOT = 0xFFFFFFFF


def expected(fires, slots, chosen):
    """The triangle of pairs, row by row, counted one pair after the other."""
    counts = np.zeros((chosen, chosen), np.uint32)
    for row in fires:
        own = [int(a if slots is None else slots[a]) for a in row]
        own = [a for a in own if a != NO_SLOT]
        for i, a in enumerate(own):
            for b in own[i + 1:]:
                counts[min(a, b), max(a, b)] += 1
    return counts[np.triu_indices(chosen, 1)]


def case(seed, rows, k, features, chosen, grid):
    rng = np.random.default_rng(seed)
    fires = np.array([np.sort(rng.permutation(features)[:k]) for _ in range(rows)], np.uint32)
    slots = None
    if chosen < features:
        slots = np.full(features, NO_SLOT, np.uint32)
        slots[np.sort(rng.permutation(features)[:chosen])] = np.arange(chosen)
    arrays = {"fires": fires} | ({} if slots is None else {"slots": slots})
    counts = np.zeros(chosen * (chosen - 1) // 2, np.uint32)
    return Case(
        f"{rows} rows of {k} of {features} atoms, {chosen} chosen, {grid} blocks",
        "coactivate", "coactivate_rows", grid, 128, 4 * k, arrays, {"counts": counts},
        lambda at: struct.pack("<3Q4I", at("fires"), at("slots"), at("counts"), rows, k, chosen, 0),
        lambda found: same("counts", found("counts"), expected(fires, slots, chosen)), ["counts"])


def cases():
    return [
        case(1, 5, 7, 11, 11, 5),
        case(2, 9, 20, 40, 17, 4),
        case(3, 1, 1, 3, 3, 1),
        case(4, 6, 33, 33, 33, 3),
        case(5, 3, 160, 200, 40, 3),
    ]
