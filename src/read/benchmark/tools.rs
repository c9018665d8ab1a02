//! The tools: one a file. Each says what it is known by, which files have the caller's calls, and where
//! their labels are.

mod aardvark;
mod ga4gh;
mod gatk;
mod isec;
mod pairs;
mod plain;
mod rtg;
mod truvari;
mod truvari_ga4gh;
mod vcf2df;
mod vcfdist;
mod wittyer;

use std::fmt::Write;
use std::path::PathBuf;

use super::candidate::{Candidate, Content};
use super::plan::{LabelAt, Plan};
use super::reason::How;
use crate::error::{Choice, Error, Proposal, Result};

/// A tool that labels calls.
pub(super) struct Tool {
    /// Its name.
    pub(super) name: &'static str,
    /// The versions whose output was looked at.
    pub(super) looked_at: &'static str,
    /// The files that have the caller's calls.
    pub(super) files: &'static str,
    /// What it is known by.
    pub(super) known_by: &'static str,
    /// Where the label is.
    pub(super) label: &'static str,
    /// Where reasons come from.
    pub(super) reasons: &'static str,
    /// Says whether a path is this tool's.
    pub(super) claims: fn(&Candidate) -> bool,
    /// Says what to read.
    pub(super) plan: fn(&Candidate) -> Result<Plan>,
}

/// All tools. The first that claims a path has it.
pub(super) const TOOLS: [&Tool; 11] = [
    &truvari::TOOL,
    &aardvark::TOOL,
    &truvari_ga4gh::TOOL,
    &vcfdist::TOOL,
    &wittyer::TOOL,
    &ga4gh::TOOL,
    &rtg::TOOL,
    &gatk::TOOL,
    &isec::TOOL,
    &vcf2df::TOOL,
    &plain::TOOL,
];

/// The tool that writes tables.
pub(super) const VCF2DF: &Tool = &vcf2df::TOOL;

/// The tool that two files make.
pub(super) const PAIR: &Tool = &pairs::TOOL;

/// Says what to read of a path.
///
/// # Errors
/// A path that no tool claims, or half of what a tool wrote.
pub(super) fn plan(candidate: &Candidate) -> Result<Plan> {
    if let Some(tool) = TOOLS.iter().find(|tool| (tool.claims)(candidate)) {
        return (tool.plan)(candidate);
    }
    if let Some(error) = pairs::half(candidate) {
        return Err(error);
    }
    // Of a folder with one file of labels, that file is meant.
    if let Some(only) = only_labelled(candidate) {
        return plan(&only);
    }
    if let Some(table) = vcfdist::table_in(candidate) {
        return Ok(vcfdist::of_table(table));
    }
    Err(Error::input(
        candidate.name(),
        "the folder",
        candidate.listed(),
        "a benchmark's output: tp-comp.vcf.gz and fp.vcf.gz, calls.vcf.gz, query.vcf.gz, …",
        "give the benchmark's own folder, one VCF in it, or a file of true and one of false calls",
    )
    .proposing([
        Proposal::of(Choice::TrueCalls),
        Proposal::of(Choice::FalseCalls),
    ]))
}

fn only_labelled(candidate: &Candidate) -> Option<Candidate> {
    let files = candidate.vcfs_ending("").into_iter();
    let mut labelled = files.filter_map(|path| {
        let inner = Candidate::of(&path).ok()?;
        let is_labelled = |tool: &&&Tool| (tool.claims)(&inner) && tool.label != plain::TOOL.label;
        TOOLS.iter().find(is_labelled)?;
        Some(inner)
    });
    let only = labelled.next()?;
    labelled.next().is_none().then_some(only)
}

/// The tools as a table in Markdown.
pub(super) fn markdown() -> String {
    let mut text =
        "| tool (looked at) | files | known by | label | reasons |\n|---|---|---|---|---|\n"
            .to_owned();
    for tool in TOOLS.into_iter().chain([PAIR]) {
        let cells = [
            &*format!("{} ({})", tool.name, tool.looked_at),
            tool.files,
            tool.known_by,
            tool.label,
            tool.reasons,
        ];
        let cells = cells.map(|cell| cell.replace('|', "\\|"));
        // Writing to a string does not fail.
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text
}

/// Says whether a path is a VCF whose header fulfils a condition.
fn is_vcf(candidate: &Candidate, is: impl Fn(&crate::read::vcf::Header) -> bool) -> bool {
    candidate.header().is_some_and(is)
}

/// The plan of one VCF, the path itself or one in its folder.
fn one_file(tool: &'static Tool, path: PathBuf, label: LabelAt, how: How) -> Plan {
    Plan::of_file(tool.name, path, label, how)
}

/// Says whether a path is a folder.
fn is_folder(candidate: &Candidate) -> bool {
    matches!(candidate.content, Content::Folder(_))
}
