//! Which group of calls is in which part.

use std::cmp::Reverse;

use super::super::evidence::{Category, Partition};
use crate::error::{Choice, Error, Proposal, Result};
use crate::natural;

/// Groups of calls in two parts of nearly one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// What the groups are.
    pub by: Partition,
    /// The discovery part, then the confirmation part.
    pub parts: [Part; 2],
    /// For each group, in the order in which they were given, its part: 0 or 1.
    pub part_of: Vec<usize>,
}

/// Calls of one part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// The groups' names, largest first; none without calls.
    pub groups: Vec<String>,
    /// True calls.
    pub tp: u64,
    /// False calls.
    pub fp: u64,
}

impl Part {
    /// Its calls.
    pub fn calls(&self) -> u64 {
        self.tp + self.fp
    }
}

impl Split {
    /// Each group, the largest first, goes to the part that has fewer calls so far: to discovery
    /// where both have as many. Groups of one size go in the order in which people sort their names.
    /// The larger part has at most the largest group's calls more than the other.
    ///
    /// # Errors
    /// If fewer than two groups have calls.
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
