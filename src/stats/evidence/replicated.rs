//! Discovery in one part of the cohort, confirmation in the other, with bootstrap intervals.

use super::atoms::AllAtoms;
use super::calls::{CallFacts, Categories};
use super::firings::Firings;
use super::options::{Options, Partition};
use super::resampling::Grouping;
use crate::details::Details;
use crate::error::Result;
use crate::stats::bootstrap::{Bootstrap, CallLabels, centred_interval};
use crate::stats::firing_rows::{FiringRows, OfEach, groups};
use crate::stats::inference::effect;
use crate::stats::replication::{Agreement, Effects, Replication, Split};

/// A replication, and how far its headline figures would move had other blocks been drawn.
#[derive(Debug, Clone)]
pub struct Replicated {
    /// What was found.
    pub found: Replication,
    /// 95 % interval by bootstrap of the correlation (Pearson's) of log odds ratios over all atoms
    /// that are tested in both parts: [`centred_interval`]. NaN where it is not defined in every
    /// replicate; `None` where no bootstrap was asked for.
    pub correlation: Option<(f64, f64)>,
    /// And of the share of atoms discovered in the first part whose log odds ratios have one sign in
    /// both.
    pub concordance: Option<(f64, f64)>,
}

/// What a replication is made from.
pub(super) struct Parts<'a> {
    pub(super) details: &'a dyn Details,
    pub(super) facts: &'a CallFacts,
    pub(super) grouping: &'a Grouping,
    pub(super) all: &'a AllAtoms,
    pub(super) options: &'a Options,
}

impl Parts<'_> {
    /// By datasets or chromosomes.
    pub(super) fn replicate(
        &self,
        by: Partition,
        firings: &Firings,
        go_on: &(dyn Fn() -> Result<()> + Sync),
    ) -> Result<Replicated> {
        let categories = match by {
            Partition::Dataset => &self.facts.datasets,
            Partition::Chrom => &self.facts.chromosomes,
        };
        let split = Split::of(by, &categories.list)?;
        let counts = firings.by_group(by);
        let of = |group: usize| {
            let [tp, fp] = &counts[group];
            [&tp[..], &fp[..]]
        };
        let tables = split.tables(self.all.fires.len(), of)?;
        let found = Replication::of(split, &tables, self.options.min_support)?;
        let intervals = self.intervals(categories, &found, go_on)?;
        Ok(Replicated {
            found,
            correlation: intervals.map(|both| both[0]),
            concordance: intervals.map(|both| both[1]),
        })
    }

    /// Of the correlation and of the concordance.
    fn intervals(
        &self,
        categories: &Categories,
        found: &Replication,
        go_on: &(dyn Fn() -> Result<()> + Sync),
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
        let part = |call: usize| found.split.part_of[categories.category_of(call as u32) as usize];
        let labels = CallLabels::new(&self.facts.is_tp, |call| part(call) == 1);
        let (mut correlations, mut shares) = (Vec::new(), Vec::new());
        for draw in 0..bootstrap.draws() {
            let draw = bootstrap.draw(draw, &labels)?;
            let mut effects =
                vec![[Effects::default(), Effects::default()]; draw.replicates().len()];
            let fires = &self.all.fires;
            for group in groups(fires, OfEach::Call, self.options.memory) {
                go_on()?;
                let rows = FiringRows::gather(self.details, group.clone(), fires, OfEach::Call)?;
                let log_odds = draw.of_atoms(&rows, |atom, replicates| {
                    let atom = &found.atoms[atom as usize];
                    let is_in_both = atom.same_sign.is_some();
                    let tables = |replicate| [0, 1].map(|part| replicates.table(part, replicate));
                    let both = |replicate| {
                        tables(replicate).map(|table| effect::log_odds_ratio(&table).value)
                    };
                    let each = (0..replicates.len()).filter(|_| is_in_both).map(both);
                    each.collect::<Vec<_>>()
                })?;
                for (atom, log_odds) in group.zip(log_odds) {
                    let discovered = found.atoms[atom as usize].discovered;
                    for ([all, among], [first, second]) in effects.iter_mut().zip(log_odds) {
                        all.push(first, second);
                        if discovered {
                            among.push(first, second);
                        }
                    }
                }
            }
            for [all, among] in &effects {
                correlations.push(all.correlation().pearson.unwrap_or(f64::NAN));
                shares.push(among.concordant() as f64 / among.atoms() as f64);
            }
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
}
