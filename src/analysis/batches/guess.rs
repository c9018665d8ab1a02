//! Thresholds that are guessed from the scores of a few rows. They spare work, and change nothing.

use sha2::{Digest as _, Sha256};

use super::rows::CohortRows;
use crate::analysis::session::Session;
use crate::control::Control;
use crate::digest::Digest;
use crate::engine::{Cut, Cuts, check_dim};
use crate::error::{Error, Result};
use crate::rows::{Rows, SliceRows};
use crate::sae::Sae;
use crate::tally::Strata;

/// The scores that a sample takes: 8 MiB of them.
const SAMPLE_SCORES: u64 = 1 << 20;
/// The most rows of a sample.
const MOST_ROWS: u64 = 1024;

/// The scores of a few rows, spread over the cohort.
pub(super) struct Guesses {
    /// Those above 0, the largest first.
    scores: Vec<f64>,
    /// The rows that they are of.
    rows: u64,
    k: u64,
    /// The share of more scores than k a row that the first guess allows for.
    slack: f64,
    /// The digest of the scores.
    pub(super) digest: Digest,
}

impl Guesses {
    /// Scores rows at equal distances. The same cohort has the same sample on every machine.
    pub(super) fn of(
        sae: &Sae,
        rows: &dyn CohortRows,
        (k, batch_rows): (u64, u64),
        session: &mut Session,
        control: &Control,
    ) -> Result<Self> {
        let count: u64 = rows.counts().iter().sum();
        let most = (SAMPLE_SCORES / sae.feature_dim() as u64).clamp(1, MOST_ROWS);
        let wanted = most.min(count);
        let dim = sae.input_dim();
        let mut numbers = vec![0.0f32; wanted as usize * dim];
        for (number, to) in (0..wanted).zip(numbers.chunks_exact_mut(dim)) {
            control.check()?;
            let row = (u128::from(number) * u128::from(count) / u128::from(wanted)) as u64;
            rows.read(row..row + 1, &mut |found, _| {
                check_dim(sae, found)?;
                found.read(0..1, to)
            })?;
        }
        let (mut scores, rows) = scores_of(&numbers, dim, session, control)?;
        scores.sort_unstable_by(|a, b| b.total_cmp(a));
        let mut hash = Sha256::new();
        for score in &scores {
            hash.update(score.to_le_bytes());
        }
        // Batches differ from each other, and from the sample.
        let slack = 1.0 + 4.0 / (rows.min(batch_rows).max(1) as f64).sqrt();
        Ok(Self {
            scores,
            rows,
            k,
            slack,
            digest: Digest::finish(hash),
        })
    }

    /// The first guess, or, where it was too large a number of times, a lower one, which is 0 in the
    /// end.
    pub(super) fn threshold(&self, too_large: u32) -> f64 {
        let rank = (self.k * self.rows) as f64 * self.slack * 2f64.powi(too_large.cast_signed());
        // A conversion from binary64 stops at the largest integer.
        self.scores.get(rank as usize).copied().unwrap_or(0.0)
    }

    /// About how many scores of a row are above a threshold.
    pub(super) fn per_row(&self, threshold: f64) -> u64 {
        let above = self.scores.partition_point(|&score| score > threshold);
        (above as u64).div_ceil(self.rows.max(1))
    }
}

/// The scores above 0 of some rows, and the number of these. Where a row is not finite, and may not
/// be dropped, there are none: whoever reads all rows names it.
fn scores_of(
    numbers: &[f32],
    dim: usize,
    session: &mut Session,
    control: &Control,
) -> Result<(Vec<f64>, u64)> {
    let sample = SliceRows::new(numbers, dim)?;
    if sample.count() == 0 {
        return Ok((Vec::new(), 0));
    }
    let cuts = Cuts::new(sample.count() as u64, vec![Cut::ZERO]);
    let strata = Strata::single(sample.count());
    let quiet = control.unseen();
    match session.encode_strata(&sample, &strata, Some(&cuts), &quiet) {
        Ok(encoded) => {
            let scores = encoded.fires.scores().unwrap_or_default();
            Ok((scores.to_vec(), encoded.fires.rows() as u64))
        }
        Err(Error::NonFinite { .. }) => Ok((Vec::new(), 0)),
        Err(error) => Err(error),
    }
}
