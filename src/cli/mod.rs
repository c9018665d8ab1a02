//! The command line: one file a command.

// Doc comments of arguments are help texts, where backticks would only be noise.
#![allow(clippy::doc_markdown)]

mod analyze;
mod annotate;
mod arguments;
mod calls;
mod completions;
mod convert;
mod counting;
mod demo;
mod doctor;
mod flags;
mod from_tally;
mod help;
mod html;
mod inspect;
mod investigate;
mod man;
mod merge;
mod progress;
mod report;
mod simulate;
mod tally;
mod threads;
mod verify;

use std::ffi::OsString;

use clap::Subcommand;
pub use flags::line;
pub use progress::end_without_memory;

use self::arguments::EngineArgs;
use self::threads::cores;
use crate::control;
use crate::error::{Error, Result};
use crate::read::PARSER_THREAD;

/// Which atoms of a sparse autoencoder fire on true and on false structural-variant calls.
#[derive(Debug, clap::Parser)]
#[command(
    version,
    arg_required_else_help = true,
    after_help = "Exit codes:\n  \
        0    all is done; every output file is whole\n  \
        2    bad input or arguments; one line says which file, where, and what to do\n  \
        3    the device asked for by --device cannot be used\n  \
        130  interrupted (Ctrl-C, SIGTERM); no output was written"
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Analyze(analyze::Analyze),
    Investigate(investigate::Investigate),
    Calls(calls::Calls),
    Annotate(annotate::Annotate),
    Tally(tally::Tally),
    Merge(merge::Merge),
    Report(report::Report),
    Html(html::Html),
    Inspect(inspect::Inspect),
    Convert(convert::Convert),
    Verify(verify::Verify),
    Simulate(simulate::Simulate),
    Demo(demo::Demo),
    Doctor(doctor::Doctor),
    Completions(completions::Completions),
    #[command(hide = true)]
    Man(man::Man),
}

/// Runs the program with these arguments, of which the first is its name, and returns its exit code.
/// Errors are told on standard error.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    tell_of_panics();
    let cli = match Cli::from_arguments(arguments) {
        Ok(cli) => cli,
        Err(error) => return progress::show_usage(error),
    };
    let started = cli.command.threads().map_or(Ok(()), threads::start);
    let Err(error) = started.and_then(|()| cli.run()) else {
        return 0;
    };
    // What fails since reading was ended is no fault of the file's.
    let error = if control::is_interrupted() {
        Error::Cancelled
    } else {
        error
    };
    progress::say(&line(&error));
    error.exit_code()
}

impl Command {
    /// How many threads the command works with: those that were asked for, else one a core. `None` of one that
    /// works in a single thread.
    fn threads(&self) -> Option<usize> {
        let engine = match self {
            Self::Inspect(_) | Self::Verify(_) | Self::Completions(_) | Self::Man(_) => {
                return None;
            }
            Self::Analyze(analyze) => Some(&analyze.analysis.run.engine),
            Self::Tally(tally) => Some(&tally.run.engine),
            Self::Demo(demo) => Some(&demo.engine),
            _ => None,
        };
        let asked = engine.and_then(EngineArgs::threads);
        Some(asked.unwrap_or_else(cores))
    }
}

/// Tells of a panic in one line, but for that of a parser on a damaged file: it is told by the error that it
/// becomes.
fn tell_of_panics() {
    std::panic::set_hook(Box::new(|panic| {
        if std::thread::current().name() == Some(PARSER_THREAD) {
            return;
        }
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        let payload = panic.payload();
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let what = text.or_else(|| payload.downcast_ref::<&str>().copied());
        let what = what.unwrap_or("no message");
        if is_without_room(what) {
            end_without_memory();
        }
        progress::say(&format!(
            "a defect of this program at {place}: {what}; no output was written: please report it with the command"
        ));
    }));
}

/// Says whether a panic tells that the system has no memory for a thread, or for the stack of one.
fn is_without_room(what: &str) -> bool {
    const OF_SYSTEM: [&str; 4] = ["code: 11,", "code: 12,", "(os error 11)", "(os error 12)"];
    OF_SYSTEM.iter().any(|code| what.contains(code))
}

impl Cli {
    /// Runs the command.
    pub fn run(&self) -> Result<()> {
        // Before anything is made that would have to be removed again.
        progress::watch_for_interrupt();
        match &self.command {
            Command::Analyze(command) => command.run(),
            Command::Investigate(command) => command.run(),
            Command::Calls(command) => command.run(),
            Command::Annotate(command) => command.run(),
            Command::Tally(command) => command.run(),
            Command::Merge(command) => command.run(),
            Command::Report(command) => command.run(),
            Command::Html(command) => command.run(),
            Command::Inspect(command) => command.run(),
            Command::Convert(command) => command.run(),
            Command::Verify(command) => command.run(),
            Command::Simulate(command) => command.run(),
            Command::Demo(command) => command.run(),
            Command::Doctor(command) => command.run(),
            Command::Completions(command) => command.run(),
            Command::Man(command) => command.run(),
        }
    }
}
