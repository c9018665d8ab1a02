//! `call_atoms`: one row a call.

use crate::cohort::Calls;
use crate::report::table::{Column, Table, Values};
use crate::stats::evidence::summary::Confirmed;

/// The most atoms that are named of a call.
const MOST_ATOMS: usize = 10;

/// The table of some of a block's calls: their rows in it, and the atoms that fire on each.
pub fn call_atoms(
    confirmed: &Confirmed,
    (calls, first): (&Calls, u64),
    rows: &[(usize, &[u32])],
) -> Table {
    let text = |of: &dyn Fn(usize) -> Option<String>| {
        Values::Text(rows.iter().map(|&(row, _)| of(row)).collect())
    };
    let number = |of: &dyn Fn(usize) -> i64| {
        Values::I64(rows.iter().map(|&(row, _)| Some(of(row))).collect())
    };
    let owned = |value: Option<&str>| value.map(str::to_owned);
    let listed = |of: &dyn Fn((u32, f64)) -> String| {
        let list = |fires| {
            let atoms = confirmed.among(fires, MOST_ATOMS).map(of);
            atoms.collect::<Vec<String>>().join(",")
        };
        let lists = rows.iter().map(|&(_, fires)| list(fires));
        Values::Text(
            lists
                .map(|list| Some(list).filter(|list| !list.is_empty()))
                .collect(),
        )
    };
    let column = Column::new;
    let columns = vec![
        column(
            "row",
            "The cohort's row, from 0; dropped ones count.",
            Values::U64(rows.iter().map(|&(row, _)| first + row as u64).collect()),
        ),
        column(
            "chrom",
            "Chromosome.",
            text(&|row| owned(calls.chrom.get(row))),
        ),
        column(
            "pos",
            "Position, from 1.",
            number(&|row| calls.pos.get(row).as_f64() as i64),
        ),
        column(
            "id",
            "The call's ID.",
            text(&|row| owned(calls.id.get(row))),
        ),
        column(
            "svtype",
            "SV type.",
            text(&|row| owned(calls.svtype.get(row))),
        ),
        column(
            "svlen",
            "Length in base pairs, as it was given.",
            number(&|row| calls.svlen.get(row).as_f64() as i64),
        ),
        column(
            "dataset",
            "Dataset.",
            text(&|row| owned(calls.dataset.get(row))),
        ),
        column(
            "label",
            "TP or FP; missing of a call without a class.",
            text(&|row| {
                let label = calls.truvari_class.get(row).map(|_| calls.label(row));
                label.map(|label| label.as_str().to_owned())
            }),
        ),
        column(
            "reason",
            "Why the call is false, where the benchmark says it.",
            text(&|row| owned(calls.reason.get(row))),
        ),
        column(
            "claim",
            "The strictest procedure within strata that claims any atom: max_t, holm, benjamini_yekutieli, \
             benjamini_hochberg or replicated. Missing where none does.",
            text(&|_| {
                confirmed
                    .procedure
                    .map(|procedure| procedure.as_str().to_owned())
            }),
        ),
        column(
            "atoms",
            "The atoms that fire on the call and that this procedure claims, by cmh_p, the strongest first, at \
             most 10, divided by commas.",
            listed(&|(atom, _)| atom.to_string()),
        ),
        column(
            "log_or",
            "The log odds ratio within strata, ln cmh_or, of each of them.",
            listed(&|(_, log_odds)| format!("{log_odds:.4}")),
        ),
    ];
    Table {
        name: "call_atoms",
        about: "With --save-fires or --annotate: one row a call, in the order of fires.npy, with the confirmed \
                atoms that fire on it.",
        columns,
    }
}
