// Kernels with faults, and one that is right, to show that the emulator tells them apart.

#include "common.cuh"

struct CheckArgs {
    u32* out;
    u32 count;
    u32 unused;
};
constexpr u32 THREADS = 256;

// Right: turns each block's THREADS numbers around, by way of shared memory.
KERNEL(reverse, CheckArgs, THREADS) {
    __shared__ u32 held[THREADS];
    u32* own = args.out + blockIdx.x * THREADS;
    held[threadIdx.x] = own[threadIdx.x];
    __syncthreads();
    own[threadIdx.x] = held[THREADS - 1 - threadIdx.x];
}

// The same without its barrier.
KERNEL(missing_barrier, CheckArgs, THREADS) {
    __shared__ u32 held[THREADS];
    u32* own = args.out + blockIdx.x * THREADS;
    held[threadIdx.x] = own[threadIdx.x];
    own[threadIdx.x] = held[THREADS - 1 - threadIdx.x];
}

// An increment that is not atomic, but looks as if no other thread came between.
KERNEL(lost_update, CheckArgs, THREADS) {
    u32 before = args.out[0];
    atomicAdd(&args.out[1], 1u);
    args.out[0] = before + 1;
}

// Half of the block waits at one barrier, half at another.
KERNEL(divergent_barrier, CheckArgs, THREADS) {
    if (threadIdx.x < THREADS / 2) {
        __syncthreads();
    } else {
        __syncthreads();
    }
    args.out[0] = 1;
}

// A warp waits for its lanes, one of which waits for the block.
KERNEL(deadlock, CheckArgs, THREADS) {
    if (threadIdx.x == 40) __syncthreads();
    __syncwarp();
    args.out[0] = 1;
}

// Lane 7 leaves before a shuffle that names all lanes.
KERNEL(missing_lane, CheckArgs, THREADS) {
    if (threadIdx.x == 7) return;
    args.out[threadIdx.x] = __shfl_xor_sync(ALL_LANES, threadIdx.x, 1);
}

// One element beyond the end.
KERNEL(out_of_bounds, CheckArgs, THREADS) {
    args.out[args.count - THREADS + 1 + threadIdx.x] = threadIdx.x;
}

// The same in static shared memory.
KERNEL(out_of_shared_bounds, CheckArgs, THREADS) {
    __shared__ u32 held[THREADS];
    held[threadIdx.x + args.unused] = threadIdx.x;
    __syncthreads();
    args.out[threadIdx.x] = held[threadIdx.x];
}

// The same in dynamic shared memory, of which the launch gives 4 bytes a thread.
KERNEL(out_of_dynamic_bounds, CheckArgs, THREADS) {
    DYNAMIC_SHARED(shared);
    u32* held = (u32*)shared;
    held[threadIdx.x + 1] = threadIdx.x;
    __syncthreads();
    args.out[threadIdx.x] = held[threadIdx.x + 1];
}

// Four floats at once from an address that is no multiple of 16.
KERNEL(misaligned, CheckArgs, THREADS) {
    float4 four = *(const float4*)(args.out + 1);
    args.out[0] = __float_as_uint(four.x);
}

// Every collective, for the host to compare with what it computes itself.
KERNEL(collectives, CheckArgs, THREADS) {
    u32 t = threadIdx.x, lane = lane_index(), x = t * 2654435761u;
    u32* own = args.out + t * 16;
    own[0] = __shfl_sync(ALL_LANES, x, (int)(lane * 5 + 3), 32);
    own[1] = __shfl_sync(ALL_LANES, x, 1, 8);
    own[2] = __shfl_up_sync(ALL_LANES, x, 3, 16);
    own[3] = __shfl_down_sync(ALL_LANES, x, 3, 16);
    own[4] = __shfl_xor_sync(ALL_LANES, x, 5);
    own[5] = __ballot_sync(ALL_LANES, x >> 31);
    own[6] = (u32)__any_sync(ALL_LANES, t == 64);
    own[7] = (u32)__all_sync(ALL_LANES, t != 64);
    own[8] = __match_any_sync(ALL_LANES, t % 3);
    own[9] = (u32)__syncthreads_count(t % 3 == 0);
    own[10] = (u32)__syncthreads_or(t == 200);
    own[11] = (u32)__syncthreads_and(t != 200);
    double wide = __shfl_xor_sync(ALL_LANES, (double)t + 0.5, 16);
    own[12] = (u32)(wide * 2.0);
    u32 half = lane < 16 ? 0xffffu : 0xffff0000u;
    own[13] = __shfl_xor_sync(half, x, 9);
    own[14] = warp_sum(t);
    own[15] = __popc(__activemask()) >= 1;
}

// For the clock: `count` barriers, or as many steps of a warp's sum.
KERNEL(many_barriers, CheckArgs, THREADS) {
    for (u32 i = 0; i < args.count; i++) __syncthreads();
}
KERNEL(many_shuffles, CheckArgs, THREADS) {
    u32 x = threadIdx.x;
    for (u32 i = 0; i < args.count; i++) x += __shfl_xor_sync(ALL_LANES, x, 1);
    args.out[threadIdx.x] = x;
}
KERNEL(many_atomics, CheckArgs, THREADS) {
    for (u32 i = 0; i < args.count; i++) atomicAdd(&args.out[0], 1u);
}
