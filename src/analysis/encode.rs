//! The whole analysis of a cohort: encode, count, test, describe.

use std::time::Instant;

use crate::cohort::{Calls, ClassRule};
use crate::engine::{self, Control, Device, Encoded, Engine, EngineOptions, Seconds};
use crate::error::{Error, Result};
use crate::fires::FiringSets;
use crate::rows::Rows;
use crate::sae::Sae;
use crate::stats::notebook::{self, NotebookTables};
use crate::tally::{Strata, StratifyBy, Tally};

/// How an analysis runs.
#[derive(Debug, Clone, Default)]
pub struct AnalyzeOptions {
    /// Where rows are encoded.
    pub device: Device,
    /// How rows are encoded.
    pub engine: EngineOptions,
    /// What rows are counted under beside their label.
    pub strata: StratifyBy,
    /// What is tested.
    pub statistics: notebook::Options,
    /// Which calls are true, where calls are read from files; calls in memory have a rule of their
    /// own.
    pub rule: ClassRule,
}

/// What an analysis gives.
#[derive(Debug, Clone)]
pub struct Analysis {
    /// The atoms that fire on each call.
    pub fires: FiringSets,
    /// Counts by stratum and atom.
    pub tally: Tally,
    /// Every table.
    pub findings: NotebookTables,
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

impl Encoder {
    /// The number of the CUDA device, the first of several; `None` for the processor.
    pub fn cuda_device(&self) -> Option<u32> {
        let numbers = self.device.strip_prefix("cuda:")?;
        numbers.split(',').next()?.parse().ok()
    }
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

/// An engine that encodes one part of a cohort after another.
pub struct Session<'a> {
    sae: &'a Sae,
    options: &'a AnalyzeOptions,
    engine: Box<dyn Engine + 'a>,
    chosen: String,
}

impl<'a> Session<'a> {
    /// Opens the device that `options` name, for about `rows` rows in all.
    ///
    /// # Errors
    /// A device that cannot be used; memory; threads.
    pub fn open(sae: &'a Sae, rows: usize, options: &'a AnalyzeOptions) -> Result<Self> {
        let (engine, chosen) = engine::open(options.device, sae, rows, &options.engine)?;
        Ok(Self {
            sae,
            options,
            engine,
            chosen,
        })
    }

    /// Encodes every row, and counts its firing set under the call's stratum.
    ///
    /// # Errors
    /// Shapes that do not fit, rows with a NaN or an infinity, a device that cannot be used, rows
    /// that cannot be read, cancellation.
    pub fn encode(&mut self, rows: &dyn Rows, calls: &Calls, control: &Control) -> Result<Encoded> {
        let strata = Strata::by(calls, self.options.strata, self.sae.feature_dim())?;
        match self.engine.encode(rows, &strata, control) {
            // Nobody asked for that device by name, and the processor needs none of its memory.
            Err(Error::Device {
                no_memory: true,
                reason,
                ..
            }) if self.options.device == Device::Auto => {
                let engine = &self.options.engine;
                self.engine = engine::open(Device::Cpu, self.sae, rows.count(), engine)?.0;
                self.chosen = format!("no room on a CUDA device: {reason}");
                self.engine.encode(rows, &strata, control)
            }
            encoded => encoded,
        }
    }

    /// What encodes, and why.
    pub fn encoder(&self) -> Encoder {
        Encoder {
            device: self.engine.device(),
            chosen: self.chosen.clone(),
            code_path: self.engine.code_path(),
            threads: self.engine.threads(),
        }
    }
}

/// Encodes every row of a cohort, and counts its firing set under the call's stratum.
///
/// # Errors
/// Those of [`Session::open`] and [`Session::encode`].
pub fn encode(
    sae: &Sae,
    rows: &dyn Rows,
    calls: &Calls,
    options: &AnalyzeOptions,
    control: &Control,
) -> Result<Encoding> {
    let mut session = Session::open(sae, rows.count(), options)?;
    let Encoded {
        fires,
        tally,
        seconds,
    } = session.encode(rows, calls, control)?;
    Ok(Encoding {
        fires,
        tally,
        encoder: session.encoder(),
        seconds,
    })
}

impl Encoding {
    /// Makes every table.
    ///
    /// # Errors
    /// Calls that are not those of the rows.
    pub fn analysis(self, calls: &Calls, options: notebook::Options) -> Result<Analysis> {
        let began = Instant::now();
        let findings = NotebookTables::compute(&self.tally, calls, &self.fires, options)?;
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
