//! The whole command line, with what derived arguments cannot say for themselves.

use std::ffi::OsString;

use clap::{Arg, ArgAction, Command, CommandFactory, FromArgMatches};

use super::Cli;

/// The whole command line. A number below 0 is told from a flag, and is then out of its range; the flag
/// for help stands below what has to be given.
pub(super) fn command() -> Command {
    let numbers = |arg: Arg| match arg.get_action() {
        ArgAction::Set | ArgAction::Append => arg.allow_negative_numbers(true),
        _ => arg,
    };
    let each = |command: Command| {
        command
            .mut_args(numbers)
            .disable_help_flag(true)
            .arg(flag())
    };
    Cli::command().mut_subcommands(each)
}

fn flag() -> Arg {
    let flag = Arg::new("help").short('h').long("help");
    flag.action(ArgAction::Help)
        .help("Print help: -h in short, --help in full")
        .help_heading("Other")
}

impl Cli {
    /// Takes arguments, of which the first is the program's name.
    ///
    /// # Errors
    /// Arguments that make no sense, or ask for help.
    pub(super) fn from_arguments(
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Self, clap::Error> {
        let matches = command().try_get_matches_from(arguments)?;
        Self::from_arg_matches(&matches)
    }
}
