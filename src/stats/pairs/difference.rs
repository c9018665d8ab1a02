//! Whether two atoms fire together otherwise on true calls than on false ones: two strata.

use super::kept::Pair;
use super::margins::{Group, Margins};
use super::tail::ln_two_sided;
use crate::stats::inference::Table2x2;
use crate::stats::inference::homogeneity::Homogeneity;

/// The pair's tables of true and of false calls; `None` where either has a zero margin, and says
/// nothing.
fn strata(margins: &Margins, pair: &Pair) -> Option<[Table2x2; 2]> {
    let tables = [Group::Tp, Group::Fp].map(|group| margins.table(group, pair));
    (!tables.iter().any(Table2x2::is_degenerate)).then_some(tables)
}

/// `ln p` of Breslow and Day's test with Tarone's correction of one odds ratio in true and in false
/// calls; NaN where either says nothing, or their common odds ratio is 0 or infinite.
///
/// It is [`breslow_day_tarone`](crate::stats::inference::stratified::Stratified::breslow_day_tarone)
/// of the two tables, without all else that is computed there.
pub(super) fn ln_p_of_difference(margins: &Margins, pair: &Pair) -> f64 {
    let Some(tables) = strata(margins, pair) else {
        return f64::NAN;
    };
    let [mut agree, mut disagree] = [0.0; 2];
    for table in &tables {
        let [a, b, c, d] = table.cells().map(|x| x as f64);
        let inverse = 1.0 / table.n() as f64;
        agree += a * d * inverse;
        disagree += b * c * inverse;
    }
    if agree == 0.0 || disagree == 0.0 {
        return f64::NAN;
    }
    let mut homogeneity = Homogeneity::default();
    for table in &tables {
        homogeneity.add(table, agree / disagree);
    }
    let statistic = homogeneity.statistic - homogeneity.correction();
    ln_two_sided(statistic.max(0.0).sqrt())
}

/// The natural logarithm of the odds ratio in true calls by that in false ones, ½ added to all eight
/// cells (Haldane–Anscombe): positive where the two atoms hold together more in true calls. NaN
/// where either says nothing.
pub(super) fn log_odds_ratio_difference(margins: &Margins, pair: &Pair) -> f64 {
    let Some(tables) = strata(margins, pair) else {
        return f64::NAN;
    };
    let [[a, b, c, d], [e, f, g, h]] = tables.map(|table| table.cells().map(|x| x as f64 + 0.5));
    libm::log((a * d) * (f * g) / ((b * c) * (e * h)))
}
