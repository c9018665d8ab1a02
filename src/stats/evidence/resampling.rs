//! The results of resampling: max-T by permutation of labels, intervals by bootstrap of blocks.

use super::atoms::AllAtoms;
use super::calls::CallFacts;
use super::options::{Exchange, Options};
use super::order;
use crate::control::Control;
use crate::error::Result;
use crate::fires::by_atom::FiringsByAtom;
use crate::stats::inference::effect;
use crate::stats::resampling::blocks::{Blocks, genome_order};
use crate::stats::resampling::bootstrap::{Bootstrap, CallLabels};
use crate::stats::resampling::permutation::{self, MaxT, Maxima, Permutation};

/// The number of the strongest atoms that have a bootstrap interval.
pub(super) const HEADLINES: usize = 10;

/// Blocks below which drawing them anew tells nothing of how far a figure would move.
pub const LEAST_BLOCKS: u32 = 20;

/// The results of permutations.
#[derive(Debug, Clone)]
pub struct Permutations {
    /// The number of permutations.
    pub count: usize,
    /// Every atom's statistic and adjusted p-value, \[F\].
    pub atoms: Vec<MaxT>,
}

impl Permutations {
    pub(super) fn of(maxima: Maxima, count: usize) -> Result<Self> {
        let atoms = maxima.finish()?;
        Ok(Self { count, atoms })
    }
}

/// An atom's interval by bootstrap.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BootstrapInterval {
    /// The atom.
    pub atom: u32,
    /// The 2.5 % quantile of its log odds ratio.
    pub low: f64,
    /// The 97.5 % quantile.
    pub high: f64,
}

/// The grouping of calls that belong together.
pub(super) struct Grouping {
    loci: Option<Blocks>,
    samples: Option<Blocks>,
    order: Vec<u32>,
}

impl Grouping {
    pub(super) fn of(facts: &CallFacts, options: &Options) -> Self {
        let chrom = facts.chromosomes.codes();
        let loci = || Blocks::loci(&chrom, &facts.positions, options.locus_distance);
        let is_sample = options.block == Exchange::Sample;
        let samples = is_sample.then(|| Blocks::samples(&facts.datasets.of_call));
        // A bootstrap draws loci where nothing else is asked for.
        let wanted = options.block == Exchange::Locus || options.bootstrap > 0;
        Self {
            loci: (wanted && !is_sample).then(loci),
            order: if is_sample {
                genome_order(&chrom, &facts.positions)
            } else {
                Vec::new()
            },
            samples,
        }
    }

    fn exchange(&self, options: &Options) -> permutation::Exchange<'_> {
        match (options.block, &self.loci, &self.samples) {
            (Exchange::Locus, Some(loci), _) => permutation::Exchange::Loci(loci),
            (Exchange::Sample, _, Some(sample)) => permutation::Exchange::Samples {
                sample,
                order: &self.order,
            },
            _ => permutation::Exchange::Calls,
        }
    }

    /// Returns the blocks that a bootstrap draws together; `None` where there are too few to tell
    /// anything.
    pub(super) fn blocks(&self) -> Option<&Blocks> {
        let blocks = self.samples.as_ref().or(self.loci.as_ref());
        blocks.filter(|blocks| blocks.count >= LEAST_BLOCKS)
    }

    /// Returns the number of blocks, whether they were enough or not.
    pub(super) fn block_count(&self) -> Option<u32> {
        let blocks = self.samples.as_ref().or(self.loci.as_ref());
        blocks.map(|blocks| blocks.count)
    }
}

/// Permutations under way, where any are asked for.
pub(super) fn maxima<'a>(
    facts: &'a CallFacts,
    grouping: &'a Grouping,
    options: &Options,
) -> Result<Option<Maxima<'a>>> {
    if options.permutations == 0 || facts.is_empty() {
        return Ok(None);
    }
    let permutation = Permutation {
        is_tp: &facts.is_tp,
        strata: &facts.strata,
        exchange: grouping.exchange(options),
        count: options.permutations,
        seed: options.seed,
    };
    Maxima::new(&permutation).map(Some)
}

/// The calls of the atoms with the smallest p-values, for the bootstrap.
pub(super) struct Headlines {
    atoms: Vec<u32>,
    calls: Vec<Vec<u32>>,
    /// The atoms without an empty cell in their tables.
    has_all_cells: Vec<u32>,
}

impl Headlines {
    pub(super) fn of(all: &AllAtoms) -> Self {
        let atoms = order::headlines(all, HEADLINES);
        let calls = vec![Vec::new(); atoms.len()];
        let is_full = |atom: &u32| !all.atoms[*atom as usize].table.cells().contains(&0);
        Self {
            has_all_cells: atoms.iter().copied().filter(is_full).collect(),
            atoms,
            calls,
        }
    }

    pub(super) fn take(&mut self, rows: &FiringsByAtom) {
        for (atom, calls) in self.atoms.iter().zip(&mut self.calls) {
            if rows.atoms().contains(atom) {
                *calls = rows.of(*atom).to_vec();
            }
        }
    }

    /// Computes the intervals of these atoms.
    pub(super) fn intervals(
        self,
        facts: &CallFacts,
        grouping: &Grouping,
        options: &Options,
        control: &Control,
    ) -> Result<Vec<BootstrapInterval>> {
        let Some(blocks) = grouping.blocks().filter(|_| options.bootstrap > 0) else {
            return Ok(Vec::new());
        };
        let bootstrap = Bootstrap {
            blocks,
            replicates: options.bootstrap,
            seed: options.seed,
        };
        let labels = CallLabels::new(&facts.is_tp, |_| false);
        let rows = FiringsByAtom::of_lists(&self.calls);
        let log_odds = |_, tables: [_; 2]| effect::log_odds_ratio(&tables[0]).value;
        let found = bootstrap.intervals(&labels, &rows, &log_odds, control)?;
        let interval = |(&atom, (low, high))| BootstrapInterval { atom, low, high };
        let intervals = self.atoms.iter().zip(found).map(interval);
        // A cell without a call has none in any replicate either: how rare it is cannot be drawn.
        let has_all = |found: &BootstrapInterval| self.has_all_cells.contains(&found.atom);
        Ok(intervals.filter(has_all).collect())
    }
}
