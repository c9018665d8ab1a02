//! Strata: the groups under which rows are counted.

use std::collections::{BTreeMap, HashMap};

use super::property::CallProperty;
use super::scheme::{SizeBin, StratifyBy};
use crate::cohort::SV_TYPES;
use crate::cohort::{Calls, Label, TextColumn};
use crate::error::{Choice, Error, Result};

/// A stratum: a row's label crossed with its type of variant, and with its size and its dataset if
/// the scheme has them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stratum {
    /// True or false call.
    pub label: Label,
    /// SV type; `UNK` if it is missing; [`Strata::OTHER`] if it is none of [`SV_TYPES`].
    pub svtype: String,
    /// The size's bin; `None` if strata do not distinguish sizes.
    pub size: Option<SizeBin>,
    /// The dataset, [`Strata::NO_DATASET`] if it is missing; `None` if strata do not distinguish
    /// datasets.
    pub dataset: Option<String>,
    /// The level of each other property that strata distinguish, by the property's text.
    pub levels: BTreeMap<String, String>,
}

/// The stratum number of every row, and the table of the numbers' strata.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Strata {
    table: Vec<Stratum>,
    of_row: Vec<u32>,
}

impl Strata {
    /// The name of a missing dataset.
    pub const NO_DATASET: &'static str = "(no dataset)";

    /// The shared type's name.
    pub const OTHER: &'static str = "(other types)";

    /// Makes the strata label × SV type, ascending.
    pub fn of_calls(calls: &Calls) -> Self {
        Self::numbered(calls, &StratifyBy::TYPE, &[])
    }

    /// Makes the strata label × SV type × the scheme's other confounders, ascending.
    ///
    /// # Errors
    /// Fails if calls have no levels of a property.
    pub fn by(calls: &Calls, scheme: &StratifyBy) -> Result<Self> {
        let columns = columns_of(calls, scheme)?;
        let wanted = scheme.clone().union(StratifyBy::TYPE);
        Ok(Self::numbered(calls, &wanted, &columns))
    }

    fn numbered(calls: &Calls, scheme: &StratifyBy, columns: &[(String, &TextColumn)]) -> Self {
        type Key = (Label, u32, Option<SizeBin>, Option<u32>, u32);
        let mut seen = HashMap::<Key, u32>::new();
        let mut joint = Joint::default();
        let mut strata = BTreeMap::<Stratum, u32>::new();
        let mut of_row = Vec::with_capacity(calls.len());
        for (row, label) in calls.labels().enumerate() {
            let bin = scheme
                .size
                .then(|| SizeBin::of(calls.svlen.get(row).as_f64()));
            let svtype = calls.svtype.code(row);
            let dataset = scheme.dataset.then(|| calls.dataset.code(row));
            let levels = joint.number(columns, row);
            of_row.push(
                *seen
                    .entry((label, svtype, bin, dataset, levels))
                    .or_insert_with(|| {
                        let name = || {
                            calls
                                .dataset
                                .get(row)
                                .unwrap_or(Self::NO_DATASET)
                                .to_owned()
                        };
                        let stratum = Stratum {
                            label,
                            svtype: Self::own_or_shared(calls.svtype.get(row)).to_owned(),
                            size: bin,
                            dataset: scheme.dataset.then(name),
                            levels: columns.iter().map(|column| level(column, row)).collect(),
                        };
                        let next = strata.len() as u32;
                        *strata.entry(stratum).or_insert(next)
                    }),
            );
        }
        Self::ascending(strata, of_row)
    }

    /// Returns the name under which a type is counted.
    pub fn own_or_shared(svtype: Option<&str>) -> &str {
        let name = svtype.unwrap_or("UNK");
        if SV_TYPES.contains(&name) {
            name
        } else {
            Self::OTHER
        }
    }

    /// Renumbers strata from their order of first sight to ascending order.
    fn ascending(strata: BTreeMap<Stratum, u32>, mut of_row: Vec<u32>) -> Self {
        let mut new = vec![0; strata.len()];
        for (number, &old) in strata.values().enumerate() {
            new[old as usize] = number as u32;
        }
        for number in &mut of_row {
            *number = new[*number as usize];
        }
        let table = strata.into_keys().collect();
        Self { table, of_row }
    }

    /// Makes one stratum for all rows, for embeddings without calls.
    pub fn single(rows: usize) -> Self {
        let stratum = Stratum {
            label: Label::Fp,
            svtype: "UNK".to_owned(),
            size: None,
            dataset: None,
            levels: BTreeMap::new(),
        };
        Self {
            table: vec![stratum],
            of_row: vec![0; rows],
        }
    }

    /// Returns the stratum of each number.
    pub fn table(&self) -> &[Stratum] {
        &self.table
    }

    /// Returns the number of every row's stratum.
    pub fn of_row(&self) -> &[u32] {
        &self.of_row
    }
}

/// The most other properties.
const MOST: usize = StratifyBy::MOST_PROPERTIES;

/// The levels of all other properties together, numbered as they are met.
#[derive(Default)]
struct Joint(HashMap<[u32; MOST], u32>);

impl Joint {
    /// Returns the number of a call's levels; 0 where there are no other properties.
    fn number(&mut self, columns: &[(String, &TextColumn)], row: usize) -> u32 {
        if columns.is_empty() {
            return 0;
        }
        let mut levels = [0; MOST];
        for (to, (_, column)) in levels.iter_mut().zip(columns) {
            *to = column.code(row);
        }
        let next = self.0.len() as u32;
        *self.0.entry(levels).or_insert(next)
    }
}

/// Returns the levels of each other property of a scheme, with its text.
fn columns_of<'a>(calls: &'a Calls, scheme: &StratifyBy) -> Result<Vec<(String, &'a TextColumn)>> {
    let texts = scheme.properties.iter().map(ToString::to_string);
    texts
        .map(|text| {
            Ok((
                text.clone(),
                calls.levels_of(&text).ok_or_else(|| no_levels(&text))?,
            ))
        })
        .collect()
}

fn no_levels(property: &str) -> Error {
    let expected = "a property that the calls were counted with";
    Error::choice(Choice::Strata, property, expected)
}

/// Returns the level of a call by its property's text.
fn level((property, column): &(String, &TextColumn), row: usize) -> (String, String) {
    let level = column.get(row).unwrap_or(CallProperty::MISSING);
    (property.clone(), level.to_owned())
}
