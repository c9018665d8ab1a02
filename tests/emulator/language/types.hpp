// The keywords and the types of the CUDA language, for a plain C++17 compiler.
//
// No header of the standard library is included anywhere below cuda.hpp: a kernel must not come
// to rely on a name that NVRTC does not know.

#pragma once

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __align__(bytes) __attribute__((aligned(bytes)))
#define __launch_bounds__(...)
#define __grid_constant__
#define __constant__ static

// Shared arrays of a family of kernels lie together in a section of its own, so that they can be
// filled with garbage before each block: on a device they are not initialised either.
#define EMULATOR_TEXT_OF(x) #x
#define EMULATOR_TEXT(x) EMULATOR_TEXT_OF(x)
#define EMULATOR_JOIN_OF(a, b) a##b
#define EMULATOR_JOIN(a, b) EMULATOR_JOIN_OF(a, b)
#define EMULATOR_SHARED_SECTION EMULATOR_TEXT(EMULATOR_JOIN(shared_, EMULATED_FAMILY))
#define __shared__ static __attribute__((section(EMULATOR_SHARED_SECTION)))

#if !defined(__clang__)
#define __builtin_assume(condition) ((void)0)
#endif

// Vectors, with the alignment that the device demands of them.
#define EMULATOR_VECTORS(T, name)                                                              \
    struct __align__(2 * sizeof(T)) name##2 { T x, y; };                                       \
    struct name##3 { T x, y, z; };                                                             \
    struct __align__(4 * sizeof(T) < 16 ? 4 * sizeof(T) : 16) name##4 { T x, y, z, w; };       \
    inline name##2 make_##name##2(T x, T y) { return {x, y}; }                                 \
    inline name##3 make_##name##3(T x, T y, T z) { return {x, y, z}; }                         \
    inline name##4 make_##name##4(T x, T y, T z, T w) { return {x, y, z, w}; }

EMULATOR_VECTORS(signed char, char)
EMULATOR_VECTORS(unsigned char, uchar)
EMULATOR_VECTORS(short, short)
EMULATOR_VECTORS(unsigned short, ushort)
EMULATOR_VECTORS(int, int)
EMULATOR_VECTORS(unsigned, uint)
EMULATOR_VECTORS(long long, longlong)
EMULATOR_VECTORS(unsigned long long, ulonglong)
EMULATOR_VECTORS(float, float)
EMULATOR_VECTORS(double, double)

struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};
