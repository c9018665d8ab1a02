//! The results from firing sets, part after part.

use super::atoms::AllAtoms;
use super::calls::CallFacts;
use super::co_activation::{self, PairsBy, PairsCounted};
use super::displacement::Bulk;
use super::firings::Firings;
use super::replicated::{self, Replicated};
use super::resampling::{self, BootstrapInterval, Grouping, Headlines, Permutations};
use super::{FiringTables, Options, Seconds};
use crate::clock::Clock;
use crate::control::{Control, Stage};
use crate::error::Result;
use crate::fires::FiringStore;
use crate::fires::by_atom::{Carry, groups};
use crate::stats::pairs::Pairs;
use crate::tally::StratifyBy;

/// Firing sets, and what was counted of them.
pub(super) struct Cohort<'a> {
    pub(super) details: &'a dyn FiringStore,
    pub(super) all: &'a AllAtoms,
    pub(super) bulk: &'a Bulk,
    pub(super) scheme: StratifyBy,
}

/// The results from firing sets.
#[derive(Default)]
pub(super) struct FromFirings {
    pub(super) firings: Option<FiringTables>,
    /// The inflation of the variance that chance gives to the middle of all atoms.
    pub(super) inflation: Option<f64>,
    pub(super) permutations: Option<Permutations>,
    pub(super) bootstrap: Vec<BootstrapInterval>,
    pub(super) blocks: Option<u32>,
    pub(super) replication: Option<Replicated>,
    pub(super) pairs: Option<Pairs>,
    pub(super) pairs_counted: Option<PairsCounted>,
    pub(super) seconds: Seconds,
    pub(super) cpu_seconds: Seconds,
}

impl FromFirings {
    pub(super) fn of(
        &Cohort {
            details,
            all,
            bulk,
            ref scheme,
        }: &Cohort<'_>,
        pairs_by: PairsBy<'_>,
        options: &Options,
        control: &Control,
    ) -> Result<Self> {
        let mut times = Times::start();
        let testing = control.stage(Stage::Testing, all.fires.len() as u64);
        let mut facts = CallFacts::read(details, scheme, control)?;
        let grouping = Grouping::of(&facts, options);
        facts.positions = Vec::new();
        let inflation = Some(bulk.inflation(details, &facts)?);
        let mut maxima = resampling::maxima(&facts, &grouping, options)?;
        let mut headlines = Headlines::of(all);
        times.lap(|seconds| &mut seconds.calls);
        // Half, since ranks and labels stand beside them.
        let with_scores = groups(&all.fires, Carry::CallsAndScores, options.memory / 2);
        let at_once = with_scores.len() <= 1;
        let tested = |atom: u32| all.is_tested(atom as usize);
        let firings = Firings::gather(details, &facts, all, &with_scores, &mut |rows| {
            control.check()?;
            headlines.take(rows);
            testing.report(u64::from(rows.atoms().end));
            times.lap(|seconds| &mut seconds.firings);
            if let Some(maxima) = &mut maxima {
                maxima.show(rows, &tested)?;
                if at_once {
                    maxima.permute(rows, control)?;
                }
            }
            times.lap(|seconds| &mut seconds.permutations);
            Ok(())
        })?;
        times.lap(|seconds| &mut seconds.firings);
        if let Some(maxima) = maxima.as_mut().filter(|_| !at_once) {
            maxima.permute_streaming(details, control)?;
        }
        times.lap(|seconds| &mut seconds.permutations);
        let parts = replicated::Parts {
            details,
            facts: &facts,
            grouping: &grouping,
            all,
            options,
        };
        let replicate = |by| parts.replicate(by, control);
        let replication = options.replicate.map(replicate).transpose()?;
        times.lap(|seconds| &mut seconds.replication);
        let firings = firings.finish(&facts, all, options.min_support);
        times.lap(|seconds| &mut seconds.firings);
        let blocks = grouping.block_count().filter(|_| options.bootstrap > 0);
        let bootstrap = headlines.intervals(&facts, &grouping, options, control)?;
        times.lap(|seconds| &mut seconds.bootstrap);
        let counted = co_activation::count(pairs_by, details, all, options, control)?;
        let (pairs, pairs_counted) = counted.unzip();
        times.lap(|seconds| &mut seconds.pairs);
        Ok(Self {
            inflation,
            replication,
            pairs,
            pairs_counted,
            firings: Some(firings),
            permutations: maxima
                .map(|maxima| Permutations::of(maxima, options.permutations))
                .transpose()?,
            bootstrap,
            blocks,
            seconds: times.wall,
            cpu_seconds: times.cpu,
        })
    }
}

/// The seconds of the parts so far.
pub(super) struct Times {
    clock: Clock,
    /// Wall clock.
    pub(super) wall: Seconds,
    /// CPU time.
    pub(super) cpu: Seconds,
}

impl Times {
    pub(super) fn start() -> Self {
        Self {
            clock: Clock::start(),
            wall: Seconds::default(),
            cpu: Seconds::default(),
        }
    }

    /// Adds the seconds since the last look to a part.
    pub(super) fn lap(&mut self, part: fn(&mut Seconds) -> &mut f64) {
        let lap = self.clock.lap();
        *part(&mut self.wall) += lap.wall;
        *part(&mut self.cpu) += lap.cpu;
    }
}
