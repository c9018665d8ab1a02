//! A run that several devices take part in: the queue of batches, and what they hand over.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use super::fault::Fault;
use super::lane::Sets;
use super::select_threshold::RowCut;
use crate::control::Control;
use crate::engine::Cuts;
use crate::engine::sink::{EncodedBlock, Sink};
use crate::engine::{into_inner, lock};
use crate::error::Error;
use crate::rows::Rows;
use crate::tally::{SharedTally, Strata};

/// The reason why a device stops before the queue is empty.
#[derive(Debug)]
pub(super) enum Stop {
    /// The device failed.
    Fault(Fault),
    /// Rows that cannot be read, or the caller's wish.
    Error(Error),
}

impl Stop {
    /// Adds the number of the device that has the fault.
    pub(super) fn on(self, ordinal: u32) -> Self {
        match self {
            Self::Fault(fault) => Self::Fault(fault.on(ordinal)),
            Self::Error(error) => Self::Error(error),
        }
    }

    /// The error of a run on `device`.
    pub(super) fn of_device(self, device: &str) -> Error {
        match self {
            Self::Fault(fault) => fault.of_device(device),
            Self::Error(error) => error,
        }
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// The state that devices share.
pub(super) struct Run<'a> {
    pub(super) rows: &'a dyn Rows,
    strata: &'a Strata,
    /// Those of the rows' batches, of a model of batch top-k.
    pub(super) cuts: Option<&'a Cuts>,
    control: &'a Control<'a>,
    /// Threads that read rows: its own, so that a caller within a pool is not waited for.
    pub(super) readers: rayon::ThreadPool,
    /// The caller's wish.
    pub(super) batch_rows: Option<usize>,
    pub(super) devices: usize,
    next: AtomicUsize,
    done: AtomicU64,
    failed: AtomicBool,
    sink: Mutex<Sink>,
    scored: bool,
    bad_rows: Mutex<Vec<usize>>,
    tally: SharedTally,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        rows: &'a dyn Rows,
        strata: &'a Strata,
        control: &'a Control<'a>,
        sink: Sink,
        tally: SharedTally,
        readers: rayon::ThreadPool,
    ) -> Self {
        Self {
            readers,
            rows,
            strata,
            cuts: None,
            control,
            batch_rows: None,
            devices: 1,
            next: AtomicUsize::new(0),
            done: AtomicU64::new(0),
            failed: AtomicBool::new(false),
            scored: sink.is_scored(),
            sink: Mutex::new(sink),
            bad_rows: Mutex::default(),
            tally,
        }
    }

    /// Returns the number of strata.
    pub(super) fn strata(&self) -> usize {
        self.strata.table().len()
    }

    /// The strata of some rows.
    pub(super) fn strata_of(&self, rows: &Range<usize>) -> &[u32] {
        &self.strata.of_row()[rows.clone()]
    }

    /// The cuts of some rows, of a model of batch top-k; else none.
    pub(super) fn cuts_of(&self, rows: &Range<usize>) -> Vec<RowCut> {
        let of_row = |cuts: &Cuts, row| RowCut::new(cuts.of_row(row));
        let cuts = self.cuts.into_iter();
        cuts.flat_map(|cuts| rows.clone().map(move |row| of_row(cuts, row)))
            .collect()
    }

    /// Says whether the atoms that fire are scored.
    pub(super) fn scored(&self) -> bool {
        self.scored
    }

    /// Counts the rows that nobody has taken yet.
    pub(super) fn left(&self) -> usize {
        let taken = self.next.load(Ordering::Relaxed);
        self.rows.count().saturating_sub(taken)
    }

    /// Says whether there are rows that nobody has taken yet.
    pub(super) fn is_left(&self) -> bool {
        self.left() > 0
    }

    /// The next rows to be done; `None` where there are none, or another device has failed.
    pub(super) fn next(&self, batch_rows: usize) -> Option<Range<usize>> {
        if self.failed.load(Ordering::Relaxed) {
            return None;
        }
        let first = self.next.fetch_add(batch_rows, Ordering::Relaxed);
        let last = self.rows.count().min(first.saturating_add(batch_rows));
        (first < last).then_some(first..last)
    }

    /// Says whether the caller wants the run to end.
    pub(super) fn is_cancelled(&self) -> bool {
        self.control.is_cancelled()
    }

    /// Another device's failure ends this one's work as well.
    pub(super) fn fail(&self) {
        self.failed.store(true, Ordering::Relaxed);
    }

    /// Takes the firing sets of some rows, and their scores where these are wanted.
    /// `bad` takes the place of a row, and says whether the row is not finite.
    pub(super) fn take(
        &self,
        rows: &Range<usize>,
        sets: &Sets,
        bad: impl Fn(usize) -> bool,
    ) -> Result<(), Stop> {
        if self.is_cancelled() {
            return Err(Error::Cancelled.into());
        }
        if let Sets::Uniform { fires, scores } = *sets {
            lock(&self.sink).put(rows, (fires, scores));
        } else {
            let mut block = EncodedBlock::of_rows_from(rows.start);
            for row in (0..rows.len()).filter(|&row| !bad(row)) {
                let (atoms, scores) = sets.row(row);
                block.push(atoms, if self.scored { scores } else { &[] })?;
            }
            lock(&self.sink).put_block(block)?;
        }
        let mut of_stratum = vec![0u64; self.strata()];
        let mut bad_rows = Vec::new();
        for (r, &stratum) in self.strata_of(rows).iter().enumerate() {
            if bad(r) {
                bad_rows.push(rows.start + r);
            } else {
                of_stratum[stratum as usize] += 1;
            }
        }
        self.tally.add_counts(&[], &of_stratum);
        lock(&self.bad_rows).extend(bad_rows);
        let count = rows.len() as u64;
        let done = self.done.fetch_add(count, Ordering::Relaxed) + count;
        self.control.report(done);
        Ok(())
    }

    /// Adds counts \[strata, features\].
    pub(super) fn add_counts(&self, counts: &[u32]) {
        self.tally.add_counts(counts, &[]);
    }

    /// Firing sets, rows that are not finite, and counts, once all devices are done.
    pub(super) fn finish(self) -> (Sink, Vec<usize>, SharedTally) {
        (into_inner(self.sink), into_inner(self.bad_rows), self.tally)
    }
}
