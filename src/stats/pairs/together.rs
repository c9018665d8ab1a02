//! The test of whether two atoms fire together more or less often than by chance.

use pulp::{Scalar, Simd};

use super::chance::Open;
use super::lanes::Observed;
use super::law::Law;
use super::walk::LaneLaw;

/// The distribution of the number of n calls on which both atoms fire, of which one fires on
/// `fires[0]` and the other on `fires[1]`. The odds of firing together are `odds_ratio` times those
/// of independent atoms. This is Fisher's noncentral hypergeometric distribution.
#[derive(Debug, Clone, Copy)]
pub(super) struct Together {
    calls: u64,
    fires: [u64; 2],
    odds_ratio: f64,
}

impl Law for Together {
    fn ratio(&self, x: f64) -> [f64; 2] {
        Self::ratio_of(Scalar, &self.numbers(), x)
    }
}

impl LaneLaw<4> for Together {
    fn numbers(&self) -> [f64; 4] {
        let [a, b] = self.fires.map(|fires| fires as f64);
        [a, b, self.calls as f64 - a - b, self.odds_ratio]
    }

    fn spread(&self, _: u64) -> f64 {
        // As the expected number, of which the variance is most.
        let [a, b] = self.fires.map(|fires| fires as f64);
        a * b
    }

    #[allow(clippy::inline_always)]
    #[inline(always)]
    fn ratio_of<S: Simd>(
        simd: S,
        &[a, b, neither, odds_ratio]: &[S::f64s; 4],
        x: S::f64s,
    ) -> [S::f64s; 2] {
        let one = simd.splat_f64s(1.0);
        let both = simd.mul_f64s(simd.sub_f64s(a, x), simd.sub_f64s(b, x));
        let neither = simd.add_f64s(simd.add_f64s(neither, x), one);
        [
            simd.mul_f64s(both, odds_ratio),
            simd.mul_f64s(simd.add_f64s(x, one), neither),
        ]
    }
}

/// The exact test that both atoms fire together as chance has it, given the number of calls on which
/// each fires. It is two-sided, by the counts that are at most as probable as the observed one.
pub(super) fn test_of_association(open: &Open) -> Observed<Together> {
    let law = Together {
        calls: open.calls,
        fires: open.fires,
        odds_ratio: open.odds_ratio,
    };
    Observed {
        law,
        number: open.both,
    }
}
