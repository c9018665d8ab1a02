//! Scores of every atom on true and on false calls, without competition for the k places of a call.
//!
//! Atoms compete for a firing: if one fires more often, others fire less, whether or not they are
//! related to the label. The score itself is the atom's own. So this module compares the canonical
//! score of each atom on every call, whether it fires or not.
//!
//! Scores take 8 bytes a call and atom. The rows are read again for each block of atoms whose
//! scores fit the memory. An atom's figures depend on its scores in the cohort's order alone: not
//! on blocks, threads or the files that the rows are in.
//!
//! | file | contents |
//! |---|---|
//! | `strata` | labels and strata of the calls |
//! | `ranks` | van Elteren's test, areas under the ROC curve |
//! | `means` | means, their difference within strata with its interval |

mod means;
mod ranks;
mod strata;

use std::ops::Range;
use std::time::Instant;

use rayon::prelude::*;

pub use means::Means;
pub use ranks::Ranks;
pub use strata::LabelledCalls;

use crate::control::Control;
use crate::error::{Error, Result};
use crate::rows::Rows;
use crate::scores::{ScoreAtoms, ScoresOf};
use crate::stats::inference::multiplicity::Adjusted;

/// Some rows of a cohort, and the dropped ones among them.
#[derive(Clone, Copy)]
pub struct Part<'a> {
    /// The rows.
    pub rows: &'a dyn Rows,
    /// The rows that are left out, ascending, counted from the part's first.
    pub dropped: &'a [usize],
}

/// A cohort's rows, which can be read any number of times.
pub trait RowsAgain {
    /// Hands over every row once, in the cohort's order, part by part. The cut into parts changes
    /// no result.
    ///
    /// # Errors
    /// Fails as `take` does, which ends it, and as opening files does.
    fn parts(&self, take: &mut dyn FnMut(Part<'_>) -> Result<()>) -> Result<()>;
}

/// One part: rows in memory, or any rows that can be read at any time.
impl RowsAgain for Part<'_> {
    fn parts(&self, take: &mut dyn FnMut(Part<'_>) -> Result<()>) -> Result<()> {
        take(*self)
    }
}

/// The comparison of one atom's scores.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AtomScores {
    /// Means.
    pub means: Means,
    /// Ranks.
    pub ranks: Ranks,
}

/// Every atom, compared by its scores.
#[derive(Debug, Clone)]
pub struct ScoreComparison {
    /// The numbers of true and false calls.
    pub calls: [u64; 2],
    /// The number of strata with calls of both labels.
    pub strata: usize,
    /// Every atom, \[F\].
    pub atoms: Vec<AtomScores>,
    /// van Elteren's p-values adjusted over all atoms that have one.
    pub adjusted: Adjusted,
    /// The number of times that the rows were read.
    pub passes: usize,
    /// The seconds that it took.
    pub seconds: f64,
}

/// Returns the blocks of atoms whose scores on `calls` calls fit `memory` bytes, after what threads
/// take to rank an atom each. A block has at least one atom.
pub fn blocks(atoms: usize, calls: usize, memory: u64) -> Vec<Range<usize>> {
    let rank = size_of::<(u64, u32)>() * rayon::current_num_threads();
    let left = memory.saturating_sub((calls as u64).saturating_mul(rank as u64));
    let of_atom = (calls * size_of::<f64>()).max(1) as u64;
    let most = usize::try_from(left / of_atom).unwrap_or(usize::MAX);
    let passes = atoms.div_ceil(most.clamp(1, atoms.max(1))).max(1);
    // Blocks are as equal as possible: none of them is nearly empty.
    let step = atoms.div_ceil(passes).max(1);
    let block = |first| first..atoms.min(first + step);
    (0..atoms).step_by(step).map(block).collect()
}

/// Compares the scores of all `atoms` (their number, F) by `dense` between true and false `calls`,
/// those of `rows` without the dropped ones. Scores take up to about `memory` bytes at a time.
/// `control` learns how many rows are done, of all rows times the number of [`blocks`].
///
/// # Errors
/// Fails if rows cannot be read, or differ in number from the calls; if a row that was not dropped
/// has a NaN or an infinity; if memory does not suffice; and on cancellation.
pub fn compare(
    dense: &dyn ScoreAtoms,
    atoms: usize,
    rows: &dyn RowsAgain,
    calls: &LabelledCalls,
    memory: u64,
    control: &Control,
) -> Result<ScoreComparison> {
    let began = Instant::now();
    let blocks = blocks(atoms, calls.len(), memory);
    let most = blocks.first().map_or(0, Range::len);
    let mut scores = crate::memory::filled(most, calls.len(), "the scores", || 0.0f64)?;
    let (mut found, mut done) = (Vec::with_capacity(atoms), 0);
    for block in &blocks {
        let scores = &mut scores[..block.len() * calls.len()];
        score(
            dense,
            block,
            rows,
            calls.len(),
            (scores, &mut done),
            control,
        )?;
        if calls.is_empty() {
            continue;
        }
        let of_block: Vec<AtomScores> = scores
            .par_chunks(calls.len())
            .map_init(Default::default, |buffers, scores| {
                of_atom(buffers, scores, calls)
            })
            .collect();
        found.extend(of_block);
        control.check()?;
    }
    let p = |atom: &AtomScores| atom.ranks.test.map(|test| test.p);
    Ok(ScoreComparison {
        calls: calls.total(),
        strata: calls.telling().count(),
        adjusted: Adjusted::of(&found.iter().map(p).collect::<Vec<_>>()),
        atoms: found,
        passes: blocks.len(),
        seconds: began.elapsed().as_secs_f64(),
    })
}

/// Compares one atom's scores, one a call.
fn of_atom(
    (ranking, averaging): &mut (ranks::Ranking, means::Averaging),
    scores: &[f64],
    calls: &LabelledCalls,
) -> AtomScores {
    AtomScores {
        means: averaging.of(scores, calls),
        ranks: ranking.of(scores, calls),
    }
}

/// Makes one pass over all rows: the scores of a block of atoms, \[atoms, calls\].
fn score(
    dense: &dyn ScoreAtoms,
    block: &Range<usize>,
    rows: &dyn RowsAgain,
    calls: usize,
    (scores, done): (&mut [f64], &mut u64),
    control: &Control,
) -> Result<()> {
    let mut first = 0;
    let mut names = Vec::new();
    rows.parts(&mut |part| {
        let kept = part.rows.count() - part.dropped.len();
        names.push(part.rows.name());
        if first + kept > calls {
            return Err(other_number(&names, first + kept, calls));
        }
        if kept > 0 {
            let inner = control.advanced(*done);
            let mut to = ScoresOf {
                scores,
                calls,
                first,
            };
            first = dense.score(part.rows, part.dropped, block, &mut to, &inner)?;
        }
        *done += part.rows.count() as u64;
        Ok(())
    })?;
    if first == calls {
        return Ok(());
    }
    Err(other_number(&names, first, calls))
}

fn other_number(names: &[String], found: usize, expected: usize) -> Error {
    Error::input(
        names.first().cloned().unwrap_or_default(),
        "embeddings",
        format!("{found} rows without the dropped ones, when they were read again"),
        format!("{expected}, one for each call"),
        "leave the embeddings as they are while a run is under way",
    )
}
