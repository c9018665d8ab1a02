//! The command line: one file a command.

// Doc comments of arguments are help texts, where backticks would only be noise.
#![allow(clippy::doc_markdown)]

mod analyze;
mod arguments;
mod completions;
mod counting;
mod demo;
mod doctor;
mod flags;
mod inspect;
mod investigate;
mod man;
mod merge;
mod progress;
mod report;
mod simulate;
mod tally;

use clap::{CommandFactory, FromArgMatches, Subcommand};
pub use flags::line;

use crate::error::Result;

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
    Tally(tally::Tally),
    Merge(merge::Merge),
    Report(report::Report),
    Inspect(inspect::Inspect),
    Simulate(simulate::Simulate),
    Demo(demo::Demo),
    Doctor(doctor::Doctor),
    Completions(completions::Completions),
    #[command(hide = true)]
    Man(man::Man),
}

/// The whole command line. A number below 0 is told from a flag, and is then out of its range.
fn command() -> clap::Command {
    let numbers = |command: clap::Command| {
        command.mut_args(|arg| match arg.get_action() {
            clap::ArgAction::Set | clap::ArgAction::Append => arg.allow_negative_numbers(true),
            _ => arg,
        })
    };
    Cli::command().mut_subcommands(numbers)
}

impl Cli {
    /// Takes the process's arguments; ends the process where they make no sense, or ask for help.
    pub fn from_arguments() -> Self {
        let matches = command().get_matches();
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }

    /// Runs the command.
    pub fn run(&self) -> Result<()> {
        // Before anything is made that would have to be removed again.
        progress::watch_for_interrupt();
        match &self.command {
            Command::Analyze(command) => command.run(),
            Command::Investigate(command) => command.run(),
            Command::Tally(command) => command.run(),
            Command::Merge(command) => command.run(),
            Command::Report(command) => command.run(),
            Command::Inspect(command) => command.run(),
            Command::Simulate(command) => command.run(),
            Command::Demo(command) => command.run(),
            Command::Doctor(command) => command.run(),
            Command::Completions(command) => command.run(),
            Command::Man(command) => command.run(),
        }
    }
}
