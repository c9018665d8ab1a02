//! Files of regions: BED, and lists of such files as GIAB has them.
//!
//! | file | what it reads |
//! |---|---|
//! | `lines` | text, plain or compressed, line by line |
//! | `row` | a row of BED |
//! | `list` | a list of names and paths |

mod lines;
mod list;
mod row;

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::lines::Lines;
use self::row::{Kind, Row};
use super::budget::Budget;
use super::source::Source;
use super::words::Words;
use crate::error::{Error, Result};
use crate::regions::RegionSet;

/// Regions that were read, by their names.
#[derive(Debug, Clone, Default)]
pub struct Regions {
    /// The sets, in the order of the files and of their first rows.
    pub sets: Vec<RegionSet>,
    /// The file of each set.
    pub paths: Vec<PathBuf>,
    /// Sentences on what is odd.
    pub warnings: Vec<String>,
}

/// The name of the sets of a file's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NamedBy {
    /// That of the file: one set a file.
    #[default]
    File,
    /// That in column 4: one set a name.
    Column,
}

impl Regions {
    /// Reads a BED file (plain, gzip or bgzip), or a list of such files: rows of a name, a tab and a path
    /// relative to the list, as GIAB's stratifications have them. The content tells which it is.
    ///
    /// Rows of BED may overlap and nest; lines of `track`, `browser` and `#` are passed over.
    ///
    /// # Errors
    /// A file that cannot be read, or is of another kind; a row without a contig and two positions, or
    /// whose end is before its start; a list of files that are not there.
    pub fn read(path: &Path, by: NamedBy) -> Result<Self> {
        let source = Source::open(path)?;
        if let Some(list) = list::read(&source)? {
            let mut all = Self::default();
            for (name, path) in list {
                let found = read_file(&Source::open(&path)?, NamedBy::File, Some(name))?;
                all.add(found);
            }
            return Ok(all);
        }
        read_file(&source, by, None)
    }

    /// Adds what was read of another file.
    pub fn add(&mut self, other: Self) {
        self.sets.extend(other.sets);
        self.paths.extend(other.paths);
        self.warnings.extend(other.warnings);
    }

    /// Checks that no two sets have one name.
    ///
    /// # Errors
    /// The name that two have, with their files.
    pub fn check_names(&self) -> Result<()> {
        let mut seen = HashMap::new();
        for (set, path) in self.sets.iter().zip(&self.paths) {
            if let Some(other) = seen.insert(&set.name, path) {
                return Err(Error::input(
                    path.display().to_string(),
                    "the name of a region",
                    format!("{:?}, which {} has too", set.name, other.display()),
                    "a name of its own for each set of regions",
                    "rename one of the files, or put both into one",
                ));
            }
        }
        Ok(())
    }

    /// Takes out sets that are complements of others, as `notin…` among GIAB's are: a test of the one is
    /// a test of the other. Returns their names.
    pub fn take_complements(&mut self) -> Vec<String> {
        let names: Vec<String> = self.sets.iter().map(|set| set.name.clone()).collect();
        let is_complement = |name: &str| {
            let place = name.find("notin");
            place.is_some_and(|at| {
                let of = format!("{}{}", &name[..at], &name[at + "notin".len()..]);
                let of_in = format!("{}in{}", &name[..at], &name[at + "notin".len()..]);
                names.iter().any(|name| *name == of || *name == of_in)
            })
        };
        let sets = std::mem::take(&mut self.sets).into_iter();
        let mut complements = Vec::new();
        for (set, path) in sets.zip(std::mem::take(&mut self.paths)) {
            if is_complement(&set.name) {
                complements.push(set.name);
            } else {
                self.sets.push(set);
                self.paths.push(path);
            }
        }
        complements
    }
}

/// The bytes of memory that a row takes, and again as it is sorted; and those of a set of regions.
const ROW: u64 = 80;
const SET: u64 = 1024;
/// Those of a contig's name besides its letters.
const LETTERS: usize = 64;

/// The rows of each name, in the order of first rows.
#[derive(Default)]
struct ByName {
    names: Vec<String>,
    places: HashMap<String, usize>,
    rows: Vec<Vec<(Arc<str>, Range<u64>)>>,
    /// The contigs that rows share.
    contigs: Words,
}

impl ByName {
    fn is_new(&self, name: &str) -> bool {
        !self.places.contains_key(name)
    }

    fn push(&mut self, name: &str, row: &Row<'_>) {
        let place = if let Some(&place) = self.places.get(name) {
            place
        } else {
            self.places.insert(name.to_owned(), self.names.len());
            self.names.push(name.to_owned());
            self.rows.push(Vec::new());
            self.names.len() - 1
        };
        if let Some(rows) = self.rows.get_mut(place) {
            rows.push((self.contigs.of(row.contig), row.start..row.end));
        }
    }
}

fn read_file(source: &Source, by: NamedBy, name: Option<String>) -> Result<Regions> {
    let of_file = name.unwrap_or_else(|| file_name(source.path()));
    let mut lines = Lines::open(source)?;
    let mut all = ByName::default();
    let (mut blanks, mut empty, mut rows) = (0u64, 0u64, 0u64);
    let mut budget = Budget::of(source);
    while lines.advance()? {
        let text = lines.text();
        let row = match row::parse(text, rows == 0) {
            Ok(Kind::Row(row)) => row,
            Ok(Kind::PassedOver) => continue,
            Err(wrong) => return Err(lines.bad(wrong)),
        };
        rows += 1;
        blanks += u64::from(row.by_blanks);
        empty += u64::from(row.start == row.end);
        let letters = if all.contigs.has(row.contig) {
            0
        } else {
            row.contig.len() + LETTERS
        };
        budget.take(ROW + letters as u64, format_args!("row {rows}"), "regions")?;
        match by {
            NamedBy::File => all.push(&of_file, &row),
            NamedBy::Column => {
                let Some(name) = row.name else {
                    return Err(lines.bad(row::no_name(text)));
                };
                if all.is_new(name) {
                    budget.take(
                        SET + name.len() as u64,
                        format_args!("row {rows}"),
                        "names of regions",
                    )?;
                }
                all.push(name, &row);
            }
        }
    }
    if rows == 0 {
        return Err(Error::input(
            source.name(),
            "the rows",
            "none",
            "at least one: contig, start and end, divided by tabs",
            "give the file of regions itself",
        ));
    }
    let mut warnings = Vec::new();
    let mut warn = |count: u64, what: &str| {
        if count > 0 {
            warnings.push(format!("{}: {count} of {rows} rows {what}", source.name()));
        }
    };
    warn(blanks, "have their columns divided by blanks, not by tabs");
    warn(empty, "are empty: no base lies in them");
    let sets = all.names.into_iter().zip(all.rows);
    Ok(Regions {
        paths: vec![source.path().to_owned(); sets.len()],
        sets: sets
            .map(|(name, rows)| RegionSet::new(name, rows))
            .collect(),
        warnings,
    })
}

/// The name of a file without `.bed` and `.gz`.
fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut name = &*name;
    for suffix in [".gz", ".bgz", ".bed", ".tsv", ".txt"] {
        name = name.strip_suffix(suffix).unwrap_or(name);
    }
    name.to_owned()
}
