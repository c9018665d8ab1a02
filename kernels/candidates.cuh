// What the kernels that select have in common: their argument, the pass over a row's scores, the
// margin of an atom, and how a row that was looked at is handed on.

#pragma once

#include "records.cuh"

constexpr u32 SELECT_THREADS = 512;
constexpr u32 LOADS = 4;                // float4 a thread and chunk
constexpr u32 VALUES = 4 * LOADS;

struct SelectArgs {
    const float* scores;
    const float* biases;
    const float2* margins;
    const RowFacts* facts;
    u32* fires;
    RowState* states;
    RowAtom* pairs;
    u32* pair_count;
    u32* atom_pairs;
    u32* overflowed;
    u32* overflow_count;
    Counters* counters;
    u32 rows;       // of this tile
    u32 first_row;  // the tile's first row in the batch
    u32 features;
    u32 stride;
    u32 k;
    u32 capacity;
    u32 pair_capacity;
    u32 width;      // atoms of a row that there is room for
    u32 rule;       // RULE_ABOVE_ZERO, RULE_MAGNITUDE, RULE_TIES, RULE_GROUPS
    u32 unused;
};
static_assert(sizeof(SelectArgs) == 136, "its Rust twin has 136 bytes");

constexpr u32 ALL_BITS = 0xffffffffu;
constexpr u32 WITHOUT_SIGN = 0x7fffffffu;

__device__ __forceinline__ float margin_of(const SelectArgs& args, const RowFacts& facts,
                                           u32 atom) {
    float2 m = args.margins[atom];
    float whole = __fmul_rn(facts.error, m.x), spread = __fmul_rn(facts.norm, m.y);
    return __fadd_rn(__fadd_rn(whole, spread), facts.offset);
}

__device__ __forceinline__ float estimate_of(float score, float bias, float bias_scale) {
    return __fadd_rn(score, __fmul_rn(bias, bias_scale));
}

// A chunk's estimates, of which `bits` are kept; −∞ beyond the features.
__device__ __forceinline__ void load_chunk(const SelectArgs& args, const float4* scores,
                                           float bias_scale, u32 bits, u32 first,
                                           float (&value)[VALUES]) {
    const float4* biases = (const float4*)args.biases;
    float4 score[LOADS];
#pragma unroll
    for (u32 j = 0; j < LOADS; j++) {
        u32 at = first / 4 + j * blockDim.x + threadIdx.x;
        score[j] = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
        if (at < args.stride / 4) score[j] = load_once(scores + at);
    }
#pragma unroll
    for (u32 j = 0; j < LOADS; j++) {
        u32 at = first / 4 + j * blockDim.x + threadIdx.x;
        float4 bias = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
        if (at < args.stride / 4) bias = __ldg(biases + at);
        value[4 * j + 0] = estimate_of(score[j].x, bias.x, bias_scale);
        value[4 * j + 1] = estimate_of(score[j].y, bias.y, bias_scale);
        value[4 * j + 2] = estimate_of(score[j].z, bias.z, bias_scale);
        value[4 * j + 3] = estimate_of(score[j].w, bias.w, bias_scale);
#pragma unroll
        for (u32 c = 0; c < 4; c++) {
            value[4 * j + c] = __uint_as_float(__float_as_uint(value[4 * j + c]) & bits);
            if (4 * at + c >= args.features) value[4 * j + c] = -infinity();
        }
    }
}

// A row that is not selected here: bad, or to be scored in full. By one thread.
__device__ void pass_over(const SelectArgs& args, u64 row, u32 status) {
    args.states[row] = {0, 0, 0, status, 0};
    if (status != ROW_OVERFLOW) return;
    args.overflowed[atomicAdd(args.overflow_count, 1u)] = (u32)row;
    atomicAdd(&args.counters->rows, (u64)1);
    atomicAdd(&args.counters->overflowed, (u64)1);
}

// Hands what is open to rescore.cu, and says how the row stands: `certain` atoms fire, and of the
// `open` ones, which `atom_of` names, at most `slots_left`. Where pairs have no room the row overflows,
// and what room it had is marked as empty. `first_pair` is shared.
template <typename AtomOf>
__device__ void hand_on(const SelectArgs& args, u64 row, u32 certain, u32 open, u32 slots_left,
                        u32* first_pair, AtomOf atom_of) {
    if (threadIdx.x == 0) *first_pair = open > 0 ? atomicAdd(args.pair_count, open) : 0;
    __syncthreads();
    u32 first = *first_pair;
    bool room = open <= args.pair_capacity && first <= args.pair_capacity - open;
    for (u32 o = threadIdx.x; o < open; o += blockDim.x) {
        if (first >= args.pair_capacity || o >= args.pair_capacity - first) break;
        RowAtom pair = {NO_PAIR, 0, 0};
        if (room) {
            u32 atom = atom_of(o);
            pair = {(u32)row, atom, atomicAdd(&args.atom_pairs[atom], 1u)};
        }
        args.pairs[first + o] = pair;
    }
    if (threadIdx.x != 0) return;
    if (!room) {
        pass_over(args, row, ROW_OVERFLOW);
        return;
    }
    args.states[row] = {certain, open, first, ROW_OPEN, slots_left};
    atomicAdd(&args.counters->rows, (u64)1);
    if (open == 0) {
        atomicAdd(&args.counters->certified_outright, (u64)1);
    } else {
        atomicAdd(&args.counters->ambiguous_atoms, (u64)open);
        atomicMax(&args.counters->most_ambiguous, (u64)open);
    }
}
