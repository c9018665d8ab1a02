//! Scores of every atom on true and on false calls, without competition for the k places of a call.
//!
//! A firing is won against other atoms: where one fires more often, others fire less, whether or not
//! they have to do with the label. The score that it is won by is the atom's own. So what is compared
//! here is the canonical score of each atom on every call, whether it fires or not.
//!
//! Scores take 8 bytes a call and atom; the rows are read again for each block of atoms whose scores fit
//! the memory. An atom's figures depend on its scores in the cohort's order and on nothing else: not on
//! blocks, threads or the files that the rows are in.
//!
//! | file | what it computes |
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
use crate::stats::evidence::Adjusted;

/// Some rows of a cohort, and those of them that are left out.
#[derive(Clone, Copy)]
pub struct Part<'a> {
    /// The rows.
    pub rows: &'a dyn Rows,
    /// Those that are left out, ascending, counted from the part's first.
    pub dropped: &'a [usize],
}

/// A cohort's rows, to be read as often as need be.
pub trait RowsAgain {
    /// Hands over every row once, in the cohort's order, part by part. How they are cut into parts
    /// changes no result.
    ///
    /// # Errors
    /// Those of `take`, which end it, and of opening files.
    fn parts(&self, take: &mut dyn FnMut(Part<'_>) -> Result<()>) -> Result<()>;
}

/// Rows in memory, or wherever else they can be read at any time: one part.
impl RowsAgain for Part<'_> {
    fn parts(&self, take: &mut dyn FnMut(Part<'_>) -> Result<()>) -> Result<()> {
        take(*self)
    }
}

/// What the scores of an atom say.
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
    /// True and false calls.
    pub calls: [u64; 2],
    /// Strata with calls of both labels.
    pub strata: usize,
    /// Every atom, \[F\].
    pub atoms: Vec<AtomScores>,
    /// van Elteren's p-values adjusted over all atoms that have one.
    pub adjusted: Adjusted,
    /// How often the rows were read.
    pub passes: usize,
    /// Seconds that it took.
    pub seconds: f64,
}

/// The blocks of atoms whose scores on `calls` calls fit `memory` bytes, beside what threads take to
/// rank an atom each: at least one atom each.
pub fn blocks(atoms: usize, calls: usize, memory: u64) -> Vec<Range<usize>> {
    let rank = size_of::<(u64, u32)>() * rayon::current_num_threads();
    let left = memory.saturating_sub((calls as u64).saturating_mul(rank as u64));
    let of_atom = (calls * size_of::<f64>()).max(1) as u64;
    let most = usize::try_from(left / of_atom).unwrap_or(usize::MAX);
    let passes = atoms.div_ceil(most.clamp(1, atoms.max(1))).max(1);
    // As equal as they can be: none of them is nearly empty.
    let step = atoms.div_ceil(passes).max(1);
    let block = |first| first..atoms.min(first + step);
    (0..atoms).step_by(step).map(block).collect()
}

/// Compares the scores of all `atoms` (their number, F) by `dense` between true and false `calls`,
/// those of `rows` without the dropped ones. Scores take up to about `memory` bytes at a time.
/// `control` is told how many rows are done, of all rows times the number of [`blocks`].
///
/// # Errors
/// Rows that cannot be read, or are another number than the calls; a NaN or an infinity in a row that
/// was not dropped; memory; cancellation.
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

/// What one atom's scores say, one a call.
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

/// One pass over all rows: the scores of a block of atoms, \[atoms, calls\].
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
