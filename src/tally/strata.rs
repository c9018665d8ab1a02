//! What rows are counted under.

use std::collections::{BTreeMap, HashMap};

use crate::cohort::{Calls, Label};

/// What a row is counted under: its label crossed with its type of variant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stratum {
    /// True or false call.
    pub label: Label,
    /// SV type; `UNK` where it is missing; [`Strata::OTHER`] where it is none of
    /// [`Strata::TYPES`].
    pub svtype: String,
}

/// The stratum of every row, and the table that says what the numbers mean.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Strata {
    table: Vec<Stratum>,
    of_row: Vec<u16>,
}

impl Strata {
    /// What rows are told apart by, for those who compare tallies.
    pub const SCHEME: &'static str = "label, svtype";

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
        let mut seen = HashMap::<(Label, u32), u16>::new();
        let mut strata = Vec::<Stratum>::new();
        let mut of_row = Vec::with_capacity(calls.len());
        for row in 0..calls.len() {
            let (label, code) = (calls.label(row), calls.svtype.code(row));
            of_row.push(*seen.entry((label, code)).or_insert_with(|| {
                let svtype = Self::own_or_shared(calls.svtype.get(row)).to_owned();
                let stratum = Stratum { label, svtype };
                let known = strata.iter().position(|known| *known == stratum);
                known.unwrap_or_else(|| {
                    strata.push(stratum);
                    strata.len() - 1
                }) as u16
            }));
        }
        Self::ascending(&strata, of_row)
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

    /// Numbers strata, which are few, by their order instead of their first sight.
    fn ascending(strata: &[Stratum], mut of_row: Vec<u16>) -> Self {
        let order: BTreeMap<&Stratum, usize> = strata.iter().zip(0..).collect();
        let mut new = vec![0; strata.len()];
        for (number, &old) in order.values().enumerate() {
            new[old] = number as u16;
        }
        let table = order.into_keys().cloned().collect();
        for number in &mut of_row {
            *number = new[usize::from(*number)];
        }
        Self { table, of_row }
    }

    /// One stratum for all rows, where there are no calls to tell rows apart.
    pub fn single(rows: usize) -> Self {
        let stratum = Stratum {
            label: Label::Fp,
            svtype: "UNK".to_owned(),
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
