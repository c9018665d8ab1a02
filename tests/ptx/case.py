"""Cases: a kernel, how it is launched on which memory, and what it must leave there."""

from dataclasses import dataclass, field

import numpy as np

from machine import Launch
from ops import Fault


class Output:
    """Memory that a kernel writes: nobody wrote it before."""

    unwritten = True

    def __init__(self, kind, count):
        self.kind, self.count = np.dtype(kind), count
        self.nbytes = self.kind.itemsize * count


@dataclass
class Case:
    """`arrays`: {name: array} that are only read; `outputs`: {name: Output or array} that may change.
    `argument(at)` gives the bytes of the kernel's struct: `at(name)` is the address of an array, 0 where
    there is none; `at(name, content)` fills it, too.
    `check(found)` returns what is wrong, in words; `found(name)` gives numbers, `found.written(name)`
    which of them were written."""

    name: str
    family: str
    kernel: str
    grid: int
    threads: int
    shared_bytes: int
    arrays: dict
    outputs: dict
    argument: object
    check: object
    # Outputs that are the same to the bit in every order of threads.
    stable: list = field(default_factory=list)


class Found:
    """What a launch left in memory."""

    def __init__(self, launch, outputs):
        self.launch, self.outputs = launch, outputs

    def kind(self, name):
        array = self.outputs[name]
        return array.kind if isinstance(array, Output) else array.dtype

    def __call__(self, name):
        return self.launch.memory.take(name, self.kind(name))[0]

    def written(self, name):
        return self.launch.memory.take(name, self.kind(name))[1]


def run(case, program, seed):
    """Runs a case. Returns what is wrong, and what was found (None after a fault)."""
    arrays = {name: (array, False) for name, array in case.arrays.items()}
    arrays |= {name: (array, True) for name, array in case.outputs.items()}

    def argument(memory):
        def at(name, content=None):
            if content is not None:
                memory.fill(name, content)
            return memory.address(name) if name in arrays else 0

        return case.argument(at)

    try:
        launch = Launch(program, case.grid, case.threads, case.shared_bytes, arrays, argument, seed)
        launch.run()
    except Fault as fault:
        return [str(fault)], None
    found = Found(launch, case.outputs)
    return case.check(found), found


def same(what, found, expected):
    """Says where two arrays differ: by their bits, but that one NaN is as good as another."""
    found, expected = np.asarray(found), np.asarray(expected)
    if found.shape != expected.shape:
        return [f"{what} has the shape {found.shape}, expected {expected.shape}"]
    expected = expected.astype(found.dtype)
    if found.dtype.kind == "f":
        bits = f"u{found.dtype.itemsize}"
        differ = found.view(bits) != np.ascontiguousarray(expected).view(bits)
        differ &= ~(np.isnan(found) & np.isnan(expected))
    else:
        differ = found != expected
    if not np.any(differ):
        return []
    place = tuple(int(i[0]) for i in np.nonzero(np.atleast_1d(differ)))
    own, wanted = np.atleast_1d(found)[place], np.atleast_1d(expected)[place]
    return [f"{what}{list(place)} is {own!r}, expected {wanted!r}"]


def untouched(what, written, expected_written):
    """Says where an output was written that must not be, or was not that must be."""
    wrong = np.nonzero(written != expected_written)[0]
    if not wrong.size:
        return []
    was = "was written" if written[wrong[0]] else "was not written"
    return [f"{what}[{wrong[0]}] {was}"]
