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
constexpr u32 ROW_OPEN = 0;      // certain atoms, and pairs that canonical scores decide
constexpr u32 ROW_OVERFLOW = 1;  // to be scored in full
constexpr u32 ROW_BAD = 2;       // a NaN or an infinity: no firing set

struct RowState {
    u32 certain;     // atoms that fire for certain: the first ones of the row's firing set
    u32 open;        // pairs that the bound leaves open
    u32 first_pair;  // where they begin
    u32 status;
    u32 slots_left;  // the most of these pairs that fire: those of the largest scores
};
static_assert(sizeof(RowState) == 20, "its Rust twin has 20 bytes");

// What there is to the rule by which the k largest scores fire, or the largest of each of k groups.
constexpr u32 RULE_ABOVE_ZERO = 1;  // of them, those above 0
constexpr u32 RULE_MAGNITUDE = 2;   // magnitudes are compared, not scores
constexpr u32 RULE_TIES = 4;        // and all that equal the k-th
constexpr u32 RULE_GROUPS = 8;      // the largest of each of k groups, not of all

// Where the scores of a row end that fire, for a model of which rows are cut together.
struct RowCut {
    double score;  // a score above it fires, if it is above 0
    u32 ties;      // an equal one fires of the atoms below this
    u32 unused;
};
static_assert(sizeof(RowCut) == 16, "its Rust twin has 16 bytes");

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
