//! Counts drawn from their distribution given the sum.

use rand::RngExt;

use super::{ENOUGH, Fitted, MOST, TIE};
use crate::stats::resampling::keyed;

/// The purpose of the draws, which seeds them.
const PURPOSE: &[u8; 16] = b"one odds ratio ?";

/// The most trials; the tilt to the sum makes all but a few needless.
const TRIALS: u64 = 1 << 24;

/// Computes the share of draws whose Q is at least the observed one: ENOUGH by the number of draws
/// after which there were so many, or (1 + such draws) by (1 + MOST).
///
/// A draw is exact. All strata but the widest are drawn independently, and the widest gets the rest
/// of the sum. The draw is kept with its probability there over its largest probability.
pub(super) fn p(fitted: &[Fitted], sum: u64, observed: f64) -> f64 {
    let wide = |one: &&Fitted| one.probabilities.len();
    let Some(widest) = fitted.iter().max_by_key(wide) else {
        return 1.0;
    };
    let others = fitted.iter().filter(|one| !std::ptr::eq(*one, widest));
    let others: Vec<(&Fitted, Vec<f64>)> = others.map(|one| (one, cumulated(one))).collect();
    let most = widest.probabilities.iter().copied().fold(0.0, f64::max);
    let least = observed * (1.0 - TIE);
    let mut random = keyed(seed(fitted), PURPOSE);
    let (mut drawn, mut large) = (0, 0);
    for _ in 0..TRIALS {
        let (mut left, mut q) = (Some(sum), 0.0);
        for (one, below) in &others {
            let uniform: f64 = random.random();
            let place = below.partition_point(|p| *p <= uniform);
            let x = one.first + place.min(below.len() - 1) as u64;
            left = left.and_then(|left| left.checked_sub(x));
            q += one.part(x);
        }
        let keep: f64 = random.random();
        let Some(x) = left.filter(|x| *x >= widest.first) else {
            continue;
        };
        let there = widest.probabilities.get((x - widest.first) as usize);
        if keep * most >= there.copied().unwrap_or(0.0) {
            continue;
        }
        drawn += 1;
        large += u32::from(q + widest.part(x) >= least);
        if large == ENOUGH {
            return f64::from(ENOUGH) / f64::from(drawn);
        }
        if drawn == MOST {
            break;
        }
    }
    f64::from(1 + large) / f64::from(1 + drawn)
}

/// Returns the probability of each count or a smaller one.
fn cumulated(one: &Fitted) -> Vec<f64> {
    let mut sum = 0.0;
    let each = one.probabilities.iter();
    each.map(|p| {
        sum += p;
        sum
    })
    .collect()
}

/// Hashes the margins to a seed, by Fowler, Noll and Vo's hash.
fn seed(fitted: &[Fitted]) -> u64 {
    let margins = fitted.iter().flat_map(|one| {
        let table = one.stratum.table();
        [table.fires(), table.tp(), table.fp()]
    });
    margins.fold(0xcbf2_9ce4_8422_2325, |hash, margin| {
        (hash ^ margin).wrapping_mul(0x0100_0000_01b3)
    })
}
