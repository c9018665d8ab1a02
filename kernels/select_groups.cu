// Purpose  resolve each row's firing set as far as the screen's bound allows, where the largest score of
//          each group of consecutive atoms fires, if it is above 0. Two passes over a row's scores; what
//          is left open becomes (row, atom) pairs for rescore.cu.
// Arrays   as select.cu has them; k is the number of groups, each of features / k atoms
// Launch   grid: a block a row; block: 128 to 512 threads; shared: 12 bytes a candidate and 4 a group
// Limits   rows < 2^31, features < 2^32, k divides features, k ≤ min(width, capacity / 2)
// NaN      rows that are not finite are marked and passed over; scores are finite by the scaling
// Ties     none is broken here: atoms whose intervals touch are left open
// Floors   bytes: 4 · features a row, read twice, the second time from the cache that the product left
//          them in; operations: about 8 an element
// Twin     tests/twins/select.rs
//
// How. The first pass finds the largest estimate of each group, by a maximum over a warp where all its
// atoms are of one group. In the second, an atom is a candidate if it is within 3 · coarse of that
// (two margins, and a third for the roundings of this arithmetic, as in select.cu) and its interval may
// reach above 0: a little more than one a group. Then, with the margins of the candidates alone,
//   1. L is the largest lower end of each group; whose upper end is below L, or not above 0, is gone;
//   2. a candidate that is alone in its group by now, with its lower end above 0, fires: no other upper
//      end reaches its lower one, which is L. All else is open, and of each group the best may fire.

#include "candidates.cuh"

// A block's candidates and its groups, in dynamic shared memory.
struct GroupCandidates {
    float* lower;  // [capacity]; later the atoms that are open
    float* upper;  // [capacity]: −∞ of those that are gone, or fire
    u32* atom;     // [capacity]
    int* group;    // [k]: keys of a largest number; later how many candidates are left
    u32* count;    // counters, in static shared memory
    u32 size;      // atoms of a group
};

enum { CANDIDATES, CERTAIN, OPEN, FIRST_PAIR, COUNTS };

__device__ void fill_groups(const SelectArgs& args, const GroupCandidates& c, int with) {
    for (u32 g = threadIdx.x; g < args.k; g += blockDim.x) c.group[g] = with;
    __syncthreads();
}

// The first pass: the largest estimate of each group.
__device__ void find_largest(const SelectArgs& args, const RowFacts& facts, const float4* scores,
                             const GroupCandidates& c) {
    for (u32 first = 0; first < args.features; first += blockDim.x * VALUES) {
        float value[VALUES];
        load_chunk(args, scores, facts.bias_scale, ALL_BITS, first, value);
#pragma unroll
        for (u32 j = 0; j < LOADS; j++) {
            const float* of_load = value + 4 * j;
            u32 of_warp = first + 4 * (j * blockDim.x + warp_index() * WARP);
            if (of_warp >= args.features) continue;
            u32 group = of_warp / c.size;
            if ((of_warp + 4 * WARP - 1) / c.size == group) {
                float most = fmaxf(fmaxf(of_load[0], of_load[1]), fmaxf(of_load[2], of_load[3]));
                most = warp_max(most);
                if (lane_index() == 0) atomicMax(&c.group[group], order_key(most));
                continue;
            }
#pragma unroll
            for (u32 i = 0; i < 4; i++) {
                u32 atom = of_warp + 4 * lane_index() + i;
                if (atom >= args.features) continue;
                atomicMax(&c.group[atom / c.size], order_key(of_load[i]));
            }
        }
    }
    __syncthreads();
}

// The second pass: the candidates, with their intervals.
__device__ void collect(const SelectArgs& args, const RowFacts& facts, const float4* scores,
                        const GroupCandidates& c) {
    for (u32 first = 0; first < args.features; first += blockDim.x * VALUES) {
        float value[VALUES];
        load_chunk(args, scores, facts.bias_scale, ALL_BITS, first, value);
#pragma unroll
        for (u32 v = 0; v < VALUES; v++) {
            u32 atom = first + 4 * ((v / 4) * blockDim.x + threadIdx.x) + v % 4;
            if (atom >= args.features || __fadd_rn(value[v], facts.coarse) <= 0.0f) continue;
            float largest = from_order_key(c.group[atom / c.size]);
            if (value[v] < largest - 3.0f * facts.coarse) continue;
            u32 place = atomicAdd(&c.count[CANDIDATES], 1u);
            if (place >= args.capacity) continue;
            float margin = margin_of(args, facts, atom);
            c.lower[place] = __fsub_rn(value[v], margin);
            c.upper[place] = __fadd_rn(value[v], margin);
            c.atom[place] = atom;
        }
    }
    __syncthreads();
}

// Step 1: marks candidates that cannot fire, and counts those that are left of each group.
__device__ void compare(const SelectArgs& args, const GroupCandidates& c, u32 candidates) {
    fill_groups(args, c, order_key(-infinity()));
    for (u32 i = threadIdx.x; i < candidates; i += blockDim.x) {
        atomicMax(&c.group[c.atom[i] / c.size], order_key(c.lower[i]));
    }
    __syncthreads();
    for (u32 i = threadIdx.x; i < candidates; i += blockDim.x) {
        bool reaches = c.upper[i] >= from_order_key(c.group[c.atom[i] / c.size]);
        if (!(reaches && c.upper[i] > 0.0f)) c.upper[i] = -infinity();
    }
    __syncthreads();
    fill_groups(args, c, 0);
    for (u32 i = threadIdx.x; i < candidates; i += blockDim.x) {
        if (c.upper[i] > 0.0f) atomicAdd(&c.group[c.atom[i] / c.size], 1);
    }
    __syncthreads();
}

// Step 2: what is certain fires; the rest is listed in the place of the lower ends.
__device__ const u32* separate(const SelectArgs& args, const GroupCandidates& c, u64 row,
                               u32 candidates) {
    for (u32 i = threadIdx.x; i < candidates; i += blockDim.x) {
        bool alone = c.upper[i] > 0.0f && c.group[c.atom[i] / c.size] == 1;
        if (!(alone && c.lower[i] > 0.0f)) continue;
        c.upper[i] = -infinity();
        u32 slot = atomicAdd(&c.count[CERTAIN], 1u);
        // Never more than k, one a group.
        if (slot < args.width) args.fires[row * args.width + slot] = c.atom[i];
    }
    __syncthreads();
    u32* open = (u32*)c.lower;
    for (u32 i = threadIdx.x; i < candidates; i += blockDim.x) {
        if (c.upper[i] > 0.0f) open[atomicAdd(&c.count[OPEN], 1u)] = c.atom[i];
    }
    __syncthreads();
    return open;
}

KERNEL_RESIDENT(select_groups, SelectArgs, SELECT_THREADS, 2) {
    DYNAMIC_SHARED(shared);
    __shared__ u32 count[COUNTS];
    GroupCandidates c;
    c.lower = (float*)shared;
    c.upper = c.lower + args.capacity;
    c.atom = (u32*)(c.upper + args.capacity);
    c.group = (int*)(c.atom + args.capacity);
    c.count = count;
    c.size = args.features / args.k;
    u64 row = args.first_row + blockIdx.x;
    RowFacts facts = args.facts[row];
    if (!facts.finite) {
        if (threadIdx.x == 0) pass_over(args, row, ROW_BAD);
        return;
    }
    if (threadIdx.x < COUNTS) count[threadIdx.x] = 0;
    fill_groups(args, c, order_key(-infinity()));
    const float4* scores = (const float4*)(args.scores + (row - args.first_row) * args.stride);
    find_largest(args, facts, scores, c);
    collect(args, facts, scores, c);
    u32 candidates = count[CANDIDATES];
    if (candidates > args.capacity) {
        if (threadIdx.x == 0) pass_over(args, row, ROW_OVERFLOW);
        return;
    }
    compare(args, c, candidates);
    const u32* open = separate(args, c, row, candidates);
    hand_on(args, row, count[CERTAIN], count[OPEN], count[OPEN], &count[FIRST_PAIR],
            [open](u32 o) { return open[o]; });
}
