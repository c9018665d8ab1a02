//! The command line: parse, run, exit code.

use std::process::ExitCode;

use atomscope::engine::Allocator;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator::new(atomscope::cli::end_without_memory);

fn main() -> ExitCode {
    ExitCode::from(atomscope::cli::run(std::env::args_os()))
}
