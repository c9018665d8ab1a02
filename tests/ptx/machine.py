"""Runs an entry: a grid of blocks, all threads of which are held in one vector.

Threads stand in the vector warp by warp, the warps of all blocks in an order of chance. A stretch of it
is picked at random, and runs for a while: of its threads those go on that stand first in the program, so
that threads that went different ways meet again. The seed draws the warps' order, the stretches, how
long each runs, and the order in which the atomics of one instruction happen."""

import numpy as np

import lanes
from atomics import changed
from memory import Global, Shared, Who
from ops import UNSIGNED, Fault
from parser import SIZES
from translate import Translator

# States of a thread, above all numbers of blocks of instructions.
HELD = 1 << 20     # plus the block: the warp's other lanes are elsewhere
WAITING = 1 << 24  # at a barrier
GONE = 1 << 25
WARP = lanes.WARP
MOST_STEPS = 400_000


def names_halves(entry, space):
    """Whether an entry has accesses of two bytes: words are then two bytes."""
    spaces = (space, "u16", "s16", "b16")
    return any(p[0] in ("ld", "st") and p[1] == spaces[0] and p[-1] in spaces[1:]
               for p in (i.parts for b in entry.blocks for i in b.instructions))


class Program:
    """An entry that can be run again and again."""

    def __init__(self, entry):
        self.entry, self.translator = entry, Translator(entry)
        self.whole_warps = [any(i.parts[0] in ("shfl", "vote") for i in b.instructions)
                            for b in entry.blocks]
        self.grains = {s: 2 if names_halves(entry, s) else 4 for s in ("global", "shared")}


class Launch:
    """One launch. `argument` makes the bytes of the kernel's struct, given the memory."""

    def __init__(self, program, grid, threads, dynamic_bytes, arrays, argument, seed):
        self.program, self.grid, self.threads = program, grid, threads
        self.rng = np.random.default_rng(seed)
        self.line, self.steps = 0, 0
        self.place_threads()
        entry, grains = program.entry, program.grains
        if entry.threads and threads > entry.threads:
            raise Fault(f"{threads} threads a block, declared are {entry.threads}")
        self.memory = Global(arrays, self.block_of, grains["global"], self.rng)
        self.shared = Shared(entry, dynamic_bytes, grid, self.block_of, grains["shared"])
        self.shared_offset = {n: np.uint64(o) for n, o in self.shared.offsets.items()}
        self.shared_window = np.uint64(Shared.WINDOW)
        self.argument = argument(self.memory)
        if len(self.argument) != entry.parameter_bytes:
            raise Fault(f"an argument of {len(self.argument)} bytes, declared are {entry.parameter_bytes}")
        self.registers = program.translator.empty(self.count)
        self.known = {}

    def place_threads(self):
        warps = self.threads // WARP
        order = self.rng.permutation(self.grid * warps)
        own = np.arange(WARP, dtype=np.uint32)
        self.count = self.grid * self.threads
        self.ctaid = np.repeat(order // warps, WARP).astype(np.uint32)
        self.tid = (np.repeat(order % warps, WARP) * WARP + np.tile(own, len(order))).astype(np.uint32)
        self.lane = np.tile(own, len(order))
        self.ntid, self.nctaid = np.uint32(self.threads), np.uint32(self.grid)
        self.block = self.ctaid.astype(np.int64)
        # A thread's number is its place in the vector.
        self.numbers = np.arange(self.count, dtype=np.int32)
        self.block_of = self.block
        self.interval = np.arange(1, self.grid + 1, dtype=np.int32)
        self.pc = np.zeros(self.count, np.int32)
        self.barrier = np.full(self.count, -1, np.int32)
        self.votes = np.zeros(self.count, bool)

    # Scheduling.

    def run(self):
        """Runs all threads to their end. Raises `Fault`, with the line of the PTX."""
        try:
            with np.errstate(all="ignore"):
                while not (self.pc == GONE).all():
                    self.run_to_barriers()
                    self.release()
        except Fault as fault:
            raise Fault(f"{self.program.entry.name}, line {self.line} of its PTX: {fault}") from None
        return self

    def run_to_barriers(self):
        warps = self.count // WARP
        while True:
            parts = int(self.rng.choice([1, 1, 2, 3]))
            ends = np.sort(self.rng.integers(0, warps + 1, parts - 1)) * WARP
            ends = [0, *ends, self.count]
            quantum = int(2 ** self.rng.uniform(1, 9))
            moved = False
            for part in self.rng.permutation(parts):
                if ends[part] < ends[part + 1]:
                    moved |= self.run_stretch(int(ends[part]), int(ends[part + 1]), quantum)
            if not moved and (self.pc >= HELD).all():
                return

    def run_stretch(self, low, high, quantum):
        """Runs some warps for some steps. Says whether any could go on."""
        pc, moved = self.pc[low:high], False
        while quantum > 0:
            first = int(pc.min())
            if first >= HELD:
                break
            at = (pc == first) | (pc == first + HELD)
            if at.all():
                threads, rest = slice(low, high), GONE
            else:
                threads = np.nonzero(at)[0] + low
                rest = int(pc[~at].min())
                if self.program.whole_warps[first]:
                    threads = self.hold(threads, first)
                    if not threads.size:
                        continue
            moved = True
            quantum -= self.follow(first, threads, rest)
        return moved

    def hold(self, threads, first):
        """Lets threads wait whose warps are not here as a whole."""
        warp = threads // WARP
        whole = np.bincount(warp, minlength=self.count // WARP)[warp] == WARP
        self.pc[threads[~whole]] = first + HELD
        return threads[whole]

    def follow(self, number, threads, rest):
        """Runs threads for as long as they stay together, and nobody else is to go first."""
        blocks, steps = self.program.entry.blocks, 0
        while True:
            steps += 1
            block = blocks[number]
            taken = self.program.translator.function(number)(self, threads)
            if block.end == "exit":
                self.pc[threads] = GONE
                break
            if block.end == "barrier":
                self.pc[threads], self.barrier[threads] = WAITING, number
                break
            following = number + 1
            if block.end == "jump":
                following = block.target
            elif block.end == "branch":
                if np.all(taken):
                    following = block.target
                elif np.any(taken):
                    self.pc[threads] = np.where(taken, block.target, number + 1)
                    break
            whole = isinstance(threads, slice)
            if following >= rest or (not whole and self.program.whole_warps[following]) or steps > 500:
                self.pc[threads] = following
                break
            number = following
        self.steps += steps
        if self.steps > MOST_STEPS:
            raise Fault("it does not end")
        return steps

    def release(self):
        """Lets the blocks go on whose threads all wait at one barrier."""
        if (self.pc == GONE).all():
            return
        waiting = self.pc == WAITING
        count = np.bincount(self.block[waiting], minlength=self.grid)
        ready = count == self.threads
        if not ready.any():
            self.explain_deadlock(waiting)
        go = ready[self.block] & waiting
        for block in np.nonzero(ready)[0]:
            at = np.unique(self.barrier[self.block == block])
            if len(at) > 1:
                lines = [self.program.entry.blocks[b].instructions[-1].line for b in at]
                raise Fault(f"threads of a block wait at different barriers, lines {lines}")
        self.give_votes(go)
        self.pc[go] = self.barrier[go] + 1
        self.interval[ready] += self.grid

    def explain_deadlock(self, waiting):
        held = (self.pc >= HELD) & (self.pc < WAITING)
        if held.any():
            place = int(np.nonzero(held)[0][0])
            self.line = self.program.entry.blocks[int(self.pc[place]) - HELD].line
            warp = slice(place // WARP * WARP, place // WARP * WARP + WARP)
            absent = [int(n) for n in np.nonzero(~held[warp])[0]]
            raise Fault(f"a shuffle or vote waits for lanes {absent}, which are elsewhere")
        lines = {self.program.entry.blocks[int(b)].instructions[-1].line for b in self.barrier[waiting]}
        raise Fault(f"a deadlock: {int(waiting.sum())} threads wait at the barriers of lines {sorted(lines)}, "
                    f"{int((self.pc == GONE).sum())} have left")

    # Registers.

    def defined(self, index, s):
        self.known.setdefault(index, np.zeros(self.count, bool))[s] = True

    def demand(self, index, s):
        known = self.known.get(index)
        if known is None or not known[s].all():
            raise Fault(f"a read of register {self.program.translator.names[index]}, which nobody wrote")

    # Memory.

    def who(self, s):
        block = self.block[s]
        return Who(self.numbers[s], block, self.interval[block])

    def spread(self, s, value):
        return np.broadcast_to(value, self.numbers[s].shape)

    def space(self, space, s, address):
        """The space of addresses, where in it they are, and whose. Raises `Fault` where they differ."""
        address, who = self.spread(s, address), self.who(s)
        if space == "generic":
            space = "shared" if int(address[0]) >= Shared.WINDOW else "global"
            if space == "shared":
                address = address - self.shared_window
        if space == "shared":
            if int(address.max()) >= self.shared.stride:
                raise Fault("an access outside of shared memory")
            return self.shared, address.astype(np.int64) + who.block * self.shared.stride, who
        if space != "global":
            raise Fault(f"{space} memory is used")
        return self.memory, address.astype(np.int64) - Global.BASE, who

    def load(self, space, s, address, size, count, unchanging):
        if space == "param":
            at = int(np.atleast_1d(address)[0])
            if np.any(address != at) or at % size or at + size * count > len(self.argument):
                raise Fault(f"a read of the argument at {at}")
            found = np.frombuffer(self.argument, UNSIGNED[size], count, at)
            return [found[i] for i in range(count)]
        memory, at, who = self.space(space, s, address)
        return memory.load(at, size, count, who, unchanging)

    def store(self, space, s, address, size, values):
        memory, at, who = self.space(space, s, address)
        values = [self.spread(s, v).astype(UNSIGNED[size]) for v in values]
        memory.store(at, size, values, who)

    def atomic(self, space, s, address, name, kind, value, wanted):
        memory, at, who = self.space(space, s, address)
        value = self.spread(s, value)
        order = self.rng.permutation(len(at))

        def change(words, places):
            return changed(words, places, f"{name}.{kind}", value, wanted, order)

        return memory.atomic(at, SIZES[kind], change, who)

    # Warps.

    def shuffle(self, s, mode, value, by, clamp, mask):
        lane = self.lane[s]
        lanes.demand(self.spread(s, mask), lane)
        by, clamp = (self.spread(s, x).astype(np.int64) for x in (by, clamp))
        return lanes.shuffle(mode, self.spread(s, value), lane.astype(np.int64), by, clamp)

    def ballot(self, s, vote, mask):
        lanes.demand(self.spread(s, mask), self.lane[s])
        return lanes.ballot(self.spread(s, vote))

    def give_votes(self, go):
        """Gives the threads that go on whether all of their block voted for it, where they voted."""
        for number, register in self.program.translator.votes.items():
            own = go & (self.barrier == number)
            against = np.bincount(self.block[own & ~self.votes], minlength=self.grid)
            self.registers[register][own] = against[self.block[own]] == 0
