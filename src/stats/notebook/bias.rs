//! The notebook's table of bias: for each atom, its contingency table of firing and label.

use serde::Serialize;

use crate::cohort::Label;
use crate::stats::notebook::{chi2, exact, fdr};
use crate::tally::Tally;

/// The adjusted p-value below which an atom is significant.
pub const SIGNIFICANCE: f64 = 0.05;

/// One atom's contingency table of firing and label, and its statistics.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AtomBias {
    /// The atom's number, from 0.
    pub atom: u32,
    /// True calls on which it fires.
    pub tp_on: u64,
    /// False calls on which it fires.
    pub fp_on: u64,
    /// True calls on which it does not.
    pub tp_off: u64,
    /// False calls on which it does not.
    pub fp_off: u64,
    /// `tp_on·fp_off / max(1, fp_on·tp_off)`: the odds ratio, except that a zero denominator counts
    /// as 1. The quotient then grows with the number of calls.
    pub odds: f64,
    /// Calls on which it fires, `tp_on + fp_on`.
    pub support: u64,
    /// p-value of the chi-square test without correction, one degree of freedom.
    pub p: f64,
    /// The p-value adjusted over all atoms of the table by Benjamini and Hochberg's procedure.
    pub fdr_corrected: f64,
    /// True if the adjusted p-value is below [`SIGNIFICANCE`].
    pub significant: bool,
}

/// The reason why a table has no atom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Empty {
    /// There are no calls.
    NoCalls,
    /// All calls have one label, so nothing can lean to either side.
    OneClass(Label),
    /// No atom fires often enough.
    LowSupport,
    /// Each atom that fires often enough fires on every call.
    FiresEverywhere,
}

/// Every atom with enough support and a meaningful test, in atom order.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BiasTable {
    /// The atoms, ascending.
    pub atoms: Vec<AtomBias>,
    /// The number of calls labelled true.
    pub tp_total: u64,
    /// The number of calls labelled false.
    pub fp_total: u64,
    /// The least support that was asked for.
    pub min_support: u64,
    /// The number of atoms left out because they fire on fewer calls than that.
    pub skipped_low_support: u64,
    /// The number of atoms left out because an expected count is zero: all calls have one label, or
    /// the atom fires on every call (or, with a least support of 0, on none).
    pub skipped_zero_expected: u64,
}

impl BiasTable {
    /// Makes the table of all atoms that fire on at least `min_support` calls.
    pub fn of(tally: &Tally, min_support: u64) -> Self {
        let is_tp = |label| label == Label::Tp;
        let tp_on = tally.counts_where(|stratum| is_tp(stratum.label));
        let fp_on = tally.counts_where(|stratum| !is_tp(stratum.label));
        let mut table = Self {
            atoms: Vec::new(),
            tp_total: tally.rows_where(|stratum| is_tp(stratum.label)),
            fp_total: tally.rows_where(|stratum| !is_tp(stratum.label)),
            min_support,
            skipped_low_support: 0,
            skipped_zero_expected: 0,
        };
        for (atom, (tp_on, fp_on)) in tp_on.into_iter().zip(fp_on).enumerate() {
            table.add(atom as u32, tp_on, fp_on);
        }
        table.adjust();
        table
    }

    fn add(&mut self, atom: u32, tp_on: u64, fp_on: u64) {
        let support = tp_on + fp_on;
        if support < self.min_support {
            self.skipped_low_support += 1;
            return;
        }
        // In an invalid tally counts may exceed its rows; such cells count as empty.
        let tp_off = self.tp_total.saturating_sub(tp_on);
        let fp_off = self.fp_total.saturating_sub(fp_on);
        let Some(test) = chi2::contingency([[tp_on, fp_on], [tp_off, fp_off]]) else {
            self.skipped_zero_expected += 1;
            return;
        };
        let product = |a: u64, b: u64| u128::from(a) * u128::from(b);
        self.atoms.push(AtomBias {
            atom,
            tp_on,
            fp_on,
            tp_off,
            fp_off,
            odds: exact::ratio(product(tp_on, fp_off), product(fp_on, tp_off).max(1)),
            support,
            p: test.p,
            fdr_corrected: test.p,
            significant: false,
        });
    }

    fn adjust(&mut self) {
        let p: Vec<f64> = self.atoms.iter().map(|atom| atom.p).collect();
        for (atom, adjusted) in self.atoms.iter_mut().zip(fdr::benjamini_hochberg(&p)) {
            atom.fdr_corrected = adjusted;
            atom.significant = adjusted < SIGNIFICANCE;
        }
    }

    /// Returns the atom's line, if it is in the table.
    pub fn get(&self, atom: u32) -> Option<&AtomBias> {
        let found = self.atoms.binary_search_by_key(&atom, |line| line.atom);
        found.ok().map(|at| &self.atoms[at])
    }

    /// Returns the reason why the table is empty; `None` if it is not.
    pub fn why_empty(&self) -> Option<Empty> {
        if !self.atoms.is_empty() {
            return None;
        }
        Some(match (self.tp_total, self.fp_total) {
            (0, 0) => Empty::NoCalls,
            (0, _) => Empty::OneClass(Label::Fp),
            (_, 0) => Empty::OneClass(Label::Tp),
            _ if self.skipped_zero_expected > 0 => Empty::FiresEverywhere,
            _ => Empty::LowSupport,
        })
    }
}
