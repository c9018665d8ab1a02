// Purpose  resolve each row's firing set as far as the screen's bound allows, where the k largest
//          scores fire: one pass over them; what is left open becomes (row, atom) pairs for rescore.cu.
// Arrays   scores   [rows, stride]  binary32, stride a multiple of 4: those of a tile; all else
//                                  but the model's is indexed by the row in the batch
//          biases   [stride]        binary32, scaled by 2^−c
//          margins  [features]      {P, V}: margin = error · P + norm · V + offset
//          facts    [rows]          whiten.cu's
//          fires    [rows, width]   out: the certain atoms first, in no order
//          states   [rows]          out
//          pairs    [pair_capacity] out, pair_count in all (it can exceed the capacity)
//          atom_pairs [features]    out: pairs of each atom; zero before
//          overflowed [rows]        out: rows to be scored in full, overflow_count of them
// Launch   grid: a block a row; block: 128 to 512 threads; shared: 16 bytes a candidate
// Limits   rows < 2^31, features < 2^32, k ≤ min(features, width, capacity / 4), capacity ≤ 4096
// NaN      rows that are not finite are marked and passed over; scores are finite by the scaling
// Ties     none is broken here: atoms whose intervals touch are left open
// Floors   bytes: 4 · features a row, read once (16 KiB at F=4096: 3.8 ns at 4.3 TB/s);
//          operations: about 5 an element, and 20 block-wide counts a row
// Twin     tests/twins/select.rs
//
// How. Thresholds come from group maxima: each thread keeps the largest of its scores (in
// GROUPS groups), and where k groups reach T, k features do, so that no feature more than two
// margins below T can fire. The row streams by in chunks of 16 scores a thread, held in registers;
// after each chunk T is raised by bisection on the maxima alone (a barrier a step, no memory), and
// what the chunk has above T − 3 · coarse goes into a buffer in shared memory: a little more than
// k candidates. Then
//   1. lo and hi are found by bisection among candidates: at least k reach lo, at most k reach hi;
//   2. above hi + 3 · coarse an atom fires, below lo − 3 · coarse it does not: two margins, and a
//      third that covers the roundings of this arithmetic (a margin is over 4u of any score);
//   3. what lies between is compared pairwise, by the margins of its own features;
//   4. where only scores above 0 fire, of the atoms that are among the k best for certain those whose
//      lower end is above 0 fire, and those whose upper end is not go. The others join what is open,
//      each with its own slot: it precedes all but the best of what was open before, so that the best
//      of both together, as many as there are slots, are the same atoms.
// Magnitudes are selected as scores are: |ŝ| is within the margin of |s|. Where all scores that equal
// the k-th fire, too, an atom fires if fewer than k are above it: what is said above holds as it is, but
// more open atoms may fire than there are slots. Without room for all of them the row overflows.

#include "candidates.cuh"
#include "threshold.cuh"

// A block's candidates, in dynamic shared memory.
struct Candidates {
    float* estimate;   // [capacity]
    u32* atom;         // [capacity]
    float* margin;     // [capacity]: of those between
    u16* between;      // [capacity]: places of those between
    u16* open;         // [capacity]: places of those left open
    u32* count;        // counters, in static shared memory
};

enum { CANDIDATES, BETWEEN, CERTAIN, DROPPED, OPEN, FIRST_PAIR, COUNTS };

// Drops candidates that fell below the cut, in place: survivors of a stretch move to places that
// were read before.
__device__ void prune(const Candidates& c, float cut) {
    u32 count = c.count[CANDIDATES];
    __syncthreads();
    if (threadIdx.x == 0) c.count[CANDIDATES] = 0;
    for (u32 first = 0; first < count; first += blockDim.x) {
        u32 i = first + threadIdx.x;
        float estimate = i < count ? c.estimate[i] : 0.0f;
        u32 atom = i < count ? c.atom[i] : 0;
        __syncthreads();
        if (i < count && estimate >= cut) {
            u32 place = atomicAdd(&c.count[CANDIDATES], 1u);
            c.estimate[place] = estimate;
            c.atom[place] = atom;
        }
        __syncthreads();
    }
}

// What the pass over a row finds: at least k candidates reach `low`; none exceeds `largest`.
struct Found {
    int low;
    float largest;
    bool overflow;
};

// The pass over a row's scores.
template <u32 GROUPS>
__device__ Found collect(const SelectArgs& args, const RowFacts& facts, const float4* scores,
                         const Candidates& c, Votes& votes, float* warp_largest) {
    float best[GROUPS];
#pragma unroll
    for (u32 g = 0; g < GROUPS; g++) best[g] = -infinity();
    Found found = {order_key(-infinity()), -infinity(), false};
    u32 bits = args.rule & RULE_MAGNITUDE ? WITHOUT_SIGN : ALL_BITS;
    for (u32 first = 0; first < args.features; first += blockDim.x * VALUES) {
        float value[VALUES];
        load_chunk(args, scores, facts.bias_scale, bits, first, value);
#pragma unroll
        for (u32 v = 0; v < VALUES; v++) best[v % GROUPS] = fmaxf(best[v % GROUPS], value[v]);
        found.largest = block_largest<GROUPS>(best, warp_largest);
        found.low = raise<GROUPS>(best, args.k, found.low, found.largest, facts.coarse, votes);
        float cut = from_order_key(found.low) - 3.0f * facts.coarse;
#pragma unroll
        for (u32 v = 0; v < VALUES; v++) {
            u32 atom = first + 4 * ((v / 4) * blockDim.x + threadIdx.x) + v % 4;
            if (!(value[v] >= cut) || atom >= args.features) continue;
            u32 place = atomicAdd(&c.count[CANDIDATES], 1u);
            if (place < args.capacity) {
                c.estimate[place] = value[v];
                c.atom[place] = atom;
            }
        }
        __syncthreads();
        u32 count = c.count[CANDIDATES];
        found.overflow = count > args.capacity;
        if (found.overflow) break;
        if (count > args.capacity / 2) prune(c, cut);
    }
    return found;
}

// Votes of all candidates that reach a level.
__device__ __forceinline__ u32 reaching(const Candidates& c, u32 count, float level,
                                        Votes& votes) {
    u32 mine = 0;
    for (u32 i = threadIdx.x; i < count; i += blockDim.x) mine += c.estimate[i] >= level ? 1 : 0;
    return votes.count(mine);
}

// Narrows [low, high] around the k-th largest candidate: at least k reach low, at most k high.
__device__ void narrow(const Candidates& c, u32 count, u32 k, float tolerance, int& low, int& high,
                       Votes& votes) {
    while ((i64)high - low > 1 && from_order_key(high) - from_order_key(low) > tolerance) {
        int middle = (int)(((i64)low + high) >> 1);
        u32 reached = reaching(c, count, from_order_key(middle), votes);
        if (reached >= k) low = middle;
        if (reached <= k) high = middle;
    }
}

// Step 4: an atom that is among the k best for certain.
__device__ void fire(const SelectArgs& args, const RowFacts& facts, const Candidates& c, u64 row,
                     u32 place) {
    if (args.rule & RULE_ABOVE_ZERO) {
        float estimate = c.estimate[place], margin = margin_of(args, facts, c.atom[place]);
        if (estimate + margin <= 0.0f) {
            atomicAdd(&c.count[DROPPED], 1u);
            return;
        }
        if (estimate - margin <= 0.0f) {
            c.open[atomicAdd(&c.count[OPEN], 1u)] = (u16)place;
            return;
        }
    }
    u32 slot = atomicAdd(&c.count[CERTAIN], 1u);
    // Never more than k by the proof; were the proof wrong, memory stays whole.
    if (slot < args.width) args.fires[row * args.width + slot] = c.atom[place];
}

// Steps 1 and 2: what is certain by distance alone fires or goes; the rest is `between`.
__device__ void separate(const SelectArgs& args, const RowFacts& facts, const Candidates& c,
                         u64 row, u32 count, Found found, Votes& votes) {
    int low = found.low, high = order_key(found.largest) + 1;
    if (count > args.k) narrow(c, count, args.k, 0.25f * facts.coarse, low, high, votes);
    float in = from_order_key(high) + 3.0f * facts.coarse;
    float out = from_order_key(low) - 3.0f * facts.coarse;
    for (u32 i = threadIdx.x; i < count; i += blockDim.x) {
        float estimate = c.estimate[i];
        if (count == args.k || estimate > in) {
            fire(args, facts, c, row, i);
        } else if (estimate >= out) {
            c.margin[i] = margin_of(args, facts, c.atom[i]);
            c.between[atomicAdd(&c.count[BETWEEN], 1u)] = (u16)i;
        }
    }
    __syncthreads();
}

// Step 3: each of those between against all of them. Of these, `slots_left` are among the k best; what
// is open by now has slots of its own.
__device__ void compare(const SelectArgs& args, const RowFacts& facts, const Candidates& c,
                        u64 row) {
    u32 between = c.count[BETWEEN];
    u32 slots_left = args.k - c.count[CERTAIN] - c.count[DROPPED] - c.count[OPEN];
    __syncthreads();
    for (u32 b = warp_index(); b < between; b += warps_in_block()) {
        u32 me = c.between[b];
        float lower = c.estimate[me] - c.margin[me], upper = c.estimate[me] + c.margin[me];
        u32 rivals = 0, betters = 0;
        for (u32 o = lane_index(); o < between; o += WARP) {
            u32 other = c.between[o];
            if (other == me) continue;
            rivals += c.estimate[other] + c.margin[other] >= lower ? 1 : 0;
            betters += c.estimate[other] - c.margin[other] > upper ? 1 : 0;
        }
        rivals = warp_sum(rivals);
        betters = warp_sum(betters);
        if (lane_index() != 0 || betters >= slots_left) continue;
        if (rivals < slots_left) {
            fire(args, facts, c, row, me);
        } else {
            c.open[atomicAdd(&c.count[OPEN], 1u)] = (u16)me;
        }
    }
    __syncthreads();
}

template <u32 GROUPS>
__device__ void select_row(const SelectArgs& args, u64 row, const Candidates& c, u32* turns,
                           float* warp_largest) {
    RowFacts facts = args.facts[row];
    if (!facts.finite) {
        if (threadIdx.x == 0) pass_over(args, row, ROW_BAD);
        return;
    }
    if (threadIdx.x < COUNTS) c.count[threadIdx.x] = 0;
    if (threadIdx.x < 3) turns[threadIdx.x] = 0;
    __syncthreads();
    Votes votes = {turns, 0};
    const float4* scores = (const float4*)(args.scores + (row - args.first_row) * args.stride);
    Found found = collect<GROUPS>(args, facts, scores, c, votes, warp_largest);
    if (found.overflow) {
        if (threadIdx.x == 0) pass_over(args, row, ROW_OVERFLOW);
        return;
    }
    separate(args, facts, c, row, c.count[CANDIDATES], found, votes);
    compare(args, facts, c, row);
    // Without ties what is open is always more than what is missing: were it as much, every one of it
    // would be better than all that was dropped, and have fired.
    u32 certain = c.count[CERTAIN], open = c.count[OPEN];
    if ((args.rule & RULE_TIES) && certain + open > args.width) {
        if (threadIdx.x == 0) pass_over(args, row, ROW_OVERFLOW);
        return;
    }
    u32 slots_left = args.k - certain - c.count[DROPPED];
    hand_on(args, row, certain, open, slots_left, &c.count[FIRST_PAIR],
            [&c](u32 o) { return c.atom[c.open[o]]; });
}

template <u32 GROUPS>
__device__ __forceinline__ void select_rows(const SelectArgs& args) {
    DYNAMIC_SHARED(shared);
    __shared__ u32 count[COUNTS];
    __shared__ u32 turns[3];
    __shared__ float warp_largest[SELECT_THREADS / WARP];
    Candidates c;
    c.estimate = (float*)shared;
    c.atom = (u32*)(c.estimate + args.capacity);
    c.margin = (float*)(c.atom + args.capacity);
    c.between = (u16*)(c.margin + args.capacity);
    c.open = c.between + args.capacity;
    c.count = count;
    select_row<GROUPS>(args, args.first_row + blockIdx.x, c, turns, warp_largest);
}

// More groups a thread where k asks for more group maxima than there are threads.
KERNEL_RESIDENT(select_1, SelectArgs, SELECT_THREADS, 2) { select_rows<1>(args); }
KERNEL_RESIDENT(select_4, SelectArgs, SELECT_THREADS, 2) { select_rows<4>(args); }
KERNEL(select_16, SelectArgs, SELECT_THREADS) { select_rows<16>(args); }

// For models that are not screened: every row is scored in full. A thread a row.
KERNEL(overflow_rows, SelectArgs, SELECT_THREADS) {
    for (u64 row = (u64)blockIdx.x * blockDim.x + threadIdx.x; row < args.rows;
         row += (u64)gridDim.x * blockDim.x) {
        u64 in_batch = args.first_row + row;
        pass_over(args, in_batch, args.facts[in_batch].finite ? ROW_OVERFLOW : ROW_BAD);
    }
}
