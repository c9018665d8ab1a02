//! The comparison of atoms on insertions and on all other calls.

use serde::Serialize;

use crate::stats::notebook::bias::BiasTable;
use crate::stats::notebook::counts::{Counter, NamedCount};
use crate::stats::notebook::{exact, rank};
use crate::tally::Tally;

/// The least number of calls on which a compared atom fires.
pub const MIN_ACTIVATIONS: u64 = 10;

/// The number of atoms that each end of the comparison lists.
pub const SHOWN: usize = 5;

const STRONG: f64 = 0.3;

/// One atom's share of insertions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct InsDelAtom {
    /// The atom's number.
    pub atom: u32,
    /// The number of insertions on which it fires.
    pub ins_count: u64,
    /// The number of all other calls on which it fires, of any type.
    pub del_count: u64,
    /// The share of insertions among the calls on which it fires.
    pub ins_rate: f64,
    /// That share less one half.
    pub bias_score: f64,
}

/// The comparison of insertions with everything else.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InsDelBias {
    /// The least number of calls on which a compared atom fires.
    pub min_activations: u64,
    /// The number of atoms that were compared.
    pub compared: usize,
    /// The highest scores, ties in atom order.
    pub top_ins: Vec<InsDelAtom>,
    /// The lowest scores, ties in atom order.
    pub top_del: Vec<InsDelAtom>,
    /// The number of scores above 0.3.
    pub strong_ins: usize,
    /// The number of scores below −0.3.
    pub strong_del: usize,
}

/// The types of the calls, and the atoms that lean to one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SvTypeBias {
    /// Calls by type, most frequent first.
    pub distribution: Vec<NamedCount>,
    /// The number of all calls.
    pub calls: u64,
    /// The comparison; `None` unless there are both `INS` and `DEL` calls and the table has atoms.
    pub ins_del: Option<InsDelBias>,
}

impl SvTypeBias {
    /// Compares the table's atoms. `svtypes` are the types of the calls that were not dropped, in
    /// the order in which the cohort shows them.
    pub fn of(table: &BiasTable, tally: &Tally, svtypes: &[(Option<String>, u64)]) -> Self {
        let mut counter = Counter::new("UNK");
        for (name, calls) in svtypes {
            counter.add_value(name.as_deref(), *calls);
        }
        let distribution = counter.most_common();
        let has = |svtype| distribution.iter().any(|named| named.name == svtype);
        let both = has("INS") && has("DEL") && !table.atoms.is_empty();
        Self {
            ins_del: both.then(|| InsDelBias::of(table, tally)),
            calls: tally.rows_where(|_| true),
            distribution,
        }
    }
}

impl InsDelBias {
    fn of(table: &BiasTable, tally: &Tally) -> Self {
        let ins = tally.counts_where(|stratum| stratum.svtype == "INS");
        let compared = table.atoms.iter().filter(|a| a.support >= MIN_ACTIVATIONS);
        let atoms: Vec<InsDelAtom> = compared
            .map(|bias| {
                let ins_count = ins.get(bias.atom as usize).copied().unwrap_or(0);
                let ins_rate = exact::ratio(ins_count.into(), bias.support.into());
                InsDelAtom {
                    atom: bias.atom,
                    ins_count,
                    del_count: bias.support.saturating_sub(ins_count),
                    ins_rate,
                    bias_score: ins_rate - 0.5,
                }
            })
            .collect();
        let score = |atom: &InsDelAtom| atom.bias_score;
        Self {
            min_activations: MIN_ACTIVATIONS,
            compared: atoms.len(),
            top_ins: rank::largest(&atoms, SHOWN, score),
            top_del: rank::smallest(&atoms, SHOWN, score),
            strong_ins: atoms.iter().filter(|a| score(a) > STRONG).count(),
            strong_del: atoms.iter().filter(|a| score(a) < -STRONG).count(),
        }
    }
}
