// libcublas.so.13: the matrix product that atomscope calls, on the CPU, queued on a stream as the
// real one is.

#include "random.hpp"
#include "tensor_cores.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <numeric>
#include <string>
#include <vector>

#define EMULATOR_API extern "C" __attribute__((visibility("default")))

using Stream = struct CUstream_st*;
using Status = int;

// From the stand-in for the driver.
extern "C" {
int atomscope_emulator_ready();
int atomscope_emulator_is_device_memory(const void* at, size_t bytes);
unsigned atomscope_emulator_random();
int atomscope_emulator_enqueue(Stream stream, int (*run)(void*), void (*drop)(void*), void* data);
}

namespace {

enum : Status {
    SUCCESS = 0,
    NOT_INITIALIZED = 1,
    ALLOC_FAILED = 3,
    INVALID_VALUE = 7,
    EXECUTION_FAILED = 13,
    NOT_SUPPORTED = 15,
};
enum : int { REAL_32 = 0, REAL_16 = 2, COMPUTE_32 = 68, COMPUTE_32_PEDANTIC = 69 };

struct Handle {
    Stream stream = nullptr;
};

bool fault_is(const char* kind) {
    const char* asked = std::getenv("ATOMSCOPE_EMULATOR_FAULT");
    return asked && std::strcmp(asked, kind) == 0;
}

Status complain(Status status, const std::string& what) {
    std::fprintf(stderr, "emulated GPU: cublasGemmEx: %s\n", what.c_str());
    return status;
}

// A matrix in memory, column by column.
struct Matrix {
    const void* data;
    int type, rows, columns, leading;
    bool transposed;

    size_t bytes() const {
        if (rows == 0 || columns == 0) return 0;
        size_t last = static_cast<size_t>(columns - 1) * static_cast<size_t>(leading);
        return (last + static_cast<size_t>(rows)) * (type == REAL_16 ? 2 : 4);
    }
};

struct Product {
    Matrix a, b;
    float* c;
    int m, n, k, c_leading;
    bool adds;             // to what C holds
    int block;             // of products that are added at once
    unsigned order_seed;   // of binary32 sums; 0: in order
};

float from_half(uint16_t half) {
    uint32_t sign = static_cast<uint32_t>(half & 0x8000) << 16, size = half & 0x7fff;
    if (size < 0x400) {
        float value = static_cast<float>(size) * 0x1p-24f;
        return sign ? -value : value;
    }
    uint32_t bits = size < 0x7c00 ? (size << 13) + 0x38000000u : 0x7f800000u | (size & 0x3ff) << 13;
    bits |= sign;
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

// The element of op(X) in a row and a column.
float element(const Matrix& x, int row, int column) {
    if (x.transposed) std::swap(row, column);
    size_t at = static_cast<size_t>(column) * static_cast<size_t>(x.leading) +
                static_cast<size_t>(row);
    if (x.type == REAL_16) return from_half(static_cast<const uint16_t*>(x.data)[at]);
    return static_cast<const float*>(x.data)[at];
}

std::vector<int> order_of_sums(const Product& product) {
    std::vector<int> order(static_cast<size_t>(product.k));
    std::iota(order.begin(), order.end(), 0);
    if (product.order_seed == 0 || product.a.type == REAL_16) return order;
    emulator::Random random(product.order_seed);
    for (size_t i = order.size(); i > 1; --i) {
        std::swap(order[i - 1], order[random.below(static_cast<unsigned>(i))]);
    }
    return order;
}

// Infinities and NaNs have no grid to be cut to: plain sums, which end as one of them.
bool all_finite(const std::vector<float>& values) {
    for (float value : values) {
        if (!(__builtin_fabsf(value) < __builtin_inff())) return false;
    }
    return true;
}

// A sum cut to binary32, as the worst that adding to C could be.
float truncated_sum(float a, float b) {
    double exact = static_cast<double>(a) + b;
    float nearest = static_cast<float>(exact);
    bool away = __builtin_fabs(static_cast<double>(nearest)) > __builtin_fabs(exact);
    return away ? __builtin_nextafterf(nearest, 0) : nearest;
}

void run(const Product& product) {
    size_t depth = static_cast<size_t>(product.k);
    std::vector<int> order = order_of_sums(product);
    std::vector<float> columns(depth * static_cast<size_t>(product.n));
    std::vector<float> panel(depth * emulator::PANEL);
    for (int j = 0; j < product.n; ++j) {
        float* column = &columns[static_cast<size_t>(j) * depth];
        for (size_t i = 0; i < depth; ++i) column[i] = element(product.b, order[i], j);
    }
    bool columns_are_finite = all_finite(columns);
    for (int first = 0; first < product.m; first += emulator::PANEL) {
        int rows = std::min(emulator::PANEL, product.m - first);
        for (size_t i = 0; i < depth; ++i) {
            for (int row = 0; row < rows; ++row) {
                panel[i * emulator::PANEL + static_cast<size_t>(row)] =
                    element(product.a, first + row, order[i]);
            }
        }
        bool cut = product.a.type == REAL_16 && columns_are_finite && all_finite(panel);
        for (int j = 0; j < product.n; ++j) {
            const float* column = columns.data() + static_cast<size_t>(j) * depth;
            float sums[emulator::PANEL];
            if (cut) {
                emulator::truncated_sums(panel.data(), column, product.k, product.block, sums);
            } else {
                emulator::fused_sums(panel.data(), column, product.k, sums);
            }
            float* c = product.c + static_cast<size_t>(j) * static_cast<size_t>(product.c_leading);
            for (int row = 0; row < rows; ++row) {
                float before = product.adds ? c[first + row] : 0;
                c[first + row] = product.adds ? truncated_sum(before, sums[row]) : sums[row];
            }
        }
    }
}

Status check_matrix(const char* name, const Matrix& x) {
    if (x.leading < std::max(1, x.rows)) {
        return complain(INVALID_VALUE, std::string("the leading dimension of ") + name + " is " +
                                           std::to_string(x.leading) + ", its columns have " +
                                           std::to_string(x.rows) + " rows");
    }
    if (x.bytes() > 0 && !atomscope_emulator_is_device_memory(x.data, x.bytes())) {
        return complain(EXECUTION_FAILED, std::string("the ") + std::to_string(x.bytes()) +
                                              " bytes of " + name +
                                              " do not lie in one block of device memory");
    }
    return SUCCESS;
}

Status check(const Product& product, int c_type, int compute) {
    bool pedantic = compute == COMPUTE_32_PEDANTIC;
    bool half = product.a.type == REAL_16 && product.b.type == REAL_16 && compute == COMPUTE_32;
    bool single = product.a.type == REAL_32 && product.b.type == REAL_32 &&
                  (compute == COMPUTE_32 || pedantic);
    if (c_type != REAL_32 || !(half || single)) {
        return complain(NOT_SUPPORTED, "these types of A, B, C and of computing are not emulated");
    }
    if (Status status = check_matrix("A", product.a)) return status;
    if (Status status = check_matrix("B", product.b)) return status;
    return check_matrix("C", {product.c, REAL_32, product.m, product.n, product.c_leading, false});
}

} // namespace

EMULATOR_API Status cublasCreate_v2(Handle** handle) {
    if (!handle) return INVALID_VALUE;
    if (fault_is("blas")) return ALLOC_FAILED;
    if (atomscope_emulator_ready() != 0) return NOT_INITIALIZED;
    *handle = new Handle;
    return SUCCESS;
}

EMULATOR_API Status cublasDestroy_v2(Handle* handle) {
    if (!handle) return NOT_INITIALIZED;
    delete handle;
    return SUCCESS;
}

EMULATOR_API Status cublasSetStream_v2(Handle* handle, Stream stream) {
    if (!handle) return NOT_INITIALIZED;
    handle->stream = stream;
    return SUCCESS;
}

EMULATOR_API Status cublasGetVersion_v2(Handle* handle, int* version) {
    if (!handle) return NOT_INITIALIZED;
    if (!version) return INVALID_VALUE;
    *version = 130000;
    return SUCCESS;
}

// By number, as in libraryPropertyType: the major version, the minor one, the patch.
EMULATOR_API Status cublasGetProperty(int type, int* value) {
    if (!value || type < 0 || type > 2) return INVALID_VALUE;
    *value = type == 0 ? 13 : 0;
    return SUCCESS;
}

// C = alpha · op(A) · op(B) + beta · C, for alpha 1 and beta 0 or 1.
EMULATOR_API Status cublasGemmEx(Handle* handle, int a_operation, int b_operation, int m, int n,
                                 int k, const void* alpha, const void* a, int a_type, int a_leading,
                                 const void* b, int b_type, int b_leading, const void* beta,
                                 void* c, int c_type, int c_leading, int compute,
                                 int /*algorithm*/) {
    if (!handle) return NOT_INITIALIZED;
    if (fault_is("gemm")) return EXECUTION_FAILED;
    if (m < 0 || n < 0 || k < 0 || !alpha || !beta) return INVALID_VALUE;
    if (a_operation < 0 || a_operation > 2 || b_operation < 0 || b_operation > 2) {
        return INVALID_VALUE;
    }
    float one, kept;
    std::memcpy(&one, alpha, sizeof one);
    std::memcpy(&kept, beta, sizeof kept);
    if (one != 1 || (kept != 0 && kept != 1)) {
        return complain(NOT_SUPPORTED, "alpha must be 1 and beta 0 or 1");
    }
    bool a_turned = a_operation != 0, b_turned = b_operation != 0;
    unsigned chance = atomscope_emulator_random();
    Product product{{a, a_type, a_turned ? k : m, a_turned ? m : k, a_leading, a_turned},
                    {b, b_type, b_turned ? n : k, b_turned ? k : n, b_leading, b_turned},
                    static_cast<float*>(c), m, n, k, c_leading, kept == 1,
                    4 + static_cast<int>(chance % 13), chance};
    if (Status status = check(product, c_type, compute)) return status;
    if (m == 0 || n == 0) return SUCCESS;
    int error = atomscope_emulator_enqueue(
        handle->stream,
        [](void* data) {
            run(*static_cast<const Product*>(data));
            return 0;
        },
        [](void* data) { delete static_cast<Product*>(data); }, new Product(product));
    return error == 0 ? SUCCESS : EXECUTION_FAILED;
}

// The same with sides of 64 bits; the emulation has no memory for such sides.
EMULATOR_API Status cublasGemmEx_64(Handle* handle, int a_operation, int b_operation, int64_t m,
                                    int64_t n, int64_t k, const void* alpha, const void* a,
                                    int a_type, int64_t a_leading, const void* b, int b_type,
                                    int64_t b_leading, const void* beta, void* c, int c_type,
                                    int64_t c_leading, int compute, int algorithm) {
    for (int64_t side : {m, n, k, a_leading, b_leading, c_leading}) {
        if (side > INT32_MAX) return complain(NOT_SUPPORTED, "a side is larger than is emulated");
    }
    return cublasGemmEx(handle, a_operation, b_operation, static_cast<int>(m), static_cast<int>(n),
                        static_cast<int>(k), alpha, a, a_type, static_cast<int>(a_leading), b,
                        b_type, static_cast<int>(b_leading), beta, c, c_type,
                        static_cast<int>(c_leading), compute, algorithm);
}
