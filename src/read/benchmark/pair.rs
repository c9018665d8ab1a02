//! True and false calls in a file each; or all calls, and a file of those with one of the two labels.

use std::path::{Path, PathBuf};

use super::candidate::{Candidate, stem};
use super::collect;
use super::plan::{LabelAt, Part, Plan};
use super::reason::How;
use super::refusals::swapped;
use super::tools::PAIR;
use super::{BenchmarkCalls, BenchmarkOptions};
use crate::cohort::Label;
use crate::error::{Choice, Error, Result};
use crate::read::vcf::Header;

/// Reads the files that the options name.
pub(super) fn read(path: Option<&Path>, options: &BenchmarkOptions) -> Result<BenchmarkCalls> {
    let part = |path: &PathBuf, label| Part {
        path: path.clone(),
        label: LabelAt::File(label),
    };
    let parts = match (path, &options.tp, &options.fp) {
        (None, Some(tp), Some(fp)) => vec![part(tp, Label::Tp), part(fp, Label::Fp)],
        (Some(all), None, Some(fp)) => vec![part(&all.to_owned(), Label::Tp), part(fp, Label::Fp)],
        (Some(all), Some(tp), None) => vec![part(&all.to_owned(), Label::Fp), part(tp, Label::Tp)],
        (Some(_), Some(_), Some(_)) => {
            let found = "a folder or file beside a file of true and one of false calls";
            return Err(Error::choice(
                Choice::TrueCalls,
                found,
                "the two files, or one of them with all calls",
            ));
        }
        (_, tp, _) => {
            let choice = if tp.is_some() {
                Choice::FalseCalls
            } else {
                Choice::TrueCalls
            };
            let expected =
                "both files, or one of them with the file of all calls that were compared";
            return Err(Error::choice(choice, "no file", expected));
        }
    };
    let mut how = How::None;
    for part in &parts {
        refuse_truth(&part.path)?;
        let candidate = Candidate::of(&part.path)?;
        let has_match = |header: &Header| header.has_info("MatchId") || header.has_info("TruScore");
        if candidate.header().is_some_and(has_match) {
            how = How::Truvari;
        }
    }
    let mut plan = Plan::new(PAIR.name, parts, how);
    plan.subtract = path.is_some();
    collect::run(&plan, options)
}

/// Refuses the truth's files, whose names are those of every benchmark.
fn refuse_truth(path: &Path) -> Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match stem(&name) {
        Some("tp-base" | "tp-baseline" | "fn") => {
            Err(swapped(path, "the name", "a file of the truth's calls"))
        }
        _ => Ok(()),
    }
}
