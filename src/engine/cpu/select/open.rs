//! Canonical scores decide which of the atoms fire that the bounds leave open.

use super::{Largest, OF_GROUP, Policy};
use crate::engine::choose::RowCut;

/// Leaves those of a row's open atoms that fire by their canonical scores, at most `slots_left` where
/// the policy counts; `cut` is the row's.
pub(in crate::engine::cpu) fn decide(
    policy: Policy,
    cut: RowCut,
    slots_left: usize,
    scored: &mut Vec<(f64, u32)>,
) {
    match policy {
        // Nothing is open where every atom fires.
        Policy::All => unreachable!("all atoms were certain"),
        Policy::Largest(rule) => retain_largest(scored, slots_left, rule),
        Policy::GroupMax(_) => retain_largest(scored, slots_left, OF_GROUP),
        Policy::Thresholds(thresholds) => {
            scored.retain(|&(score, atom)| score > thresholds[atom as usize]);
        }
        Policy::Cut => {
            let (number, cut) = cut.expect("batch top-k comes with its cuts");
            scored.retain(|&(score, atom)| cut.fires(number, atom, score));
        }
    }
}

/// Leaves those atoms that fire: at most `slots` of the largest scores, equal ones by the lowest
/// index, as the rule has it.
fn retain_largest(scored: &mut Vec<(f64, u32)>, slots: usize, rule: Largest) {
    if rule.magnitude {
        for (score, _) in &mut *scored {
            *score = score.abs();
        }
    }
    // Canonical scores are finite, and no sum from +0 is −0: total order is numeric order.
    let better = |a: &(f64, u32), b: &(f64, u32)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
    let Some(last) = slots.checked_sub(1) else {
        return scored.clear();
    };
    if slots < scored.len() {
        let least = scored.select_nth_unstable_by(last, better).1.0;
        if rule.ties {
            scored.retain(|&(score, _)| score >= least);
        } else {
            scored.truncate(slots);
        }
    }
    let limit = f64::from(rule.limit());
    scored.retain(|&(score, _)| score > limit);
}
