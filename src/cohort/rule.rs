//! The column of the truth benchmark's classes, and the values of it that are true calls.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Label;

/// The column of classes, and the values of it that count as true.
///
/// By default these are the notebook's: in the column `truvari_class`, exactly `TP` and
/// `tp_comp_vcf` are true. Every other value, and a missing one, is false under every rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Text", into = "Text")]
pub struct ClassRule {
    /// The column, `None` for the notebook's.
    column: Option<Arc<str>>,
    /// The true values, ascending and distinct; `None` for the notebook's.
    true_classes: Option<Arc<[String]>>,
}

impl ClassRule {
    /// The notebook's column.
    pub const COLUMN: &'static str = "truvari_class";

    /// The values that the notebook counts as true.
    pub const TRUE: [&'static str; 2] = ["TP", "tp_comp_vcf"];

    /// Makes a rule of this column and these values. `None` and no values stand for the notebook's.
    /// A rule that equals the notebook's rule becomes the notebook's rule.
    pub fn new(column: Option<&str>, true_classes: &[String]) -> Self {
        let mut classes = true_classes.to_vec();
        classes.sort_unstable();
        classes.dedup();
        let is_given = !classes.is_empty() && classes != Self::TRUE;
        Self {
            column: column.filter(|name| *name != Self::COLUMN).map(Arc::from),
            true_classes: is_given.then(|| classes.into()),
        }
    }

    /// Returns the name of the column, or of the key in `sv_info`.
    pub fn column(&self) -> &str {
        self.column.as_deref().unwrap_or(Self::COLUMN)
    }

    /// Returns the values that are true calls, if they were given.
    pub fn given(&self) -> Option<&[String]> {
        self.true_classes.as_deref()
    }

    /// Returns the values that are true calls, ascending.
    pub fn true_classes(&self) -> Vec<&str> {
        match &self.true_classes {
            Some(classes) => classes.iter().map(String::as_str).collect(),
            None => Self::TRUE.to_vec(),
        }
    }

    /// Says whether the rule is the notebook's.
    pub fn is_notebooks(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the label of a call of this class.
    pub fn label(&self, class: Option<&str>) -> Label {
        let Some(classes) = &self.true_classes else {
            return Label::of_class(class);
        };
        match class {
            Some(class) if classes.iter().any(|known| known == class) => Label::Tp,
            _ => Label::Fp,
        }
    }
}

impl fmt::Display for ClassRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let classes = self.true_classes();
        let classes: Vec<_> = classes.iter().map(|class| format!("{class:?}")).collect();
        write!(f, "{} of {}", self.column(), classes.join(", "))
    }
}

/// A rule as it stands in a file's header and in run.json.
#[derive(Serialize, Deserialize)]
struct Text {
    column: String,
    true_classes: Vec<String>,
}

impl From<ClassRule> for Text {
    fn from(rule: ClassRule) -> Self {
        Self {
            column: rule.column().to_owned(),
            true_classes: rule.true_classes().into_iter().map(str::to_owned).collect(),
        }
    }
}

impl TryFrom<Text> for ClassRule {
    type Error = &'static str;

    fn try_from(text: Text) -> Result<Self, Self::Error> {
        if text.true_classes.is_empty() {
            return Err("no class that is true");
        }
        Ok(Self::new(Some(&text.column), &text.true_classes))
    }
}

/// A column that may hold the truth benchmark's classes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassColumn {
    /// The column's name.
    pub name: String,
    /// The values and their numbers of calls, the most frequent first.
    pub classes: Vec<(Option<String>, u64)>,
}

/// Says whether a class is a common name for a true call, in any spelling.
pub fn looks_true(class: &str) -> bool {
    const TRUE: [&str; 13] = [
        "tp",
        "tp_comp_vcf",
        "tp_comp",
        "tp_call",
        "tp_call_vcf",
        "tpcomp",
        "true",
        "true_positive",
        "true_positives",
        "truepositive",
        "yes",
        "1",
        "1.0",
    ];
    TRUE.contains(&&*plain(class))
}

/// Says whether a class is a truth benchmark's name for a call that is not true.
pub fn looks_untrue(class: &str) -> bool {
    const UNTRUE: [&str; 20] = [
        "fp",
        "fp_vcf",
        "fp_comp_vcf",
        "fp_comp",
        "fp_call",
        "fpcomp",
        "false",
        "false_positive",
        "false_positives",
        "falsepositive",
        "no",
        "0",
        "0.0",
        "fn",
        "fn_vcf",
        "false_negative",
        "tp_base_vcf",
        "tp_base",
        "tpbase",
        "none",
    ];
    UNTRUE.contains(&&*plain(class))
}

fn plain(class: &str) -> String {
    class.trim().to_ascii_lowercase().replace(['-', ' '], "_")
}

#[cfg(test)]
mod tests {
    use super::{ClassRule, looks_true, looks_untrue};
    use crate::cohort::Label;

    fn rule(column: Option<&str>, classes: &[&str]) -> ClassRule {
        let classes: Vec<_> = classes.iter().map(|&class| class.to_owned()).collect();
        ClassRule::new(column, &classes)
    }

    #[test]
    fn rule_equal_to_the_notebooks_becomes_the_notebooks() {
        assert!(rule(Some("truvari_class"), &["tp_comp_vcf", "TP", "TP"]).is_notebooks());
        assert!(!rule(Some("state"), &[]).is_notebooks());
        assert!(!rule(None, &["TP"]).is_notebooks());
        assert_eq!(rule(None, &["b", "a", "b"]), rule(None, &["a", "b"]));
    }

    #[test]
    fn rule_matches_given_classes_by_exact_spelling() {
        let rule = rule(None, &["tp", "True"]);
        for (class, label) in [
            (Some("tp"), Label::Tp),
            (Some("True"), Label::Tp),
            (Some("TP"), Label::Fp),
            (Some("tp "), Label::Fp),
            (None, Label::Fp),
        ] {
            assert_eq!(rule.label(class), label, "{class:?}");
        }
    }

    #[test]
    fn rule_roundtrips_through_its_text() {
        for rule in [
            rule(None, &[]),
            rule(Some("state"), &["tp", "a,b\n"]),
            rule(Some("is tp"), &[]),
        ] {
            let text = serde_json::to_string(&rule).unwrap();
            assert_eq!(serde_json::from_str::<ClassRule>(&text).unwrap(), rule);
        }
        let none = r#"{"column":"a","true_classes":[]}"#;
        assert!(serde_json::from_str::<ClassRule>(none).is_err());
    }

    #[test]
    fn looks_true_and_looks_untrue_exclude_each_other() {
        for class in [
            "tp",
            "TP ",
            "Tp",
            "true",
            "TRUE",
            "1",
            "TP-comp",
            "True positive",
        ] {
            assert!(looks_true(class) && !looks_untrue(class), "{class}");
        }
        for class in ["fp", "False", "0", "fn", "tpbase", "TP-base", "None"] {
            assert!(!looks_true(class) && looks_untrue(class), "{class}");
        }
        for class in ["", "PASS", "10", "tp?", "chr1"] {
            assert!(!looks_true(class) && !looks_untrue(class), "{class}");
        }
    }
}
