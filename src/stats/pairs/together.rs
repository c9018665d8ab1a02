//! The test of whether two atoms fire together more or less often than by chance.

use super::chance::Open;
use super::law::{Law, Want, ln_two_sided};

/// The distribution of the number of n calls on which both atoms fire, of which one fires on
/// `fires[0]` and the other on `fires[1]`. The odds of firing together are `odds_ratio` times those
/// of independent atoms. This is Fisher's noncentral hypergeometric distribution.
struct Together {
    calls: u64,
    fires: [u64; 2],
    odds_ratio: f64,
}

impl Law for Together {
    fn ratio(&self, x: f64) -> [f64; 2] {
        let [a, b] = self.fires.map(|fires| fires as f64);
        let neither = self.calls as f64 - a - b;
        [
            (a - x) * (b - x) * self.odds_ratio,
            (x + 1.0) * (neither + x + 1.0),
        ]
    }
}

/// `ln p` of the exact test that both atoms fire together as chance has it, given the number of
/// calls on which each fires. It is two-sided, by the counts that are at most as probable as the
/// observed one.
pub(super) fn ln_p_of_association(open: &Open, want: Want) -> f64 {
    let law = Together {
        calls: open.calls,
        fires: open.fires,
        odds_ratio: open.odds_ratio,
    };
    ln_two_sided(&law, open.both, want)
}
