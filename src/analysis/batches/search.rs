//! The search for the cut of each batch.
//!
//! Rows are encoded with guessed cuts, which are lower than the true ones more often than not. The
//! scores above them go through a [`Sieve`], batch by batch. Where it finds fewer than fire, the guess
//! was too high, and a lower one is tried, at last 0; where the scores do not fit the memory, the
//! sieve tells a narrower window for the next pass. So a batch is read once as a rule, and a few times
//! at most, and its cut is the same whatever was guessed.

use std::ops::Range;

use super::guess::Guesses;
use super::rows::CohortRows;
use super::sieve::{Firing, Sieve, Sieved, Window};
use crate::analysis::session::{Session, in_file};
use crate::control::{Control, Progress, Stage};
use crate::engine::{Cut, Cuts};
use crate::error::Result;
use crate::rows::{RowRange, Rows};
use crate::tally::Strata;

/// The most rows that are encoded at a time, and the least, however little memory there is.
const MOST_ROWS: u64 = 1 << 18;
const LEAST_ROWS: u64 = 1 << 6;
/// The least number of firings that a sieve keeps.
const LEAST_FIRINGS: u64 = 1 << 6;

/// The end of a batch's scores that fire.
#[derive(Debug, Clone, Copy)]
pub(super) struct BatchEnd {
    /// The cut; rows are counted as the cohort's.
    pub(super) cut: Cut,
    /// The least score that fires; `None` where nothing does.
    pub(super) least: Option<f64>,
}

impl BatchEnd {
    /// The end of a batch of which everything above 0 fires, if anything is.
    fn all(least: Option<f64>) -> Self {
        let cut = Cut::ZERO;
        Self { cut, least }
    }

    fn at(last: Firing) -> Self {
        let Firing { score, row, atom } = last;
        let cut = Cut { score, row, atom };
        let least = Some(score);
        Self { cut, least }
    }
}

/// The calls that are searched, and the engine that searches.
pub(super) struct Search<'a> {
    pub(super) rows: &'a dyn CohortRows,
    pub(super) session: Session,
    pub(super) guesses: Guesses,
    /// The number of atoms that fire on a row, on average.
    pub(super) k: u64,
    /// The rows of each batch but the last.
    pub(super) batch_rows: u64,
    /// Bytes that scores may take.
    pub(super) memory: u64,
    pub(super) control: Control<'a>,
}

/// A batch whose cut is sought.
struct Batch {
    number: usize,
    /// Its rows in the cohort.
    rows: Range<u64>,
    /// The window that holds its cut, if the guess was good.
    window: Window,
    /// The number of guesses that were too high.
    too_high: u32,
    /// The place of the cut in its window, once it is known how many rows are dropped.
    place: Option<u64>,
}

impl Batch {
    /// The next state, or the end, of a batch with what a pass over its `kept` rows has found.
    fn after(mut self, sieve: Sieve, kept: u64, k: u64, guesses: &Guesses) -> Step {
        let place = self.place.unwrap_or(k * kept);
        if place == 0 {
            return Step::Done(self.number, BatchEnd::all(None));
        }
        match sieve.finish(place) {
            Sieved::Found(last) => return Step::Done(self.number, BatchEnd::at(last)),
            Sieved::Short(least) if self.window.is_all() => {
                return Step::Done(self.number, BatchEnd::all(least));
            }
            Sieved::Short(_) => {
                self.too_high += 1;
                self.window = Window::above(guesses.threshold(self.too_high));
                self.place = Some(place);
            }
            Sieved::Within(window, left) => {
                self.window = window;
                self.place = Some(left);
            }
        }
        Step::More(self)
    }
}

enum Step {
    Done(usize, BatchEnd),
    More(Batch),
}

impl Search<'_> {
    /// The ends of all batches, in order.
    ///
    /// # Errors
    /// Rows that cannot be read, or have a NaN or an infinity where this is an error; cancellation.
    pub(super) fn run(mut self) -> Result<Vec<BatchEnd>> {
        let count: u64 = self.rows.counts().iter().sum();
        let window = Window::above(self.guesses.threshold(0));
        let starts = (0..count).step_by(usize::try_from(self.batch_rows).unwrap_or(usize::MAX));
        let mut open: Vec<Batch> = starts
            .enumerate()
            .map(|(number, start)| Batch {
                number,
                rows: start..count.min(start.saturating_add(self.batch_rows)),
                window,
                too_high: 0,
                place: None,
            })
            .collect();
        let mut ends = vec![BatchEnd::all(None); open.len()];
        while !open.is_empty() {
            open = self.round(open, &mut ends)?;
        }
        Ok(ends)
    }

    /// Goes through the rows of all batches whose end is open, and returns those for which it still is.
    fn round(&mut self, open: Vec<Batch>, ends: &mut [BatchEnd]) -> Result<Vec<Batch>> {
        let rows = |batch: &Batch| batch.rows.end - batch.rows.start;
        let mut progress = Progress {
            stage: Stage::Cutting,
            done: 0,
            total: open.iter().map(rows).sum(),
        };
        let mut more = Vec::new();
        let mut left = open.into_iter().peekable();
        while let Some(first) = left.next() {
            let most = self.rows_at_once(first.window);
            let limit = first.rows.start.saturating_add(most);
            let mut group = vec![first];
            // Those that follow one another, as many as are encoded at once.
            while let Some(next) = left.next_if(|next| {
                let last = group.last().map(|batch| batch.rows.end);
                Some(next.rows.start) == last && next.rows.end <= limit
            }) {
                group.push(next);
            }
            let rows: u64 = group.iter().map(rows).sum();
            for step in self.pass(group, most, progress)? {
                match step {
                    Step::Done(number, end) => ends[number] = end,
                    Step::More(batch) => more.push(batch),
                }
            }
            progress.done += rows;
        }
        Ok(more)
    }

    /// The rows that are encoded at a time, so that scores in a window take a quarter of the memory.
    fn rows_at_once(&self, window: Window) -> u64 {
        const FIRING: u64 = (size_of::<u32>() + size_of::<f64>()) as u64;
        // Blocks of firing sets stand beside all of them for a moment.
        let row = 2 * FIRING * self.guesses.per_row(window.threshold()) + 64;
        (self.memory / 4 / row).clamp(LEAST_ROWS, MOST_ROWS)
    }

    /// Encodes the rows of consecutive batches, `most` at a time.
    fn pass(&mut self, group: Vec<Batch>, most: u64, progress: Progress) -> Result<Vec<Step>> {
        let capacity = (self.memory / 2 / size_of::<Firing>() as u64).max(LEAST_FIRINGS);
        let k = self.k;
        let sieve = |batch: &Batch| {
            let all = k * (batch.rows.end - batch.rows.start);
            let most = batch.place.unwrap_or(all);
            Sieve::new(batch.window, most, capacity as usize)
        };
        let mut sieves: Vec<_> = group.iter().map(|batch| (sieve(batch), 0)).collect();
        // An equal score of the first row's first atom comes with them: the sieve leaves it out.
        let cut = |batch: &Batch| Cut {
            score: batch.window.threshold(),
            ..Cut::ZERO
        };
        let cuts = Cuts::new(self.batch_rows, group.iter().map(cut).collect());
        let start = group[0].rows.start;
        let end = group.last().map_or(start, |batch| batch.rows.end);
        let (session, control) = (&mut self.session, self.control.from(progress));
        let batch_rows = self.batch_rows;
        self.rows.read(start..end, &mut |rows, first| {
            for from in (0..rows.count() as u64).step_by(most as usize) {
                let range = from as usize..rows.count().min((from + most) as usize);
                let row = first + from;
                let part = RowRange::new(rows, range.clone());
                let strata = Strata::single(range.len());
                let cuts = cuts.from_row(row - start);
                let control = control.advanced(row - start);
                let encoded = session.encode_strata(&part, &strata, Some(&cuts), &control);
                let sets = encoded
                    .map_err(|error| in_file(error, from as usize))?
                    .fires;
                let scores = sets.scores().unwrap_or_default();
                for (number, (at, atoms)) in sets.iter().enumerate() {
                    let row = row + at as u64;
                    let (sieve, kept) = &mut sieves[((row - start) / batch_rows) as usize];
                    *kept += 1;
                    for (&score, &atom) in scores[sets.place(number)].iter().zip(atoms) {
                        sieve.add(Firing { score, row, atom });
                    }
                }
            }
            Ok(())
        })?;
        let guesses = &self.guesses;
        let found = group.into_iter().zip(sieves);
        Ok(found
            .map(|(batch, (sieve, kept))| batch.after(sieve, kept, k, guesses))
            .collect())
    }
}
