//! Atoms that have nothing to do with each other.

use atomscope::cohort::Label;
use rand::seq::index;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::cohort::{Cohort, all, settings};

/// The pairs that fire together often are those that chance made do so: they are no family of their own.
#[test]
fn pairs_that_chance_puts_together_are_not_found() {
    let (features, k) = (300, 15);
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let rows = (0..2000).map(|_| {
        let mut set: Vec<u32> = index::sample(&mut random, features, k)
            .iter()
            .map(|atom| atom as u32)
            .collect();
        set.sort_unstable();
        let label = if random.random_bool(0.5) {
            Label::Tp
        } else {
            Label::Fp
        };
        (label, Some(set))
    });
    let cohort = Cohort {
        features,
        k,
        rows: rows.collect(),
        block: 2000,
    };
    let pairs = cohort.pairs(&settings(10));
    assert!(pairs.len() > 300, "{} pairs", pairs.len());
    let found = pairs.significant(0.05);
    assert!(found.associated < 5 && found.different < 5, "{found:?}");
    // By their p-values alone half of them would be.
    let p = all(&pairs).all.neg_log10_p;
    let small = p.iter().filter(|&&p| p > 1.3).count();
    assert!(small * 4 > pairs.len(), "{small} of {}", pairs.len());
}
