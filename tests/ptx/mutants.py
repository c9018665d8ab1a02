"""Faults planted in the kernels' sources, one at a time: each must be found by the cases of its family."""

from dataclasses import dataclass

import lint
from case import run
from compiler import KERNELS


@dataclass
class Mutant:
    """`old` stands once in `file`, and gives way to `new`."""

    name: str
    file: str
    old: str
    new: str
    family: str


def mutant(name, file, old, new, family=None):
    return Mutant(name, file, old, new, family or file.removesuffix(".cu"))


SYNC = "__syncthreads();"
MUTANTS = [
    # Barriers.
    mutant("whiten: no barrier before sums of warps are read", "whiten.cu",
           f"warp_squares[warp_index()] = sum;\n    {SYNC}", "warp_squares[warp_index()] = sum;"),
    mutant("select: no barrier before the place of pairs is read", "candidates.cuh",
           f"atomicAdd(args.pair_count, open) : 0;\n    {SYNC}", "atomicAdd(args.pair_count, open) : 0;",
           "select"),
    mutant("select: no barrier among votes", "threshold.cuh", f"{SYNC}\n        u32 all = counter[turn];",
           "u32 all = counter[turn];", "select"),
    mutant("select: no barrier while candidates are pruned", "select.cu",
           f"u32 atom = i < count ? c.atom[i] : 0;\n        {SYNC}", "u32 atom = i < count ? c.atom[i] : 0;"),
    mutant("select_groups: no barrier behind filled groups", "select_groups.cu",
           f"c.group[g] = with;\n    {SYNC}", "c.group[g] = with;"),
    mutant("rescore: no barrier behind sums of warps", "rescore.cu",
           f"carried += total;\n        {SYNC}", "carried += total;"),
    mutant("tally: no barrier in the sort", "tally.cu",
           f"            }}\n            {SYNC}\n", "            }\n"),
    mutant("tally: no barrier behind the places", "tally.cu",
           f"    {SYNC}\n    return place;", "    return place;"),
    mutant("coactivate: no barrier at the end of a row", "coactivate.cu",
           f"chosen)], 1u);\n        }}\n        {SYNC}", "chosen)], 1u);\n        }"),
    mutant("tally: a barrier for some threads only", "tally.cu",
           f"carried += warp_counts[w];\n    }}\n    {SYNC}",
           f"carried += warp_counts[w];\n    }}\n    if (threadIdx.x < 512) {SYNC}"),
    mutant("rescore: a shuffle in a branch", "common.cuh", "x = __dadd_rn(x, __shfl_xor_sync(ALL_LANES, x, step));",
           "if (lane_index() != 5) x = __dadd_rn(x, __shfl_xor_sync(ALL_LANES, x, step));", "rescore"),
    mutant("whiten: a mask of half a warp", "common.cuh", "x = fmaxf(x, __shfl_xor_sync(ALL_LANES, x, step));",
           "x = fmaxf(x, __shfl_xor_sync(0xffffu, x, step));", "whiten"),
    # Rounding.
    mutant("select: a margin rounded down", "candidates.cuh", "__fmul_rn(facts.error, m.x)",
           "__fmul_rz(facts.error, m.x)", "select"),
    mutant("select_threshold: a fused margin", "candidates.cuh",
           "return __fadd_rn(__fadd_rn(whole, spread), facts.offset);",
           "return __fadd_rn(__fmaf_rn(facts.norm, m.y, whole), facts.offset);", "select_threshold"),
    mutant("select: a fused estimate", "candidates.cuh", "__fadd_rn(score, __fmul_rn(bias, bias_scale))",
           "__fmaf_rn(bias, bias_scale * 0.7f, score)", "select"),
    mutant("input: a division by way of the reciprocal", "input.cu",
           "row[i] = __fdiv_rn(row[i], numbers[i])", "row[i] = __fmul_rn(row[i], __frcp_rn(numbers[i]))"),
    mutant("whiten: operands cut off", "common.cuh", "cvt.rn.f16.f32", "cvt.rz.f16.f32", "whiten"),
    mutant("whiten: norms rounded to nearest", "common.cuh",
           "(double)nearest < x ? __uint_as_float(__float_as_uint(nearest) + 1) : nearest", "nearest", "whiten"),
    mutant("rescore: products in binary32", "rescore.cu", "__fma_rn((double)x[i], (double)weight[i], sum)",
           "__dadd_rn(sum, (double)__fmul_rn(x[i], weight[i]))"),
    mutant("rescore: lanes added the other way round", "common.cuh",
           "for (u32 step = WARP / 2; step > 0; step /= 2) {\n        x = __dadd_rn(",
           "for (u32 step = 1; step < WARP; step *= 2) {\n        x = __dadd_rn(", "rescore"),
    mutant("select_threshold: a cut rounded to nearest", "select_threshold.cu", "__double2float_rd(limit)",
           "__double2float_rn(limit)"),
    # Bounds.
    mutant("whiten: one number too many", "whiten.cu", "i < args.dim; i += blockDim.x",
           "i <= args.dim; i += blockDim.x"),
    mutant("coactivate: one atom too many", "coactivate.cu", "i < args.k; i", "i <= args.k; i"),
    mutant("select: one atom too many", "candidates.cuh", "4 * at + c >= args.features",
           "4 * at + c > args.features",
           "select"),
    mutant("select: room for one candidate too many", "select.cu", "if (place < args.capacity) {",
           "if (place <= args.capacity) {"),
    mutant("select_threshold: room for one atom too many", "select_threshold.cu",
           "if (slot < select.width) open[slot]", "if (slot <= select.width) open[slot]"),
    mutant("select: counters that are not all zero", "select.cu", "if (threadIdx.x < COUNTS)",
           "if (threadIdx.x > 0 && threadIdx.x < COUNTS)"),
    mutant("whiten: an exponent one too high", "whiten.cu", "exponent_of(largest) - 15",
           "exponent_of(largest) - 14"),
    mutant("select: atoms within one margin taken for certain", "select.cu",
           "float in = from_order_key(high) + 3.0f * facts.coarse;",
           "float in = from_order_key(high) + 0.5f * facts.coarse;"),
    # Atomics.
    mutant("select: a candidate's place without an atomic", "select.cu",
           "u32 place = atomicAdd(&c.count[CANDIDATES], 1u);\n            if (place < args.capacity)",
           "u32 place = c.count[CANDIDATES]++;\n            if (place < args.capacity)"),
    mutant("tally: counts without an atomic", "tally.cu", "atomicAdd(&counts[set[i]], 1u);",
           "counts[set[i]] += 1;"),
    mutant("coactivate: counts without an atomic", "coactivate.cu",
           "atomicAdd(&args.counts[pair_place(a, b, args.chosen)], 1u);",
           "args.counts[pair_place(a, b, args.chosen)]++;"),
    # Rules.
    mutant("tally: ties to the highest pair", "tally.cu", "pairs[j].atom < atom", "pairs[j].atom > atom"),
    mutant("tally: ties of groups to the highest atom", "tally.cu", "value == best && other < atom",
           "value == best && other > atom"),
    mutant("tally: an equal score fires", "tally.cu", "value > args.thresholds[f]", "value >= args.thresholds[f]"),
    mutant("tally: one tie too many", "tally.cu", "atom < cut.ties", "atom <= cut.ties"),
    mutant("tally: places with the lane itself", "tally.cu", "(1u << lane_index()) - 1",
           "(2u << lane_index()) - 1"),
    mutant("input: the variance of all", "input.cu", "__dsub_rn((double)dim, 1.0)", "(double)dim"),
    mutant("select: above zero, or zero", "select.cu", "if (estimate - margin <= 0.0f)",
           "if (estimate - margin < 0.0f)"),
    mutant("rescore: sums with what comes after", "rescore.cu", "if (w < warp_index()) sum += warp_sums[w];",
           "if (w <= warp_index()) sum += warp_sums[w];"),
    mutant("rescore: rows of resolved sets only", "rescore.cu", "(status == ROW_OVERFLOW && args.with_overflowed)",
           "status == ROW_OVERFLOW"),
]


# What the cases cannot tell, or another compiler's options would bring: the lint must name it. Where: in
# PTX, in machine code, or in both.
LOOSE = [
    (mutant("input: fused squares", "input.cu",
            "__dadd_rn(sum, SQUARED ? __dmul_rn(difference, difference) : difference)",
            "SQUARED ? __fma_rn(difference, difference, sum) : __dadd_rn(sum, difference)"), (), "PTX"),
    (mutant("coactivate: local memory", "coactivate.cu", "u32 count = found;",
            "volatile u32 own[4]; own[threadIdx.x % 4] = found; u32 count = own[(found + threadIdx.x) % 4];"),
     (), "both"),
    (mutant("select: contraction", "select.cu", "", ""), ("--fmad=true",), "both"),
    (mutant("input: denormals flushed", "input.cu", "", ""), ("--ftz=true",), "both"),
    (mutant("whiten: divisions that are not IEEE's", "whiten.cu",
            "__fdiv_rn(__fsub_rn(e, args.mean[i]), args.divisor[i])",
            "__fsub_rn(e, args.mean[i]) / args.divisor[i]"), ("--prec-div=false",), "PTX"),
]


def text_of(own):
    """The mutated text of its file."""
    text = (KERNELS / own.file).read_text()
    if own.old == "":
        return text
    if text.count(own.old) != 1:
        raise SystemExit(f"mutant {own.name!r}: its text stands {text.count(own.old)} times in kernels/{own.file}")
    return text.replace(own.old, own.new)


def first_fault(own, kernels, cases, seeds=2):
    """What the cases find first, or None."""
    for case in cases:
        if case.family != own.family:
            continue
        for seed in range(seeds):
            wrong, _ = run(case, kernels[case.kernel], seed)
            if wrong:
                return f"{case.kernel}, {case.name}: {wrong[0]}"
    return None


def check(nvrtc, cases, architectures, programs):
    """Returns the mutants that nothing finds. Each is compiled for one architecture, by turns."""
    missed = []
    for number, own in enumerate(MUTANTS):
        architecture = architectures[number % len(architectures)]
        compiled = nvrtc.compile(own.family, architecture, {own.file: text_of(own)})
        found = first_fault(own, programs(compiled), cases)
        print(f"{'found' if found else 'MISSED'}  {own.name} (sm_{architecture})"
              + (f"\n       {found}" if found else ""))
        if not found:
            missed.append(f"the mutant is not found: {own.name}, sm_{architecture}")
    missed += loose(nvrtc, architectures)
    every = len(MUTANTS) + len(LOOSE)
    print(f"{every - len(missed)} of {every} mutants found")
    return missed


def loose(nvrtc, architectures):
    """Returns the mutants that the lint does not find, in PTX or in machine code."""
    missed = []
    for number, (own, more, where) in enumerate(LOOSE):
        architecture = architectures[number % len(architectures)]
        compiled = nvrtc.compile(own.family, architecture, {own.file: text_of(own)}, more)
        said = {"PTX": lint.of_ptx(compiled.ptx, lint.source_of(own.family))}
        if where == "both":
            said["machine code"] = lint.of_cubin(compiled.cubin, compiled.ptx)[0]
        for place, wrong in said.items():
            print(f"{'found' if wrong else 'MISSED'}  {own.name}, {place} (sm_{architecture})"
                  + (f"\n       {wrong[0]}" if wrong else ""))
        if not all(said.values()):
            missed.append(f"the lint does not find the mutant: {own.name}, sm_{architecture}")
    return missed
