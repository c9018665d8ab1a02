//! The passes of selection over a tile of scores, many rows at once.
//!
//! A tile is `scores[f * stride + r]`; what is known of rows is indexed by `r`, what is known of
//! features by `f`. The bounds of a score are [`interval`]'s, or [`shifted_interval`]'s.

use crate::engine::bound::{estimate, interval, shifted_interval};
use crate::engine::simd::for_each_simd;

/// Rows are handled in groups of so many, which strides have room for.
pub(super) const ROW_LANES: usize = 32;

for_each_simd! {
    /// Raises each row's group maxima to the lower bounds of a tile's features.
    pub(super) fn raise_maxima(
        scores: &[f32],
        stride: usize,
        biases: &[f32],
        norms: &[f32],
        bias_scale: &[f32],
        margin_scale: &[f32],
        margin_offset: &[f32],
        first: usize,
        maxima: &mut [f32],
    ) {
        let groups = maxima.len() / stride;
        let mut group = first % groups;
        for ((scores, &bias), &norm) in scores.chunks_exact(stride).zip(biases).zip(norms) {
            let maxima = &mut maxima[group * stride..][..stride];
            let rows = scores.iter().zip(bias_scale).zip(margin_scale).zip(margin_offset);
            for (max, (((&score, &bias_scale), &scale), &offset)) in maxima.iter_mut().zip(rows) {
                let (lower, _) = interval(score, bias, norm, bias_scale, scale, offset);
                *max = if lower > *max { lower } else { *max };
            }
            group += 1;
            if group == groups {
                group = 0;
            }
        }
    }
}

/// Steps of bisection between the smallest and the largest group maximum. Where these are within
/// a factor of four, 2⁻¹¹ of the score is left of the interval; whatever is left is on the safe
/// side.
const BISECTIONS: usize = 12;

for_each_simd! {
    /// Finds for each row a number that at least `k` of its group maxima reach, by bisection on the
    /// order of the floats' bits: close to the k-th largest, and never above it.
    pub(super) fn kth_largest_or_less(maxima: &[f32], k: usize, work: &mut Bisection, out: &mut [f32]) {
        let stride = out.len();
        let Bisection { keys, low, high, middle, reach } = work;
        keys.clear();
        keys.extend(maxima.iter().map(|&x| order_key(x)));
        low.clear();
        low.resize(stride, i32::MAX);
        high.clear();
        high.resize(stride, i32::MIN);
        middle.resize(stride, 0);
        reach.resize(stride, 0);
        for keys in keys.chunks_exact(stride) {
            for ((&key, low), high) in keys.iter().zip(low.iter_mut()).zip(high.iter_mut()) {
                *low = key.min(*low);
                *high = key.max(*high);
            }
        }
        for _ in 0..BISECTIONS {
            for ((middle, &low), &high) in middle.iter_mut().zip(&*low).zip(&*high) {
                *middle = (low & high) + ((low ^ high) >> 1);
            }
            reach.fill(0);
            for keys in keys.chunks_exact(stride) {
                for ((&key, &middle), reach) in keys.iter().zip(&*middle).zip(reach.iter_mut()) {
                    *reach += i32::from(key >= middle);
                }
            }
            let bounds = low.iter_mut().zip(high.iter_mut());
            for ((low, high), (&middle, &reach)) in bounds.zip(middle.iter().zip(&*reach)) {
                // At least k reach `low`: true of the smallest, and kept true.
                let enough = reach as usize >= k;
                *low = if enough { middle } else { *low };
                *high = if enough { *high } else { middle };
            }
        }
        for (out, &low) in out.iter_mut().zip(&*low) {
            *out = f32::from_bits(order_key(f32::from_bits(low.cast_unsigned())).cast_unsigned());
        }
    }
}

/// The buffers of [`kth_largest_or_less`].
#[derive(Default)]
pub(super) struct Bisection {
    keys: Vec<i32>,
    low: Vec<i32>,
    high: Vec<i32>,
    middle: Vec<i32>,
    reach: Vec<i32>,
}

/// An integer that orders floats as they order (−0 below +0); its own inverse on bits.
#[allow(clippy::inline_always)]
#[inline(always)]
fn order_key(x: f32) -> i32 {
    let bits = x.to_bits().cast_signed();
    bits ^ ((bits >> 31) & i32::MAX)
}

/// Flags in a word, one byte a row.
const FLAGS: usize = 8;

/// Appends the places of a feature's flags that are set, counted from `first`. Few are, and words of
/// them are looked at.
#[allow(clippy::inline_always)]
#[inline(always)]
fn push_flagged(flags: &[u8], first: u32, hits: &mut Vec<u32>) {
    for (word, first) in flags
        .as_chunks::<FLAGS>()
        .0
        .iter()
        .zip((first..).step_by(FLAGS))
    {
        let mut word = u64::from_le_bytes(*word);
        while word != 0 {
            hits.push(first + word.trailing_zeros() / 8);
            word &= word - 1;
        }
    }
}

for_each_simd! {
    /// Appends the places in `scores` whose upper bound reaches their row's threshold. `flags` is
    /// scratch.
    pub(super) fn find_reached(
        scores: &[f32],
        stride: usize,
        biases: &[f32],
        norms: &[f32],
        bias_scale: &[f32],
        margin_scale: &[f32],
        margin_offset: &[f32],
        threshold: &[f32],
        flags: &mut Vec<u8>,
        hits: &mut Vec<u32>,
    ) {
        flags.resize(stride, 0);
        let mut place = 0u32;
        for ((scores, &bias), &norm) in scores.chunks_exact(stride).zip(biases).zip(norms) {
            // A byte a row, without a branch.
            let rows = scores.iter().zip(bias_scale).zip(margin_scale.iter().zip(margin_offset));
            for ((flag, threshold), ((&score, &bias_scale), (&scale, &offset))) in
                flags.iter_mut().zip(threshold).zip(rows)
            {
                let (_, upper) = interval(score, bias, norm, bias_scale, scale, offset);
                *flag = u8::from(upper >= *threshold);
            }
            push_flagged(flags, place, hits);
            place += stride as u32;
        }
    }
}

for_each_simd! {
    /// The same by [`shifted_interval`]: `shifts` have margins of their own.
    pub(super) fn find_shifted_reached(
        scores: &[f32],
        stride: usize,
        shifts: &[f32],
        shift_margins: &[f32],
        norms: &[f32],
        bias_scale: &[f32],
        margin_scale: &[f32],
        margin_offset: &[f32],
        threshold: &[f32],
        flags: &mut Vec<u8>,
        hits: &mut Vec<u32>,
    ) {
        flags.resize(stride, 0);
        let mut place = 0u32;
        let features = shifts.iter().zip(shift_margins).zip(norms);
        for (scores, ((&shift, &shift_margin), &norm)) in scores.chunks_exact(stride).zip(features) {
            let rows = scores.iter().zip(bias_scale).zip(margin_scale.iter().zip(margin_offset));
            for ((flag, threshold), ((&score, &bias_scale), (&scale, &offset))) in
                flags.iter_mut().zip(threshold).zip(rows)
            {
                let feature = (shift, shift_margin, norm);
                let (_, upper) = shifted_interval(score, feature, bias_scale, scale, offset);
                *flag = u8::from(upper >= *threshold);
            }
            push_flagged(flags, place, hits);
            place += stride as u32;
        }
    }
}

for_each_simd! {
    /// Replaces scores by the magnitudes of their estimates, so that a bias of 0 is what is left to
    /// add to them.
    pub(super) fn take_magnitudes(
        scores: &mut [f32],
        stride: usize,
        biases: &[f32],
        bias_scale: &[f32],
    ) {
        for (scores, &bias) in scores.chunks_exact_mut(stride).zip(biases) {
            for (score, &bias_scale) in scores.iter_mut().zip(bias_scale) {
                *score = estimate(*score, bias, bias_scale).abs();
            }
        }
    }
}
