//! Keys of the records whose values are kept beside the calls: strata and descriptions are made of them.

use std::fmt;
use std::str::FromStr;

use crate::cohort::TextColumn;
use crate::error::{Error, Result};
use crate::read::vcf::{Header, Record};

/// A key of INFO or FORMAT.
///
/// ```
/// use atomscope::read::benchmark::KeptKey;
///
/// let key: KeptKey = "info:DP".parse().expect("a key");
/// assert_eq!(key.to_string(), "info:DP");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptKey {
    /// True of a key of FORMAT, whose value is the sample's.
    pub is_of_sample: bool,
    /// The key. `QUAL` and `FILTER` are these columns, unless INFO has a key of that name.
    pub name: String,
}

impl fmt::Display for KeptKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_of_sample { "fmt" } else { "info" };
        write!(f, "{kind}:{}", self.name)
    }
}

impl FromStr for KeptKey {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let (is_of_sample, name) = match text.split_once(':') {
            Some(("info", name)) if !name.is_empty() => (false, name),
            Some(("fmt", name)) if !name.is_empty() => (true, name),
            _ => return Err(format!("{text:?}: expected info:KEY or fmt:KEY")),
        };
        let name = name.to_owned();
        Ok(Self { is_of_sample, name })
    }
}

/// Where a key's value stands in the records of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Info,
    /// A flag: it is there, or not.
    Flag,
    Quality,
    Filter,
    Sample,
}

/// The keys as one file has them.
pub(super) struct OfFile<'k> {
    keys: &'k [KeptKey],
    at: Vec<At>,
    /// True for each key that the header defines, or a record has.
    pub(super) is_known: Vec<bool>,
}

impl<'k> OfFile<'k> {
    pub(super) fn new(keys: &'k [KeptKey], header: &Header) -> Self {
        let at = |key: &KeptKey| {
            if key.is_of_sample {
                return (At::Sample, header.has_format(&key.name));
            }
            let defined = header.info.iter().find(|known| known.id == key.name);
            match (defined, key.name.as_str()) {
                (Some(key), _) if key.kind == "Flag" || key.number == "0" => (At::Flag, true),
                (Some(_), _) => (At::Info, true),
                (None, "QUAL") => (At::Quality, true),
                (None, "FILTER") => (At::Filter, true),
                (None, _) => (At::Info, false),
            }
        };
        let (at, is_known) = keys.iter().map(at).unzip();
        Self { keys, at, is_known }
    }

    /// Returns the value of each key in a record; `None` where it is missing.
    pub(super) fn values(
        &mut self,
        record: &Record<'_>,
        sample: Option<usize>,
    ) -> Box<[Option<Box<str>>]> {
        let each = self.keys.iter().zip(&self.at).zip(&mut self.is_known);
        let value = |((key, at), is_known): ((&KeptKey, &At), &mut bool)| {
            let value = match at {
                At::Flag => {
                    let is_there = record.info_value(&key.name).is_some();
                    return Some(if is_there { "yes" } else { "no" }.into());
                }
                // A flag that the header does not define has no value.
                At::Info => record.info_value(&key.name).map(|value| match value {
                    b"" => &b"yes"[..],
                    value => value,
                }),
                At::Quality => Some(record.qual()),
                At::Filter => Some(record.filter()),
                At::Sample => sample.and_then(|sample| record.sample_value(sample, &key.name)),
            };
            *is_known |= value.is_some();
            let value = value.filter(|value| !matches!(*value, b"" | b"."));
            value.map(|value| String::from_utf8_lossy(value).into())
        };
        each.map(value).collect()
    }
}

/// Makes an empty column for each key.
pub(super) fn columns(keys: &[KeptKey]) -> Vec<(String, TextColumn)> {
    let column = |key: &KeptKey| (key.to_string(), TextColumn::default());
    keys.iter().map(column).collect()
}

/// The error of a key that no header defines and no record has.
pub(super) fn unknown(key: &KeptKey, files: &str) -> Error {
    let (place, what) = if key.is_of_sample {
        ("FORMAT", "a key of the sample")
    } else {
        ("INFO", "a key of the records, QUAL or FILTER")
    };
    Error::input(
        files,
        place,
        format!("no {}", key.name),
        what,
        "name a key that is there, in its own case",
    )
}

/// Checks that every key is known in some file.
pub(super) fn check(keys: &[KeptKey], is_known: &[bool], files: &str) -> Result<()> {
    let mut each = keys.iter().zip(is_known);
    match each.find(|(_, is_known)| !**is_known) {
        Some((key, _)) => Err(unknown(key, files)),
        None => Ok(()),
    }
}
