// Purpose  resolve each row's firing set as far as the screen's bound allows, where the scores above a
//          threshold fire: the atom's own, or the row's. One pass over the scores; what is left open
//          becomes (row, atom) pairs for rescore.cu.
// Arrays   as select.cu has them; besides
//          biases   [stride]        shifts, bias less threshold, where atoms have their own: scaled by
//                                  2^−c, or infinite (src/engine/bound/shifts.rs)
//          shift_margins [features] M of each shift; null where biases are as they are
//          cuts     [rows]          the rows' thresholds; null where all are 0
// Launch   grid: a block a row; block: 128 to 512 threads; shared: 4 bytes times width
// Limits   rows < 2^31, features < 2^32, width ≤ 4096; a row with more certain and open atoms than
//          width overflows
// NaN      rows that are not finite are marked and passed over. Scores are finite by the scaling; with
//          a shift, an estimate may be infinite, and a margin too, never both: what is NaN by a margin
//          that overflows is left open
// Ties     none is broken here: an interval that holds the threshold is left open
// Floors   bytes: 4 · features a row, read once, as select.cu; operations: about 4 an element, and a
//          margin for each that is within the row's largest margin of firing
// Twin     tests/twins/select.rs
//
// How. With q the estimate and m the margin of an atom, in the row's units, it fires if q − m > high, and
// does not if q + m < low. Where atoms have thresholds, their shifts make q an estimate of the score
// less its threshold: high is 0, low the least number above 0. Where rows have cuts, low and high are the
// cut's score, rounded down and up, if that is above 0. Nothing is compared among atoms: no group maxima, no k-th largest.
// The proof of m is in src/engine/cuda/margin.rs.

#include "candidates.cuh"

struct ThresholdArgs {
    SelectArgs select;
    const float* shift_margins;
    const RowCut* cuts;
    float largest_shift_margin;
    float largest_whole;  // max P of all features
    int weight_exponent;  // B
    u32 any_infinite;     // 1: a shift, or its margin, is infinite
};
static_assert(sizeof(ThresholdArgs) == 168, "its Rust twin has 168 bytes");

enum { CERTAIN, OPEN, FIRST_PAIR, COUNTS };

// Whether shifts are what they are taken for beside this row's products.
__device__ __forceinline__ bool holds(const ThresholdArgs& args, const RowFacts& facts) {
    if (args.shift_margins == nullptr) return true;
    // 2^−126, below which shifts underflow; and 2^60, from which on they are taken for infinite.
    if (!(facts.bias_scale >= __uint_as_float(0x00800000u))) return false;
    float far = __fmul_rn(facts.bias_scale, __uint_as_float(0x5d800000u));
    float product = __fmul_rn(facts.whole, args.largest_whole);
    return !args.any_infinite || far > __fmul_rn(4.0f, product);
}

// What an atom's interval is compared with.
struct Limits {
    float low, high;
};

__device__ __forceinline__ Limits limits_of(const ThresholdArgs& args, const RowFacts& facts,
                                            u64 row) {
    float least = __uint_as_float(1u);
    if (args.cuts == nullptr) return {least, 0.0f};
    int unit = facts.exponent + args.weight_exponent;
    double limit = __dmul_rn(args.cuts[row].score, power_of_two(-unit));
    return {fmaxf(__double2float_rd(limit), least), fmaxf(__double2float_ru(limit), 0.0f)};
}

__device__ __forceinline__ float shifted_margin(const ThresholdArgs& args, const RowFacts& facts,
                                                u32 atom) {
    float margin = margin_of(args.select, facts, atom);
    if (args.shift_margins == nullptr) return margin;
    return __fadd_rn(margin, __fmul_rn(args.shift_margins[atom], facts.bias_scale));
}

// The pass over a row's scores: certain atoms go to the row's firing set, open ones to `open`.
__device__ void split(const ThresholdArgs& args, const RowFacts& facts, const Limits& limits,
                      u64 row, u32* open, u32* count) {
    const SelectArgs& select = args.select;
    const float4* scores =
        (const float4*)(select.scores + (row - select.first_row) * select.stride);
    // At least the margin of every atom, as rounding is monotone.
    float coarse =
        __fadd_rn(facts.coarse, __fmul_rn(args.largest_shift_margin, facts.bias_scale));
    for (u32 first = 0; first < select.features; first += blockDim.x * VALUES) {
        float value[VALUES];
        load_chunk(select, scores, facts.bias_scale, ALL_BITS, first, value);
#pragma unroll
        for (u32 v = 0; v < VALUES; v++) {
            u32 atom = first + 4 * ((v / 4) * blockDim.x + threadIdx.x) + v % 4;
            if (__fadd_rn(value[v], coarse) < limits.low || atom >= select.features) continue;
            float margin = shifted_margin(args, facts, atom);
            if (__fsub_rn(value[v], margin) > limits.high) {
                u32 slot = atomicAdd(&count[CERTAIN], 1u);
                if (slot < select.width) select.fires[row * select.width + slot] = atom;
            } else if (!(__fadd_rn(value[v], margin) < limits.low)) {
                u32 slot = atomicAdd(&count[OPEN], 1u);
                if (slot < select.width) open[slot] = atom;
            }
        }
    }
    __syncthreads();
}

KERNEL_RESIDENT(select_threshold, ThresholdArgs, SELECT_THREADS, 2) {
    DYNAMIC_SHARED(shared);
    __shared__ u32 count[COUNTS];
    u32* open = (u32*)shared;
    u64 row = args.select.first_row + blockIdx.x;
    RowFacts facts = args.select.facts[row];
    if (!facts.finite || !holds(args, facts)) {
        u32 status = facts.finite ? ROW_OVERFLOW : ROW_BAD;
        if (threadIdx.x == 0) pass_over(args.select, row, status);
        return;
    }
    if (threadIdx.x < COUNTS) count[threadIdx.x] = 0;
    __syncthreads();
    split(args, facts, limits_of(args, facts, row), row, open, count);
    u32 certain = count[CERTAIN], left = count[OPEN];
    if (certain > args.select.width || left > args.select.width - certain) {
        if (threadIdx.x == 0) pass_over(args.select, row, ROW_OVERFLOW);
        return;
    }
    hand_on(args.select, row, certain, left, left, &count[FIRST_PAIR],
            [open](u32 o) { return open[o]; });
}
