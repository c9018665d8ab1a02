//! What a table without atoms says, where the notebook crashes.

use std::fmt::{Formatter, Result};

use crate::cohort::Label;
use crate::stats::{BiasTable, Empty};

/// One sentence that says why there is nothing to rank.
pub(super) fn why(f: &mut Formatter<'_>, table: &BiasTable) -> Result {
    let Some(reason) = table.why_empty() else {
        return Ok(());
    };
    write!(f, "\nNothing to rank: ")?;
    let calls = table.tp_total + table.fp_total;
    match reason {
        Empty::NoCalls => writeln!(f, "there are no calls."),
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
            writeln!(
                f,
                "{are} {all} ({calls}), and bias compares TP with FP: without any {other} call \
                 no atom leans either way."
            )
        }
        Empty::LowSupport => {
            let least = table.min_support;
            writeln!(
                f,
                "no atom fires on {least} calls or more (--min-support {least})."
            )
        }
        Empty::FiresEverywhere => writeln!(
            f,
            "every atom with enough support fires on all {calls} calls, so it tells none apart."
        ),
    }
}
