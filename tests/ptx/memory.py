"""Memory of a launch, with what is known of each byte: bounds, first writes, and who touched it last.

A space is a row of bytes with a state each. What was touched since the last barrier is kept for words
of `grain` bytes: two threads that touch one word, of which one writes, and not both by atomics, race.
In global memory, blocks have no barrier in common: there, a race between blocks is one at any time."""

import numpy as np

from ops import UNSIGNED, Fault

INSIDE, WRITTEN, WRITABLE = 1, 2, 4
NOBODY, SEVERAL, SEVERAL_BLOCKS = -1, -2, -3
GAP = 256


class Accesses:
    """Who last read, wrote, or changed each word by an atomic, and in which interval."""

    def __init__(self, words):
        self.thread = np.full(words, NOBODY, np.int32)
        self.interval = np.zeros(words, np.int32)

    def others(self, words, who, within):
        """Which of these words another thread touched, with nothing to order the two."""
        thread, interval = self.thread[words], self.interval[words]
        live = interval == who.interval
        if within.across_blocks:
            other_block = within.block_of[thread] != who.block
            live |= other_block & (thread >= 0)
            live |= thread == SEVERAL_BLOCKS
        return live & (thread != who.thread)

    def note(self, words, who, within):
        """Keeps these accesses. Returns where two threads of one instruction touched a word."""
        before, same = self.thread[words], self.interval[words] == who.interval
        kept = np.where(same & (before != who.thread), SEVERAL, who.thread)
        if within.across_blocks:
            other = (before >= 0) & (within.block_of[before] != who.block)
            kept = np.where(other | (before == SEVERAL_BLOCKS), SEVERAL_BLOCKS, kept)
        self.thread[words], self.interval[words] = kept, who.interval
        twice = self.thread[words] != kept
        if twice.any():
            blocks = within.block_of[self.thread[words][twice]] != who.block[twice]
            mark = np.where(blocks, SEVERAL_BLOCKS, SEVERAL) if within.across_blocks else SEVERAL
            self.thread[words[twice]] = mark
        return twice


class Who:
    """The threads that touch memory by one instruction: their numbers, blocks and intervals."""

    def __init__(self, thread, block, interval):
        self.thread, self.block, self.interval = thread, block, interval

    def __getitem__(self, places):
        return Who(self.thread[places], self.block[places], self.interval[places])

    def repeated(self, times):
        return Who(*(np.repeat(x, times) for x in (self.thread, self.block, self.interval)))


class Space:
    """A row of bytes."""

    def __init__(self, name, size, block_of, across_blocks, grain):
        self.name, self.block_of, self.across_blocks, self.grain = name, block_of, across_blocks, grain
        size = -(-size // 64) * 64
        self.data = np.random.default_rng(7).integers(0, 256, size, np.uint8)
        self.state = np.zeros(size, np.uint8)
        self.views = {n: self.data.view(UNSIGNED[n]) for n in (1, 2, 4, 8)}
        self.states = {n: self.state.view(UNSIGNED[n]) for n in (1, 2, 4, 8)}
        words = size // grain
        self.reads, self.writes, self.atomics = (Accesses(words) for _ in range(3))

    def check(self, at, size, count, wanted, doing):
        """Demands that each access is aligned, and that its bytes have all of a state."""
        whole = size * count
        if at.size and (int(at.min()) < 0 or int(at.max()) + whole > len(self.data)):
            self.fault(f"{doing} outside of all memory", at, (at < 0) | (at + whole > len(self.data)))
        if (at & (whole - 1)).any():
            self.fault(f"{doing} of {whole} bytes that is not aligned", at, (at & (whole - 1)) != 0)
        pattern = UNSIGNED[size](int.from_bytes(bytes([wanted] * size), "little"))
        first = at // size
        for part in range(count):
            state = self.states[size][first + part]
            bad = (state & pattern) != pattern
            if bad.any():
                self.explain(at, bad, size * part, size, wanted, doing)
        return first

    def explain(self, at, bad, offset, size, wanted, doing):
        place = int(at[np.nonzero(bad)[0][0]]) + offset
        of = self.state[place:place + size]
        if (of & INSIDE == 0).any():
            what = f"{doing} out of bounds"
        elif wanted & WRITTEN and (of & WRITTEN == 0).any():
            what = f"{doing} of memory that nobody wrote"
        else:
            what = f"{doing} to memory that is only read"
        self.fault(what, at + offset, bad)

    def fault(self, what, at, bad):
        where = int(at[np.nonzero(bad)[0][0]])
        raise Fault(f"{what}: {self.name}, {self.place(where)}")

    def place(self, at):
        return f"byte {at}"

    def words(self, at, whole, who):
        """The words of these accesses, one each, and whose they are."""
        words = at // self.grain
        times = -(-whole // self.grain)
        if times == 1:
            return words, who
        return (words[:, None] + np.arange(times)).ravel(), who.repeated(times)

    def ordered(self, at, whole, who, own, against, doing):
        """Demands that no other thread touched these words, and notes that these threads did."""
        words, who = self.words(at, whole, who)
        for name, accesses in against:
            raced = accesses.others(words, who, self)
            if raced.any():
                self.fault(f"a race: {doing} what another thread {name}", words * self.grain, raced)
        twice = own.note(words, who, self)
        if own is self.writes and twice.any():
            self.fault("a race: two threads write", words * self.grain, twice)

    def load(self, at, size, count, who, unchanging=False):
        first = self.check(at, size, count, INSIDE | WRITTEN, "a read")
        if self.state[at[0]] & WRITABLE:
            if unchanging:
                self.fault("a read by ld.global.nc of what the kernel may write", at, at == at[0])
            self.ordered(at, size * count, who, self.reads,
                         (("wrote", self.writes), ("changed", self.atomics)), "a read of")
        return [self.views[size][first + part] for part in range(count)]

    def store(self, at, size, values, who):
        first = self.check(at, size, len(values), INSIDE | WRITABLE, "a write")
        self.ordered(at, size * len(values), who, self.writes,
                     (("read", self.reads), ("wrote", self.writes), ("changed", self.atomics)),
                     "a write of")
        for part, value in enumerate(values):
            self.views[size][first + part] = value
            self.states[size][first + part] |= UNSIGNED[size](
                int.from_bytes(bytes([WRITTEN] * size), "little"))

    def atomic(self, at, size, change, who):
        """Changes words by `change(words, places)`, which gives what was there before."""
        first = self.check(at, size, 1, INSIDE | WRITABLE | WRITTEN, "an atomic")
        self.ordered(at, size, who, self.atomics, (("read", self.reads), ("wrote", self.writes)),
                     "an atomic on")
        return change(self.views[size], first)


class Global(Space):
    """Global memory: allocations with gaps between them."""

    BASE = 1 << 40

    def __init__(self, arrays, block_of, grain, rng):
        """`arrays`: {name: (array or (dtype, count), writable)}."""
        self.places, at = {}, GAP
        for name, (array, _) in arrays.items():
            size = array.nbytes
            self.places[name] = (at, size)
            at = -(-(at + size + GAP) // 256) * 256 + 16 * int(rng.integers(0, 4))
        super().__init__("global memory", at + GAP, block_of, True, grain)
        for name, (array, writable) in arrays.items():
            start, size = self.places[name]
            state = INSIDE | (WRITABLE if writable else 0)
            if getattr(array, "unwritten", False):
                self.state[start:start + size] = state
            else:
                self.data[start:start + size] = np.frombuffer(np.ascontiguousarray(array).tobytes(), np.uint8)
                self.state[start:start + size] = state | WRITTEN

    def address(self, name):
        return self.BASE + self.places[name][0]

    def fill(self, name, content):
        """Puts bytes into an allocation, before the launch."""
        start, size = self.places[name]
        self.data[start:start + size] = np.frombuffer(content, np.uint8)

    def place(self, at):
        near = min(self.places, key=lambda name: self.distance(name, at))
        start, size = self.places[near]
        return f"byte {at - start} of {near}, which has {size}"

    def distance(self, name, at):
        start, size = self.places[name]
        return max(start - at, at - (start + size) + 1, 0)

    def take(self, name, kind):
        """What an allocation holds, and which of its numbers were written."""
        start, size = self.places[name]
        state = self.state[start:start + size]
        written = (state & WRITTEN != 0).reshape(-1, np.dtype(kind).itemsize).all(1)
        return self.data[start:start + size].view(kind).copy(), written


class Shared(Space):
    """The shared memory of all blocks: each has the same variables at the same offsets."""

    START = 1024
    WINDOW = 1 << 56

    def __init__(self, entry, dynamic_bytes, blocks, block_of, grain):
        self.offsets, self.sizes, at = {}, {}, self.START
        for name, (alignment, size) in sorted(entry.shared.items(), key=lambda v: v[0] in entry.dynamic):
            size = dynamic_bytes if name in entry.dynamic else size
            at = -(-at // max(alignment, 16)) * max(alignment, 16)
            self.offsets[name], self.sizes[name] = at, size
            at += size + 64
        self.stride = -(-(at + GAP) // 64) * 64
        super().__init__("shared memory", self.stride * blocks, block_of, False, grain)
        own = self.state.reshape(-1)[:self.stride * blocks].reshape(blocks, self.stride)
        for name, start in self.offsets.items():
            own[:, start:start + self.sizes[name]] = INSIDE | WRITABLE

    def place(self, at):
        at %= self.stride
        near = max((n for n in self.offsets if self.offsets[n] <= at), key=self.offsets.get, default=None)
        if near is None:
            return f"byte {at}"
        return f"byte {at - self.offsets[near]} of {near}, which has {self.sizes[near]}"
