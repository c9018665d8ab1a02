//! The bound of certified selection: how far a screened score can be from the canonical one.
//!
//! # What is screened
//! Row `n` and the weights are multiplied by powers of two, `2^−a_n` and `2^−b`, so that nothing
//! overflows: `x' = x·2^−a`, `w' = w·2^−b` as real numbers, `x̃`, `w̃` as binary32. The screen
//! computes `ŝ ≈ Σ x̃_i·w̃_i` in binary32, then the estimate `q = fl(ŝ + β)` with
//! `β ≈ bias·2^−(a+b)`. All that follows is in these units: the canonical score `s`
//! corresponds to `s' = s·2^−(a+b)`, exactly, since powers of two only move exponents.
//! Biases have an exponent `c` of their own: `β = fl(bias·2^−c) · 2^(c−a−b)`.
//!
//! # What is proved
//! With `u = 2⁻²⁴`, `v = 2⁻⁵³`, `X ≥ ‖x̃‖₂`, `W ≥ ‖w̃‖₂`, `P = |β|max ≥ |β|`, and the margin
//! `m = E·W + A` where
//!
//! ```text
//! E ≥ (γ + γ64 + 4u)·X·(1 + 2⁻¹⁸)    γ = n·u/(1 − n·u)    γ64 = (⌈D/32⌉ + 6)·2v
//! A ≥ (4u·P + D·2⁻¹²⁴)·(1 + 2⁻¹⁸)    n = D; in bfloat16 see point 6
//! ```
//!
//! the canonical score lies in the computed interval: `fl(q − m) ≤ s' ≤ fl(q + m)`.
//!
//! 1. *Scaling.* Multiplying by a power of two errs only where the result is subnormal, by at
//!    most 2⁻¹⁵⁰ an element; operands are below 2²⁰, scaled or not (see [`screen_exponent`]), so
//!    the sum of products moves by at most `D·(2·2⁻¹⁵⁰·2²⁰ + 2⁻³⁰⁰)`.
//! 2. *The screen.* In any order of summation, with or without fused multiplication, a sum of D
//!    products carries at most `n = D` roundings on any path, so `|ŝ − Σ x̃w̃| ≤ γ·Σ|x̃w̃| ≤ γ·X·W`
//!    (Higham, *Accuracy and Stability of Numerical Algorithms*, §3.1; Cauchy–Schwarz). A
//!    product that underflows errs by 2⁻¹⁵⁰ more; a sum that does is exact.
//! 3. *The canonical sum.* Products are exact; ⌈D/32⌉ additions in a lane, 5 in the butterfly,
//!    1 for the bias: `(⌈D/32⌉ + 6)·v`, doubled to cover the higher orders.
//! 4. *The estimate.* `fl(ŝ + β)`, `fl(q ± m)`: roundings of at most `u` relative to quantities
//!    below `X·W·(1 + γ) + P + m`. `β` errs only by underflow: of `bias·2^−c`, by at most
//!    `2⁻¹⁵⁰·2^(c−a−b) ≤ 2⁻¹⁴⁹·P` as the largest scaled bias is at least 1/2; of `2^(c−a−b)` and
//!    of the product, by at most `2⁻¹⁵⁰·2²⁰ + 2⁻¹⁵⁰`. `4u·(X·W + P)` covers the relative terms,
//!    and `u·m` is covered by the factors `1 + 2⁻¹⁸` (64u), as are the two roundings of `m`.
//! 5. The underflows of 1, 2 and 4 add up to less than `D·2⁻¹²⁸ + 2⁻¹²⁹`, below `D·2⁻¹²⁶`.
//!
//! # The screen in bfloat16
//! Its operands are `x̂ = x̃ − δx` and `ŵ = w̃ − δw`: rounded to bfloat16, to zero below 2⁻¹²⁶.
//! `ΔX ≥ ‖δx‖` and `ΔW ≥ ‖δw‖` are computed, from exact differences. So
//!
//! ```text
//! Σ x̃w̃ − Σ x̂ŵ = Σ δx·w̃ + Σ x̂·δw    |…| ≤ ΔX·W + ‖x̂‖·ΔW    ‖x̂‖ ≤ X·(1 + 2⁻⁸), ‖ŵ‖ ≤ W·(1 + 2⁻⁸)
//! ```
//!
//! and the margin becomes `m = E·N + A` with one number a feature, `N ≥ W` and `N ≥ ΔW/ρ`, where
//! `ρ` is any number, the same for all features (the median of ΔW/W: then `N` is `W` for half of
//! them, and little more for the rest), and
//!
//! ```text
//! E ≥ (ΔX + ((ρ + γ)·(1 + 2⁻⁶) + γ64 + 4u)·X)·(1 + 2⁻¹⁸)
//! ```
//!
//! 6. *The product.* Products of two bfloat16 are exact in binary32. `n` is the number of additions
//!    on a product's longest way into its score, by the blocking that the kernel has: within an
//!    instruction, or a stretch, in any order; from there on in the order that the kernel fixes
//!    (`longest_sum` in `cpu/screen/packed`). Each addition, fused or not, errs by at most `u`
//!    relative to its result, or by 2⁻¹²⁶ where the result is flushed to zero; no more than three
//!    for each of D numbers are flushed (a product, its addition, its share of the sums of sums),
//!    and `D·2⁻¹²⁴` in `A` covers them and point 5.
//!
//! Norms are summed in binary64 from exact squares, a relative error below `D·v`, and multiplied
//! by `1 + 2⁻²⁸` before they are rounded up to binary32; this covers any `D ≤ 2²⁰`. Beyond
//! [`LARGEST_DIM`] rows are scored canonically in full.
//!
//! # Thresholds
//! Thresholds of features are taken off their scores: see [`Shifts`].

mod shifts;

pub use self::shifts::{Shifts, shifted_interval};

/// The largest D for which the bound is used.
pub const LARGEST_DIM: usize = 1 << 20;

/// Unit roundoff of binary32.
const U: f64 = 1.0 / (1u64 << 24) as f64;
/// Unit roundoff of binary64.
const V: f64 = f64::EPSILON / 2.0;
/// Covers the roundings of the margin's own arithmetic.
const INFLATE: f64 = 1.0 + 1.0 / (1u64 << 18) as f64;
/// Covers the roundings of a norm.
const INFLATE_NORM: f64 = 1.0 + 1.0 / (1u64 << 28) as f64;
/// Magnitudes within `2^±20` are screened as they are.
const COMFORTABLE_EXPONENT: i32 = 20;

/// The margin of one row: `m = scale·W + offset`, in the row's screening units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RowMargin {
    /// `E`, to be multiplied by the feature's norm.
    pub scale: f32,
    /// `A`.
    pub offset: f32,
}

impl RowMargin {
    /// The margin of a row with `norm ≥ ‖x̃‖`, of which rounding took away `lost ≥ ‖δx‖`, and whose
    /// screened biases are at most `largest_bias`.
    pub fn new(dim: usize, rounding: &Rounding, norm: f32, lost: f32, largest_bias: f32) -> Self {
        let d = dim as f64;
        let gamma64 = (dim.div_ceil(32) + 6) as f64 * 2.0 * V;
        let of_norm = rounding.weights + rounding.sums + gamma64 + 4.0 * U;
        let scale = (f64::from(lost) + of_norm * f64::from(norm)) * INFLATE;
        let offset = (4.0 * U * f64::from(largest_bias) + d * 2f64.powi(-124)) * INFLATE;
        Self {
            scale: round_up(scale),
            offset: round_up(offset),
        }
    }
}

/// The rounding of a screen's arithmetic, relative to `X·N`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rounding {
    /// The rounding of the weights: `ρ`.
    weights: f64,
    /// The rounding of the sums: `γ`.
    sums: f64,
}

impl Rounding {
    /// Operands as they are, D products summed in any order.
    pub fn binary32(dim: usize) -> Self {
        Self {
            weights: 0.0,
            sums: gamma(dim),
        }
    }

    /// Operands in bfloat16, with at most `additions` on a product's way into its score; for
    /// features with norms `W` of which rounding took away `ΔW`. Returns every feature's `N`, too.
    pub fn bfloat16(additions: usize, norms: &[f32], lost: &[f32]) -> (Self, Vec<f32>) {
        const ROUNDED: f64 = 1.0 + 1.0 / 64.0;
        // Rounding takes less than 2⁻⁸ of a number that it does not flush: what lost more is (all
        // but) zero, and says nothing of the others.
        let mut ratios: Vec<f64> = norms
            .iter()
            .zip(lost)
            .map(|(&norm, &lost)| f64::from(lost) / f64::from(norm))
            .filter(|&ratio| ratio < 2f64.powi(-8))
            .collect();
        let middle = ratios.len() / 2;
        let median = if ratios.is_empty() {
            0.0
        } else {
            *ratios.select_nth_unstable_by(middle, f64::total_cmp).1
        };
        // Positive, so that nothing is divided by zero.
        let rho = median.max(2f64.powi(-20));
        let larger = |(&norm, &lost): (&f32, &f32)| round_up(f64::from(lost) / rho).max(norm);
        let rounding = Self {
            weights: rho * ROUNDED,
            sums: gamma(additions) * ROUNDED,
        };
        (rounding, norms.iter().zip(lost).map(larger).collect())
    }
}

/// `n·u / (1 − n·u)`.
fn gamma(additions: usize) -> f64 {
    let nu = additions as f64 * U;
    nu / (1.0 - nu)
}

/// The interval `[fl(q − m), fl(q + m)]` of the proof: the canonical score of a screened `score`
/// lies in it, in the row's units. `bias` and `norm` are the feature's, scaled.
#[allow(clippy::inline_always)]
#[inline(always)]
pub fn interval(
    score: f32,
    bias: f32,
    norm: f32,
    bias_scale: f32,
    margin_scale: f32,
    margin_offset: f32,
) -> (f32, f32) {
    let estimate = estimate(score, bias, bias_scale);
    let margin = margin_scale * norm + margin_offset;
    (estimate - margin, estimate + margin)
}

/// The estimate `q` of the proof.
#[allow(clippy::inline_always)]
#[inline(always)]
pub fn estimate(score: f32, bias: f32, bias_scale: f32) -> f32 {
    score + bias * bias_scale
}

/// The smallest binary32 number that is not below `x`.
pub fn round_up(x: f64) -> f32 {
    let nearest = x as f32;
    if f64::from(nearest) < x {
        nearest.next_up()
    } else {
        nearest
    }
}

/// An upper bound of the 2-norm of a vector scaled by `2^−exponent`, from the binary64 sum of its
/// squares before scaling. Never 0: what scaling rounds up at the bottom of the range is covered
/// by the 2⁻¹²⁰ added.
pub fn scaled_norm(sum_of_squares: f64, exponent: i32) -> f32 {
    round_up(sum_of_squares.sqrt() * power_of_two(-exponent) * INFLATE_NORM + 2f64.powi(-120))
}

/// The exponent `e` by which numbers of at most `largest` are scaled (`· 2^−e`) before they are
/// screened: 0 in the comfortable range, else such that the largest lies in `[1/2, 1)`.
pub fn screen_exponent(largest: f32) -> i32 {
    if largest == 0.0 {
        return 0;
    }
    let exponent = libm::frexpf(largest).1;
    if exponent.abs() <= COMFORTABLE_EXPONENT {
        0
    } else {
        exponent
    }
}

/// The exponent of a row whose numbers are at most `largest`: large enough for these and for the
/// biases, which join its scores and must stay below 2⁶⁰ in its units.
pub fn row_exponent(largest: f32, largest_bias: f32, weight_exponent: i32) -> i32 {
    const BIAS_EXPONENT: i32 = 60;
    let own = screen_exponent(largest);
    if largest_bias == 0.0 {
        return own;
    }
    own.max(libm::frexpf(largest_bias).1 - weight_exponent - BIAS_EXPONENT)
}

/// `2^exponent`; exact for every exponent that the functions here return, and for their sums.
pub fn power_of_two(exponent: i32) -> f64 {
    2f64.powi(exponent)
}

/// `numbers · 2^−exponent`, as the screen takes them.
pub fn scaled(numbers: &[f32], exponent: i32) -> impl Iterator<Item = f32> {
    let factor = power_of_two(-exponent);
    numbers.iter().map(move |&x| (f64::from(x) * factor) as f32)
}
