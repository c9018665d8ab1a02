//! A run of permutations: the observed statistics, ranks, counts.

use std::ops::Range;

use rayon::prelude::*;

use super::groups::Group;
use super::labels::Labels;
use super::moments::Moments;
use super::null::Null;
use super::ranks::ByRank;
use super::step_down::{Ranked, StepDown};
use super::{Exchange, MaxT, Permutation, sizes};
use crate::control::Control;
use crate::error::{Error, Result};
use crate::fires::FiringStore;
use crate::fires::by_atom::{Carry, FiringsByAtom, groups};
use crate::stats::resampling::check_calls;

/// A run of permutations. All atoms are shown first, group after group, so that they can be ranked.
/// Then ranks are permuted, the lowest first, as many at a time as memory holds the firings of. The
/// same labels are drawn again for each group of ranks, so groups do not change the result. Every
/// group repeats the drawing, at worst as much work as counting.
pub struct Maxima<'a> {
    permutation: Permutation<'a>,
    /// The numbers of calls, and of true calls, of each stratum.
    sizes: Vec<(u64, u64)>,
    labels: Width,
    /// Mean and variance of each call, if calls are kept together.
    moments: Option<Moments>,
    atoms: Vec<Atom>,
    /// The ranking, once ranks are permuted.
    ranking: Option<Ranking>,
    steps: StepDown,
}

/// The number of permutations that are computed at once. It does not change the result.
enum Width {
    /// 512 permutations: as many as a vector register has bits, 64 bytes a call.
    Eight(Labels<8>),
    /// 128 permutations, 16 bytes a call: for cohorts whose labels would not fit into memory else.
    Two(Labels<2>),
}

impl Width {
    fn groups(&self) -> &[Group] {
        match self {
            Self::Eight(labels) => labels.groups(),
            Self::Two(labels) => labels.groups(),
        }
    }
}

/// The most calls for which 512 permutations are computed at once: 128 MiB of labels.
const WIDE: usize = 1 << 21;

/// The observed statistic of an atom.
enum Atom {
    NotTested,
    /// The strata leave no variance.
    NoStatistic,
    Statistic {
        null: Null,
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
        Self::of_width(permutation, permutation.is_tp.len() <= WIDE)
    }

    pub(super) fn of_width(permutation: &Permutation<'a>, wide: bool) -> Result<Self> {
        permutation.check()?;
        let labels = if wide {
            Width::Eight(Labels::new(permutation))
        } else {
            Width::Two(Labels::new(permutation))
        };
        let is_together = !matches!(permutation.exchange, Exchange::Calls);
        let moments = || Moments::of(labels.groups(), permutation.is_tp);
        Ok(Self {
            permutation: *permutation,
            sizes: sizes(permutation),
            moments: is_together.then(moments),
            labels,
            atoms: Vec::new(),
            ranking: None,
            steps: StepDown::new(permutation.count)?,
        })
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
            let mut fires = vec![0; self.sizes.len()];
            for &row in rows {
                fires[self.permutation.strata[row as usize] as usize] += 1;
            }
            Null::of_calls(&fires, &self.sizes, tp)
        };
        match null {
            None => Atom::NoStatistic,
            Some(null) => Atom::Statistic {
                statistic: null.statistic(tp),
                z: null.z(tp),
                null,
            },
        }
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

    /// Permutes the labels under all ranks, if the firings of all atoms are in memory. `control` is
    /// asked before each batch of permutations.
    ///
    /// # Errors
    /// Fails on cancellation.
    pub fn permute(&mut self, firings: &FiringsByAtom, control: &Control) -> Result<()> {
        let ranking = self.ranking();
        let rows = |rank: u32| firings.of(ranking.atoms[rank as usize]);
        let ranks = 0..ranking.atoms.len() as u32;
        self.permute_ranks(&ranking, ranks, &rows, control)?;
        self.ranking = Some(ranking);
        Ok(())
    }

    /// Permutes the labels if memory holds the firings of some atoms only: those of as many ranks
    /// as fit into so many bytes at a time. `fires` \[F\] is the support of each atom.
    ///
    /// # Errors
    /// Fails on cancellation, if reading fails, if the firing sets are not those that were counted,
    /// or if memory does not suffice.
    pub fn permute_in_groups(
        &mut self,
        details: &dyn FiringStore,
        fires: &[u64],
        memory: u64,
        control: &Control,
    ) -> Result<()> {
        let ranking = self.ranking();
        let by_rank = ByRank::new(details, &ranking.atoms, fires.len());
        let fires = ranking.atoms.iter().map(|&atom| fires[atom as usize]);
        let fires: Vec<u64> = fires.collect();
        for group in groups(&fires, Carry::Calls, memory) {
            control.check()?;
            let rows = FiringsByAtom::gather(&by_rank, group.clone(), &fires, Carry::Calls)?;
            self.permute_ranks(&ranking, group, &|rank| rows.of(rank), control)?;
        }
        self.ranking = Some(ranking);
        Ok(())
    }

    /// Permutes the labels under the ranks that follow those before. `rows` are the calls on which
    /// the atom of a rank fires.
    fn permute_ranks<'f>(
        &mut self,
        ranking: &Ranking,
        ranks: Range<u32>,
        rows: &(dyn Fn(u32) -> &'f [u32] + Sync),
        control: &Control,
    ) -> Result<()> {
        let ranked = |rank: u32| match &self.atoms[ranking.atoms[rank as usize] as usize] {
            Atom::Statistic { null, .. } => Some(Ranked::new(rows(rank), null, &ranking.observed)),
            Atom::NotTested | Atom::NoStatistic => None,
        };
        let ranked: Vec<Ranked<'_>> = ranks.into_par_iter().filter_map(ranked).collect();
        match &mut self.labels {
            Width::Eight(labels) => self.steps.take(labels, &ranked, control),
            Width::Two(labels) => self.steps.take(labels, &ranked, control),
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
