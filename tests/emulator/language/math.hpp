// Arithmetic of the CUDA language: numbers as bits, explicit rounding, bit counts, min and max.
//
// The sources are compiled without contraction and without fast math, so that a plain operator
// rounds once, to nearest: what the _rn intrinsics promise.

#pragma once

namespace emulator {
template <class To, class From> inline To same_bits(From from) {
    static_assert(sizeof(To) == sizeof(From), "as many bits");
    To to;
    __builtin_memcpy(&to, &from, sizeof to);
    return to;
}
} // namespace emulator

inline unsigned __float_as_uint(float x) { return emulator::same_bits<unsigned>(x); }
inline float __uint_as_float(unsigned x) { return emulator::same_bits<float>(x); }
inline int __float_as_int(float x) { return emulator::same_bits<int>(x); }
inline float __int_as_float(int x) { return emulator::same_bits<float>(x); }
inline long long __double_as_longlong(double x) { return emulator::same_bits<long long>(x); }
inline double __longlong_as_double(long long x) { return emulator::same_bits<double>(x); }

inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fsub_rn(float a, float b) { return a - b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __fmaf_rn(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
inline float __fsqrt_rn(float x) { return __builtin_sqrtf(x); }
inline double __dadd_rn(double a, double b) { return a + b; }
inline double __dsub_rn(double a, double b) { return a - b; }
inline double __dmul_rn(double a, double b) { return a * b; }
inline double __ddiv_rn(double a, double b) { return a / b; }
inline double __fma_rn(double a, double b, double c) { return __builtin_fma(a, b, c); }
inline double __dsqrt_rn(double x) { return __builtin_sqrt(x); }

inline float __double2float_rn(double x) { return (float)x; }
inline float __int2float_rn(int x) { return (float)x; }
inline float __uint2float_rn(unsigned x) { return (float)x; }

// The next float towards +infinity (up) or −infinity, of a float that is not that infinity.
namespace emulator {
inline float next_float(float x, bool up) {
    if (x == 0) return __uint_as_float(up ? 1u : 0x80000001u);
    return __uint_as_float(__float_as_uint(x) + ((x > 0) == up ? 1u : -1u));
}
} // namespace emulator

inline float __double2float_ru(double x) {
    float nearest = (float)x;
    return (double)nearest < x ? emulator::next_float(nearest, true) : nearest;
}
inline float __double2float_rd(double x) {
    float nearest = (float)x;
    return (double)nearest > x ? emulator::next_float(nearest, false) : nearest;
}

// Declared as the C library has them; the compiler knows what they are.
extern "C" {
float fabsf(float) noexcept;
double fabs(double) noexcept;
float sqrtf(float) noexcept;
double sqrt(double) noexcept;
int abs(int) noexcept;
}

// As on the device: of a NaN and a number the number, and −0 is below +0.
namespace emulator {
template <class T> inline T larger(T a, T b) {
    if (a != a) return b;
    if (b != b) return a;
    if (a == b) return __builtin_signbit(a) ? b : a;
    return a > b ? a : b;
}
template <class T> inline T smaller(T a, T b) {
    if (a != a) return b;
    if (b != b) return a;
    if (a == b) return __builtin_signbit(a) ? a : b;
    return a < b ? a : b;
}
} // namespace emulator
inline float fmaxf(float a, float b) { return emulator::larger(a, b); }
inline float fminf(float a, float b) { return emulator::smaller(a, b); }
inline double fmax(double a, double b) { return emulator::larger(a, b); }
inline double fmin(double a, double b) { return emulator::smaller(a, b); }

// The overloads that CUDA has: of a signed and an unsigned number, the unsigned result.
#define EMULATOR_MIN_MAX(A, B, R)                                                              \
    inline R min(A a, B b) { return (R)a < (R)b ? (R)a : (R)b; }                               \
    inline R max(A a, B b) { return (R)a > (R)b ? (R)a : (R)b; }
EMULATOR_MIN_MAX(int, int, int)
EMULATOR_MIN_MAX(unsigned, unsigned, unsigned)
EMULATOR_MIN_MAX(int, unsigned, unsigned)
EMULATOR_MIN_MAX(unsigned, int, unsigned)
EMULATOR_MIN_MAX(long, long, long)
EMULATOR_MIN_MAX(unsigned long, unsigned long, unsigned long)
EMULATOR_MIN_MAX(long long, long long, long long)
EMULATOR_MIN_MAX(unsigned long long, unsigned long long, unsigned long long)
inline float min(float a, float b) { return fminf(a, b); }
inline float max(float a, float b) { return fmaxf(a, b); }
inline double min(double a, double b) { return fmin(a, b); }
inline double max(double a, double b) { return fmax(a, b); }

inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __ffsll(long long x) { return __builtin_ffsll(x); }
inline int __clz(int x) { return x == 0 ? 32 : __builtin_clz((unsigned)x); }
inline int __clzll(long long x) {
    return x == 0 ? 64 : __builtin_clzll((unsigned long long)x);
}
inline unsigned __brev(unsigned x) {
    unsigned reversed = 0;
    for (int bit = 0; bit < 32; ++bit) reversed |= ((x >> bit) & 1u) << (31 - bit);
    return reversed;
}
inline unsigned __umulhi(unsigned a, unsigned b) {
    return (unsigned)(((unsigned long long)a * b) >> 32);
}
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
    return (unsigned long long)(((unsigned __int128)a * b) >> 64);
}
