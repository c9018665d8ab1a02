//! Westfall and Young's step-down adjustment: p-values adjusted for all atoms at once, by permuting
//! labels.
//!
//! Atoms fire together, and compete for the places of a call if these are few, so their tests depend
//! on one another. Corrections that do not know how are too strict or too lax. Permuting labels
//! among calls that could have had each other's keeps that dependence: each call keeps its firing
//! set, of whatever size. Atoms are ordered by their observed statistic. An atom's adjusted
//! p-value is the share of permutations on which the largest statistic of it and all weaker ones is
//! at least its own, and never less than that of a stronger atom (Westfall and Young 1993,
//! algorithm 4.1; the observed labels count as one). So the strongest is adjusted for all atoms,
//! each further one for those that remain. More are confirmed than by comparing every atom with the
//! largest of all.
//!
//! [`Exchange`] lists the calls that could have had each other's labels. Every exchange keeps the
//! number of true calls of every stratum. Any function of an atom's number of true calls, the same
//! for all permutations, gives a valid test; its choice decides the power. For single calls it is
//! `−ln p` of the atom's own two-sided test within strata: exact if few numbers are possible, else
//! by a distribution with its mean, variance and skewness (so this is step-down min-P). With
//! `|a − E| / √V`, rare atoms, whose tails are heavy, would set the maximum for all others. If
//! calls are kept together, only mean and variance are known, and `|a − E| / √V` it is. (If labels
//! rotate, the variance is that of single calls.)
//!
//! | file | contents |
//! |---|---|
//! | `maxima` | a run: observed statistics, ranks, adjusted p-values |
//! | `step_down` | the successive maxima of each permutation, rank after rank |
//! | `tiles` | the firings of one tile of calls after another |
//! | `null`, `law` | how surprising each number of true calls of an atom is |
//! | `groups` | groups of calls that may exchange labels |
//! | `moments` | an atom's mean and variance if calls are kept together |
//! | `labels` | permuted labels, hundreds of permutations at a time, one bit each |
//! | `counts` | true calls on which an atom fires, for as many permutations at once |

mod counts;
mod groups;
mod labels;
mod law;
mod maxima;
mod moments;
mod null;
mod step_down;
mod tiles;

use super::blocks::Blocks;
use crate::control::Control;
use crate::error::{Error, Result};
use crate::fires::by_atom::FiringsByAtom;

pub use maxima::Maxima;

/// One bit for each of the permutations that are computed at once, in so many words.
type Bits<const WORDS: usize> = [u64; WORDS];

/// The number of permutations of a word.
const LANES: usize = 64;

/// The labels to permute, and the number of permutations.
#[derive(Debug, Clone, Copy)]
pub struct Permutation<'a> {
    /// The label of each call: true for a true call.
    pub is_tp: &'a [bool],
    /// The stratum of each call, within which labels change places.
    pub strata: &'a [u32],
    /// The calls of a stratum that may have each other's labels.
    pub exchange: Exchange<'a>,
    /// The number of permutations.
    pub count: usize,
    /// The seed. The same seed gives the same permutations, for any number of threads.
    pub seed: u64,
}

/// The exchange of labels. A permutation test assumes that, under the null hypothesis, all
/// arrangements of labels that it draws were equally likely.
#[derive(Debug, Clone, Copy)]
pub enum Exchange<'a> {
    /// Labels of single calls, within strata. Valid if calls of a stratum are independent. If some
    /// are one variant seen several times, there are fewer observations than calls, and the test
    /// finds false associations.
    Calls,

    /// The labels of a whole locus at once, exchanged with those of another locus with the same
    /// signature: as many calls of each stratum. Calls of a locus are matched by stratum, then row.
    /// Valid if loci are independent, whatever holds within them.
    ///
    /// A locus with a unique signature keeps its labels; few loci of a kind have few arrangements.
    /// Labels that cannot move are the same in the observed and in every permuted statistic. So the
    /// test remains valid and loses power: it is conservative.
    Loci(&'a Blocks),

    /// The labels of loci, as [`Loci`](Self::Loci), of several labellings of the same calls, which change
    /// places alike: a locus gets all labels of another. Calls, labels and strata are those of the first
    /// copy, then of the next; loci are of one.
    Copies {
        /// The loci of the calls of one copy.
        loci: &'a Blocks,
        /// The number of copies.
        copies: usize,
    },

    /// The labels of a sample's calls of one stratum, rotated along the genome. Each call gets the
    /// label of the call so many places after it, and the last ones those of the first, by an
    /// offset that is uniformly drawn for each sample and stratum (circular permutation along the
    /// genome: Cabrera et al. 2012, G3 2:1067–1075). Neighbours stay together but where the ends
    /// meet, and each sample keeps its number of true calls in each stratum.
    ///
    /// Valid, up to that seam, if labels depend on one another along the genome in the same way
    /// everywhere, by the number of calls between them. Samples and strata rotate independently.
    /// Calls that several samples share are torn apart, and count as several observations. A sample
    /// with n calls of a stratum has n arrangements of them; with few in all the test is
    /// conservative.
    Samples {
        /// The sample of each call.
        sample: &'a Blocks,
        /// All calls along the genome ([`genome_order`](super::blocks::genome_order)).
        order: &'a [u32],
    },
}

/// The result of the permutations for one atom.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct MaxT {
    /// The number of standard deviations of a normal distribution that are as surprising, without
    /// sign, to nine digits. For single calls: those with the two-sided p-value of the atom's
    /// distribution within strata (at most 36 if that is computed exactly). If calls are kept
    /// together: |a − E| / √V. NaN if the strata leave no variance, and for an atom that was not
    /// tested.
    pub statistic: f64,
    /// The adjusted p-value: (1 + permutations on which the largest statistic of the atom and all
    /// weaker ones is at least the atom's) over (1 + permutations), and no less than that of any
    /// stronger atom; 1 if there is no statistic, NaN for an atom that was not tested.
    pub p: f64,
}

impl Permutation<'_> {
    /// Checks that all parts are of the same calls.
    ///
    /// # Errors
    /// Names the part that is not, and how it differs.
    fn check(&self) -> Result<()> {
        let calls = self.is_tp.len();
        if self.strata.len() != calls {
            return Err(Error::Argument {
                name: "strata",
                found: format!("{} of them", self.strata.len()),
                expected: format!("{calls}, one for each label"),
            });
        }
        match self.exchange {
            Exchange::Calls => Ok(()),
            Exchange::Loci(loci) => loci.check(calls),
            Exchange::Copies { loci, copies } => loci.check(calls / copies.max(1)),
            Exchange::Samples { sample, order } => {
                sample.check(calls)?;
                check_order(order, calls)
            }
        }
    }
}

/// Checks that an order names each call once.
fn check_order(order: &[u32], calls: usize) -> Result<()> {
    let mut seen = vec![false; calls];
    let mut is_new = |row: &u32| match seen.get_mut(*row as usize) {
        Some(seen) => !std::mem::replace(seen, true),
        None => false,
    };
    if order.len() == calls && order.iter().all(&mut is_new) {
        return Ok(());
    }
    Err(Error::Argument {
        name: "order of calls",
        found: format!("one of {} calls that leaves some out", order.len()),
        expected: format!("each of {calls} calls once"),
    })
}

/// Adjusts every atom for all atoms, if the firings of all are in memory; otherwise see [`Maxima`].
///
/// # Errors
/// Fails if the parts of `permutation` are not of the same calls, or if a firing is on a call
/// beyond them.
pub fn max_t(firings: &FiringsByAtom, permutation: &Permutation) -> Result<Vec<MaxT>> {
    let mut maxima = Maxima::new(permutation)?;
    maxima.show(firings, &|_| true)?;
    maxima.permute(firings, &Control::default())?;
    maxima.finish()
}

/// Counts the calls, and the true calls, of each stratum.
fn sizes(permutation: &Permutation) -> Vec<(u64, u64)> {
    let most = permutation
        .strata
        .iter()
        .max()
        .map_or(0, |&most| most as usize + 1);
    let mut sizes = vec![(0, 0); most];
    for (&stratum, &is_tp) in permutation.strata.iter().zip(permutation.is_tp) {
        let (size, tp) = &mut sizes[stratum as usize];
        *size += 1;
        *tp += u64::from(is_tp);
    }
    sizes
}

#[cfg(test)]
mod exchange_tests;
#[cfg(test)]
mod maxima_tests;
#[cfg(test)]
mod tests;
