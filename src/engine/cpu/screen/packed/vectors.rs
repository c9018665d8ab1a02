//! The product by AVX512-BF16: `vdpbf16ps`, 16 scores and 2 numbers an instruction.
//!
//! Its arithmetic (Intel's Software Developer's Manual, VDPBF16PS; AMD's manual agrees): both
//! products are added to the accumulator one after the other, each step rounded to nearest even;
//! subnormals count as zero, read or written; the control register is not looked at.

use std::arch::x86_64::{
    __m512bh, __m512i, _mm512_add_ps, _mm512_dpbf16_ps, _mm512_load_si512, _mm512_loadu_ps,
    _mm512_set1_epi32, _mm512_setzero_ps, _mm512_storeu_ps,
};
use std::array::from_fn;

use super::Scores;
use super::panels::{LINES, Line, PANEL};

/// A proof that this CPU has the instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine::cpu) struct Vectors(());

impl Vectors {
    /// The instruction, where the CPU has it.
    pub(in crate::engine::cpu) fn detect() -> Option<Self> {
        let found = is_x86_feature_detected!("avx512bf16") && is_x86_feature_detected!("avx512f");
        found.then_some(Self(()))
    }

    /// Adds the products of the chunks of two panels of features and some of rows to their scores,
    /// or sets these. All panels have the same number of chunks. The scores begin with the first
    /// feature's.
    pub(super) fn block<const ROWS: usize>(
        self,
        features: [&[Line]; 2],
        rows: [&[Line]; ROWS],
        to: &mut Scores,
    ) {
        let Self(()) = self;
        for (panel, features) in features.into_iter().enumerate() {
            for half in 0..PANEL / FEATURES {
                let feature = panel * PANEL + half * FEATURES;
                let to = &mut Scores {
                    numbers: &mut to.numbers[feature * to.stride..],
                    ..*to
                };
                // SAFETY: the CPU has the instructions; `self` is the proof.
                unsafe { eight_features(features, half, rows, to) };
            }
        }
    }
}

/// Features a turn: with three registers of rows, 24 accumulators, a register that a pair is
/// spread over, and no spill.
const FEATURES: usize = 8;

/// A turn: eight features, one half of their panel, and up to 48 rows.
#[allow(clippy::needless_range_loop)] // Indices keep the sums in registers: see below.
#[target_feature(enable = "avx512f,avx512bf16")]
fn eight_features<const ROWS: usize>(
    features: &[Line],
    half: usize,
    rows: [&[Line]; ROWS],
    to: &mut Scores,
) {
    // Indices that are known when this is compiled keep the sums in registers.
    let mut sums = [[_mm512_setzero_ps(); ROWS]; FEATURES];
    for (chunk, features) in features.as_chunks::<LINES>().0.iter().enumerate() {
        let features: &[Line; FEATURES] = &features.as_chunks().0[half];
        let rows: [&[Line; LINES]; ROWS] = from_fn(|r| &rows[r].as_chunks().0[chunk]);
        for pair in 0..LINES {
            for f in 0..FEATURES {
                let spread = as_pairs(_mm512_set1_epi32(features[f].0[pair].cast_signed()));
                for r in 0..ROWS {
                    sums[f][r] = _mm512_dpbf16_ps(sums[f][r], load(&rows[r][pair]), spread);
                }
            }
        }
    }
    for f in 0..FEATURES {
        let scores = &mut to.numbers[f * to.stride..][..ROWS * PANEL];
        for r in 0..ROWS {
            let scores = &mut scores[r * PANEL..][..PANEL];
            // SAFETY: there are 16 numbers.
            unsafe {
                let sum = if to.first {
                    sums[f][r]
                } else {
                    _mm512_add_ps(_mm512_loadu_ps(scores.as_ptr()), sums[f][r])
                };
                _mm512_storeu_ps(scores.as_mut_ptr(), sum);
            }
        }
    }
}

#[target_feature(enable = "avx512f,avx512bf16")]
fn load(line: &Line) -> __m512bh {
    // SAFETY: a line is 64 bytes, and aligned to as many.
    as_pairs(unsafe { _mm512_load_si512(line.0.as_ptr().cast()) })
}

#[target_feature(enable = "avx512f,avx512bf16")]
fn as_pairs(bits: __m512i) -> __m512bh {
    // SAFETY: both types are 512 bits, of which any pattern is a value.
    unsafe { std::mem::transmute(bits) }
}
