//! A lane: one stream with all its buffers, through which a batch of rows goes from embeddings to
//! firing sets. Several lanes of a device overlap copying and computing.

mod arguments;
mod full;
mod ragged;
mod score;
mod steps;

use std::ops::Range;
use std::sync::Arc;

use super::blas::Blas;
use super::driver::{Buffer, Device, PageLocked, Stream};
use super::encoder::Encoder;
use super::fault::Fault;
use super::kernels::Kernels;
use super::rule::Rule;
use super::screen::Screen;
use super::select::{Counters, RowAtom, RowState};
use super::select_threshold::RowCut;
use super::shape::LaneShape;
use super::stages::{Stage, Stages};
use super::whiten::RowFacts;
use crate::rows::ElementType;
use ragged::FullRows;
pub(super) use ragged::Sets;

/// The counts of a device, which all its lanes add to.
#[derive(Debug)]
pub(super) struct Counts {
    /// \[strata, features\].
    pub(super) cells: Buffer<u32>,
    pub(super) counters: Buffer<Counters>,
    pub(super) strata: usize,
}

/// The parts of a device that its lanes share.
#[derive(Clone, Copy)]
pub(super) struct Shared<'a> {
    pub(super) device: &'a Arc<Device>,
    pub(super) kernels: &'a Kernels,
    pub(super) encoder: &'a Encoder,
    pub(super) screen: &'a Screen,
    pub(super) counts: &'a Counts,
}

/// The source of a batch's rows.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source<'a> {
    /// Rows come from [`Lane::input`], which was filled.
    Filled,
    /// Rows come from page-locked memory of somebody else's.
    PageLocked(&'a [u8]),
    /// Rows are in the device's own memory, at this address.
    Device(u64),
}

/// Numbers that a batch counts on the device: `pair_count`, `overflow_count`, `ordered`; and, of
/// the pairs that fire, `pair_count` and `ordered`.
const HEADS: usize = 5;
const OVERFLOWED: usize = 1;
const ORDERED: usize = 2;
const FIRED: usize = 3;
const FIRED_ORDERED: usize = 4;

/// Fields are dropped in order: the handle, then the stream, which waits for its work, then all
/// that it works on.
pub(super) struct Lane {
    blas: Blas,
    stream: Stream,
    stages: Stages,
    shape: LaneShape,
    rows: Buffer<u8>,
    x: Buffer<f32>,
    operand: Buffer<u8>,
    facts: Buffer<RowFacts>,
    scores: Buffer<f32>,
    fires: Buffer<u32>,
    /// \[rows\] of a model whose rows differ; else nothing.
    lengths: Buffer<u32>,
    /// \[rows\] of a model of batch top-k; else nothing.
    cuts: Buffer<RowCut>,
    states: Buffer<RowState>,
    pairs: Buffer<RowAtom>,
    order: Buffer<u32>,
    pair_scores: Buffer<f64>,
    atom_pairs: Buffer<u32>,
    overflowed: Buffer<u32>,
    heads: Buffer<u32>,
    strata: Buffer<u16>,
    host_rows: PageLocked<u8>,
    host_strata: PageLocked<u16>,
    host_cuts: PageLocked<RowCut>,
    host_fires: PageLocked<u32>,
    host_lengths: PageLocked<u32>,
    host_scores: PageLocked<f64>,
    host_states: PageLocked<RowState>,
    host_heads: PageLocked<u32>,
    /// The rows that are under way.
    batch: Option<Range<usize>>,
    /// Rows of the last batch that were scored in full, of a model whose rows differ.
    full: FullRows,
}

/// The facts of a batch's rows that are known beforehand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    /// One number a row.
    pub(super) strata: &'a [u32],
    /// One a row, of a model of batch top-k; else none.
    pub(super) cuts: &'a [RowCut],
}

/// A batch that is done.
pub(super) struct Done<'a> {
    pub(super) rows: Range<usize>,
    /// The firing sets; what stands at rows that are not finite means nothing.
    pub(super) sets: Sets<'a>,
    /// The state of each row. Its status says whether the row is not finite.
    pub(super) states: &'a [RowState],
    /// The number of rows that were scored in full.
    pub(super) overflowed: usize,
    /// The number of pairs that were scored.
    pub(super) pairs: usize,
}

impl Lane {
    /// Takes all memory that batches of this shape need. `staged`: whether rows come by way of the
    /// lane's own page-locked memory.
    pub(super) fn new(shared: Shared, shape: LaneShape, staged: bool) -> Result<Self, Fault> {
        let (device, encoder, screen) = (shared.device, shared.encoder, shared.screen);
        let rows = shape.batch_rows;
        let input = rows * encoder.dim * shape.element.bytes();
        let staging = if staged { input } else { 0 };
        // Rows that already are on the device need no copy there.
        let copied = if shape.resident { 0 } else { input };
        let pairs = shape.pair_room(encoder);
        let scored = if shape.scored {
            rows * encoder.width
        } else {
            0
        };
        let ragged_rows = if encoder.rule.is_ragged() { rows } else { 0 };
        let cut_rows = if encoder.rule == Rule::Cut { rows } else { 0 };
        let stream = Stream::new(device)?;
        Ok(Self {
            blas: Blas::new(&stream)?,
            stages: Stages::new(device),
            rows: Buffer::new(device, copied, "embeddings")?,
            x: Buffer::new(device, rows * encoder.dim, "whitened embeddings")?,
            operand: Buffer::new(device, rows * screen.row_bytes(), "screened embeddings")?,
            facts: Buffer::new(device, rows, "norms")?,
            scores: Buffer::new(device, shape.tile_rows * screen.stride, "scores")?,
            fires: Buffer::new(device, rows * encoder.width, "firing sets")?,
            lengths: Buffer::new(device, ragged_rows, "firing sets")?,
            cuts: Buffer::new(device, cut_rows, "cuts")?,
            states: Buffer::new(device, rows, "rows")?,
            pairs: Buffer::new(device, pairs, "open pairs")?,
            order: Buffer::new(device, pairs, "open pairs")?,
            pair_scores: Buffer::new(device, pairs, "open pairs")?,
            atom_pairs: Buffer::new(device, encoder.features, "open pairs")?,
            overflowed: Buffer::new(device, rows, "rows")?,
            heads: Buffer::new(device, HEADS, "counters")?,
            strata: Buffer::new(device, rows, "strata")?,
            host_rows: PageLocked::new(device, staging, "embeddings")?,
            host_strata: PageLocked::new(device, rows, "strata")?,
            host_cuts: PageLocked::new(device, cut_rows, "cuts")?,
            host_lengths: PageLocked::new(device, ragged_rows, "firing sets")?,
            host_fires: PageLocked::new(device, rows * encoder.width, "firing sets")?,
            host_scores: PageLocked::new(device, scored, "scores of firing sets")?,
            host_states: PageLocked::new(device, rows, "rows")?,
            host_heads: PageLocked::new(device, HEADS, "counters")?,
            batch: None,
            full: FullRows::default(),
            stream,
            shape,
        })
    }

    /// Says whether a batch is under way.
    pub(super) fn is_busy(&self) -> bool {
        self.batch.is_some()
    }

    /// The page-locked memory that rows are to be put into; the lane must not be busy.
    pub(super) fn input(&mut self) -> &mut [u8] {
        assert!(!self.is_busy(), "the device still reads the last batch");
        // SAFETY: no batch is under way: whatever was copied from here is done.
        unsafe { self.host_rows.as_mut_slice() }
    }

    /// Starts a batch.
    ///
    /// # Safety
    /// Memory that `source` names must stay as it is until the batch is done.
    pub(super) unsafe fn start(
        &mut self,
        shared: Shared,
        source: Source,
        rows: Range<usize>,
        known: Known,
    ) -> Result<(), Fault> {
        let Known { strata, cuts } = known;
        assert!(
            !self.is_busy() && rows.len() == strata.len() && rows.len() <= self.shape.batch_rows
        );
        assert!(self.cuts.is_empty() || cuts.len() == rows.len());
        let count = rows.len();
        self.batch = Some(rows);
        self.stages.begin(&self.stream)?;
        // SAFETY: no batch was under way; the strata are copied before the next one is started.
        unsafe {
            for (to, &stratum) in self.host_strata.as_mut_slice().iter_mut().zip(strata) {
                // A device counts no more strata than it has numbers for.
                *to = stratum as u16;
            }
            self.stream
                .copy_in(&self.strata, 0, &self.host_strata, count)?;
            if !self.cuts.is_empty() {
                self.host_cuts.as_mut_slice()[..count].copy_from_slice(cuts);
                self.stream.copy_in(&self.cuts, 0, &self.host_cuts, count)?;
            }
            self.stream.zero(&self.heads, HEADS)?;
            self.stream
                .zero(&self.atom_pairs, shared.encoder.features)?;
        }
        // SAFETY: every buffer is as large as the kernels' headers say for `count` rows, and lives
        // as long as the lane, which waits for its stream before it lets go of them.
        unsafe {
            let at = self.bring(shared, source, count)?;
            self.stages.mark(Stage::Copy, &self.stream)?;
            self.whiten(shared, at, count)?;
            self.stages.mark(Stage::Whiten, &self.stream)?;
            self.screen(shared, count)?;
            shared
                .kernels
                .rescore
                .launch_pairs(&self.stream, &self.rescore_args(shared))?;
            self.stages.mark(Stage::Rescore, &self.stream)?;
            let args = self.tally_args(shared, count);
            shared.kernels.resolve.launch(&self.stream, &args)?;
            self.stages.mark(Stage::Resolve, &self.stream)?;
            self.copy_out(shared, count)?;
            // Where nothing is screened, no row is resolved yet.
            if self.shape.scored && self.shape.screened {
                self.score_fired(shared, count, false)?;
            }
        }
        Ok(())
    }

    /// Waits for the batch that is under way, and scores in full what overflowed. `None` where
    /// there is none.
    pub(super) fn finish(
        &mut self,
        shared: Shared,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Option<Done<'_>>, Fault> {
        let Some(rows) = self.batch.take() else {
            return Ok(None);
        };
        self.stream.synchronize()?;
        let count = rows.len();
        // SAFETY: the stream is done.
        let (overflowed, pairs) = unsafe {
            let heads = self.host_heads.as_slice();
            (heads[OVERFLOWED] as usize, heads[ORDERED] as usize)
        };
        self.full.clear();
        if overflowed > 0 {
            let whole = self.score_in_full(shared, overflowed, count, cancelled)?;
            // Where rows differ, their scores have come with them.
            if self.shape.scored && whole && self.lengths.is_empty() {
                // SAFETY: every row is resolved, and buffers live as `start` says.
                unsafe { self.score_fired(shared, count, true) }?;
                self.stream.synchronize()?;
            }
        }
        self.stages.collect()?;
        Ok(Some(Done {
            rows,
            // SAFETY: the stream is done, and the next batch borrows the lane exclusively.
            sets: unsafe { self.sets(shared, count) },
            // SAFETY: as above.
            states: unsafe { &self.host_states.as_slice()[..count] },
            overflowed,
            pairs,
        }))
    }

    /// Seconds that the stages have taken on the device since this was last asked for.
    pub(super) fn take_stage_seconds(&mut self) -> [f64; Stage::COUNT] {
        self.stages.take_seconds()
    }

    /// The number type of rows.
    pub(super) fn element(&self) -> ElementType {
        self.shape.element
    }
}
