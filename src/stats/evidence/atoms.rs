//! One record an atom, from counts alone; p-values adjusted for all atoms with enough support.

use rayon::prelude::*;

use super::strata::Confounded;
use crate::cohort::Label;
use crate::stats::inference::conditional::{self, Conditional};
use crate::stats::inference::fisher::Fisher;
use crate::stats::inference::multiplicity::Adjusted;
use crate::stats::inference::pearson::{self, Pearson};
use crate::stats::inference::stratified::{self, Stratified};
use crate::stats::inference::{Estimate, PValue, Table2x2, effect, fisher};
use crate::tally::Tally;

/// The results for an atom that come from counts alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AtomCounts {
    /// Firing and label.
    pub table: Table2x2,
    /// The log odds ratio, Haldane–Anscombe, with Woolf's interval; `None` where a margin is 0.
    pub log_odds: Option<Estimate>,
    /// P(TP | fires) − P(TP | silent), with Newcombe's interval; `None` where a margin is 0.
    pub risk_difference: Option<Estimate>,
    /// P(TP | fires), with Wilson's interval.
    pub precision: Option<Estimate>,
    /// Pearson's chi-square test.
    pub pearson: Option<Pearson>,
    /// Fisher's exact test.
    pub fisher: Fisher,
    /// The results from the strata.
    pub stratified: Stratified,
    /// The results from the strata given their margins, however sparse the strata are.
    pub conditional: Conditional,
}

impl AtomCounts {
    pub(super) fn of(table: Table2x2, stratified: Stratified, conditional: Conditional) -> Self {
        // With a margin of 0 any odds ratio gives the same table: there is nothing to estimate.
        let informs = !table.is_degenerate();
        Self {
            table,
            log_odds: informs.then(|| effect::log_odds_ratio(&table)),
            risk_difference: effect::risk_difference(&table).filter(|_| informs),
            precision: effect::precision_when_firing(&table),
            pearson: pearson::independence(&table),
            fisher: fisher::exact_test(&table),
            stratified,
            conditional,
        }
    }
}

/// Every atom, \[F\].
pub(super) struct AllAtoms {
    pub(super) atoms: Vec<AtomCounts>,
    /// Calls on which each fires.
    pub(super) fires: Vec<u64>,
    pub(super) tp: u64,
    pub(super) fp: u64,
    min_support: u64,
}

impl AllAtoms {
    pub(super) fn of(tally: &Tally, confounded: &Confounded, min_support: u64) -> Self {
        let of_label = |label: Label| {
            let is = move |stratum: &crate::tally::Stratum| stratum.label == label;
            (tally.rows_where(is), tally.counts_where(is))
        };
        let ((tp, tp_on), (fp, fp_on)) = (of_label(Label::Tp), of_label(Label::Fp));
        let atoms: Vec<AtomCounts> = (0..tally.feature_dim())
            .into_par_iter()
            .with_min_len(64)
            .map(|atom| {
                let table = Table2x2 {
                    tp_on: tp_on[atom],
                    fp_on: fp_on[atom],
                    tp_off: tp.saturating_sub(tp_on[atom]),
                    fp_off: fp.saturating_sub(fp_on[atom]),
                };
                let tables = confounded.tables(atom);
                let stratified = stratified::of_tables(&tables);
                AtomCounts::of(table, stratified, conditional::of_tables(&tables))
            })
            .collect();
        Self {
            fires: atoms.iter().map(|atom| atom.table.fires()).collect(),
            atoms,
            tp,
            fp,
            min_support,
        }
    }

    /// Says whether an atom is in the families of tests. Such an atom fires on enough calls, and a
    /// test of it could tell something.
    pub(super) fn is_tested(&self, atom: usize) -> bool {
        let table = &self.atoms[atom].table;
        table.fires() >= self.min_support && !table.is_degenerate()
    }

    /// These p-values of all tested atoms, adjusted.
    pub(super) fn adjusted(&self, p: impl Fn(&AtomCounts) -> Option<PValue>) -> Adjusted {
        let of = |(atom, counts)| p(counts).filter(|_| self.is_tested(atom));
        let p: Vec<_> = self.atoms.iter().enumerate().map(of).collect();
        Adjusted::of(&p)
    }
}
