//! The benchmark's classes, and those among them that mean neither true nor false.

use serde::Serialize;

use crate::cohort::{ClassColumn, ClassRule, Label, looks_true, looks_untrue};
use crate::error::{Choice, Error, Proposal, Result, quoted};

/// Classes that plainly mean a false call.
const FALSE: [&str; 3] = ["FP", "fp", "fp_vcf"];

/// A value of `truvari_class`, and the label that it counts as.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClassCount {
    /// The value; `None` where calls have none.
    pub name: Option<String>,
    /// The label of calls of this class.
    pub label: Label,
    /// The number of calls of this class, without dropped calls.
    pub calls: u64,
}

impl ClassCount {
    /// Says whether the class counts as false although its name looks like that of a true call.
    pub fn may_be_true(&self) -> bool {
        self.label == Label::Fp && self.name.as_deref().is_some_and(looks_true)
    }

    /// Says whether the class means neither true nor false. Its calls then count as false (`fn`,
    /// `tpbase`, a missing class).
    pub fn says_neither(&self) -> bool {
        let known = self
            .name
            .as_deref()
            .is_some_and(|name| FALSE.contains(&name));
        self.label == Label::Fp && !known
    }
}

/// Lists every class, the most frequent first. Equally frequent classes keep the order of `seen`,
/// which holds the classes of the calls that were not dropped, in the order of the cohort.
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

/// The part of a cohort that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The whole cohort.
    All,
    /// A part of the cohort. The rest may have other classes.
    Some,
}

/// The classes of a cohort, or of a part of it.
#[derive(Debug, Clone, Default)]
pub struct Labels {
    /// Classes in the order in which they are first seen.
    seen: Vec<(Option<String>, u64)>,
    /// True if any table had a column of classes.
    are_there: bool,
}

impl Labels {
    /// Makes the labels of calls that were counted.
    pub fn of(seen: Vec<(Option<String>, u64)>) -> Self {
        let are_there = seen.iter().any(|(name, _)| name.is_some());
        Self { seen, are_there }
    }

    /// Adds the classes of more calls. `are_there` says whether these calls have a column of
    /// classes.
    pub fn add(&mut self, seen: Vec<(Option<String>, u64)>, are_there: bool) {
        self.are_there |= are_there;
        for (name, calls) in seen {
            match self.seen.iter_mut().find(|(known, _)| *known == name) {
                Some((_, sum)) => *sum += calls,
                None => self.seen.push((name, calls)),
            }
        }
    }

    /// Says whether `rule` understands the classes.
    ///
    /// It does if any call is true. If no call is true, the answer depends on the part.
    ///
    /// - A part of a cohort is understood unless it has no class at all, or has a class that is
    ///   another spelling of a true one.
    /// - A whole cohort is understood only if some class says that calls are false, all other
    ///   classes are those that benchmarks write for calls that are not true, and the rule asks for
    ///   the notebook's classes.
    pub fn are_understood(&self, rule: &ClassRule, part: Part) -> bool {
        let classes = classes(self.seen.clone(), rule);
        if classes.is_empty() || classes.iter().any(|class| class.label == Label::Tp) {
            return true;
        }
        match (rule.given(), part) {
            (Some(_), part) => part == Part::Some,
            (None, _) if classes.iter().any(ClassCount::may_be_true) => false,
            (None, Part::Some) => self.are_there,
            // An unknown class may be that of the true calls.
            (None, Part::All) => {
                let is_known = |class: &ClassCount| {
                    !class.says_neither() || class.name.as_deref().is_none_or(looks_untrue)
                };
                classes.iter().any(|class| !class.says_neither()) && classes.iter().all(is_known)
            }
        }
    }

    /// Returns an error unless `rule` understands the classes of a whole cohort. Messages call the
    /// cohort `file`.
    ///
    /// # Errors
    /// Fails if the classes are not understood.
    pub fn check(&self, file: &str, rule: &ClassRule) -> Result<()> {
        if self.are_understood(rule, Part::All) {
            Ok(())
        } else {
            Err(self.error(file, rule, &[]))
        }
    }

    /// Makes the error for classes that are not understood. It lists the classes, and the arguments
    /// that would make them understood. `columns` are the columns that may be meant instead.
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

/// Picks the column that is most likely meant: one with the notebook's classes, or else the first.
fn best(columns: &[ClassColumn]) -> Option<&ClassColumn> {
    let notebooks = ClassRule::default();
    let has = |column: &&ClassColumn| {
        let mut values = column.classes.iter();
        values.any(|(value, _)| notebooks.label(value.as_deref()) == Label::Tp)
    };
    columns.iter().find(has).or(columns.first())
}

/// Proposes the choices that select a column as that of the classes.
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

/// Proposes the choice that makes these classes true.
pub fn true_classes(classes: &[&str]) -> Proposal {
    Proposal::new(Choice::TrueClass, classes.iter().copied())
}

/// Lists classes and their numbers of calls, for a message.
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
    fn labels_unknown_class_with_false_ones_is_not_understood() {
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
    fn labels_are_understood_if_any_call_is_true_or_all_are_false() {
        let rule = ClassRule::default();
        let given = ClassRule::new(None, &["tp".to_owned()]);
        // Columns: the classes; does the notebook's rule understand them as a cohort; as a part of
        // one; does `tp` as the true class.
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
    fn error_proposes_the_values_found() {
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
    fn looks_true_classifies_odd_spellings() {
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
