// See tensor_cores.hpp. Each function is compiled for the plain machine and for what most have.

#include "tensor_cores.hpp"

#include <cstring>

#define ALWAYS_INLINE inline __attribute__((always_inline))

namespace emulator {

namespace {

constexpr int LARGEST_BLOCK = 16;

ALWAYS_INLINE int bits_of(float x) {
    int bits;
    std::memcpy(&bits, &x, sizeof bits);
    return bits;
}

ALWAYS_INLINE float power_of_two(int exponent) {
    int bits = (exponent + 127) << 23;
    float power;
    std::memcpy(&power, &bits, sizeof power);
    return power;
}

// Clears what 24 bits have no room for; |sum| < 2^29, as at most 17 addends are below 2^24.
ALWAYS_INLINE int cut_to_24_bits(int sum) {
    int size = sum < 0 ? -sum : sum;
    int dropped = (size >> 24 != 0) + (size >> 25 != 0) + (size >> 26 != 0) + (size >> 27 != 0) +
                  (size >> 28 != 0);
    size = size >> dropped << dropped;
    return sum < 0 ? -size : size;
}

ALWAYS_INLINE void add_block(const float* panel, const float* column, int length, float* sums) {
    float product[LARGEST_BLOCK][PANEL];
    float largest[PANEL];
    for (int lane = 0; lane < PANEL; ++lane) largest[lane] = __builtin_fabsf(sums[lane]);
    for (int i = 0; i < length; ++i) {
        for (int lane = 0; lane < PANEL; ++lane) {
            product[i][lane] = panel[i * PANEL + lane] * column[i];
            float size = __builtin_fabsf(product[i][lane]);
            largest[lane] = size > largest[lane] ? size : largest[lane];
        }
    }
    int total[PANEL];
    float scale[PANEL], unit[PANEL];
    for (int lane = 0; lane < PANEL; ++lane) {
        // The unit is the last of 24 bits of the largest. Nothing is smaller than 2^−71 but 0.
        int exponent = (bits_of(largest[lane]) >> 23) - 127;
        exponent = exponent < -100 ? -100 : exponent;
        unit[lane] = power_of_two(exponent - 23);
        scale[lane] = power_of_two(23 - exponent);
        total[lane] = static_cast<int>(sums[lane] * scale[lane]);
    }
    for (int i = 0; i < length; ++i) {
        for (int lane = 0; lane < PANEL; ++lane) {
            total[lane] += static_cast<int>(product[i][lane] * scale[lane]);
        }
    }
    for (int lane = 0; lane < PANEL; ++lane) {
        sums[lane] = static_cast<float>(cut_to_24_bits(total[lane])) * unit[lane];
    }
}

ALWAYS_INLINE void truncated(const float* panel, const float* column, int depth, int block,
                             float* sums) {
    for (int lane = 0; lane < PANEL; ++lane) sums[lane] = 0;
    int whole = depth / block * block;
    for (int at = 0; at < whole; at += block) {
        add_block(panel + at * PANEL, column + at, block, sums);
    }
    if (whole < depth) add_block(panel + whole * PANEL, column + whole, depth - whole, sums);
}

ALWAYS_INLINE void fused(const float* panel, const float* column, int depth, float* sums) {
    float sum[PANEL] = {};
    for (int i = 0; i < depth; ++i) {
        for (int lane = 0; lane < PANEL; ++lane) {
            sum[lane] = __builtin_fmaf(panel[i * PANEL + lane], column[i], sum[lane]);
        }
    }
    std::memcpy(sums, sum, sizeof sum);
}

#if defined(__x86_64__)

#define WITH_AVX2 __attribute__((target("avx2,fma")))
WITH_AVX2 void truncated_avx2(const float* panel, const float* column, int depth, int block,
                              float* sums) {
    truncated(panel, column, depth, block, sums);
}
WITH_AVX2 void fused_avx2(const float* panel, const float* column, int depth, float* sums) {
    fused(panel, column, depth, sums);
}
bool has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

#else

constexpr auto truncated_avx2 = truncated;
constexpr auto fused_avx2 = fused;
bool has_avx2() { return false; }

#endif

} // namespace

void truncated_sums(const float* panel, const float* column, int depth, int block, float* sums) {
    static const bool avx2 = has_avx2();
    if (avx2) return truncated_avx2(panel, column, depth, block, sums);
    truncated(panel, column, depth, block, sums);
}

void fused_sums(const float* panel, const float* column, int depth, float* sums) {
    static const bool avx2 = has_avx2();
    if (avx2) return fused_avx2(panel, column, depth, sums);
    fused(panel, column, depth, sums);
}

} // namespace emulator
