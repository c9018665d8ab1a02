//! An engine at work on one part of a cohort after another.

use crate::cohort::{Calls, ClassRule};
use crate::control::Control;
use crate::engine::{self, Device, Encoded, Engine, EngineOptions};
use crate::error::{Error, Result};
use crate::read::ModelAnswers;
use crate::rows::Rows;
use crate::sae::Sae;
use crate::tally::{Strata, StratifyBy};

/// The way in which rows are encoded and counted.
#[derive(Debug, Clone, Default)]
pub struct CountOptions {
    /// The device that encodes rows.
    pub device: Device,
    /// The way in which rows are encoded.
    pub engine: EngineOptions,
    /// The properties, beside their label, by which calls are told apart when they are counted.
    pub stratify_by: StratifyBy,
    /// What the model's files leave open, if it is read from files.
    pub model: ModelAnswers,
    /// The rule for which calls are true, if calls are read from files. Calls in memory have a rule
    /// of their own.
    pub rule: ClassRule,
}

/// The encoder of the rows, and the reason why it was chosen.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Encoder {
    /// The device: `cpu`, `cuda:0`.
    pub device: String,
    /// The reason for the choice.
    pub chosen: String,
    /// The part of its code that runs.
    pub code_path: String,
    /// Threads of the host.
    pub threads: usize,
}

impl Encoder {
    /// The number of the CUDA device, the first of several; `None` for the CPU.
    pub fn cuda_device(&self) -> Option<u32> {
        let numbers = self.device.strip_prefix("cuda:")?;
        numbers.split(',').next()?.parse().ok()
    }
}

/// An engine that encodes one part of a cohort after another.
pub struct Session {
    sae: Sae,
    options: CountOptions,
    engine: Box<dyn Engine>,
    chosen: String,
}

impl Session {
    /// Opens the device that `options` name, for about `rows` rows in all.
    ///
    /// # Errors
    /// A device that cannot be used; memory; threads.
    pub fn open(sae: &Sae, rows: usize, options: &CountOptions) -> Result<Self> {
        let (engine, chosen) = engine::open(options.device, sae, rows, &options.engine)?;
        Ok(Self {
            sae: sae.clone(),
            options: options.clone(),
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
        let strata = Strata::by(calls, self.options.stratify_by, self.sae.feature_dim())?;
        match self.engine.encode(rows, &strata, control) {
            // Nobody asked for that device by name, and the CPU needs none of its memory.
            Err(Error::Device {
                no_memory: true,
                reason,
                ..
            }) if self.options.device == Device::Auto => {
                let engine = &self.options.engine;
                self.engine = engine::open(Device::Cpu, &self.sae, rows.count(), engine)?.0;
                self.chosen = format!("no room on a CUDA device: {reason}");
                self.engine.encode(rows, &strata, control)
            }
            encoded => encoded,
        }
    }

    /// Returns the encoder, and the reason why it was chosen.
    pub fn encoder(&self) -> Encoder {
        Encoder {
            device: self.engine.device(),
            chosen: self.chosen.clone(),
            code_path: self.engine.code_path(),
            threads: self.engine.threads(),
        }
    }
}
