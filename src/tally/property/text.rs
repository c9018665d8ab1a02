//! A property as `--strata` takes it.

use std::fmt;
use std::str::FromStr;

use super::{CallProperty, KINDS, MOST_QUANTILES, PropertyKind, Split, number};

impl fmt::Display for CallProperty {
    /// Writes the property as `--strata` takes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key())?;
        match &self.split {
            Split::Auto => Ok(()),
            Split::Each => f.write_str("@each"),
            Split::Quantiles(count) => write!(f, "@q{count}"),
            Split::Cuts(cuts) => write!(f, "@{}", cuts.join(":")),
            Split::Rule(rule, None) => write!(f, "@{rule}"),
            Split::Rule(rule, Some(digest)) => write!(f, "@{rule}/{digest}"),
        }
    }
}

impl FromStr for CallProperty {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let known = KINDS.into_iter().find_map(|(name, kind)| {
            let rest = text.strip_prefix(name)?.strip_prefix(':')?;
            Some((kind, rest))
        });
        let (kind, rest) = known.filter(|(_, rest)| !rest.is_empty()).ok_or_else(|| {
            format!("{text:?}: expected region:NAME, col:NAME, info:KEY or fmt:KEY")
        })?;
        let (name, split) = match rest.rsplit_once('@') {
            Some((name, split)) if !name.is_empty() => (name, split_of(kind, split)?),
            _ => (rest, Split::Auto),
        };
        let name = name.to_owned();
        Ok(Self { kind, name, split })
    }
}

fn split_of(kind: PropertyKind, text: &str) -> std::result::Result<Split, String> {
    if kind == PropertyKind::Region {
        let (rule, digest) = match text.split_once('/') {
            Some((rule, digest)) => (rule, Some(digest.to_owned())),
            None => (text, None),
        };
        return Ok(Split::Rule(rule.parse()?, digest));
    }
    if text == "each" {
        return Ok(Split::Each);
    }
    let count = text.strip_prefix('q').and_then(|count| count.parse().ok());
    if let Some(count) = count.filter(|count| (2..=MOST_QUANTILES).contains(count)) {
        return Ok(Split::Quantiles(count));
    }
    let cut = |cut| number(cut).filter(|cut| !cut.is_nan());
    let cuts: Option<Vec<f64>> = text.split(':').map(cut).collect();
    let cuts = cuts.filter(|cuts| cuts.is_sorted_by(|a, b| a < b));
    cuts.map(|cuts| Split::Cuts(cuts.iter().map(f64::to_string).collect()))
        .ok_or_else(|| {
            format!(
                "{text:?} after @: expected ascending cuts (10:30), each, or quantiles (q2 to \
                 q{MOST_QUANTILES})"
            )
        })
}
