//! Which files to read, and where the label of a record is.

use std::path::PathBuf;

use super::params::{Params, Summary};
use super::reason::How;
use crate::cohort::Label;

/// The place of a record's label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LabelAt {
    /// All records of the file have it.
    File(Label),
    /// A FORMAT key of the sample.
    Format(&'static str),
    /// An INFO key.
    Info(&'static str),
    /// There is none.
    Nowhere,
}

/// A file of the caller's calls.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) path: PathBuf,
    pub(super) label: LabelAt,
}

/// The sample that is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SampleIs {
    /// The first, if there are any.
    First,
    /// This one: the benchmark names it.
    Named(String),
}

/// What to read.
pub(super) struct Plan {
    /// The tool's name.
    pub(super) tool: &'static str,
    /// The version of the tool, where a file says it.
    pub(super) version: Option<String>,
    pub(super) parts: Vec<Part>,
    pub(super) sample: SampleIs,
    /// The name of the truth's sample.
    pub(super) truth_sample: Option<String>,
    pub(super) params: Option<Params>,
    /// The tool's own counts.
    pub(super) summary: Option<Summary>,
    /// How reasons are derived.
    pub(super) how: How,
    /// True if the first file has all calls, and the second those that have its label.
    pub(super) subtract: bool,
    /// Sentences about what the folder has and lacks.
    pub(super) notes: Vec<String>,
}

impl Plan {
    /// A plan without parameters, summary and notes.
    pub(super) fn new(tool: &'static str, parts: Vec<Part>, how: How) -> Self {
        Self {
            tool,
            version: None,
            parts,
            sample: SampleIs::First,
            truth_sample: None,
            params: None,
            summary: None,
            how,
            subtract: false,
            notes: Vec::new(),
        }
    }

    /// A plan of one file.
    pub(super) fn of_file(tool: &'static str, path: PathBuf, label: LabelAt, how: How) -> Self {
        Self::new(tool, vec![Part { path, label }], how)
    }

    /// Says what wrote the calls, and where their labels are.
    pub(super) fn describe(&self) -> String {
        let version = self
            .version
            .as_ref()
            .map(|v| format!(" {v}"))
            .unwrap_or_default();
        let each = self.parts.iter().map(|part| {
            let name = part.path.file_name().unwrap_or_default().to_string_lossy();
            match part.label {
                LabelAt::File(label) => format!("{name}: all {}", label.as_str()),
                LabelAt::Format(key) => format!("{name}: FORMAT/{key}"),
                LabelAt::Info(key) => format!("{name}: INFO/{key}"),
                LabelAt::Nowhere => format!("{name}: no labels"),
            }
        });
        let each: Vec<String> = each.collect();
        format!("{}{version} ({})", self.tool, each.join("; "))
    }
}
