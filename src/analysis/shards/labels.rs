//! Checks that the classes of a cohort's calls are understood, before anything is encoded.

use std::ops::Range;

use super::Plan;
use crate::cohort::classes::{Labels, Part};
use crate::control::Control;
use crate::error::Result;
use crate::read::{Cohort, class_columns};
use crate::tally::ValueCounts;

/// Returns an error if the classes are not understood. These are the classes of the one file, of
/// which some `rows` are meant, or those of all files. All files are looked through, as far as
/// needed, when the first one comes up.
///
/// One file's tally may be a part of a cohort with all kinds of calls, and is refused only where it is
/// certain that its classes are written otherwise.
///
/// # Errors
/// Classes that are not understood; files that cannot be read; cancellation.
pub(super) fn check<R>(
    plan: &Plan,
    number: usize,
    cohort: &Cohort<R>,
    rows: &Range<u64>,
    control: &Control,
) -> Result<()> {
    if number > 0 {
        return Ok(());
    }
    let part = match plan.output {
        Some(_) => Part::Some,
        None => Part::All,
    };
    let mut labels = Labels::default();
    add(&mut labels, cohort, rows.start as usize..rows.end as usize);
    let rule = &plan.options.rule;
    let mut others = plan.inputs.iter().skip(1);
    while !labels.are_understood(rule, part) {
        let Some(input) = others.next() else {
            let first = &plan.inputs[0];
            let metadata = cohort.metadata.as_deref();
            let columns = class_columns(&first.embeddings, metadata);
            let file = metadata.unwrap_or(&first.embeddings).display().to_string();
            let more = plan.inputs.len() - 1;
            let file = match more {
                0 => file,
                more => format!("{file} and {more} more"),
            };
            return Err(labels.error(&file, rule, &columns));
        };
        control.check()?;
        let cohort = plan.read(input)?;
        let all = 0..cohort.calls.len();
        add(&mut labels, &cohort, all);
    }
    Ok(())
}

fn add<R>(labels: &mut Labels, cohort: &Cohort<R>, rows: Range<usize>) {
    let rows = rows.filter(|&row| !cohort.calls.is_without_call(row));
    let kinds = ValueCounts::of(&cohort.calls.truvari_class, rows, 0);
    labels.add(kinds.in_order(), cohort.has_classes);
}
