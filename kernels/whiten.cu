// Purpose  whiten rows, and make of them what the screen multiplies, with what its bound needs.
// Arrays   rows     [count, dim]     f16, bf16, f32 or f64, row-major, no gaps
//          mean     [dim]            binary32; null where nothing is subtracted (weights)
//          divisor  [dim]            binary32 σ + 1e-6; null likewise
//          x        [count, dim]     binary32 out: (e − mean) / divisor; null where not wanted
//          operand  [count, parts · padded]  binary16 or binary32 out, zero beyond dim in each part
//          facts    [count]          out
// Launch   grid: a block a row; block: 256 threads; shared: 288 bytes static
// Limits   dim ≤ 2^20 (the inflation of norms), count < 2^31
// NaN      a row with a NaN or an infinity after whitening: facts.finite = 0, its operand is 0
// Floors   D=4096, f32 in: reads 16 KiB, writes 16 + 8 KiB a row: 40 KiB, 9.5 ns at 4.3 TB/s;
//          operations: about 10 binary64 an element, 41,000 a row: 2.4 ns at 17 TFLOP/s
// Twin     tests/twins/whiten.rs: x, operand, exponent to the bit; norms to 1e-7

#include "records.cuh"

constexpr u32 WHITEN_THREADS = 256;

// What the screen's product takes: see src/engine/cuda/screen.rs.
// 0: x̃ in binary16
constexpr u32 FORMAT_SPLIT = 1;   // rows [high | high | low], weights [high | low | high]
constexpr u32 FORMAT_SINGLE = 2;  // x̃ in binary32

// What rows need to know of the model, to state their margins.
struct RowUnits {
    int weight_exponent;   // B
    int bias_exponent;     // c
    int least_exponent;    // below which biases would overflow
    float largest_bias;    // unscaled
    float largest_whole;   // max P of all features
    float largest_spread;  // max V of all features
    float low_weight;      // max ‖low‖ / ‖w'‖ of all features: what the split leaves out
    int fixed_exponent;    // the exponent, where `fixed` is 1
    u32 fixed;
    u32 biased;            // whether any bias is not 0
};
static_assert(sizeof(RowUnits) == 40, "its Rust twin has 40 bytes");

struct WhitenArgs {
    const void* rows;
    const float* mean;
    const float* divisor;
    float* x;
    void* operand;
    RowFacts* facts;
    RowUnits units;
    u32 count;
    u32 dim;
    u32 padded;
    u32 format;
    u32 weights;
    u32 unused;
};
static_assert(sizeof(WhitenArgs) == 112, "its Rust twin has 112 bytes");

struct FromHalf {
    static __device__ __forceinline__ float read(const void* rows, u64 i) {
        return from_half(((const u16*)rows)[i]);
    }
};
struct FromBfloat {
    static __device__ __forceinline__ float read(const void* rows, u64 i) {
        return from_bfloat(((const u16*)rows)[i]);
    }
};
struct FromSingle {
    static __device__ __forceinline__ float read(const void* rows, u64 i) {
        return ((const float*)rows)[i];
    }
};
struct FromDouble {
    static __device__ __forceinline__ float read(const void* rows, u64 i) {
        return (float)((const double*)rows)[i];
    }
};

template <typename Source>
__device__ __forceinline__ float whitened(const WhitenArgs& args, u64 row, u32 i) {
    float e = Source::read(args.rows, row * args.dim + i);
    if (args.mean == nullptr) return e;
    return __fdiv_rn(__fsub_rn(e, args.mean[i]), args.divisor[i]);
}

// Sums of squares of a row: whole, error, operand, low part.
struct Squares {
    double whole, error, operand, low;
};

// Writes one column of the operand, and adds it to the squares. `value` is x', exactly.
__device__ __forceinline__ void put(const WhitenArgs& args, u64 row, u32 i, double value,
                                    Squares& sum) {
    if (args.format == FORMAT_SINGLE) {
        float single = (float)value;
        ((float*)args.operand)[row * args.padded + i] = single;
        double error = value - (double)single;
        sum.error = __fma_rn(error, error, sum.error);
        sum.operand = __fma_rn((double)single, (double)single, sum.operand);
    } else {
        u16 high = to_half((float)value);
        double rest = value - (double)from_half(high);
        if (args.format != FORMAT_SPLIT) {
            ((u16*)args.operand)[row * args.padded + i] = high;
            sum.error = __fma_rn(rest, rest, sum.error);
            double tilde = (double)from_half(high);
            sum.operand = __fma_rn(tilde, tilde, sum.operand);
        } else {
            u16 low = to_half((float)rest);
            u16* operand = (u16*)args.operand + row * args.padded * 3 + i;
            operand[0] = high;
            operand[args.padded] = args.weights ? low : high;
            operand[2 * args.padded] = args.weights ? high : low;
            double h = (double)from_half(high), l = (double)from_half(low);
            double error = rest - l;
            sum.error = __fma_rn(error, error, sum.error);
            // At least the squares of [high | high | low] and of high + low.
            sum.operand = __fma_rn(2.0 * h, h, __fma_rn(2.0 * l, l, sum.operand));
            sum.low = __fma_rn(l, l, sum.low);
        }
    }
    sum.whole = __fma_rn(value, value, sum.whole);
}

// An upper bound of the norm whose squares these are: sums in binary64 of dim ≤ 2^20 squares err
// by less than 2^−32, and 2^−120 covers what scaling rounds away at the bottom of the range.
__device__ __forceinline__ double norm_above(double squares) {
    return __dsqrt_rn(squares) * (1.0 + 1.0 / (1u << 28)) + power_of_two(-120);
}

__device__ __forceinline__ int row_exponent(const RowUnits& units, float largest) {
    if (units.fixed) return units.fixed_exponent;
    // The largest number lies in [2^14, 2^15): far from binary16's overflow at 65504, with 29
    // binades above its smallest normal number.
    int own = largest > 0.0f ? exponent_of(largest) - 15 : 0;
    return units.biased && units.least_exponent > own ? units.least_exponent : own;
}

// The proof of what stands here is in src/engine/cuda/margin.rs.
__device__ RowFacts facts_of(const WhitenArgs& args, const Squares& sum, float largest,
                             int exponent) {
    const RowUnits& units = args.units;
    double error = norm_above(sum.error), norm = norm_above(sum.operand);
    double low = sum.low > 0.0 ? norm_above(sum.low) : 0.0;
    error += low * (double)units.low_weight * (1.0 + 1.0 / (1u << 28));
    int unit = exponent + units.weight_exponent;
    double bias = units.biased ? (double)units.largest_bias * power_of_two(-unit) : 0.0;
    double inflate = 1.0 + 1.0 / (1u << 17);
    double offset = (4.0 / (1u << 24) * bias + (double)args.dim * power_of_two(-126)) * inflate;
    double coarse = error * (double)units.largest_whole + norm * (double)units.largest_spread;
    RowFacts facts;
    facts.error = round_up(error);
    facts.norm = round_up(norm);
    facts.low = round_up(low);
    facts.whole = round_up(norm_above(sum.whole));
    facts.offset = round_up(offset);
    facts.bias_scale =
        units.biased ? (float)power_of_two(units.bias_exponent - unit) : 0.0f;
    facts.coarse = round_up((coarse + offset) * inflate);
    facts.exponent = exponent;
    facts.finite = 1;
    facts.largest = largest;
    return facts;
}

template <typename Source>
__device__ void whiten_row(const WhitenArgs& args, u64 row) {
    __shared__ float warp_largest[WHITEN_THREADS / WARP];
    __shared__ Squares warp_squares[WHITEN_THREADS / WARP];
    float largest = 0.0f;
    bool finite = true;
    for (u32 i = threadIdx.x; i < args.dim; i += blockDim.x) {
        float x = whitened<Source>(args, row, i);
        if (args.x != nullptr) args.x[row * args.dim + i] = x;
        finite = finite && is_finite(x);
        largest = fmaxf(largest, fabsf(x));
    }
    largest = warp_max(largest);
    if (lane_index() == 0) warp_largest[warp_index()] = largest;
    finite = __syncthreads_and(finite) != 0;
    for (u32 w = 0; w < warps_in_block(); w++) largest = fmaxf(largest, warp_largest[w]);
    int exponent = finite ? row_exponent(args.units, largest) : 0;
    double scale = power_of_two(-exponent);

    Squares sum = {0.0, 0.0, 0.0, 0.0};
    for (u32 i = threadIdx.x; i < args.padded; i += blockDim.x) {
        // A thread reads again what it wrote itself, or computes it again.
        float x = 0.0f;
        if (finite && i < args.dim) {
            x = args.x != nullptr ? args.x[row * args.dim + i] : whitened<Source>(args, row, i);
        }
        put(args, row, i, (double)x * scale, sum);
    }
    sum.whole = warp_sum(sum.whole);
    sum.error = warp_sum(sum.error);
    sum.operand = warp_sum(sum.operand);
    sum.low = warp_sum(sum.low);
    if (lane_index() == 0) warp_squares[warp_index()] = sum;
    __syncthreads();
    if (threadIdx.x == 0) {
        for (u32 w = 1; w < warps_in_block(); w++) {
            sum.whole += warp_squares[w].whole;
            sum.error += warp_squares[w].error;
            sum.operand += warp_squares[w].operand;
            sum.low += warp_squares[w].low;
        }
        RowFacts facts = facts_of(args, sum, largest, exponent);
        facts.finite = finite ? 1 : 0;
        args.facts[row] = facts;
    }
}

KERNEL(whiten_half, WhitenArgs, WHITEN_THREADS) { whiten_row<FromHalf>(args, blockIdx.x); }
KERNEL(whiten_bfloat, WhitenArgs, WHITEN_THREADS) { whiten_row<FromBfloat>(args, blockIdx.x); }
KERNEL(whiten_single, WhitenArgs, WHITEN_THREADS) { whiten_row<FromSingle>(args, blockIdx.x); }
KERNEL(whiten_double, WhitenArgs, WHITEN_THREADS) { whiten_row<FromDouble>(args, blockIdx.x); }
