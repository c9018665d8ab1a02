"""Twin of kernels/rescore.cu: canonical scores to the bit, of pairs by atom and of whole rows."""

import struct

import numpy as np

from case import Case, Output, same, untouched
from twins.numbers import F32, F64, KINDS, score, vector

NO_PAIR = 0xFFFFFFFF
PAIR = np.dtype([("row", "u4"), ("atom", "u4"), ("rank", "u4")])
STATE = np.dtype([(n, "u4") for n in ("certain", "open", "first_pair", "status", "slots_left")])
ROW_OPEN, ROW_OVERFLOW, ROW_BAD = range(3)
ARRAYS = ("x", "weight", "bias", "pairs", "pair_count", "atom_pairs", "order", "ordered", "score", "listed")


def pairs_of_chance(rng, count, rows, features, popular):
    """Pairs with gaps; ranks as they come in an order of chance; and how many pairs each atom has."""
    pairs, of_atom = np.zeros(count, PAIR), np.zeros(features, np.uint32)
    pairs["row"] = NO_PAIR
    for place in rng.permutation(count):
        if rng.integers(0, 8) == 0:
            continue
        atom = int(rng.integers(0, popular if rng.integers(0, 4) else features))
        pairs[place] = int(rng.integers(0, rows)), atom, of_atom[atom]
        of_atom[atom] += 1
    return pairs, of_atom


def offsets_of(of_atom):
    return np.concatenate(([0], np.cumsum(of_atom)[:-1])).astype(np.uint32)


def rescore_case(name, kernel, grid, threads, arrays, outputs, numbers, check, stable):
    """`numbers`: listed rows, dim, features, room for pairs."""
    return Case(name, "rescore", kernel, grid, threads, 0, arrays, outputs,
                lambda at: struct.pack("<10Q4I", *map(at, ARRAYS), *numbers), check, stable)


def offsets_case(seed, features):
    rng = np.random.default_rng(seed)
    of_atom = rng.integers(0, 9, features).astype(np.uint32)

    def check(found):
        return (same("atom_pairs", found("atom_pairs"), offsets_of(of_atom))
                + same("ordered", found("ordered"), [of_atom.sum()]))

    return rescore_case(f"offsets of {features} atoms", "pair_offsets", 1, 1024, {},
                        {"atom_pairs": of_atom, "ordered": Output(np.uint32, 1)}, (0, 0, features, 0), check,
                        ["atom_pairs", "ordered"])


def order_case(seed, count, features, asked, grid):
    rng = np.random.default_rng(seed)
    pairs, of_atom = pairs_of_chance(rng, count, 20, features, 3)
    offsets, real = offsets_of(of_atom), pairs["row"] != NO_PAIR
    expected = sorted(np.nonzero(real)[0], key=lambda p: (pairs["atom"][p], pairs["rank"][p]))
    arrays = {"pairs": pairs, "pair_count": np.array([asked], np.uint32), "atom_pairs": offsets}

    def check(found):
        written = np.arange(count) < len(expected)
        return (same("order", found("order")[:len(expected)], expected)
                + untouched("order", found.written("order"), written))

    return rescore_case(f"order of {count} pairs of {features} atoms, {grid} blocks", "order_pairs", grid, 256,
                        arrays, {"order": Output(np.uint32, count)}, (0, 0, features, count), check, ["order"])


def pairs_case(seed, dim, rows, features, count, popular, grid, kinds=("smooth", "wild")):
    rng = np.random.default_rng(seed)
    pairs, _ = pairs_of_chance(rng, count, rows, features, popular)
    x = np.array([vector(rng, kinds[0], dim) for _ in range(rows)], F32)
    weight = np.array([vector(rng, kinds[1], dim) for _ in range(features)], F32)
    bias = vector(rng, "smooth", features)
    real = np.nonzero(pairs["row"] != NO_PAIR)[0]
    order = np.array(sorted(real, key=lambda p: (pairs["atom"][p], pairs["rank"][p])), np.uint32)
    arrays = {"x": x, "weight": weight, "bias": bias, "pairs": pairs, "order": order,
              "ordered": np.array([len(real)], np.uint32)}
    own = pairs[real]
    expected = score(x[own["row"]], weight[own["atom"]], bias[own["atom"]])

    def check(found):
        return (same("score", found("score")[real], expected)
                + untouched("score", found.written("score"), np.isin(np.arange(count), real)))

    return rescore_case(f"{count} pairs, dim {dim}, {kinds[0]} by {kinds[1]}, {grid} blocks", "rescore_pairs",
                        grid, 256, arrays, {"score": Output(F64, count)}, (0, dim, features, count), check,
                        ["score"])


def rows_case(seed, dim, features, listed, grid, kinds=("cancelling", "smooth")):
    rng = np.random.default_rng(seed)
    rows = max(listed) + 2
    x = np.array([vector(rng, kinds[0], dim) for _ in range(rows)], F32)
    weight = np.array([vector(rng, kinds[1], dim) for _ in range(features)], F32)
    bias = vector(rng, "smooth", features)
    expected = np.concatenate([score(x[row], weight, bias) for row in listed])
    arrays = {"x": x, "weight": weight, "bias": bias, "listed": np.array(listed, np.uint32)}
    return rescore_case(f"{len(listed)} whole rows, dim {dim}, {features} atoms, {grid} blocks", "score_rows",
                        grid, 256, arrays, {"score": Output(F64, len(listed) * features)},
                        (len(listed), dim, features, 0),
                        lambda found: same("score", found("score"), expected), ["score"])


def fired_case(seed, rows, width, features, ragged, with_overflowed, grid):
    rng = np.random.default_rng(seed)
    states = np.zeros(rows, STATE)
    states["status"] = rng.choice([ROW_OPEN, ROW_OPEN, ROW_OVERFLOW, ROW_BAD], rows)
    fires = np.array([np.sort(rng.permutation(features)[:width]) for _ in range(rows)], np.uint32)
    lengths = rng.integers(0, width + 1, rows).astype(np.uint32)
    resolved = (states["status"] == ROW_OPEN) | ((states["status"] == ROW_OVERFLOW) & bool(with_overflowed))
    real = resolved[:, None] & (np.arange(width) < (lengths[:, None] if ragged else width))
    of_atom = np.bincount(fires[real], minlength=features).astype(np.uint32)
    arrays = {"fires": fires, "states": states} | ({"lengths": lengths} if ragged else {})
    outputs = {"pairs": Output(PAIR, rows * width), "pair_count": Output(np.uint32, 1),
               "atom_pairs": np.zeros(features, np.uint32)}
    names = ("fires", "states", "lengths", "pairs", "pair_count", "atom_pairs")

    def check(found):
        pairs = found("pairs").reshape(rows, width)
        own = np.broadcast_to(np.arange(rows)[:, None], (rows, width))
        wrong = same("pairs.row", pairs["row"], np.where(real, own, NO_PAIR))
        wrong += same("pairs.atom", pairs["atom"], np.where(real, fires, 0))
        wrong += same("atom_pairs", found("atom_pairs"), of_atom)
        ranks = sorted(zip(pairs["atom"][real].tolist(), pairs["rank"][real].tolist()))
        every = [(a, r) for a in range(features) for r in range(of_atom[a])]
        return wrong + ([] if ranks == every else ["ranks of an atom are not 0, 1, …"]) + same(
            "pair_count", found("pair_count"), [rows * width])

    return Case(f"fired pairs of {rows} rows of {width}, {grid} blocks", "rescore", "fired_pairs", grid, 256, 0,
                arrays, outputs,
                lambda at: struct.pack("<6Q4I", *map(at, names), rows, width, with_overflowed, 0), check)


def cases():
    found = [offsets_case(1, 1), offsets_case(2, 1024), offsets_case(3, 2500),
             order_case(4, 300, 40, 300, 3), order_case(5, 70, 5, 99, 1), order_case(6, 64, 7, 64, 2),
             fired_case(7, 40, 9, 30, True, 1, 2), fired_case(8, 7, 31, 64, False, 0, 1),
             fired_case(9, 33, 1, 3, False, 1, 2), rows_case(10, 33, 21, [2, 0, 5], 2),
             rows_case(11, 1, 3, [0], 1), rows_case(12, 130, 9, [1, 3], 1, ("wild", "ones"))]
    shapes = [(1, 1, 1, 1, 1, 1), (31, 9, 5, 70, 2, 2), (100, 12, 20, 90, 1, 1), (257, 8, 40, 30, 40, 2)]
    for n, shape in enumerate(shapes):
        found.append(pairs_case(20 + n, *shape, (KINDS[2 * n], KINDS[(3 * n + 3) % 8])))
    return found
