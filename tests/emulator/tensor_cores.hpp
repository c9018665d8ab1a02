// The arithmetic of a matrix product at the worst that the bound allows for.
//
// Both work on a panel of sixteen rows of op(A), laid out depth by depth, so that a compiler makes
// vector code of the inner loops.

#pragma once

namespace emulator {

constexpr int PANEL = 16;

// Sixteen sums over `depth` products of binary16 numbers, which are exact in binary32. A block of
// `block` products and the sum so far are aligned to the largest of them, cut to 24 bits of that
// one towards zero and added; the result is cut to binary32 towards zero.
void truncated_sums(const float* panel, const float* column, int depth, int block, float* sums);

// Sixteen sums by fused multiply-add in the order of the panel, each rounded to nearest.
void fused_sums(const float* panel, const float* column, int depth, float* sums);

} // namespace emulator
