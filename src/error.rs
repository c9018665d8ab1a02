//! The one error type. Every message is a single line that says which file, where in it,
//! what was found, what was expected, and what to do.
//!
//! A caller can match the kind of an error. No message names a flag of the program: what a caller
//! chooses is a [`Choice`], and what a message proposes to choose is a [`Proposal`].
//!
//! ```
//! use atomscope::error::{Choice, Error};
//! use atomscope::simulate::{SimulateOptions, simulate_in_memory};
//!
//! match simulate_in_memory(&SimulateOptions::new(0, 32, 128, 8, 1)) {
//!     Err(Error::Choice { choice: Choice::SimulatedRows, found, .. }) => assert_eq!(found, "0"),
//!     _ => unreachable!("a cohort of no calls is refused"),
//! }
//! ```

mod choice;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use choice::in_words;
pub(crate) use choice::quoted;
pub use choice::{Choice, Proposal, Warning};

use crate::visible::is_hidden;

/// The kind of an error, and who can mend it.
///
/// | kind | who can mend it |
/// |---|---|
/// | [`Input`](Self::Input), [`NonFinite`](Self::NonFinite) | whoever made the data |
/// | [`Io`](Self::Io), [`Memory`](Self::Memory), [`Device`](Self::Device) | whoever has the machine |
/// | [`Choice`](Self::Choice) | whoever chose: an option of a run |
/// | [`Argument`](Self::Argument) | whoever calls the library: values that do not go together |
/// | [`Cancelled`](Self::Cancelled) | nobody: a caller asked to stop |
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Something in a file, or in data handed to the library, is not what it must be.
    #[error("{}{}", .0, in_words(&.0.proposals))]
    Input(Box<BadInput>),

    /// The operating system refused to read or write a file.
    #[error("{}: cannot {doing}: {}; {action}", one_line(&path.display().to_string()), one_line(&source.to_string()))]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The action that was attempted, as a verb phrase ("read it", "create the folder").
        doing: &'static str,
        /// The advice on what to do about it.
        action: &'static str,
        /// The operating system's own error.
        source: io::Error,
    },

    /// Rows whose embedding, or whose whitened embedding, has a NaN or an infinity.
    #[error("{}: row{} {}: found NaN or infinity after whitening in {count} of {total} rows, expected finite numbers; \
             embed these calls again, or drop such rows",
             one_line(file), if *count == 1 { "" } else { "s" }, first_rows(rows, *count))]
    NonFinite {
        /// The file, or a word for data in memory.
        file: String,
        /// The first offending rows, ascending, counted from 0.
        rows: Vec<usize>,
        /// The number of offending rows.
        count: usize,
        /// The number of rows that were looked at.
        total: usize,
    },

    /// The device that was asked for by name cannot be used.
    #[error("device {wanted}: {reason}; {action}")]
    Device {
        /// The device as it was asked for.
        wanted: String,
        /// The reason why it cannot be used.
        reason: String,
        /// The advice on what to do about it.
        action: &'static str,
        /// True if the device lacks memory, and nothing else.
        no_memory: bool,
    },

    /// Memory that the machine does not give.
    #[error(
        "{what}: {bytes} bytes of memory cannot be had; use a machine with more of it, or fewer calls at a time"
    )]
    Memory {
        /// The purpose the memory was meant for.
        what: &'static str,
        /// The number of bytes that was asked for.
        bytes: u128,
    },

    /// Something that was chosen makes no sense, or does not go with the data.
    #[error("{choice}: found {}, expected {expected}", one_line(found))]
    Choice {
        /// The choice that was made.
        choice: Choice,
        /// The value that it has.
        found: String,
        /// The values that would make sense, and how to come by one.
        expected: String,
    },

    /// Values that a caller of the library hands over do not go together.
    #[error("{name}: found {}, expected {expected}", one_line(found))]
    Argument {
        /// The name of the values.
        name: &'static str,
        /// The value that was given.
        found: String,
        /// The value that must be given.
        expected: String,
    },

    /// The caller asked to stop.
    #[error(
        "interrupted: no output was written; run it again, and it goes on from the parts that are done, or starts over where none were kept"
    )]
    Cancelled,
}

/// The five parts of a message about bad input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadInput {
    /// The file, or a word for data in memory.
    pub file: String,
    /// The place in the file: a key, a byte offset, a row.
    pub place: String,
    /// The content found there.
    pub found: String,
    /// The content that should be there.
    pub expected: String,
    /// The advice on what to do about it.
    pub action: String,
    /// The choices to make, if a choice would help.
    pub proposals: Vec<Proposal>,
}

impl fmt::Display for BadInput {
    /// The five parts, without what is proposed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [file, place, found, expected, action] = [
            &self.file,
            &self.place,
            &self.found,
            &self.expected,
            &self.action,
        ]
        .map(|part| one_line(part));
        write!(
            f,
            "{file}: {place}: found {found}, expected {expected}; {action}"
        )
    }
}

/// The result of everything in this crate that can fail.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Bad input: which file, where in it, what was found, what was expected, what to do.
    pub fn input(
        file: impl Into<String>,
        place: impl Into<String>,
        found: impl Into<String>,
        expected: impl Into<String>,
        action: impl Into<String>,
    ) -> Self {
        Self::Input(Box::new(BadInput {
            file: file.into(),
            place: place.into(),
            found: found.into(),
            expected: expected.into(),
            action: action.into(),
            proposals: Vec::new(),
        }))
    }

    /// A choice that makes no sense.
    pub fn choice(choice: Choice, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::Choice {
            choice,
            found: found.into(),
            expected: expected.into(),
        }
    }

    /// The same bad input, about which these choices would help.
    #[must_use]
    pub fn proposing(mut self, proposals: impl IntoIterator<Item = Proposal>) -> Self {
        if let Self::Input(bad) = &mut self {
            bad.proposals.extend(proposals);
        }
        self
    }

    /// Returns the choices that would help.
    pub fn proposals(&self) -> Vec<Proposal> {
        match self {
            Self::Input(bad) => bad.proposals.clone(),
            Self::NonFinite { .. } => vec![Proposal::new(Choice::Nonfinite, ["skip"])],
            _ => Vec::new(),
        }
    }

    /// A file that could not be read.
    pub fn reading(path: &Path, source: io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            doing: "read it",
            action: "check the path and its permissions",
            source,
        }
    }

    /// A file or folder that could not be written.
    pub fn writing(path: &Path, source: io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            doing: "write it",
            action: "choose a folder that can be written, with space left",
            source,
        }
    }

    /// Standard output that could not be written.
    pub fn printing(source: io::Error) -> Self {
        Self::Io {
            path: PathBuf::from("standard output"),
            doing: "write it",
            action: "no file was written; see to the place that the output goes to, and run again",
            source,
        }
    }

    /// The process's exit code: 2 for bad input or arguments, 3 for a device that cannot be
    /// used, 130 when interrupted.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Input(_)
            | Self::Io { .. }
            | Self::NonFinite { .. }
            | Self::Choice { .. }
            | Self::Argument { .. }
            | Self::Memory { .. } => 2,
            Self::Device { .. } => 3,
            Self::Cancelled => 130,
        }
    }
}

/// Makes text from a file visible, so that it cannot break a message into lines
/// or steer a terminal, and cuts it where it grows beyond reading.
fn one_line(text: &str) -> String {
    const LONGEST: usize = 300;
    let mut line = String::new();
    for (shown, c) in text.chars().enumerate() {
        if shown == LONGEST {
            line.push('…');
            break;
        }
        if is_hidden(c) {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}

fn first_rows(rows: &[usize], count: usize) -> String {
    let mut shown = rows
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ");
    if count > rows.len() {
        shown.push_str(", …");
    }
    shown
}

/// Lists the first names of many in a message: `a, b, 3 more`.
pub(crate) fn first_of<S: AsRef<str>>(
    names: impl ExactSizeIterator<Item = S>,
    most: usize,
) -> String {
    let left = names.len().saturating_sub(most);
    let shown = names.take(most).map(|name| name.as_ref().to_owned());
    let more = (left > 0).then(|| format!("{left} more"));
    shown.chain(more).collect::<Vec<_>>().join(", ")
}
