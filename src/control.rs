//! The caller's hold on a run: cancellation in, progress out.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, Result};

/// Set once all work of the process is to end.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Ends all work of this process with [`Error::Cancelled`], whatever [`Control`] it has: reading too, which
/// has none. It cannot be taken back, so it is for programs that end, as by Ctrl-C. Returns true if it was
/// called before.
pub fn interrupt() -> bool {
    INTERRUPTED.swap(true, Ordering::Relaxed)
}

/// Says whether all work of this process is to end.
pub fn is_interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// Fails once all work of this process is to end. Loops over bytes ask it for each piece of some
/// milliseconds.
pub(crate) fn hear() -> io::Result<()> {
    if is_interrupted() {
        // The kind `Interrupted` would be tried again.
        return Err(io::Error::other("interrupted"));
    }
    Ok(())
}

/// Fails once all work of this process is to end; asks at every so many turns of a loop.
pub(crate) fn hear_at(turn: usize) -> Result<()> {
    const TURNS: usize = 1 << 12;
    if turn.is_multiple_of(TURNS) && is_interrupted() {
        return Err(Error::Cancelled);
    }
    Ok(())
}

/// The stage of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Stage {
    /// Rows are read, encoded and counted.
    #[default]
    Encoding,
    /// Rows are read before, for where the scores end that fire in each batch.
    Cutting,
    /// Activations are read and counted.
    Reading,
    /// Rows are read again, for the scores of all atoms.
    Scoring,
    /// A cohort is simulated.
    Simulating,
    /// Tallies are read and merged.
    Merging,
    /// Firing sets are gathered by atom, and atoms are tested.
    Testing,
    /// Labels are permuted.
    Permuting,
    /// Findings of one part of the cohort are looked for in the other.
    Replicating,
    /// Replicates of the bootstrap are drawn, for each of the strongest atoms.
    Bootstrapping,
    /// Pairs of atoms are counted, one atom with all others after another.
    Pairing,
    /// Calls of regions, reasons and quantities are compared.
    Comparing,
    /// Models of the label are fitted.
    Predicting,
}

impl Stage {
    /// Returns its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Encoding => "encoding",
            Self::Cutting => "cutting",
            Self::Reading => "reading",
            Self::Scoring => "scoring",
            Self::Simulating => "simulating",
            Self::Merging => "merging",
            Self::Testing => "testing",
            Self::Permuting => "permuting",
            Self::Replicating => "replicating",
            Self::Bootstrapping => "bootstrapping",
            Self::Pairing => "pairing",
            Self::Comparing => "comparing",
            Self::Predicting => "predicting",
        }
    }

    /// Says whether its progress is counted in rows, a call each. That of other stages is counted in
    /// tallies, atoms, permutations, replicates or models.
    pub fn is_of_rows(self) -> bool {
        use Stage as S;
        matches!(
            self,
            S::Encoding | S::Cutting | S::Reading | S::Scoring | S::Simulating
        )
    }
}

/// The progress of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// The stage of the run.
    pub stage: Stage,
    /// Rows that are done; of a stage that has none, what its work is counted in.
    pub done: u64,
    /// The same in all; 0 where nobody knows.
    pub total: u64,
}

/// Cancels a run, and learns how far it is. [`Control::default`] does neither.
///
/// ```
/// use std::sync::atomic::{AtomicBool, Ordering};
/// use atomscope::Control;
///
/// let stop = AtomicBool::new(false);
/// let stopped = || stop.load(Ordering::Relaxed);
/// let show = |progress: atomscope::Progress| eprintln!("{} rows", progress.done);
/// let control = Control::default().cancel_when(&stopped).on_progress(&show);
/// assert!(!control.is_cancelled());
/// ```
#[derive(Clone, Copy, Default)]
pub struct Control<'a> {
    cancelled: Option<&'a (dyn Fn() -> bool + Sync)>,
    stop: Option<&'a AtomicBool>,
    progress: Option<&'a (dyn Fn(Progress) + Sync)>,
    /// The start of the rows that are reported.
    before: Progress,
}

impl<'a> Control<'a> {
    /// Ends the run with [`Error::Cancelled`] once `cancelled` is true. It is called often, from any
    /// thread.
    #[must_use]
    pub fn cancel_when(self, cancelled: &'a (dyn Fn() -> bool + Sync)) -> Self {
        Self {
            cancelled: Some(cancelled),
            ..self
        }
    }

    /// Calls `progress` as rows are done: from any thread, not always in order.
    #[must_use]
    pub fn on_progress(self, progress: &'a (dyn Fn(Progress) + Sync)) -> Self {
        Self {
            progress: Some(progress),
            ..self
        }
    }

    /// The same control, which ends a part of the run once `stop` is set.
    #[must_use]
    pub(crate) fn or_stop(self, stop: &'a AtomicBool) -> Self {
        Self {
            stop: Some(stop),
            ..self
        }
    }

    /// The same control for a part of the run, of whose rows the first is number `before.done`.
    #[must_use]
    pub(crate) fn from(self, before: Progress) -> Self {
        Self { before, ..self }
    }

    /// The same control for a stage of so much work, of which nothing is done yet.
    #[must_use]
    pub(crate) fn stage(self, stage: Stage, total: u64) -> Self {
        let control = self.from(Progress {
            stage,
            done: 0,
            total,
        });
        control.report(0);
        control
    }

    /// The same control for a part of the run of which nothing is shown.
    #[must_use]
    pub(crate) fn unseen(self) -> Self {
        Self {
            progress: None,
            ..self
        }
    }

    /// The same control for what comes after the given number of further rows.
    #[must_use]
    pub(crate) fn advanced(self, rows: u64) -> Self {
        let done = self.before.done + rows;
        self.from(Progress {
            done,
            ..self.before
        })
    }

    /// Says whether the caller wants the run to end.
    pub fn is_cancelled(&self) -> bool {
        is_interrupted()
            || self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed))
            || self.cancelled.is_some_and(|cancelled| cancelled())
    }

    /// Returns [`Error::Cancelled`] if the caller wants the run to end.
    ///
    /// # Errors
    /// That one.
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() {
            return Err(Error::Cancelled);
        }
        Ok(())
    }

    /// Tells the caller how many rows of this part are done, or how much of what its stage is counted in.
    pub fn report(&self, rows: u64) {
        if let Some(progress) = self.progress {
            progress(Progress {
                done: self.before.done + rows,
                ..self.before
            });
        }
    }
}

impl fmt::Debug for Control<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control")
            .field("is_cancelled", &self.is_cancelled())
            .field("before", &self.before)
            .finish_non_exhaustive()
    }
}
