//! The split of groups of calls into two parts.

use std::cmp::Reverse;

use super::super::evidence::{Category, Partition};
use crate::error::{Choice, Error, Proposal, Result};
use crate::natural;

/// Groups of calls in two parts of nearly one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// The kind of the groups.
    pub by: Partition,
    /// The discovery part, then the confirmation part.
    pub parts: [Part; 2],
    /// The part (0 or 1) of each group, in the order in which groups were given.
    pub part_of: Vec<usize>,
}

/// Calls of one part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// The names of the groups that have calls, largest first.
    pub groups: Vec<String>,
    /// The number of true calls.
    pub tp: u64,
    /// The number of false calls.
    pub fp: u64,
}

impl Part {
    /// Returns the number of calls.
    pub fn calls(&self) -> u64 {
        self.tp + self.fp
    }
}

impl Split {
    /// Splits groups into two parts. Each group, the largest first, goes to the part that has fewer
    /// calls so far, or to discovery if both have as many. Groups of one size go in the natural
    /// order of their names. The larger part exceeds the other by at most the largest group's
    /// calls.
    ///
    /// # Errors
    /// Fails if fewer than two groups have calls.
    pub fn of(by: Partition, groups: &[Category]) -> Result<Self> {
        let mut order: Vec<usize> = (0..groups.len()).collect();
        order.sort_by(|&a, &b| {
            let size = |group: usize| Reverse(groups[group].calls());
            let names = || natural::compare(&groups[a].name, &groups[b].name);
            size(a).cmp(&size(b)).then_with(names)
        });
        let mut parts = [Part::default(), Part::default()];
        let mut part_of = vec![0; groups.len()];
        for group in order {
            let part = usize::from(parts[1].calls() < parts[0].calls());
            part_of[group] = part;
            let Category { name, tp, fp } = &groups[group];
            if groups[group].calls() > 0 {
                parts[part].groups.push(name.clone());
            }
            parts[part].tp += tp;
            parts[part].fp += fp;
        }
        if parts[1].groups.is_empty() {
            return Err(too_few(by, &parts[0]));
        }
        Ok(Self { by, parts, part_of })
    }
}

fn too_few(by: Partition, only: &Part) -> Error {
    let (kind, other, value) = match by {
        Partition::Dataset => ("dataset", "chromosomes", "chrom"),
        Partition::Chrom => ("chromosome", "datasets", "dataset"),
    };
    let found = match only.groups.first() {
        None => "none".to_owned(),
        Some(name) => format!("one {kind}, {name}"),
    };
    let expected = "two or more, so that one part can confirm what the other discovers";
    let action = format!("give more calls, or part them by {other}");
    Error::input(
        "the parts of a replication",
        format!("{kind}s of the calls"),
        found,
        expected,
        action,
    )
    .proposing([Proposal::new(Choice::Replicate, [value])])
}
