//! Properties of calls, beside type, size and dataset, that strata distinguish: regions, columns of the
//! table of calls, and keys of the VCF. Each has a level for every call.

mod text;

use crate::cohort::TextColumn;
use crate::error::{Choice, Error, Proposal, Result};
use crate::regions::RegionRule;

/// The kind of a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PropertyKind {
    /// Whether a call lies in a set of regions.
    Region,
    /// A column of the table of calls.
    Column,
    /// A key of INFO, or QUAL or FILTER.
    Info,
    /// A key of FORMAT, of the sample that was compared.
    Format,
}

const KINDS: [(&str, PropertyKind); 4] = [
    ("region", PropertyKind::Region),
    ("col", PropertyKind::Column),
    ("info", PropertyKind::Info),
    ("fmt", PropertyKind::Format),
];

/// The way in which values become levels.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Split {
    /// Not said: values are levels, but numbers of more than 8 values are cut at quartiles.
    /// Of regions, the rule that other tables go by.
    Auto,
    /// Every value is a level.
    Each,
    /// Numbers are cut at quantiles, so that there are so many levels of about equally many calls.
    Quantiles(u32),
    /// Numbers are cut at these, ascending, as text that parses; a level has its lower end.
    Cuts(Vec<String>),
    /// A call lies in regions by this rule; where it is known, the first digits of the regions' digest.
    Rule(RegionRule, Option<String>),
}

/// The most values that numbers may have to be levels as they are, where nothing else is said.
const MOST_VALUES: usize = 8;
/// The levels that numbers have where nothing else is said.
const QUANTILES: u32 = 4;
/// The most quantiles.
const MOST_QUANTILES: u32 = 100;

/// A property of calls whose levels are strata.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallProperty {
    /// Its kind.
    pub kind: PropertyKind,
    /// The name of the regions, the column or the key.
    pub name: String,
    /// The way in which its values become levels.
    pub split: Split,
}

impl CallProperty {
    /// The level of a call without a value.
    pub const MISSING: &'static str = "(missing)";
    /// The level of a call that lies in regions.
    pub const IN: &'static str = "in";
    /// The level of a call that does not.
    pub const OUT: &'static str = "out";

    /// Returns the kind with the name: `info:DP`. A column of this name has the values of keys in a table
    /// of a benchmark's calls.
    pub fn key(&self) -> String {
        let named = KINDS.into_iter().find(|(_, kind)| *kind == self.kind);
        format!("{}:{}", named.map_or("", |(name, _)| name), self.name)
    }

    /// Returns the name of the column that has its values.
    pub fn column(&self) -> String {
        match self.kind {
            PropertyKind::Column => self.name.clone(),
            _ => self.key(),
        }
    }

    /// Says whether the two are the same but for a split that one leaves open.
    pub fn is_open_form_of(&self, other: &Self) -> bool {
        let is_open = match (&self.split, &other.split) {
            (Split::Auto | Split::Quantiles(_), _) => true,
            (Split::Rule(rule, None), Split::Rule(of_other, Some(_))) => rule == of_other,
            _ => false,
        };
        is_open && self.kind == other.kind && self.name == other.name
    }

    /// Returns the property with cuts in place of quantiles, from the values of a whole cohort.
    #[must_use]
    pub fn resolved(&self, values: &TextColumn) -> Self {
        let split = match self.split {
            Split::Auto if has_many_numbers(values) => quantiles(values, QUANTILES),
            Split::Quantiles(count) => quantiles(values, count),
            ref split => split.clone(),
        };
        Self {
            split,
            ..self.clone()
        }
    }

    /// Returns the level of each call. `file` is the name, in messages, of what has the values.
    ///
    /// # Errors
    /// Numbers that have to be cut, where it is not said at what; a value that is no number where numbers
    /// are cut.
    pub fn levels(&self, values: &TextColumn, file: &str) -> Result<TextColumn> {
        let cuts = match &self.split {
            Split::Quantiles(_) => return Err(self.needs_cuts(values, file)),
            Split::Auto if has_many_numbers(values) => return Err(self.needs_cuts(values, file)),
            Split::Cuts(cuts) => cuts,
            Split::Auto | Split::Each | Split::Rule(..) => {
                let mut levels = TextColumn::default();
                for row in 0..values.len() {
                    levels.push(Some(values.get(row).unwrap_or(Self::MISSING)));
                }
                return Ok(levels);
            }
        };
        let names = names(cuts);
        let cuts: Vec<f64> = cuts.iter().filter_map(|cut| cut.parse().ok()).collect();
        let mut levels = TextColumn::default();
        for row in 0..values.len() {
            let level = match values.get(row).map(|text| (text, number(text))) {
                None => Some(Self::MISSING),
                Some((_, Some(x))) if x.is_nan() => Some(Self::MISSING),
                Some((_, Some(x))) => {
                    let at = cuts.partition_point(|&cut| cut <= x);
                    names.get(at).map(String::as_str)
                }
                Some((text, None)) => return Err(self.no_number(row, text, file)),
            };
            levels.push(level);
        }
        Ok(levels)
    }

    /// Checks that all values are numbers, so that atoms can be compared with them.
    ///
    /// # Errors
    /// A value that is no number.
    pub fn check_numbers(&self, values: &TextColumn, file: &str) -> Result<()> {
        let text = |row: &usize| values.get(*row).is_some_and(|text| number(text).is_none());
        let Some(row) = (0..values.len()).find(text) else {
            return Ok(());
        };
        let (key, found) = (self.key(), values.get(row).unwrap_or_default());
        Err(Error::input(
            file,
            format!("{key} of row {row}, counted from 0"),
            format!("{found:?}"),
            "a number, as medians and ranks are described",
            format!("leave {key} out, and stratify by it instead"),
        )
        .proposing([Proposal::of(Choice::Strata)]))
    }

    fn needs_cuts(&self, values: &TextColumn, file: &str) -> Error {
        let key = self.key();
        Error::input(
            file,
            &key,
            format!("{} values, which are numbers", values.values().len()),
            "cuts, as quantiles are known of a whole cohort in one file only",
            format!("say where to cut, as {key}@10:30, or {key}@each"),
        )
        .proposing([Proposal::of(Choice::Strata)])
    }

    fn no_number(&self, row: usize, text: &str, file: &str) -> Error {
        let key = self.key();
        Error::input(
            file,
            format!("{key} of row {row}, counted from 0"),
            format!("{text:?}"),
            "a number, as the strata are cut at numbers",
            format!("leave the cuts out, as {key}@each"),
        )
        .proposing([Proposal::of(Choice::Strata)])
    }
}

/// Reads a number; NaN is one that is not finite.
fn number(text: &str) -> Option<f64> {
    let x: f64 = text.trim().parse().ok()?;
    Some(if x.is_finite() { x } else { f64::NAN })
}

/// Says whether all values are numbers, and more than can each be a level.
fn has_many_numbers(values: &TextColumn) -> bool {
    let used = || values.values().iter();
    used().len() > MOST_VALUES && used().all(|text| number(text).is_some())
}

/// Cuts numbers at quantiles. The j-th of q levels begins with the number at the rank j·n/q, from 0, of n
/// ascending numbers; cuts that would leave a level empty are left out.
fn quantiles(values: &TextColumn, count: u32) -> Split {
    let numbers = (0..values.len()).filter_map(|row| number(values.get(row)?));
    let mut numbers: Vec<f64> = numbers.filter(|x| !x.is_nan()).collect();
    numbers.sort_by(f64::total_cmp);
    let at =
        |j: u32| numbers.get((u64::from(j) * numbers.len() as u64 / u64::from(count)) as usize);
    let mut cuts: Vec<f64> = (1..count).filter_map(at).copied().collect();
    cuts.dedup();
    cuts.retain(|cut| numbers.first().is_some_and(|first| first < cut));
    if cuts.is_empty() {
        return Split::Each;
    }
    Split::Cuts(cuts.iter().map(f64::to_string).collect())
}

/// Names the levels between cuts.
fn names(cuts: &[String]) -> Vec<String> {
    let (Some(first), Some(last)) = (cuts.first(), cuts.last()) else {
        return Vec::new();
    };
    let between = cuts.windows(2).filter_map(|pair| match pair {
        [from, to] => Some(format!("[{from},{to})")),
        _ => None,
    });
    let mut names = vec![format!("<{first}")];
    names.extend(between);
    names.push(format!(">={last}"));
    names
}

#[cfg(test)]
mod tests {
    use super::{CallProperty, Split};
    use crate::cohort::TextColumn;

    fn column(values: &[&str]) -> TextColumn {
        let mut column = TextColumn::default();
        for value in values {
            column.push((*value != "-").then_some(value));
        }
        column
    }

    fn levels(property: &str, values: &[&str]) -> Vec<String> {
        let property: CallProperty = property.parse().expect("a property");
        let levels = property.levels(&column(values), "a file").expect("levels");
        (0..levels.len())
            .map(|row| levels.get(row).expect("a level").to_owned())
            .collect()
    }

    #[test]
    fn property_roundtrips_through_its_text() {
        for text in [
            "region:TR",
            "region:TR@any",
            "region:TR@both-ends/0123abcd",
            "col:caller",
            "col:a@b@each",
            "info:DP@q4",
            "fmt:GT",
            "info:DP@10:30",
            "info:AF@-0.5:0.25:1000000",
        ] {
            let property: CallProperty = text.parse().expect("a property");
            assert_eq!(property.to_string(), text);
        }
        for wrong in [
            "",
            "DP",
            "info:",
            "INFO:DP",
            "info:DP@30:10",
            "info:DP@",
            "info:DP@x",
            "info:DP@q1",
            "info:DP@10:10",
            "info:DP@nan",
            "region:TR@10",
        ] {
            assert!(wrong.parse::<CallProperty>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn levels_hold_their_lower_end() {
        let values = ["9.99", "10", "29", "30", "1e9", "-", "nan", "-4"];
        let expected = [
            "<10",
            "[10,30)",
            "[10,30)",
            ">=30",
            ">=30",
            "(missing)",
            "(missing)",
            "<10",
        ];
        assert_eq!(levels("info:DP@10:30", &values), expected);
        assert_eq!(
            levels("fmt:GT", &["0/1", "-", "1/1"]),
            ["0/1", "(missing)", "1/1"]
        );
        let property: CallProperty = "info:DP@10".parse().expect("a property");
        let error = property
            .levels(&column(&["3", "lots"]), "a file")
            .expect_err("no number");
        assert!(error.to_string().contains("row 1") && error.to_string().contains("lots"));
    }

    #[test]
    fn many_numbers_are_cut_at_quartiles_of_the_cohort_alone() {
        let numbers: Vec<String> = (0..100).map(|n| n.to_string()).collect();
        let values: Vec<&str> = numbers.iter().map(String::as_str).chain(["-"]).collect();
        let open: CallProperty = "info:DP".parse().expect("a property");
        let error = open
            .levels(&column(&values), "a file")
            .expect_err("needs cuts");
        assert!(error.to_string().contains("info:DP@10:30"), "{error}");
        let resolved = open.resolved(&column(&values));
        assert_eq!(resolved.to_string(), "info:DP@25:50:75");
        assert!(open.is_open_form_of(&resolved) && !resolved.is_open_form_of(&open));
        let found = levels(&resolved.to_string(), &values);
        for level in ["<25", "[25,50)", "[50,75)", ">=75"] {
            assert_eq!(
                found.iter().filter(|name| *name == level).count(),
                25,
                "{level}"
            );
        }
        // Few values, and texts, are levels as they are; ties leave no level empty.
        assert_eq!(open.resolved(&column(&["1", "2", "1"])).split, Split::Auto);
        assert_eq!(open.resolved(&column(&["a", "b"])).split, Split::Auto);
        let tied: CallProperty = "info:DP@q4".parse().expect("a property");
        assert_eq!(
            tied.resolved(&column(&["1", "1", "1", "5"])).to_string(),
            "info:DP@5"
        );
        assert_eq!(tied.resolved(&column(&["1", "1"])).split, Split::Each);
    }
}
