//! What rows are counted under.

use std::collections::{BTreeMap, HashMap};

use super::scheme::{SizeBin, StratifyBy};
use crate::cohort::{Calls, Label};
use crate::error::{Choice, Error, Result};

/// What a row is counted under: its label crossed with its type of variant, and with its size and
/// its dataset where the scheme has them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stratum {
    /// True or false call.
    pub label: Label,
    /// SV type; `UNK` where it is missing; [`Strata::OTHER`] where it is none of
    /// [`Strata::TYPES`].
    pub svtype: String,
    /// The size's bin; `None` where sizes are not told apart.
    pub size: Option<SizeBin>,
    /// The dataset, [`Strata::NO_DATASET`] where it is missing; `None` where datasets are not told
    /// apart.
    pub dataset: Option<String>,
}

/// The stratum of every row, and the table that says what the numbers mean.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Strata {
    table: Vec<Stratum>,
    of_row: Vec<u16>,
}

impl Strata {
    /// What a missing dataset is called.
    pub const NO_DATASET: &'static str = "(no dataset)";

    /// The most counters, strata times features, that a tally may have: 1 GiB of them.
    pub const MOST_COUNTERS: usize = 1 << 27;

    /// The SV types that have a stratum of their own: those of the VCF specification, and those
    /// that callers write. All others share [`Strata::OTHER`]. It is a fixed list, so that a row's
    /// stratum depends on nothing but the row, whichever part of a cohort is counted, and so that
    /// memory stays bounded whatever a file holds.
    pub const TYPES: [&'static str; 41] = [
        "ALU",
        "BND",
        "CNV",
        "CPX",
        "CTX",
        "DEL",
        "DEL/INV",
        "DEL:ME",
        "DEL:ME:ALU",
        "DEL:ME:L1",
        "DEL:ME:SVA",
        "DELINV",
        "DUP",
        "DUP/INS",
        "DUP/INV",
        "DUP:INS",
        "DUP:INT",
        "DUP:TANDEM",
        "DUPINV",
        "INDEL",
        "INS",
        "INS:ME",
        "INS:ME:ALU",
        "INS:ME:L1",
        "INS:ME:LINE1",
        "INS:ME:SVA",
        "INS:NOVEL",
        "INV",
        "INVDUP",
        "INVDEL",
        "L1",
        "LINE1",
        "MEI",
        "REP",
        "RPT",
        "SNV",
        "SUB",
        "SVA",
        "TDUP",
        "TRA",
        "UNK",
    ];

    /// The shared type's name.
    pub const OTHER: &'static str = "(other types)";

    /// Label × SV type, ascending.
    pub fn of_calls(calls: &Calls) -> Self {
        // Types are a fixed list, so that there cannot be too many strata.
        Self::numbered(calls, StratifyBy::TYPE).0
    }

    /// Label × SV type × whatever else the scheme has, ascending, for a tally of `features`.
    ///
    /// # Errors
    /// More strata than can be counted.
    pub fn by(calls: &Calls, scheme: StratifyBy, features: usize) -> Result<Self> {
        let (strata, count) = Self::numbered(calls, scheme.union(StratifyBy::TYPE));
        check_size(count, features, scheme)?;
        Ok(strata)
    }

    /// The strata, and how many there are, which is more than there are numbers for where they are
    /// too many.
    fn numbered(calls: &Calls, scheme: StratifyBy) -> (Self, usize) {
        let mut seen = HashMap::<(Label, u32, Option<SizeBin>, Option<u32>), u16>::new();
        let mut strata = BTreeMap::<Stratum, u16>::new();
        let mut of_row = Vec::with_capacity(calls.len());
        for row in 0..calls.len() {
            let bin = scheme
                .size
                .then(|| SizeBin::of(calls.svlen.get(row).as_f64()));
            let (label, svtype) = (calls.label(row), calls.svtype.code(row));
            let dataset = scheme.dataset.then(|| calls.dataset.code(row));
            of_row.push(
                *seen
                    .entry((label, svtype, bin, dataset))
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
                        };
                        let next = strata.len() as u16;
                        *strata.entry(stratum).or_insert(next)
                    }),
            );
        }
        let count = strata.len();
        (Self::ascending(strata, of_row), count)
    }

    /// Under which name a type is counted.
    pub fn own_or_shared(svtype: Option<&str>) -> &str {
        let name = svtype.unwrap_or("UNK");
        if Self::TYPES.contains(&name) {
            name
        } else {
            Self::OTHER
        }
    }

    /// Numbers strata by their order instead of their first sight.
    fn ascending(strata: BTreeMap<Stratum, u16>, mut of_row: Vec<u16>) -> Self {
        let mut new = vec![0; strata.len()];
        for (number, &old) in strata.values().enumerate() {
            new[usize::from(old)] = number as u16;
        }
        for number in &mut of_row {
            *number = new[usize::from(*number)];
        }
        let table = strata.into_keys().collect();
        Self { table, of_row }
    }

    /// One stratum for all rows, where there are no calls to tell rows apart.
    pub fn single(rows: usize) -> Self {
        let stratum = Stratum {
            label: Label::Fp,
            svtype: "UNK".to_owned(),
            size: None,
            dataset: None,
        };
        Self {
            table: vec![stratum],
            of_row: vec![0; rows],
        }
    }

    /// What each stratum stands for.
    pub fn table(&self) -> &[Stratum] {
        &self.table
    }

    /// The stratum of every row.
    pub fn of_row(&self) -> &[u16] {
        &self.of_row
    }
}

/// Whether so many strata can be counted.
///
/// # Errors
/// More than there are numbers for, or more counters than fit.
pub(super) fn check_size(strata: usize, features: usize, scheme: StratifyBy) -> Result<()> {
    let fits = strata
        .checked_mul(features)
        .is_some_and(|counters| counters <= Strata::MOST_COUNTERS);
    if fits && u16::try_from(strata).is_ok() {
        return Ok(());
    }
    let fewer = if scheme.dataset {
        "leave datasets out, as in svtype,size"
    } else {
        "leave sizes out, as in svtype"
    };
    Err(Error::choice(
        Choice::Strata,
        format!("{scheme}: {strata} strata of {features} atoms"),
        format!(
            "at most {} strata, and {} counters in all; {fewer}",
            u16::MAX,
            Strata::MOST_COUNTERS
        ),
    ))
}
