//! Pairs of atoms on the GPU that encoded the calls.

use super::counted::Counted;
use crate::engine::{CudaOptions, CudaPairs, Device, EngineOptions};
use crate::error::Result;
use crate::fires::{CountPairs, FiringSets, PairCounts};
use crate::stats::evidence::PairsBy;

/// A GPU, taken into use when there is something to count.
pub(super) struct PairCounter {
    ordinal: u32,
    /// The device as the user named it.
    wanted: Device,
    options: CudaOptions,
    opened: Option<CudaPairs>,
}

impl PairCounter {
    /// The device that encoded the rows, where that was a CUDA device.
    pub(super) fn of(counted: &Counted, wanted: Device, options: &EngineOptions) -> Option<Self> {
        let encoder = counted.run.as_ref()?.encoder.as_ref()?;
        Some(Self {
            ordinal: encoder.cuda_device()?,
            wanted,
            options: options.cuda.clone(),
            opened: None,
        })
    }

    /// Whoever did not ask for that device by name is served by the CPU if it fails.
    pub(super) fn by(counter: Option<&mut Self>) -> PairsBy<'_> {
        counter.map_or(PairsBy::Cpu, |counter| PairsBy::Counter {
            or_cpu: counter.wanted == Device::Auto,
            counter,
        })
    }
}

impl CountPairs for PairCounter {
    fn device(&self) -> String {
        format!("cuda:{}", self.ordinal)
    }

    fn count_all_pairs(&mut self, fires: &FiringSets, feature_dim: usize) -> Result<PairCounts> {
        let opened = match self.opened.take() {
            Some(opened) => opened,
            None => CudaPairs::open(self.ordinal, &self.options, &self.wanted.to_string())?,
        };
        let opened = self.opened.insert(opened);
        opened.count_all_pairs(fires, feature_dim)
    }
}
