//! The product by AVX-512 registers: 16 scores an instruction, and one element of each of 16 rows.
//!
//! In binary32 by fused multiply-adds. In bfloat16 by AVX512-BF16's `vdpbf16ps`, whose arithmetic is
//! (Intel's Software Developer's Manual, VDPBF16PS; AMD's manual agrees): both products of a pair
//! are added to the accumulator one after the other, each step rounded to nearest even; subnormals
//! count as zero, read or written; the control register is not looked at.

use std::arch::x86_64::{
    __m512bh, __m512i, _mm512_add_ps, _mm512_castsi512_ps, _mm512_dpbf16_ps, _mm512_fmadd_ps,
    _mm512_load_si512, _mm512_loadu_ps, _mm512_set1_epi32, _mm512_setzero_ps, _mm512_storeu_ps,
};

use super::Scores;
use super::panels::{Element, LINES, Line, PANEL};

/// A proof that this processor has the instructions for an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine::cpu) struct Vectors(Element);

impl Vectors {
    /// The instructions for `element`, where the processor has them.
    pub(super) fn detect(element: Element) -> Option<Self> {
        let found = is_x86_feature_detected!("avx512f")
            && (element == Element::Binary32 || is_x86_feature_detected!("avx512bf16"));
        found.then_some(Self(element))
    }

    /// What it multiplies.
    pub(super) fn element(self) -> Element {
        self.0
    }

    /// Adds the products of the chunks of two panels of features and some of rows to their scores, or
    /// sets these. All panels have as many chunks; the scores begin with the first feature's.
    pub(super) fn block<const ROWS: usize>(
        self,
        features: [&[Line]; 2],
        rows: [&[Line]; ROWS],
        to: &mut Scores,
    ) {
        for (panel, features) in features.into_iter().enumerate() {
            for half in 0..PANEL / FEATURES {
                let feature = panel * PANEL + half * FEATURES;
                let to = &mut Scores {
                    numbers: &mut to.numbers[feature * to.stride..],
                    ..*to
                };
                // SAFETY: the processor has the instructions; `self` is the proof.
                unsafe {
                    match self.0 {
                        Element::Binary32 => eight_features_binary32(features, half, rows, to),
                        Element::Bfloat16 => eight_features_bfloat16(features, half, rows, to),
                    }
                }
            }
        }
    }
}

/// Features a turn: with three registers of rows, 24 accumulators, a register that an element is
/// spread over, and no spill.
const FEATURES: usize = 8;

/// The turn for one kind of element: eight features, one half of their panel, and up to 48 rows.
macro_rules! eight_features {
    ($name:ident, $features:literal, $step:ident) => {
        #[target_feature(enable = $features)]
        fn $name<const ROWS: usize>(
            features: &[Line],
            half: usize,
            rows: [&[Line]; ROWS],
            to: &mut Scores,
        ) {
            // Indices that are known when this is compiled keep the sums in registers.
            let mut sums = [[_mm512_setzero_ps(); ROWS]; FEATURES];
            for (chunk, features) in features.as_chunks::<LINES>().0.iter().enumerate() {
                let features: &[Line; FEATURES] = &features.as_chunks().0[half];
                let rows: [&[Line; LINES]; ROWS] =
                    std::array::from_fn(|r| &rows[r].as_chunks().0[chunk]);
                for element in 0..LINES {
                    for f in 0..FEATURES {
                        let spread = _mm512_set1_epi32(features[f].0[element].cast_signed());
                        for r in 0..ROWS {
                            sums[f][r] = $step!(sums[f][r], load(&rows[r][element]), spread);
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
    };
}

macro_rules! multiply_numbers {
    ($sum:expr, $rows:expr, $feature:expr) => {
        _mm512_fmadd_ps(
            _mm512_castsi512_ps($rows),
            _mm512_castsi512_ps($feature),
            $sum,
        )
    };
}

macro_rules! multiply_pairs {
    ($sum:expr, $rows:expr, $feature:expr) => {
        _mm512_dpbf16_ps($sum, as_pairs($rows), as_pairs($feature))
    };
}

eight_features!(eight_features_binary32, "avx512f", multiply_numbers);
eight_features!(
    eight_features_bfloat16,
    "avx512f,avx512bf16",
    multiply_pairs
);

#[target_feature(enable = "avx512f")]
fn load(line: &Line) -> __m512i {
    // SAFETY: a line is 64 bytes, and aligned to as many.
    unsafe { _mm512_load_si512(line.0.as_ptr().cast()) }
}

#[target_feature(enable = "avx512f,avx512bf16")]
fn as_pairs(bits: __m512i) -> __m512bh {
    // SAFETY: both types are 512 bits, of which any pattern is a value.
    unsafe { std::mem::transmute(bits) }
}
