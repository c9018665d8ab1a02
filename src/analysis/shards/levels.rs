//! The levels of properties by which calls are stratified: regions, columns and keys.

use super::content::Content;
use super::inputs::ShardInput;
use super::plan::Plan;
use crate::cohort::{Calls, ClassRule, TextColumn};
use crate::error::{Choice, Error, Proposal, Result};
use crate::read::Cohort;
use crate::regions::RegionRule;
use crate::stats::evidence::regions::lies_in;
use crate::tally::{CallProperty, PropertyKind, Split, StratifyBy};

impl Plan<'_> {
    /// Returns the scheme as rows are counted by it: with the rule of regions, and, of a cohort in one file
    /// that is counted as a whole, with cuts in place of quantiles.
    ///
    /// # Errors
    /// Regions and columns that are not there; those of reading.
    pub fn resolved_strata(&self, is_whole: bool) -> Result<StratifyBy> {
        let mut scheme = self.options.stratify_by.clone();
        let mut resolved = std::collections::BTreeSet::new();
        for property in scheme.properties {
            resolved.insert(self.resolved(property, is_whole)?);
        }
        scheme.properties = resolved;
        Ok(scheme)
    }

    fn resolved(&self, property: CallProperty, is_whole: bool) -> Result<CallProperty> {
        let is_open = matches!(property.split, Split::Auto | Split::Quantiles(_));
        match (property.kind, self.inputs) {
            (PropertyKind::Region, _) => {
                let rule = self.rule(&property)?;
                let split = Split::Rule(rule, self.digest(&property));
                Ok(CallProperty { split, ..property })
            }
            (_, [input]) if is_whole && is_open => {
                Ok(property.resolved(&self.column(&property, input)?))
            }
            _ => Ok(property),
        }
    }

    /// Returns the rule by which calls lie in the regions of a property, which must be there.
    fn rule(&self, property: &CallProperty) -> Result<RegionRule> {
        let regions = self.options.regions.as_deref();
        let sets = regions.map(|regions| &regions.sets[..]).unwrap_or_default();
        if !sets.iter().any(|set| set.name == property.name) {
            const SHOWN: usize = 8;
            let names: Vec<&str> = sets.iter().take(SHOWN).map(|set| &*set.name).collect();
            let expected = if names.is_empty() {
                "regions of that name: give the file that has them".to_owned()
            } else {
                let more = if sets.len() > SHOWN { ", …" } else { "" };
                format!("one of the sets of regions: {}{more}", names.join(", "))
            };
            return Err(Error::choice(Choice::Strata, property.key(), expected));
        }
        match (&property.split, regions) {
            (Split::Rule(rule, _), _) => Ok(*rule),
            (_, Some(regions)) => Ok(regions.rule),
            _ => Ok(RegionRule::default()),
        }
    }

    /// Returns the first digits of the digest of a property's regions: those of other files are others.
    fn digest(&self, property: &CallProperty) -> Option<String> {
        let sets = &self.options.regions.as_deref()?.sets;
        let set = sets.iter().find(|set| set.name == property.name)?;
        set.digest().to_string().get(..8).map(str::to_owned)
    }

    /// Adds the levels of all properties to a shard's calls, and sentences about values that are missing.
    pub(super) fn add_levels(
        &self,
        cohort: &mut Cohort<Content>,
        input: &ShardInput,
    ) -> Result<()> {
        for property in &self.options.stratify_by.properties {
            let levels = if property.kind == PropertyKind::Region {
                self.region_levels(property, &cohort.calls)?
            } else {
                let values = self.column(property, input)?;
                property.levels(&values, &input.calls_name())?
            };
            let missing = (0..levels.len())
                .filter(|&row| levels.get(row) == Some(CallProperty::MISSING))
                .count();
            if missing > 0 {
                cohort.warnings.push(format!(
                    "{}: {missing} of {} calls have no {}; they are a level of their own, {}",
                    input.calls_name(),
                    levels.len(),
                    property.key(),
                    CallProperty::MISSING
                ));
            }
            cohort.calls.levels.push((property.to_string(), levels));
        }
        for property in &self.options.describe {
            let values = self.column(property, input)?;
            property.check_numbers(&values, &input.calls_name())?;
            cohort.calls.describe(&property.key(), values);
        }
        Ok(())
    }

    fn region_levels(&self, property: &CallProperty, calls: &Calls) -> Result<TextColumn> {
        let rule = self.rule(property)?;
        let regions = self.options.regions.as_deref();
        let sets = regions.map(|regions| &regions.sets[..]).unwrap_or_default();
        let mut levels = TextColumn::default();
        let set = sets.iter().find(|set| set.name == property.name);
        for row in 0..calls.len() {
            let call = calls.get(row);
            levels.push(Some(match set.and_then(|set| lies_in(set, &call, rule)) {
                Some(true) => CallProperty::IN,
                Some(false) => CallProperty::OUT,
                None => CallProperty::MISSING,
            }));
        }
        Ok(levels)
    }

    /// Reads the column that has a property's values, as it would read classes.
    fn column(&self, property: &CallProperty, input: &ShardInput) -> Result<TextColumn> {
        let rule = ClassRule::new(Some(&property.column()), &[]);
        match self.read_by(input, &rule) {
            Ok(cohort) => Ok(cohort.calls.truvari_class),
            // The calls themselves were read.
            Err(Error::Input { .. }) => Err(no_column(property, input)),
            Err(error) => Err(error),
        }
    }
}

fn no_column(property: &CallProperty, input: &ShardInput) -> Error {
    let column = property.column();
    let (expected, action) = match property.kind {
        PropertyKind::Column | PropertyKind::Region => (
            format!("a column {column} with single values"),
            "name a column that is there, in its own case",
        ),
        PropertyKind::Info | PropertyKind::Format => (
            format!("a column {column}, as a benchmark's calls have it where it is asked for"),
            "give the benchmark's calls, or name a column of the table as col:NAME",
        ),
    };
    Error::input(input.calls_name(), property.key(), "none", expected, action)
        .proposing([Proposal::of(Choice::Strata)])
}
