//! `simulate`: a cohort and an SAE whose truth is known.

use std::path::{Path, PathBuf};

use clap::Args;

use super::arguments::{ForceArgs, PlantArgs, REQUIRED, Shape};
use super::progress::{self, Bar, note};
use crate::control::Control;
use crate::error::Result;
use crate::simulate::{self, SimulateOptions, Truth};

/// Write a cohort and an SAE with planted atoms, as files that torch can load
///
/// Writes embeddings.pt, sae.pt and truth.json, which says what was planted. The files of an earlier
/// cohort in that folder, which its truth.json lists, are replaced or removed; no others are. With --vcf
/// the same calls are also a VCF and a benchmark's folder.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    atomscope simulate --out sim --rows 20000 --input-dim 4096 --features 4096 --k 64 --seed 1\n  \
    atomscope simulate --vcf --out sim\n  \
    atomscope simulate --out sim --rows 10000000 --input-dim 64 --features 512 --k 8 --pieces 10")]
pub(super) struct Simulate {
    /// The folder for the files; made where it does not exist
    #[arg(long, value_name = "DIR", help_heading = REQUIRED)]
    out: PathBuf,

    #[command(flatten)]
    shape: Shape,

    #[command(flatten)]
    plant: PlantArgs,

    /// Write the same calls to this many files, embeddings-1.pt and so on, instead of embeddings.pt
    #[arg(
        long,
        value_name = "P",
        default_value_t = 1,
        hide_default_value = true,
        help_heading = "Output"
    )]
    pieces: usize,

    #[command(flatten)]
    force: ForceArgs,

    /// No progress and no notes on stderr
    #[arg(short, long, help_heading = "Output")]
    quiet: bool,
}

impl Simulate {
    pub(super) fn run(&self) -> Result<()> {
        let options = self.plant.of(&self.shape);
        let truth = simulate_files(&self.out, &options, self.pieces, self.force, self.quiet)?;
        let (calls, atoms, planted) = (options.rows, options.features, truth.planted.len());
        let out = self.out.display();
        let text = format!("{calls} calls, {atoms} atoms, {planted} of them planted, in {out}");
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
