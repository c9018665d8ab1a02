//! The bound for features with thresholds of their own: how far a screened score less its threshold
//! can be from the canonical score less the threshold.
//!
//! # What is screened
//! A feature fires where `s > θ`, both binary64 numbers: where the real number `s − θ` is above 0.
//! So the bias gives way to the *shift* `σ = fl64(bias − θ)`, and the interval is compared with 0:
//! `lower > 0` fires, `upper ≤ 0` does not. As [`bound`](super) has it, but with a margin of its own
//! for each shift,
//!
//! ```text
//! q = fl(ŝ + β)    β ≈ σ·2^−(a+b), computed as fl32(σ·2^−c) · 2^(c−a−b)
//! m = E·N + A + M·2^(c−a−b)    A with P = 0    M ≥ (4u·|σ| + 4v·|bias|)·2^−c·(1 + 2⁻¹⁸) + 2⁻¹⁴⁹
//! ```
//!
//! # What is proved
//! `fl(q − m) ≤ (s − θ)·2^−(a+b) ≤ fl(q + m)`, for features whose scaled shift is finite. To the
//! points of [`bound`](super) come:
//!
//! 1. *The canonical score.* `s = fl64(t + bias)` errs by `v·(|t| + |bias|)`; γ64 covers `t`, the sum
//!    of products, and M the bias, which may be far larger than σ.
//! 2. *The shift.* σ errs by `v·|σ|`, and β, rounded to binary32, by `u·|σ|·2^−(a+b)`. Point 4 of
//!    [`bound`](super) needs `2u·(X·W·(1 + γ) + |β|)` for the estimate and the ends of the interval;
//!    `E` has `4u·X·W`, and `M` has `4u·|σ|`: more than `2u + u + v`, times `1 + u`. As each feature
//!    has its own |σ| in M, one huge threshold widens no other feature's interval.
//! 3. *Underflow.* `fl32(σ·2^−c)` errs by at most 2⁻¹⁵⁰ more, which M covers. Products with
//!    `2^(c−a−b)` err by at most 2⁻¹⁵⁰ each, which A covers. Where `2^(c−a−b)` itself is below 2⁻¹²⁶,
//!    it errs by at most 2⁻¹⁵⁰, which a shift below 2⁶⁰ makes 2⁻⁹⁰: `P = 2⁻⁶⁰` there adds 2⁻⁸² to A.
//! 4. *Roundings of m*: two more, which the factors `1 + 2⁻¹⁸` (64u) cover.
//!
//! # What is taken for infinite
//! `c` is the exponent of the median shift (0 where that is comfortable). Scaled shifts of at least
//! 2⁶⁰, and infinite thresholds, become ±∞, and so do those of features whose weights are all 0:
//! `s` is their bias. (As bias and θ are binary64 numbers, a sum of products below |σ|/4 does not bring
//! s, rounded, to the other side of θ.) A row's exponent is raised until `2^(c−a−b) ≤ 2⁶⁰`, so that no finite shift
//! overflows; nor is 0·∞ computed, as the bound is not used for a row with infinite shifts
//! ([`Shifts::hold_for`]) unless `2^(c−a−b) ≥ 2⁻¹²⁶` and `2⁶⁰·2^(c−a−b) > 4·X·W`, where the sum of
//! products is below any such shift and what it decides holds.

use super::{COMFORTABLE_EXPONENT, INFLATE, U, V, estimate, power_of_two, round_up};

/// Shifts of at least this, scaled, are taken for infinite.
const FAR: f64 = (1u64 << 60) as f64;
/// A row whose shifts are scaled by less than this has them underflow.
const LEAST_SHIFT_EXPONENT: i32 = -126;

/// The numbers that are added to a feature's screened score in place of its bias: bias less
/// threshold. Each has a margin of its own.
#[derive(Debug, Clone)]
pub struct Shifts {
    /// `fl(σ·2^−c)`, or an infinity, for each feature.
    pub scaled: Vec<f32>,
    /// `M`, for each feature.
    pub margins: Vec<f32>,
    /// `c`.
    pub exponent: i32,
    /// `true` if one of them, or a margin, is infinite.
    pub any_infinite: bool,
}

impl Shifts {
    /// The shifts of features with these biases, thresholds, and norms of weights; a norm of 0 is
    /// that of a feature without any weight, whose score is its bias.
    pub fn new(biases: &[f32], thresholds: &[f64], norms: impl Iterator<Item = f64>) -> Self {
        let features = biases.iter().zip(thresholds);
        let sizes = features.clone().map(|(&b, &t)| (f64::from(b) - t).abs());
        let exponent = shift_exponent(sizes.collect());
        let (scaled, margins): (Vec<_>, Vec<_>) = features
            .zip(norms)
            .map(|((&bias, &threshold), norm)| scaled_shift(bias, threshold, norm, exponent))
            .unzip();
        let any_infinite = scaled.iter().chain(&margins).any(|x| x.is_infinite());
        Self {
            scaled,
            margins,
            exponent,
            any_infinite,
        }
    }

    /// The least exponent of rows, so that shifts stay below 2¹²⁰ in their units.
    pub fn least_row_exponent(&self, weight_exponent: i32) -> i32 {
        self.exponent - weight_exponent - 60
    }

    /// Says how shifts join the scores of rows with exponent `unit` in all, and bounds by how much
    /// they underflow there, as a bias that causes such a margin.
    pub fn in_units(&self, unit: i32) -> (f32, f32) {
        let exponent = self.exponent - unit;
        let underflow = if exponent < LEAST_SHIFT_EXPONENT {
            2f32.powi(-60)
        } else {
            0.0
        };
        (power_of_two(exponent) as f32, underflow)
    }

    /// Says whether no product of a row with this norm, and weights of at most that one, reaches
    /// what is taken for infinite.
    pub fn hold_for(&self, unit: i32, row_norm: f32, largest_norm: f32) -> bool {
        let exponent = self.exponent - unit;
        let far = FAR * power_of_two(exponent);
        !self.any_infinite
            || (exponent >= LEAST_SHIFT_EXPONENT
                && far > 4.0 * f64::from(row_norm) * f64::from(largest_norm))
    }
}

/// `c` for shifts of these sizes.
fn shift_exponent(mut sizes: Vec<f64>) -> i32 {
    sizes.retain(|&size| size != 0.0 && size.is_finite());
    if sizes.is_empty() {
        return 0;
    }
    let middle = sizes.len() / 2;
    let median = *sizes.select_nth_unstable_by(middle, f64::total_cmp).1;
    let exponent = libm::frexp(median).1;
    if exponent.abs() <= COMFORTABLE_EXPONENT {
        0
    } else {
        exponent.clamp(-300, 300)
    }
}

/// A feature's scaled shift, and its margin.
fn scaled_shift(bias: f32, threshold: f64, norm: f64, exponent: i32) -> (f32, f32) {
    let bias = f64::from(bias);
    let (shift, factor) = (bias - threshold, power_of_two(-exponent));
    if norm == 0.0 || (shift * factor).abs() >= FAR {
        // No sum of products matters.
        let sign = if bias > threshold { 1.0 } else { -1.0 };
        return (f32::INFINITY.copysign(sign), 0.0);
    }
    let margin = (4.0 * U * shift.abs() + 4.0 * V * bias.abs()) * INFLATE * factor;
    ((shift * factor) as f32, round_up(margin + 2f64.powi(-149)))
}

/// The interval of a canonical score less its threshold: as [`interval`](super::interval), of a
/// feature with its `(shift, shift margin, norm)`.
#[allow(clippy::inline_always)]
#[inline(always)]
pub fn shifted_interval(
    score: f32,
    (shift, shift_margin, norm): (f32, f32, f32),
    bias_scale: f32,
    margin_scale: f32,
    margin_offset: f32,
) -> (f32, f32) {
    let estimate = estimate(score, shift, bias_scale);
    let margin = margin_scale * norm + margin_offset + shift_margin * bias_scale;
    (estimate - margin, estimate + margin)
}
