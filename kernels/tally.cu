// Purpose  resolve firing sets and count them, in one pass: those of each row's open pairs that fire
//          join its certain atoms, the set is put in ascending order, counts[stratum][atom] += 1.
// Arrays   fires   [rows, width]  in: certain atoms first; out: the whole set, ascending; of listed
//                             rows, where `by_slot`, [listed, width]
//          lengths [rows]     out: atoms that fire, 0 of rows that are not resolved here; null where
//                             they are the same for all; where `by_slot`, [listed]
//          states  [rows]     of select.cu, select_threshold.cu
//          pairs, score [pairs]  theirs, and rescore.cu's
//          thresholds [features]  binary64; null where atoms have none of their own
//          cuts    [rows]     the rows' thresholds; null where they have none
//          strata  [rows]     u16                 counts [strata, features]  u32
// Launch   resolve_rows: a block a row, grid-stride, 128 threads; shared: 4 bytes times the power of
//          two from width on, and, where `private_counts`, 4 bytes times strata · features
//          choose_rows, choose_above, choose_groups: a block a listed row, 1024 threads
// Limits   resolve_rows: width ≤ 4096; counts: 2^32 − 1 rows between drains
// Ties     equal canonical scores go to the lowest index, or all of them fire with the k-th
//          (RULE_TIES); one that equals its threshold does not fire; one that equals its row's cut fires
//          where the cut says so
// Floors   bytes: 4 read and written an atom that fires; atomics: 1
// Twin     tests/twins/tally.rs; the whole engine's is the CPU engine

#include "records.cuh"

constexpr u32 RESOLVE_THREADS = 128;
constexpr u32 CHOOSE_THREADS = 1024;
constexpr u32 NO_ATOM = 0xffffffffu;

struct TallyArgs {
    u32* fires;
    const RowState* states;
    const RowAtom* pairs;
    double* score;         // [pairs], or [listed, features]
    const u16* strata;
    u32* counts;
    const u32* listed;
    const double* thresholds;
    const RowCut* cuts;
    u32* lengths;
    u32 listed_count;
    u32 rows;
    u32 features;
    u32 k;
    u32 width;
    u32 sort_width;        // the power of two from width on
    u32 strata_count;
    u32 private_counts;    // 1: count in shared memory first
    u32 rule;              // RULE_ABOVE_ZERO, RULE_MAGNITUDE, RULE_TIES, RULE_GROUPS
    u32 by_slot;           // 1: sets of listed rows stand in the order of the list, and the scores of
                           // their atoms come first among the row's
};
static_assert(sizeof(TallyArgs) == 120, "its Rust twin has 120 bytes");

// An integer that orders what is compared: scores, or their magnitudes. That of 0 is 0.
__device__ __forceinline__ i64 key_of(u32 rule, double score) {
    return order_key64(rule & RULE_MAGNITUDE ? fabs(score) : score);
}

__device__ __forceinline__ bool is_within(const RowCut& cut, double score, u32 atom) {
    return score > 0.0 && (score > cut.score || (score == cut.score && atom < cut.ties));
}

// Whether a row's i-th open pair is the best of its group's, and above 0.
__device__ bool leads_group(const TallyArgs& args, const RowAtom* pairs, const double* score,
                            u32 open, u32 i) {
    u32 size = args.features / args.k;
    u32 atom = pairs[i].atom;
    u32 first = atom / size * size;
    double own = score[i];
    if (!(own > 0.0)) return false;
    for (u32 j = 0; j < open; j++) {
        u32 other = pairs[j].atom;
        // Below `first` the difference is larger than any group.
        if (other - first >= size) continue;
        if (score[j] > own || (score[j] == own && other < atom)) return false;
    }
    return true;
}

// Whether a row's i-th open pair fires.
__device__ bool pair_fires(const TallyArgs& args, u64 row, const RowState& state, u32 i) {
    const RowAtom* pairs = args.pairs + state.first_pair;
    const double* score = args.score + state.first_pair;
    double own = score[i];
    u32 atom = pairs[i].atom;
    if (args.thresholds != nullptr) return own > args.thresholds[atom];
    if (args.cuts != nullptr) return is_within(args.cuts[row], own, atom);
    if (args.rule & RULE_GROUPS) return leads_group(args, pairs, score, state.open, i);
    i64 key = key_of(args.rule, own);
    if ((args.rule & RULE_ABOVE_ZERO) && key <= 0) return false;
    bool ties = (args.rule & RULE_TIES) != 0;
    u32 rank = 0;
    for (u32 j = 0; j < state.open; j++) {
        i64 other = key_of(args.rule, score[j]);
        rank += other > key || (!ties && other == key && pairs[j].atom < atom) ? 1 : 0;
    }
    return rank < state.slots_left;
}

__device__ __forceinline__ u32 power_of_two_from(u32 count) {
    u32 power = 1;
    while (power < count) power *= 2;
    return power;
}

// Puts the certain atoms and the open ones that fire into `set`, in no order, and fills it up to a
// power of two. Returns how many there are. `placed` is shared.
__device__ u32 gather(const TallyArgs& args, u64 row, const RowState& state, u32* set,
                      u32* placed) {
    u32 most = power_of_two_from(min(state.certain + state.open, args.width));
    for (u32 i = threadIdx.x; i < most; i += blockDim.x) {
        set[i] = i < state.certain ? args.fires[row * args.width + i] : NO_ATOM;
    }
    if (threadIdx.x == 0) *placed = state.certain;
    __syncthreads();
    for (u32 i = threadIdx.x; i < state.open; i += blockDim.x) {
        if (!pair_fires(args, row, state, i)) continue;
        u32 place = atomicAdd(placed, 1u);
        // Never more than width by the proof; were the proof wrong, memory stays whole.
        if (place < args.width) set[place] = args.pairs[state.first_pair + i].atom;
    }
    __syncthreads();
    return min(*placed, args.width);
}

// Bitonic sort, ascending.
__device__ void sort(u32* set, u32 width) {
    for (u32 size = 2; size <= width; size *= 2) {
        for (u32 step = size / 2; step > 0; step /= 2) {
            for (u32 i = threadIdx.x; i < width; i += blockDim.x) {
                u32 j = i ^ step;
                if (j <= i) continue;
                u32 a = set[i], b = set[j];
                if ((a > b) == ((i & size) == 0)) {
                    set[i] = b;
                    set[j] = a;
                }
            }
            __syncthreads();
        }
    }
}

KERNEL(resolve_rows, TallyArgs, RESOLVE_THREADS) {
    DYNAMIC_SHARED(shared);
    u32* set = (u32*)shared;
    u32* own = set + args.sort_width;
    __shared__ u32 placed;
    u32 cells = args.strata_count * args.features;
    if (args.private_counts) {
        for (u32 i = threadIdx.x; i < cells; i += blockDim.x) own[i] = 0;
        __syncthreads();
    }
    for (u64 row = blockIdx.x; row < args.rows; row += gridDim.x) {
        RowState state = args.states[row];
        if (state.status != ROW_OPEN) {
            if (threadIdx.x == 0 && args.lengths != nullptr) args.lengths[row] = 0;
            continue;
        }
        u32 length = gather(args, row, state, set, &placed);
        sort(set, power_of_two_from(length));
        u64 base = (u64)args.strata[row] * args.features;
        u32* counts = args.private_counts ? own + base : args.counts + base;
        for (u32 i = threadIdx.x; i < length; i += blockDim.x) {
            args.fires[row * args.width + i] = set[i];
            atomicAdd(&counts[set[i]], 1u);
        }
        if (threadIdx.x == 0 && args.lengths != nullptr) args.lengths[row] = length;
        __syncthreads();
    }
    if (!args.private_counts) return;
    for (u32 i = threadIdx.x; i < cells; i += blockDim.x) {
        if (own[i] != 0) atomicAdd(&args.counts[i], own[i]);
    }
}

// How many of a row's scores have keys of at least `key`.
__device__ u32 count_from(const double* score, u32 features, u32 rule, i64 key, u32* total) {
    if (threadIdx.x == 0) *total = 0;
    __syncthreads();
    u32 mine = 0;
    for (u32 f = threadIdx.x; f < features; f += blockDim.x) {
        mine += key_of(rule, score[f]) >= key ? 1 : 0;
    }
    mine = warp_sum(mine);
    if (lane_index() == 0) atomicAdd(total, mine);
    __syncthreads();
    u32 all = *total;
    __syncthreads();
    return all;
}

// The key of the k-th largest score, by bisection.
__device__ i64 kth_key(const double* score, u32 features, u32 rule, u32 k, u32* total) {
    // No score is an infinity: keys lie strictly between those of −∞ and +∞.
    i64 low = order_key64(-(double)infinity()), high = order_key64((double)infinity());
    while (high - 1 > low) {
        i64 middle = (low & high) + ((low ^ high) >> 1);
        if (count_from(score, features, rule, middle, total) >= k) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

// The places, in ascending order of atoms, of those for which `mine` holds; `carried` came before.
__device__ u32 place_of(bool mine, u32* warp_counts, u32& carried) {
    u32 votes = __ballot_sync(ALL_LANES, mine);
    if (lane_index() == 0) warp_counts[warp_index()] = (u32)__popc(votes);
    __syncthreads();
    u32 place = carried + (u32)__popc(votes & ((1u << lane_index()) - 1));
    for (u32 w = 0; w < warps_in_block(); w++) {
        if (w < warp_index()) place += warp_counts[w];
        carried += warp_counts[w];
    }
    __syncthreads();
    return place;
}

// Takes an atom of a listed row into its set. What stands at `place` and before among the scores was
// read by all.
__device__ __forceinline__ void take(const TallyArgs& args, u64 slot, u64 row, u32 place, u32 f,
                                     double score) {
    args.fires[(args.by_slot ? slot : row) * args.width + place] = f;
    if (args.by_slot) args.score[slot * args.features + place] = score;
    atomicAdd(&args.counts[(u64)args.strata[row] * args.features + f], 1u);
}

// The k best of all scores of the listed rows: resolved and counted.
KERNEL(choose_rows, TallyArgs, CHOOSE_THREADS) {
    __shared__ u32 total;
    __shared__ u32 warp_counts[CHOOSE_THREADS / WARP];
    for (u64 slot = blockIdx.x; slot < args.listed_count; slot += gridDim.x) {
        u64 row = args.listed[slot];
        const double* score = args.score + slot * args.features;
        i64 key = kth_key(score, args.features, args.rule, args.k, &total);
        u32 above = count_from(score, args.features, args.rule, key + 1, &total);
        u32 ties_left = args.rule & RULE_TIES ? args.features : args.k - above;
        i64 least = args.rule & RULE_ABOVE_ZERO ? 1 : key;
        u32 ties = 0, chosen = 0;
        for (u32 first = 0; first < args.features; first += blockDim.x) {
            u32 f = first + threadIdx.x;
            bool here = f < args.features;
            double value = here ? score[f] : 0.0;
            i64 own = key_of(args.rule, value);
            bool tied = here && own == key;
            bool taken = place_of(tied, warp_counts, ties) < ties_left && tied;
            taken = (taken || (here && own > key)) && own >= least;
            u32 place = place_of(taken, warp_counts, chosen);
            if (taken) take(args, slot, row, place, f, value);
        }
        if (threadIdx.x == 0 && args.lengths != nullptr) args.lengths[slot] = chosen;
    }
}

// The best of each group of the listed rows' scores, if it is above 0: resolved and counted. A warp a
// group.
KERNEL(choose_groups, TallyArgs, CHOOSE_THREADS) {
    __shared__ u32 warp_counts[CHOOSE_THREADS / WARP];
    u32 size = args.features / args.k;
    for (u64 slot = blockIdx.x; slot < args.listed_count; slot += gridDim.x) {
        u64 row = args.listed[slot];
        const double* score = args.score + slot * args.features;
        u32 chosen = 0;
        for (u32 first = 0; first < args.k; first += warps_in_block()) {
            u32 group = first + warp_index();
            double best = 0.0;
            u32 atom = NO_ATOM;
            // Unrolled it would want more registers than so many threads leave.
#pragma unroll 1
            for (u32 i = lane_index(); group < args.k && i < size; i += WARP) {
                double value = score[group * size + i];
                if (!(value > best)) continue;
                best = value;
                atom = group * size + i;
            }
            for (u32 step = WARP / 2; step > 0; step /= 2) {
                double value = __shfl_xor_sync(ALL_LANES, best, step);
                u32 other = __shfl_xor_sync(ALL_LANES, atom, step);
                if (!(value > best || (value == best && other < atom))) continue;
                best = value;
                atom = other;
            }
            bool taken = lane_index() == 0 && atom != NO_ATOM;
            u32 place = place_of(taken, warp_counts, chosen);
            if (taken) take(args, slot, row, place, atom, best);
        }
        if (threadIdx.x == 0 && args.lengths != nullptr) args.lengths[slot] = chosen;
    }
}

// Those of all scores of the listed rows that are above their thresholds: resolved and counted.
KERNEL(choose_above, TallyArgs, CHOOSE_THREADS) {
    __shared__ u32 warp_counts[CHOOSE_THREADS / WARP];
    for (u64 slot = blockIdx.x; slot < args.listed_count; slot += gridDim.x) {
        u64 row = args.listed[slot];
        const double* score = args.score + slot * args.features;
        u32 chosen = 0;
        for (u32 first = 0; first < args.features; first += blockDim.x) {
            u32 f = first + threadIdx.x;
            bool here = f < args.features;
            double value = here ? score[f] : 0.0;
            bool taken = false;
            if (here) {
                taken = args.thresholds != nullptr ? value > args.thresholds[f]
                                                   : is_within(args.cuts[row], value, f);
            }
            u32 place = place_of(taken, warp_counts, chosen);
            if (taken) take(args, slot, row, place, f, value);
        }
        if (threadIdx.x == 0 && args.lengths != nullptr) args.lengths[slot] = chosen;
    }
}
