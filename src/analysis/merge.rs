//! Merging tallies into a file, which may be an earlier merge, and no tally that was counted.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use super::place;
use crate::control::{Control, Stage};
use crate::engine::{into_inner, lock};
use crate::error::{Choice, Error, Result};
use crate::store::{Maker, is_counted, is_merged, read_tally, write_tally};
use crate::tally::{CohortTally, Merger};
use crate::write::inputs::{Inputs, is_same_file};

/// Merges tally files: read and checked by several threads, added one at a time.
///
/// # Errors
/// Those of reading one, and of tallies that do not go together; cancellation.
pub fn merge(paths: &[PathBuf], control: &Control) -> Result<CohortTally> {
    let control = control.stage(Stage::Merging, paths.len() as u64);
    let merger = Mutex::new(Merger::default());
    let done = AtomicU64::new(0);
    paths.par_iter().try_for_each(|path| {
        control.check()?;
        let tally = read_tally(path)?;
        let name = path.display().to_string();
        lock(&merger).add(tally, &name)?;
        control.report(done.fetch_add(1, Ordering::Relaxed) + 1);
        Ok(())
    })?;
    let sum = into_inner(merger).finish();
    sum.ok_or_else(|| Error::choice(Choice::Tallies, "no file", "at least one tally"))
}

/// Merges tally files into `out`, and returns what is in it. An earlier merge may be among the
/// tallies, and is replaced by one that holds it; no other input is replaced. A tally that was counted
/// would have to be counted again: it is replaced by what holds it, or with `force`.
///
/// # Errors
/// Those of reading them; an output that may not be replaced, or cannot be written.
pub fn merge_into(
    out: &Path,
    tallies: &[PathBuf],
    force: bool,
    control: &Control,
) -> Result<CohortTally> {
    let inputs = Inputs::default();
    let _lock = place::claim(out, || place::check_tally(out, &inputs, force))?;
    let is_own = |path: &&PathBuf| is_same_file(path, out);
    if let Some(input) = tallies.iter().find(is_own).filter(|_| !is_merged(out)) {
        return Err(is_input(input));
    }
    let earlier = out.exists().then(|| read_tally(out).ok()).flatten();
    let cohort = merged(out, tallies, earlier.as_ref(), control)?;
    let lost = earlier.filter(|earlier| !cohort.shards.hold(&earlier.shards));
    if let Some(lost) = lost.filter(|_| is_counted(out) && !force) {
        return Err(would_lose(out, &lost));
    }
    write_tally(out, &cohort, Maker::Merge)?.publish()?;
    Ok(cohort)
}

/// A pattern may match what an earlier merge has written. Where the others have all its rows, it is
/// that; else it is a tally like any other.
fn merged(
    out: &Path,
    tallies: &[PathBuf],
    earlier: Option<&CohortTally>,
    control: &Control,
) -> Result<CohortTally> {
    let (own, others): (Vec<_>, Vec<_>) = tallies
        .iter()
        .cloned()
        .partition(|path| is_same_file(path, out));
    if let Some(earlier) = earlier.filter(|_| !own.is_empty() && !others.is_empty()) {
        match merge(&others, control) {
            Ok(cohort) if cohort.shards.hold(&earlier.shards) => return Ok(cohort),
            _ => {}
        }
    }
    merge(tallies, control)
}

fn would_lose(out: &Path, tally: &CohortTally) -> Error {
    let mut shards = tally.shards.iter();
    let first = shards.next().map_or("", |shard| &shard.name);
    let more = if shards.next().is_some() { ", …" } else { "" };
    Error::choice(
        Choice::Out,
        format!(
            "{}, a tally of rows that are not among those merged ({first}{more})",
            out.display()
        ),
        "a new name, or that of an earlier merge; is the output's name missing before the tallies?",
    )
}

fn is_input(input: &Path) -> Error {
    Error::choice(
        Choice::Out,
        format!("{}, which is to be merged", input.display()),
        "a new name, or that of an earlier merge: no other input is ever replaced",
    )
}
