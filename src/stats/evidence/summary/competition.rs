//! The effect of competition for places on all atoms, and the results of scores without it.

use serde::Serialize;

use super::atoms::{View, leans_within, side};
use super::called::{is_called_within, is_significant};
use super::claims::{by_p, claim, strictest};
use super::{Claim, DESCRIBED, Procedure, Ratio, Scope};
use crate::cohort::Label;
use crate::stats::evidence::ExtendedTables;
use crate::stats::evidence::order::{Strength, strongest_first};
use crate::stats::score_comparison::ScoreComparison;

/// Displacement: atoms lean to one side because other atoms take their places on the other.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Displaced {
    /// The side to which an atom without an association leans.
    pub side: Label,
    /// The number of atoms that show it.
    pub atoms: usize,
    /// The median of their odds ratios over all calls: where an atom without an association is expected.
    pub median: Ratio,
    /// The median within strata.
    pub within: Option<Ratio>,
    /// True if atoms were taken to be independent, because there were no firing sets.
    pub as_if_independent: bool,
    /// The strictest procedure within strata.
    pub procedure: Procedure,
    /// The number of atoms that it calls.
    pub called: usize,
    /// The number of called atoms that lean to that side.
    pub leaning: usize,
}

impl Displaced {
    /// `None` where the middle of all atoms is at 0, as far as chance can tell.
    pub(super) fn of(tables: &ExtendedTables) -> Option<Self> {
        let found = tables.displacement.filter(|found| found.is_told)?;
        let to = side(found.median.value);
        let called = called_within(tables);
        let leaning = called
            .iter()
            .filter(|&&atom| leans_within(tables, atom) == Some(to));
        Some(Self {
            side: to,
            atoms: found.atoms,
            median: Ratio::of_log(&found.median),
            within: found.within.as_ref().map(Ratio::of_log),
            as_if_independent: found.inflation.is_none(),
            procedure: strictest(tables),
            called: called.len(),
            leaning: leaning.count(),
        })
    }
}

fn called_within(tables: &ExtendedTables) -> Vec<u32> {
    let atoms = 0..tables.atoms.len() as u32;
    atoms
        .filter(|&atom| is_called_within(tables, atom))
        .collect()
}

/// Every atom's score on every call, true against false calls within strata.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScoresSummary {
    /// Strata with calls of both labels.
    pub strata: usize,
    /// The number of atoms that each procedure claims, the strictest first.
    pub claims: Vec<Claim>,
    /// The strictest procedure within strata by firing.
    pub procedure: Procedure,
    /// The number of atoms that it calls.
    pub called: usize,
    /// The number of called atoms that differ by score to the same side (Holm).
    pub agreeing: usize,
    /// The atoms with the smallest p-values by score.
    pub strongest: Vec<ScoredAtom>,
    /// The number of atoms that have a rough p-value.
    pub rough: usize,
}

/// An atom that differs by score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ScoredAtom {
    /// The atom.
    pub atom: u32,
    /// The calls on which it scores higher.
    pub side: Label,
    /// −log₁₀ p of van Elteren's test; null where p is 0.
    pub neg_log10_p: f64,
    /// The area under the ROC curve within strata.
    pub auroc_within: Option<f64>,
    /// The difference of the mean scores, true less false calls, and its 95 % interval.
    pub mean_difference: Option<(f64, [f64; 2])>,
}

impl ScoresSummary {
    pub(super) fn of(view: &View<'_>) -> Option<Self> {
        let tables = view.tables;
        let found = tables.scores.as_ref()?;
        let claim = |(procedure, adjusted): (_, &Vec<_>)| {
            let is_claimed = |atom: usize| is_significant(adjusted[atom]);
            claim(view, procedure, Scope::Scores, &is_claimed)
        };
        let called = called_within(tables);
        let agrees = |&&atom: &&u32| {
            let test = found.atoms[atom as usize].ranks.test;
            let scored = test.filter(|test| test.statistic != 0.0);
            let scored = scored.map(|test| side(test.statistic));
            scored.is_some()
                && scored == leans_within(tables, atom)
                && is_significant(found.adjusted.holm[atom as usize])
        };
        Some(Self {
            strata: found.strata,
            claims: by_p(&found.adjusted).into_iter().map(claim).collect(),
            procedure: strictest(tables),
            called: called.len(),
            agreeing: called.iter().filter(agrees).count(),
            strongest: strongest(found),
            rough: found.atoms.iter().filter(|of| of.ranks.is_rough).count(),
        })
    }
}

fn strongest(found: &ScoreComparison) -> Vec<ScoredAtom> {
    let atoms = 0..found.atoms.len() as u32;
    let is_claimed = |atom: &u32| is_significant(found.adjusted.holm[*atom as usize]);
    let mut atoms: Vec<u32> = atoms.filter(is_claimed).collect();
    strongest_first(&mut atoms, |atom| {
        let ranks = found.atoms[atom as usize].ranks;
        Strength {
            ln_p: ranks.test.map_or(0.0, |test| test.p.ln()),
            size: ranks.auroc_within.map_or(0.0, |area| (area - 0.5).abs()),
        }
    });
    let of_atom = |atom: u32| {
        let scores = &found.atoms[atom as usize];
        let test = scores.ranks.test?;
        Some(ScoredAtom {
            atom,
            side: side(test.statistic),
            neg_log10_p: test.p.neg_log10(),
            auroc_within: scores.ranks.auroc_within,
            mean_difference: scores.means.difference.zip(scores.means.interval),
        })
    };
    let atoms = atoms.into_iter().filter_map(of_atom);
    atoms.take(DESCRIBED).collect()
}
