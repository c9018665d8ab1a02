//! The arguments that say by which properties calls are told apart, and which quantities are described.

use clap::Args;

use crate::error::Error;
use crate::read::benchmark::KeptKey;
use crate::tally::{CallProperty, PropertyKind, Split, StratifyBy};

/// What calls are told apart by as they are counted.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Statistics")]
pub(in crate::cli) struct StrataArgs {
    /// What calls are stratified by: some of svtype, size (Truvari's bins), dataset, region:NAME, col:NAME,
    /// info:KEY and fmt:KEY, with commas between them, or none
    ///
    /// region:NAME is in or outside a set of --regions; col:NAME a column of the table of calls; info:KEY
    /// and fmt:KEY a key of the records of --calls (also info:QUAL and info:FILTER). Values are levels;
    /// more than 8 numbers are cut at quartiles. @10:30 cuts at 10 and 30, @q3 at terciles, @each nowhere:
    /// svtype,info:DP@10:30. Parts of a cohort need cuts. region:NAME@any takes another rule
    #[arg(long, value_name = "LIST", default_value_t = StratifyBy::ALL)]
    pub(in crate::cli) strata: StratifyBy,

    /// Compare atoms with these quantities of the calls too: col:NAME, info:KEY (also info:QUAL) and
    /// fmt:KEY, with commas between them
    ///
    /// Makes atom_values.parquet, which needs firing sets: how a quantity's median and ranks differ where
    /// an atom fires. Values must be numbers, or missing
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = parse_quantity)]
    pub(in crate::cli) describe: Vec<CallProperty>,
}

/// Reads a quantity.
fn parse_quantity(text: &str) -> Result<CallProperty, String> {
    let property: CallProperty = text.trim().parse()?;
    match (property.kind, &property.split) {
        (PropertyKind::Region, _) => Err("expected col:NAME, info:KEY or fmt:KEY".to_owned()),
        (_, Split::Auto) => Ok(property),
        _ => Err(format!("expected {} without cuts", property.key())),
    }
}

impl StrataArgs {
    /// Checks that quantities are few, and each is there once.
    ///
    /// # Errors
    /// Too many, or one twice.
    pub(in crate::cli) fn check(&self) -> crate::error::Result<()> {
        let mut seen = std::collections::BTreeSet::new();
        let twice = self.describe.iter().find(|one| !seen.insert(one.key()));
        let most = StratifyBy::MOST_PROPERTIES;
        let (found, expected) = match twice {
            Some(twice) => (format!("{} twice", twice.key()), "each once".to_owned()),
            None if self.describe.len() > most => {
                let found = format!("{} quantities", self.describe.len());
                (found, format!("at most {most}"))
            }
            None => return Ok(()),
        };
        Err(Error::Argument {
            name: "--describe",
            found,
            expected,
        })
    }

    /// The keys of a benchmark's records that strata distinguish, or that are described.
    pub(in crate::cli) fn keys(&self) -> Vec<KeptKey> {
        let properties = self.strata.properties.iter().chain(&self.describe);
        let mut keys: Vec<KeptKey> = Vec::new();
        for key in properties.filter_map(|property| property.key().parse().ok()) {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys
    }
}
