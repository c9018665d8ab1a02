//! The cautions that weaken all that a summary says, and the places to look next.

use serde::Serialize;

use super::{CallsSummary, Displaced, Findings, Procedure, Scope};
use crate::cohort::Label;
use crate::stats::evidence::{Exchange, ExtendedTables, LEAST_BLOCKS, Partition};
use crate::tally::Batches;

/// The number of calls of a label below which no odds ratio is known to within a factor of
/// exp(1.96·√(4/100)) = 1.48: its variance is at least 4 by that number.
pub const FEW_CALLS: u64 = 100;

/// A caution that weakens the whole. The variants stand in the order of their weight, the heaviest
/// first.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "caution", rename_all = "snake_case")]
pub enum Caution {
    /// No atom can be tested.
    NothingTested,
    /// There are few calls of a label.
    FewCalls {
        /// The label.
        label: Label,
        /// The number of calls of the label.
        calls: u64,
    },
    /// Atoms lean to one side because others take their places on the other.
    Displaced(Displaced),
    /// Associations on all calls turn to the other side within strata.
    SidesChange {
        /// The number of these atoms.
        atoms: usize,
        /// The number of atoms that are called on all calls.
        of: usize,
    },
    /// Associations on all calls go away within strata.
    Confounded {
        /// The number of these atoms.
        atoms: usize,
        /// The number of atoms that are called on all calls.
        of: usize,
    },
    /// All calls are one stratum: nothing tells an atom's association from that of type or size.
    NoStrata,
    /// Discoveries in one part of the cohort are not confirmed in the other.
    NotReplicated {
        /// The number of discoveries that are not confirmed.
        atoms: usize,
        /// The number of discoveries that can be tested in the other part.
        of: usize,
    },
    /// What fires on a call depends on the calls given with it.
    BatchTopK {
        /// The calls of a batch; `None` if the whole cohort is one.
        rows: Option<u64>,
    },
    /// What fires was decided by a threshold that was estimated from the calls themselves.
    EstimatedThreshold {
        /// The threshold.
        threshold: f64,
    },
    /// Calls were dropped for a NaN or an infinity in their embedding.
    Dropped {
        /// The number of dropped calls.
        calls: u64,
        /// The number of calls in all.
        of: u64,
    },
    /// Step-down max-T does not call atoms that are called on all calls.
    NotByMaxT {
        /// The number of these atoms.
        atoms: usize,
        /// The number of atoms that are called on all calls.
        of: usize,
    },
    /// Permutations are too few to call any atom.
    TooFewPermutations {
        /// The number of permutations.
        count: usize,
    },
    /// Strata have different odds ratios.
    StrataDisagree {
        /// The number of atoms whose strata disagree.
        atoms: usize,
        /// The number of atoms that are called on all calls.
        of: usize,
    },
    /// An expected count is below 5, so that an odds ratio is rough.
    Sparse {
        /// The number of atoms with such a count.
        atoms: usize,
        /// The number of atoms that are called on all calls.
        of: usize,
    },
    /// Atoms fire on nearly the same calls, and so are fewer findings than atoms.
    NearDuplicates {
        /// The number of atoms in such groups.
        atoms: usize,
        /// The number of groups.
        groups: usize,
    },
    /// There are no firing sets: permutations, pairs, sizes and places are missing.
    NoFiringSets,
    /// Blocks are too few for a bootstrap.
    TooFewBlocks {
        /// The number of blocks.
        blocks: u32,
        /// The fewest that a bootstrap takes.
        least: u32,
        /// The unit that calls were to be kept together by.
        exchange: Exchange,
    },
    /// More pairs were asked for than are kept and tested.
    PairsCut {
        /// The number of pairs that were asked for.
        asked: u64,
        /// The number of pairs that are kept.
        kept: usize,
    },
}

impl Caution {
    /// The caution that a model of batch top-k deserves.
    pub fn of_batches(batches: Batches) -> Self {
        match batches.threshold() {
            Some(threshold) => Self::EstimatedThreshold { threshold },
            None => Self::BatchTopK {
                rows: batches.rows(),
            },
        }
    }
}

/// A place to look next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "next", rename_all = "snake_case")]
pub enum Next {
    /// The calls on which these atoms fire.
    Calls {
        /// The atoms.
        atoms: Vec<u32>,
    },
    /// The scores, which know no competition for places.
    CompareScores,
    /// The other part of the cohort.
    Replicate {
        /// The property that can split it.
        by: Partition,
    },
    /// More permutations.
    MorePermutations,
    /// Firing sets.
    FiringSets,
    /// The tables of all atoms.
    Tables,
}

/// All that weakens the findings, the heaviest first.
pub(super) fn of(
    calls: &CallsSummary,
    batches: Option<Batches>,
    findings: &Findings,
    tables: &ExtendedTables,
) -> Vec<Caution> {
    let mut cautions = Vec::new();
    if findings.atoms.tested == 0 {
        cautions.push(Caution::NothingTested);
    }
    cautions.extend(few_calls(calls));
    cautions.extend(findings.displaced.map(Caution::Displaced));
    let called = findings.called;
    let of = called.map_or(0, |called| called.atoms);
    if let Some(called) = called {
        let atoms = called.sides_change;
        cautions.extend(some(atoms, Caution::SidesChange { atoms, of }));
        let atoms = called.confounded;
        cautions.extend(some(atoms, Caution::Confounded { atoms, of }));
    }
    if findings.strata.count == 1 && findings.atoms.tested > 0 {
        cautions.push(Caution::NoStrata);
    }
    if let Some(replication) = &findings.replication {
        let (of, replicated) = (replication.forward.tested, replication.forward.replicated);
        let atoms = of.saturating_sub(replicated);
        cautions.extend(some(atoms, Caution::NotReplicated { atoms, of }));
    }
    cautions.extend(batches.map(Caution::of_batches));
    let all = calls.tp + calls.fp + calls.dropped;
    let dropped = calls.dropped;
    let caution = Caution::Dropped {
        calls: dropped,
        of: all,
    };
    cautions.extend((dropped > 0).then_some(caution));
    cautions.extend(of_procedures(findings, of));
    cautions.extend(of_firings(findings, tables));
    cautions
}

fn few_calls(calls: &CallsSummary) -> Option<Caution> {
    let (label, calls) = if calls.tp < calls.fp {
        (Label::Tp, calls.tp)
    } else {
        (Label::Fp, calls.fp)
    };
    (calls < FEW_CALLS).then_some(Caution::FewCalls { label, calls })
}

fn of_procedures(findings: &Findings, of: usize) -> Vec<Caution> {
    let mut cautions = Vec::new();
    if let Some(called) = findings.called {
        let atoms = called.by_max_t.map_or(0, |confirmed| of - confirmed);
        cautions.extend(some(atoms, Caution::NotByMaxT { atoms, of }));
    }
    if let Some(permutations) = findings.permutations.filter(|found| !found.can_call) {
        let count = permutations.count;
        cautions.push(Caution::TooFewPermutations { count });
    }
    if let Some(called) = findings.called {
        let atoms = called.strata_disagree;
        cautions.extend(some(atoms, Caution::StrataDisagree { atoms, of }));
        let atoms = called.sparse;
        cautions.extend(some(atoms, Caution::Sparse { atoms, of }));
    }
    cautions
}

fn of_firings(findings: &Findings, tables: &ExtendedTables) -> Vec<Caution> {
    let mut cautions = Vec::new();
    if let Some(found) = &findings.near_duplicates {
        let (atoms, groups) = (found.groups.iter().map(Vec::len).sum(), found.groups.len());
        cautions.extend(some(atoms, Caution::NearDuplicates { atoms, groups }));
    }
    if !findings.has_firings {
        cautions.push(Caution::NoFiringSets);
    }
    if let Some(blocks) = tables.blocks.filter(|&blocks| blocks < LEAST_BLOCKS) {
        cautions.push(Caution::TooFewBlocks {
            blocks,
            least: LEAST_BLOCKS,
            exchange: tables.options.block,
        });
    }
    if let Some(pairs) = findings.pairs.as_ref().filter(|pairs| pairs.is_cut()) {
        cautions.push(Caution::PairsCut {
            asked: pairs.numbers.found,
            kept: pairs.numbers.at_threshold,
        });
    }
    cautions
}

fn some(atoms: usize, caution: Caution) -> Option<Caution> {
    (atoms > 0).then_some(caution)
}

/// Lists the places to look next, the most useful first.
pub(super) fn next(findings: &Findings, tables: &ExtendedTables) -> Vec<Next> {
    let mut next = Vec::new();
    let first = [&findings.strongest_tp, &findings.strongest_fp].map(|side| side.first());
    let atoms: Vec<u32> = first.into_iter().flatten().map(|atom| atom.atom).collect();
    let is_something = !atoms.is_empty();
    if is_something {
        next.push(Next::Calls { atoms });
    }
    if findings.displaced.is_some() && findings.scores.is_none() {
        next.push(Next::CompareScores);
    }
    if !findings.has_firings {
        next.push(Next::FiringSets);
    }
    let has_too_few = findings
        .permutations
        .is_some_and(|permutations| !permutations.can_call);
    if has_too_few {
        next.push(Next::MorePermutations);
    }
    if is_something && tables.replication.is_none() {
        let several = |found: &Option<super::EnrichmentSummary>| {
            found.as_ref().is_some_and(|found| found.categories > 1)
        };
        if several(&findings.datasets) {
            next.push(Next::Replicate {
                by: Partition::Dataset,
            });
        } else if several(&findings.chromosomes) {
            next.push(Next::Replicate {
                by: Partition::Chrom,
            });
        }
    }
    next.push(Next::Tables);
    next
}

impl Findings {
    /// The claim that the summary rests on: of the strictest procedure, within strata.
    pub fn strictest_claim(&self) -> Option<&super::Claim> {
        self.claim(self.strictest, Scope::WithinStrata)
    }

    /// The atoms at a false discovery rate of 5 %, within strata or on all calls.
    pub fn at_fdr(&self, scope: Scope) -> Option<&super::Claim> {
        self.claim(Procedure::BenjaminiHochberg, scope)
    }
}
