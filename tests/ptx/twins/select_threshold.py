"""Cases of kernels/select_threshold.cu: scores above the atom's threshold, or above the row's cut.

Where atoms have thresholds, the bias gives way to the bias less the threshold, and the interval is
compared with 0; where rows have cuts, with the cut's score in the row's units."""

import struct

import numpy as np

from case import Case
from twins.numbers import F32, F64
from twins.select import EVERY, Batch, above, edges, threads_for

CUT = np.dtype([("score", "f8"), ("ties", "u4"), ("unused", "u4")])
WEIGHT_EXPONENT = -2


class Above(Batch):
    """Rows of which those atoms fire that are above thresholds of their own, or above the row's cut."""

    def __init__(self, seed, features, courses, share, relative, cuts=False, largest_whole=0.0, width=None,
                 infinite=True, **wishes):
        super().__init__(seed, features, 1, courses, relative, width=width or min(features, 4096), **wishes)
        self.largest_whole, self.shift_margins, self.cuts = F32(largest_whole), None, None
        self.own_facts()["exponent"] = self.rng.integers(-9, 9, self.rows)
        if cuts:
            self.cuts = np.zeros(len(self.facts), CUT)
            self.draw_cuts(share)
        else:
            self.draw_shifts(share, relative, infinite)
        self.settle()

    def draw_shifts(self, share, relative, infinite):
        rng, features = self.rng, self.features
        # Bias less threshold: thresholds below 0 make it positive.
        self.biases = (-share * rng.uniform(0.5, 1.5, features)).astype(F32)
        self.shift_margins = (relative * rng.uniform(0, 0.3, features)).astype(F32)
        if infinite and features > 3:
            self.biases[0], self.biases[1] = np.inf, -np.inf
            self.shift_margins[:3] = 0, 0, np.inf
        for row, facts in enumerate(self.own_facts()):
            size = np.abs(self.scores[row]).max(initial=0)
            facts["bias_scale"] = 2.0 ** max(int(np.frexp(F64(size))[1]), -120) if facts["finite"] else 1

    def draw_cuts(self, share):
        unit = self.own_facts()["exponent"].astype(F64) + WEIGHT_EXPONENT
        for row in range(self.rows):
            estimate, _ = self.estimates(row)
            most = max(float(estimate.max()), 0.0) if self.own_facts()["finite"][row] else 1.0
            # Some are no binary32 numbers, some are an atom's to the bit, some are below 0.
            own = (most * share * (1 + 1e-9), max(float(estimate[self.features // 2]), 0.0), -3.0)[row % 3]
            self.cuts["score"][self.first + row] = own * 2.0 ** unit[row] if own == own else 0.0

    def draw_edge_cuts(self):
        """Cuts between an end of an interval and the binary32 number beside it, nearer to the latter."""
        self.scores = np.abs(self.scores) * F32(4)
        self.settle()
        unit = self.own_facts()["exponent"].astype(F64) + WEIGHT_EXPONENT
        for row in range(self.rows):
            estimate, margin = (x[7 * row] for x in self.estimates(row))
            end, beside = (estimate + margin, np.inf) if row % 2 else (estimate - margin, -np.inf)
            next_to_it = F64(np.nextafter(end, F32(beside)))
            self.cuts["score"][self.first + row] = (0.25 * F64(end) + 0.75 * next_to_it) * 2.0 ** unit[row]

    def settle(self):
        biases, shifts = self.biases, getattr(self, "shift_margins", None)
        self.biases = np.where(np.isinf(biases), F32(0), biases)
        super().settle()
        self.biases, self.shift_margins = biases, shifts

    def infinite(self):
        if self.shift_margins is None:
            return False
        return bool(np.isinf(self.shift_margins).any() or np.isinf(self.biases).any())

    def must_overflow(self, row, own):
        facts = self.own_facts()[row]
        crowded = len(own.certain) + len(own.open) > self.width
        if self.shift_margins is None:
            return crowded
        far = F64(facts["bias_scale"]) * 2.0**60
        product = F64(facts["whole"]) * F64(self.largest_whole)
        holds = facts["bias_scale"] >= 2.0**-126 and (not self.infinite() or far > 4 * product)
        return crowded or not holds

    def expected(self, row):
        estimate, margin = self.estimates(row)
        least, most = 2.0**-149, 0.0
        with np.errstate(all="ignore"):
            if self.shift_margins is not None:
                margin = margin + self.shift_margins * self.own_facts()["bias_scale"][row]
            if self.cuts is not None:
                unit = int(self.own_facts()["exponent"][row]) + WEIGHT_EXPONENT
                cut = self.cuts["score"][self.first + row] * 2.0 ** -unit
                near = F32(cut)
                down = np.nextafter(near, F32(-np.inf)) if F64(near) > cut else near
                up = np.nextafter(near, F32(np.inf)) if F64(near) < cut else near
                least, most = max(F32(least), down), max(F32(0), up)
            return above(estimate - margin, estimate + margin, F32(least), F32(most))

    def check_row(self, row):
        # Here a row overflows for no other reason than those above, or want of room for pairs.
        place = self.first + row
        if self.facts["finite"][place]:
            own = self.expected(row)
            pairs = len(own.open) and self.asked > self.room
            must = self.must_overflow(row, own)
            if (self.states["status"][place] == 1) > (must or bool(pairs)):
                return ["overflowed, with room for all"]
        return super().check_row(row)

    def memory(self):
        arrays, outputs = super().memory()
        arrays |= {} if self.cuts is None else {"cuts": self.cuts}
        arrays |= {} if self.shift_margins is None else {"shift_margins": self.shift_margins}
        return arrays, outputs

    def argument(self, at):
        largest = 0 if self.shift_margins is None else self.shift_margins.max()
        return super().argument(at) + struct.pack("<2Q2fiI", at("shift_margins"), at("cuts"), largest,
                                                  self.largest_whole, WEIGHT_EXPONENT, self.infinite())


def case(seed, features, courses, share, relative, more="", **wishes):
    batch = Above(seed, features, courses, share, relative, **wishes)
    kind = "cuts" if batch.cuts is not None else "thresholds"
    name = f"{batch.rows} rows of {features}, {kind}, share {share}{more}"
    return Case(name, "select_threshold", "select_threshold", batch.rows, threads_for(features), 4 * batch.width,
                *batch.memory(), batch.argument, batch.check)


def cases():
    far = {"largest_whole": 1.0}
    found = [
        case(1, 300, EVERY, 0.3, 1e-3),
        case(2, 513, EVERY, -0.5, 1e-4, ", below 0"),
        case(3, 1, ("smooth", "zeros", "levels"), 0.2, 1e-3),
        case(4, 2049, ("smooth", "rising"), 0.8, 1e-5),
        case(5, 700, ("smooth",) * 4, 0.1, 0.03, ", little room", width=64),
        case(15, 300, ("smooth",) * 3, 0.1, 0.5, ", little room for open ones", width=32),
        case(6, 129, EVERY, 0.0, 0.0, ", all 0", infinite=False),
        case(7, 300, EVERY, 0.9, 1e-3, cuts=True),
        case(8, 33, EVERY, 0.5, 1e-6, cuts=True),
        case(9, 1001, ("smooth",) * 3, 0.2, 1e-4, ", little room for pairs", cuts=True, room=7),
        case(10, 65, ("smooth",) * 5, 0.4, 1e-3, ", bad rows", bad=(0, 2), cuts=True),
        case(11, 90, ("smooth",) * 5, 0.4, 1e-3, ", bad rows", bad=(4,)),
    ]
    for cuts in (False, True):
        batch = Above(13 + cuts, 200, ("smooth",) * 4, 0.0, 0.1, cuts, infinite=False)
        if not cuts:
            batch.shift_margins[:] = 0
        edges(batch)
        if cuts:
            batch.draw_edge_cuts()
        name = f"4 rows of 200, {'cuts' if cuts else 'thresholds'}, at the edges"
        found.append(Case(name, "select_threshold", "select_threshold", 4, 128, 4 * batch.width,
                          *batch.memory(), batch.argument, batch.check))
    batch = Above(12, 60, ("smooth",) * 5, 0.4, 1e-3, **far)
    scales, wholes = (2.0**-127, 1.0, 1.0, 2.0**-60, 2.0**-126), (1.0, 2.0**57, 2.0**58, 0.25, 2.0**-70)
    batch.own_facts()["bias_scale"], batch.own_facts()["whole"] = scales, wholes
    batch.settle()
    found.append(Case("5 rows beside far shifts", "select_threshold", "select_threshold", 5, 128, 4 * batch.width,
                      *batch.memory(), batch.argument, batch.check))
    return found
