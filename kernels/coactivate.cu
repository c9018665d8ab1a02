// Purpose  on how many rows two atoms fire together, for all pairs of chosen atoms.
// Arrays   fires  [rows, k]   ascending in each row
//          slots  [features]  each atom's place among the chosen, ascending with the atom, or
//                             NO_SLOT; null where all atoms are chosen
//          counts [chosen · (chosen − 1) / 2]  u32: pairs (a, b), a < b, row by row of the triangle
// Launch   grid: a block a row, grid-stride; 128 threads; shared: 4k bytes
// Limits   k ≤ 12,000 (48 KiB with what is static); 2^32 − 1 rows between drains
// Floors   4k bytes read a row, one atomic a pair
// Twin     src/engine/coactivation.rs

#include "common.cuh"

constexpr u32 COACTIVATE_THREADS = 128;
constexpr u32 NO_SLOT = 0xffffffffu;

struct CoactivateArgs {
    const u32* fires;
    const u32* slots;
    u32* counts;
    u32 rows;
    u32 k;
    u32 chosen;
    u32 unused;
};
static_assert(sizeof(CoactivateArgs) == 40, "its Rust twin has 40 bytes");

// The place of pair (a, b), a < b, in the triangle.
__device__ __forceinline__ u64 pair_place(u64 a, u64 b, u64 chosen) {
    return a * (2 * chosen - a - 1) / 2 + (b - a - 1);
}

KERNEL(coactivate_rows, CoactivateArgs, COACTIVATE_THREADS) {
    DYNAMIC_SHARED(shared);
    u32* slots = (u32*)shared;
    __shared__ u32 found;
    for (u64 row = blockIdx.x; row < args.rows; row += gridDim.x) {
        if (threadIdx.x == 0) found = 0;
        __syncthreads();
        for (u32 i = threadIdx.x; i < args.k; i += blockDim.x) {
            u32 atom = args.fires[row * args.k + i];
            u32 slot = args.slots == nullptr ? atom : args.slots[atom];
            if (slot != NO_SLOT) slots[atomicAdd(&found, 1u)] = slot;
        }
        __syncthreads();
        u32 count = found;
        // A thread a pair: i and j of the square, of which one half counts.
        for (u32 at = threadIdx.x; at < count * count; at += blockDim.x) {
            u32 i = at / count, j = at % count;
            if (i >= j) continue;
            u32 a = min(slots[i], slots[j]), b = max(slots[i], slots[j]);
            atomicAdd(&args.counts[pair_place(a, b, args.chosen)], 1u);
        }
        __syncthreads();
    }
}
