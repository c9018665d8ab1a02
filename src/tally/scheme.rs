//! The properties of calls, beside the label, that strata distinguish.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::property::CallProperty;

/// The confounders that a cohort is stratified by: any of a call's type, size and dataset, and of other
/// properties.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StratifyBy {
    /// True if strata distinguish SV types.
    pub svtype: bool,
    /// True if strata distinguish Truvari's bins of the size.
    pub size: bool,
    /// True if strata distinguish datasets: sample, caller.
    pub dataset: bool,
    /// Other properties that strata distinguish.
    pub properties: BTreeSet<CallProperty>,
}

impl StratifyBy {
    /// The most other properties.
    pub const MOST_PROPERTIES: usize = 8;

    /// Type, size and dataset.
    pub const ALL: Self = Self {
        svtype: true,
        size: true,
        dataset: true,
        properties: BTreeSet::new(),
    };

    /// The type alone, which the notebook's tables need: the least that is counted.
    pub const TYPE: Self = Self {
        svtype: true,
        size: false,
        dataset: false,
        properties: BTreeSet::new(),
    };

    /// No confounder: all calls are one stratum.
    pub const NONE: Self = Self {
        svtype: false,
        size: false,
        dataset: false,
        properties: BTreeSet::new(),
    };

    /// Returns the scheme of all confounders that either has.
    #[must_use]
    pub fn union(mut self, other: Self) -> Self {
        self.properties.extend(other.properties);
        Self {
            svtype: self.svtype || other.svtype,
            size: self.size || other.size,
            dataset: self.dataset || other.dataset,
            properties: self.properties,
        }
    }

    /// Says whether `finer` has all confounders of this scheme.
    pub fn is_within(&self, finer: &Self) -> bool {
        self.clone().union(finer.clone()) == *finer
    }

    /// Returns the scheme with the splits of `finer` where this one leaves them open.
    #[must_use]
    pub fn as_in(&self, finer: &Self) -> Self {
        let known = |property: &CallProperty| {
            let mut forms = finer.properties.iter();
            let form = forms.find(|form| property.is_open_form_of(form));
            form.unwrap_or(property).clone()
        };
        Self {
            properties: self.properties.iter().map(known).collect(),
            ..self.clone()
        }
    }

    fn names(&self) -> impl Iterator<Item = &'static str> {
        let named = [
            (self.svtype, "svtype"),
            (self.size, "size"),
            (self.dataset, "dataset"),
        ];
        named
            .into_iter()
            .filter_map(|(is, name)| is.then_some(name))
    }
}

impl Default for StratifyBy {
    fn default() -> Self {
        Self::ALL
    }
}

impl fmt::Display for StratifyBy {
    /// Writes the scheme as `--strata` takes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names: Vec<String> = self.names().map(str::to_owned).collect();
        names.extend(self.properties.iter().map(CallProperty::to_string));
        f.write_str(if names.is_empty() { "none" } else { "" })?;
        f.write_str(&names.join(","))
    }
}

impl FromStr for StratifyBy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.trim() == "none" {
            return Ok(Self::NONE);
        }
        let mut scheme = Self::NONE;
        for name in text.split(',') {
            match name.trim() {
                "svtype" => scheme.svtype = true,
                "size" => scheme.size = true,
                "dataset" => scheme.dataset = true,
                other if other.contains(':') => {
                    let property: CallProperty = other.parse()?;
                    let is_same = |known: &CallProperty| known.key() == property.key();
                    if scheme.properties.iter().any(is_same) {
                        return Err(format!("{other:?}: {} twice", property.key()));
                    }
                    scheme.properties.insert(property);
                }
                other => {
                    return Err(format!(
                        "{other:?}: expected some of svtype, size, dataset, region:NAME, col:NAME, \
                         info:KEY and fmt:KEY with commas between them, or none"
                    ));
                }
            }
        }
        if scheme.properties.len() > Self::MOST_PROPERTIES {
            let found = scheme.properties.len();
            return Err(format!(
                "{found} regions, columns and keys: expected at most {}",
                Self::MOST_PROPERTIES
            ));
        }
        Ok(scheme)
    }
}

impl serde::Serialize for StratifyBy {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// A range of sizes, |svlen| in base pairs: Truvari's bins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SizeBin(u8);

impl SizeBin {
    /// The bins' names, as Truvari writes them (`truvari.SZBINS`), and one for a size that is not a
    /// number.
    pub const NAMES: [&'static str; 12] = [
        "[0,50)",
        "[50,100)",
        "[100,200)",
        "[200,300)",
        "[300,400)",
        "[400,600)",
        "[600,800)",
        "[800,1k)",
        "[1k,2.5k)",
        "[2.5k,5k)",
        ">=5k",
        "unknown",
    ];

    /// The end of each bin but the last two.
    const ENDS: [f64; 10] = [
        50.0, 100.0, 200.0, 300.0, 400.0, 600.0, 800.0, 1000.0, 2500.0, 5000.0,
    ];

    /// Returns the bin of a call's SVLEN, whatever its sign. A missing SVLEN is 0, as everywhere.
    pub fn of(svlen: f64) -> Self {
        if svlen.is_nan() {
            return Self(Self::NAMES.len() as u8 - 1);
        }
        Self(Self::ENDS.partition_point(|&end| end <= svlen.abs()) as u8)
    }

    /// Returns the bin's name.
    pub fn name(self) -> &'static str {
        Self::NAMES[usize::from(self.0)]
    }

    /// Finds the bin of that name.
    pub fn named(name: &str) -> Option<Self> {
        let place = Self::NAMES.iter().position(|known| *known == name)?;
        Some(Self(place as u8))
    }
}

#[cfg(test)]
mod tests {
    use super::{SizeBin, StratifyBy};

    #[test]
    fn size_bin_matches_truvari() {
        for (svlen, name) in [
            (0.0, "[0,50)"),
            (-49.0, "[0,50)"),
            (50.0, "[50,100)"),
            (-99.5, "[50,100)"),
            (999.0, "[800,1k)"),
            (1000.0, "[1k,2.5k)"),
            (4999.0, "[2.5k,5k)"),
            (5000.0, ">=5k"),
            (f64::NEG_INFINITY, ">=5k"),
            (f64::NAN, "unknown"),
        ] {
            let bin = SizeBin::of(svlen);
            assert_eq!(bin.name(), name, "{svlen}");
            assert_eq!(SizeBin::named(name), Some(bin));
        }
        assert_eq!(SizeBin::named("[0,51)"), None);
    }

    #[test]
    fn stratify_by_roundtrips_through_its_text() {
        for text in [
            "none",
            "svtype",
            "size",
            "svtype,size",
            "svtype,size,dataset",
        ] {
            let scheme: StratifyBy = text.parse().expect("a scheme");
            assert_eq!(scheme.to_string(), text);
            let is_within = scheme.is_within(&StratifyBy::ALL);
            assert!(is_within && StratifyBy::NONE.is_within(&scheme));
        }
        assert_eq!(
            "dataset, size".parse::<StratifyBy>().map(|s| s.to_string()),
            Ok("size,dataset".to_owned())
        );
        assert!(!StratifyBy::ALL.is_within(&StratifyBy::TYPE));
        let open: StratifyBy = "svtype,info:DP,col:caller".parse().expect("a scheme");
        let finer: StratifyBy = "svtype,size,info:DP@10:30,col:caller"
            .parse()
            .expect("a scheme");
        assert_eq!(open.to_string(), "svtype,col:caller,info:DP");
        assert!(!open.is_within(&finer) && open.as_in(&finer).is_within(&finer));
        for wrong in [
            "",
            "svtype,",
            "chrom",
            "none,size",
            "info:DP,info:DP@10",
            "x:y",
        ] {
            assert!(wrong.parse::<StratifyBy>().is_err(), "{wrong}");
        }
    }
}
