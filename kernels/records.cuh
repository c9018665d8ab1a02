// What the kernels pass to each other, and to the host.

#pragma once

#include "common.cuh"

// What is known of a row. Norms are 2-norms in the row's units, 2^exponent, rounded up.
struct RowFacts {
    float error;       // ‖x' − x̃‖, with what the split leaves out: the bound's multiplier of P
    float norm;        // ‖x̃‖, at least that of the operand: the bound's multiplier of V
    float low;         // ‖low part‖
    float whole;       // ‖x'‖
    float offset;      // A of the bound
    float bias_scale;  // by which the model's scaled biases join the scores
    float coarse;      // at least the margin of every feature
    int exponent;      // x' = x · 2^−exponent
    u32 finite;        // 1, or 0 for a row that has no answer
    float largest;     // the largest |x|
};
static_assert(sizeof(RowFacts) == 40, "its Rust twin has 40 bytes");

// How a row stands after selection.
constexpr u32 ROW_OPEN = 0;      // certain atoms, and pairs of which the best fill up to k
constexpr u32 ROW_OVERFLOW = 1;  // to be scored in full
constexpr u32 ROW_BAD = 2;       // a NaN or an infinity: no firing set

struct RowState {
    u32 certain;     // atoms that fire for certain: the first ones of the row's firing set
    u32 open;        // pairs that the bound leaves open
    u32 first_pair;  // where they begin
    u32 status;
};
static_assert(sizeof(RowState) == 16, "its Rust twin has 16 bytes");

// A row and an atom whose canonical score decides. `row` is NO_PAIR where no pair stands.
struct RowAtom {
    u32 row;
    u32 atom;
    u32 rank;  // how many pairs of the same atom came before it
};
static_assert(sizeof(RowAtom) == 12, "its Rust twin has 12 bytes");
constexpr u32 NO_PAIR = 0xffffffffu;

// Counters of a run; all only grow.
struct Counters {
    u64 rows;
    u64 certified_outright;
    u64 ambiguous_atoms;
    u64 most_ambiguous;
    u64 overflowed;
};
static_assert(sizeof(Counters) == 40, "its Rust twin has 40 bytes");
