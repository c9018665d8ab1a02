//! The source of blocks of rows: memory, or threads that read ahead of those that compute.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::Scope;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use crate::engine::sink::{Slot, Slots};
use crate::engine::{lock, threads_error};
use crate::error::Result;
use crate::rows::{ElementType, Place, Rows};

/// Blocks that wait, read, for a thread to take them.
const BLOCKS_AHEAD: usize = 2;
/// Threads that one that reads keeps busy.
const THREADS_A_READER: usize = 16;
/// The time that a thread waits for rows before it looks for other work of its pool, which may be
/// what the rows wait for.
const PATIENCE: Duration = Duration::from_millis(2);

/// Some rows as they are stored, and where their firing sets go.
pub(super) struct Batch<'a> {
    /// The first row.
    pub(super) first: usize,
    /// The number of rows.
    pub(super) count: usize,
    /// The slot, until it is taken.
    slot: Option<Slot<'a>>,
    stored: Stored<'a>,
}

enum Stored<'a> {
    Borrowed(&'a [u8]),
    Read(Vec<u8>),
}

impl<'a> Batch<'a> {
    /// Takes the slot that the rows' firing sets go to. It is to be asked for once.
    pub(super) fn take_slot(&mut self) -> Option<Slot<'a>> {
        self.slot.take()
    }

    /// The rows' numbers, row-major, in the element type of the rows.
    pub(super) fn stored(&self) -> &[u8] {
        match &self.stored {
            Stored::Borrowed(bytes) => bytes,
            Stored::Read(bytes) => bytes,
        }
    }
}

/// Blocks that were not taken yet.
pub(super) struct Chunks<'a> {
    first: usize,
    slots: Slots<'a>,
}

/// Rows that were not read yet, and where their firing sets go.
struct Chunk<'a> {
    first: usize,
    count: usize,
    slot: Slot<'a>,
}

impl<'a> Chunks<'a> {
    fn take(&mut self, deal: Deal) -> Option<Chunk<'a>> {
        let slot = self.slots.next()?;
        let first = self.first;
        let count = deal.rows_per_block.min(deal.rows.count() - first);
        self.first += count;
        Some(Chunk { first, count, slot })
    }
}

impl<'a> Chunk<'a> {
    fn with(self, stored: Stored<'a>) -> Batch<'a> {
        Batch {
            first: self.first,
            count: self.count,
            slot: Some(self.slot),
            stored,
        }
    }
}

/// The way in which rows are dealt out.
#[derive(Clone, Copy)]
pub(super) struct Deal<'a> {
    pub(super) rows: &'a dyn Rows,
    pub(super) rows_per_block: usize,
    /// The number of threads that take blocks.
    pub(super) threads: usize,
}

impl Deal<'_> {
    fn row_bytes(&self) -> usize {
        self.rows.dim() * self.element().bytes()
    }

    pub(super) fn element(&self) -> ElementType {
        self.rows.element_type()
    }
}

/// Hands out blocks, to any thread that asks.
pub(super) enum Source<'a> {
    /// All rows are in memory.
    Memory {
        bytes: &'a [u8],
        deal: Deal<'a>,
        chunks: Mutex<Chunks<'a>>,
    },
    /// Other threads read them.
    Ahead {
        batches: Receiver<Result<Batch<'a>>>,
        /// Buffers to be filled again.
        empty: Sender<Vec<u8>>,
        /// Nanoseconds that threads waited for rows.
        waited: AtomicU64,
    },
}

impl<'a> Source<'a> {
    /// Starts to deal out rows, a block of them with each of the `slots`.
    ///
    /// # Errors
    /// A thread that cannot be started.
    pub(super) fn open<'scope>(
        scope: &'scope Scope<'scope, '_>,
        deal: Deal<'a>,
        slots: Slots<'a>,
        read_seconds: &'a Mutex<f64>,
    ) -> Result<Self>
    where
        'a: 'scope,
    {
        let chunks = Mutex::new(Chunks { first: 0, slots });
        if let Place::Memory(bytes) = deal.rows.place() {
            return Ok(Self::Memory {
                bytes,
                deal,
                chunks,
            });
        }
        let (full_out, full_in) = bounded(BLOCKS_AHEAD);
        let (empty_out, empty_in) = bounded(BLOCKS_AHEAD + 1);
        let chunks = Arc::new(chunks);
        for i in 0..deal.threads.div_ceil(THREADS_A_READER) {
            let (chunks, full, empty) = (chunks.clone(), full_out.clone(), empty_in.clone());
            std::thread::Builder::new()
                .name(format!("atomscope-read-{i}"))
                .spawn_scoped(scope, move || {
                    read_ahead(deal, &chunks, &full, &empty, read_seconds);
                })
                .map_err(|error| threads_error(1, &error))?;
        }
        Ok(Self::Ahead {
            batches: full_in,
            empty: empty_out,
            waited: AtomicU64::new(0),
        })
    }

    /// Takes the next block; `None` where none is left. A thread that waits may `lend_a_hand` to
    /// its pool meanwhile.
    pub(super) fn next(&self, lend_a_hand: impl Fn()) -> Option<Result<Batch<'a>>> {
        match self {
            Self::Memory {
                bytes,
                deal,
                chunks,
            } => {
                let chunk = lock(chunks).take(*deal)?;
                let row = deal.row_bytes();
                let stored = &bytes[chunk.first * row..(chunk.first + chunk.count) * row];
                Some(Ok(chunk.with(Stored::Borrowed(stored))))
            }
            Self::Ahead {
                batches, waited, ..
            } => {
                let began = Instant::now();
                let batch = loop {
                    match batches.recv_timeout(PATIENCE) {
                        Ok(batch) => break Some(batch),
                        Err(RecvTimeoutError::Disconnected) => break None,
                        Err(RecvTimeoutError::Timeout) => lend_a_hand(),
                    }
                };
                waited.fetch_add(began.elapsed().as_nanos() as u64, Ordering::Relaxed);
                batch
            }
        }
    }

    /// Takes back what a block was read into.
    pub(super) fn done(&self, batch: Batch) {
        if let (Self::Ahead { empty, .. }, Stored::Read(buffer)) = (self, batch.stored) {
            // Where enough of them wait already, or reading is over, it goes.
            let _ = empty.try_send(buffer);
        }
    }

    /// Seconds that threads waited for rows, summed over them.
    pub(super) fn waited(&self) -> f64 {
        match self {
            Self::Memory { .. } => 0.0,
            Self::Ahead { waited, .. } => waited.load(Ordering::Relaxed) as f64 * 1e-9,
        }
    }
}

/// Reads block after block until all are read, one cannot be, or nobody wants them any more.
fn read_ahead<'a>(
    deal: Deal<'a>,
    chunks: &Mutex<Chunks<'a>>,
    full: &Sender<Result<Batch<'a>>>,
    empty: &Receiver<Vec<u8>>,
    read_seconds: &Mutex<f64>,
) {
    loop {
        // Not held while rows are read.
        let Some(chunk) = lock(chunks).take(deal) else {
            return;
        };
        let began = Instant::now();
        let (first, count) = (chunk.first, chunk.count);
        let mut buffer = empty.try_recv().unwrap_or_default();
        buffer.resize(count * deal.row_bytes(), 0);
        let read = deal.rows.read_stored(first..first + count, &mut buffer);
        *lock(read_seconds) += began.elapsed().as_secs_f64();
        let batch = read.map(|()| chunk.with(Stored::Read(buffer)));
        let failed = batch.is_err();
        if full.send(batch).is_err() || failed {
            return;
        }
    }
}
