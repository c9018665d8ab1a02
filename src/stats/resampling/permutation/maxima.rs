//! A run of permutations: the observed statistics, ranks, counts.

use rayon::prelude::*;

use super::labels::Labels;
use super::moments::Moments;
use super::null::Null;
use super::step_down::{Ranked, StepDown};
use super::tiles::{self, EachTile};
use super::{Exchange, MaxT, Permutation, sizes};
use crate::control::Control;
use crate::error::{Error, Result};
use crate::fires::FiringStore;
use crate::fires::by_atom::FiringsByAtom;
use crate::stats::resampling::check_calls;

/// A run of permutations. All atoms are shown first, group after group, so that they can be ranked.
/// Then labels are permuted under all of them: for each batch of permutations all calls are visited
/// once, tile after tile, their labels drawn and counted under every atom. So memory grows with neither
/// calls nor firings, whether these are in memory or in files.
pub struct Maxima<'a> {
    permutation: Permutation<'a>,
    /// The numbers of calls, and of true calls, of each stratum.
    sizes: Vec<(u64, u64)>,
    labels: Labels,
    /// True if 512 permutations are computed at once, else 128; it does not change the result.
    is_wide: bool,
    /// Mean and variance of each call, if calls are kept together.
    moments: Option<Moments>,
    atoms: Vec<Atom>,
    /// The ranking, once ranks are permuted.
    ranking: Option<Ranking>,
    steps: StepDown,
}

/// The most bytes beside a tile's labels for which 512 permutations are computed at once: as many as a
/// vector register has bits.
const WIDE_BYTES: usize = 128 << 20;

/// The observed statistic of an atom.
enum Atom {
    NotTested,
    /// The strata leave no variance.
    NoStatistic,
    Statistic {
        null: Null,
        /// The number of calls on which it fires.
        fires: usize,
        statistic: f64,
        z: f64,
    },
}

/// Atoms that have a statistic, in the order of their observed statistics.
#[derive(Default)]
pub(super) struct Ranking {
    /// The atom of each rank, that of the smallest statistic first; of equal ones the lower atom.
    pub(super) atoms: Vec<u32>,
    /// Their statistics, ascending.
    observed: Vec<f64>,
}

impl<'a> Maxima<'a> {
    /// Starts a run, before any atom is shown.
    ///
    /// # Errors
    /// Fails if the parts of `permutation` are not of the same calls.
    pub fn new(permutation: &Permutation<'a>) -> Result<Self> {
        permutation.check()?;
        let labels = Labels::new(permutation);
        let is_together = !matches!(permutation.exchange, Exchange::Calls);
        let moments = || Moments::of(labels.groups(), permutation.is_tp);
        Ok(Self {
            permutation: *permutation,
            sizes: sizes(permutation),
            moments: is_together.then(moments),
            is_wide: 8 * labels.bytes_a_word() <= WIDE_BYTES,
            labels,
            atoms: Vec::new(),
            ranking: None,
            steps: StepDown::new(permutation.count)?,
        })
    }

    /// The same run with so many permutations at once.
    #[cfg(test)]
    pub(super) fn with_width(self, is_wide: bool) -> Self {
        Self { is_wide, ..self }
    }

    /// Shows the atoms that follow those shown before, the first of which is atom 0. Only `tested`
    /// atoms take part; the choice may depend on anything but labels.
    ///
    /// # Errors
    /// Fails if a firing is on a call that the permutation does not have.
    pub fn show(
        &mut self,
        firings: &FiringsByAtom,
        tested: &(dyn Fn(u32) -> bool + Sync),
    ) -> Result<()> {
        check_calls(firings, self.permutation.is_tp.len())?;
        let shown = firings.atoms().into_par_iter().map(|atom| {
            if tested(atom) {
                self.observed(firings.of(atom))
            } else {
                Atom::NotTested
            }
        });
        let shown: Vec<Atom> = shown.collect();
        self.atoms.extend(shown);
        Ok(())
    }

    /// Returns the observed statistic of an atom that fires on these calls.
    fn observed(&self, rows: &[u32]) -> Atom {
        let is_tp = self.permutation.is_tp;
        let tp = rows.iter().filter(|&&row| is_tp[row as usize]).count() as u32;
        let null = if let Some(moments) = &self.moments {
            let (mean, variance) = moments.of_atom(rows, is_tp);
            Null::of_moments(mean, variance)
        } else {
            let (fires, sizes) = self.in_strata(rows);
            Null::of_calls(&fires, &sizes, tp)
        };
        match null {
            None => Atom::NoStatistic,
            Some(null) => Atom::Statistic {
                statistic: null.statistic(tp),
                z: null.z(tp),
                fires: rows.len(),
                null,
            },
        }
    }

    /// The number of these calls in each stratum that has any of them, ascending, and its size.
    fn in_strata(&self, rows: &[u32]) -> (Vec<u64>, Vec<(u64, u64)>) {
        let strata = rows
            .iter()
            .map(|&row| self.permutation.strata[row as usize]);
        if self.sizes.len() <= rows.len() {
            let mut fires = vec![0; self.sizes.len()];
            strata.for_each(|stratum| fires[stratum as usize] += 1);
            let both = fires.into_iter().zip(self.sizes.iter().copied());
            return both.filter(|&(fires, _)| fires > 0).unzip();
        }
        let mut strata: Vec<u32> = strata.collect();
        strata.sort_unstable();
        let each = strata.chunk_by(|a, b| a == b);
        each.map(|of_stratum| {
            let size = self.sizes[of_stratum[0] as usize];
            (of_stratum.len() as u64, size)
        })
        .unzip()
    }

    /// Ranks all atoms that were shown.
    pub(super) fn ranking(&self) -> Ranking {
        let statistic = |(atom, of): (u32, &Atom)| match *of {
            Atom::Statistic { statistic, .. } => Some((statistic, atom)),
            Atom::NotTested | Atom::NoStatistic => None,
        };
        let mut ranked: Vec<(f64, u32)> = (0..).zip(&self.atoms).filter_map(statistic).collect();
        ranked.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        Ranking {
            atoms: ranked.iter().map(|ranked| ranked.1).collect(),
            observed: ranked.iter().map(|ranked| ranked.0).collect(),
        }
    }

    /// Permutes the labels, if the firings of all atoms are in memory. `control` is asked before each
    /// tile of calls.
    ///
    /// # Errors
    /// Fails on cancellation.
    pub fn permute(&mut self, firings: &FiringsByAtom, control: &Control) -> Result<()> {
        let ranking = self.ranking();
        let (calls, size) = self.tiles(&ranking);
        let rows = |rank: usize| firings.of(ranking.atoms[rank]);
        let shape = (ranking.atoms.len(), calls, size);
        let each_tile: &EachTile = &|take| tiles::by_rank(&rows, shape, take);
        self.permute_by(&ranking, each_tile, control)?;
        self.ranking = Some(ranking);
        Ok(())
    }

    /// Permutes the labels if memory does not hold the firings of all atoms: reads them once for each
    /// batch of permutations.
    ///
    /// # Errors
    /// Fails on cancellation, if reading fails, or if the firing sets are not those that were shown.
    pub fn permute_streaming(&mut self, store: &dyn FiringStore, control: &Control) -> Result<()> {
        let ranking = self.ranking();
        let (calls, size) = self.tiles(&ranking);
        let mut rank = vec![None; self.atoms.len()];
        for (number, &atom) in (0..).zip(&ranking.atoms) {
            rank[atom as usize] = Some(number);
        }
        let fires: Vec<usize> = (ranking.atoms.iter())
            .map(|&atom| self.atoms[atom as usize].fires())
            .collect();
        let shape = (&fires[..], calls, size);
        let each_tile: &EachTile = &|take| tiles::of_store(store, &rank, shape, take);
        self.permute_by(&ranking, each_tile, control)?;
        self.ranking = Some(ranking);
        Ok(())
    }

    /// The number of calls in all, and in a tile.
    fn tiles(&self, ranking: &Ranking) -> (usize, usize) {
        let calls = self.permutation.is_tp.len();
        let fires = |&atom: &u32| self.atoms[atom as usize].fires() as u64;
        let firings: u64 = ranking.atoms.iter().map(fires).sum();
        (calls, tiles::size(ranking.atoms.len(), firings, calls))
    }

    fn permute_by(
        &mut self,
        ranking: &Ranking,
        each_tile: &EachTile,
        control: &Control,
    ) -> Result<()> {
        let ranked = |&atom: &u32| match &self.atoms[atom as usize] {
            Atom::Statistic { null, fires, .. } => {
                Some(Ranked::new(*fires, null, &ranking.observed))
            }
            Atom::NotTested | Atom::NoStatistic => None,
        };
        let ranked: Vec<Ranked<'_>> = ranking.atoms.par_iter().filter_map(ranked).collect();
        if self.is_wide {
            (self.steps).take::<8>(&self.labels, &ranked, each_tile, control)
        } else {
            (self.steps).take::<2>(&self.labels, &ranked, each_tile, control)
        }
    }

    /// Adjusts all atoms that were shown for all that were tested, in the order in which they were
    /// shown.
    ///
    /// # Errors
    /// Fails if labels were not permuted under all of them.
    pub fn finish(self) -> Result<Vec<MaxT>> {
        let ranking = self.ranking.unwrap_or_default();
        let mut adjusted: Vec<MaxT> = self.atoms.iter().map(Atom::unadjusted).collect();
        let statistics = adjusted.iter().filter(|atom| !atom.statistic.is_nan());
        let statistics = statistics.count();
        if self.steps.reached.len() != statistics {
            return Err(Error::Argument {
                name: "permuted atoms",
                found: format!("{} of them", self.steps.reached.len()),
                expected: format!("all {statistics} that were shown and have a statistic"),
            });
        }
        let mut least: f64 = 0.0;
        // From the strongest down, none is smaller than a stronger one's.
        for (&atom, &reached) in ranking.atoms.iter().zip(&self.steps.reached).rev() {
            let p = (1 + reached) as f64 / (1 + self.permutation.count) as f64;
            least = least.max(p);
            adjusted[atom as usize].p = least;
        }
        Ok(adjusted)
    }
}

impl Atom {
    /// The number of calls on which an atom with a statistic fires.
    fn fires(&self) -> usize {
        match *self {
            Self::NotTested | Self::NoStatistic => 0,
            Self::Statistic { fires, .. } => fires,
        }
    }

    /// Returns the result without the p-value of atoms that have a statistic.
    fn unadjusted(&self) -> MaxT {
        match *self {
            Self::NotTested => MaxT {
                statistic: f64::NAN,
                p: f64::NAN,
            },
            Self::NoStatistic => MaxT {
                statistic: f64::NAN,
                p: 1.0,
            },
            Self::Statistic { z, .. } => MaxT {
                statistic: z,
                p: f64::NAN,
            },
        }
    }
}
