// Purpose  resolve firing sets and count them, in one pass: the best of each row's open pairs join
//          its certain atoms, the set is put in ascending order, counts[stratum][atom] += 1.
// Arrays   fires   [rows, k]  in: certain atoms first; out: the whole set, ascending
//          states  [rows]     select.cu's         pairs, score [pairs]  select.cu's, rescore.cu's
//          strata  [rows]     u16                 counts [strata, features]  u32
// Launch   resolve_rows: a block a row, grid-stride, 128 threads; shared: 4 bytes times the power of
//          two from k on, and, where `private_counts`, 4 bytes times strata · features
//          choose_rows: a block a listed row, 1024 threads
// Limits   resolve_rows: k ≤ 4096; counts: 2^32 − 1 rows between drains
// Ties     equal canonical scores go to the lowest index
// Floors   bytes: 4k read and written a row; atomics: k a row
// Twin     tests/twins/tally.rs; the whole engine's is the CPU engine

#include "records.cuh"

constexpr u32 RESOLVE_THREADS = 128;
constexpr u32 CHOOSE_THREADS = 1024;
constexpr u32 NO_ATOM = 0xffffffffu;

struct TallyArgs {
    u32* fires;
    const RowState* states;
    const RowAtom* pairs;
    const double* score;   // [pairs], or [listed, features] for choose_rows
    const u16* strata;
    u32* counts;
    const u32* listed;
    u32 listed_count;
    u32 rows;
    u32 features;
    u32 k;
    u32 sort_width;        // the power of two from k on
    u32 strata_count;
    u32 private_counts;    // 1: count in shared memory first
    u32 unused;
};
static_assert(sizeof(TallyArgs) == 88, "its Rust twin has 88 bytes");

__device__ __forceinline__ bool better(double score, u32 atom, double other, u32 other_atom) {
    return score > other || (score == other && atom < other_atom);
}

// Puts the certain atoms and the best open ones into `set`, in no order.
__device__ void gather(const TallyArgs& args, u64 row, const RowState& state, u32* set) {
    for (u32 i = threadIdx.x; i < args.sort_width; i += blockDim.x) {
        set[i] = i < state.certain ? args.fires[row * args.k + i] : NO_ATOM;
    }
    __syncthreads();
    u32 slots_left = args.k - state.certain;
    const RowAtom* pairs = args.pairs + state.first_pair;
    const double* score = args.score + state.first_pair;
    for (u32 i = threadIdx.x; i < state.open; i += blockDim.x) {
        u32 rank = 0;
        for (u32 j = 0; j < state.open; j++) {
            rank += better(score[j], pairs[j].atom, score[i], pairs[i].atom) ? 1 : 0;
        }
        if (rank < slots_left) set[state.certain + rank] = pairs[i].atom;
    }
    __syncthreads();
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
    u32 cells = args.strata_count * args.features;
    if (args.private_counts) {
        for (u32 i = threadIdx.x; i < cells; i += blockDim.x) own[i] = 0;
        __syncthreads();
    }
    for (u64 row = blockIdx.x; row < args.rows; row += gridDim.x) {
        RowState state = args.states[row];
        if (state.status != ROW_OPEN) continue;
        gather(args, row, state, set);
        sort(set, args.sort_width);
        u64 base = (u64)args.strata[row] * args.features;
        u32* counts = args.private_counts ? own + base : args.counts + base;
        for (u32 i = threadIdx.x; i < args.k; i += blockDim.x) {
            args.fires[row * args.k + i] = set[i];
            atomicAdd(&counts[set[i]], 1u);
        }
        __syncthreads();
    }
    if (!args.private_counts) return;
    for (u32 i = threadIdx.x; i < cells; i += blockDim.x) {
        if (own[i] != 0) atomicAdd(&args.counts[i], own[i]);
    }
}

// How many of a row's scores have keys of at least `key`.
__device__ u32 count_from(const double* score, u32 features, i64 key, u32* total) {
    if (threadIdx.x == 0) *total = 0;
    __syncthreads();
    u32 mine = 0;
    for (u32 f = threadIdx.x; f < features; f += blockDim.x) {
        mine += order_key64(score[f]) >= key ? 1 : 0;
    }
    mine = warp_sum(mine);
    if (lane_index() == 0) atomicAdd(total, mine);
    __syncthreads();
    u32 all = *total;
    __syncthreads();
    return all;
}

// The key of the k-th largest score, by bisection.
__device__ i64 kth_key(const double* score, u32 features, u32 k, u32* total) {
    // No score is an infinity: keys lie strictly between those of −∞ and +∞.
    i64 low = order_key64(-(double)infinity()), high = order_key64((double)infinity());
    while (high - 1 > low) {
        i64 middle = (low & high) + ((low ^ high) >> 1);
        if (count_from(score, features, middle, total) >= k) {
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

// The k best of all scores of the listed rows: resolved and counted.
KERNEL(choose_rows, TallyArgs, CHOOSE_THREADS) {
    __shared__ u32 total;
    __shared__ u32 warp_counts[CHOOSE_THREADS / WARP];
    for (u64 slot = blockIdx.x; slot < args.listed_count; slot += gridDim.x) {
        u64 row = args.listed[slot];
        const double* score = args.score + slot * args.features;
        i64 key = kth_key(score, args.features, args.k, &total);
        u32 above = count_from(score, args.features, key + 1, &total);
        u32 ties_left = args.k - above;
        u32 ties = 0, chosen = 0;
        u32* counts = args.counts + (u64)args.strata[row] * args.features;
        for (u32 first = 0; first < args.features; first += blockDim.x) {
            u32 f = first + threadIdx.x;
            i64 own = f < args.features ? order_key64(score[f]) : 0;
            bool tied = f < args.features && own == key;
            bool taken = place_of(tied, warp_counts, ties) < ties_left && tied;
            taken = taken || (f < args.features && own > key);
            u32 place = place_of(taken, warp_counts, chosen);
            if (taken) {
                args.fires[row * args.k + place] = f;
                atomicAdd(&counts[f], 1u);
            }
        }
    }
}
