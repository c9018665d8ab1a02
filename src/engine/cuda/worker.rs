//! A device at work: takes batches off the queue, keeps its lanes full, and drains them.

mod lanes;
mod source;
mod watch;

use std::sync::Arc;

use super::CudaOptions;
use super::driver::{Buffer, Device, PageLocked, Stream};
use super::encoder::Encoder;
use super::fault::{Fault, FaultKind};
use super::kernels::Kernels;
use super::lane::{Counts, Known, Lane, Shared};
use super::run::{Run, Stop};
use super::screen::Screen;
use super::select::{Counters, ROW_BAD};
use super::select_threshold::SelectThreshold;
use super::stages::Stage;
use super::{Format, ScreenChoice};
use crate::engine::bound;
use crate::sae::Sae;
use lanes::Lanes;
use watch::Watch;

/// Rows that may be counted in 32 bits before counts are drained.
const MOST_COUNTED_ROWS: u64 = 1 << 31;
/// The share of features that may lose more than 2⁻⁹ of their norm in binary16: they are tiny
/// beside the others, and rarely decide. Where they do, more pairs are left open, and the screen is
/// changed.
const MOST_COARSE_SHARE: f64 = 0.25;

/// A device with the model on it.
pub(super) struct Worker {
    pub(super) device: Arc<Device>,
    pub(super) kernels: Kernels,
    encoder: Encoder,
    screen: Screen,
    /// The reason for this screen.
    reason: &'static str,
    pub(super) stream: Stream,
    /// The lanes of the last run, which the next one takes where they suit it: to make them anew
    /// takes longer than a small run.
    kept: Option<Lanes>,
}

/// The end of a stretch of batches.
enum End {
    Done,
    /// Too much is left open: go on with this format.
    Switch(Format),
    /// Many rows have more atoms than there is room for.
    Widen,
}

/// The times and counters that a device gives back, besides what it has put into the run.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Spent {
    pub(super) read: f64,
    pub(super) stages: [f64; Stage::COUNT],
    pub(super) counters: Counters,
}

impl Worker {
    /// Takes a device into use, compiles its kernels, and puts the model on it.
    pub(super) fn new(ordinal: u32, sae: &Sae, options: &CudaOptions) -> Result<Self, Fault> {
        let device = Device::open(ordinal)?;
        let kernels = Kernels::load(&device)?;
        let stream = Stream::new(&device)?;
        let mut encoder = Encoder::new(&stream, sae)?;
        encoder.width = encoder
            .rule
            .width(encoder.features, options.firing_capacity);
        let depth = options.block_depth;
        let make = |format| Screen::new(&device, &kernels, &stream, &encoder, sae, format, depth);
        let (screen, reason) = match options.screen {
            ScreenChoice::Fixed(format) => (make(format)?, "as asked for"),
            ScreenChoice::Auto => by_range(&make)?,
        };
        Ok(Self {
            device,
            kernels,
            encoder,
            screen,
            reason,
            stream,
            kept: None,
        })
    }

    /// The screen, and why it is this one.
    pub(super) fn describe(&self) -> String {
        let info = self.device.info();
        let screen = if self.screens() {
            format!("{} screen ({})", self.screen.format, self.reason)
        } else {
            "every row scored in full".to_owned()
        };
        format!("{}, sm_{}, {screen}", info.name, info.architecture())
    }

    /// Says whether the screen is worth its work and its bound holds.
    fn screens(&self) -> bool {
        self.kernels.can_select(self.encoder.rule) && self.encoder.dim <= bound::LARGEST_DIM
    }

    /// Room for four times as many atoms of a row, where any number fires.
    fn wider(&self) -> usize {
        match self.encoder.rule.largest() {
            Some(_) => self.encoder.width,
            None => (self.encoder.width * 4)
                .min(SelectThreshold::MOST_WIDTH)
                .min(self.encoder.features),
        }
    }

    /// Takes batches until there are none.
    pub(super) fn work(
        &mut self,
        run: &Run,
        sae: &Sae,
        options: &CudaOptions,
    ) -> Result<Spent, Stop> {
        self.device.bind()?;
        let counts = Counts {
            cells: Buffer::new(
                &self.device,
                run.strata() * self.encoder.features,
                "the counts",
            )?,
            counters: Buffer::new(&self.device, 1, "the counters")?,
            strata: run.strata(),
        };
        // SAFETY: the stream is waited for before the counts can go.
        unsafe {
            self.stream.zero(&counts.cells, counts.cells.len())?;
            self.stream.zero(&counts.counters, 1)?;
        }
        self.stream.synchronize()?;
        let mut spent = Spent::default();
        let mut may_switch = options.screen == ScreenChoice::Auto;
        // Where something fails they are gone: a batch of theirs may be under way.
        let mut kept = self.kept.take();
        loop {
            let end = self.stretch(run, &counts, options, may_switch, (&mut spent, &mut kept))?;
            let format = match end {
                End::Done => break,
                End::Switch(format) => format,
                End::Widen => {
                    self.encoder.width = self.wider();
                    kept = None;
                    continue;
                }
            };
            self.collect(run, &counts)?;
            kept = None;
            let screen = Screen::new(
                &self.device,
                &self.kernels,
                &self.stream,
                &self.encoder,
                sae,
                format,
                options.block_depth,
            );
            match screen {
                Ok(screen) => {
                    self.screen = screen;
                    self.reason = "binary16 left too many atoms open";
                }
                // It would only be faster: go on as before.
                Err(fault) if fault.kind == FaultKind::NoMemory => may_switch = false,
                Err(fault) => return Err(fault.into()),
            }
        }
        self.collect(run, &counts)?;
        let counters = self.fetch(&counts.counters, 1)?;
        spent.counters = counters[0];
        self.kept = kept;
        Ok(spent)
    }

    /// Takes batches until there are none, or until the screen is seen to be the wrong one.
    fn stretch(
        &self,
        run: &Run,
        counts: &Counts,
        options: &CudaOptions,
        may_switch: bool,
        (spent, kept): (&mut Spent, &mut Option<Lanes>),
    ) -> Result<End, Stop> {
        let shared = Shared {
            device: &self.device,
            kernels: &self.kernels,
            encoder: &self.encoder,
            screen: &self.screen,
            counts,
        };
        let (mut lanes, batch_rows) = self.lanes(shared, run, options, kept.take())?;
        let mut watch = Watch::new(
            may_switch && self.screens() && self.screen.format != Format::Single,
            self.encoder.features,
        );
        watch.may_widen = options.firing_capacity.is_none() && self.wider() > self.encoder.width;
        let mut counted = 0u64;
        'batches: loop {
            for lane in &mut lanes.all {
                drain(run, lane, shared, &mut watch)?;
                if watch.gives_up() || watch.is_crowded() {
                    break 'batches;
                }
                let Some(rows) = run.next(batch_rows) else {
                    break 'batches;
                };
                counted += rows.len() as u64;
                let source = self.source(run, lane, &rows, spent)?;
                let known = Known {
                    strata: run.strata_of(&rows),
                    cuts: &run.cuts_of(&rows),
                };
                // SAFETY: what the rows' place names outlives the run, which outlives the lanes.
                unsafe { lane.start(shared, source, rows.clone(), known) }?;
            }
            if counted > MOST_COUNTED_ROWS {
                for lane in &mut lanes.all {
                    drain(run, lane, shared, &mut watch)?;
                }
                self.collect(run, counts)?;
                counted = 0;
            }
        }
        for lane in &mut lanes.all {
            drain(run, lane, shared, &mut watch)?;
            for (sum, more) in spent.stages.iter_mut().zip(lane.take_stage_seconds()) {
                *sum += more;
            }
        }
        *kept = Some(lanes);
        Ok(if watch.is_crowded() && run.is_left() {
            End::Widen
        } else if watch.gives_up() && run.is_left() {
            End::Switch(Format::Single)
        } else {
            End::Done
        })
    }

    /// Adds the device's counts to the run's, and begins anew.
    fn collect(&self, run: &Run, counts: &Counts) -> Result<(), Fault> {
        let found = self.fetch(&counts.cells, counts.cells.len())?;
        run.add_counts(&found);
        // SAFETY: the stream is waited for before the counts can go.
        unsafe { self.stream.zero(&counts.cells, counts.cells.len()) }?;
        self.stream.synchronize()
    }

    fn fetch<T: super::driver::Pod>(
        &self,
        buffer: &Buffer<T>,
        count: usize,
    ) -> Result<Vec<T>, Fault> {
        let host = PageLocked::new(&self.device, count, "counts")?;
        // SAFETY: the stream is waited for before anything goes or is read.
        unsafe { self.stream.copy_out(&host, buffer, count) }?;
        self.stream.synchronize()?;
        // SAFETY: the copy is done.
        Ok(unsafe { host.as_slice() }.to_vec())
    }
}

/// The narrowest screen whose range most features' weights fit, and why it is this one. One that
/// there is no room for would only be faster.
fn by_range(
    make: &dyn Fn(Format) -> Result<Screen, Fault>,
) -> Result<(Screen, &'static str), Fault> {
    let fits = |screen: &Screen| screen.coarse_share <= MOST_COARSE_SHARE;
    let half = make(Format::Half)?;
    if fits(&half) {
        return Ok((half, "the weights fit its range"));
    }
    drop(half);
    let wider = make(Format::Split).and_then(|split| {
        if fits(&split) {
            return Ok((split, "binary16 alone loses too much of the weights"));
        }
        drop(split);
        let why = "the weights span too many magnitudes for binary16";
        Ok((make(Format::Single)?, why))
    });
    match wider {
        Err(fault) if fault.kind == FaultKind::NoMemory => {
            Ok((make(Format::Half)?, "a wider one has no room"))
        }
        wider => wider,
    }
}

/// Waits for a lane's batch, and hands over what it found.
fn drain(run: &Run, lane: &mut Lane, shared: Shared, watch: &mut Watch) -> Result<(), Stop> {
    let Some(done) = lane.finish(shared, &|| run.is_cancelled())? else {
        return Ok(());
    };
    watch.see(&done);
    let bad = |r: usize| done.states[r].status == ROW_BAD;
    run.take(&done.rows, &done.sets, bad)
}
