//! Whether two atoms fire together more or less often than chance has it.

use super::law::{Law, ln_two_sided};

/// On how many of n calls both atoms fire, of which one fires on `fires[0]`, the other on `fires[1]`,
/// where the odds of firing together are `odds_ratio` times those of independent atoms: Fisher's
/// noncentral hypergeometric distribution.
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

/// `ln p` of the exact test, given on how many calls each atom fires, that both fire together as
/// chance has it; two-sided, by the counts that are at most as probable as the observed one.
pub(super) fn ln_p_of_association(calls: u64, fires: [u64; 2], both: u64, odds_ratio: f64) -> f64 {
    let law = Together {
        calls,
        fires,
        odds_ratio,
    };
    ln_two_sided(&law, both)
}
