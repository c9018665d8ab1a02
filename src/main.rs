//! The command line: parse, run, exit code.

use std::process::ExitCode;

use atomscope::cli::{Cli, line};

fn main() -> ExitCode {
    silence_parser();
    match Cli::from_arguments().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("atomscope: {}", line(&error));
            ExitCode::from(error.exit_code())
        }
    }
}

/// A parser that panics on a damaged file is told by the error that it becomes, in one line.
fn silence_parser() {
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().name() != Some(atomscope::read::PARSER_THREAD) {
            tell(panic);
        }
    }));
}
