//! The arguments of the page that people look at.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::analysis::outputs::Html;
use crate::error::{Error, Result};
use crate::regular;
use crate::report::html::{Genome, Settings};

/// What the page has beside results.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Page")]
pub(in crate::cli) struct PageArgs {
    /// The assembly of the calls' positions: links to UCSC, Ensembl and IGV for every call shown
    #[arg(long, value_name = "ASSEMBLY", value_enum)]
    genome: Option<GenomeArg>,

    /// Names of atoms, shown wherever the page names one: a table of atom and name with a tab between,
    /// as the page saves it
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
}

/// Whether the page is made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum HtmlArg {
    /// Beside the other files
    #[default]
    Yes,
    /// Not
    No,
    /// Alone, with run.json
    Only,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum GenomeArg {
    Hg38,
    Hg19,
    Chm13,
}

impl From<HtmlArg> for Html {
    fn from(html: HtmlArg) -> Self {
        match html {
            HtmlArg::Yes => Self::Yes,
            HtmlArg::No => Self::No,
            HtmlArg::Only => Self::Only,
        }
    }
}

impl PageArgs {
    /// The files that are read for it.
    pub(in crate::cli) fn inputs(&self) -> impl Iterator<Item = PathBuf> {
        self.labels.clone().into_iter()
    }

    /// Reads what is in files.
    ///
    /// # Errors
    /// A file of names that cannot be read, or has a line without an atom.
    pub(in crate::cli) fn settings(&self) -> Result<Settings> {
        let labels = self.labels.as_deref().map(read_labels).transpose()?;
        Ok(Settings {
            genome: self.genome.map(|genome| match genome {
                GenomeArg::Hg38 => Genome::Hg38,
                GenomeArg::Hg19 => Genome::Hg19,
                GenomeArg::Chm13 => Genome::Chm13,
            }),
            labels: labels.unwrap_or_default(),
        })
    }
}

/// The greatest length of a table of names.
const LONGEST: u64 = 64 << 20;

/// The names of a table: an atom and its name on each line; a first line of titles, empty lines, atoms
/// without a name and further columns are passed over.
fn read_labels(path: &Path) -> Result<BTreeMap<u32, String>> {
    let bytes = regular::bytes(path, LONGEST)?;
    let refuse = |found: String, expected: &str| Error::Argument {
        name: "names of atoms",
        found: format!("{found} of {}", path.display()),
        expected: expected.to_owned(),
    };
    let text = String::from_utf8(bytes).map_err(|error| {
        let place = error.utf8_error().valid_up_to();
        refuse(format!("bytes that are no text at byte {place}"), "UTF-8")
    })?;
    let mut labels = BTreeMap::new();
    let lines = text.trim_start_matches('\u{feff}').lines();
    for (number, line) in (1..).zip(lines) {
        let (atom, rest) = line.split_once('\t').unwrap_or((line, ""));
        let name = rest.split('\t').next().unwrap_or_default().trim();
        let is_title = number == 1 && !atom.starts_with(|c: char| c.is_ascii_digit() || c == '-');
        match atom.trim().parse::<u32>() {
            Ok(_) if name.is_empty() => {}
            Ok(atom) => {
                let before = labels.insert(atom, name.to_owned());
                if let Some(before) = before.filter(|before| before != name) {
                    let found =
                        format!("{before:?} and, at line {number}, {name:?} for atom {atom}");
                    return Err(refuse(found, "one name for an atom"));
                }
            }
            Err(_) if is_title || line.trim().is_empty() => {}
            Err(_) => {
                let found = format!("{atom:?} at line {number}");
                return Err(refuse(
                    found,
                    "lines of an atom's number, a tab, and its name",
                ));
            }
        }
    }
    Ok(labels)
}
