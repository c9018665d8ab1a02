//! `doctor`: what this machine has, what is missing, and whether it works.

mod check;
mod cuda;
mod kernels;
mod machine;
mod report;

use clap::Args;

use self::report::{Auto, Report};
use crate::error::Result;

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
