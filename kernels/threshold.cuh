// A block's threshold: a number that at least k of its group maxima reach, close to the k-th largest
// of them, found by bisection on the order of floats: a barrier a step, and no memory.

#pragma once

#include "common.cuh"

// The count of a predicate's votes over the block; three counters take turns, so that one barrier
// a vote is enough: the one that is zeroed was read by all before that barrier.
struct Votes {
    u32* counter;  // [3], zero
    u32 turn;
    __device__ __forceinline__ u32 count(u32 mine) {
        u32 warp = warp_sum(mine);
        if (lane_index() == 0 && warp != 0) atomicAdd(&counter[turn], warp);
        __syncthreads();
        u32 all = counter[turn];
        turn = turn == 2 ? 0 : turn + 1;
        if (threadIdx.x == 0) counter[turn == 2 ? 0 : turn + 1] = 0;
        return all;
    }
};

// The largest of the block's maxima, by way of `warp_largest` [warps].
template <u32 GROUPS>
__device__ __forceinline__ float block_largest(const float (&best)[GROUPS], float* warp_largest) {
    float largest = best[0];
#pragma unroll
    for (u32 g = 1; g < GROUPS; g++) largest = fmaxf(largest, best[g]);
    largest = warp_max(largest);
    if (lane_index() == 0) warp_largest[warp_index()] = largest;
    __syncthreads();
    for (u32 w = 0; w < warps_in_block(); w++) largest = fmaxf(largest, warp_largest[w]);
    return largest;
}

// Raises `low`, a key that at least k group maxima reach (or that of −∞), towards the k-th largest,
// until little more than k reach it or it is as close as `close`.
template <u32 GROUPS>
__device__ __forceinline__ int raise(const float (&best)[GROUPS], u32 k, int low, float largest,
                                     float close, Votes& votes) {
    int high = order_key(largest) + 1;
    // Most often the threshold lies within a factor of four of the largest, or little above the last.
    int guess = largest > 0.0f ? order_key(0.25f * largest) : low;
    if (guess < low) guess = low;
    while ((i64)high - low > 1 && from_order_key(high) - from_order_key(low) > close) {
        u32 mine = 0;
        float level = from_order_key(guess);
#pragma unroll
        for (u32 g = 0; g < GROUPS; g++) mine += best[g] >= level ? 1 : 0;
        u32 reached = votes.count(mine);
        if (reached >= k) {
            low = guess;
            if (reached <= k + k / 4) break;
        } else {
            high = guess;
        }
        guess = (int)(((i64)low + high) >> 1);
    }
    return low;
}
