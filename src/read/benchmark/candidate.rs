//! What a path is, before any tool is asked: the names of a folder's files, or a file's header. The
//! folder's own name says nothing.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::tabular::Form;
use crate::error::{Error, Result};
use crate::read::source::Source;
use crate::read::vcf::{Header, Vcf};

/// A path, looked at.
pub(super) struct Candidate {
    pub(super) path: PathBuf,
    pub(super) content: Content,
}

pub(super) enum Content {
    /// The names of the files in a folder.
    Folder(BTreeSet<String>),
    /// The header of a VCF.
    Vcf(Box<Header>),
    /// A Parquet table.
    Parquet,
    /// A table in text.
    Table(Form),
}

/// Endings of a VCF that is read.
const ENDINGS: [&str; 3] = [".vcf", ".vcf.gz", ".vcf.bgz"];

impl Candidate {
    pub(super) fn of(path: &Path) -> Result<Self> {
        let content = if path.is_dir() {
            Content::Folder(names(path)?)
        } else {
            let source = Source::open(path)?;
            if source.head(4)?.starts_with(b"PAR1") {
                Content::Parquet
            } else if let Some(form) = Form::of(&source)? {
                Content::Table(form)
            } else {
                Content::Vcf(Box::new(Vcf::of(source)?.header().clone()))
            }
        };
        Ok(Self {
            path: path.to_owned(),
            content,
        })
    }

    pub(super) fn name(&self) -> String {
        self.path.display().to_string()
    }

    pub(super) fn header(&self) -> Option<&Header> {
        match &self.content {
            Content::Vcf(header) => Some(header),
            _ => None,
        }
    }

    /// Returns the path of the VCF of this stem in a folder, plain or compressed.
    pub(super) fn vcf(&self, stem: &str) -> Option<PathBuf> {
        let Content::Folder(names) = &self.content else {
            return None;
        };
        let mut endings = ENDINGS.iter().map(|ending| format!("{stem}{ending}"));
        let name = endings.find(|name| names.contains(name))?;
        Some(self.path.join(name))
    }

    /// Returns the path of a file in a folder.
    pub(super) fn file(&self, name: &str) -> Option<PathBuf> {
        match &self.content {
            Content::Folder(names) if names.contains(name) => Some(self.path.join(name)),
            _ => None,
        }
    }

    /// Returns the paths of the files in a folder whose name ends so, ascending by name.
    pub(super) fn ending(&self, end: &str) -> Vec<PathBuf> {
        let Content::Folder(names) = &self.content else {
            return Vec::new();
        };
        let names = names.iter().filter(|name| name.ends_with(end));
        names.map(|name| self.path.join(name)).collect()
    }

    /// Returns the paths of VCFs in a folder whose stem ends so, ascending by name.
    pub(super) fn vcfs_ending(&self, end: &str) -> Vec<PathBuf> {
        let Content::Folder(names) = &self.content else {
            return Vec::new();
        };
        let is = |name: &&String| stem(name).is_some_and(|stem| stem.ends_with(end));
        names
            .iter()
            .filter(is)
            .map(|name| self.path.join(name))
            .collect()
    }

    /// Lists the first names in a folder, for a message.
    pub(super) fn listed(&self) -> String {
        const SHOWN: usize = 6;
        let Content::Folder(names) = &self.content else {
            return "a file".to_owned();
        };
        let shown: Vec<&str> = names.iter().take(SHOWN).map(String::as_str).collect();
        match names.len() {
            0 => "an empty folder".to_owned(),
            n if n > SHOWN => format!("a folder with {} and {} more", shown.join(", "), n - SHOWN),
            _ => format!("a folder with {}", shown.join(", ")),
        }
    }
}

/// Returns a VCF's name without its ending; `None` of another name.
pub(super) fn stem(name: &str) -> Option<&str> {
    ENDINGS.iter().find_map(|ending| name.strip_suffix(ending))
}

fn names(path: &Path) -> Result<BTreeSet<String>> {
    let failed = |error| Error::reading(path, error);
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.path().is_file() {
            names.insert(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(names)
}
