//! What the benchmark's classes are, and which of them say neither true nor false.

use serde::Serialize;

use crate::cohort::Label;

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

/// Every class, the most frequent first; equally frequent ones in the order of `seen`, the classes
/// of the calls that were not dropped as the cohort shows them.
pub fn classes(seen: Vec<(Option<String>, u64)>) -> Vec<ClassCount> {
    let class = |(name, calls): (Option<String>, u64)| ClassCount {
        label: Label::of_class(name.as_deref()),
        name,
        calls,
    };
    let mut classes: Vec<_> = seen.into_iter().map(class).collect();
    classes.sort_by_key(|class| std::cmp::Reverse(class.calls));
    classes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_classes_are_told_apart() {
        let seen = [
            (Some("TP"), 1),
            (None, 1),
            (Some("FP"), 1),
            (Some("fn"), 3),
            (Some("tp_comp_vcf"), 1),
        ];
        let found = classes(seen.map(|(name, n)| (name.map(str::to_owned), n)).to_vec());
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
