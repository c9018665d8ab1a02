//! The command line: parse, run, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(atomscope::cli::run(std::env::args_os()))
}
