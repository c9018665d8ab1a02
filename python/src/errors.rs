//! Errors as Python's exceptions, with the arguments' names for what the library's messages name.

use atomscope::Error;
use atomscope::error::{BadInput, Choice, Proposal, Warning};
use pyo3::create_exception;
use pyo3::exceptions::{PyKeyboardInterrupt, PyMemoryError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;

use crate::words::spoken;

create_exception!(
    atomscope,
    InputError,
    PyValueError,
    "Something in a file or an argument is not what it must be.\n\n\
     The message says where, what was found, what was expected, and what to do."
);
create_exception!(
    atomscope,
    DeviceError,
    PyRuntimeError,
    "The device that was asked for cannot be used."
);
create_exception!(
    atomscope,
    CancelledError,
    PyRuntimeError,
    "The function that was given as progress returned False."
);
create_exception!(
    atomscope,
    InternalError,
    PyRuntimeError,
    "A fault of atomscope itself. Please report it, with the message."
);

/// Makes the exception of an error of the library.
pub(crate) fn exception(error: &Error) -> PyErr {
    let text = spoken(&line(error));
    match error {
        Error::Cancelled => PyKeyboardInterrupt::new_err(()),
        Error::Device { .. } => DeviceError::new_err(text),
        Error::Memory { .. } => PyMemoryError::new_err(text),
        _ => InputError::new_err(text),
    }
}

/// Turns the library's errors into exceptions.
pub(crate) trait OrRaise<T> {
    /// The value, or the exception.
    fn or_raise(self) -> PyResult<T>;
}

impl<T> OrRaise<T> for atomscope::Result<T> {
    fn or_raise(self) -> PyResult<T> {
        self.map_err(|error| exception(&error))
    }
}

/// Bad input that Python alone knows of.
pub(crate) fn bad(argument: &str, found: &str, expected: &str) -> PyErr {
    InputError::new_err(format!("{argument}: found {found}, expected {expected}"))
}

fn line(error: &Error) -> String {
    let arguments = proposed(&error.proposals());
    match error {
        // The classes of rows in memory are those of the calls.
        Error::Input(bad) if bad.file == "x" && bad.place.starts_with("the classes") => {
            let bad = BadInput {
                file: "calls".to_owned(),
                ..(**bad).clone()
            };
            format!("{bad}{arguments}")
        }
        Error::Input(bad) => format!("{bad}{arguments}"),
        Error::Choice { choice, .. } => {
            let words = error.to_string();
            let rest = words.strip_prefix(&choice.to_string()).unwrap_or(&words);
            let rest = match choice {
                Choice::BatchTopK => rest.replacen("found threshold", "found True", 1),
                Choice::SubtractDecoderBias => rest
                    .replacen("found yes, expected no", "found True, expected False", 1)
                    .replacen("found no, expected yes", "found False, expected True", 1),
                _ => rest.to_owned(),
            };
            format!("{}{rest}", argument(*choice))
        }
        _ => format!("{error}{arguments}"),
    }
}

/// A warning in one line, likewise.
pub(crate) fn warning(warning: &Warning) -> String {
    spoken(&format!("{}{}", warning.text, proposed(&warning.proposals)))
}

/// The arguments of what is proposed, with what divides them from the text before.
fn proposed(proposals: &[Proposal]) -> String {
    let all: Vec<_> = proposals.iter().map(with_values).collect();
    if all.is_empty() {
        return String::new();
    }
    format!(": {}", all.join(", "))
}

fn with_values(proposal: &Proposal) -> String {
    let name = argument(proposal.choice);
    let quoted = |value: &String| match (proposal.choice, value.as_str()) {
        (Choice::SubtractDecoderBias, "yes") => "True".to_owned(),
        (Choice::SubtractDecoderBias, "no") => "False".to_owned(),
        _ => format!("{value:?}"),
    };
    match proposal.values.as_slice() {
        [] if name.contains('=') => name.to_owned(),
        [] => format!("{name}=..."),
        [value] if value.contains('|') => {
            let all: Vec<_> = value
                .split('|')
                .map(|one| quoted(&one.to_owned()))
                .collect();
            format!("{name}={}", all.join(" or "))
        }
        [value] => format!("{name}={}", quoted(value)),
        values => {
            let all: Vec<_> = values.iter().map(quoted).collect();
            format!("{name}=[{}]", all.join(", "))
        }
    }
}

/// The argument of a choice.
fn argument(choice: Choice) -> &'static str {
    match choice {
        Choice::Embeddings | Choice::Rows => "x",
        Choice::Activations => "activations",
        Choice::Atoms => "atoms",
        Choice::Metadata | Choice::TrueCalls | Choice::FalseCalls => "calls",
        Choice::Model => "sae",
        Choice::Threshold => "threshold",
        Choice::SubtractDecoderBias => "subtract_decoder_bias",
        Choice::Orientation => "orientation",
        Choice::Layer => "layer",
        Choice::Key => "key",
        Choice::Pool => "pool",
        Choice::ClassColumn => "class_column",
        Choice::TrueClass => "true_class",
        Choice::Nonfinite => "nonfinite",
        Choice::BatchTopK => "batch_threshold",
        Choice::BatchRows => "batch_rows",
        Choice::Strata => "strata",
        Choice::Replicate => "replicate",
        Choice::Device => "device",
        Choice::Threads => "threads",
        Choice::Atom => "atom",
        Choice::Tallies => "tallies",
        Choice::Fires => "fires",
        Choice::SaveFires => "save_fires=True",
        Choice::WithoutFires => "fires=None",
        Choice::Out => "path",
        Choice::Force => "force=True",
        Choice::SimulatedRows => "rows",
        Choice::InputDim => "d_in",
        Choice::Features => "d_sae",
        Choice::Weights => "d_sae x d_in",
        Choice::TopK => "k",
        Choice::OneSided => "one_sided",
        Choice::TruePercent => "true_percent",
        _ => "the arguments",
    }
}
