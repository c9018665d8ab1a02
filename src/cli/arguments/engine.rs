//! How rows are encoded.

use std::str::FromStr;

use clap::{Args, ValueEnum};

use super::size::parse_bytes;
use crate::analysis::CountOptions;
use crate::cli::progress::note;
use crate::cli::threads::cores;
use crate::engine::{
    CpuOptions, CpuScreen, CudaOptions, Device, EngineOptions, Nonfinite, ScreenChoice, Simd,
};
use crate::error::{Choice, Error, Result};
use crate::tally::StratifyBy;

/// More threads than this on a core take longer than fewer: 1024 on two cores took a minute and more
/// where 64 took 2.5 seconds, as did 2.
const MOST_THREADS_A_CORE: usize = 32;

/// How rows are encoded. But for --nonfinite skip, none of it changes the answer.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Engine")]
pub(in crate::cli) struct EngineArgs {
    /// auto, cpu, cuda, cuda:N, or cuda:all
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    device: Device,

    /// Threads, 1 to 1024, and at most 32 a core [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,

    /// The most rows that a thread works on at once [default, and most: 16 MiB of them, 4096 at most]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    batch_rows: Option<u32>,

    /// What to do with rows that have a NaN or an infinity
    #[arg(long, value_name = "WHAT", default_value = "error")]
    nonfinite: NonfiniteArg,

    /// Vector instructions: auto, avx512, avx2, or portable; to check that the answer is the same
    #[arg(
        long,
        value_name = "NAME",
        default_value = "auto",
        hide_short_help = true
    )]
    simd: String,

    /// The most device memory for model and batches, as 8GiB or 500MB [default: nine tenths of what is free]
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
    gpu_memory: Option<u64>,

    /// How scores are screened: auto or single; on a GPU half or split; on the processor bfloat16
    /// (or bfloat16-tiles, bfloat16-vectors, bfloat16-plain)
    #[arg(
        long,
        value_name = "NAME",
        default_value = "auto",
        hide_short_help = true
    )]
    screen: ScreenArg,

    /// No progress and no notes on stderr; warnings and errors stay
    #[arg(short, long, help_heading = "Output")]
    pub(in crate::cli) quiet: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum NonfiniteArg {
    /// End the run, naming them
    Error,
    /// Drop them, count them, and say so
    Skip,
}

/// A screen by its name. Where the device is left open too, a name that only the other kind of
/// device knows leaves the choice to the one that is taken.
#[derive(Debug, Clone)]
struct ScreenArg {
    name: String,
    cpu: Option<CpuScreen>,
    cuda: Option<ScreenChoice>,
}

impl FromStr for ScreenArg {
    type Err = String;

    fn from_str(name: &str) -> std::result::Result<Self, String> {
        let (cpu, cuda) = (name.parse(), name.parse());
        if let (Err(cpu), Err(cuda)) = (&cpu, &cuda) {
            return Err(format!("for the processor {cpu}; for a GPU {cuda}"));
        }
        Ok(Self {
            name: name.to_owned(),
            cpu: cpu.ok(),
            cuda: cuda.ok(),
        })
    }
}

impl ScreenArg {
    fn check(&self, device: Device) -> Result<()> {
        let expected = match device {
            Device::Cpu if self.cpu.is_none() => "auto, single, or bfloat16 with --device cpu",
            Device::Cuda(_) | Device::CudaAll if self.cuda.is_none() => {
                "auto, half, split, or single with --device cuda"
            }
            _ => return Ok(()),
        };
        Err(Error::choice(Choice::Screen, self.name.clone(), expected))
    }
}

impl EngineArgs {
    fn options(&self) -> Result<EngineOptions> {
        Ok(EngineOptions {
            threads: None,
            batch_rows: self.batch_rows.map(|rows| rows as usize),
            nonfinite: match self.nonfinite {
                NonfiniteArg::Error => Nonfinite::Error,
                NonfiniteArg::Skip => Nonfinite::Skip,
            },
            scores: false,
            simd: match self.simd.as_str() {
                "auto" => None,
                name => Some(Simd::named(name).ok_or_else(|| {
                    let here: Vec<_> = Simd::all().iter().map(ToString::to_string).collect();
                    let expected = format!("auto, or what this machine has: {}", here.join(", "));
                    Error::choice(Choice::Simd, name, expected)
                })?),
            },
            cuda: CudaOptions {
                memory: self.gpu_memory,
                screen: self.screen.cuda.unwrap_or_default(),
                ..CudaOptions::default()
            },
            cpu: CpuOptions {
                screen: self.screen.cpu.unwrap_or_default(),
            },
        })
    }

    /// Looks, before anything is read, whether the device can be had.
    pub(in crate::cli) fn check(&self) -> Result<()> {
        self.screen.check(self.device)?;
        self.device.check()
    }

    /// The threads that were asked for, or as many of them as are of use, which is told.
    pub(in crate::cli) fn threads(&self) -> Option<usize> {
        let asked = self.threads.map(usize::from)?;
        let cores = cores();
        let threads = asked.min(MOST_THREADS_A_CORE * cores);
        if threads < asked {
            let text = format!(
                "--threads {asked}: {threads} are started, {MOST_THREADS_A_CORE} for each of {cores} \
                 cores; more would only wait for each other"
            );
            note(self.quiet, &text);
        }
        Some(threads)
    }

    pub(in crate::cli) fn count_options(&self, stratify_by: StratifyBy) -> Result<CountOptions> {
        Ok(CountOptions {
            device: self.device,
            engine: self.options()?,
            stratify_by,
            ..CountOptions::default()
        })
    }
}
