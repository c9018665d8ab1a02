//! `doctor`: what this machine has, what is missing, and whether it works.

mod check;
mod cuda;
mod kernels;
mod machine;

use clap::Args;
use serde::Serialize;

use self::check::{Check, Status};
use super::progress;
use crate::error::{Error, Result};

/// The program's version.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What this machine has, what is missing and how to get it, and whether the GPU answers as the
/// CPU does
#[derive(Debug, Args)]
#[command(
    after_help = "No GPU is needed: the CPU gives the same answer. Libraries of CUDA are \
    looked for in the folders of ATOMSCOPE_CUDA_LIBRARIES, where the system finds them, in \
    CUDA_PATH, CUDA_HOME and /usr/local/cuda, and in the active Python environment.\n\n\
    Exit codes: 0 nothing that is there is broken; 3 a GPU is there but cannot be used, or its \
    answer differs\n\n\
    Examples:\n  \
    atomscope doctor\n  \
    atomscope doctor --kernels 90,100"
)]
pub(super) struct Doctor {
    /// Print JSON
    #[arg(long)]
    json: bool,

    /// Print only what each kernel takes of a GPU, for architectures as in 90 (compute capability
    /// 9.0); no GPU is needed, and a kernel that spills registers is an error
    #[arg(
        long,
        value_name = "ARCH",
        num_args = 0..=1,
        value_delimiter = ',',
        conflicts_with = "json"
    )]
    kernels: Option<Vec<u32>>,
}

impl Doctor {
    pub(super) fn run(&self) -> Result<()> {
        if let Some(architectures) = &self.kernels {
            return kernels::print_table(architectures);
        }
        let mut report = Report::new(!self.json);
        machine::look(&mut report)?;
        let auto = cuda::look(&mut report)?;
        report.finish(&auto)
    }
}

/// Everything that was checked, in the order in which it was.
struct Report {
    checks: Vec<Check>,
    /// Whether each check is printed as soon as it is done.
    printed: bool,
}

/// What `--device auto` takes, and why.
#[derive(Debug, Serialize)]
struct Auto {
    /// `cpu`, or `cuda:` and a number.
    device: String,
    /// A sentence.
    says: String,
}

impl Report {
    fn new(printed: bool) -> Self {
        Self {
            checks: Vec::new(),
            printed,
        }
    }

    /// Takes a check, and prints it.
    fn add(&mut self, check: Check) -> Result<()> {
        progress::control().check()?;
        if self.printed {
            progress::print(&check.to_string())?;
        }
        self.checks.push(check);
        Ok(())
    }

    /// Says what `--device auto` takes; fails where something that is there is broken.
    fn finish(&self, auto: &Auto) -> Result<()> {
        if self.printed {
            progress::print(&format!("\n{}\n", auto.says))?;
        } else {
            let json = serde_json::json!({
                "atomscope": VERSION,
                "checks": self.checks,
                "auto": auto,
            });
            let json =
                serde_json::to_string_pretty(&json).map_err(|e| Error::printing(e.into()))?;
            progress::print(&(json + "\n"))?;
        }
        self.broken().map_or(Ok(()), Err)
    }

    /// The first thing that keeps a device that is there from being used.
    fn broken(&self) -> Option<Error> {
        let device = self.checks.iter().any(|check| check.is_device);
        let keeps = |check: &&Check| match check.status {
            Status::Failed => true,
            Status::Missing => device,
            Status::Ok | Status::Note => false,
        };
        let check = self.checks.iter().find(keeps)?;
        Some(Error::Device {
            wanted: "cuda".to_owned(),
            reason: format!("{}: {}", check.what, check.found),
            action: check
                .action
                .unwrap_or("use --device cpu, which gives the same answer"),
            no_memory: false,
        })
    }
}
