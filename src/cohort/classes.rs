//! What the benchmark's classes are, and which of them say neither true nor false.

use serde::Serialize;

use crate::cohort::{ClassColumn, ClassRule, Label, looks_true, looks_untrue};
use crate::error::{Choice, Error, Proposal, Result, quoted};

/// Classes that say in so many words that a call is false.
const FALSE: [&str; 3] = ["FP", "fp", "fp_vcf"];

/// A value of `truvari_class`, and what it counts as.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClassCount {
    /// The value; `None` where calls have none.
    pub name: Option<String>,
    /// What calls of this class count as.
    pub label: Label,
    /// How many calls have it. Dropped calls do not count.
    pub calls: u64,
}

impl ClassCount {
    /// Whether the class is false, and yet written as people write that of a true call.
    pub fn may_be_true(&self) -> bool {
        self.label == Label::Fp && self.name.as_deref().is_some_and(looks_true)
    }

    /// Whether the class says neither true nor false, so that its calls count as false for want
    /// of anything better (`fn`, `tpbase`, none at all).
    pub fn says_neither(&self) -> bool {
        let known = self
            .name
            .as_deref()
            .is_some_and(|name| FALSE.contains(&name));
        self.label == Label::Fp && !known
    }
}

/// Every class, the most frequent first; equally frequent ones in the order of `seen`, the classes
/// of the calls that were not dropped as the cohort shows them.
pub fn classes(seen: Vec<(Option<String>, u64)>, rule: &ClassRule) -> Vec<ClassCount> {
    let class = |(name, calls): (Option<String>, u64)| ClassCount {
        label: rule.label(name.as_deref()),
        name,
        calls,
    };
    let mut classes: Vec<_> = seen.into_iter().map(class).collect();
    classes.sort_by_key(|class| std::cmp::Reverse(class.calls));
    classes
}

/// Whether a cohort is known as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    All,
    /// A part of it; the rest may have other classes.
    Some,
}

/// The classes of a cohort, or of some of it.
#[derive(Debug, Clone, Default)]
pub struct Labels {
    /// In the order in which they are first seen.
    seen: Vec<(Option<String>, u64)>,
    /// Whether there was a column of classes anywhere.
    are_there: bool,
}

impl Labels {
    /// Those of calls that were counted.
    pub fn of(seen: Vec<(Option<String>, u64)>) -> Self {
        let are_there = seen.iter().any(|(name, _)| name.is_some());
        Self { seen, are_there }
    }

    /// Adds those of more calls; `are_there` says whether these have a column of classes.
    pub fn add(&mut self, seen: Vec<(Option<String>, u64)>, are_there: bool) {
        self.are_there |= are_there;
        for (name, calls) in seen {
            match self.seen.iter_mut().find(|(known, _)| *known == name) {
                Some((_, sum)) => *sum += calls,
                None => self.seen.push((name, calls)),
            }
        }
    }

    /// Whether `rule` makes sense of the classes.
    ///
    /// It does where any call is true. It may where none is: of a part of a cohort unless there is no
    /// class at all, or one that is written as that of a true call in another spelling; of a whole
    /// cohort only where some class says that calls are false, no other class is there but what
    /// benchmarks write of calls that are not true, and the notebook's classes are asked for.
    pub fn are_understood(&self, rule: &ClassRule, part: Part) -> bool {
        let classes = classes(self.seen.clone(), rule);
        if classes.is_empty() || classes.iter().any(|class| class.label == Label::Tp) {
            return true;
        }
        match (rule.given(), part) {
            (Some(_), part) => part == Part::Some,
            (None, _) if classes.iter().any(ClassCount::may_be_true) => false,
            (None, Part::Some) => self.are_there,
            // A class that nobody knows may be that of the true calls.
            (None, Part::All) => {
                let is_known = |class: &ClassCount| {
                    !class.says_neither() || class.name.as_deref().is_none_or(looks_untrue)
                };
                classes.iter().any(|class| !class.says_neither()) && classes.iter().all(is_known)
            }
        }
    }

    /// An error unless `rule` makes sense of the classes of a whole cohort, which messages call
    /// `file`.
    ///
    /// # Errors
    /// Classes that are not understood.
    pub fn check(&self, file: &str, rule: &ClassRule) -> Result<()> {
        if self.are_understood(rule, Part::All) {
            Ok(())
        } else {
            Err(self.error(file, rule, &[]))
        }
    }

    /// The error of classes that are not understood: what is there, and which arguments would make
    /// sense of it. `columns` are those that may be meant instead.
    pub fn error(&self, file: &str, rule: &ClassRule, columns: &[ClassColumn]) -> Error {
        let classes = classes(self.seen.clone(), rule);
        let column = rule.column();
        let expected = format!(
            "{} for calls that are true",
            rule.true_classes()
                .iter()
                .map(|class| quoted(class))
                .collect::<Vec<_>>()
                .join(" or ")
        );
        let found = if self.are_there {
            listed(&classes)
        } else {
            "no call that has one".to_owned()
        };
        let place = format!("the classes ({column})");
        let names = classes.iter().filter(|class| class.may_be_true());
        let here: Vec<&str> = names.filter_map(|class| class.name.as_deref()).collect();
        let (action, proposals) = if !here.is_empty() {
            ("say which are true", vec![true_classes(&here)])
        } else if let Some(other) = best(columns) {
            ("name the column of classes", class_column(other))
        } else {
            let both = [Choice::ClassColumn, Choice::TrueClass];
            let action = "say where the classes are, and which are true";
            (action, both.map(Proposal::of).into())
        };
        Error::input(file, place, found, expected, action).proposing(proposals)
    }
}

/// The column that is most likely meant: one that has the notebook's classes, or else the first.
fn best(columns: &[ClassColumn]) -> Option<&ClassColumn> {
    let notebooks = ClassRule::default();
    let has = |column: &&ClassColumn| {
        let mut values = column.classes.iter();
        values.any(|(value, _)| notebooks.label(value.as_deref()) == Label::Tp)
    };
    columns.iter().find(has).or(columns.first())
}

/// What takes a column for that of the classes.
fn class_column(column: &ClassColumn) -> Vec<Proposal> {
    let named = Proposal::new(Choice::ClassColumn, [column.name.as_str()]);
    let rule = ClassRule::default();
    let values = column
        .classes
        .iter()
        .filter_map(|(value, _)| value.as_deref());
    let values: Vec<&str> = values.collect();
    if values
        .iter()
        .any(|value| rule.label(Some(value)) == Label::Tp)
    {
        return vec![named];
    }
    let like: Vec<&str> = values
        .into_iter()
        .filter(|value| looks_true(value))
        .collect();
    vec![named, true_classes(&like)]
}

/// What takes these classes for true ones.
pub fn true_classes(classes: &[&str]) -> Proposal {
    Proposal::new(Choice::TrueClass, classes.iter().copied())
}

/// Classes with their calls, for a message.
fn listed(classes: &[ClassCount]) -> String {
    const SHOWN: usize = 8;
    let each = classes.iter().take(SHOWN).map(|class| {
        let name = class.name.as_deref();
        let name = name.map_or("none".to_owned(), |name| format!("{name:?}"));
        format!("{name} ({} calls)", class.calls)
    });
    let mut each: Vec<_> = each.collect();
    if let Some(more) = classes.len().checked_sub(SHOWN).filter(|&more| more > 0) {
        each.push(format!("and {more} more"));
    }
    each.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(seen: &[(Option<&str>, u64)]) -> Vec<(Option<String>, u64)> {
        let seen = seen.iter();
        seen.map(|(name, n)| (name.map(str::to_owned), *n))
            .collect()
    }

    fn labels(names: &[Option<&str>]) -> Labels {
        let seen: Vec<_> = names.iter().map(|name| (*name, 1)).collect();
        Labels::of(owned(&seen))
    }

    #[test]
    fn unknown_class_beside_false_ones_is_not_understood_as_false() {
        let rule = ClassRule::default();
        let is = |names: &[Option<&str>], part| labels(names).are_understood(&rule, part);
        for unknown in ["tp_call_vcf", "real", "PASS", "T"] {
            assert!(!is(&[Some("FP"), Some(unknown)], Part::All), "{unknown}");
            assert!(is(&[Some("TP"), Some(unknown)], Part::All), "{unknown}");
        }
        assert!(is(&[Some("FP"), Some("real")], Part::Some));
        assert!(is(
            &[Some("FP"), Some("fn"), Some("tpbase"), None],
            Part::All
        ));
    }

    #[test]
    fn classes_are_understood_where_any_call_is_true_or_all_are_false() {
        let rule = ClassRule::default();
        let given = ClassRule::new(None, &["tp".to_owned()]);
        // The classes; whether the notebook's rule makes sense of them as a cohort, and as a part of
        // one; whether tp as the true class does.
        for (names, all, some, with_tp) in [
            (&[Some("TP"), Some("fp")][..], true, true, false),
            (&[Some("tp_comp_vcf"), Some("x")], true, true, false),
            (&[Some("TP"), Some("tp")], true, true, true),
            (&[Some("FP")], true, true, false),
            (&[Some("fp"), Some("fn")], true, true, false),
            (&[Some("tp"), Some("fp")], false, false, true),
            (&[Some("TP "), Some("FP")], false, false, false),
            (&[Some("True"), Some("False")], false, false, false),
            (&[Some("1"), Some("0")], false, false, false),
            (&[Some("False")], false, true, false),
            (&[Some("fn"), None], false, true, false),
            (&[None], false, false, false),
            (&[], true, true, true),
        ] {
            let labels = labels(names);
            assert_eq!(labels.are_understood(&rule, Part::All), all, "{names:?}");
            assert_eq!(labels.are_understood(&rule, Part::Some), some, "{names:?}");
            assert_eq!(
                labels.are_understood(&given, Part::All),
                with_tp,
                "{names:?}"
            );
        }
    }

    #[test]
    fn proposal_names_the_values_that_are_there() {
        let message = |names: &[Option<&str>], columns: &[ClassColumn]| {
            let rule = ClassRule::default();
            labels(names).error("calls.tsv", &rule, columns).to_string()
        };
        let column = |name: &str, values: &[&str]| ClassColumn {
            name: name.to_owned(),
            classes: values.iter().map(|v| (Some((*v).to_owned()), 1)).collect(),
        };
        let text = message(&[Some("fp"), Some("tp"), Some("Tp"), Some("TP ")], &[]);
        assert!(
            text.contains("say which are true: true classes tp, Tp, 'TP '"),
            "{text}"
        );
        assert!(text.contains("\"fp\" (1 calls)"), "{text}");
        let columns = [
            column("state", &["tp", "fp"]),
            column("bench", &["FP", "TP"]),
        ];
        let text = message(&[None], &columns[..1]);
        assert!(
            text.contains("column of classes state, true classes tp"),
            "{text}"
        );
        let text = message(&[Some("PASS")], &columns);
        assert!(text.ends_with("column of classes bench"), "{text}");
        let text = message(&[Some("PASS")], &[column("is true", &["True"])]);
        assert!(
            text.contains("column of classes 'is true', true classes True"),
            "{text}"
        );
        let text = message(&[None], &[]);
        assert!(text.contains("no call that has one") && text.ends_with("which are true"));
    }

    #[test]
    fn odd_classes_are_told_apart() {
        let seen = [
            (Some("TP"), 1),
            (None, 1),
            (Some("FP"), 1),
            (Some("fn"), 3),
            (Some("tp_comp_vcf"), 1),
        ];
        let found = classes(owned(&seen), &ClassRule::default());
        let told: Vec<_> = found
            .iter()
            .map(|c| (c.name.as_deref(), c.calls, c.says_neither()))
            .collect();
        let expected = [
            (Some("fn"), 3, true),
            (Some("TP"), 1, false),
            (None, 1, true),
            (Some("FP"), 1, false),
            (Some("tp_comp_vcf"), 1, false),
        ];
        assert_eq!(told, expected);
    }
}
