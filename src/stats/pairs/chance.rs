//! How often two atoms fire together by chance, where each call has but k places.
//!
//! Atoms with nothing to do with one another still compete for the k places of a call: they fire
//! together less often than independent ones would, the less the smaller k is. What is left of chance
//! then is a set of atoms drawn for each call with its size fixed and every atom as frequent as it is:
//! conditional Bernoulli sampling, the distribution of largest entropy with these frequencies (Chen,
//! Dempster & Liu, Biometrika 81, 1994). A set's probability is in proportion to the product of its
//! atoms' weights w; with G(z) = Π(1 + w·z) over all atoms and `[zᵐ]` a coefficient of a power series,
//!
//! ```text
//! P(a fires)       = w_a·[zᵏ⁻¹] G/(1 + w_a·z)                    / [zᵏ] G
//! P(a and b fire)  = w_a·w_b·[zᵏ⁻²] G/((1 + w_a·z)·(1 + w_b·z))  / [zᵏ] G
//! ```
//!
//! and the second follows from each atom's own `D(w) = [zᵏ⁻²] G/(1 + w·z) / [zᵏ] G`, since
//! `1/((1 + wz)(1 + vz)) = (w/(1 + wz) − v/(1 + vz))/(w − v)`: so all pairs take a few operations each.

use rayon::prelude::*;

/// Weights are known where each atom's frequency is this near, relatively.
const TOLERANCE: f64 = 1e-13;

/// And where they come no nearer.
const NEAR: f64 = 1e-11;

/// At most so many rounds. Some ten are enough, but for a handful of atoms that nearly always fire.
const ROUNDS: usize = 1000;

/// No step is a smaller part of a whole one.
const LEAST_STEP: f64 = 0.125;

/// Weights this close, relatively, have their difference quotient by a series instead: a subtraction
/// would lose digits, and the series' next term is below 10⁻¹¹ of the first.
const CLOSE: f64 = 0.01;

/// Atoms' firing by chance, on calls of a group.
#[derive(Debug, Clone)]
pub(super) struct Chance {
    calls: u64,
    fires: Vec<u64>,
    /// Of each atom; `None` where it fires on no call or on all, or no other set could have been.
    atoms: Option<Vec<Share>>,
}

/// An atom's share in a pair's figures.
#[derive(Debug, Clone, Copy, Default)]
struct Share {
    /// Its weight.
    w: f64,
    /// `D(w)`, and its first and second derivative by w.
    d: [f64; 3],
}

/// Calls by how many atoms fire on them, of those that fire on some calls and not on all: a size, and
/// its share of the calls.
type Sizes = [(usize, f64); 2];

impl Chance {
    /// Of atoms that fire on so many of the calls each. All calls' sets are of one size, which follows;
    /// where they are not, of the two sizes next to the mean.
    pub(super) fn of(calls: u64, fires: &[u64]) -> Self {
        let varies = |&fires: &u64| fires > 0 && fires < calls;
        let mut totals: Vec<u64> = fires.iter().copied().filter(varies).collect();
        totals.sort_unstable();
        let (count, sum) = (totals.len(), totals.iter().sum::<u64>());
        let chance = |atoms| Self {
            calls,
            fires: fires.to_vec(),
            atoms,
        };
        // Where one atom fires on a call, or all but one do, no pair's count could be another.
        if sum <= calls || sum + calls >= count as u64 * calls {
            return chance(None);
        }
        let more = (sum % calls) as f64 / calls as f64;
        let size = (sum / calls) as usize;
        let distinct = weights(&totals, calls, &[(size, 1.0 - more), (size + 1, more)]);
        let of_atom = |fires: &u64| {
            let known = distinct.binary_search_by_key(fires, |&(total, _)| total);
            known.map_or_else(|_| Share::default(), |at| distinct[at].1)
        };
        chance(Some(fires.iter().map(of_atom).collect()))
    }

    /// Share of the calls on which both atoms fire by chance; NaN without calls.
    pub(super) fn both(&self, a: u32, b: u32) -> f64 {
        let [of_a, of_b] = [a, b].map(|atom| self.fires[atom as usize]);
        let share = |fires: u64| fires as f64 / self.calls as f64;
        match &self.atoms {
            _ if of_a == self.calls || of_b == self.calls => share(of_a.min(of_b)),
            _ if of_a == 0 || of_b == 0 => 0.0,
            // One atom a call, or all but one.
            None => share((of_a + of_b).saturating_sub(self.calls)),
            Some(atoms) => both(&atoms[a as usize], &atoms[b as usize]),
        }
    }

    /// The odds ratio of two atoms' firing: below 1, and nearer to it the more places there are; `None`
    /// where their count could not be another.
    pub(super) fn odds_ratio(&self, a: u32, b: u32) -> Option<f64> {
        let atoms = self.atoms.as_ref()?;
        let [of_a, of_b] = [a, b].map(|atom| self.fires[atom as usize]);
        if [0, self.calls].iter().any(|end| [of_a, of_b].contains(end)) {
            return None;
        }
        let both = both(&atoms[a as usize], &atoms[b as usize]);
        let [a, b] = [of_a, of_b].map(|fires| fires as f64 / self.calls as f64);
        let (smaller, larger) = if a < b { (a, b) } else { (b, a) };
        let neither = (1.0 - larger) - (smaller - both);
        let odds_ratio = both * neither / ((a - both) * (b - both));
        (odds_ratio > 0.0).then_some(odds_ratio)
    }

    /// Whether chance leaves any pair's count open.
    pub(super) fn is_open(&self) -> bool {
        self.atoms.is_some()
    }
}

/// P(both fire), of two atoms; the same bits in either order.
fn both(a: &Share, b: &Share) -> f64 {
    let (a, b) = if a.w < b.w { (a, b) } else { (b, a) };
    let gap = b.w - a.w;
    let quotient = if gap <= CLOSE * b.w {
        // The trapezoid's rule of D', with its correction.
        f64::midpoint(a.d[1], b.d[1]) - gap * (b.d[2] - a.d[2]) / 12.0
    } else {
        (b.d[0] - a.d[0]) / gap
    };
    a.w * b.w * (a.d[0] + b.w * quotient)
}

/// The weights with which atoms fire as often as they do, for each of their ascending totals.
///
/// Each round moves the logarithms of the weights by what the logarithms of the odds of firing are
/// off: Newton's method, but for what one atom's weight does to another's frequency. That is little,
/// or, of a handful of atoms, so much that a whole step swings back and forth: then steps are halved.
fn weights(totals: &[u64], calls: u64, sizes: &Sizes) -> Vec<(u64, Share)> {
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
    let (mut step, mut last) = (1.0, f64::INFINITY);
    for _ in 0..ROUNDS {
        let ws = distinct.iter().map(|(_, share)| share.w);
        let sets = Sets::of(ws.zip(counts.iter().copied()), sizes);
        let off = distinct.par_iter_mut().map(|(total, share)| {
            let others = divided(&sets.0, share.w);
            let fires = sets.mean(&others, 1, sizes) * share.w;
            let wanted = *total as f64 / calls as f64;
            // Rounding may put it beyond 1.
            let fires = fires.min(1.0 - f64::EPSILON);
            let odds = (wanted * (1.0 - fires)) / (fires * (1.0 - wanted));
            share.w *= libm::pow(odds, step);
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
    let ws = distinct.iter().map(|(_, share)| share.w);
    let sets = Sets::of(ws.zip(counts.iter().copied()), sizes);
    distinct.par_iter_mut().for_each(|(_, share)| {
        let once = divided(&sets.0, share.w);
        let twice = divided(&once, share.w);
        let thrice = divided(&twice, share.w);
        share.d = [
            sets.mean(&once, 2, sizes),
            -sets.mean(&twice, 3, sizes),
            2.0 * sets.mean(&thrice, 4, sizes),
        ];
    });
    distinct
}

/// The coefficients of G in units of Π(1 + w): the distribution of the number of atoms that fire where
/// each does on its own, with odds w.
struct Sets(Vec<f64>);

impl Sets {
    /// Of weights, each of so many atoms. Coefficients are there as far as they bear on those of the
    /// sizes: nine standard deviations.
    fn of(atoms: impl Iterator<Item = (f64, usize)> + Clone, sizes: &Sizes) -> Self {
        let count: usize = atoms.clone().map(|(_, count)| count).sum();
        let variance: f64 = atoms
            .clone()
            .map(|(w, count)| count as f64 * w / ((1.0 + w) * (1.0 + w)))
            .sum();
        let far = (9.0 * variance.sqrt()).ceil() as usize + 16;
        let most = count.min(sizes[1].0 + far);
        // A place before the first, which is always 0.
        let mut now = vec![0.0; most + 2];
        let mut next = now.clone();
        now[1] = 1.0;
        let mut taken = 0;
        for (w, count) in atoms {
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
        Self(now)
    }

    /// `[zᵏ⁻ʲ]` of a series by `[zᵏ] G`, the mean over the sizes k.
    fn mean(&self, series: &[f64], j: usize, sizes: &Sizes) -> f64 {
        // Of a size that no call has there may be no coefficient.
        let there = sizes
            .iter()
            .filter(|(size, share)| *share > 0.0 && *size >= j);
        let of_size = |&(size, share): &(usize, f64)| share * series[size - j] / self.0[size];
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

#[cfg(test)]
#[path = "chance_tests.rs"]
mod tests;
