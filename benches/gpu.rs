//! The CUDA engine on a device: copies, stages, throughput, the bound's assumption on rounding,
//! and a million firing sets against their definition, some of every activation. A JSON object a line on stdout.
//!
//! ```sh
//! cargo bench --bench gpu                                     # all, at D = 4096
//! cargo bench --bench gpu -- stages resident --features 4096  # some
//! ```
//!
//! `scripts/gpu-check` runs all of it, beside what else a device is checked by. Without a device
//! it says so, and is no failure unless modes are named or `ATOMSCOPE_REQUIRE_GPU` is 1.

#[path = "gpu/activations.rs"]
mod activations;
#[path = "gpu/cases.rs"]
mod cases;
#[path = "gpu/copy.rs"]
mod copy;
#[path = "gpu/data.rs"]
mod data;
#[path = "shared/definition.rs"]
mod definition;
#[path = "gpu/device.rs"]
mod device;
#[path = "gpu/exact.rs"]
mod exact;
#[path = "gpu/planted.rs"]
mod planted;
#[path = "gpu/rounding.rs"]
mod rounding;
#[path = "shared/rules.rs"]
mod rules;
#[path = "gpu/speed.rs"]
mod speed;

use std::error::Error;
use std::process::ExitCode;

use atomscope::engine::cuda::{blas::Blas, driver, nvrtc};
use clap::{Parser, ValueEnum};
use serde_json::{Value, json};

type Outcome = Result<bool, Box<dyn Error>>;

/// What to measure or check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// Bandwidths: page-locked host to device and back, device to device.
    Copy,
    /// The product's accumulation where truncation errs most, against exact sums.
    Rounding,
    /// Firing sets and counts of a million rows against their definition.
    Exact,
    /// Firing sets of a model whose weights exceed 2³¹ numbers in the product.
    Wide,
    /// Firing sets of a hundred thousand rows by every activation, against their definition.
    Activations,
    /// Seconds of each stage, rows on the device, one lane.
    Stages,
    /// Rows a second, rows on the device.
    Resident,
    /// Rows a second, rows in page-locked memory of the host.
    Pinned,
    /// Stages and rows a second by the number of rows a tile.
    Tiles,
    /// A read beyond a buffer, or of memory never written: a sanitizer must report it.
    PlantedBounds,
    /// The same for memory that was never written.
    PlantedUnwritten,
}

/// The CUDA engine on a device.
#[derive(Debug, Parser)]
struct Options {
    /// All but the planted faults, where none is named.
    modes: Vec<Mode>,
    /// Sizes for a machine without a GPU, on which tests stand in for one.
    #[arg(long)]
    small: bool,
    /// F of the modes that measure the engine.
    #[arg(long, value_delimiter = ',', default_values_t = [4096usize, 32_768])]
    features: Vec<usize>,
    /// Rows of further measurements of `resident`, to be compared with others at the same size.
    #[arg(long, value_delimiter = ',')]
    rows: Vec<usize>,
    /// What cargo passes.
    #[arg(long, hide = true)]
    bench: bool,
}

const ALL: [Mode; 9] = [
    Mode::Copy,
    Mode::Rounding,
    Mode::Exact,
    Mode::Activations,
    Mode::Wide,
    Mode::Stages,
    Mode::Resident,
    Mode::Pinned,
    Mode::Tiles,
];

/// One line of the record. It is written at once, so that what ends the process loses no other.
fn say(mode: &str, mut line: Value) {
    line["mode"] = json!(mode);
    println!("{line}");
}

fn run(mode: Mode, options: &Options, models: &mut speed::Models) -> Outcome {
    match mode {
        Mode::Copy => copy::run(options.small),
        Mode::Rounding => rounding::run(options.small),
        Mode::Exact => exact::run(options.small),
        Mode::Activations => activations::run(options.small),
        Mode::Wide => exact::wide(options.small),
        Mode::PlantedBounds => planted::run(planted::Fault::Bounds),
        Mode::PlantedUnwritten => planted::run(planted::Fault::Unwritten),
        Mode::Stages => models.each(speed::stages),
        Mode::Resident => models.each(speed::resident),
        Mode::Pinned => models.each(speed::pinned),
        Mode::Tiles => models.each(speed::tiles),
    }
}

/// What the lines were measured on.
fn describe() -> Result<Value, Box<dyn Error>> {
    let info = driver::info(0)?;
    let device = driver::Device::open(0)?;
    Ok(json!({
        "device": info,
        "driver_cuda": driver::driver_version()?,
        "nvrtc": nvrtc::version()?,
        "cublas": Blas::version(&device)?,
        "kernels": nvrtc::KERNELS_DIGEST,
        "threads": rayon::current_num_threads(),
    }))
}

fn main() -> ExitCode {
    let options = Options::parse();
    let required = !options.modes.is_empty()
        || std::env::var("ATOMSCOPE_REQUIRE_GPU").is_ok_and(|value| value == "1");
    match describe() {
        Ok(line) => say("device", line),
        Err(error) if required => {
            say("device", json!({ "error": error.to_string() }));
            return ExitCode::FAILURE;
        }
        Err(error) => {
            eprintln!("skipped, no CUDA device: {error}");
            return ExitCode::SUCCESS;
        }
    }
    let modes = if options.modes.is_empty() {
        ALL.to_vec()
    } else {
        options.modes.clone()
    };
    let mut models = speed::Models::new(&options.features, &options.rows, options.small);
    let mut good = true;
    for mode in modes {
        let name = mode
            .to_possible_value()
            .map_or_else(String::new, |value| value.get_name().to_owned());
        match run(mode, &options, &mut models) {
            Ok(passed) => good &= passed,
            Err(error) => {
                say(&name, json!({ "error": error.to_string() }));
                good = false;
            }
        }
    }
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
