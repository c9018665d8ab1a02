//! The test of whether two atoms fire together differently on true calls than on false ones. The
//! labels are the two strata.

use pulp::{Scalar, Simd};

use super::kept::Pair;
use super::lanes::Observed;
use super::law::Law;
use super::margins::{Group, Margins};
use super::walk::LaneLaw;
use crate::stats::inference::Table2x2;

/// The pair's tables of true and of false calls; `None` where either has a zero margin, and says
/// nothing.
fn strata(margins: &Margins, pair: &Pair) -> Option<[Table2x2; 2]> {
    let tables = [Group::Tp, Group::Fp].map(|group| margins.table(group, pair));
    (!tables.iter().any(Table2x2::is_degenerate)).then_some(tables)
}

/// The distribution of the number of true calls on which both atoms fire. Given are the number of
/// calls of either label on which each fires, and the number of calls in all on which both do.
/// Where both odds ratios are the same, whatever it is, the probabilities are in proportion to the
/// products of two hypergeometric ones.
#[derive(Debug, Clone, Copy)]
pub(super) struct OnTrue {
    /// a, b, calls that are beyond a + b (negative where they overlap), of true calls.
    tp: [f64; 3],
    /// The same values of false calls.
    fp: [f64; 3],
    both: f64,
    support: [u64; 2],
}

impl OnTrue {
    fn of(tables: &[Table2x2; 2]) -> Self {
        let margins = |table: &Table2x2| {
            let [a, b] = [table.fires() as f64, table.tp() as f64];
            [a, b, table.n() as f64 - a - b]
        };
        let ends = |table: &Table2x2| {
            let least = (table.fires() + table.tp()).saturating_sub(table.n());
            [least, table.fires().min(table.tp())]
        };
        let both = tables[0].tp_on + tables[1].tp_on;
        let [[least, most], [least_fp, most_fp]] = [ends(&tables[0]), ends(&tables[1])];
        Self {
            tp: margins(&tables[0]),
            fp: margins(&tables[1]),
            both: both as f64,
            support: [
                least.max(both.saturating_sub(most_fp)),
                most.min(both - least_fp),
            ],
        }
    }
}

impl Law for OnTrue {
    fn ratio(&self, x: f64) -> [f64; 2] {
        Self::ratio_of(Scalar, &self.numbers(), x)
    }
}

impl LaneLaw<7> for OnTrue {
    fn numbers(&self) -> [f64; 7] {
        let ([a, b, beyond], [c, d, past]) = (self.tp, self.fp);
        [a, b, beyond, c, d, past, self.both]
    }

    fn spread(&self, number: u64) -> f64 {
        // Where as many calls have both, how far the true ones among them are from their share.
        number as f64
    }

    #[allow(clippy::inline_always)]
    #[inline(always)]
    fn ratio_of<S: Simd>(
        simd: S,
        &[a, b, beyond, c, d, past, both]: &[S::f64s; 7],
        x: S::f64s,
    ) -> [S::f64s; 2] {
        let one = simd.splat_f64s(1.0);
        // One more true call, one less false one.
        let y = simd.sub_f64s(both, x);
        let true_ones = simd.mul_f64s(simd.sub_f64s(a, x), simd.sub_f64s(b, x));
        let false_ones = simd.mul_f64s(y, simd.add_f64s(past, y));
        let more = simd.add_f64s(simd.add_f64s(beyond, x), one);
        let more = simd.mul_f64s(simd.add_f64s(x, one), more);
        let [c, d] = [simd.sub_f64s(c, y), simd.sub_f64s(d, y)];
        let less = simd.mul_f64s(simd.add_f64s(c, one), simd.add_f64s(d, one));
        [
            simd.mul_f64s(true_ones, false_ones),
            simd.mul_f64s(more, less),
        ]
    }
}

/// The exact test of one odds ratio in true and in false calls (Zelen, Biometrika 58, 1971, of two
/// strata). It is two-sided by the tables that are at most as probable as the observed ones. `None`
/// where either says nothing, or where the margins and the number of calls on which both fire leave
/// no other tables.
///
/// It is also the exact test of the labels being exchanged among calls, given these margins.
pub(super) fn test_of_difference(margins: &Margins, pair: &Pair) -> Option<Observed<OnTrue>> {
    let tables = strata(margins, pair)?;
    let law = OnTrue::of(&tables);
    let [least, most] = law.support;
    let number = tables[0].tp_on;
    (least < most).then_some(Observed { law, number })
}

/// The natural logarithm of the odds ratio in true calls by that in false ones, with ½ added to all
/// eight cells (Haldane–Anscombe). It is positive where the two atoms hold together more in true
/// calls. NaN where either says nothing.
pub(super) fn log_odds_ratio_difference(margins: &Margins, pair: &Pair) -> f64 {
    let Some(tables) = strata(margins, pair) else {
        return f64::NAN;
    };
    let [[a, b, c, d], [e, f, g, h]] = tables.map(|table| table.cells().map(|x| x as f64 + 0.5));
    libm::log((a * d) * (f * g) / ((b * c) * (e * h)))
}
