"""Runs what NVRTC makes of the kernels, without a GPU: see scripts/ptx-check."""

import argparse
import hashlib
import importlib
import sys
import time

import lint
import mutants
import parser
import self_check
from case import run
from compiler import Nvrtc, families
from machine import Program

ARCHITECTURES = (75, 90, 120)
TWINS = ("whiten", "input", "select", "select_groups", "select_threshold", "rescore", "tally", "coactivate")


def cases(only=""):
    """All cases, whose kernel or name has a word."""
    every = [c for twin in TWINS for c in importlib.import_module(f"twins.{twin}").cases()]
    return [c for c in every if only in f"{c.kernel} {c.name}"]


def programs(compiled):
    """The kernels of a compiled family, to be run."""
    return {name: Program(entry) for name, entry in parser.parse(compiled.ptx).items()}


class Run:
    """Runs of all cases, and what went wrong."""

    def __init__(self, seeds):
        self.seeds, self.count, self.faults = seeds, 0, []
        self.digests = {}

    def case(self, case, program, architecture):
        for seed in range(self.seeds):
            wrong, found = run(case, program, 1000 * architecture + seed)
            self.count += 1
            if found is not None and not wrong:
                wrong = self.compare(case, found)
            for what in wrong[:3]:
                self.faults.append(f"{case.kernel}, {case.name}, sm_{architecture}, order {seed}: {what}")

    def compare(self, case, found):
        """Demands the bytes of every other order of threads, and of every other architecture."""
        digest = hashlib.sha256()
        for name in case.stable:
            written = found.written(name)
            digest.update(written.tobytes() + found(name)[written].tobytes())
        digest = digest.hexdigest()
        key = (case.kernel, case.name)
        return [] if self.digests.setdefault(key, digest) == digest else ["another order gave other bytes"]


def check(nvrtc, options):
    """Runs all cases on all architectures. Returns what is wrong."""
    wrong = self_check.check()
    own, runs = cases(options.only), Run(options.seeds)
    for architecture in options.architectures:
        by_family = {}
        for case in own:
            if case.family not in by_family:
                by_family[case.family] = programs(nvrtc.compile(case.family, architecture))
            runs.case(case, by_family[case.family][case.kernel], architecture)
    kernels = {case.kernel for case in own}
    if not options.only:
        known = {n for f in families() for n in parser.parse(nvrtc.compile(f, 90).ptx)}
        wrong += [f"kernel {name} has no case" for name in sorted(known - kernels)]
    print(f"{len(own)} cases of {len(kernels)} kernels on {len(options.architectures)} architectures, in "
          f"{options.seeds} orders of threads each: {runs.count} launches, {len(runs.faults)} with a fault")
    return wrong + runs.faults


def arguments():
    reader = argparse.ArgumentParser(prog="scripts/ptx-check", description=__doc__)
    reader.add_argument("--only", default="", metavar="WORD", help="cases whose kernel or name has this word")
    reader.add_argument("--seeds", type=int, default=2, help="orders of threads for each case (default 2)")
    reader.add_argument("--architectures", type=lambda t: [int(a) for a in t.split(",")], metavar="LIST",
                        default=list(ARCHITECTURES), help="compute capabilities (default 75,90,120)")
    reader.add_argument("--mutants", action="store_true", help="demand that planted faults are found")
    reader.add_argument("--lint", action="store_true", help="look at PTX and machine code instead of running")
    return reader.parse_args()


def main():
    options, start = arguments(), time.process_time()
    nvrtc = Nvrtc()
    if options.lint:
        wrong = lint.check(nvrtc, options.architectures)
    elif options.mutants:
        wrong = mutants.check(nvrtc, cases(options.only), options.architectures, programs)
    else:
        wrong = check(nvrtc, options)
    for what in wrong:
        print(f"FAULT {what}")
    version = ".".join(map(str, nvrtc.version()))
    print(f"{'failed' if wrong else 'passed'}, with NVRTC {version}, {time.process_time() - start:.0f} s of CPU")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
