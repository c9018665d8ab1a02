//! The number of calls on which two atoms fire together by chance, where each call's firing set has
//! its own size.
//!
//! Atoms with nothing to do with one another still compete for the k places of a call. They fire
//! together less often than independent ones would, the less the smaller k is. And where some calls
//! have large sets and others small ones, all atoms fire together on the large ones. What is left
//! of chance is a set of atoms drawn for each call, with its size fixed and every atom as frequent
//! as it is. This is conditional Bernoulli sampling, the distribution of largest entropy with these
//! sizes and frequencies (Chen, Dempster & Liu, Biometrika 81, 1994). A set's probability is in
//! proportion to the product of its atoms' weights w, which are the same for all calls. Let G(z) =
//! Π(1 + w·z) over all atoms, and let `[zᵐ]` be a coefficient of a power series. Then on a call of
//! size k
//!
//! ```text
//! P(a fires)       = w_a·[zᵏ⁻¹] G/(1 + w_a·z)                    / [zᵏ] G
//! P(a and b fire)  = w_a·w_b·[zᵏ⁻²] G/((1 + w_a·z)·(1 + w_b·z))  / [zᵏ] G
//! ```
//!
//! and the second follows from each atom's own `D(w) = [zᵏ⁻²] G/(1 + w·z) / [zᵏ] G`, since
//! `1/((1 + wz)(1 + vz)) = (w/(1 + wz) − v/(1 + vz))/(w − v)`. So all pairs take a few operations
//! each. Where calls have several sizes, D is the mean over them.
//!
//! | file | what it does |
//! |---|---|
//! | `core` | the calls and atoms that chance leaves open: no empty set, no full one |
//! | `weights` | the weights, from how often each atom fires |

mod core;
mod weights;

use self::core::Core;
use self::weights::{Share, weights};
use super::sizes::Sizes;

/// Weights this close, relatively, have their difference quotient by a series instead: a subtraction
/// would lose digits, and the series' next term is below 10⁻¹¹ of the first.
const CLOSE: f64 = 0.01;

/// Atoms' firing by chance, on calls of a group.
#[derive(Debug, Clone)]
pub(super) struct Chance {
    calls: u64,
    fires: Vec<u64>,
    core: Core,
    /// The share of each atom; `None` where no other sets of the core's calls could have been.
    atoms: Option<Vec<Share>>,
}

/// A pair's table on the calls that chance leaves open.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Open {
    /// The calls.
    pub(super) calls: u64,
    /// The number of these on which each of the two atoms fires, and on which both do.
    pub(super) fires: [u64; 2],
    pub(super) both: u64,
    /// The odds ratio of the two atoms' firing by chance.
    pub(super) odds_ratio: f64,
}

impl Chance {
    /// Finds what chance leaves open for atoms that fire on `fires` of the calls each. The sets of
    /// the calls have these `sizes`. If the sizes are not known, all sets have the same size, which
    /// follows, or one of the two sizes next to the mean.
    pub(super) fn of(calls: u64, fires: &[u64], sizes: Option<&Sizes>) -> Self {
        let core = Core::of(calls, fires, sizes);
        let totals = core.totals(fires);
        let (count, sum) = (totals.len() as u64, totals.iter().sum::<u64>());
        let chance = |core, atoms| Self {
            calls,
            fires: fires.to_vec(),
            core,
            atoms,
        };
        // Where one atom fires on a call, or all but one do, no pair's count could be another.
        if sum <= core.calls || sum + core.calls >= count * core.calls {
            return chance(core, None);
        }
        let distinct = weights(&totals, core.calls, &core.sizes(sum));
        let of_atom = |(atom, &fires): (usize, &u64)| {
            let total = core.varies[atom].then(|| fires - core.full);
            let known = total.map(|total| distinct.binary_search_by_key(&total, |&(of, _)| of));
            match known {
                Some(Ok(at)) => distinct[at].1,
                _ => Share::default(),
            }
        };
        let atoms = fires.iter().enumerate().map(of_atom).collect();
        chance(core, Some(atoms))
    }

    /// Share of the calls on which both atoms fire by chance; NaN without calls.
    pub(super) fn both(&self, a: u32, b: u32) -> f64 {
        let [of_a, of_b] = [a, b].map(|atom| self.fires[atom as usize]);
        let share = |fires: u64| fires as f64 / self.calls as f64;
        let Core { calls, full, .. } = self.core;
        match &self.atoms {
            // One of them fires wherever the other does, or never with it.
            _ if !self.varies(a) || !self.varies(b) => share(of_a.min(of_b)),
            // One atom a call, or all but one.
            None => share(full + (of_a - full + of_b - full).saturating_sub(calls)),
            Some(atoms) => {
                share(full) + both(&atoms[a as usize], &atoms[b as usize]) * share(calls)
            }
        }
    }

    /// Returns the table of two atoms that fire together on the given number of calls, where chance
    /// leaves that open. Returns `None` where their count could not be another.
    pub(super) fn open(&self, a: u32, b: u32, count: u64) -> Option<Open> {
        let atoms = self.atoms.as_ref()?;
        if !self.varies(a) || !self.varies(b) {
            return None;
        }
        let Core { calls, full, .. } = self.core;
        let fires = [a, b].map(|atom| self.fires[atom as usize] - full);
        let both = both(&atoms[a as usize], &atoms[b as usize]);
        let [a, b] = fires.map(|fires| fires as f64 / calls as f64);
        let (smaller, larger) = if a < b { (a, b) } else { (b, a) };
        let neither = (1.0 - larger) - (smaller - both);
        let odds_ratio = both * neither / ((a - both) * (b - both));
        (odds_ratio > 0.0).then_some(Open {
            calls,
            fires,
            both: count.saturating_sub(full),
            odds_ratio,
        })
    }

    /// Says whether chance leaves it open on which calls an atom fires.
    pub(super) fn varies(&self, atom: u32) -> bool {
        self.core.varies[atom as usize]
    }

    /// Says whether chance leaves the count of any pair open.
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

#[cfg(test)]
#[path = "chance_tests.rs"]
mod tests;
