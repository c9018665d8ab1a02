// Purpose  the steps of a model's input that whitening has not taken with it: rows that were widened,
//          and had their first mean subtracted and divisor applied by whiten.cu, change in place.
// Arrays   x      [count, dim]  binary32, row-major, no gaps; in and out
//          steps  [step_count]  in order; `numbers` of a step [dim], null where it has none
// Launch   a warp a row, grid-stride; 256 threads; no shared memory
// Limits   count < 2^31, dim < 2^31; dim ≥ 2 where rows are standardised
// NaN      nothing is looked at: a row that holds a NaN or an infinity afterwards is found by
//          whiten.cu, which makes operands of what stands here
// Ties     none
// Floors   D=4096: 16 KiB read and written a row and pass; a step that subtracts, divides or scales is
//          a pass, scaling to a norm reads the row once more, standardising twice
// Twin     tests/twins/input.rs, src/engine/cpu/input.rs: the same bits
//
// Sums over a row are those of a canonical score: lane l sums what stands at i ≡ l (mod 32) in ascending
// i, from +0, in binary64, and a butterfly adds the lanes. So a warp takes a row, and a lane reads
// nothing but what it wrote itself.

#include "common.cuh"

constexpr u32 INPUT_THREADS = 256;

constexpr u32 STEP_SUBTRACT = 0;
constexpr u32 STEP_DIVIDE = 1;
constexpr u32 STEP_STANDARDIZE = 2;    // first: ε
constexpr u32 STEP_SCALE_TO_NORM = 3;  // first: the norm; second: the least norm of a row
constexpr u32 STEP_SCALE = 4;          // first: the factor

struct InputStep {
    const float* numbers;
    u32 kind;
    float first;
    float second;
    u32 unused;
};
static_assert(sizeof(InputStep) == 24, "its Rust twin has 24 bytes");

struct InputArgs {
    float* x;
    const InputStep* steps;
    u32 step_count;
    u32 count;
    u32 dim;
    u32 unused;
};
static_assert(sizeof(InputArgs) == 32, "its Rust twin has 32 bytes");

// The sum of x − mean over a row, or of its squares.
template <bool SQUARED>
__device__ __forceinline__ double sum_of(const float* row, u32 dim, double mean) {
    double sum = 0.0;
    for (u32 i = lane_index(); i < dim; i += WARP) {
        double difference = __dsub_rn((double)row[i], mean);
        sum = __dadd_rn(sum, SQUARED ? __dmul_rn(difference, difference) : difference);
    }
    return warp_sum(sum);
}

__device__ void scale(float* row, u32 dim, float factor) {
    for (u32 i = lane_index(); i < dim; i += WARP) row[i] = __fmul_rn(row[i], factor);
}

// (x − mean) / (std + ε), with dim − 1 in the denominator of the variance.
__device__ void standardize(float* row, u32 dim, float epsilon) {
    double mean = __ddiv_rn(sum_of<false>(row, dim, 0.0), (double)dim);
    double squares = sum_of<true>(row, dim, mean);
    double variance = __ddiv_rn(squares, __dsub_rn((double)dim, 1.0));
    float divisor = __fadd_rn((float)__dsqrt_rn(variance), epsilon);
    float centre = (float)mean;
    for (u32 i = lane_index(); i < dim; i += WARP) {
        row[i] = __fdiv_rn(__fsub_rn(row[i], centre), divisor);
    }
}

__device__ void take_step(const InputStep& step, float* row, u32 dim) {
    const float* numbers = step.numbers;
    switch (step.kind) {
        case STEP_SUBTRACT:
            for (u32 i = lane_index(); i < dim; i += WARP) row[i] = __fsub_rn(row[i], numbers[i]);
            break;
        case STEP_DIVIDE:
            for (u32 i = lane_index(); i < dim; i += WARP) row[i] = __fdiv_rn(row[i], numbers[i]);
            break;
        case STEP_STANDARDIZE:
            standardize(row, dim, step.first);
            break;
        case STEP_SCALE_TO_NORM: {
            float length = (float)__dsqrt_rn(sum_of<true>(row, dim, 0.0));
            scale(row, dim, __fdiv_rn(step.first, fmaxf(length, step.second)));
            break;
        }
        case STEP_SCALE:
            scale(row, dim, step.first);
            break;
    }
}

KERNEL(input_steps, InputArgs, INPUT_THREADS) {
    u64 warps = (u64)gridDim.x * warps_in_block();
    for (u64 row = (u64)blockIdx.x * warps_in_block() + warp_index(); row < args.count;
         row += warps) {
        float* x = args.x + row * args.dim;
        for (u32 s = 0; s < args.step_count; s++) take_step(args.steps[s], x, args.dim);
    }
}
