//! An atom's association with the label within strata: Cochran, Mantel and Haenszel's odds ratio
//! and test, Breslow and Day's test of homogeneity.
//!
//! With a, b, c, d the cells of a stratum's table ([`Table2x2`]), n its calls, R = Σ ad/n and S = Σ
//! bc/n, the common odds ratio is R/S. A stratum with a zero margin (the atom fires on all of its
//! calls or on none, or all have one label) adds nothing to any of the sums, as in textbooks, and
//! is not counted. Zero cells are not corrected: these sums need no correction, and are consistent
//! for many sparse strata because they have none.
//!
//! statsmodels' `StratifiedTable` agrees if every stratum is informative and no cell is corrected.
//! It differs from the textbook in four ways, in which this module follows the textbook.
//! `shift_zeros=True` adds ½ to all cells of just the tables that have a zero, which biases sparse
//! strata towards no effect. Uninformative strata count among the degrees of freedom. An odds ratio
//! of exactly 1, and strata without calls, give NaN. The p-values are `1 − cdf`, which is 0 from
//! 10⁻¹⁶ on.

use rayon::prelude::*;

use super::effect::{Estimate, Z_95};
use super::homogeneity::Homogeneity;
use super::p_value::Test;
use super::table::Table2x2;

/// One stratum's counts for every atom.
#[derive(Debug, Clone, Copy)]
pub struct StratumCounts<'a> {
    /// True calls of the stratum on which each atom fires, \[F\].
    pub tp_on: &'a [u64],
    /// False calls of the stratum on which each atom fires, \[F\].
    pub fp_on: &'a [u64],
    /// The number of all true calls of the stratum.
    pub tp: u64,
    /// The number of all false calls of the stratum.
    pub fp: u64,
}

impl StratumCounts<'_> {
    /// Returns the tables of a block of atoms.
    pub(super) fn tables(&self, first: usize, atoms: usize) -> impl Iterator<Item = Table2x2> {
        let tp_on = self.tp_on[first..][..atoms].iter();
        let on = tp_on.zip(&self.fp_on[first..][..atoms]);
        on.map(|(&tp_on, &fp_on)| Table2x2 {
            tp_on,
            fp_on,
            tp_off: self.tp.saturating_sub(tp_on),
            fp_off: self.fp.saturating_sub(fp_on),
        })
    }
}

/// The stratified statistics of an atom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stratified {
    /// The number of informative strata: those without a zero margin.
    pub informative: u32,
    /// The natural logarithm of Mantel and Haenszel's common odds ratio R/S (J. Natl. Cancer Inst.
    /// 22, 1959); −∞ if R is 0, ∞ if S is 0; `None` if both are.
    pub ln_odds_ratio: Option<f64>,
    /// The same with the 95 % interval of Robins, Breslow and Greenland (Biometrics 42, 1986),
    /// which holds for few large strata and for many sparse ones; `None` if R or S is 0.
    pub adjusted: Option<Estimate>,
    /// The Cochran–Mantel–Haenszel test of an odds ratio of 1 in all strata, without continuity
    /// correction: `(Σ(ad−bc)/n)² / Σ(product of margins)/(n²(n−1))`, one degree of freedom;
    /// statsmodels' `test_null_odds(correction=False)`. `None` if no stratum is informative. Its
    /// p-value is far too small if its variance is; [`exact_strata`](super::exact_strata) is the
    /// test to rest a claim on.
    pub cmh: Option<Test>,
    /// The same test with ½ subtracted from the absolute value of the sum, down to 0 if that is
    /// less. (There R's `mantelhaen.test` leaves the correction out, and statsmodels'
    /// `correction=True` squares the negative rest.) It is conservative: not the one to rank by.
    pub cmh_corrected: Option<Test>,
    /// Breslow and Day's test (*Statistical Methods in Cancer Research* 1, 1980) of one odds ratio
    /// in all strata, without Tarone's correction: `Σ (a − â)²/v̂`, with one degree of freedom
    /// fewer than informative strata. `None` if these are fewer than two, or if R or S is 0.
    pub breslow_day: Option<Test>,
    /// The same with Tarone's correction (Biometrika 72, 1985), `− (Σ(a − â))²/Σv̂`, which gives it
    /// its distribution under Mantel and Haenszel's estimate; statsmodels'
    /// `test_equal_odds(adjust=True)`. It is rough if strata are sparse, and finds too much:
    /// [`exact_homogeneity`](super::exact_homogeneity) is the one to read.
    pub breslow_day_tarone: Option<Test>,
    /// True if the strata together lean to the other side than the table of all calls does, by
    /// however little. This is no evidence of Simpson's paradox, which needs a test of either.
    /// Leanings are the signs of `ad − bc` and of `Σ(ad−bc)/n`; a sum that is 0 but for rounding
    /// leans nowhere.
    pub is_opposed: bool,
}

/// Computes the statistics of one atom from its tables.
pub fn of_tables(tables: &[Table2x2]) -> Stratified {
    let mut sums = Sums::default();
    for table in tables {
        sums.add(table);
    }
    let mut homogeneity = Homogeneity::default();
    if let Some(odds_ratio) = sums.odds_ratio() {
        for table in tables {
            homogeneity.add(table, odds_ratio);
        }
    }
    sums.finish(homogeneity)
}

/// The number of atoms that one thread takes at a time: at least a cache line's counts of each
/// stratum, and few enough that their sums stay near.
const BLOCK: usize = 128;

/// Computes the statistics of every atom, \[F\]. Each atom's sums go over the strata in their
/// order, so the bits do not depend on the number of threads. A cell whose count would be negative,
/// since a count exceeds its total, counts as empty.
///
/// # Panics
/// Panics if the strata differ in their number of atoms.
pub fn of_atoms(strata: &[StratumCounts<'_>]) -> Vec<Stratified> {
    let atoms = strata.first().map_or(0, |stratum| stratum.tp_on.len());
    for stratum in strata {
        assert_eq!(stratum.tp_on.len(), atoms);
        assert_eq!(stratum.fp_on.len(), atoms);
    }
    let blocks = (0..atoms).into_par_iter().step_by(BLOCK);
    blocks
        .flat_map_iter(|first| of_block(strata, first, BLOCK.min(atoms - first)))
        .collect()
}

/// Computes a block of atoms, stratum by stratum, in the counts' own order.
fn of_block(
    strata: &[StratumCounts<'_>],
    first: usize,
    atoms: usize,
) -> impl Iterator<Item = Stratified> {
    let mut sums = vec![Sums::default(); atoms];
    for stratum in strata {
        for (sums, table) in sums.iter_mut().zip(stratum.tables(first, atoms)) {
            sums.add(&table);
        }
    }
    let odds_ratios: Vec<_> = sums.iter().map(Sums::odds_ratio).collect();
    let mut homogeneities = vec![Homogeneity::default(); atoms];
    for stratum in strata {
        let with_ratio = homogeneities.iter_mut().zip(&odds_ratios);
        for ((homogeneity, odds_ratio), table) in with_ratio.zip(stratum.tables(first, atoms)) {
            if let Some(odds_ratio) = *odds_ratio {
                homogeneity.add(&table, odds_ratio);
            }
        }
    }
    sums.into_iter()
        .zip(homogeneities)
        .map(|(sums, homogeneity)| sums.finish(homogeneity))
}

/// The sums over strata behind the odds ratio, its variance and the test. A stratum has P = (a+d)/n
/// and Q = (b+c)/n, and its shares R = ad/n and S = bc/n.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    all: Table2x2,
    informative: u32,
    r: f64,
    s: f64,
    pr: f64,
    /// PS + QR.
    mixed: f64,
    qs: f64,
    /// R − S = a less its expectation under independence.
    difference: f64,
    /// The size that `difference` would have if no terms cancelled.
    size: f64,
    /// The variance of a under independence, given the margins.
    variance: f64,
}

impl Sums {
    fn add(&mut self, table: &Table2x2) {
        self.all = self.all + *table;
        if table.is_degenerate() {
            return;
        }
        self.informative += 1;
        let [a, b, c, d] = table.cells().map(|x| x as f64);
        let inverse = 1.0 / table.n() as f64;
        let [p, q] = [(a + d) * inverse, (b + c) * inverse];
        let [r, s] = [a * d * inverse, b * c * inverse];
        self.r += r;
        self.s += s;
        self.pr += p * r;
        self.mixed += p * s + q * r;
        self.qs += q * s;
        let difference = table.cross_difference() as f64 * inverse;
        self.difference += difference;
        self.size += difference.abs();
        let rows = table.fires() as f64 * (table.silent() as f64 * inverse);
        let columns = table.tp() as f64 * (table.fp() as f64 * inverse);
        self.variance += rows * columns / (table.n() - 1) as f64;
    }

    /// Returns R/S, if it is neither 0 nor infinite.
    fn odds_ratio(&self) -> Option<f64> {
        (self.r > 0.0 && self.s > 0.0).then(|| self.r / self.s)
    }

    fn ln_odds_ratio(&self) -> Option<f64> {
        if self.r == 0.0 && self.s == 0.0 {
            return None;
        }
        // Near 1 the logarithm of a rounded ratio loses digits that R − S has.
        let relative = self.difference / self.s;
        Some(if relative.abs() < 0.5 {
            libm::log1p(relative)
        } else {
            libm::log(self.r / self.s)
        })
    }

    /// Computes Robins, Breslow and Greenland's interval.
    fn adjusted(&self) -> Option<Estimate> {
        self.odds_ratio()?;
        let value = self.ln_odds_ratio()?;
        let Self { r, s, .. } = *self;
        let variance =
            self.pr / (2.0 * r * r) + self.mixed / (2.0 * r * s) + self.qs / (2.0 * s * s);
        let half_width = Z_95 * variance.sqrt();
        Some(Estimate {
            value,
            low: value - half_width,
            high: value + half_width,
        })
    }

    /// Computes the Cochran–Mantel–Haenszel test, with so much subtracted from the absolute
    /// difference.
    fn cmh(&self, correction: f64) -> Option<Test> {
        let difference = (self.difference.abs() - correction).max(0.0);
        (self.informative > 0).then(|| Test::of_chi2(difference * difference / self.variance, 1))
    }

    fn is_opposed(&self) -> bool {
        let crude = self.all.cross_difference();
        let leans = self.difference.abs() > 1e-12 * self.size;
        leans && crude != 0 && (crude > 0) != (self.difference > 0.0)
    }

    fn finish(&self, homogeneity: Homogeneity) -> Stratified {
        let degrees = self.informative.saturating_sub(1);
        let tests = self.odds_ratio().is_some() && degrees > 0;
        let test = |statistic: f64| tests.then(|| Test::of_chi2(statistic.max(0.0), degrees));
        Stratified {
            informative: self.informative,
            ln_odds_ratio: self.ln_odds_ratio(),
            adjusted: self.adjusted(),
            cmh: self.cmh(0.0),
            cmh_corrected: self.cmh(0.5),
            breslow_day: test(homogeneity.statistic),
            breslow_day_tarone: test(homogeneity.statistic - homogeneity.correction()),
            is_opposed: self.is_opposed(),
        }
    }
}
