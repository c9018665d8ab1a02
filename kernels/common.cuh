// What every kernel shares: how kernels are declared, numbers as bits, rounding, warp sums.
//
// No toolkit header is included, so that NVRTC needs none on a user's machine. The same sources
// are compiled for the CPU by the tests, behind a header that plays the part of the CUDA language;
// what only a GPU understands (PTX) stands under __CUDA_ARCH__, with a plain twin beside it.
//
// Floating point is IEEE throughout: the build has --fmad=false --ftz=false --prec-div=true
// --prec-sqrt=true, and where rounding matters the operation is spelled out (__fadd_rn, …).

#pragma once

#ifdef __CUDACC_RTC__
// A kernel takes one struct by value; its Rust twin is laid out alike (asserted on both sides).
#define KERNEL(name, Args, threads) KERNEL_RESIDENT(name, Args, threads, 1)
// The same, with as few registers as let so many blocks share a multiprocessor.
#define KERNEL_RESIDENT(name, Args, threads, blocks)                \
    extern "C" __global__ void __launch_bounds__(threads, blocks) \
        name(const __grid_constant__ Args args)
// Shared memory whose size the launcher chooses.
#define DYNAMIC_SHARED(name) extern __shared__ __align__(16) unsigned char name[]
#else
#define KERNEL_RESIDENT(name, Args, threads, blocks) KERNEL(name, Args, threads)
#endif

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;

static_assert(sizeof(u16) == 2 && sizeof(u32) == 4 && sizeof(u64) == 8, "the sizes that Rust has");

constexpr u32 WARP = 32;
constexpr u32 ALL_LANES = 0xffffffffu;

__device__ __forceinline__ u32 lane_index() { return threadIdx.x % WARP; }
__device__ __forceinline__ u32 warp_index() { return threadIdx.x / WARP; }
__device__ __forceinline__ u32 warps_in_block() { return blockDim.x / WARP; }

__device__ __forceinline__ float infinity() { return __uint_as_float(0x7f800000u); }

// False for NaN and for infinities.
__device__ __forceinline__ bool is_finite(float x) {
    return (__float_as_uint(x) & 0x7f800000u) != 0x7f800000u;
}

// An integer that orders floats as they order (−0 below +0); its own inverse on bits.
__device__ __forceinline__ int order_key(float x) {
    int bits = (int)__float_as_uint(x);
    return bits ^ ((bits >> 31) & 0x7fffffff);
}
__device__ __forceinline__ float from_order_key(int key) {
    return __uint_as_float((u32)(key ^ ((key >> 31) & 0x7fffffff)));
}

// The same for binary64.
__device__ __forceinline__ i64 order_key64(double x) {
    i64 bits = __double_as_longlong(x);
    return bits ^ ((bits >> 63) & 0x7fffffffffffffffll);
}

// 2^exponent, for exponents in −1022 ..= 1023.
__device__ __forceinline__ double power_of_two(int exponent) {
    return __longlong_as_double((i64)(exponent + 1023) << 52);
}

// e such that |x| = m · 2^e with m in [1/2, 1), for finite x other than 0: C's frexp.
__device__ __forceinline__ int exponent_of(float x) {
    u32 bits = __float_as_uint(x) & 0x7fffffffu;
    u32 biased = bits >> 23;
    if (biased != 0) return (int)biased - 126;
    return -117 - (int)__clz((int)bits);
}

// The smallest binary32 number that is not below x ≥ 0.
__device__ __forceinline__ float round_up(double x) {
    float nearest = (float)x;
    return (double)nearest < x ? __uint_as_float(__float_as_uint(nearest) + 1) : nearest;
}

// The binary16 bits nearest to x (ties to even); x must not be NaN.
__device__ __forceinline__ u16 to_half(float x) {
#ifdef __CUDA_ARCH__
    u16 bits;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(x));
    return bits;
#else
    u32 bits = __float_as_uint(x), sign = (bits >> 16) & 0x8000u, size = bits & 0x7fffffffu;
    if (size >= 0x477ff000u) return (u16)(sign | 0x7c00u);
    if (size < 0x38800000u) {
        // Subnormal: units of 2^-24, rounded by the addition of 0.5 as a float does it.
        float units = __fadd_rn(__uint_as_float(size), 0.5f);
        return (u16)(sign | (__float_as_uint(units) - 0x3f000000u));
    }
    u32 odd = (size >> 13) & 1u;
    return (u16)(sign | ((size - 0x38000000u + 0xfffu + odd) >> 13));
#endif
}

// The number that binary16 bits stand for, exactly.
__device__ __forceinline__ float from_half(u16 half) {
#ifdef __CUDA_ARCH__
    float x;
    asm("cvt.f32.f16 %0, %1;" : "=f"(x) : "h"(half));
    return x;
#else
    u32 sign = (u32)(half & 0x8000u) << 16, size = half & 0x7fffu;
    if (size >= 0x7c00u) return __uint_as_float(sign | 0x7f800000u | ((size & 0x3ffu) << 13));
    if (size >= 0x0400u) return __uint_as_float(sign | ((size << 13) + 0x38000000u));
    float units = __fmul_rn((float)size, 5.9604644775390625e-8f);
    return __uint_as_float(sign | __float_as_uint(units));
#endif
}

// The number that bfloat16 bits stand for, exactly.
__device__ __forceinline__ float from_bfloat(u16 bits) { return __uint_as_float((u32)bits << 16); }

// Four numbers that are read once: they need not push what is reused out of the first cache.
__device__ __forceinline__ float4 load_once(const float4* from) {
#ifdef __CUDA_ARCH__
    float4 v;
    asm("ld.global.L1::no_allocate.v4.f32 {%0,%1,%2,%3}, [%4];"
        : "=f"(v.x), "=f"(v.y), "=f"(v.z), "=f"(v.w)
        : "l"(from));
    return v;
#else
    return *from;
#endif
}

__device__ __forceinline__ u32 warp_sum(u32 x) {
    for (u32 step = WARP / 2; step > 0; step /= 2) x += __shfl_xor_sync(ALL_LANES, x, step);
    return x;
}
__device__ __forceinline__ double warp_sum(double x) {
    for (u32 step = WARP / 2; step > 0; step /= 2) {
        x = __dadd_rn(x, __shfl_xor_sync(ALL_LANES, x, step));
    }
    return x;
}
__device__ __forceinline__ float warp_max(float x) {
    for (u32 step = WARP / 2; step > 0; step /= 2) {
        x = fmaxf(x, __shfl_xor_sync(ALL_LANES, x, step));
    }
    return x;
}
