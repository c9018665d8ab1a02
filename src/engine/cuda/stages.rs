//! The time that the stages of a lane's batches take on the device.

use std::sync::Arc;

use super::driver::{Device, Event, Stream};
use super::fault::Fault;

/// A stage of a batch's way through a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Copy,
    Whiten,
    Product,
    Select,
    Rescore,
    Resolve,
    Drain,
    Full,
    Score,
}

impl Stage {
    pub(super) const COUNT: usize = 9;
}

/// Events between stages, used again from batch to batch, and the sums of what they told.
pub(super) struct Stages {
    device: Arc<Device>,
    events: Vec<Event>,
    /// The stage that ends at each event in use, after the first, which only begins.
    ends: Vec<Stage>,
    seconds: [f64; Stage::COUNT],
}

impl Stages {
    pub(super) fn new(device: &Arc<Device>) -> Self {
        Self {
            device: device.clone(),
            events: Vec::new(),
            ends: Vec::new(),
            seconds: [0.0; Stage::COUNT],
        }
    }

    /// The beginning of a batch.
    pub(super) fn begin(&mut self, stream: &Stream) -> Result<(), Fault> {
        self.ends.clear();
        self.record(0, stream)
    }

    /// The end of a stage.
    pub(super) fn mark(&mut self, stage: Stage, stream: &Stream) -> Result<(), Fault> {
        self.ends.push(stage);
        self.record(self.ends.len(), stream)
    }

    fn record(&mut self, index: usize, stream: &Stream) -> Result<(), Fault> {
        if index == self.events.len() {
            self.events.push(Event::new(&self.device)?);
        }
        self.events[index].record(stream)
    }

    /// Adds up what a batch took, once its stream is done.
    pub(super) fn collect(&mut self) -> Result<(), Fault> {
        for (stage, pair) in self.ends.iter().zip(self.events.windows(2)) {
            let milliseconds = pair[1].milliseconds_since(&pair[0])?;
            self.seconds[*stage as usize] += f64::from(milliseconds) * 1e-3;
        }
        self.ends.clear();
        Ok(())
    }

    /// The sums so far; they begin anew.
    pub(super) fn take_seconds(&mut self) -> [f64; Stage::COUNT] {
        std::mem::take(&mut self.seconds)
    }
}
