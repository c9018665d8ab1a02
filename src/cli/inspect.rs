//! `inspect`: what a file holds.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::arguments::{AnswerArgs, LabelArgs, MatrixArgs};
use super::flags;
use super::progress;
use crate::error::{Error, Result};
use crate::read::benchmark::describe_benchmark;
use crate::read::{self, ModelAbout};

/// What a file holds: keys, shapes, types, config, calls; what a model is, or a benchmark's folder or VCF; nothing in a .pt is executed
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  atomscope inspect sae.pt\n  atomscope inspect gemma-scope/layer_12"
)]
pub(super) struct Inspect {
    /// The file, or the folder of a model or a benchmark
    #[arg(value_name = "PATH")]
    file: PathBuf,

    #[command(flatten)]
    answers: AnswerArgs,

    #[command(flatten)]
    matrix: MatrixArgs,

    #[command(flatten)]
    labels: LabelArgs,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A model in a folder.
#[derive(Serialize)]
struct Folder {
    model: ModelAbout,
}

/// What a benchmark wrote.
#[derive(Serialize)]
struct Benchmark {
    benchmark: String,
}

impl Inspect {
    pub(super) fn run(&self) -> Result<()> {
        let model = read::inspect_model(&self.file, &self.answers.answers());
        progress::control().check()?;
        if !matches!(model, Some(Ok(_)))
            && let Some(text) = describe_benchmark(&self.file)
        {
            let found = Benchmark { benchmark: text };
            return self.print(&found, &format!("{}\n", found.benchmark));
        }
        if self.file.is_dir() {
            let model = model.unwrap_or(Err(Error::Cancelled))?;
            let text = model.to_string();
            return self.print(&Folder { model }, &text);
        }
        let mut found = read::inspect_by(&self.file, &self.labels.rule())?;
        match model {
            Some(Ok(about)) => found.model = Some(about),
            Some(Err(error)) => found.notes.push(flags::line(&error)),
            None => {
                let answers = self.answers.answers();
                let of_model = answers.clone().without_layer();
                of_model.check_none("the file is no model")?;
                let choice = self.matrix.choice(self.answers.layer());
                match read::inspect_embeddings(&self.file, &choice).transpose() {
                    Ok(taken) => {
                        let layer = taken.as_ref().and_then(|taken| taken.layer.as_ref());
                        answers.check_layer(None, layer.is_some())?;
                        found.embeddings = taken;
                    }
                    Err(error) => found.notes.push(flags::line(&error)),
                }
            }
        }
        progress::control().check()?;
        self.print(&found, &found.to_string())
    }

    fn print(&self, found: &impl Serialize, text: &str) -> Result<()> {
        if self.json {
            let json =
                serde_json::to_string_pretty(found).map_err(|e| Error::printing(e.into()))?;
            return progress::print(&(json + "\n"));
        }
        progress::print(text)
    }
}
