// Collectives and matrix products, against plain loops; and how fast the emulator is.

#include "device.hpp"

#include <chrono>
#include <cmath>

extern "C" {
int cublasCreate_v2(void** handle);
int cublasSetStream_v2(void* handle, CUstream stream);
int cublasGemmEx(void* handle, int a_operation, int b_operation, int m, int n, int k,
                 const void* alpha, const void* a, int a_type, int a_leading, const void* b,
                 int b_type, int b_leading, const void* beta, void* c, int c_type, int c_leading,
                 int compute, int algorithm);
}

void check_collectives() {
    Device device;
    CUdeviceptr memory = device.copy_of(std::vector<u32>(THREADS * 16, 0));
    MUST(device.launch("collectives", {memory, THREADS * 16, 0}));
    std::vector<u32> found = device.read<u32>(memory, THREADS * 16);
    auto x = [](u32 thread) { return thread * 2654435761u; };
    for (u32 t = 0; t < THREADS; ++t) {
        const u32* own = &found[t * 16];
        u32 lane = t % 32, first = t - lane;
        CHECK(own[0] == x(first + (lane * 5 + 3) % 32));
        CHECK(own[1] == x(t / 8 * 8 + 1));
        CHECK(own[2] == x(lane % 16 >= 3 ? t - 3 : t));
        CHECK(own[3] == x(lane % 16 + 3 < 16 ? t + 3 : t));
        CHECK(own[4] == x(t ^ 5));
        u32 ballot = 0, same = 0, sum = 0;
        for (u32 l = 0; l < 32; ++l) {
            ballot |= (x(first + l) >> 31) << l;
            same |= static_cast<u32>((first + l) % 3 == t % 3) << l;
            sum += first + l;
        }
        CHECK(own[5] == ballot);
        CHECK(own[6] == (t / 32 == 2 ? 1 : 0));
        CHECK(own[7] == (t / 32 == 2 ? 0 : 1));
        CHECK(own[8] == same);
        CHECK(own[9] == (THREADS + 2) / 3 && own[10] == 1 && own[11] == 0);
        CHECK(own[12] == 2 * (t ^ 16) + 1);
        CHECK(own[13] == x(t ^ 9));
        CHECK(own[14] == sum);
        CHECK(own[15] == 1);
    }
    std::puts("right");
}

namespace {

// Small integers times powers of two: exact in binary16, and known to be so.
struct Entry {
    unsigned short half;
    float value;
};
Entry entry(u32 number) {
    int exponent = static_cast<int>(number / 2048 % 12) - 8;
    u32 fraction = number % 1024;
    bool negative = number / 1024 % 2 == 1;
    float value = std::ldexp(1.0f + static_cast<float>(fraction) / 1024, exponent);
    u32 bits = static_cast<u32>(exponent + 15) << 10 | fraction | (negative ? 0x8000u : 0u);
    return {static_cast<unsigned short>(bits), negative ? -value : value};
}

struct Shape {
    int m, n, k, a_operation, b_operation;
    bool half;
};

// The largest error of a product in units of u · Σ|products|, with u = 2^−24.
double largest_error(Device& device, void* handle, Shape shape) {
    auto [m, n, k, a_operation, b_operation, half] = shape;
    int a_rows = a_operation ? k : m, b_rows = b_operation ? n : k;
    int a_leading = a_rows + 3, b_leading = b_rows + 1, c_leading = m + 2;
    size_t a_count = static_cast<size_t>(a_leading) * (a_operation ? m : k);
    size_t b_count = static_cast<size_t>(b_leading) * (b_operation ? k : n);
    std::vector<float> a(a_count), b(b_count);
    std::vector<unsigned short> a_half(a_count), b_half(b_count);
    u32 state = 12345;
    auto fill = [&](std::vector<float>& values, std::vector<unsigned short>& halves) {
        for (size_t i = 0; i < values.size(); ++i) {
            Entry drawn = entry((state = state * 1664525u + 1013904223u) >> 8);
            values[i] = drawn.value;
            halves[i] = drawn.half;
        }
    };
    fill(a, a_half);
    fill(b, b_half);
    CUdeviceptr a_memory = half ? device.copy_of(a_half) : device.copy_of(a);
    CUdeviceptr b_memory = half ? device.copy_of(b_half) : device.copy_of(b);
    size_t c_count = static_cast<size_t>(c_leading) * (n - 1) + m;
    CUdeviceptr c_memory = device.allocate(c_count * 4);
    float one = 1, zero = 0;
    int type = half ? 2 : 0;
    auto pointer = [](CUdeviceptr at) { return reinterpret_cast<void*>(at); };
    CHECK(cublasGemmEx(handle, a_operation, b_operation, m, n, k, &one, pointer(a_memory), type,
                       a_leading, pointer(b_memory), type, b_leading, &zero, pointer(c_memory), 0,
                       c_leading, half ? 68 : 69, -1) == 0);
    CHECK(cublasGemmEx(handle, a_operation, b_operation, m, n, k, &one, pointer(a_memory), type,
                       a_rows - 1, pointer(b_memory), type, b_leading, &zero, pointer(c_memory), 0,
                       c_leading, 68, -1) == 7);
    std::vector<float> c = device.read<float>(c_memory, c_count);
    double worst = 0;
    for (int i = 0; i < m; ++i) {
        for (int j = 0; j < n; ++j) {
            double sum = 0, size = 0;
            for (int l = 0; l < k; ++l) {
                double left = a[a_operation ? l + i * a_leading : i + l * a_leading];
                double right = b[b_operation ? j + l * b_leading : l + j * b_leading];
                sum += left * right;
                size += std::fabs(left * right);
            }
            double error = std::fabs(c[i + static_cast<size_t>(j) * c_leading] - sum);
            worst = std::fmax(worst, error / (size * 0x1p-24));
        }
    }
    return worst;
}

} // namespace

// Every transposition; ragged sizes. Truncation must cost more than rounding, and less than the
// bound: k · 2u for tensor cores, k · u for binary32.
void check_product() {
    Device device;
    void* handle = nullptr;
    CHECK(cublasCreate_v2(&handle) == 0);
    CHECK(cublasSetStream_v2(handle, device.stream) == 0);
    constexpr int K = 301;
    for (int operations = 0; operations < 4; ++operations) {
        Shape shape{37, 5, K, operations & 1, operations >> 1, true};
        double half = largest_error(device, handle, shape);
        shape.half = false;
        double single = largest_error(device, handle, shape);
        CHECK(half > 2.0 && half < 2.0 * K);
        CHECK(single > 0.5 && single < K);
    }
    std::puts("right");
}

// Nanoseconds a turn of a thread, at barriers, shuffles and atomics; and a product a second.
void measure() {
    Device device;
    CUdeviceptr memory = device.copy_of(std::vector<u32>(THREADS, 0));
    for (const char* kernel : {"many_barriers", "many_shuffles", "many_atomics"}) {
        constexpr u32 STEPS = 20000;
        auto begin = std::chrono::steady_clock::now();
        MUST(device.launch(kernel, {memory, STEPS, 0}));
        MUST(cuStreamSynchronize(device.stream));
        std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
        std::printf("%s: %.1f ns a thread and step, %.2f us a block of %u\n", kernel,
                    taken.count() * 1e9 / STEPS / THREADS, taken.count() * 1e6 / STEPS, THREADS);
    }
    void* handle = nullptr;
    CHECK(cublasCreate_v2(&handle) == 0);
    CHECK(cublasSetStream_v2(handle, device.stream) == 0);
    constexpr int M = 1024, N = 256, K = 512;
    CUdeviceptr a = device.copy_of(std::vector<unsigned short>(M * K, 0x3c01));
    CUdeviceptr b = device.copy_of(std::vector<unsigned short>(N * K, 0x3a10));
    CUdeviceptr c = device.allocate(M * N * 4);
    MUST(cuStreamSynchronize(device.stream));
    float one = 1, zero = 0;
    auto pointer = [](CUdeviceptr at) { return reinterpret_cast<void*>(at); };
    auto begin = std::chrono::steady_clock::now();
    CHECK(cublasGemmEx(handle, 1, 0, M, N, K, &one, pointer(a), 2, K, pointer(b), 2, K, &zero,
                       pointer(c), 0, M, 68, -1) == 0);
    MUST(cuStreamSynchronize(device.stream));
    std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
    std::printf("binary16 product: %.2f G multiply-adds a second\n",
                static_cast<double>(M) * N * K / taken.count() * 1e-9);
}
