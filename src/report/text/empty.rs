//! The text for a table without atoms, on which the notebook crashes.

use std::fmt::{Display, Formatter, Result};

use crate::cohort::Label;
use crate::stats::notebook::{BiasTable, Empty};

/// The sentence in the report.
pub(super) fn why(f: &mut Formatter<'_>, table: &BiasTable) -> Result {
    match table.why_empty() {
        Some(_) => writeln!(f, "\n{}", Nothing(table)),
        None => Ok(()),
    }
}

/// One sentence that says why there is nothing to rank; nothing where there is something.
#[derive(Debug, Clone, Copy)]
pub struct Nothing<'a>(pub &'a BiasTable);

impl Display for Nothing<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        sentence(f, self.0)
    }
}

fn sentence(f: &mut Formatter<'_>, table: &BiasTable) -> Result {
    let Some(reason) = table.why_empty() else {
        return Ok(());
    };
    write!(f, "Nothing to rank: ")?;
    let calls = table.tp_total + table.fp_total;
    match reason {
        Empty::NoCalls => write!(f, "there are no calls."),
        Empty::OneClass(label) => {
            let (all, other) = match label {
                Label::Tp => ("TP", "FP"),
                Label::Fp => ("FP", "TP"),
            };
            let are = if calls == 1 {
                "the one call is"
            } else {
                "all calls are"
            };
            write!(
                f,
                "{are} {all} ({calls}), and bias compares TP with FP: without any {other} call \
                 no atom leans either way."
            )
        }
        Empty::LowSupport => {
            let least = table.min_support;
            write!(
                f,
                "no atom fires on {least} calls or more (--min-support {least})."
            )
        }
        Empty::FiresEverywhere => write!(
            f,
            "every atom with enough support fires on all {calls} calls, so it tells none apart."
        ),
    }
}
