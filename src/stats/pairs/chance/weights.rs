//! The weights with which atoms fire as often as they do, on calls of given sizes.
//!
//! Coefficients of G far from the mean of its distribution lose digits, and vanish. But a set's
//! probability, given its size, stays what it is where all weights are multiplied by one factor t.
//! So each size has coefficients of a G whose mean is near it. Sizes within [`REACH`] standard
//! deviations of a mean share one G: about √(largest size)/4 are enough for any sizes. With w·t for
//! w, `[zᵏ⁻ʲ] G/(1 + w·z)ⁱ / [zᵏ] G` is the tilted one times tʲ.
//!
//! Each size counts with its share of the calls, none is rounded. A round takes, for each distinct total
//! and each G, a pass over the coefficients: as many as the largest size and nine standard deviations.

use rayon::prelude::*;

/// Weights are known where each atom's frequency is this near, relatively.
const TOLERANCE: f64 = 1e-13;

/// The nearness that is enough where the weights come no nearer.
const NEAR: f64 = 1e-11;

/// The largest number of rounds. About ten are enough, except for a handful of atoms that nearly
/// always fire.
const ROUNDS: usize = 1000;

/// No step is a smaller part of a whole one.
const LEAST_STEP: f64 = 0.125;

/// The largest number of standard deviations of a size from the mean of its G.
const REACH: f64 = 2.0;

/// No atom's own weight is taken to move its frequency by less than this part of what it does where
/// all calls have sets of one size.
const LEAST_SLOPE: f64 = 0.05;

/// An atom's share in a pair's figures.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Share {
    /// Its weight.
    pub(super) w: f64,
    /// `D(w)`, and its first and second derivative by w.
    pub(super) d: [f64; 3],
}

/// Calls by how many atoms fire on them, of those that take part: each size, ascending, with its share
/// of the calls.
pub(super) type Classes = Vec<(usize, f64)>;

/// The weights with which atoms fire as often as they do, for each of their ascending totals.
///
/// Each round moves the logarithms of the weights by the error of the logarithms of the odds of
/// firing. This is Newton's method without the effect of one atom's weight on another's frequency.
/// That effect is usually little. For a handful of atoms it can be so large that a whole step
/// swings back and forth; then steps are halved.
pub(super) fn weights(totals: &[u64], calls: u64, sizes: &[(usize, f64)]) -> Vec<(u64, Share)> {
    let mut distinct: Vec<(u64, Share)> = Vec::new();
    let mut counts: Vec<usize> = Vec::new();
    for run in totals.chunk_by(|a, b| a == b) {
        let odds = run[0] as f64 / (calls - run[0]) as f64;
        let share = Share {
            w: odds,
            ..Share::default()
        };
        distinct.push((run[0], share));
        counts.push(run.len());
    }
    // Where sizes are alike, the logarithm of an atom's odds moves as that of its weight.
    let alike = is_alike(sizes);
    let (mut step, mut last) = (1.0, f64::INFINITY);
    for _ in 0..ROUNDS {
        let tilts = tilts(&distinct, &counts, sizes);
        let off = distinct.par_iter_mut().map(|(total, share)| {
            let (fires, squares) = fires_by(&tilts, share.w);
            let wanted = *total as f64 / calls as f64;
            // Rounding may put it beyond 1.
            let fires = fires.min(1.0 - f64::EPSILON);
            let odds = (wanted * (1.0 - fires)) / (fires * (1.0 - wanted));
            let slope = (fires - squares) / (fires * (1.0 - fires));
            let slope = if alike {
                1.0
            } else {
                slope.clamp(LEAST_SLOPE, 1.0)
            };
            share.w *= libm::pow(odds, step / slope);
            (fires / wanted - 1.0).abs()
        });
        let off = off.reduce(|| 0.0, f64::max);
        if off < TOLERANCE || off < NEAR && off >= last {
            break;
        }
        if off > last {
            step = (step / 2.0).max(LEAST_STEP);
        }
        last = off;
    }
    let tilts = tilts(&distinct, &counts, sizes);
    distinct.par_iter_mut().for_each(|(_, share)| {
        for tilt in &tilts {
            let once = divided(&tilt.sets, share.w * tilt.t);
            let twice = divided(&once, share.w * tilt.t);
            let thrice = divided(&twice, share.w * tilt.t);
            share.d[0] += tilt.mean(&once, 2);
            share.d[1] -= tilt.mean(&twice, 3);
            share.d[2] += 2.0 * tilt.mean(&thrice, 4);
        }
    });
    distinct
}

/// Says whether sizes differ by no more than one, as where only their mean is known.
fn is_alike(sizes: &[(usize, f64)]) -> bool {
    let ends = sizes.first().zip(sizes.last());
    ends.is_none_or(|((least, _), (most, _))| most - least <= 1)
}

/// The share of calls on which an atom of weight w fires, and the mean over calls of its probability's
/// square.
fn fires_by(tilts: &[Tilt<'_>], w: f64) -> (f64, f64) {
    let (mut fires, mut squares) = (0.0, 0.0);
    for tilt in tilts {
        let w = w * tilt.t;
        let others = divided(&tilt.sets, w);
        fires += tilt.mean_of(&others, 1, |of_size| of_size) * w;
        squares += tilt.mean_of(&others, 1, |of_size| of_size * of_size) * (w * w);
    }
    (fires, squares)
}

/// A G whose mean is near some sizes.
struct Tilt<'a> {
    /// The factor by which all weights are multiplied.
    t: f64,
    /// The coefficients of G in units of Π(1 + w·t): the distribution of the number of atoms that fire
    /// where each does on its own, with odds w·t.
    sets: Vec<f64>,
    /// The sizes, with their shares of the calls.
    sizes: &'a [(usize, f64)],
}

/// A few G that together are near all sizes.
fn tilts<'a>(
    distinct: &[(u64, Share)],
    counts: &[usize],
    sizes: &'a [(usize, f64)],
) -> Vec<Tilt<'a>> {
    let ws: Vec<(f64, usize)> = (distinct.iter().map(|(_, share)| share.w))
        .zip(counts.iter().copied())
        .collect();
    let of = |(t, sizes): (f64, &'a [(usize, f64)])| Tilt {
        t,
        sets: independent(&ws, t, sizes),
        sizes,
    };
    if is_alike(sizes) {
        return vec![of((1.0, sizes))];
    }
    let mut parts = Vec::new();
    let mut left = sizes;
    while let Some(&(least, _)) = left.first() {
        let (t, reached) = tilt_from(&ws, least);
        let count = left.partition_point(|&(size, _)| size as f64 <= reached);
        let (near, more) = left.split_at(count.max(1));
        parts.push((t, near));
        left = more;
    }
    parts.into_par_iter().map(of).collect()
}

/// The factor that puts the mean [`REACH`] standard deviations above a size, and the size that lies as
/// far above the mean.
fn tilt_from(ws: &[(f64, usize)], least: usize) -> (f64, f64) {
    let atoms: usize = ws.iter().map(|(_, count)| count).sum();
    let most = atoms as f64 - 0.5;
    let deviation = |t: f64| variance(ws, t).sqrt();
    let at = tilted_to(ws, (least as f64).min(most));
    let mean = (least as f64 + REACH * deviation(at)).min(most);
    let t = tilted_to(ws, mean);
    (t, mean + REACH * deviation(t))
}

/// The factor with which atoms that fire on their own fire `mean` at a time.
fn tilted_to(ws: &[(f64, usize)], mean: f64) -> f64 {
    let atoms = |t: f64| {
        let each = ws
            .iter()
            .map(|&(w, count)| count as f64 * (w * t / (1.0 + w * t)));
        each.sum::<f64>()
    };
    // Any factor gives the right answer, and a near one gives all digits.
    let (mut low, mut high) = (-200.0, 200.0);
    for _ in 0..40 {
        let middle = f64::midpoint(low, high);
        if atoms(libm::exp(middle)) < mean {
            low = middle;
        } else {
            high = middle;
        }
    }
    libm::exp(high)
}

/// Computes the variance of the number of atoms that fire if each fires on its own.
fn variance(ws: &[(f64, usize)], t: f64) -> f64 {
    let each = ws.iter().map(|&(w, count)| {
        let w = w * t;
        count as f64 * w / ((1.0 + w) * (1.0 + w))
    });
    each.sum()
}

/// The distribution of the number of atoms that fire where each does on its own, with odds w·t.
/// Coefficients are there as far as they bear on those of the sizes: nine standard deviations.
fn independent(ws: &[(f64, usize)], t: f64, sizes: &[(usize, f64)]) -> Vec<f64> {
    let atoms: usize = ws.iter().map(|(_, count)| count).sum();
    let far = (9.0 * variance(ws, t).sqrt()).ceil() as usize + 16;
    let largest = sizes.last().map_or(0, |&(size, _)| size);
    let most = atoms.min(largest + far);
    // A place before the first, which is always 0.
    let mut now = vec![0.0; most + 2];
    let mut next = now.clone();
    now[1] = 1.0;
    let mut taken = 0;
    for &(w, count) in ws {
        let w = w * t;
        let (fires, silent) = (w / (1.0 + w), 1.0 / (1.0 + w));
        for _ in 0..count {
            taken = (taken + 1).min(most);
            let pairs = now[..taken + 2].windows(2);
            for (next, pair) in next[1..taken + 2].iter_mut().zip(pairs) {
                *next = pair[1] * silent + pair[0] * fires;
            }
            std::mem::swap(&mut now, &mut next);
        }
    }
    now.remove(0);
    now
}

impl Tilt<'_> {
    /// `[zᵏ⁻ʲ]` of a series by `[zᵏ] G`, without the tilt, summed over the sizes k with their shares.
    fn mean(&self, series: &[f64], j: usize) -> f64 {
        let power = (0..j).fold(1.0, |power, _| power * self.t);
        self.mean_of(series, j, |of_size| of_size) * power
    }

    /// The same of a function of what each size has, tilted.
    fn mean_of(&self, series: &[f64], j: usize, function: impl Fn(f64) -> f64) -> f64 {
        // Of a size that no call has there may be no coefficient.
        let there = self
            .sizes
            .iter()
            .filter(|(size, share)| *share > 0.0 && *size >= j);
        let of_size =
            |&(size, share): &(usize, f64)| share * function(series[size - j] / self.sets[size]);
        there.map(of_size).sum()
    }
}

/// The coefficients of a series divided by 1 + w·z. Up from the first one where w is at most 1, down
/// from beyond the last otherwise: either way what rounding adds to one adds less to the next.
fn divided(series: &[f64], w: f64) -> Vec<f64> {
    let mut quotient = vec![0.0; series.len()];
    let mut last = 0.0;
    if w <= 1.0 {
        for (quotient, &coefficient) in quotient.iter_mut().zip(series) {
            last = coefficient - w * last;
            *quotient = last;
        }
    } else {
        for at in (1..series.len()).rev() {
            last = (series[at] - last) / w;
            quotient[at - 1] = last;
        }
    }
    quotient
}
