//! The printed report: a summary of what holds; the notebook's analysis, character for character as the
//! notebook prints it; and what holds in detail.

mod empty;
mod evidence;
mod investigation;
mod landscape;
mod numbers;
mod pairs;
mod summary;
mod svtype;

use std::fmt;

use crate::stats::evidence::Summary;
use crate::stats::notebook::{Investigation, NotebookTables};

pub use empty::Nothing;
pub use summary::{ACTIVATIONS_GIVEN, Short};

/// The sentences of the printed report that other forms of it share.
pub(in crate::report) mod words {
    pub(in crate::report) use super::evidence::{atom_caution, caution, meaning};
    pub(in crate::report) use super::numbers::{claimed_by, figure, p_text, percent};
}

/// The text that replaces what cannot be told from counts alone.
const NO_DETAILS: &str = "Not told: counts alone do not tell, and no firing sets were given";

/// The whole text, from ` SAE Feature Bias Landscape` to the summary's last line; before it one
/// line on calls that were dropped, where there are any.
///
/// ```no_run
/// # fn show(findings: &atomscope::stats::notebook::NotebookTables) {
/// print!("{}", atomscope::report::text::Analysis(findings));
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Analysis<'a>(pub &'a NotebookTables);

/// The whole printed report: the summary, the notebook's analysis as one unbroken section, and then what
/// holds in detail. Without the extended tables it is the notebook's analysis alone, after what a model
/// of batch top-k deserves as a caution, or a line on activations where these were given.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// The notebook's.
    pub notebook: &'a NotebookTables,
    /// The summary of the notebook's and the extended tables.
    pub summary: &'a Summary,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(findings) = &self.summary.extended else {
            summary::batches(f, self.summary)?;
            summary::given(f, self.summary)?;
            return Analysis(self.notebook).fmt(f);
        };
        Short(self.summary).fmt(f)?;
        writeln!(f)?;
        Analysis(self.notebook).fmt(f)?;
        evidence::section(f, findings)
    }
}

/// The text on one atom: the notebook's for an atom of the table; for another one that it is not
/// there, why, and the same details.
#[derive(Debug, Clone, Copy)]
pub struct Detail<'a> {
    /// The result of the investigation.
    pub investigation: &'a Investigation,
    /// The least support of the table's atoms.
    pub min_support: u64,
}

impl fmt::Display for Analysis<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let findings = self.0;
        landscape::dropped(f, findings)?;
        landscape::landscape(f, findings)?;
        landscape::top_lists(f, findings)?;
        svtype::section(f, &findings.sv_types)?;
        investigation::section(f, findings)?;
        pairs::section(f, findings)?;
        landscape::summary(f, findings)
    }
}

impl fmt::Display for Detail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        investigation::detail(f, self.investigation, self.min_support)
    }
}

/// A title over a line of `width` times `=`.
fn title(f: &mut fmt::Formatter<'_>, title: &str, width: usize) -> fmt::Result {
    writeln!(f, " {title}\n{}", "=".repeat(width))
}

/// `part` of `whole` in percent, by Python's `part / whole * 100`; 0 of nothing is 0.
fn percent(part: u64, whole: u64) -> f64 {
    crate::stats::notebook::exact::ratio(part.into(), whole.into()) * 100.0
}
