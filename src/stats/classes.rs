//! What the benchmark's classes are, and which of them say neither true nor false.

use serde::Serialize;

use crate::cohort::{Calls, Label};
use crate::fires::FiringSets;

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

/// Every class, the most frequent first; equally frequent ones in the order of the calls.
pub fn classes(calls: &Calls, sets: &FiringSets) -> Vec<ClassCount> {
    let counts = calls.truvari_class.counts(sets.iter().map(|(row, _)| row));
    let mut classes: Vec<_> = counts
        .into_iter()
        .map(|(name, calls)| ClassCount {
            name: name.map(str::to_owned),
            label: Label::of_class(name),
            calls,
        })
        .collect();
    classes.sort_by_key(|class| std::cmp::Reverse(class.calls));
    classes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cohort::Call;

    #[test]
    fn classes_are_counted_over_kept_calls_and_odd_ones_told_apart() {
        let named = [
            Some("TP"),
            None,
            Some("fn"),
            Some("FP"),
            Some("fn"),
            Some("tp_comp_vcf"),
        ];
        let calls: Calls = named
            .map(|truvari_class| Call {
                truvari_class,
                ..Call::default()
            })
            .into_iter()
            .collect();
        let sets = FiringSets::new(1, vec![0; 5], vec![2]);
        let found = classes(&calls, &sets);
        let told: Vec<_> = found
            .iter()
            .map(|c| (c.name.as_deref(), c.calls, c.says_neither()))
            .collect();
        let expected = [
            (Some("TP"), 1, false),
            (None, 1, true),
            (Some("FP"), 1, false),
            (Some("fn"), 1, true),
            (Some("tp_comp_vcf"), 1, false),
        ];
        assert_eq!(told, expected);
    }
}
