// Purpose  canonical scores: of the pairs that selection left open, or of those that fire, grouped by
//          atom so that weight rows are reused, and of all atoms for rows that overflowed.
// Arrays   x       [rows, dim]  binary32, whitened      weight [features, dim]  binary32
//          bias    [features]   binary32                pairs  [pair_count]     select.cu's
//          order   [pairs]      pairs by atom           score  [pairs]          binary64 out
//          fires   [rows, width]  resolved               states [rows]           select.cu's
//          lengths [rows]       atoms of a row; null where all rows have width
// Launch   fired_pairs: a thread a pair, grid-stride; pair_offsets: one block of 1024; order_pairs: a
//          thread a pair; rescore_pairs: a warp for four pairs, grid-stride; score_rows: a warp an
//          atom, grid-stride; all 256 threads
// Limits   dim < 2^32; pairs < 2^32
// Ties     a score is defined to the last bit: tally.cu breaks ties by index
// Floors   a pair reads 4 · dim bytes of x and, shared by the pairs of its atom, of weight: at
//          D=4096 16 KiB each from L2, 6 ns at 5.5 TB/s; 2 · dim operations in binary64: 0.5 ns
// Twin     src/engine/canonical.rs: the same bits

#include "records.cuh"

constexpr u32 RESCORE_THREADS = 256;
constexpr u32 SCAN_THREADS = 1024;
constexpr u32 PAIRS_A_WARP = 4;

struct RescoreArgs {
    const float* x;
    const float* weight;
    const float* bias;
    const RowAtom* pairs;
    const u32* pair_count;
    u32* atom_pairs;   // [features]: counts, replaced by offsets
    u32* order;        // [pair_capacity]
    u32* ordered;      // how many pairs are in order
    double* score;     // [pair_capacity], or [listed, features] for score_rows
    const u32* listed; // [listed_count]: rows to score in full
    u32 listed_count;
    u32 dim;
    u32 features;
    u32 pair_capacity;
};
static_assert(sizeof(RescoreArgs) == 96, "its Rust twin has 96 bytes");

struct FiredArgs {
    const u32* fires;
    const RowState* states;
    const u32* lengths;
    RowAtom* pairs;       // [rows, width]
    u32* pair_count;   // out: rows · width
    u32* atom_pairs;   // [features]: counts; zero before
    u32 rows;
    u32 width;
    u32 with_overflowed;  // 1: rows that overflowed are resolved too
    u32 unused;
};
static_assert(sizeof(FiredArgs) == 64, "its Rust twin has 64 bytes");

// The pairs that fire, row by row, so that their scores are [rows, width]; none of rows that are not
// resolved, nor beyond a row's length. Ranks come in an order of chance, which moves no score.
KERNEL(fired_pairs, FiredArgs, RESCORE_THREADS) {
    u64 count = (u64)args.rows * args.width;
    u64 thread = (u64)blockIdx.x * blockDim.x + threadIdx.x;
    if (thread == 0) *args.pair_count = (u32)count;
    for (u64 p = thread; p < count; p += (u64)gridDim.x * blockDim.x) {
        u32 row = (u32)p / args.width;
        u32 status = args.states[row].status;
        bool resolved = status == ROW_OPEN || (status == ROW_OVERFLOW && args.with_overflowed);
        bool fires = args.lengths == nullptr || (u32)p % args.width < args.lengths[row];
        RowAtom pair = {NO_PAIR, 0, 0};
        if (resolved && fires) {
            u32 atom = args.fires[p];
            pair = {row, atom, atomicAdd(&args.atom_pairs[atom], 1u)};
        }
        args.pairs[p] = pair;
    }
}

// Exclusive prefix sums of atom_pairs, in place.
KERNEL(pair_offsets, RescoreArgs, SCAN_THREADS) {
    __shared__ u32 warp_sums[SCAN_THREADS / WARP];
    u32 carried = 0;
    for (u32 first = 0; first < args.features; first += blockDim.x) {
        u32 f = first + threadIdx.x;
        u32 own = f < args.features ? args.atom_pairs[f] : 0;
        u32 sum = own;
        for (u32 step = 1; step < WARP; step *= 2) {
            u32 before = __shfl_up_sync(ALL_LANES, sum, step);
            if (lane_index() >= step) sum += before;
        }
        if (lane_index() == WARP - 1) warp_sums[warp_index()] = sum;
        __syncthreads();
        u32 total = 0;
        for (u32 w = 0; w < warps_in_block(); w++) {
            if (w < warp_index()) sum += warp_sums[w];
            total += warp_sums[w];
        }
        if (f < args.features) args.atom_pairs[f] = carried + sum - own;
        carried += total;
        __syncthreads();
    }
    if (threadIdx.x == 0) *args.ordered = carried;
}

KERNEL(order_pairs, RescoreArgs, RESCORE_THREADS) {
    u32 count = min(*args.pair_count, args.pair_capacity);
    for (u64 p = (u64)blockIdx.x * blockDim.x + threadIdx.x; p < count;
         p += (u64)gridDim.x * blockDim.x) {
        RowAtom pair = args.pairs[p];
        if (pair.row != NO_PAIR) args.order[args.atom_pairs[pair.atom] + pair.rank] = (u32)p;
    }
}

// The definition: lane l sums the products with i ≡ l (mod 32) in ascending i, from +0; a butterfly
// adds the lanes; then comes the bias. A product of two binary32 numbers is exact in binary64, so
// that a fused multiply-add rounds as the addition alone would.
KERNEL(rescore_pairs, RescoreArgs, RESCORE_THREADS) {
    u32 count = *args.ordered;
    u64 warps = (u64)gridDim.x * warps_in_block();
    u64 warp = (u64)blockIdx.x * warps_in_block() + warp_index();
    for (u64 first = warp * PAIRS_A_WARP; first < count; first += warps * PAIRS_A_WARP) {
        u32 place[PAIRS_A_WARP], atom[PAIRS_A_WARP];
        const float* x[PAIRS_A_WARP];
        const float* weight[PAIRS_A_WARP];
        bool one_atom = true;
#pragma unroll
        for (u32 p = 0; p < PAIRS_A_WARP; p++) {
            // Past the end the first pair stands in; its score is not written again.
            place[p] = args.order[first + p < count ? first + p : first];
            RowAtom pair = args.pairs[place[p]];
            atom[p] = pair.atom;
            x[p] = args.x + (u64)pair.row * args.dim;
            weight[p] = args.weight + (u64)pair.atom * args.dim;
            one_atom = one_atom && atom[p] == atom[0];
        }
        double sum[PAIRS_A_WARP] = {0.0, 0.0, 0.0, 0.0};
        for (u32 i = lane_index(); i < args.dim; i += WARP) {
            double shared = (double)weight[0][i];
#pragma unroll
            for (u32 p = 0; p < PAIRS_A_WARP; p++) {
                double w = one_atom ? shared : (double)weight[p][i];
                sum[p] = __fma_rn((double)x[p][i], w, sum[p]);
            }
        }
#pragma unroll
        for (u32 p = 0; p < PAIRS_A_WARP; p++) {
            double score = __dadd_rn(warp_sum(sum[p]), (double)args.bias[atom[p]]);
            if (lane_index() == 0 && first + p < count) args.score[place[p]] = score;
        }
    }
}

// All scores of the listed rows.
KERNEL(score_rows, RescoreArgs, RESCORE_THREADS) {
    u64 warps = (u64)gridDim.x * warps_in_block();
    u64 warp = (u64)blockIdx.x * warps_in_block() + warp_index();
    u64 count = (u64)args.listed_count * args.features;
    for (u64 at = warp; at < count; at += warps) {
        u64 slot = at / args.features, atom = at % args.features;
        const float* x = args.x + (u64)args.listed[slot] * args.dim;
        const float* weight = args.weight + atom * args.dim;
        double sum = 0.0;
        for (u32 i = lane_index(); i < args.dim; i += WARP) {
            sum = __fma_rn((double)x[i], (double)weight[i], sum);
        }
        double score = __dadd_rn(warp_sum(sum), (double)args.bias[atom]);
        if (lane_index() == 0) args.score[at] = score;
    }
}
