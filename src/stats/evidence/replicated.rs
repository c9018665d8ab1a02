//! Discovery in one part of the cohort, confirmation in the other, with bootstrap intervals.

use rayon::prelude::*;

use super::atoms::AllAtoms;
use super::calls::CallFacts;
use super::options::{Options, Partition};
use super::resampling::Grouping;
use crate::control::{Control, Stage};
use crate::error::Result;
use crate::fires::FiringStore;
use crate::fires::by_atom::{Carry, FiringsByAtom, groups};
use crate::stats::inference::effect;
use crate::stats::replication::agreement::same_sign;
use crate::stats::replication::{Agreement, Cells, Effects, InPart, Replication, Split};
use crate::stats::resampling::bootstrap::{Bootstrap, CallLabels, Draw, centred_interval};

/// A replication, and how far its headline figures would move had other blocks been drawn.
#[derive(Debug, Clone)]
pub struct Replicated {
    /// The replication that was found.
    pub found: Replication,
    /// 95 % interval by bootstrap of the correlation (Pearson's) of log odds ratios, over all strata, of all
    /// atoms that are tested in both parts: [`centred_interval`]. NaN where it is not defined in every
    /// replicate; `None` where no bootstrap was asked for.
    pub correlation: Option<(f64, f64)>,
    /// The same interval of the concordance. That is the share of atoms discovered in the first
    /// part whose log odds ratios within strata have the same sign in both parts.
    pub concordance: Option<(f64, f64)>,
}

/// The parts that a replication is made from.
pub(super) struct Parts<'a> {
    pub(super) details: &'a dyn FiringStore,
    pub(super) facts: &'a CallFacts,
    pub(super) grouping: &'a Grouping,
    pub(super) all: &'a AllAtoms,
    pub(super) options: &'a Options,
}

impl Parts<'_> {
    /// Replicates by datasets or by chromosomes.
    pub(super) fn replicate(&self, by: Partition, control: &Control) -> Result<Replicated> {
        let Self { facts, options, .. } = self;
        let control = &control.stage(Stage::Replicating, options.bootstrap as u64);
        let categories = match by {
            Partition::Dataset => &facts.datasets,
            Partition::Chrom => &facts.chromosomes,
        };
        let split = Split::of(by, &categories.list)?;
        let part = |call: usize| split.part_of[categories.category_of(call as u32) as usize];
        let cells = Cells::new(&facts.is_tp, &facts.strata, part)?;
        let labels = CallLabels::new(&facts.is_tp, |call| part(call) == 1);
        let mut atoms = Vec::with_capacity(self.all.fires.len());
        self.of_groups(control, &mut |rows| {
            let of_atom = |atom| {
                let tables = cells.tables(rows.of(atom));
                tables.map(|strata| InPart::of(&strata, options.min_support))
            };
            let group = rows.atoms().into_par_iter().with_min_len(16);
            atoms.extend(group.map(of_atom).collect::<Vec<_>>());
            Ok(())
        })?;
        let found = Replication::of(split, &atoms, options.min_support);
        let intervals = self.intervals(&cells, &labels, &found, control)?;
        Ok(Replicated {
            found,
            correlation: intervals.map(|both| both[0]),
            concordance: intervals.map(|both| both[1]),
        })
    }

    /// Shows the firings of one group of atoms after another.
    fn of_groups(
        &self,
        control: &Control,
        take: &mut dyn FnMut(&FiringsByAtom) -> Result<()>,
    ) -> Result<()> {
        let fires = &self.all.fires;
        for group in groups(fires, Carry::Calls, self.options.memory) {
            control.check()?;
            let rows = FiringsByAtom::gather(self.details, group, fires, Carry::Calls)?;
            take(&rows)?;
        }
        Ok(())
    }

    /// Computes the intervals of the correlation and of the concordance.
    fn intervals(
        &self,
        cells: &Cells,
        labels: &CallLabels,
        found: &Replication,
        control: &Control,
    ) -> Result<Option<[(f64, f64); 2]>> {
        let wanted = self.options.bootstrap > 0 && !self.facts.is_empty();
        let Some(blocks) = self.grouping.blocks().filter(|_| wanted) else {
            return Ok(None);
        };
        let bootstrap = Bootstrap {
            blocks,
            replicates: self.options.bootstrap,
            seed: self.options.seed,
        };
        let (mut correlations, mut shares) = (Vec::new(), Vec::new());
        for draw in 0..bootstrap.draws() {
            let draw = bootstrap.draw(draw, labels)?;
            for (effects, share) in self.of_draw(cells, found, &draw, control)? {
                correlations.push(effects.correlation().pearson.unwrap_or(f64::NAN));
                shares.push(share);
            }
            control.report(draw.replicates().end as u64);
        }
        let Agreement {
            all, concordance, ..
        } = found.forward;
        // All of them agree, or none does: so they do in nearly every replicate, which tells nothing.
        let concordance = concordance.map(|share| share.value);
        let concordance = concordance.filter(|&share| share > 0.0 && share < 1.0);
        Ok(Some([
            centred_interval(&mut correlations, all.pearson, -1.0..=1.0),
            centred_interval(&mut shares, concordance, 0.0..=1.0),
        ]))
    }

    /// The effects of atoms that are tested in both parts, and the share of the discovered ones of them
    /// that lean to one side in both, in each replicate of a draw.
    fn of_draw(
        &self,
        cells: &Cells,
        found: &Replication,
        draw: &Draw<'_>,
        control: &Control,
    ) -> Result<Vec<(Effects, f64)>> {
        let replicates = draw.replicates().len();
        let mut effects = vec![Effects::default(); replicates];
        let mut concordant = vec![0_u64; replicates];
        let all = cells.weighted(draw);
        let is_in_both = |atom: u32| found.atoms[atom as usize].same_sign.is_some();
        let is_followed =
            |atom: u32| is_in_both(atom) && found.atoms[atom as usize].discovered == Some(true);
        self.of_groups(control, &mut |rows| {
            let log_odds = draw.of_atoms(rows, |atom, replicates| {
                let tables = |replicate| [0, 1].map(|part| replicates.table(part, replicate));
                let both =
                    |replicate| tables(replicate).map(|table| effect::log_odds_ratio(&table).value);
                let each = (0..replicates.len()).filter(|_| is_in_both(atom)).map(both);
                each.collect::<Vec<_>>()
            })?;
            for of_atom in log_odds {
                for (effects, [first, second]) in effects.iter_mut().zip(of_atom) {
                    effects.push(first, second);
                }
            }
            let followed = rows
                .atoms()
                .into_par_iter()
                .filter(|&atom| is_followed(atom));
            let leanings = followed.map(|atom| cells.leanings(draw, &all, rows.of(atom)));
            for [first, second] in leanings.collect::<Vec<_>>() {
                for (count, (a, b)) in concordant.iter_mut().zip(first.into_iter().zip(second)) {
                    *count += u64::from(same_sign(a, b));
                }
            }
            Ok(())
        })?;
        let followed = (0..found.atoms.len() as u32).filter(|&atom| is_followed(atom));
        let followed = followed.count() as f64;
        let shares = concordant.into_iter().map(|count| count as f64 / followed);
        Ok(effects.into_iter().zip(shares).collect())
    }
}
