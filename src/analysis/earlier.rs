//! Earlier results, read back from their tables.

use std::path::Path;

use crate::error::{Error, Result};
use crate::outputs::RECORD;
use crate::read::{column, columns_and_count, file_texts};
use crate::regular;
use crate::report::html::{Earlier, Meaning, Nearest, Neighbour};
use crate::report::table::parquet::{ABOUT, COLUMNS};
use crate::report::table::{Column, Table, Values};

/// Tables of atoms that a page of tables alone shows.
const TABLES: [&str; 7] = [
    "atoms",
    "atom_sizes",
    "atom_scores",
    "atom_reasons",
    "atom_regions",
    "replication",
    "replication_summary",
];

/// The largest table that is read whole, in rows for each atom.
const MOST_ROWS: usize = 100_000;
/// The most bytes of a record or of a report.
const LONGEST: u64 = 256 << 20;

/// The most pairs of which neighbours are told.
const MOST_PAIRS: usize = 20_000_000;

/// Columns that are neither numbers nor yes and no.
const TEXTS: [&str; 6] = ["region", "reason", "name", "measure", "quantity", "side"];

/// Reads the tables of a folder of results, as far as they are there.
///
/// # Errors
/// A folder of another version, one without a table of atoms, and tables that cannot be read.
pub(super) fn read(folder: &Path) -> Result<Earlier> {
    let record = record(folder)?;
    if !folder.join("atoms.parquet").is_file() {
        let found = match &record {
            None => "neither report.html, nor atoms.parquet, nor run.json",
            Some(_) => "run.json, without report.html and without atoms.parquet",
        };
        return Err(refused(
            folder,
            found,
            "run analyze or report again, or give the tally",
        ));
    }
    let mut earlier = Earlier::default();
    for name in TABLES {
        let path = folder.join(format!("{name}.parquet"));
        if !path.is_file() {
            continue;
        }
        if let Some(table) = table(name, &path)? {
            earlier.tables.push(table);
            earlier.meanings.push(meaning(&path));
        }
    }
    let atoms = earlier.tables.first().map_or(0, Table::rows);
    earlier.types = calls_of(&folder.join("atom_types.parquet"), "svtype")?;
    earlier.chromosomes = calls_of(&folder.join("atom_chromosomes.parquet"), "chrom")?;
    earlier.neighbours = neighbours(&folder.join("atom_pairs.parquet"), atoms)?;
    let report = regular::read(&folder.join("report.txt"), LONGEST).unwrap_or_default();
    earlier.report = String::from_utf8(report).unwrap_or_default();
    let options = record.as_ref().and_then(|record| record.options.as_ref());
    earlier.min_support = options.and_then(|options| options.min_support);
    earlier.missing = missing(folder, record.as_ref());
    Ok(earlier)
}

/// The parts of a record that a page is made of. All else in it is passed over, and takes no memory.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Record {
    atomscope: Option<String>,
    options: Option<OptionsOfRun>,
    outputs: Option<Vec<Output>>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct OptionsOfRun {
    min_support: Option<u64>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Output {
    name: Option<String>,
}

/// The record of the run, where it is there.
fn record(folder: &Path) -> Result<Option<Record>> {
    let path = folder.join(RECORD);
    if !path.is_file() {
        return Ok(None);
    }
    let bytes = regular::bytes(&path, LONGEST)?;
    let record: Option<Record> = serde_json::from_slice(&bytes).ok();
    let version = record
        .as_ref()
        .and_then(|record| record.atomscope.as_deref());
    if version == Some(env!("CARGO_PKG_VERSION")) {
        return Ok(record);
    }
    let found = match version {
        Some(version) => format!("results of version {version}"),
        None => "a record without a version".to_owned(),
    };
    Err(Error::input(
        path.display().to_string(),
        "atomscope",
        found,
        concat!("results of version ", env!("CARGO_PKG_VERSION")),
        "make the page with the version that made the results, or the results again",
    ))
}

fn refused(folder: &Path, found: &str, what: &str) -> Error {
    Error::input(
        folder.display().to_string(),
        "the folder",
        found,
        "results of analyze or report: report.html, or atoms.parquet and what is beside it",
        what,
    )
}

/// Sentences on what a page of these tables does without.
fn missing(folder: &Path, record: Option<&Record>) -> Vec<String> {
    let mut missing = vec![
        "The page was made from tables alone: it has no example calls, no scores and no sizes of calls, and no \
         effects by stratum on the cards. atomscope html on the tally, with the firing sets beside it, has them."
            .to_owned(),
    ];
    let Some(record) = record else {
        missing.push(
            "run.json is not there, so the version that made the tables is not known.".to_owned(),
        );
        return missing;
    };
    let outputs = record.outputs.iter().flatten();
    let names = outputs.filter_map(|output| output.name.as_deref());
    let gone: Vec<&str> = names.filter(|name| !folder.join(name).is_file()).collect();
    if !gone.is_empty() {
        missing.push(format!(
            "The run wrote these files too, which are no longer in the folder: {}.",
            gone.join(", ")
        ));
    }
    missing
}

/// What a table says of itself; nothing where another program wrote it.
fn meaning(path: &Path) -> Meaning {
    let mut texts = file_texts(path).unwrap_or_default();
    let columns = texts.remove(COLUMNS);
    let columns = columns.and_then(|columns| serde_json::from_str(&columns).ok());
    Meaning {
        table: texts.remove(ABOUT),
        columns: columns.unwrap_or_default(),
    }
}

/// A table; `None` of one that is too long for a page.
fn table(name: &'static str, path: &Path) -> Result<Option<Table>> {
    let (names, rows) = columns_and_count(path)?;
    if rows > MOST_ROWS && name != "atoms" {
        return Ok(None);
    }
    let read = |name: String| {
        let values = values(path, &name)?;
        Ok(Column::new(
            name,
            "The file does not say what it means.",
            values,
        ))
    };
    let columns = names.into_iter().map(read).collect::<Result<Vec<_>>>()?;
    let table = Table {
        name,
        about: "A table of earlier results.",
        columns,
    };
    let checked = table.check().map(|()| Some(table));
    checked.map_err(|source| Error::reading(path, source))
}

/// A column as what its texts are: whole numbers, yes and no, other numbers, or texts.
fn values(path: &Path, name: &str) -> Result<Values> {
    let texts = column(path, name)?;
    let all = || (0..texts.len()).map(|row| texts.get(row));
    if TEXTS.contains(&name) || name.starts_with("replicat") && name != "replicated" {
        return Ok(Values::Text(
            all().map(|text| text.map(str::to_owned)).collect(),
        ));
    }
    let is_yes_or_no =
        |text: Option<&str>| matches!(text, None | Some("true" | "false" | "True" | "False"));
    if all().any(|text| text.is_some()) && all().all(is_yes_or_no) {
        let yes = |text: &str| text.eq_ignore_ascii_case("true");
        return Ok(Values::Bool(all().map(|text| text.map(yes)).collect()));
    }
    let whole: Option<Vec<u32>> = all().map(|text| text?.parse().ok()).collect();
    if let Some(whole) = whole.filter(|_| name != "rank") {
        return Ok(Values::U32(whole));
    }
    let number = |text: Option<&str>| match text {
        None => Some(f64::NAN),
        Some(text) => text.parse().ok(),
    };
    let numbers: Option<Vec<f64>> = all().map(number).collect();
    Ok(match numbers {
        Some(numbers) => Values::F64(numbers),
        None => Values::Text(all().map(|text| text.map(str::to_owned)).collect()),
    })
}

/// The calls of each category of a table of atoms and categories: name, true ones, false ones.
fn calls_of(path: &Path, category: &str) -> Result<Vec<(String, u64, u64)>> {
    if !path.is_file() {
        return Ok(Vec::new());
    }
    let [names, calls, tp] = [category, "calls", "tp"].map(|name| column(path, name));
    let (names, calls, tp) = (names?, calls?, tp?);
    let mut found = indexmap::IndexMap::<&str, (u64, u64)>::new();
    for row in 0..names.len() {
        let count = |text: Option<&str>| text.and_then(|text| text.parse::<u64>().ok());
        if let (Some(name), Some(calls), Some(tp)) =
            (names.get(row), count(calls.get(row)), count(tp.get(row)))
        {
            found.entry(name).or_insert((tp, calls.saturating_sub(tp)));
        }
    }
    let all = found.into_iter();
    Ok(all
        .map(|(name, (tp, fp))| (name.to_owned(), tp, fp))
        .collect())
}

/// The nearest atoms of each by φ, where pairs are there.
fn neighbours(path: &Path, atoms: usize) -> Result<Vec<Vec<Neighbour>>> {
    if !path.is_file() || columns_and_count(path)?.1 > MOST_PAIRS {
        return Ok(Vec::new());
    }
    let columns = ["atom_a", "atom_b", "count", "phi"].map(|name| values(path, name));
    let [a, b, count, phi] = columns;
    let (Values::U32(a), Values::U32(b), Values::U32(count), Values::F64(phi)) =
        (a?, b?, count?, phi?)
    else {
        return Ok(Vec::new());
    };
    let mut nearest = Nearest::new(atoms);
    for (((&a, &b), &count), &phi) in a.iter().zip(&b).zip(&count).zip(&phi) {
        nearest.add([a, b], count, phi);
    }
    Ok(nearest.0)
}
