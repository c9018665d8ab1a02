//! An engine at work on one part of a cohort after another.

use std::sync::Arc;

use super::batches::BatchTopK;
use crate::cohort::{Calls, ClassRule};
use crate::control::Control;
use crate::engine::{self, Cuts, Device, Encoded, Engine, EngineOptions};
use crate::error::{Error, Result};
use crate::fires::FiringSets;
use crate::read::ModelAnswers;
use crate::rows::{EmbeddingsChoice, Rows};
use crate::sae::Sae;
use crate::stats::evidence::regions::RegionOptions;
use crate::tally::{CallProperty, Strata, StratifyBy};

/// Memory that firing sets, calls, firings by atom and scores may take, where nothing else is asked
/// for: 512 MiB.
pub const MEMORY: u64 = 512 << 20;

/// The way in which rows are encoded and counted.
#[derive(Debug, Clone, Default)]
pub struct CountOptions {
    /// The device that encodes rows.
    pub device: Device,
    /// The way in which rows are encoded.
    pub engine: EngineOptions,
    /// The batches of a model of batch top-k.
    pub batch_topk: BatchTopK,
    /// The properties, beside their label, by which calls are told apart when they are counted.
    pub stratify_by: StratifyBy,
    /// The quantities of calls that atoms are compared with.
    pub describe: Vec<CallProperty>,
    /// The regions that properties may name.
    pub regions: Option<Arc<RegionOptions>>,
    /// What the model's files leave open, if it is read from files.
    pub model: ModelAnswers,
    /// The matrix that is taken of files of embeddings, and what becomes of its tokens.
    pub embeddings: EmbeddingsChoice,
    /// The rule for which calls are true, if calls are read from files. Calls in memory have a rule
    /// of their own.
    pub rule: ClassRule,
}

impl CountOptions {
    /// Returns the names of the quantities that atoms are compared with.
    pub(super) fn described(&self) -> Vec<String> {
        self.describe.iter().map(CallProperty::key).collect()
    }
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
    cuts: Option<Cuts>,
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
            cuts: None,
        })
    }

    /// The same session for a model of batch top-k, which needs the cuts of the cohort's batches.
    #[must_use]
    pub fn with_cuts(self, cuts: Option<Cuts>) -> Self {
        Self { cuts, ..self }
    }

    /// Encodes every row, and counts its firing set under the call's stratum. The first row has the
    /// number `first` among the rows of the cohort, as its batches count them.
    ///
    /// # Errors
    /// Shapes that do not fit, rows with a NaN or an infinity, a device that cannot be used, rows
    /// that cannot be read, cancellation.
    pub fn encode(
        &mut self,
        rows: &dyn Rows,
        calls: &Calls,
        first: u64,
        control: &Control,
    ) -> Result<Encoded> {
        let strata = Strata::by(calls, &self.options.stratify_by)?;
        let cuts = self.cuts.as_ref().map(|cuts| cuts.from_row(first));
        self.encode_strata(rows, &strata, cuts.as_ref(), control)
    }

    /// Encodes every row, and counts it under its stratum. `cuts` are those of the rows' batches.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub(super) fn encode_strata(
        &mut self,
        rows: &dyn Rows,
        strata: &Strata,
        cuts: Option<&Cuts>,
        control: &Control,
    ) -> Result<Encoded> {
        let encoded = match self.engine.encode_cut(rows, strata, cuts, control) {
            // Nobody asked for that device by name, and the CPU needs none of its memory.
            Err(Error::Device {
                no_memory: true,
                reason,
                ..
            }) if self.options.device == Device::Auto => {
                let engine = &self.options.engine;
                self.engine = engine::open(Device::Cpu, &self.sae, rows.count(), engine)?.0;
                self.chosen = format!("no room on a CUDA device: {reason}");
                self.engine.encode_cut(rows, strata, cuts, control)
            }
            encoded => encoded,
        }?;
        check_most(&self.sae, rows, &encoded.fires)?;
        Ok(encoded)
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

/// Names rows by their places in a file, `first` of which come before.
pub(super) fn in_file(error: Error, first: usize) -> Error {
    match error {
        Error::NonFinite {
            file,
            rows,
            count,
            total,
        } => Error::NonFinite {
            file,
            rows: rows.into_iter().map(|row| row + first).collect(),
            count,
            total,
        },
        error => error,
    }
}

/// An error for a row on which more atoms fire than the model's library gives.
fn check_most(sae: &Sae, rows: &dyn Rows, fires: &FiringSets) -> Result<()> {
    let Some(most) = sae.most() else {
        return Ok(());
    };
    let Some((row, atoms)) = fires.iter().find(|(_, atoms)| atoms.len() > most) else {
        return Ok(());
    };
    Err(Error::input(
        rows.name(),
        format!("row {row}"),
        format!("{} atoms that fire", atoms.len()),
        format!(
            "at most {most}, beyond which the library of {} leaves out the smallest",
            sae.name()
        ),
        "encode with the library, and give the activations instead of embeddings and model",
    ))
}
