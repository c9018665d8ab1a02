//! The levels of properties by which calls are stratified: regions, columns and keys.

use super::content::Content;
use super::inputs::ShardInput;
use super::plan::Plan;
use crate::cohort::{Calls, ClassRule, TextColumn};
use crate::error::{Choice, Error, Proposal, Result};
use crate::read::Cohort;
use crate::regions::{RegionRule, RegionSet};
use crate::stats::evidence::regions::{RegionOptions, lies_in};
use crate::tally::{CallProperty, PropertyKind, Split, StratifyBy};

/// Gives the values of a property's column.
type Column<'a> = dyn Fn(&CallProperty) -> Result<TextColumn> + 'a;

/// Adds the levels of the properties of a scheme to calls that are at hand, the whole cohort's if `is_whole`.
/// `column` gives the values of a property that is none of `regions`; `name` is that of the calls in messages.
/// Returns the scheme as the calls are counted by it, and sentences about values that are missing.
///
/// # Errors
/// Regions that are not there; numbers that have to be cut, where it is not said at what; those of `column`.
pub fn add_levels(
    calls: &mut Calls,
    scheme: &StratifyBy,
    regions: Option<&RegionOptions>,
    is_whole: bool,
    name: &str,
    column: &Column<'_>,
) -> Result<(StratifyBy, Vec<String>)> {
    let levels = Levels { regions };
    let mut resolved = scheme.clone();
    resolved.properties.clear();
    let mut warnings = Vec::new();
    for property in &scheme.properties {
        let property = levels.resolved(property.clone(), is_whole, column)?;
        warnings.extend(levels.add(calls, &property, name, column)?);
        resolved.properties.insert(property);
    }
    Ok((resolved, warnings))
}

impl Plan<'_> {
    /// Returns the scheme as rows are counted by it: with the rule of regions, and, of a cohort in one file
    /// that is counted as a whole, with cuts in place of quantiles.
    ///
    /// # Errors
    /// Regions and columns that are not there; those of reading.
    pub fn resolved_strata(&self, is_whole: bool) -> Result<StratifyBy> {
        let mut scheme = self.options.stratify_by.clone();
        let mut resolved = std::collections::BTreeSet::new();
        let (input, is_whole) = match self.inputs {
            [input] => (Some(input), is_whole),
            _ => (None, false),
        };
        let column = |property: &CallProperty| match input {
            Some(input) => self.column(property, input),
            None => Ok(TextColumn::default()),
        };
        for property in scheme.properties {
            resolved.insert(self.levels().resolved(property, is_whole, &column)?);
        }
        scheme.properties = resolved;
        Ok(scheme)
    }

    fn levels(&self) -> Levels<'_> {
        Levels {
            regions: self.options.regions.as_deref(),
        }
    }

    /// Adds the levels of all properties to a shard's calls, and sentences about values that are missing.
    pub(super) fn add_levels(
        &self,
        cohort: &mut Cohort<Content>,
        input: &ShardInput,
    ) -> Result<()> {
        let (calls, name) = (&mut cohort.calls, input.calls_name());
        let column = |property: &CallProperty| self.column(property, input);
        for property in &self.options.stratify_by.properties {
            let missing = self.levels().add(calls, property, &name, &column)?;
            cohort.warnings.extend(missing);
        }
        for property in &self.options.describe {
            let values = self.column(property, input)?;
            property.check_numbers(&values, &name)?;
            calls.describe(&property.key(), values);
        }
        Ok(())
    }

    /// Reads the column that has a property's values, as it would read classes.
    fn column(&self, property: &CallProperty, input: &ShardInput) -> Result<TextColumn> {
        let rule = ClassRule::new(Some(&property.column()), &[]);
        match self.read_by(input, &rule) {
            Ok(cohort) => Ok(cohort.calls.truvari_class),
            // The calls themselves were read.
            Err(Error::Input { .. }) => Err(no_column(property, &input.calls_name())),
            Err(error) => Err(error),
        }
    }
}

/// The regions by which calls have levels.
struct Levels<'a> {
    regions: Option<&'a RegionOptions>,
}

impl Levels<'_> {
    fn resolved(
        &self,
        property: CallProperty,
        is_whole: bool,
        column: &Column<'_>,
    ) -> Result<CallProperty> {
        let is_open = matches!(property.split, Split::Auto | Split::Quantiles(_));
        if property.kind == PropertyKind::Region {
            let rule = self.rule(&property)?;
            let split = Split::Rule(rule, self.digest(&property));
            return Ok(CallProperty { split, ..property });
        }
        if is_whole && is_open {
            return Ok(property.resolved(&column(&property)?));
        }
        Ok(property)
    }

    fn sets(&self) -> &[RegionSet] {
        self.regions
            .map(|regions| &*regions.sets)
            .unwrap_or_default()
    }

    /// Returns the rule by which calls lie in the regions of a property, which must be there.
    fn rule(&self, property: &CallProperty) -> Result<RegionRule> {
        let sets = self.sets();
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
        match (&property.split, self.regions) {
            (Split::Rule(rule, _), _) => Ok(*rule),
            (_, Some(regions)) => Ok(regions.rule),
            _ => Ok(RegionRule::default()),
        }
    }

    /// Returns the first digits of the digest of a property's regions: those of other files are others.
    fn digest(&self, property: &CallProperty) -> Option<String> {
        let set = self.sets().iter().find(|set| set.name == property.name)?;
        set.digest().to_string().get(..8).map(str::to_owned)
    }

    /// Adds the levels of a property to calls. Returns a sentence about values that are missing.
    fn add(
        &self,
        calls: &mut Calls,
        property: &CallProperty,
        name: &str,
        column: &Column<'_>,
    ) -> Result<Option<String>> {
        let levels = if property.kind == PropertyKind::Region {
            self.of_regions(property, calls)?
        } else {
            property.levels(&column(property)?, name)?
        };
        let is_missing = |row: &usize| levels.get(*row) == Some(CallProperty::MISSING);
        let missing = (0..levels.len()).filter(is_missing).count();
        let sentence = format!(
            "{name}: {missing} of {} calls have no {}; they are a level of their own, {}",
            levels.len(),
            property.key(),
            CallProperty::MISSING
        );
        calls.levels.push((property.to_string(), levels));
        Ok((missing > 0).then_some(sentence))
    }

    fn of_regions(&self, property: &CallProperty, calls: &Calls) -> Result<TextColumn> {
        let rule = self.rule(property)?;
        let mut levels = TextColumn::default();
        let set = self.sets().iter().find(|set| set.name == property.name);
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
}

/// The error of calls without the column that has a property's values. `name` is that of the calls.
pub fn no_column(property: &CallProperty, name: &str) -> Error {
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
    Error::input(name, property.key(), "none", expected, action)
        .proposing([Proposal::of(Choice::Strata)])
}
