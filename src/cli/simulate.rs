//! `simulate`: a cohort and an SAE whose truth is known.

use std::path::{Path, PathBuf};

use clap::Args;

use super::arguments::ForceArgs;
use super::progress::{self, Bar, note};
use crate::control::Control;
use crate::error::Result;
use crate::simulate::{self, SimulateOptions, Truth};

/// Write a cohort and an SAE with planted atoms, as files that torch can load
///
/// Writes embeddings.pt, sae.pt and truth.json, which says what was planted. The files of an earlier
/// cohort in that folder, which its truth.json lists, are replaced or removed; no others are.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    atomscope simulate --out sim --rows 20000 --input-dim 4096 --features 4096 --k 64 --seed 1\n  \
    atomscope simulate --out sim --rows 10000000 --input-dim 64 --features 512 --k 8 --pieces 10")]
pub(super) struct Simulate {
    /// The folder for the files; made where it does not exist
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    #[command(flatten)]
    shape: Shape,

    /// Plant this many atoms (an even number) that all fire more often on true calls, instead of
    /// atoms in pairs that make up for each other: then others have fewer places on true calls,
    /// and lean to false ones (docs/DISPLACEMENT.md)
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    one_sided: usize,

    /// The share of true calls in percent, whatever their type and size [default: depends on
    /// both, about 70]
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(1..=99))]
    true_percent: Option<u8>,

    /// Write the same calls to this many files, embeddings-1.pt and so on, instead of embeddings.pt
    #[arg(long, value_name = "P", default_value_t = 1, hide_default_value = true)]
    pieces: usize,

    #[command(flatten)]
    force: ForceArgs,

    /// No progress and no notes on stderr
    #[arg(short, long)]
    quiet: bool,
}

/// What to simulate.
#[derive(Debug, Clone, Args)]
pub(super) struct Shape {
    /// Calls
    #[arg(long, value_name = "N", default_value_t = SimulateOptions::default().rows)]
    pub(super) rows: usize,

    /// D, the length of an embedding
    #[arg(long, value_name = "D", default_value_t = SimulateOptions::default().input_dim)]
    pub(super) input_dim: usize,

    /// F, the number of atoms
    #[arg(long, value_name = "F", default_value_t = SimulateOptions::default().features)]
    pub(super) features: usize,

    /// Atoms that fire on a call
    #[arg(long, value_name = "K", default_value_t = SimulateOptions::default().k)]
    pub(super) k: usize,

    /// The same seed gives the same files
    #[arg(long, value_name = "SEED", default_value_t = SimulateOptions::default().seed)]
    pub(super) seed: u64,
}

impl Shape {
    pub(super) fn options(&self) -> SimulateOptions {
        SimulateOptions::new(self.rows, self.input_dim, self.features, self.k, self.seed)
    }
}

impl Simulate {
    pub(super) fn run(&self) -> Result<()> {
        let options = SimulateOptions {
            one_sided: self.one_sided,
            true_percent: self.true_percent,
            ..self.shape.options()
        };
        let truth = simulate_files(&self.out, &options, self.pieces, self.force, self.quiet)?;
        let planted = truth.planted.len();
        let text = format!(
            "{} calls, {} atoms, {planted} of them planted, in {}",
            options.rows,
            options.features,
            self.out.display()
        );
        note(self.quiet, &text);
        Ok(())
    }
}

/// Simulates into a folder, in so many pieces, with progress, stopped by Ctrl-C.
pub(super) fn simulate_files(
    out: &Path,
    options: &SimulateOptions,
    pieces: usize,
    force: ForceArgs,
    quiet: bool,
) -> Result<Truth> {
    let mut place = simulate::place(out, options, pieces)?;
    place.force = force.force;
    let work = |control: Control<'_>| simulate::simulate_to(place, options, pieces, &control);
    let (truth, others) = Bar::of_rows(quiet).show(work)?;
    progress::show_staying(&others);
    Ok(truth)
}
