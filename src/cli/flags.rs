//! The program's flags for the things that the library's messages name.

use crate::error::{Choice, Error, Proposal, Warning, quoted};

/// An error in one line, with the flags that the library does not know.
pub fn line(error: &Error) -> String {
    let flags = proposed(&error.proposals());
    match error {
        Error::Input(bad) => format!("{bad}{flags}"),
        Error::Choice { choice, .. } => {
            let words = error.to_string();
            let rest = words.strip_prefix(&choice.to_string()).unwrap_or(&words);
            format!("{}{rest}", flag(*choice).0)
        }
        Error::Device { .. } => format!("--{error}"),
        _ => format!("{error}{flags}"),
    }
}

/// A warning in one line, likewise.
pub(super) fn warning(warning: &Warning) -> String {
    format!("{}{}", warning.text, proposed(&warning.proposals))
}

/// The flags of what is proposed, as a shell takes them, with what divides them from the text before.
fn proposed(proposals: &[Proposal]) -> String {
    let flags: Vec<_> = proposals.iter().map(with_values).collect();
    if flags.is_empty() {
        return String::new();
    }
    format!(": {}", flags.join(" "))
}

fn with_values(proposal: &Proposal) -> String {
    let (flag, value) = flag(proposal.choice);
    let values: Vec<_> = proposal.values.iter().map(|value| quoted(value)).collect();
    match (values.is_empty(), value) {
        (false, _) => format!("{flag} {}", values.join(",")),
        (true, "") => flag.to_owned(),
        (true, value) => format!("{flag} {value}"),
    }
}

/// The flag of a choice, and what its value is called; a flag without a value has none.
fn flag(choice: Choice) -> (&'static str, &'static str) {
    match choice {
        Choice::Embeddings => ("--embeddings", "FILE"),
        Choice::Activations => ("--activations", "FILE"),
        Choice::Atoms => ("--atoms", "F"),
        Choice::Metadata => ("--metadata", "FILE"),
        Choice::TrueCalls => ("--tp", "FILE"),
        Choice::FalseCalls => ("--fp", "FILE"),
        Choice::Sample => ("--sample", "NAME"),
        Choice::BelowSizemin => ("--below-sizemin", "keep|drop"),
        Choice::MinJoined => ("--min-joined", "SHARE"),
        Choice::Rows => ("--rows", "A..B"),
        Choice::Model => ("--model", "PATH"),
        Choice::Threshold => ("--threshold", "T"),
        Choice::SubtractDecoderBias => ("--subtract-decoder-bias", "yes|no"),
        Choice::Orientation => ("--orientation", "inputs-first|features-first"),
        Choice::Layer => ("--layer", "N"),
        Choice::Key => ("--key", "NAME"),
        Choice::Pool => ("--pool", "mean|last|max|token:I"),
        Choice::ClassColumn => ("--class-column", "NAME"),
        Choice::TrueClass => ("--true-class", "VALUE[,VALUE…]"),
        Choice::Nonfinite => ("--nonfinite", "WHAT"),
        Choice::BatchTopK => ("--batch-topk", "WHAT"),
        Choice::BatchRows => ("--batch-topk-rows", "N"),
        Choice::Strata => ("--strata", "LIST"),
        Choice::Replicate => ("--replicate", "BY"),
        Choice::Device => ("--device", "DEVICE"),
        Choice::Threads => ("--threads", "N"),
        Choice::Screen => ("--screen", "NAME"),
        Choice::Simd => ("--simd", "NAME"),
        Choice::Atom => ("--atom", "A"),
        Choice::Tallies => ("TALLY", ""),
        Choice::Fires => ("--fires", "PATH"),
        Choice::SaveFires => ("--save-fires", ""),
        Choice::WithoutFires => ("--without-fires", ""),
        Choice::Out => ("--out", "PATH"),
        Choice::Force => ("--force", ""),
        Choice::AllowOthers => ("--allow-others", ""),
        Choice::SimulatedRows => ("--rows", "N"),
        Choice::InputDim => ("--input-dim", "D"),
        Choice::Features => ("--features", "F"),
        Choice::Weights => ("--features x --input-dim", ""),
        Choice::TopK => ("--k", "K"),
        Choice::Pieces => ("--pieces", "P"),
        Choice::OneSided => ("--one-sided", "N"),
        Choice::TruePercent => ("--true-percent", "PERCENT"),
    }
}
