"""Twin of kernels/tally.cu: firing sets by sorting, as docs/DEFINITION.md has the rules, and counts."""

import struct

import numpy as np

from case import Case, Output, same, untouched
from twins.numbers import F64
from twins.rescore import NO_PAIR, PAIR, ROW_BAD, ROW_OPEN, ROW_OVERFLOW, STATE
from twins.select import ABOVE_ZERO, GROUPS, MAGNITUDE, TIES
from twins.select_threshold import CUT

ARRAYS = ("fires", "states", "pairs", "score", "strata", "counts", "listed", "thresholds", "cuts", "lengths")


def level(rng, count):
    """Scores of which many are equal, some differ in the last bit, some are at the ends of the range."""
    small = rng.integers(-3, 4, count).astype(F64)
    own = rng.integers(0, 8, count)
    return np.select([own == 0, own == 1, own == 2, own == 3],
                     [2.0**255 * rng.uniform(-2, 2, count), 2.0**-298 * rng.integers(1, 4, count),
                      np.full(count, -2.0**-298), 1 + 2.0**-52 * rng.integers(0, 3, count)],
                     small)


class Rule:
    """What decides which scored atoms fire."""

    def __init__(self, flags=0, thresholds=None, cuts=None):
        self.flags, self.thresholds, self.cuts = flags, thresholds, cuts

    def fires(self, row, atoms, scores, count, size):
        """Which of a row's scored atoms fire: `count` of the largest at most, or one of each group of
        `size` atoms."""
        if self.thresholds is not None:
            return scores > self.thresholds[atoms]
        if self.cuts is not None:
            cut = self.cuts[row]
            within = (scores > cut["score"]) | ((scores == cut["score"]) & (atoms < cut["ties"]))
            return within & (scores > 0)
        key = np.abs(scores) if self.flags & MAGNITUDE else scores
        # No canonical score is −0: its sums start from +0.
        best_first = np.lexsort((atoms, -key))
        chosen = np.zeros(len(atoms), bool)
        if self.flags & GROUPS:
            seen = set()
            for i in best_first:
                if scores[i] > 0 and atoms[i] // size not in seen:
                    seen.add(atoms[i] // size)
                    chosen[i] = True
            return chosen
        chosen[best_first[:count]] = True
        if self.flags & TIES and count:
            chosen |= key == key[chosen].min(initial=np.inf)
        return chosen & (key > 0) if self.flags & ABOVE_ZERO else chosen


def rule_of(rng, kind, rows, features):
    if kind == "thresholds":
        own = np.where(rng.integers(0, 3, features) > 0, level(rng, features), rng.uniform(-2, 2, features))
        own[rng.integers(0, features, 3)] = (np.inf, -np.inf, 1.0)
        return Rule(0, own)
    if kind == "cuts":
        cuts = np.zeros(rows, CUT)
        cuts["score"] = np.maximum(np.abs(level(rng, rows)), 2.0**-298)
        cuts["ties"] = rng.choice([0, features // 2, 0xFFFFFFFF], rows)
        return Rule(0, None, cuts)
    return Rule(kind)


def counted(strata, features, of_row, sets):
    counts = np.zeros((strata, features), np.uint32)
    for stratum, own in zip(of_row, sets):
        counts[stratum, own] += 1
    return counts


def argument_of(rule, numbers):
    """`numbers`: listed rows, rows, features, k, width, sort width, strata, private counts, by slot."""
    def argument(at):
        return struct.pack("<10Q10I", *map(at, ARRAYS), *numbers[:8], rule.flags, numbers[8])

    return argument


def more_arrays(rule):
    return ({} if rule.thresholds is None else {"thresholds": rule.thresholds}) | (
        {} if rule.cuts is None else {"cuts": rule.cuts})


def open_row(rng, rule, row, features, k, width):
    """A row after selection: certain atoms, open ones, their scores, and the slots that are left."""
    any_number = rule.thresholds is not None or rule.cuts is not None
    if rule.flags & GROUPS:
        groups = rng.permutation(k)
        certain_groups = groups[:rng.integers(0, k + 1)]
        size = features // k
        certain = [g * size + int(rng.integers(0, size)) for g in certain_groups]
        others = np.concatenate([[], *[g * size + np.arange(size) for g in groups[len(certain):]]]).astype(int)
        return certain, rng.permutation(others)[:rng.integers(0, len(others) + 1)], width
    atoms = rng.permutation(features)
    certain = int(rng.choice([0, k, k - 1, rng.integers(0, k + 1)]))
    if any_number or rule.flags & TIES:
        open_count = int(rng.integers(0, min(width, features) - certain + 1))
        return atoms[:certain], atoms[certain:certain + open_count], k - certain
    missing = k - certain
    open_count = min(missing + int(rng.integers(1, 20)), features - certain) if missing else 0
    return atoms[:certain], atoms[certain:certain + open_count], missing


def resolve_case(seed, rows, features, k, strata, kind, grid, private, width=None, ragged=True):
    rng = np.random.default_rng(seed)
    width = width or k
    rule = rule_of(rng, kind, rows, features)
    states, pairs, scores = np.zeros(rows, STATE), [], []
    fires, of_row = np.zeros((rows, width), np.uint32), rng.integers(0, strata, rows).astype(np.uint16)
    sets, lengths = [], np.zeros(rows, np.uint32)
    for row in range(rows):
        for _ in range(rng.integers(0, 3)):
            pairs.append((NO_PAIR, NO_PAIR, 0))
            scores.append(np.nan)
        status = int(rng.choice([ROW_OPEN] * 10 + [ROW_BAD, ROW_OVERFLOW]))
        certain, may, slots = open_row(rng, rule, row, features, k, width) if status == ROW_OPEN else ([], [], 0)
        own = level(rng, len(may))
        states[row] = len(certain), len(may), len(pairs), status, slots
        fires[row, :len(certain)] = certain
        pairs += [(row, atom, 0) for atom in may]
        scores += list(own)
        fired = np.asarray(may, int)[rule.fires(row, np.asarray(may, int), own, slots, features // k)]
        sets.append(np.sort(np.concatenate([np.asarray(certain, int), fired])))
        lengths[row] = len(sets[-1])
    expected = fires.copy()
    for row, own in enumerate(sets):
        if states["status"][row] == ROW_OPEN:
            expected[row, :len(own)] = own
    sort_width = 1 << (width - 1).bit_length()
    arrays = {"states": states, "strata": of_row, "pairs": np.array(pairs or [(NO_PAIR, 0, 0)], PAIR),
              "score": np.array(scores or [0.0])} | more_arrays(rule)
    outputs = {"fires": fires, "counts": np.ones((strata, features), np.uint32)}
    if ragged:
        outputs["lengths"] = Output(np.uint32, rows)

    def check(found):
        wrong = same("fires", found("fires").reshape(rows, width), expected)
        wrong += same("counts", found("counts").reshape(strata, -1),
                      counted(strata, features, of_row, sets) + np.uint32(1))
        return wrong + (same("lengths", found("lengths"), lengths) if ragged else [])

    shared = 4 * sort_width + (4 * strata * features if private else 0)
    numbers = (0, rows, features, k, width, sort_width, strata, int(private), 0)
    name = f"{rows} rows of {features}, k {k}, rule {kind}, {grid} blocks{', own counts' if private else ''}"
    return Case(name, "tally", "resolve_rows", grid, 128, shared, arrays, outputs, argument_of(rule, numbers),
                check, ["fires", "counts"])


def choose_case(seed, listed, rows, features, k, strata, kind, by_slot=False, width=None, grid=None, scores=None):
    rng = np.random.default_rng(seed)
    rule = rule_of(rng, kind, rows, features)
    any_number = kind in ("thresholds", "cuts") or (isinstance(kind, int) and kind & TIES)
    width = width or (features if any_number else k)
    chosen_rows = rng.permutation(rows)[:listed].astype(np.uint32)
    score = scores(rng, (listed, features)) if scores else np.array([level(rng, features) for _ in range(listed)])
    if rule.cuts is not None:
        # Of the atoms whose scores equal the cut, the first that does not fire.
        for own, cut in zip(score, rule.cuts[chosen_rows]):
            if cut["ties"] < features:
                own[cut["ties"]] = cut["score"]
    of_row = rng.integers(0, strata, rows).astype(np.uint16)
    atoms = np.arange(features)
    sets = [atoms[rule.fires(row, atoms, own, k, features // k)] for row, own in zip(chosen_rows, score)]
    places = np.arange(listed) if by_slot else chosen_rows
    expected, written = np.zeros((rows, width), np.uint32), np.zeros((rows, width), bool)
    moved = score.copy()
    for slot, (place, own) in enumerate(zip(places, sets)):
        expected[place, :len(own)], written[place, :len(own)] = own, True
        moved[slot, :len(own)] = score[slot, own]
    arrays = {"strata": of_row, "listed": chosen_rows} | more_arrays(rule)
    outputs = {"fires": Output(np.uint32, rows * width), "counts": np.zeros((strata, features), np.uint32),
               "score": score, "lengths": Output(np.uint32, listed)}

    def check(found):
        wrong = same("fires", np.where(written, found("fires").reshape(rows, width), 0), expected)
        wrong += untouched("fires", found.written("fires"), written.ravel())
        wrong += same("counts", found("counts").reshape(strata, -1),
                      counted(strata, features, of_row[chosen_rows], sets))
        wrong += same("score", found("score").reshape(listed, -1), moved if by_slot else score)
        return wrong + same("lengths", found("lengths"), [len(own) for own in sets])

    kernel = "choose_above" if kind in ("thresholds", "cuts") else (
        "choose_groups" if kind & GROUPS else "choose_rows")
    numbers = (listed, rows, features, k, width, 0, strata, 0, int(by_slot))
    name = f"{listed} of {rows} rows of {features}, k {k}, rule {kind}{', by slot' if by_slot else ''}"
    return Case(name, "tally", kernel, grid or listed, 1024, 0, arrays, outputs, argument_of(rule, numbers),
                check, ["counts", "score", "lengths"])


def cases():
    both = ABOVE_ZERO | GROUPS
    return [
        resolve_case(1, 30, 50, 7, 3, 0, 4, False),
        resolve_case(2, 20, 33, 8, 2, 0, 3, True, ragged=False),
        resolve_case(3, 12, 300, 100, 2, ABOVE_ZERO, 12, False),
        resolve_case(4, 15, 40, 1, 2, ABOVE_ZERO | MAGNITUDE, 5, True),
        resolve_case(5, 20, 60, 9, 4, TIES, 6, False, width=40),
        resolve_case(6, 20, 60, 6, 1, both, 7, True),
        resolve_case(7, 18, 80, 30, 3, "thresholds", 6, False, width=64),
        resolve_case(8, 18, 80, 30, 3, "cuts", 4, True, width=50),
        resolve_case(9, 3, 64, 64, 2, 0, 3, False),
        resolve_case(10, 1, 1, 1, 1, 0, 1, False),
        resolve_case(11, 4, 700, 300, 2, MAGNITUDE, 4, False),
        choose_case(20, 3, 7, 1500, 40, 2, 0),
        choose_case(21, 4, 5, 33, 33, 2, ABOVE_ZERO, by_slot=True),
        choose_case(22, 3, 4, 1025, 1, 3, MAGNITUDE),
        choose_case(23, 3, 6, 500, 20, 2, TIES, by_slot=True),
        choose_case(24, 5, 6, 1, 1, 1, 0, grid=2),
        choose_case(25, 2, 3, 2100, 17, 2, TIES | ABOVE_ZERO),
        choose_case(26, 3, 4, 70, 5, 2, 0, scores=lambda rng, shape: np.full(shape, -1.5)),
        choose_case(30, 4, 6, 2000, 40, 2, both, by_slot=True),
        choose_case(31, 3, 3, 120, 120, 2, both),
        choose_case(32, 2, 3, 999, 3, 1, both),
        choose_case(40, 4, 6, 1300, 40, 2, "thresholds"),
        choose_case(41, 3, 6, 1025, 40, 2, "cuts", by_slot=True),
        choose_case(42, 5, 9, 31, 4, 2, "thresholds", by_slot=True, grid=3),
        choose_case(43, 3, 3, 2500, 10, 3, "cuts"),
    ]
