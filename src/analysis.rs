//! The whole analysis of a cohort: encode, count, test, describe.

use std::time::Instant;

use crate::cohort::Calls;
use crate::engine::{self, Control, Device, EngineOptions, Seconds};
use crate::error::{Error, Result};
use crate::fires::FiringSets;
use crate::rows::Rows;
use crate::sae::Sae;
use crate::stats::{self, Findings};
use crate::tally::{Strata, Tally};

/// How an analysis runs.
#[derive(Debug, Clone, Default)]
pub struct AnalyzeOptions {
    /// Where rows are encoded.
    pub device: Device,
    /// How rows are encoded.
    pub engine: EngineOptions,
    /// What is tested.
    pub statistics: stats::Options,
}

/// What an analysis gives.
#[derive(Debug, Clone)]
pub struct Analysis {
    /// The atoms that fire on each call.
    pub fires: FiringSets,
    /// Counts by stratum and atom.
    pub tally: Tally,
    /// Every table.
    pub findings: Findings,
    /// What encoded the rows.
    pub encoder: Encoder,
    /// Where the time of encoding went.
    pub seconds: Seconds,
    /// Seconds spent on the tables.
    pub statistics_seconds: f64,
}

/// What encoded the rows, and why.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Encoder {
    /// The device: `cpu`.
    pub device: String,
    /// Why this one.
    pub chosen: String,
    /// Which of its code.
    pub code_path: String,
    /// Threads of the host.
    pub threads: usize,
}

/// Rows that were encoded and counted; [`Encoding::analysis`] makes the tables.
#[derive(Debug, Clone)]
pub struct Encoding {
    /// The atoms that fire on each call.
    pub fires: FiringSets,
    /// Counts by stratum and atom.
    pub tally: Tally,
    /// What encoded the rows.
    pub encoder: Encoder,
    /// Where the time went.
    pub seconds: Seconds,
}

/// Encodes every row, and counts its firing set under the call's label and SV type.
///
/// # Errors
/// Shapes that do not fit, rows with a NaN or an infinity, a device that cannot be used, rows
/// that cannot be read, cancellation.
pub fn encode(
    sae: &Sae,
    rows: &dyn Rows,
    calls: &Calls,
    options: &AnalyzeOptions,
    control: &Control,
) -> Result<Encoding> {
    let strata = Strata::of_calls(calls);
    let open = |device| engine::open(device, sae, rows.count(), &options.engine);
    let (mut engine, mut chosen) = open(options.device)?;
    let encoded = match engine.encode(rows, &strata, control) {
        // Nobody asked for that device by name, and the processor needs none of its memory.
        Err(Error::Device {
            no_memory: true,
            reason,
            ..
        }) if options.device == Device::Auto => {
            engine = open(Device::Cpu)?.0;
            chosen = format!("no room on a CUDA device: {reason}");
            engine.encode(rows, &strata, control)?
        }
        encoded => encoded?,
    };
    let encoder = Encoder {
        device: engine.device(),
        chosen,
        code_path: engine.code_path(),
        threads: engine.threads(),
    };
    let engine::Encoded {
        fires,
        tally,
        seconds,
    } = encoded;
    Ok(Encoding {
        fires,
        tally,
        encoder,
        seconds,
    })
}

impl Encoding {
    /// Makes every table.
    ///
    /// # Errors
    /// Calls that are not those of the rows.
    pub fn analysis(self, calls: &Calls, options: stats::Options) -> Result<Analysis> {
        let began = Instant::now();
        let findings = Findings::compute(&self.tally, calls, &self.fires, options)?;
        let Self {
            fires,
            tally,
            encoder,
            seconds,
        } = self;
        let statistics_seconds = began.elapsed().as_secs_f64();
        Ok(Analysis {
            fires,
            tally,
            findings,
            encoder,
            seconds,
            statistics_seconds,
        })
    }
}

/// The whole analysis. `rows` and `calls` are of the same length and order. There is an example at
/// the [crate's front](crate), and a smaller one in the README.
///
/// # Errors
/// Those of [`encode`].
pub fn analyze(
    sae: &Sae,
    rows: &dyn Rows,
    calls: &Calls,
    options: &AnalyzeOptions,
    control: &Control,
) -> Result<Analysis> {
    encode(sae, rows, calls, options, control)?.analysis(calls, options.statistics)
}
