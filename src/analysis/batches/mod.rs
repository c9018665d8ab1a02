//! Batch top-k over the rows given together: where the scores end that fire.
//!
//! A batch of N rows fires its k · N largest canonical scores, as far as they are above 0; of equal
//! ones those of earlier rows come first, then those of smaller atoms. Batches are the whole cohort,
//! or every so many consecutive rows of it, across the borders of its files. They are cut by the
//! rows' numbers in the cohort. A row that is dropped for a NaN or an infinity keeps its number, so
//! that no other row changes its batch, and is not among the N.
//!
//! The answer is exact: it does not depend on threads, on how many rows are encoded at a time, on
//! memory, or on how the cohort is cut into files.
//!
//! | file | what it holds |
//! |---|---|
//! | `options` | what can be chosen |
//! | `rows` | the cohort's rows, wherever they are |
//! | `guess` | thresholds guessed from a few rows, which spare work |
//! | `search` | the passes over the rows |
//! | `sieve` | the m-th largest of more scores than memory holds |

mod guess;
mod options;
mod rows;
mod search;
mod sieve;

use std::num::NonZeroU64;

use sha2::{Digest as _, Sha256};

pub(in crate::analysis) use self::rows::{CohortRows, OneSource, TakeRows};

pub use self::options::{BatchTopK, ESTIMATE_ROWS};

use self::guess::Guesses;
use self::search::{BatchEnd, Search};
use super::session::{CountOptions, MEMORY, Session};
use crate::control::Control;
use crate::digest::Digest;
use crate::engine::Cuts;
use crate::error::{Choice, Error, Result};
use crate::sae::{Activation, Sae, SaeParts, Values};
use crate::tally::Batches;

/// A model that is ready to encode a cohort.
pub(super) struct Prepared {
    /// The model; one with a threshold, where this was estimated.
    pub(super) sae: Sae,
    /// The cuts of batch top-k.
    pub(super) cuts: Option<Cuts>,
    /// The batches of this run.
    pub(super) of_run: Option<Batches>,
    /// The batches of its counts, which may be those of other runs, too.
    pub(super) of_counts: Option<Batches>,
}

/// Finds the cuts of the cohort's batches, or a threshold, if the model is one of batch top-k.
///
/// # Errors
/// Batches for another model; a device that cannot be used; rows that cannot be read, or have a NaN
/// or an infinity where this is an error; cancellation.
pub(super) fn prepare(
    sae: Sae,
    rows: &dyn CohortRows,
    options: &CountOptions,
    control: &Control,
) -> Result<Prepared> {
    let asked = options.batch_topk;
    let &Activation::BatchTopK { k } = sae.activation() else {
        check_not_asked(sae.name(), asked)?;
        return Ok(Prepared {
            sae,
            cuts: None,
            of_run: None,
            of_counts: None,
        });
    };
    let counts = rows.counts();
    let count: u64 = counts.iter().sum();
    let of_batch = asked.rows.or(asked.threshold.then_some(ESTIMATE_ROWS));
    let cohort = Cohort {
        k: k as u64,
        rows: of_batch.map(NonZeroU64::get),
        batch_rows: of_batch.map_or(count.max(1), NonZeroU64::get),
        counts,
    };
    let (ends, sample) = cohort.ends(&sae, rows, options, control)?;
    if asked.threshold {
        return cohort.estimated(sae, &ends);
    }
    let cuts: Vec<_> = ends.iter().map(|end| end.cut).collect();
    let of_run = Batches::Cut {
        k: cohort.k,
        rows: cohort.rows,
        cuts: Some(cohort.digest(&ends, sample)),
    };
    let whole = Batches::Cut {
        k: cohort.k,
        rows: cohort.rows,
        cuts: None,
    };
    Ok(Prepared {
        sae,
        cuts: Some(Cuts::new(cohort.batch_rows, cuts)),
        of_run: Some(of_run),
        of_counts: Some(if cohort.is_of_whole_batches() {
            whole
        } else {
            of_run
        }),
    })
}

/// A model that fires by its own rule takes no batches, and neither do activations that are given.
///
/// # Errors
/// Batches that were asked for; `name` is the model's, or a word for what stands in its place.
pub(super) fn check_not_asked(name: &str, asked: BatchTopK) -> Result<()> {
    let (choice, found) = match asked {
        BatchTopK {
            threshold: true, ..
        } => (Choice::BatchTopK, "threshold".to_owned()),
        BatchTopK {
            rows: Some(rows), ..
        } => (Choice::BatchRows, rows.to_string()),
        _ => return Ok(()),
    };
    let expected =
        format!("a model of batch top-k: what fires by {name} does not depend on other rows");
    Err(Error::choice(choice, found, expected))
}

/// A cohort, and the batches that it is cut into.
struct Cohort {
    k: u64,
    /// The rows of a batch that were asked for.
    rows: Option<u64>,
    /// The rows of each batch but the last.
    batch_rows: u64,
    /// The rows of each file.
    counts: Vec<u64>,
}

impl Cohort {
    /// The end of each batch, and the digest of a sample of scores.
    fn ends(
        &self,
        sae: &Sae,
        rows: &dyn CohortRows,
        options: &CountOptions,
        control: &Control,
    ) -> Result<(Vec<BatchEnd>, Digest)> {
        let count = self.counts.iter().sum::<u64>() as usize;
        let mut scored = options.clone();
        scored.engine.scores = true;
        let sae = with_plain_scores(sae)?;
        let mut session = Session::open(&sae, count, &scored)?;
        let of = (self.k, self.batch_rows);
        let guesses = Guesses::of(&sae, rows, of, &mut session, control)?;
        let sample = guesses.digest;
        let search = Search {
            rows,
            session,
            guesses,
            k: self.k,
            batch_rows: self.batch_rows,
            memory: options.batch_topk.memory.unwrap_or(MEMORY),
            control: *control,
        };
        Ok((search.run()?, sample))
    }

    /// Says whether no batch has rows of two files, or is short.
    fn is_of_whole_batches(&self) -> bool {
        let is_whole = |count: &u64| self.rows.is_some_and(|rows| count.is_multiple_of(rows));
        self.counts.iter().all(is_whole)
    }

    /// The digest of what the cuts are, and of what they were found in. Cuts can be the same by chance
    /// where rows are not.
    fn digest(&self, ends: &[BatchEnd], sample: Digest) -> Digest {
        let mut hash = Sha256::new();
        hash.update(self.batch_rows.to_le_bytes());
        self.counts
            .iter()
            .for_each(|count| hash.update(count.to_le_bytes()));
        hash.update(sample.to_string());
        for BatchEnd { cut, .. } in ends {
            hash.update(cut.score.to_le_bytes());
            hash.update(cut.row.to_le_bytes());
            hash.update(cut.atom.to_le_bytes());
        }
        Digest::finish(hash)
    }

    /// The model whose atoms fire above the mean of the least scores that fire in full batches.
    fn estimated(&self, sae: Sae, ends: &[BatchEnd]) -> Result<Prepared> {
        let count: u64 = self.counts.iter().sum();
        let full = (count / self.batch_rows).max(1) as usize;
        let least: Vec<f64> = (ends.iter().take(full))
            .filter_map(|end| end.least)
            .collect();
        let threshold = match least.len() {
            0 => 0.0,
            batches => least.iter().sum::<f64>() / batches as f64,
        };
        let batches = Some(Batches::Estimated {
            k: self.k,
            rows: self.batch_rows,
            threshold_bits: threshold.to_bits(),
        });
        let activation = Activation::thresholds(sae.feature_dim(), threshold);
        Ok(Prepared {
            sae: Sae::new(SaeParts {
                activation,
                ..sae.into_parts()
            })?,
            cuts: None,
            of_run: batches,
            of_counts: batches,
        })
    }
}

/// The model with scores for activations: cuts are of scores.
fn with_plain_scores(sae: &Sae) -> Result<Sae> {
    if *sae.values() == Values::Score {
        return Ok(sae.clone());
    }
    Sae::new(SaeParts {
        values: Values::Score,
        ..sae.clone().into_parts()
    })
}
