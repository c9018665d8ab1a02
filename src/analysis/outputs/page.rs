//! The page that people look at, from the tables of the one list.

use std::collections::BTreeSet;
use std::io::Write;

use super::{Content, Found, OUTPUTS, Output};
use crate::analysis::counted::Counted;
use crate::analysis::tables::Tables;
use crate::control::Control;
use crate::error::Result;
use crate::read::Decoder;
use crate::report::html::{Page, Settings};
use crate::report::table::Table;
use crate::stats::evidence::ExtendedTables;

/// Outputs whose tables a page does without: they are long, and cards tell the same.
const LEFT_OUT: [&str; 4] = [
    "atom_types.parquet",
    "atom_chromosomes.parquet",
    "atom_datasets.parquet",
    "call_predictions.parquet",
];

/// Writes the page of these results.
pub(super) fn write(found: &Found<'_>, out: &mut dyn Write) -> Result<()> {
    page(
        found.counted,
        found.tables,
        (found.report, &found.tables.options.page),
        found.control,
        out,
    )
}

/// Writes the page of a cohort's tables, with the printed report and the page's settings.
///
/// # Errors
/// Those of reading firing sets, and of writing; cancellation.
pub fn page(
    counted: &Counted,
    tables: &Tables,
    (report, settings): (&str, &Settings),
    control: &Control,
    out: &mut dyn Write,
) -> Result<()> {
    let extended = tables.extended.as_ref();
    let warnings: Vec<String> = tables.warnings.iter().map(ToString::to_string).collect();
    let shown = extended.map(shown).unwrap_or_default();
    Page {
        summary: &tables.summary,
        extended,
        cohort: &counted.cohort,
        store: counted.store(),
        notebook: &tables.notebook,
        decoder: counted.decoder.as_ref().and_then(Decoder::rows),
        warnings: &warnings,
        report,
        tables: &shown,
        settings,
        memory: extended.map_or(0, |extended| extended.options.memory),
    }
    .write(control, out)
}

/// The tables that a page shows, each once.
fn shown(extended: &ExtendedTables) -> Vec<Table> {
    let table = |output: &Output| match output.content {
        Content::Parquet(table) | Content::Text(table) => table(extended),
        Content::File(..) | Content::Pairs => None,
    };
    let outputs = OUTPUTS
        .iter()
        .filter(|output| !LEFT_OUT.contains(&output.name));
    let stem = |output: &&Output| output.name.split('.').next().unwrap_or_default();
    let mut stems = BTreeSet::new();
    let once = outputs.filter(|output| {
        let is_table = !matches!(output.content, Content::File(..));
        is_table && stems.insert(stem(output))
    });
    once.filter_map(table).collect()
}
