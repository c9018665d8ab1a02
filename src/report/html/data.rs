//! The second layer of a page: what its script works on.

use rayon::prelude::*;
use serde_json::{Value, json};

use super::about::{About, categories};
use super::cards::{Cards, Sources};
use super::columns::{self, Island, Piece};
use super::directions;
use super::escape::short;
use super::neighbours;
use super::pack::{identity, whole};
use super::{Page, calls, examples, plots};
use crate::control::Control;
use crate::error::Result;
use crate::report::table::{Column, Table, Values};
use crate::stats::evidence::summary::{Scope, claimed_atoms};
use crate::stats::evidence::{CallFacts, Category, ExtendedTables, StrataCounts};
use crate::stats::notebook::{AtomBias, NotebookTables};
use crate::tally::StratifyBy;

/// Tables of at most so many rows are in a page as they are.
const MOST_ROWS: usize = 100_000;

/// Pairs of atoms, the most frequent first, that are in a page.
const MOST_PAIRS: usize = 300;

/// All data of a page.
pub(super) struct Data {
    /// What the script is told first.
    pub(super) about: About,
    /// What table and pictures begin with.
    pub(super) first: Island,
    /// What it needs when it is asked for: other columns, cards, calls.
    pub(super) later: Vec<Island>,
}

impl Data {
    pub(super) fn of(
        page: &Page<'_>,
        extended: &ExtendedTables,
        facts: Option<&CallFacts>,
        control: &Control,
    ) -> Result<Self> {
        let atoms = extended.atoms.len();
        let tally = &page.cohort.tally;
        let mut pieces = Vec::new();
        let mut tables = Vec::new();
        let mut add = |table: &Table| {
            let (about, of_table) = columns::table(table);
            tables.push(about);
            pieces.extend(of_table);
        };
        page.tables
            .iter()
            .filter_map(|table| shown(table, atoms))
            .for_each(|table| add(&table));
        if let Some(pairs) = &extended.pairs {
            let first = pairs.chunk(0..pairs.len().min(MOST_PAIRS));
            add(&crate::report::tables::pairs(first));
        }
        add(&notebook(page.notebook, atoms));
        let (claims, piece) = claims(extended);
        pieces.push(piece);
        let map = neighbours::map(extended).map(|(order, piece)| {
            pieces.push(piece);
            order
        });
        let (first, lengths, columns) = first(pieces, &tables);
        control.check()?;
        let scheme = StratifyBy {
            svtype: true,
            ..tally.scheme()
        };
        let strata = StrataCounts::of(tally, &scheme);
        let neighbours = match &extended.pairs {
            Some(pairs) => neighbours::nearest(pairs, atoms),
            None => Vec::new(),
        };
        let strongest = extended.by_strength();
        let alike = page
            .decoder
            .map(|decoder| directions::nearest(decoder, &strongest, control))
            .transpose()?;
        let sources = Sources {
            tally,
            strata: &strata,
            firings: page.store.zip(facts),
            neighbours: &neighbours,
            alike: alike.as_ref(),
            memory: page.memory,
        };
        let Cards { islands, calls } = Cards::of(&sources, control)?;
        let mut later = columns;
        if let Some(store) = page.store {
            later.push(calls::island(store, &calls, control)?);
        }
        later.extend(islands);
        let about = About {
            identity: identity(&first.text),
            tables,
            claims,
            first: lengths,
            examples: calls.len(),
            map,
            directions: alike.map(|alike| alike.len()),
            ..about(page, extended, facts, &strata)
        };
        Ok(Self {
            about,
            first,
            later,
        })
    }
}

/// A table as a page has it; `None` for one that it does without: of types, chromosomes and datasets
/// cards tell, pairs are cut, and calls are a file of their own. Of the other tables of atoms it has the
/// columns that are asked for most.
fn shown(table: &Table, atoms: usize) -> Option<Table> {
    let left_out = [
        "atom_types",
        "atom_chromosomes",
        "atom_datasets",
        "atom_pairs",
        "call_atoms",
        "call_predictions",
    ];
    if left_out.contains(&table.name) || (table.rows() > MOST_ROWS && table.rows() != atoms) {
        return None;
    }
    let mut table = table.clone();
    let kept = [
        "atom",
        "median_size",
        "spearman_rho",
        "spearman_fdr_bh",
        "discovery_cmh_log_or",
        "discovery_fdr",
        "confirmation_cmh_log_or",
        "confirmation_fdr",
        "discovered",
        "replicated",
        "l1",
        "both_l1",
        "mean_tp",
        "mean_fp",
        "difference",
        "auroc_within",
        "rank_fdr_bh",
    ];
    if table.rows() == atoms && table.name != "atoms" {
        table.columns.retain(|column| kept.contains(&&*column.name));
    }
    Some(table)
}

/// Columns of `atoms` that table and pictures begin with.
const FIRST: [&str; 11] = [
    "tp_on",
    "fp_on",
    "neg_log10_p",
    "fdr_bh",
    "cmh_or",
    "cmh_neg_log10_p",
    "cmh_fdr_bh",
    "maxt_p",
    "maxt_neg_log10_p",
    "sign_flip",
    "rank",
];

/// One island of what a page begins with, so that it waits once; the name and length of each piece
/// in it; and the islands of all others.
pub(super) fn first(pieces: Vec<Piece>, tables: &[Value]) -> (Island, Value, Vec<Island>) {
    let mut ids = vec!["claims", "map"];
    for table in tables.iter().filter(|table| table["name"] == "atoms") {
        let columns = table["columns"].as_array().into_iter().flatten();
        let wanted = columns.filter(|column| FIRST.iter().any(|name| column["n"] == *name));
        ids.extend(wanted.filter_map(|column| column["i"].as_str()));
    }
    let is_first = |piece: &Piece| ids.contains(&&*piece.id);
    let (first, others): (Vec<Piece>, Vec<Piece>) = pieces.into_iter().partition(is_first);
    let lengths = first
        .iter()
        .map(|piece| json!([piece.id, piece.bytes.len()]));
    let lengths = Value::Array(lengths.collect());
    let bytes = first.into_iter().flat_map(|piece| piece.bytes).collect();
    let others = others.par_iter().map(Piece::pack).collect();
    (Piece::new("first", bytes).pack(), lengths, others)
}

/// What the notebook says of each atom; missing of those that it leaves out.
fn notebook(notebook: &NotebookTables, atoms: usize) -> Table {
    let mut adjusted = vec![f64::NAN; atoms];
    for row in &notebook.bias.atoms {
        if let Some(place) = adjusted.get_mut(row.atom as usize) {
            *place = row.fdr_corrected;
        }
    }
    let numbers = Values::U32((0..atoms as u32).collect());
    Table {
        name: "notebook",
        about: "What the notebook says of each atom.",
        columns: vec![
            Column::new("atom", "The atom's number, from 0.", numbers),
            Column::new(
                "fdr",
                "The notebook's p, chi2_p, adjusted by Benjamini and Hochberg over its atoms.",
                Values::F64(adjusted),
            ),
        ],
    }
}

/// The procedures, and a piece with a number an atom: bit i is 1 where the i-th procedure claims it.
fn claims(extended: &ExtendedTables) -> (Value, Piece) {
    let claimed = claimed_atoms(extended);
    let mut bits = vec![0_u32; extended.atoms.len()];
    for (number, (_, _, atoms)) in claimed.iter().enumerate() {
        for (bits, &is_claimed) in bits.iter_mut().zip(atoms) {
            *bits |= u32::from(is_claimed) << number;
        }
    }
    let (width, bytes) = whole(&bits);
    let names = claimed.iter().map(|(procedure, scope, _)| {
        json!({"procedure": procedure.as_str(), "scope": scope_name(*scope)})
    });
    let about = json!({"w": width, "i": "claims", "names": names.collect::<Vec<_>>()});
    (about, Piece::new("claims", bytes))
}

/// The name of a scope, as the script has it.
pub(super) fn scope_name(scope: Scope) -> &'static str {
    match scope {
        Scope::WithinStrata => "within_strata",
        Scope::AllCalls => "all_calls",
        Scope::Scores => "scores",
    }
}

fn numbers_of(atoms: &[AtomBias]) -> Vec<u32> {
    atoms.iter().map(|row| row.atom).collect()
}

fn calls_of(list: &[Category]) -> Value {
    let each = list.iter();
    categories(each.map(|category| (&*category.name, category.tp, category.fp)))
}

fn about(
    page: &Page<'_>,
    extended: &ExtendedTables,
    facts: Option<&CallFacts>,
    strata: &StrataCounts,
) -> About {
    let of_strata = strata.strata().iter().map(|(key, [tp, fp])| {
        let size = key.size.map(crate::tally::SizeBin::name);
        let dataset = key.dataset.as_deref().map(short);
        json!([key.svtype.as_deref().map(short), size, dataset, tp, fp])
    });
    let NotebookTables {
        top_tp_biased: tp_biased,
        top_fp_biased: fp_biased,
        ..
    } = page.notebook;
    About {
        min_support: extended.options.min_support,
        log_or_median: extended.displacement.map(|found| found.median.value),
        scheme: [
            extended.scheme.svtype,
            extended.scheme.size,
            extended.scheme.dataset,
        ],
        strata: Value::Array(of_strata.collect()),
        chromosomes: json!(facts.map(|facts| calls_of(&facts.chromosomes.list))),
        sizes: json!(facts.map(|facts| plots::sizes_of(facts).1)),
        has_scores: (extended.firings.as_ref()).is_some_and(|firings| firings.has_scores),
        has_firings: facts.is_some(),
        top: examples::Numbers::of(extended.atoms.len()).top,
        notebook: [numbers_of(tp_biased), numbers_of(fp_biased)],
        summary: json!(page.summary),
        ..About::of_counts(
            extended.atoms.len(),
            [extended.tp, extended.fp],
            page.settings,
        )
    }
}
