//! One atom's figures and cautions, and what becomes of the atoms that are called on all calls.

use serde::Serialize;

use super::called::{is_called_within, is_significant, max_t};
use super::duplicates::NearDuplicates;
use super::{DESCRIBED, NAMED, Ratio};
use crate::cohort::Label;
use crate::stats::evidence::{self, AtomCounts, ExtendedTables, LEVEL};

/// Below this expected count the odds ratio of a table is rough.
const SPARSE: f64 = 5.0;

/// An atom with its figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AtomSummary {
    /// The atom.
    pub atom: u32,
    /// The calls to which it leans, over all calls.
    pub side: Label,
    /// Calls on which it fires.
    pub support: u64,
    /// The share of true calls among them.
    pub true_share: f64,
    /// The odds ratio of firing, true against false calls, over all calls.
    pub odds_ratio: Ratio,
    /// −log₁₀ p of Fisher's exact test; null where p is 0.
    pub neg_log10_p: f64,
    /// The odds ratio within strata.
    pub within: OddsWithin,
    /// The odds ratio's 95 % interval by bootstrap, where one was drawn.
    pub bootstrap: Option<[f64; 2]>,
    /// The other atoms of its group of near-duplicates.
    pub near_duplicates: Vec<u32>,
    /// The cautions that weaken it, the heaviest first.
    pub cautions: Vec<AtomCaution>,
}

/// An odds ratio within strata.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OddsWithin {
    /// A number.
    Ratio(Ratio),
    /// Infinite: no stratum has a call against it.
    Infinite,
    /// Zero: no stratum has a call for it.
    Zero,
    /// No stratum informs.
    Unknown,
}

/// A caution that weakens the claim of an atom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AtomCaution {
    /// Within strata it leans to the other side, as certainly (Simpson's paradox).
    SidesChange,
    /// The association goes away within strata.
    Confounded,
    /// No effect is certain within strata.
    NotWithinStrata,
    /// The strata have different odds ratios.
    StrataDisagree,
    /// An expected count is below 5.
    Sparse,
    /// Step-down max-T does not call it.
    NotByMaxT,
}

/// The fate of the atoms that Fisher's test and Benjamini and Hochberg's procedure call on all
/// calls at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CalledOnAllCalls {
    /// The number of these atoms.
    pub atoms: usize,
    /// The number of atoms that the same procedure calls within strata too.
    pub within: usize,
    /// The number of associations that go away within strata.
    pub confounded: usize,
    /// The number of atoms that lean to the other side within strata, as certainly.
    pub sides_change: usize,
    /// The number of atoms whose odds ratios differ between strata.
    pub strata_disagree: usize,
    /// The number of atoms with an expected count below 5.
    pub sparse: usize,
    /// The number of atoms that step-down max-T calls; `None` where it can call none.
    pub by_max_t: Option<usize>,
}

/// The data that summaries of atoms are made from.
pub(super) struct View<'a> {
    pub(super) tables: &'a ExtendedTables,
    /// The tested atoms, the strongest first.
    pub(super) order: &'a [u32],
    pub(super) near_duplicates: Option<&'a NearDuplicates>,
}

impl View<'_> {
    /// The strongest atoms that are called on all calls at once.
    pub(super) fn strongest(&self) -> Vec<AtomSummary> {
        self.first(DESCRIBED, |atom| self.is_called(atom as usize))
    }

    /// The strongest atoms that are called within strata and lean to one side there.
    pub(super) fn strongest_within(&self, side: Label) -> Vec<AtomSummary> {
        self.first(NAMED, |atom| {
            let is_called = is_called_within(self.tables, atom);
            is_called && leans_within(self.tables, atom) == Some(side)
        })
    }

    /// The first `wanted` atoms, a group of near-duplicates once.
    fn first(&self, most: usize, wanted: impl Fn(u32) -> bool) -> Vec<AtomSummary> {
        let mut first: Vec<AtomSummary> = Vec::new();
        for &atom in self.order.iter().filter(|&&atom| wanted(atom)) {
            let is_known = |of: &AtomSummary| of.near_duplicates.contains(&atom);
            if first.len() < most && !first.iter().any(is_known) {
                first.extend(self.describe(atom));
            }
        }
        first
    }

    fn is_called(&self, atom: usize) -> bool {
        is_significant(self.tables.fisher.bh[atom])
    }

    /// `None` for an atom that fires on no call or on every call, which is not tested.
    fn describe(&self, atom: u32) -> Option<AtomSummary> {
        let tables = self.tables;
        let counts = &tables.atoms[atom as usize];
        let log_odds = counts.log_odds?;
        let mut drawn = tables.bootstrap.iter();
        let drawn = drawn.find(|found| found.atom == atom);
        let near_duplicates = self
            .near_duplicates
            .map(|found| found.others(atom))
            .unwrap_or_default();
        Some(AtomSummary {
            atom,
            side: side(log_odds.value),
            support: counts.table.fires(),
            true_share: counts.precision?.value,
            odds_ratio: Ratio::of_log(&log_odds),
            neg_log10_p: counts.fisher.p.neg_log10(),
            within: OddsWithin::of(counts),
            bootstrap: drawn.map(|found| [found.low, found.high].map(libm::exp)),
            near_duplicates,
            cautions: self.cautions(atom as usize),
        })
    }

    fn cautions(&self, atom: usize) -> Vec<AtomCaution> {
        let tables = self.tables;
        let is_confounded = self.is_within(atom, evidence::Within::Confounded);
        let cautions = [
            (
                self.is_within(atom, evidence::Within::Paradox),
                AtomCaution::SidesChange,
            ),
            (is_confounded, AtomCaution::Confounded),
            (
                !is_confounded && !is_significant(tables.cmh.bh[atom]),
                AtomCaution::NotWithinStrata,
            ),
            (self.strata_disagree(atom), AtomCaution::StrataDisagree),
            (is_sparse(&tables.atoms[atom]), AtomCaution::Sparse),
            (
                self.is_by_max_t(atom) == Some(false),
                AtomCaution::NotByMaxT,
            ),
        ];
        let there = cautions.into_iter().filter(|(is, _)| *is);
        there.map(|(_, caution)| caution).collect()
    }

    /// `None` where no atom is called.
    pub(super) fn called_on_all_calls(&self) -> Option<CalledOnAllCalls> {
        let called = (0..self.tables.atoms.len()).filter(|&atom| self.is_called(atom));
        let called: Vec<usize> = called.collect();
        if called.is_empty() {
            return None;
        }
        let count = |is: &dyn Fn(usize) -> bool| called.iter().filter(|&&atom| is(atom)).count();
        Some(CalledOnAllCalls {
            atoms: called.len(),
            within: count(&|atom| is_significant(self.tables.cmh.bh[atom])),
            confounded: count(&|atom| self.is_within(atom, evidence::Within::Confounded)),
            sides_change: count(&|atom| self.is_within(atom, evidence::Within::Paradox)),
            strata_disagree: count(&|atom| self.strata_disagree(atom)),
            sparse: count(&|atom| is_sparse(&self.tables.atoms[atom])),
            by_max_t: max_t(self.tables)
                .map(|_| count(&|atom| self.is_by_max_t(atom) == Some(true))),
        })
    }

    fn is_within(&self, atom: usize, what: evidence::Within) -> bool {
        self.tables.within[atom] == Some(what)
    }

    fn strata_disagree(&self, atom: usize) -> bool {
        is_significant(self.tables.homogeneity.bh[atom])
    }

    /// `None` where permutations are too few to call an atom.
    fn is_by_max_t(&self, atom: usize) -> Option<bool> {
        max_t(self.tables).map(|permutations| permutations.atoms[atom].p < LEVEL)
    }
}

impl OddsWithin {
    fn of(counts: &AtomCounts) -> Self {
        let stratified = &counts.stratified;
        match (stratified.adjusted, stratified.ln_odds_ratio) {
            (Some(log), _) => Self::Ratio(Ratio::of_log(&log)),
            (None, None) => Self::Unknown,
            (None, Some(ln)) if ln > 0.0 => Self::Infinite,
            (None, Some(_)) => Self::Zero,
        }
    }
}

fn is_sparse(counts: &AtomCounts) -> bool {
    let pearson = counts.pearson;
    pearson.is_some_and(|pearson| pearson.least_expected < SPARSE)
}

/// The side of a log odds ratio.
pub(super) fn side(log: f64) -> Label {
    if log > 0.0 { Label::Tp } else { Label::Fp }
}

/// The side to which an atom leans within strata; where these do not tell, over all calls. `None` where
/// it leans to neither.
pub(super) fn leans_within(tables: &ExtendedTables, atom: u32) -> Option<Label> {
    let counts = &tables.atoms[atom as usize];
    let within = counts.stratified.ln_odds_ratio;
    let log = within.or_else(|| counts.log_odds.map(|log_odds| log_odds.value))?;
    (log != 0.0).then(|| side(log))
}
