//! The files that an analysis writes: one list, of which names, help and documents are made.

mod folder;
mod page;
mod parquet;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;

use super::counted::Counted;
use super::tables::Tables;
use crate::cohort::Calls;
use crate::control::Control;
use crate::error::{Error, Result};
use crate::fires::FiringSets;
use crate::outputs::{PLACING, RECORD};
use crate::report::table::{Table, tsv};
use crate::report::{csv, json, mqc, npy, tables};
use crate::stats::evidence::ExtendedTables;
use crate::stats::evidence::summary::Confirmed;

pub use folder::ResultsFolder;
pub use page::page;

/// One file that an analysis may write.
pub struct Output {
    /// Its name.
    pub name: &'static str,
    /// The content of the file, in a few words.
    pub about: &'static str,
    content: Content,
}

/// The way in which it is written, and the condition for it.
enum Content {
    /// A function that says whether there is something to write, and one that writes it.
    File(
        fn(&Found<'_>) -> bool,
        fn(&Found<'_>, &mut dyn Write) -> Result<()>,
    ),
    /// A table as Parquet, where there is one.
    Parquet(fn(&ExtendedTables) -> Option<Table>),
    /// A table as text, where there is one.
    Text(fn(&ExtendedTables) -> Option<Table>),
    /// The table of pairs as Parquet, which is written in parts.
    Pairs,
}

/// The results to be written.
struct Found<'a> {
    counted: &'a Counted,
    tables: &'a Tables,
    control: &'a Control<'a>,
    save: Save,
    report: &'a str,
}

/// A new output of an analysis is a line here: its name, what it holds, whether it is made, and what
/// writes it.
pub const OUTPUTS: &[Output] = &[
    Output {
        name: "sae_feature_bias_analysis.csv",
        about: "the notebook's table of atoms",
        content: Content::File(always, |found, out| {
            writing(csv::bias(&found.tables.notebook.bias, out))
        }),
    },
    Output {
        name: "top_biased_features.json",
        about: "the notebook's lists of the most biased atoms",
        content: Content::File(always, |found, out| {
            writing(json::top_biased(&found.tables.notebook, out))
        }),
    },
    Output {
        name: "report.txt",
        about: "the printed report",
        content: Content::File(always, |found, out| {
            writing(out.write_all(found.report.as_bytes()))
        }),
    },
    Output {
        name: PAGE,
        about: "the report to look at: every atom, plots, and the calls behind them, in one file",
        content: Content::File(
            |found| found.save.html != Html::No && found.tables.extended.is_some(),
            page::write,
        ),
    },
    Output {
        name: "atomscope_mqc.json",
        about: "the headline figures, for MultiQC",
        content: Content::File(
            |found| found.tables.extended.is_some(),
            |found, out| writing(mqc::headline(&found.tables.summary, out)),
        ),
    },
    Output {
        name: "atomscope_volcano_mqc.json",
        about: "the strongest atoms by effect and certainty, for MultiQC",
        content: Content::File(
            |found| found.tables.extended.is_some(),
            |found, out| {
                let extended = found.tables.extended.as_ref();
                let summary = &found.tables.summary;
                extended.map_or(Ok(()), |extended| {
                    writing(mqc::volcano(summary, extended, out))
                })
            },
        ),
    },
    Output {
        name: "coactivation.csv",
        about: "the notebook's pairs of the most biased atoms",
        content: Content::File(
            |found| found.tables.notebook.has_firings,
            |found, out| writing(csv::coactivation(&found.tables.notebook.coactivation, out)),
        ),
    },
    Output {
        name: FIRING_SETS,
        about: "the atoms that fire on each call, uint32 [calls, k], where they are saved",
        content: Content::File(
            |found| found.saves_firings() && found.top_k().is_some(),
            write_uniform,
        ),
    },
    Output {
        name: "fires.npz",
        about: "the same, where calls differ in how many atoms fire: a sparse matrix (CSR)",
        content: Content::File(
            |found| found.saves_firings() && found.top_k().is_none(),
            write_ragged,
        ),
    },
    Output {
        name: CALL_ATOMS,
        about: "every call with the confirmed atoms that fire on it, for annotate, where they are saved",
        content: Content::File(
            |found| {
                let has_firings = found.counted.firings.is_some();
                found.save.calls && has_firings && found.tables.extended.is_some()
            },
            write_call_atoms,
        ),
    },
    Output {
        name: "dropped_rows.npy",
        about: "rows with a NaN or an infinity, where they were skipped",
        content: Content::File(
            |found| found.counted.cohort.shards.dropped().next().is_some(),
            |found, out| {
                let dropped: Vec<u64> = found.counted.cohort.shards.dropped().collect();
                writing(npy::rows(&dropped, out))
            },
        ),
    },
    Output {
        name: "atoms.parquet",
        about: "every atom: counts, effects, tests, strata, activation",
        content: Content::Parquet(|tables| Some(tables::atoms(tables))),
    },
    Output {
        name: "atoms.tsv",
        about: "the same as text",
        content: Content::Text(|tables| Some(tables::atoms(tables))),
    },
    Output {
        name: "atom_types.parquet",
        about: "every atom against every SV type",
        content: Content::Parquet(|tables| Some(tables::types(&tables.types))),
    },
    Output {
        name: "atom_sizes.parquet",
        about: "the sizes of the calls on which each atom fires",
        content: Content::Parquet(|tables| tables.firings.as_ref().map(tables::sizes)),
    },
    Output {
        name: "atom_values.parquet",
        about: "the quantities of the calls on which each atom fires, where any are described",
        content: Content::Parquet(|tables| tables.values.as_ref().map(tables::atom_values)),
    },
    Output {
        name: "atom_chromosomes.parquet",
        about: "every atom against every chromosome",
        content: Content::Parquet(|tables| {
            let firings = tables.firings.as_ref()?;
            Some(tables::chromosomes(&firings.chromosomes))
        }),
    },
    Output {
        name: "atom_datasets.parquet",
        about: "every atom against every dataset",
        content: Content::Parquet(|tables| {
            let firings = tables.firings.as_ref()?;
            Some(tables::datasets(&firings.datasets))
        }),
    },
    Output {
        name: "atom_scores.parquet",
        about: "every atom by its score on every call, where scores were compared",
        content: Content::Parquet(|tables| tables.scores.as_ref().map(tables::scores)),
    },
    Output {
        name: "atom_pairs.parquet",
        about: "pairs of atoms that fire together",
        content: Content::Pairs,
    },
    Output {
        name: "atom_reasons.parquet",
        about: "every atom on true calls against the false calls of each reason, where calls have reasons",
        content: Content::Parquet(|tables| tables.reasons.as_ref().map(tables::atom_reasons)),
    },
    Output {
        name: "regions.tsv",
        about: "the labels of the calls in each region, where regions were given",
        content: Content::Text(|tables| tables.regions.as_ref().map(tables::regions)),
    },
    Output {
        name: "atom_regions.parquet",
        about: "every atom in each region against outside, likewise",
        content: Content::Parquet(|tables| tables.regions.as_ref().map(tables::atom_regions)),
    },
    Output {
        name: "prediction.tsv",
        about: "how well each model predicts the label, where that was asked for",
        content: Content::Text(|tables| tables.prediction.as_ref().and_then(tables::prediction)),
    },
    Output {
        name: "call_predictions.parquet",
        about: "every call's chance of being false, by models that have not seen it, likewise",
        content: Content::Parquet(|tables| {
            tables
                .prediction
                .as_ref()
                .and_then(tables::call_predictions)
        }),
    },
    Output {
        name: "prediction_atoms.parquet",
        about: "every atom's coefficients, likewise",
        content: Content::Parquet(|tables| {
            tables
                .prediction
                .as_ref()
                .and_then(tables::prediction_atoms)
        }),
    },
    Output {
        name: "replication.parquet",
        about: "every atom in both parts of the cohort, where it was split",
        content: Content::Parquet(|tables| {
            let replicated = tables.replication.as_ref()?;
            Some(tables::replication(&replicated.found))
        }),
    },
    Output {
        name: "replication_summary.parquet",
        about: "how far the parts agree, likewise",
        content: Content::Parquet(|tables| {
            tables.replication.as_ref().map(tables::replication_summary)
        }),
    },
];

/// The report that people look at.
pub(in crate::analysis) const PAGE: &str = "report.html";

/// The atoms that fire on each call, where these are as many on each.
const FIRING_SETS: &str = "fires.npy";

/// Every call with the confirmed atoms that fire on it.
pub(super) const CALL_ATOMS: &str = "call_atoms.tsv";

/// Whether the page is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Html {
    /// Beside all other files.
    #[default]
    Yes,
    /// Not.
    No,
    /// Alone: the record is the only file beside it.
    Only,
}

/// What a run saves of single calls, and whether it writes the page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Save {
    /// The firing sets.
    pub firings: bool,
    /// The calls with the confirmed atoms that fire on them.
    pub calls: bool,
    /// The page.
    pub html: Html,
}

impl Save {
    /// Saves both, or neither.
    pub fn all(is_asked: bool) -> Self {
        Self {
            firings: is_asked,
            calls: is_asked,
            html: Html::default(),
        }
    }
}

/// The names of all files that an analysis may have in its folder, the record and the list of what is
/// about to be put there among them.
pub fn names() -> BTreeSet<String> {
    let outputs = OUTPUTS.iter().map(|output| output.name);
    outputs
        .chain([RECORD, PLACING])
        .map(str::to_owned)
        .collect()
}

/// Every table that would be written of these, each once, in the list's order; that of pairs without
/// rows.
pub fn tables_of(extended: &ExtendedTables) -> Vec<Table> {
    let table = |output: &Output| match output.content {
        Content::Parquet(table) | Content::Text(table) => table(extended),
        Content::Pairs => Some(tables::pairs(extended.pairs.as_ref()?.chunk(0..0))),
        Content::File(..) => None,
    };
    let mut names = BTreeSet::new();
    let of_calls = extended.firings.is_some().then(|| {
        let none = (&Calls::default(), 0);
        tables::call_atoms(&Confirmed::of(extended), none, &[])
    });
    let all = OUTPUTS.iter().filter_map(table).chain(of_calls);
    all.filter(|table| names.insert(table.name)).collect()
}

/// Makes the table of this name, if it would be written of these: all of its rows, those of pairs too.
pub fn table_named(extended: &ExtendedTables, name: &str) -> Option<Table> {
    OUTPUTS.iter().find_map(|output| {
        let is_named = output.name.split('.').next() == Some(name);
        match output.content {
            _ if !is_named => None,
            Content::Parquet(table) | Content::Text(table) => table(extended),
            Content::Pairs => {
                let pairs = extended.pairs.as_ref()?;
                Some(tables::pairs(pairs.chunk(0..pairs.len())))
            }
            Content::File(..) => None,
        }
    })
}

/// The outputs with what they hold, a line each, for the help.
pub fn help() -> String {
    let record = (RECORD, "what ran, on what, how, and which files it wrote");
    let outputs = OUTPUTS.iter().map(|output| (output.name, output.about));
    let lines = outputs.chain([record]);
    let lines = lines.map(|(name, about)| format!("\n  {name:<30} {about}"));
    "Outputs:".to_owned() + &lines.collect::<String>()
}

impl Found<'_> {
    fn saves_firings(&self) -> bool {
        self.save.firings && self.counted.firings.is_some()
    }

    fn top_k(&self) -> Option<u64> {
        self.counted.cohort.model.top_k
    }

    /// Calls that were not dropped.
    fn kept(&self) -> u64 {
        self.counted.cohort.tally.rows_where(|_| true)
    }

    /// Passes the firing sets to `take`, a part of the calls at a time, until the work is cancelled.
    fn each_part(&self, mut take: impl FnMut(&FiringSets) -> Result<()>) -> Result<()> {
        let Some(store) = self.counted.store() else {
            return Ok(());
        };
        store.sets(&mut |sets| {
            self.control.check()?;
            take(sets)
        })
    }
}

fn always(_: &Found<'_>) -> bool {
    true
}

/// A failure to write, which whoever has the file's name completes.
fn writing<T>(written: io::Result<T>) -> Result<T> {
    written.map_err(|e| Error::writing(Path::new(FIRING_SETS), e))
}

fn write_uniform(found: &Found<'_>, out: &mut dyn Write) -> Result<()> {
    let shape = [found.kept(), found.top_k().unwrap_or(0)];
    let mut array = writing(npy::FiringSetsWriter::begin(shape, out))?;
    found.each_part(|sets| writing(array.add(sets)))?;
    writing(array.finish())
}

fn write_ragged(found: &Found<'_>, out: &mut dyn Write) -> Result<()> {
    let firings = found.counted.cohort.tally.firings();
    let (rows, atoms) = (found.kept(), found.counted.cohort.model.feature_dim);
    let mut array = writing(npy::SparseWriter::begin([rows, atoms], firings, out))?;
    found.each_part(|sets| writing(array.add(sets)))?;
    writing(array.finish())
}

fn write_call_atoms(found: &Found<'_>, out: &mut dyn Write) -> Result<()> {
    const PIECE: usize = 1 << 14;
    let extended = found.tables.extended.as_ref();
    let (Some(extended), Some(store)) = (extended, found.counted.store()) else {
        return Ok(());
    };
    let confirmed = Confirmed::of(extended);
    let none = tables::call_atoms(&confirmed, (&Calls::default(), 0), &[]);
    writing(tsv::header(&none, out))?;
    store.blocks(&mut |block| {
        let rows: Vec<_> = block.sets.iter().collect();
        rows.chunks(PIECE).try_for_each(|rows| {
            found.control.check()?;
            let table = tables::call_atoms(&confirmed, (block.calls, block.first), rows);
            writing(tsv::rows(&table, out))
        })
    })
}
