//! Certified selection of a block of rows, fused behind the screen's product.
//!
//! Scores come in tiles of features, `scores[f * stride + r]`: neighbours in memory are rows, so
//! that every step below works on many rows at once.
//!
//! ```text
//! for every tile, while it is in cache:
//!     1. group maxima   features are dealt into G ≥ k groups; the largest lower bound of each
//!     2. threshold      τ = the k-th largest group maximum, or little less: k atoms, one a
//!                       group, have lower bounds of τ or more, so that an atom whose upper
//!                       bound is below τ cannot fire
//!     3. filter         atoms with upper bound ≥ τ become candidates
//! then for every row:
//!     4. settle         L = k-th largest lower bound, H = (k+1)-th largest upper bound;
//!                       lower > H fires, upper < L does not, the rest is scored canonically
//! ```
//!
//! τ only rises, so that what an early tile let through is a superset of what the last τ would.
//! With G = 4k groups some 1.15·k atoms a row pass the last one, whatever the scores look like:
//! no prediction is made that could fail.

use super::screen::ScreenModel;
use crate::engine::bound::RowMargin;
use crate::engine::simd::{Simd, for_each_simd};

/// Rows are handled in groups of so many; strides are multiples of it.
pub(super) const ROW_LANES: usize = 16;

/// An atom that may fire, and between what its score lies, in the row's screening units.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    atom: u32,
    lower: f32,
    upper: f32,
}

/// What the screen's bound says of a row.
pub(super) enum Verdict {
    /// The certain atoms are the firing set, all k of them.
    Certified,
    /// Besides the certain atoms, so many of the ambiguous ones fire as are missing to k.
    Ambiguous,
    /// Too many candidates for the buffer: the row must be scored in full.
    Overflow,
}

/// The state of selection for one block of rows, reused from block to block.
#[derive(Default)]
pub(super) struct Selection {
    k: usize,
    stride: usize,
    groups: usize,
    most_candidates: usize,
    margin_scale: Vec<f32>,
    margin_offset: Vec<f32>,
    bias_scale: Vec<f32>,
    threshold: Vec<f32>,
    /// `maxima[g * stride + r]`.
    maxima: Vec<f32>,
    candidates: Vec<Vec<Candidate>>,
    overflowed: Vec<bool>,
    hits: Vec<u32>,
    bisection: Bisection,
    raised: Vec<f32>,
    scratch: Vec<f32>,
    /// Atoms of the row last settled that fire for certain.
    pub(super) certain: Vec<u32>,
    /// Atoms of the row last settled that the bound leaves open.
    pub(super) ambiguous: Vec<u32>,
}

/// How many groups features are dealt into.
pub(super) fn group_count(k: usize, features: usize) -> usize {
    (4 * k).max(64).min(features)
}

impl Selection {
    /// Prepares for a block of `rows` rows of a model with `features` features.
    pub(super) fn begin(&mut self, rows: usize, features: usize, k: usize) {
        self.k = k;
        self.stride = rows.next_multiple_of(ROW_LANES);
        self.groups = group_count(k, features);
        self.most_candidates = (8 * k).max(2048).min(features);
        for (numbers, value) in [
            (&mut self.margin_scale, 0.0),
            (&mut self.margin_offset, 0.0),
            (&mut self.bias_scale, 0.0),
            // A row that is only there to fill the stride lets nothing through.
            (&mut self.threshold, f32::INFINITY),
        ] {
            numbers.clear();
            numbers.resize(self.stride, value);
        }
        self.threshold[..rows].fill(f32::NEG_INFINITY);
        self.maxima.clear();
        self.maxima
            .resize(self.groups * self.stride, f32::NEG_INFINITY);
        self.candidates.resize_with(self.stride, Vec::new);
        self.candidates.iter_mut().for_each(Vec::clear);
        self.overflowed.clear();
        self.overflowed.resize(rows, false);
    }

    /// The distance between two features' scores in a tile.
    pub(super) fn stride(&self) -> usize {
        self.stride
    }

    /// Sets row `r`'s margin, from its exponent and the norm of its scaled numbers.
    pub(super) fn set_row(
        &mut self,
        r: usize,
        model: &ScreenModel,
        dim: usize,
        exponent: i32,
        norm: f32,
    ) {
        let bias = model.row_bias(exponent);
        let margin = RowMargin::new(dim, norm, bias.largest);
        self.bias_scale[r] = bias.scale;
        self.margin_scale[r] = margin.scale;
        self.margin_offset[r] = margin.offset;
    }

    /// Takes in the scores of features `first..` of all rows.
    pub(super) fn take_tile(
        &mut self,
        simd: Simd,
        model: &ScreenModel,
        first: usize,
        scores: &[f32],
    ) {
        let features = scores.len() / self.stride;
        let biases = &model.biases[first..first + features];
        let norms = &model.norms[first..first + features];
        raise_maxima(
            simd,
            scores,
            self.stride,
            biases,
            norms,
            &self.bias_scale,
            &self.margin_scale,
            &self.margin_offset,
            first,
            &mut self.maxima,
        );
        self.raise_thresholds(simd);
        let tile = Tile {
            first,
            scores,
            biases,
            norms,
        };
        self.filter(simd, &tile);
    }

    /// τ of every row: the k-th largest of its group maxima, or little less.
    fn raise_thresholds(&mut self, simd: Simd) {
        self.raised.resize(self.stride, 0.0);
        kth_largest_or_less(
            simd,
            &self.maxima,
            self.k,
            &mut self.bisection,
            &mut self.raised,
        );
        for (r, &overflowed) in self.overflowed.iter().enumerate() {
            if !overflowed {
                self.threshold[r] = self.threshold[r].max(self.raised[r]);
            }
        }
    }

    /// Collects the atoms of a tile whose upper bound reaches their row's threshold.
    fn filter(&mut self, simd: Simd, tile: &Tile) {
        let mut hits = std::mem::take(&mut self.hits);
        hits.clear();
        find_reached(
            simd,
            tile.scores,
            self.stride,
            tile.biases,
            tile.norms,
            &self.bias_scale,
            &self.margin_scale,
            &self.margin_offset,
            &self.threshold,
            &mut hits,
        );
        for &hit in &hits {
            let (f, r) = (hit as usize / self.stride, hit as usize % self.stride);
            let estimate = tile.scores[hit as usize] + tile.biases[f] * self.bias_scale[r];
            let margin = self.margin_scale[r] * tile.norms[f] + self.margin_offset[r];
            let (lower, upper) = (estimate - margin, estimate + margin);
            self.push(
                r,
                Candidate {
                    atom: (tile.first + f) as u32,
                    lower,
                    upper,
                },
            );
        }
        self.hits = hits;
    }

    /// Adds a candidate. The buffer is bounded: where even those that the risen threshold leaves
    /// would fill more than half of it, the row will be scored in full, and counted.
    fn push(&mut self, r: usize, candidate: Candidate) {
        let candidates = &mut self.candidates[r];
        if candidates.len() == self.most_candidates {
            let threshold = self.threshold[r];
            candidates.retain(|c| c.upper >= threshold);
            if candidates.len() > self.most_candidates / 2 {
                self.overflowed[r] = true;
                self.threshold[r] = f32::INFINITY;
                return;
            }
        }
        candidates.push(candidate);
    }

    /// Splits row `r`'s candidates into certain, impossible and ambiguous.
    pub(super) fn settle(&mut self, r: usize) -> Verdict {
        if self.overflowed[r] {
            return Verdict::Overflow;
        }
        let k = self.k;
        let candidates = &self.candidates[r];
        self.certain.clear();
        self.ambiguous.clear();
        if candidates.len() == k {
            self.certain.extend(candidates.iter().map(|c| c.atom));
            return Verdict::Certified;
        }
        self.scratch.clear();
        self.scratch.extend(candidates.iter().map(|c| c.lower));
        let lowest_in = kth_largest(&mut self.scratch, k - 1);
        self.scratch.clear();
        self.scratch.extend(candidates.iter().map(|c| c.upper));
        // An atom that is no candidate has an upper bound below the threshold.
        let highest_out = kth_largest(&mut self.scratch, k).max(self.threshold[r]);
        for c in candidates {
            if c.lower > highest_out {
                self.certain.push(c.atom);
            } else if c.upper >= lowest_in {
                self.ambiguous.push(c.atom);
            }
        }
        if self.certain.len() + self.ambiguous.len() == k {
            self.certain.append(&mut self.ambiguous);
            return Verdict::Certified;
        }
        Verdict::Ambiguous
    }
}

/// Some features' scores, with what the bound knows of these features.
struct Tile<'a> {
    first: usize,
    scores: &'a [f32],
    biases: &'a [f32],
    norms: &'a [f32],
}

/// The element that `index` others precede in descending order.
fn kth_largest(numbers: &mut [f32], index: usize) -> f32 {
    *numbers
        .select_nth_unstable_by(index, |a, b| b.total_cmp(a))
        .1
}

for_each_simd! {
    /// Raises each row's group maxima to the lower bounds of a tile's features.
    fn raise_maxima(
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
        for ((scores, bias), norm) in scores.chunks_exact(stride).zip(biases).zip(norms) {
            let maxima = &mut maxima[group * stride..][..stride];
            let rows = scores.iter().zip(bias_scale).zip(margin_scale).zip(margin_offset);
            for (max, (((score, bias_scale), margin_scale), margin_offset)) in maxima.iter_mut().zip(rows) {
                let estimate = score + bias * bias_scale;
                let lower = estimate - (margin_scale * norm + margin_offset);
                *max = if lower > *max { lower } else { *max };
            }
            group += 1;
            if group == groups {
                group = 0;
            }
        }
    }
}

/// Steps of bisection between the smallest and the largest group maximum: what is left of the
/// interval is below a thousandth of the score, and whatever is left is on the safe side.
const BISECTIONS: usize = 16;

for_each_simd! {
    /// For each row a number that at least `k` of its group maxima reach, by bisection on the
    /// order of the floats' bits: close to the k-th largest, and never above it.
    fn kth_largest_or_less(maxima: &[f32], k: usize, work: &mut Bisection, out: &mut [f32]) {
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
struct Bisection {
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

for_each_simd! {
    /// Appends the places in `scores` whose upper bound reaches their row's threshold.
    fn find_reached(
        scores: &[f32],
        stride: usize,
        biases: &[f32],
        norms: &[f32],
        bias_scale: &[f32],
        margin_scale: &[f32],
        margin_offset: &[f32],
        threshold: &[f32],
        hits: &mut Vec<u32>,
    ) {
        let (bias_scale, _) = bias_scale.as_chunks::<ROW_LANES>();
        let (margin_scale, _) = margin_scale.as_chunks::<ROW_LANES>();
        let (margin_offset, _) = margin_offset.as_chunks::<ROW_LANES>();
        let (threshold, _) = threshold.as_chunks::<ROW_LANES>();
        let mut place = 0u32;
        for ((scores, &bias), &norm) in scores.chunks_exact(stride).zip(biases).zip(norms) {
            let rows = scores.as_chunks::<ROW_LANES>().0.iter().zip(bias_scale);
            let margins = margin_scale.iter().zip(margin_offset).zip(threshold);
            for ((scores, bias_scale), ((margin_scale, margin_offset), threshold)) in rows.zip(margins) {
                let mut mask = 0u32;
                for l in 0..ROW_LANES {
                    let estimate = scores[l] + bias * bias_scale[l];
                    let upper = estimate + (margin_scale[l] * norm + margin_offset[l]);
                    mask |= u32::from(upper >= threshold[l]) << l;
                }
                while mask != 0 {
                    hits.push(place + mask.trailing_zeros());
                    mask &= mask - 1;
                }
                place += ROW_LANES as u32;
            }
        }
    }
}
