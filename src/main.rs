//! The command line: parse, run, exit code.

use std::process::ExitCode;

use atomscope::cli::{Cli, Parser};

fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("atomscope: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}
