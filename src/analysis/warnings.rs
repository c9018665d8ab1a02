//! Sentences on what is odd about the calls that were counted.

use crate::cohort::ClassRule;
use crate::cohort::classes::{ClassCount, Part, true_classes};
use crate::error::{Choice, Proposal, Warning};
use crate::tally::CohortTally;

/// The most classes that are warned of one by one.
const MOST_WARNINGS: usize = 10;

/// All that is odd about the calls that were counted.
pub(super) fn of_cohort(cohort: &CohortTally, classes: &[ClassCount]) -> Vec<Warning> {
    let mut warnings = of_classes(classes, &cohort.rule, Part::All);
    warnings.extend(of_batches(cohort));
    warnings.extend(of_dropped(cohort, "dropped_rows.npy lists them"));
    warnings
}

/// A sentence on what decided what fires, if the model is one of batch top-k.
pub(super) fn of_batches(cohort: &CohortTally) -> Option<Warning> {
    let batches = cohort.model.batches?;
    let text = match batches.threshold() {
        None => format!("{batches}: what fires on a call depends on the calls given with it"),
        Some(_) => format!(
            "{batches}: the threshold is not the model's own, and other calls would give another"
        ),
    };
    Some(text.into())
}

/// A sentence on rows that were dropped; `listed` says where they are.
pub fn of_dropped(cohort: &CohortTally, listed: &str) -> Option<Warning> {
    let count = cohort.shards.dropped().count();
    let (shard, first) = cohort
        .shards
        .iter()
        .find_map(|shard| Some((shard, *shard.dropped.first()?)))?;
    let text = format!(
        "{count} of {} calls were dropped for a NaN or an infinity in their embedding, or since no call \
         belongs to them (the first is row {first} of {}): they are in no count and no table; {listed}",
        cohort.shards.rows(),
        shard.name
    );
    Some(text.into())
}

/// Sentences on classes that say neither true nor false, and so count as false.
///
/// Where the true classes were given, all others are false by decision. Then only two things are
/// odd: a class that looks like another spelling of true, and a given class that no call of the
/// whole cohort has.
pub fn of_classes(classes: &[ClassCount], rule: &ClassRule, part: Part) -> Vec<Warning> {
    let is_odd = |class: &&ClassCount| match rule.given() {
        None => class.says_neither(),
        Some(_) => class.may_be_true(),
    };
    let odd: Vec<_> = classes.iter().filter(is_odd).collect();
    let column = rule.column();
    let trues = rule.true_classes();
    let neither = format!(
        "only {} count as true, so these count as FP",
        trues.join(" and ")
    );
    let advice = |class: &ClassCount| match class.name.as_deref() {
        Some(name) if class.may_be_true() => {
            let all: Vec<&str> = trues.iter().copied().chain([name]).collect();
            ("if they are true calls, say so", vec![true_classes(&all)])
        }
        _ => ("rename the class if they are true calls", Vec::new()),
    };
    let mut warnings: Vec<_> = odd
        .iter()
        .take(MOST_WARNINGS)
        .map(|class| {
            let what = match class.name.as_deref() {
                None => format!("no {column}"),
                Some("None") => format!("None as {column}"),
                Some(name) => format!("{column} {name:?}"),
            };
            let (advice, proposals) = advice(class);
            Warning {
                text: format!("{} calls have {what}: {neither}; {advice}", class.calls),
                proposals,
            }
        })
        .collect();
    if let Some(more) = odd.get(MOST_WARNINGS..).filter(|more| !more.is_empty()) {
        let calls: u64 = more.iter().map(|class| class.calls).sum();
        let text = format!(
            "{calls} calls have {} further classes: {neither}",
            more.len()
        );
        warnings.push(text.into());
    }
    let known = |given: &&String| {
        classes
            .iter()
            .any(|class| class.name.as_ref() == Some(*given))
    };
    let given = rule.given().unwrap_or_default().iter();
    for class in given.filter(|class| part == Part::All && !known(class)) {
        warnings.push(Warning {
            text: format!("no call has {column} {class:?}, which is named as a true class"),
            proposals: vec![Proposal::of(Choice::TrueClass)],
        });
    }
    warnings
}
