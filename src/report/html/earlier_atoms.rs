//! What the table of atoms alone tells: what procedures claim, the strongest.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{data, layout};
use crate::report::table::{Table, Values};
use crate::report::text::words::figure;
use crate::stats::evidence::LEVEL;
use crate::stats::evidence::summary::{Procedure, Scope};

/// Procedures: the column of adjusted p-values, and what it compares. How many atoms have no association is not
/// known of tables.
const PROCEDURES: [(&str, Procedure, Scope); 8] = [
    ("maxt_p", Procedure::MaxT, Scope::WithinStrata),
    ("cmh_holm", Procedure::Holm, Scope::WithinStrata),
    (
        "cmh_fdr_by",
        Procedure::BenjaminiYekutieli,
        Scope::WithinStrata,
    ),
    (
        "cmh_fdr_bh",
        Procedure::BenjaminiHochberg,
        Scope::WithinStrata,
    ),
    ("holm", Procedure::Holm, Scope::AllCalls),
    ("fdr_by", Procedure::BenjaminiYekutieli, Scope::AllCalls),
    ("fdr_bh", Procedure::BenjaminiHochberg, Scope::AllCalls),
    (
        "storey_q",
        Procedure::Storey {
            null_share: f64::NAN,
        },
        Scope::AllCalls,
    ),
];

/// The claim of a procedure.
pub(super) struct Claim {
    pub(super) procedure: Procedure,
    pub(super) scope: Scope,
    /// Atoms that it claims.
    pub(super) atoms: usize,
}

/// The claims of all procedures whose p-values the table has.
pub(super) struct Claims {
    pub(super) list: Vec<Claim>,
    /// A number an atom: bit i is 1 where the i-th procedure claims it.
    pub(super) bits: Vec<u32>,
    pub(super) strictest: &'static str,
}

impl Claims {
    pub(super) fn of(atoms: &Table) -> Self {
        let mut claims = Self {
            list: Vec::new(),
            bits: vec![0; atoms.rows()],
            strictest: Procedure::Holm.as_str(),
        };
        for (column, procedure, scope) in PROCEDURES {
            let adjusted = atoms.numbers(column);
            // Without permutations max-T has a column of which all is missing.
            if adjusted.iter().all(|p| p.is_nan()) {
                continue;
            }
            if procedure == Procedure::MaxT {
                claims.strictest = Procedure::MaxT.as_str();
            }
            claims.add(procedure, scope, adjusted.iter().map(|p| *p < LEVEL));
        }
        claims
    }

    /// Adds the claim of a procedure, which says of each atom whether it claims it.
    fn add(&mut self, procedure: Procedure, scope: Scope, each: impl Iterator<Item = bool>) {
        let place = self.list.len();
        let mut atoms = 0;
        for (bits, is_claimed) in self.bits.iter_mut().zip(each) {
            *bits |= u32::from(is_claimed) << place;
            atoms += usize::from(is_claimed);
        }
        self.list.push(Claim {
            procedure,
            scope,
            atoms,
        });
    }

    /// Adds what was found in one part of the cohort and again in the other.
    pub(super) fn add_replicated(&mut self, replication: &Table) {
        if let Some(Values::Bool(each)) = replication
            .column("replicated")
            .map(|column| &column.values)
        {
            let is_replicated = each.iter().map(|is| *is == Some(true));
            self.add(Procedure::Replicated, Scope::WithinStrata, is_replicated);
        }
    }

    /// Says whether the strictest procedure within strata claims an atom.
    pub(super) fn is_sure(&self, atom: usize) -> bool {
        let mut claims = self.list.iter();
        let strictest = claims.position(|claim| {
            claim.scope == Scope::WithinStrata && claim.procedure.as_str() == self.strictest
        });
        let bits = self.bits.get(atom).copied().unwrap_or(0);
        strictest.is_some_and(|place| bits >> place & 1 == 1)
    }

    /// The procedures, as the script has them.
    pub(super) fn names(&self) -> Vec<Value> {
        let names = self.list.iter();
        names
            .map(|claim| json!({"procedure": claim.procedure.as_str(), "scope": data::scope_name(claim.scope)}))
            .collect()
    }

    /// The same with their numbers of atoms.
    pub(super) fn counts(&self) -> Vec<Value> {
        let counts = self.names().into_iter().zip(&self.list);
        counts
            .map(|(mut name, claim)| {
                name["atoms"] = json!(claim.atoms);
                name
            })
            .collect()
    }
}

/// The median of the log odds ratios, where they are centred by it.
pub(super) fn median(atoms: &Table) -> Option<f64> {
    let [log, centred] = ["log_or", "log_or_centred"].map(|name| atoms.numbers(name));
    let mut differences = log.iter().zip(&centred).map(|(log, centred)| log - centred);
    differences.find(|difference| difference.is_finite())
}

/// The first atoms by rank, as a table.
pub(super) fn strongest(atoms: &Table) -> String {
    const MOST: usize = 20;
    let mut by_rank = BTreeMap::new();
    for (atom, rank) in atoms.numbers("rank").into_iter().enumerate() {
        if rank >= 1.0 {
            by_rank.insert(rank as u64, atom);
        }
    }
    let shown = [
        "fires",
        "tp_on",
        "fp_on",
        "log_or",
        "neg_log10_p",
        "cmh_or",
        "cmh_fdr_bh",
    ];
    let columns = shown.map(|name| atoms.numbers(name));
    let first = by_rank.into_values().take(MOST).map(|atom| {
        let value = |column: &Vec<f64>| column.get(atom).copied().unwrap_or(f64::NAN);
        let cells = columns.iter().map(|column| figure(value(column)));
        (atom as u32, cells.collect())
    });
    let mut html = String::new();
    layout::table(&mut html, "Strongest on all calls at once", &shown, first);
    html
}
