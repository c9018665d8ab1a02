//! Groups of calls that may exchange labels. Within each group labels change places in one manner,
//! independently of all other groups.

use super::{Exchange, Permutation};
use crate::stats::resampling::blocks::Blocks;

/// A group of calls among which labels change places.
pub(super) struct Group {
    /// The number that separates its random numbers from those of other groups.
    pub(super) number: u32,
    /// The calls. For loci, one locus after another, each locus' calls in the order in which they
    /// are matched; for a sample, along the genome.
    pub(super) calls: Vec<u32>,
    pub(super) manner: Manner,
}

/// The manner in which labels change places.
pub(super) enum Manner {
    /// Any of the calls may be the true ones, of which there are `tp`.
    Select { tp: u32 },
    /// Loci of `each` calls exchange their labels; `labels` are the observed ones.
    Draw { each: usize, labels: Vec<bool> },
    /// Labels rotate; `labels` are the observed ones.
    Turn { labels: Vec<bool> },
}

/// Returns the groups in which any label can change. The calls of all others keep theirs.
pub(super) fn of(permutation: &Permutation) -> Vec<Group> {
    let mut groups = match permutation.exchange {
        Exchange::Calls => strata(permutation),
        Exchange::Loci(loci) => signatures(permutation, loci),
        Exchange::Copies { loci, copies } => copied(permutation, loci, copies),
        Exchange::Samples { sample, order } => turning(permutation, sample, order),
    };
    groups.retain(|group| can_change(group, permutation.is_tp));
    groups
}

/// Makes one group of the calls of each stratum, numbered as the stratum is.
fn strata(permutation: &Permutation) -> Vec<Group> {
    let sizes = super::sizes(permutation);
    let new = |(number, &(_, tp)): (u32, &(u64, u64))| Group {
        number,
        calls: Vec::new(),
        manner: Manner::Select { tp: tp as u32 },
    };
    let mut groups: Vec<Group> = (0..).zip(&sizes).map(new).collect();
    for (row, &stratum) in (0..).zip(permutation.strata) {
        groups[stratum as usize].calls.push(row);
    }
    groups
}

/// Makes groups of loci that have equally many calls of each stratum. Groups are numbered by
/// signature.
fn signatures(permutation: &Permutation, loci: &Blocks) -> Vec<Group> {
    let is_tp = permutation.is_tp;
    let group = |(number, each, mut calls): (u32, usize, Vec<u32>)| {
        if each == 1 {
            // Single calls are drawn in the cohort's order.
            calls.sort_unstable();
        }
        let labels: Vec<bool> = calls.iter().map(|&row| is_tp[row as usize]).collect();
        let manner = match each {
            1 => Manner::Select {
                tp: labels.iter().filter(|&&is_tp| is_tp).count() as u32,
            },
            each => Manner::Draw { each, labels },
        };
        Group {
            number,
            calls,
            manner,
        }
    };
    kinds(permutation.strata, loci)
        .into_iter()
        .map(group)
        .collect()
}

/// Makes the same groups for each copy of the calls. A group of one number draws the same loci in every
/// copy, since it draws from the same random numbers, whatever the labels are.
fn copied(permutation: &Permutation, loci: &Blocks, copies: usize) -> Vec<Group> {
    let calls = permutation.is_tp.len() / copies.max(1);
    let kinds = kinds(&permutation.strata[..calls], loci);
    let mut groups = Vec::with_capacity(kinds.len() * copies);
    for copy in 0..copies {
        for (number, each, of_one) in &kinds {
            let row = |&row: &u32| row + (copy * calls) as u32;
            let rows: Vec<u32> = of_one.iter().map(row).collect();
            let labels = rows
                .iter()
                .map(|&row| permutation.is_tp[row as usize])
                .collect();
            groups.push(Group {
                number: *number,
                calls: rows,
                manner: Manner::Draw {
                    each: *each,
                    labels,
                },
            });
        }
    }
    groups
}

/// The loci that have equally many calls of each stratum: the number of each kind, the calls of a locus, and
/// all calls, locus after locus.
fn kinds(strata: &[u32], loci: &Blocks) -> Vec<(u32, usize, Vec<u32>)> {
    let (mut calls, ends) = loci.members();
    let range = |locus: u32| {
        let start = (locus as usize).checked_sub(1).map_or(0, |it| ends[it]);
        start..ends[locus as usize]
    };
    let stratum = |row: u32| strata[row as usize];
    for locus in 0..loci.count {
        // The sort is stable: calls of a stratum stay in the order of rows.
        calls[range(locus)].sort_by_key(|&row| stratum(row));
    }
    let signature = |locus: u32| calls[range(locus)].iter().map(|&row| stratum(row));
    let mut order: Vec<u32> = (0..loci.count).collect();
    order.sort_by(|&a, &b| signature(a).cmp(signature(b)));
    let kinds = order.chunk_by(|&a, &b| signature(a).eq(signature(b)));
    let of_kind = |(number, kind): (u32, &[u32])| {
        let calls: Vec<u32> = kind
            .iter()
            .flat_map(|&it| &calls[range(it)])
            .copied()
            .collect();
        (number, calls.len() / kind.len(), calls)
    };
    (0..).zip(kinds).map(of_kind).collect()
}

/// Makes groups of the calls of each sample and stratum, along the genome. Groups are numbered by
/// sample, then stratum.
fn turning(permutation: &Permutation, sample: &Blocks, order: &[u32]) -> Vec<Group> {
    let key = |&row: &u32| {
        (
            sample.of_call[row as usize],
            permutation.strata[row as usize],
        )
    };
    let mut calls = order.to_vec();
    // The sort is stable: calls of a group stay in the order of the genome.
    calls.sort_by_key(key);
    let group = |(number, calls): (u32, &[u32])| {
        let labels = calls.iter().map(|&row| permutation.is_tp[row as usize]);
        Group {
            number,
            manner: Manner::Turn {
                labels: labels.collect(),
            },
            calls: calls.to_vec(),
        }
    };
    let groups = calls.chunk_by(|a, b| key(a) == key(b));
    (0..).zip(groups).map(group).collect()
}

/// Says whether another arrangement can differ from the observed labels.
fn can_change(group: &Group, is_tp: &[bool]) -> bool {
    match &group.manner {
        Manner::Draw { each, labels } => {
            let first = labels.chunks_exact(*each).next();
            labels.chunks_exact(*each).any(|other| Some(other) != first)
        }
        Manner::Select { .. } | Manner::Turn { .. } => {
            let is_tp = |&row: &u32| is_tp[row as usize];
            group.calls.iter().any(is_tp) && !group.calls.iter().all(is_tp)
        }
    }
}
