//! Threads that take one block of rows after another.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use super::block::Block;
use super::context::Context;
use super::model::Model;
use super::source::{Batch, Deal, Source};
use crate::control::Control;
use crate::engine::sink::Slots;
use crate::engine::{Cuts, Nonfinite, ThreadSeconds, into_inner, lock};
use crate::error::{Error, Result};
use crate::tally::Certificate;

/// Does the work in the pool, or in the caller's where there is none.
pub(super) fn install<T: Send>(
    pool: Option<&rayon::ThreadPool>,
    work: impl FnOnce() -> T + Send,
) -> T {
    match pool {
        Some(pool) => pool.install(work),
        None => work(),
    }
}

/// Stops a run when it is dropped: on every way out but the regular one.
struct StopEarly<'a>(&'a AtomicBool);

impl Drop for StopEarly<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The state that the blocks of a run share.
pub(super) struct Run<'a> {
    /// The cuts of batches, for batch top-k.
    pub(super) cuts: Option<&'a Cuts>,
    control: &'a Control<'a>,
    nonfinite: Nonfinite,
    /// Set once a row must end the run: the rest is only looked through for more such rows, so
    /// that the message does not depend on who came first.
    failed: AtomicBool,
    done: AtomicU64,
    /// Threads that have begun.
    begun: AtomicUsize,
    /// Set once the run is over before its end.
    stopped: AtomicBool,
    bad_rows: Mutex<Vec<usize>>,
    certificate: Mutex<Certificate>,
    seconds: Mutex<ThreadSeconds>,
}

impl<'a> Run<'a> {
    pub(super) fn new(control: &'a Control, nonfinite: Nonfinite) -> Self {
        Self {
            cuts: None,
            control,
            nonfinite,
            failed: AtomicBool::new(false),
            done: AtomicU64::new(0),
            begun: AtomicUsize::new(0),
            stopped: AtomicBool::new(false),
            bad_rows: Mutex::default(),
            certificate: Mutex::default(),
            seconds: Mutex::default(),
        }
    }

    /// Works through all blocks on all threads of the pool, or of the caller's where there is none.
    ///
    /// # Errors
    /// Rows that cannot be read, cancellation, memory, a thread that cannot be started.
    pub(super) fn all_blocks(
        &self,
        model: &Model,
        deal: Deal,
        slots: Slots,
        pool: Option<&rayon::ThreadPool>,
    ) -> Result<()> {
        let read_seconds = Mutex::new(0.0);
        let failure = Mutex::new(None);
        let waited = std::thread::scope(|scope| {
            let source = Source::open(scope, deal, slots, &read_seconds)?;
            install(pool, || {
                rayon::scope(|scope| {
                    for _ in 0..deal.threads {
                        scope.spawn(|_| {
                            if let Err(error) = self.run_blocks(model, deal, &source) {
                                lock(&failure).get_or_insert(error);
                            }
                        });
                    }
                });
            });
            // With the source goes what the reading thread sends to, so that it ends.
            Ok::<_, Error>(source.waited())
        })?;
        let mut seconds = lock(&self.seconds);
        seconds.read += *lock(&read_seconds);
        seconds.wait += waited;
        into_inner(failure).map_or(Ok(()), Err)
    }

    /// Takes blocks until there are none, or one of them ends the run.
    fn run_blocks(&self, model: &Model, deal: Deal, source: &Source) -> Result<()> {
        let mut block = Block::default();
        // Rows may be read by work of this pool. As long as not all threads have begun, the work
        // that is found there is another thread's share of this run: it must not be done on this
        // one.
        self.begun.fetch_add(1, Ordering::Relaxed);
        let lend_a_hand = || {
            if self.begun.load(Ordering::Relaxed) >= deal.threads {
                rayon::yield_now();
            }
        };
        // An error, or a panic in a caller's callback, must not leave the others at work.
        let stop = StopEarly(&self.stopped);
        while !self.stopped.load(Ordering::Relaxed)
            && let Some(batch) = source.next(lend_a_hand)
        {
            let mut batch = batch?;
            self.run_block(model, deal, &mut block, &mut batch)?;
            source.done(batch);
        }
        std::mem::forget(stop);
        let (certificate, spent) = block.finish();
        lock(&self.seconds).add(&spent);
        let mut sum = lock(&self.certificate);
        *sum = sum.merge(certificate);
        Ok(())
    }

    fn run_block(
        &self,
        model: &Model,
        deal: Deal,
        block: &mut Block,
        batch: &mut Batch,
    ) -> Result<()> {
        self.control.check()?;
        let bad = block.load(model, batch.stored(), deal.element());
        let first = batch.first;
        if !bad.is_empty() {
            lock(&self.bad_rows).extend(bad.into_iter().map(|row| first + row));
            self.failed
                .fetch_or(self.nonfinite == Nonfinite::Error, Ordering::Relaxed);
        }
        let count = batch.count;
        if !self.failed.load(Ordering::Relaxed)
            && let Some(slot) = batch.take_slot()
        {
            let context = Context {
                cuts: self.cuts,
                first,
                control: self.control,
                threads: deal.threads,
            };
            block.encode(model, context, slot)?;
        }
        let done = self.done.fetch_add(count as u64, Ordering::Relaxed) + count as u64;
        self.control.report(done);
        Ok(())
    }

    /// The certificate, the rows that are not finite, and seconds.
    pub(super) fn finish(self) -> (Certificate, Vec<usize>, ThreadSeconds) {
        (
            into_inner(self.certificate),
            into_inner(self.bad_rows),
            into_inner(self.seconds),
        )
    }
}
