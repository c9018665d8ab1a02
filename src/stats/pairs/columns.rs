//! The columns of a table of pairs.

use std::f64::consts::LN_10;
use std::ops::Range;

use rayon::prelude::*;

use super::Pairs;
use super::difference::log_odds_ratio_difference;
use super::kept::Pair;
use super::margins::{Group, Margins};

/// Some pairs' rows, by descending count on all calls, equal counts by ascending atoms.
#[derive(Debug, Clone, PartialEq)]
pub struct PairColumns {
    /// The pair's first atom.
    pub a: Vec<u32>,
    /// Its second one, a < b.
    pub b: Vec<u32>,
    /// The association on all calls.
    pub all: AssociationColumns,
    /// The association on true calls alone.
    pub tp: AssociationColumns,
    /// The association on false calls alone.
    pub fp: AssociationColumns,
    /// The difference between true and false calls.
    pub difference: DifferenceColumns,
}

/// The association of two atoms' firing on n calls, of which a fires on `n_a` and b on `n_b`. NaN
/// where a figure is undefined: there are no such calls, or an atom fires on none of them, or (φ
/// and the test) on all.
#[derive(Debug, Clone, PartialEq)]
pub struct AssociationColumns {
    /// Calls on which both fire.
    pub count: Vec<u32>,
    /// The number of calls on which both would fire by chance, where each call's k places go to
    /// atoms that are as frequent as they are and have nothing else to do with one another. This is
    /// conditional Bernoulli sampling (Chen, Dempster & Liu, Biometrika 81, 1994). It is less than
    /// `n_a·n_b/n`, since they share the places.
    pub expected: Vec<f64>,
    /// `count/expected`.
    pub lift: Vec<f64>,
    /// Jaccard's index, `count/(n_a + n_b − count)`: calls on which both fire by those on which
    /// either does.
    pub jaccard: Vec<f64>,
    /// φ, the correlation of their firing, −1 to 1; by chance a little below 0.
    pub phi: Vec<f64>,
    /// −log₁₀ p of the exact test of that chance, given `n_a` and `n_b`. The count has Fisher's
    /// noncentral hypergeometric distribution, with the odds ratio that chance gives. The test is
    /// two-sided: it takes the counts that are at most as probable as the observed one.
    pub neg_log10_p: Vec<f64>,
    /// p adjusted after Benjamini and Hochberg, 0 where it is below the smallest number. The family
    /// is all pairs of atoms that could be here. Each atom fires on at least
    /// [`threshold_used`](Pairs::threshold_used) calls, and on some of the n calls and not on all
    /// of them. Pairs that are not here count as if their p were 1.
    pub fdr: Vec<f64>,
}

/// The difference in how two atoms hold together on true calls and on false ones. NaN where, on the
/// calls of one label, an atom fires on none or on all.
#[derive(Debug, Clone, PartialEq)]
pub struct DifferenceColumns {
    /// Natural logarithm of the odds ratio in true calls by that in false ones, ½ added to every cell
    /// (Haldane–Anscombe): positive where they hold together more in true calls.
    pub log_odds_ratio_difference: Vec<f64>,
    /// −log₁₀ p of Zelen's exact test (Biometrika 58, 1971) of one odds ratio in both; NaN also where
    /// the calls on which each atom and both fire leave no other tables.
    pub neg_log10_p: Vec<f64>,
    /// p adjusted after Benjamini and Hochberg over all pairs that fire together on at least
    /// [`threshold_used`](Pairs::threshold_used) calls and have one.
    pub fdr: Vec<f64>,
}

/// The columns of a range of pairs.
pub(super) fn of(pairs: &Pairs, range: Range<usize>) -> PairColumns {
    let rows = &*pairs.table(range.clone());
    let association = |group| association(pairs, rows, group, range.clone());
    PairColumns {
        a: column(rows, |pair| pair.a),
        b: column(rows, |pair| pair.b),
        all: association(Group::All),
        tp: association(Group::Tp),
        fp: association(Group::Fp),
        difference: DifferenceColumns {
            log_odds_ratio_difference: column(rows, |pair| {
                log_odds_ratio_difference(&pairs.margins, pair)
            }),
            neg_log10_p: neg_log10(&pairs.difference.ln_p[range.clone()]),
            fdr: exponentials(&pairs.difference.ln_fdr[range.clone()]),
        },
    }
}

fn association(
    pairs: &Pairs,
    rows: &[Pair],
    group: Group,
    range: Range<usize>,
) -> AssociationColumns {
    let margins = &pairs.margins;
    let tests = &pairs.association[group as usize];
    AssociationColumns {
        count: column(rows, |pair| Margins::count(group, pair)),
        expected: column(rows, |pair| margins.expected(group, pair)),
        lift: column(rows, |pair| margins.lift(group, pair)),
        jaccard: column(rows, |pair| margins.jaccard(group, pair)),
        phi: column(rows, |pair| margins.phi(group, pair)),
        neg_log10_p: neg_log10(&tests.ln_p[range.clone()]),
        fdr: exponentials(&tests.ln_fdr[range]),
    }
}

fn column<T: Send>(rows: &[Pair], figure: impl Fn(&Pair) -> T + Send + Sync) -> Vec<T> {
    rows.par_iter().map(figure).collect()
}

fn exponentials(logarithms: &[f64]) -> Vec<f64> {
    logarithms.par_iter().map(|&ln| libm::exp(ln)).collect()
}

/// Positive 0 of 1.
fn neg_log10(logarithms: &[f64]) -> Vec<f64> {
    let of_one = |&ln_p: &f64| -ln_p / LN_10 + 0.0;
    logarithms.par_iter().map(of_one).collect()
}
