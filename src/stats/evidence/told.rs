//! What firing sets tell, part after part.

use std::time::Instant;

use super::atoms::AllAtoms;
use super::calls::CallFacts;
use super::co_activation::{self, PairsBy, PairsCounted};
use super::firings::Firings;
use super::replicated::{self, Replicated};
use super::resampling::{self, BootstrapInterval, Grouping, Headlines, Permutations};
use super::{FiringEvidence, Options, Seconds};
use crate::details::Details;
use crate::error::Result;
use crate::stats::pairs::Pairs;
use crate::tally::Scheme;

/// Firing sets, and what was counted of them.
pub(super) struct Cohort<'a> {
    pub(super) details: &'a dyn Details,
    pub(super) all: &'a AllAtoms,
    pub(super) scheme: Scheme,
}

/// What firing sets tell.
#[derive(Default)]
pub(super) struct Told {
    pub(super) firings: Option<FiringEvidence>,
    pub(super) permutations: Option<Permutations>,
    pub(super) bootstrap: Vec<BootstrapInterval>,
    pub(super) replication: Option<Replicated>,
    pub(super) pairs: Option<Pairs>,
    pub(super) pairs_counted: Option<PairsCounted>,
    pub(super) seconds: Seconds,
}

impl Told {
    pub(super) fn of(
        &Cohort {
            details,
            all,
            scheme,
        }: &Cohort<'_>,
        pairs_by: PairsBy<'_>,
        options: &Options,
        go_on: &(dyn Fn() -> Result<()> + Sync),
    ) -> Result<Self> {
        let mut seconds = Seconds::default();
        let mut clock = Clock::start();
        let mut facts = CallFacts::gather(details, scheme)?;
        let grouping = Grouping::of(&facts, options);
        facts.positions = Vec::new();
        let mut maxima = resampling::maxima(&facts, &grouping, options)?;
        let mut headlines = Headlines::of(all);
        seconds.calls = clock.lap();
        let shown = resampling::Shown {
            details,
            all,
            memory: options.memory,
        };
        let firings = Firings::gather(details, &facts, all, options.memory / 2, &mut |rows| {
            go_on()?;
            headlines.take(rows);
            seconds.firings += clock.lap();
            let maxima = maxima.as_mut().filter(|_| shown.at_once());
            maxima.map_or(Ok(()), |maxima| shown.show(maxima, rows, go_on))?;
            seconds.permutations += clock.lap();
            Ok(())
        })?;
        seconds.firings += clock.lap();
        if let Some(maxima) = maxima.as_mut().filter(|_| !shown.at_once()) {
            shown.show_all(maxima, go_on)?;
        }
        seconds.permutations += clock.lap();
        let parts = replicated::Parts {
            details,
            facts: &facts,
            grouping: &grouping,
            all,
            options,
        };
        let replicate = |by| parts.replicate(by, &firings, go_on);
        let replication = options.replicate.map(replicate).transpose()?;
        seconds.replication = clock.lap();
        let firings = firings.finish(&facts, all, options.min_support);
        seconds.firings += clock.lap();
        let bootstrap = headlines.intervals(&facts, &grouping, options, go_on)?;
        seconds.bootstrap = clock.lap();
        let (pairs, counted) = co_activation::count(pairs_by, details, all, options, go_on)?;
        seconds.pairs = clock.lap();
        Ok(Self {
            replication,
            pairs: Some(pairs),
            pairs_counted: Some(counted),
            firings: Some(firings),
            permutations: maxima.map(|maxima| Permutations::of(maxima, options.permutations)),
            bootstrap,
            seconds,
        })
    }
}

/// Seconds since the last look.
pub(super) struct Clock(Instant);

impl Clock {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    pub(super) fn lap(&mut self) -> f64 {
        let seconds = self.0.elapsed().as_secs_f64();
        self.0 = Instant::now();
        seconds
    }
}
