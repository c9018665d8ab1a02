//! The largest statistic of each permutation, one group of atoms after another.

use rayon::prelude::*;

use super::counts::Counter;
use super::groups::Group;
use super::labels::Labels;
use super::moments::Moments;
use super::{Bits, Exchange, LANES, MaxT, Permutation, sizes};
use crate::error::Result;
use crate::stats::firing_rows::FiringRows;
use crate::stats::resampling::check_calls;

/// A run of permutations under way. Atoms are shown group after group, as many at a time as memory
/// holds the firings of; the same labels are drawn again for each, so that groups do not show in the
/// result. Every group costs the drawing anew, at worst as much as counting.
pub struct Maxima<'a> {
    permutation: Permutation<'a>,
    /// Calls, and true calls, of each stratum.
    sizes: Vec<(u64, u64)>,
    labels: Width,
    /// Where calls are kept together.
    moments: Option<Moments>,
    /// The largest statistic so far, of each permutation.
    largest: Vec<[f64; LANES]>,
    atoms: Vec<Atom>,
}

/// How many permutations are worked on at once. It does not show in the result.
enum Width {
    /// 512: as many as a vector register has bits, 64 bytes a call.
    Eight(Labels<8>),
    /// 128, 16 bytes a call: for cohorts whose labels would not fit into memory else.
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

/// Calls up to which 512 permutations are worked on at once: 128 MiB of labels.
const WIDE: usize = 1 << 21;

/// What permutations say of all atoms.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Adjusted {
    /// Of each atom, in the order in which they were shown.
    pub atoms: Vec<MaxT>,
    /// What a statistic must exceed for an adjusted p-value of at most 0.05: of B permutations'
    /// largest statistics that which ⌊(B + 1) / 20⌋ − 1 of them exceed, their 95th percentile.
    /// Infinite with fewer than 19 permutations, when no p-value is as small.
    pub critical_value: f64,
}

/// An atom as it was observed.
enum Atom {
    NotTested,
    /// The strata leave no variance.
    NoStatistic,
    Statistic(f64),
}

/// Mean and standard deviation of an atom's number of true calls under permutation.
struct Null {
    mean: f64,
    sd: f64,
}

impl Null {
    /// Of an atom that fires on `fires` calls of each stratum, whose size and true calls are
    /// `strata`: hypergeometric in each.
    fn of(fires: &[u64], strata: &[(u64, u64)]) -> Self {
        let (mut mean, mut variance) = (0.0, 0.0);
        for (&fires, &(size, tp)) in fires.iter().zip(strata) {
            let (m, n, t) = (fires as f64, size as f64, tp as f64);
            if size > 0 {
                mean += m * t / n;
            }
            if size > 1 {
                variance += m * t * (n - m) * (n - t) / (n * n * (n - 1.0));
            }
        }
        let sd = f64::sqrt(variance);
        Self { mean, sd }
    }

    /// Comparable across permutations to the last bit: it depends on a count and nothing else, and is
    /// rounded to 31 bits, so that counts that lie as far above the mean as below it are ties, whatever
    /// the mean was rounded to.
    fn statistic(&self, tp: u32) -> f64 {
        const KEPT: u32 = 30;
        let exact = (f64::from(tp) - self.mean).abs() / self.sd;
        let dropped = f64::MANTISSA_DIGITS - 1 - KEPT;
        let half = 1_u64 << (dropped - 1);
        f64::from_bits((exact.to_bits() + half) >> dropped << dropped)
    }
}

impl<'a> Maxima<'a> {
    /// Before any atom was shown.
    ///
    /// # Errors
    /// Parts of `permutation` that are not of the same calls.
    pub fn new(permutation: &Permutation<'a>) -> Result<Self> {
        Self::of_width(permutation, permutation.is_tp.len() <= WIDE)
    }

    pub(super) fn of_width(permutation: &Permutation<'a>, wide: bool) -> Result<Self> {
        permutation.check()?;
        let words = permutation.count.div_ceil(LANES);
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
            largest: crate::memory::filled(words, 1, "the permutations", || [0.0; LANES])?,
            atoms: Vec::new(),
        })
    }

    /// Shows a group of atoms. Only those that are `tested` take part in the largest statistic;
    /// which are may depend on anything but labels. `go_on` is asked before each batch of
    /// permutations.
    ///
    /// # Errors
    /// What `go_on` says; firings on calls that the permutation does not have.
    pub fn observe(
        &mut self,
        firings: &FiringRows,
        tested: &(dyn Fn(u32) -> bool + Sync),
        go_on: &(dyn Fn() -> Result<()> + Sync),
    ) -> Result<()> {
        check_calls(firings, self.permutation.is_tp.len())?;
        let is_tested = |atom: &u32| tested(*atom);
        let nulls: Vec<(u32, Null)> = firings
            .atoms()
            .into_par_iter()
            .filter(is_tested)
            .map(|atom| (atom, self.null(firings.of(atom))))
            // Without variance there is no statistic.
            .filter(|(_, null)| null.sd > 0.0)
            .collect();
        let largest = &mut self.largest;
        match &mut self.labels {
            Width::Eight(labels) => observe(labels, firings, &nulls, largest, go_on)?,
            Width::Two(labels) => observe(labels, firings, &nulls, largest, go_on)?,
        }
        self.remember(firings, &nulls, tested);
        Ok(())
    }

    /// What is kept of a group's atoms.
    fn remember(
        &mut self,
        firings: &FiringRows,
        nulls: &[(u32, Null)],
        tested: &dyn Fn(u32) -> bool,
    ) {
        let mut nulls = nulls.iter().peekable();
        for atom in firings.atoms() {
            let null = nulls.next_if(|(of, _)| *of == atom);
            self.atoms.push(match null {
                Some((_, null)) => {
                    let is_tp = |row: &&u32| self.permutation.is_tp[**row as usize];
                    let tp = firings.of(atom).iter().filter(is_tp).count();
                    Atom::Statistic(null.statistic(tp as u32))
                }
                None if tested(atom) => Atom::NoStatistic,
                None => Atom::NotTested,
            });
        }
    }

    /// An atom under the null hypothesis.
    fn null(&self, rows: &[u32]) -> Null {
        if let Some(moments) = &self.moments {
            let (mean, variance) = moments.of_atom(rows, self.permutation.is_tp);
            let sd = f64::sqrt(variance);
            return Null { mean, sd };
        }
        let mut fires = vec![0; self.sizes.len()];
        for &row in rows {
            fires[usize::from(self.permutation.strata[row as usize])] += 1;
        }
        Null::of(&fires, &self.sizes)
    }

    /// Adjusts all atoms that were shown for all that were tested.
    pub fn finish(self) -> Adjusted {
        let Self { largest, atoms, .. } = self;
        let mut largest = largest.into_flattened();
        largest.truncate(self.permutation.count);
        largest.sort_unstable_by(f64::total_cmp);
        let adjusted = |atom: &Atom| match *atom {
            Atom::NotTested => MaxT {
                statistic: f64::NAN,
                p: f64::NAN,
            },
            Atom::NoStatistic => MaxT {
                statistic: f64::NAN,
                p: 1.0,
            },
            Atom::Statistic(statistic) => {
                let below = largest.partition_point(|&largest| largest < statistic);
                let reached = largest.len() - below;
                let p = (1 + reached) as f64 / (1 + largest.len()) as f64;
                MaxT { statistic, p }
            }
        };
        let rank = (largest.len() + 1) / 20;
        let critical_value = match rank {
            0 => f64::INFINITY,
            _ => largest[largest.len() - rank],
        };
        Adjusted {
            atoms: atoms.iter().map(adjusted).collect(),
            critical_value,
        }
    }
}

/// Raises the largest statistics by those of a group of atoms.
fn observe<const WORDS: usize>(
    labels: &mut Labels<WORDS>,
    firings: &FiringRows,
    nulls: &[(u32, Null)],
    largest: &mut [[f64; LANES]],
    go_on: &(dyn Fn() -> Result<()> + Sync),
) -> Result<()> {
    for (batch, largest) in (0..).zip(largest.chunks_mut(WORDS)) {
        go_on()?;
        let labels = labels.draw(batch);
        let most = nulls
            .par_iter()
            .fold(Largest::none, |largest, (atom, null)| {
                largest.with(firings.of(*atom), null, labels)
            })
            .reduce(Largest::none, |mut most, other| {
                larger(&mut *most.0, &*other.0);
                most
            });
        larger(largest, &*most.0);
    }
    Ok(())
}

/// The larger of two statistics, for each permutation. It does not depend on which comes first.
fn larger(mine: &mut [[f64; LANES]], theirs: &[[f64; LANES]]) {
    let both = mine.iter_mut().zip(theirs);
    for (mine, &theirs) in both.flat_map(|(mine, theirs)| mine.iter_mut().zip(theirs)) {
        *mine = mine.max(theirs);
    }
}

/// The largest statistic of some atoms, for each permutation.
struct Largest<const WORDS: usize>(Box<[[f64; LANES]; WORDS]>);

impl<const WORDS: usize> Largest<WORDS> {
    fn none() -> Self {
        Self(Box::new([[0.0; LANES]; WORDS]))
    }

    fn with(mut self, rows: &[u32], null: &Null, labels: &[Bits<WORDS>]) -> Self {
        let mut counter = Counter::default();
        for &row in rows {
            counter.add(&labels[row as usize]);
        }
        let counts = counter.counts();
        for (largest, counts) in self.0.iter_mut().zip(&counts) {
            for (largest, &tp) in largest.iter_mut().zip(counts) {
                *largest = largest.max(null.statistic(tp));
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::Null;

    /// Counts as far above the mean as below it are ties, though the mean's sum is rounded.
    #[test]
    fn both_sides_of_the_mean_are_ties() {
        for strata in [3, 10, 40, 999] {
            // A tenth of a true call is expected in each.
            let null = Null::of(&vec![4; strata], &vec![(40, 1); strata]);
            let twice = (2.0 * null.mean).round();
            let whole = (2.0 * strata as f64 / 10.0 - twice).abs() < 1e-9;
            for below in (0..strata as u32).filter(|_| whole) {
                let above = twice - f64::from(below);
                if above >= 0.0 {
                    let [low, high] = [below, above as u32].map(|tp| null.statistic(tp));
                    assert_eq!(low.to_bits(), high.to_bits(), "{strata}: {below}, {above}");
                }
            }
            let exact = |tp: f64| (tp - null.mean).abs() / null.sd;
            for tp in [0, 7] {
                let apart = (null.statistic(tp) / exact(f64::from(tp)) - 1.0).abs();
                assert!(apart < 1e-9, "{apart}");
            }
        }
    }
}
