//! The lines of the notebook's text that say more than what holds.

use serde::Serialize;

use super::called::is_significant;
use crate::cohort::Label;
use crate::stats::evidence::{CategoryAtom, Enrichment, ExtendedTables};
use crate::stats::notebook::{AtomBias, NotebookTables, svtype};

/// A line of the notebook's text, and what holds instead.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "line", rename_all = "snake_case")]
pub enum NotebookNote {
    /// "Statistically significant" counts atoms on all calls at once.
    Significant {
        /// The number of atoms that it counts.
        counted: usize,
        /// The number of these that hold within strata, at the same false discovery rate.
        within: usize,
    },
    /// The highest or the lowest odds are of an atom with an empty cell.
    EmptyCell {
        /// The atom.
        atom: u32,
        /// The cell that is empty.
        cell: EmptyCell,
        /// The notebook's odds of it.
        odds: f64,
        /// Its odds ratio with ½ added to every cell.
        odds_ratio: f64,
    },
    /// "INS-specialized" counts atoms by the share of insertions among their calls.
    InsSpecialized(Specialized),
    /// "DEL-specialized" counts atoms by the same share, and takes all other types for deletions.
    DelSpecialized(Specialized),
    /// A p-value is printed as 0.
    ZeroP {
        /// The number of listed atoms with such a p-value.
        atoms: usize,
    },
}

/// Calls of which there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EmptyCell {
    /// The atom fires on no call of this label.
    FiresOnNo(Label),
    /// It fires on every one.
    FiresOnEvery(Label),
}

impl EmptyCell {
    fn of(atom: &AtomBias) -> Option<Self> {
        let cells = [
            (atom.fp_on, Self::FiresOnNo(Label::Fp)),
            (atom.tp_on, Self::FiresOnNo(Label::Tp)),
            (atom.tp_off, Self::FiresOnEvery(Label::Tp)),
            (atom.fp_off, Self::FiresOnEvery(Label::Fp)),
        ];
        let mut empty = cells.into_iter().filter(|(calls, _)| *calls == 0);
        empty.next().map(|(_, cell)| cell)
    }
}

/// The number of atoms that the notebook takes to be of a type.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Specialized {
    /// The number of atoms that it counts.
    pub counted: usize,
    /// The number of atoms that it looks at.
    pub of: usize,
    /// The share of insertions among all calls.
    pub ins_share: f64,
    /// The number of atoms it looks at that fire more often on calls of the type than on others
    /// (Fisher's exact test, false discovery rate 5 %).
    pub enriched: usize,
}

/// The notes that a cohort's text needs.
pub(super) fn notes(notebook: &NotebookTables, tables: &ExtendedTables) -> Vec<NotebookNote> {
    let mut notes = Vec::new();
    notes.extend(significant(notebook, tables));
    notes.extend(empty_cells(notebook, tables));
    notes.extend(specialized(notebook, &tables.types));
    let listed = [&notebook.top_tp_biased, &notebook.top_fp_biased];
    let zero = |atom: &&AtomBias| atom.p == 0.0;
    let atoms = listed.into_iter().flatten().filter(zero).count();
    notes.extend((atoms > 0).then_some(NotebookNote::ZeroP { atoms }));
    notes
}

fn significant(notebook: &NotebookTables, tables: &ExtendedTables) -> Option<NotebookNote> {
    let counted = notebook.bias.atoms.iter().filter(|atom| atom.significant);
    let holds = |atom: &&AtomBias| is_significant(tables.cmh.bh[atom.atom as usize]);
    let within = counted.clone().filter(holds).count();
    let counted = counted.count();
    (within < counted).then_some(NotebookNote::Significant { counted, within })
}

/// The notebook's odds are `TP_on·FP_off / max(1, FP_on·TP_off)`: with an empty cell a count of calls, or 0.
fn empty_cells(notebook: &NotebookTables, tables: &ExtendedTables) -> Vec<NotebookNote> {
    // Where the closing summary has a line of them.
    let summary = &notebook.summary;
    let highest = notebook.top_tp_biased.first();
    let highest = highest.filter(|_| summary.strongest_tp.is_some());
    let lowest = notebook.top_fp_biased.first();
    let lowest = lowest.filter(|_| summary.strongest_fp.is_some());
    let note = |atom: &AtomBias| {
        let log_odds = tables.atoms[atom.atom as usize].log_odds?;
        Some(NotebookNote::EmptyCell {
            atom: atom.atom,
            cell: EmptyCell::of(atom)?,
            odds: atom.odds,
            odds_ratio: libm::exp(log_odds.value),
        })
    };
    let both = [highest, lowest].into_iter().flatten();
    both.filter_map(note).collect()
}

/// Makes a note where fewer than half of the atoms that the notebook counts can be of the type.
fn specialized(notebook: &NotebookTables, types: &Enrichment) -> Vec<NotebookNote> {
    let Some(found) = &notebook.sv_types.ins_del else {
        return Vec::new();
    };
    let mut calls = notebook.sv_types.distribution.iter();
    let ins = calls.find(|named| named.name == "INS");
    let ins = ins.map_or(0, |named| named.count);
    let of_type = |counted: usize, name: &str| Specialized {
        counted,
        of: found.compared,
        ins_share: ins as f64 / notebook.sv_types.calls.max(1) as f64,
        enriched: enriched(notebook, types, name),
    };
    let is_off = |of: &Specialized| 2 * of.enriched < of.counted;
    let ins = Some(of_type(found.strong_ins, "INS")).filter(is_off);
    let del = Some(of_type(found.strong_del, "DEL")).filter(is_off);
    let ins = ins.map(NotebookNote::InsSpecialized);
    let del = del.map(NotebookNote::DelSpecialized);
    ins.into_iter().chain(del).collect()
}

fn enriched(notebook: &NotebookTables, types: &Enrichment, name: &str) -> usize {
    let place = types.categories.iter().position(|of| of.name == name);
    let is_enriched = |row: &&CategoryAtom| {
        let is_compared = row.table.fires() >= svtype::MIN_ACTIVATIONS;
        let is_more = row.log_odds.is_some_and(|log_odds| log_odds.value > 0.0);
        Some(row.category as usize) == place
            && is_compared
            && is_more
            && is_significant(row.fdr)
            && notebook.bias.get(row.atom).is_some()
    };
    types.rows.iter().filter(is_enriched).count()
}
