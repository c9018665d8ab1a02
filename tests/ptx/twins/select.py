"""Twins of kernels/select.cu, select_groups.cu and select_threshold.cu: what intervals say of each atom.

The score of an atom lies in [q − m, q + m], binary32 numbers: an estimate and a margin. An atom is
certain if it fires whatever the scores are within their intervals, and open if it fires for some."""

import struct

import numpy as np

from case import Case, Output, untouched
from twins.numbers import F32
from twins.rescore import NO_PAIR, PAIR, ROW_BAD, ROW_OPEN, ROW_OVERFLOW, STATE
from twins.whiten import FACTS_KIND

ABOVE_ZERO, MAGNITUDE, TIES, GROUPS = 1, 2, 4, 8
COUNTERS = ("rows", "certified_outright", "ambiguous_atoms", "most_ambiguous", "overflowed")
ARRAYS = ("scores", "biases", "margins", "facts", "fires", "states", "pairs", "pair_count", "atom_pairs",
          "overflowed", "overflow_count", "counters")


class Row:
    """A row's atoms: which are certain, which are open, and how many of the open ones fire at most."""

    def __init__(self, certain, may, most):
        self.certain, self.open, self.most = np.nonzero(certain)[0], np.nonzero(may)[0], most


def largest(lower, upper, k, rule):
    """Where the k largest fire. An atom fires for certain if fewer than k others can reach its lower end;
    it does not if k others stay above its upper one."""
    rivals = (upper[None, :] >= lower[:, None]).sum(1) - 1
    betters = (lower[None, :] > upper[:, None]).sum(1)
    certain, may = rivals < k, (rivals >= k) & (betters < k)
    if certain.sum() + may.sum() <= k:
        certain, may = certain | may, np.zeros_like(may)
    dropped = 0
    if rule & ABOVE_ZERO:
        dropped = int((certain & (upper <= 0)).sum())
        may = may | (certain & (lower <= 0) & (upper > 0))
        certain = certain & (lower > 0)
    return Row(certain, may, k - int(certain.sum()) - dropped)


def of_groups(lower, upper, groups):
    """Where the largest of each group fires, if it is above 0."""
    low, high = lower.reshape(groups, -1), upper.reshape(groups, -1)
    certain, may = np.zeros(low.shape, bool), np.zeros(low.shape, bool)
    for own in range(low.shape[1]):
        others = np.arange(low.shape[1]) != own
        gone = (high[:, own] <= 0) | (low[:, others] > high[:, own:own + 1]).any(1)
        rival = (high[:, others] >= low[:, own:own + 1]).any(1)
        certain[:, own] = ~gone & ~rival & (low[:, own] > 0)
        may[:, own] = ~gone & ~certain[:, own]
    return Row(certain.ravel(), may.ravel(), int(may.sum()))


def above(lower, upper, least, most):
    """Where scores above a limit fire, which itself lies in [least, most]."""
    certain = lower > most
    may = ~certain & ((upper >= least) | np.isnan(upper))
    return Row(certain, may, int(may.sum()))


class Batch:
    """Rows to select from; `first` rows come before the tile's, and one after it."""

    def __init__(self, seed, features, k, courses, relative, rule=0, width=None, capacity=512, room=None,
                 first=1, bad=()):
        self.rng = np.random.default_rng(seed)
        self.features, self.k, self.rule, self.capacity = features, k, rule, capacity
        self.width, self.first, self.rows = width or k, first, len(courses)
        self.scores = np.array([course(self.rng, c, features) for c in courses], F32)
        self.biases = (self.rng.uniform(-0.1, 0.1, features)).astype(F32)
        self.margins = self.rng.uniform(0.1, 1, (features, 2)).astype(F32)
        self.facts = np.zeros(first + self.rows + 1, FACTS_KIND)
        self.facts["finite"] = 1
        for row, facts in enumerate(self.own_facts()):
            size = F32(np.abs(self.scores[row]).max() * relative)
            facts["bias_scale"] = 2.0 ** int(self.rng.integers(-3, 3))
            facts["error"], facts["norm"], facts["offset"] = size * F32(0.5), size * F32(0.3), size * F32(0.1)
        for row in bad:
            self.own_facts()["finite"][row], self.scores[row] = 0, np.nan
        self.room = room if room is not None else self.rows * features
        self.settle()

    def own_facts(self):
        return self.facts[self.first:self.first + self.rows]

    def estimates(self, row):
        facts = self.own_facts()[row]
        with np.errstate(all="ignore"):
            estimate = self.scores[row] + self.biases * facts["bias_scale"]
            if self.rule & MAGNITUDE:
                estimate = np.abs(estimate)
            margin = facts["error"] * self.margins[:, 0] + facts["norm"] * self.margins[:, 1] + facts["offset"]
        return estimate, margin

    def settle(self):
        """`coarse` is at least each margin, and 4u of each estimate, or 0 where all margins are."""
        for row, facts in enumerate(self.own_facts()):
            estimate, margin = self.estimates(row)
            size = np.abs(estimate[np.isfinite(estimate)]).max(initial=0)
            facts["coarse"] = max(margin.max(), size * F32(2**-22)) if margin.max() > 0 else 0

    def expected(self, row):
        estimate, margin = self.estimates(row)
        with np.errstate(all="ignore"):
            lower, upper = estimate - margin, estimate + margin
        if self.rule & GROUPS:
            return of_groups(lower, upper, self.k)
        return largest(lower, upper, self.k, self.rule)

    def must_overflow(self, row, own):
        return bool(self.rule & TIES) and len(own.certain) + len(own.open) > self.width

    def stride(self):
        return -(-self.features // 4) * 4

    def memory(self):
        gap = self.stride() - self.features
        between = np.tile(np.array([np.finfo(F32).max, np.nan, np.inf][:gap], F32), (self.rows, 1))
        return ({"scores": np.concatenate([self.scores, between], 1), "margins": self.margins,
                 "biases": np.pad(self.biases, (0, gap)), "facts": self.facts},
                {"fires": Output(np.uint32, len(self.facts) * self.width),
                 "states": Output(STATE, len(self.facts)),
                 "pairs": Output(PAIR, self.room), "pair_count": np.zeros(1, np.uint32),
                 "atom_pairs": np.zeros(self.features, np.uint32),
                 "overflowed": Output(np.uint32, self.rows), "overflow_count": np.zeros(1, np.uint32),
                 "counters": np.zeros(5, np.uint64)})

    def argument(self, at):
        numbers = (self.rows, self.first, self.features, self.stride(), self.k, self.capacity, self.room,
                   self.width, self.rule, 0)
        return struct.pack("<12Q10I", *map(at, ARRAYS), *numbers)

    # What is demanded.

    def check(self, found):
        self.counters, self.overflowed, self.real = dict.fromkeys(COUNTERS, 0), [], 0
        self.states, self.fires = found("states"), found("fires").reshape(-1, self.width)
        self.pairs, self.asked = found("pairs"), int(found("pair_count")[0])
        self.fired = found.written("fires").reshape(-1, self.width)
        wrong = untouched("states", found.written("states"), self.is_own())
        wrong += untouched("fires", self.fired[~self.is_own()].ravel(), np.zeros(
            (~self.is_own()).sum() * self.width, bool))
        for row in range(self.rows):
            wrong += [f"row {row}: {what}" for what in self.check_row(row)]
        listed = sorted(found("overflowed")[:int(found("overflow_count")[0])].tolist())
        if listed != self.overflowed:
            wrong.append(f"overflowed rows are {listed}, expected {self.overflowed}")
        counters = dict(zip(COUNTERS, found("counters").tolist()))
        if counters != self.counters:
            wrong.append(f"counters are {counters}, expected {self.counters}")
        return wrong + self.check_pairs(found)

    def is_own(self):
        rows = np.arange(len(self.facts))
        return (rows >= self.first) & (rows < self.first + self.rows)

    def check_row(self, row):
        place = self.first + row
        state, counters = self.states[place], self.counters
        bare = tuple(int(state[n]) for n in ("certain", "open", "first_pair"))
        if not self.facts["finite"][place]:
            return [] if (bare, state["status"]) == ((0, 0, 0), ROW_BAD) else [f"{state} of a bad row"]
        counters["rows"] += 1
        own = self.expected(row)
        must = self.must_overflow(row, own)
        if state["status"] == ROW_OVERFLOW:
            counters["overflowed"] += 1
            self.overflowed.append(place)
            crowded = self.features > self.capacity or (len(own.open) and self.asked > self.room)
            return [] if must or crowded else ["overflowed, with room for all"]
        if must or state["status"] != ROW_OPEN:
            return [f"has the status {state['status']}"]
        open_atoms = self.pairs[bare[2]:bare[2] + bare[1]]
        self.real += len(open_atoms)
        counters["certified_outright"] += bare[1] == 0
        counters["ambiguous_atoms"] += bare[1]
        counters["most_ambiguous"] = max(counters["most_ambiguous"], bare[1])
        wrong = []
        if sorted(self.fires[place][:bare[0]].tolist()) != own.certain.tolist():
            wrong.append(f"certain are {sorted(self.fires[place][:bare[0]].tolist())}, expected {own.certain}")
        if sorted(open_atoms["atom"].tolist()) != own.open.tolist():
            wrong.append(f"open are {sorted(open_atoms['atom'].tolist())}, expected {own.open}")
        if (open_atoms["row"] != place).any():
            wrong.append("has a pair of another row")
        if state["slots_left"] != own.most:
            wrong.append(f"has {state['slots_left']} slots left, expected {own.most}")
        return wrong + untouched("its fires", self.fired[place], np.arange(self.width) < bare[0])

    def check_pairs(self, found):
        asked = min(self.asked, self.room)
        wrong = untouched("pairs", found.written("pairs"), np.arange(self.room) < asked)
        real = self.pairs[:asked][self.pairs["row"][:asked] != NO_PAIR]
        of_atom = np.bincount(real["atom"], minlength=self.features)
        ranks = sorted(zip(real["atom"].tolist(), real["rank"].tolist()))
        if len(real) != self.real or ranks != [(a, r) for a in range(self.features) for r in range(of_atom[a])]:
            wrong.append("pairs are missing, or ranks of an atom are not 0, 1, …")
        if (found("atom_pairs") != of_atom).any():
            wrong.append("pairs of atoms are not what is counted")
        return wrong


def course(rng, kind, features):
    """Scores of a row, and how they go."""
    f, unit = np.arange(features), rng.uniform(-1, 1, features)
    with np.errstate(all="ignore"):
        return np.asarray({
            "smooth": rng.normal(0, 1, features), "rising": f + 0.1 * unit, "falling": -0.01 * f + 1e-4 * unit,
            "low": np.where(unit < 0.9, -1e38 * (1 + 0.05 * unit), unit),
            "denormal": unit * 2.0**-127, "levels": np.trunc(unit * 3), "zeros": 0.0 * unit,
            "close": 1 + 2.0**-23 * rng.integers(0, 100, features)}[kind], F32)


def threads_for(features):
    return 128 if features <= 2048 else 256 if features <= 16384 else 512


def edges(batch):
    """Scores that are as far from 0 as their margins, but for the last bit."""
    batch.biases[:] = 0
    for row in range(batch.rows):
        _, margin = batch.estimates(row)
        margin = margin.view(np.int32) + batch.rng.integers(-1, 2, batch.features).astype(np.int32)
        batch.scores[row] = margin.view(F32) * batch.rng.choice([F32(-1), F32(1)], batch.features)
    batch.settle()
    return batch


def select(batch, more="", threads=None):
    threads = threads or threads_for(batch.features)
    groups = -(-4 * batch.k // threads)
    kernel = "select_1" if groups <= 1 else "select_4" if groups <= 4 else "select_16"
    name = f"{batch.rows} rows of {batch.features}, k {batch.k}, rule {batch.rule}{more}"
    return Case(name, "select", kernel, batch.rows, threads, 16 * batch.capacity, *batch.memory(),
                batch.argument, batch.check)


def pass_all(seed, rows, first, grid):
    batch = Batch(seed, 5, 2, ["smooth"] * rows, 1e-3, first=first, bad=range(0, rows, 7))
    arrays, outputs = batch.memory()

    def check(found):
        batch.counters, batch.overflowed, batch.real, batch.asked = dict.fromkeys(COUNTERS, 0), [], 0, 0
        states, finite = found("states")[batch.is_own()], batch.own_facts()["finite"]
        wrong = [] if (states["status"] == np.where(finite, ROW_OVERFLOW, ROW_BAD)).all() else ["states"]
        listed = found("overflowed")[:int(found("overflow_count")[0])]
        if sorted(listed.tolist()) != (first + np.nonzero(finite)[0]).tolist():
            wrong.append(f"listed are {sorted(listed.tolist())}")
        counters = found("counters").tolist()
        every = int(finite.sum())
        return wrong + ([] if counters == [every, 0, 0, 0, every] else [f"counters are {counters}"])

    return Case(f"{rows} rows passed over, {grid} blocks", "select", "overflow_rows", grid, 128, 0, arrays,
                outputs, batch.argument, check)


EVERY = ("smooth", "rising", "falling", "low", "denormal", "levels", "close", "zeros")


def cases():
    found = [
        select(Batch(1, 300, 7, EVERY, 1e-3)),
        select(Batch(2, 1, 1, ("smooth", "zeros"), 1e-3)),
        select(Batch(3, 513, 40, EVERY, 1e-5, ABOVE_ZERO)),
        select(Batch(4, 1001, 64, EVERY[:4], 3e-7, ABOVE_ZERO | MAGNITUDE)),
        select(Batch(5, 257, 20, EVERY, 0, TIES, width=64)),
        select(Batch(6, 99, 99, EVERY[:5], 0.03)),
        select(Batch(7, 700, 200, ("smooth", "levels"), 0.03, capacity=1024)),
        select(Batch(8, 2049, 32, ("smooth", "falling"), 1e-4)),
        select(Batch(9, 900, 16, ("smooth", "low", "rising"), 0.5, capacity=64), ", little room"),
        select(Batch(10, 400, 20, ("smooth",) * 6, 0.03, room=40), ", little room for pairs"),
        select(Batch(11, 300, 7, ("smooth",) * 5, 1e-3, bad=(0, 3)), ", bad rows"),
        select(Batch(12, 6000, 8, ("rising", "levels"), 1e-6, capacity=512)),
        select(Batch(13, 5000, 300, ("smooth",), 1e-4, ABOVE_ZERO, capacity=4096)),
        select(Batch(16, 9000, 16, ("rising", "smooth"), 1e-7, capacity=64), ", pruned", 128),
        select(edges(Batch(17, 99, 99, ("smooth",) * 4, 0.1, ABOVE_ZERO)), ", at the edges"),
        select(edges(Batch(18, 300, 300, ("smooth",) * 3, 0.1, ABOVE_ZERO, capacity=2048)), ", at the edges"),
        pass_all(14, 300, 2, 3), pass_all(15, 1, 0, 1),
    ]
    return found
