//! The calls that stand for an atom: the strongest, some of either label, some of weaker activation.

use std::cmp::Reverse;
use std::collections::HashSet;

use crate::stats::total_order::ascending_bits;

/// The reason why a call is among an atom's examples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It is among the strongest firings.
    Top = 0,
    /// It is among the strongest of its label, which has few among the strongest of all.
    TopOfLabel = 1,
    /// It was drawn from all of its label.
    Drawn = 2,
    /// It was drawn from a quarter of the scores' range: the highest but one, and lower ones.
    Third = 3,
    /// The quarter below.
    Second = 4,
    /// The lowest quarter.
    First = 5,
}

/// The number of examples of each kind.
#[derive(Debug, Clone, Copy)]
pub(super) struct Numbers {
    pub(super) top: usize,
    pub(super) of_label: usize,
    pub(super) drawn: usize,
    pub(super) of_quarter: usize,
}

impl Numbers {
    /// Up to so many atoms have all examples.
    pub(super) const MANY_ATOMS: usize = 16_384;

    /// As many as a page of so many atoms can hold.
    pub(super) fn of(atoms: usize) -> Self {
        if atoms <= Self::MANY_ATOMS {
            Self {
                top: 10,
                of_label: 3,
                drawn: 1,
                of_quarter: 1,
            }
        } else {
            Self {
                top: 5,
                of_label: 1,
                drawn: 0,
                of_quarter: 1,
            }
        }
    }
}

/// An example: the number of the call, its score, and why it is there.
pub(super) type Example = (u32, f64, Kind);

/// Chooses the examples of an atom that fires on these calls (ascending) with these scores, all 0 where
/// they are not known. `is_tp` tells the label of a call.
pub(super) fn choose(
    atom: u32,
    calls: &[u32],
    scores: &[f64],
    is_tp: impl Fn(u32) -> bool,
    numbers: Numbers,
) -> Vec<Example> {
    // What is taken for one reason is not taken for another: as many more are kept of each kind.
    let most = numbers.top + 2 * (numbers.of_label + numbers.drawn);
    let mut strongest = Least::new(numbers.top);
    let mut of_label = [0; 2].map(|_| Least::new(if numbers.of_label > 0 { most } else { 0 }));
    let mut drawn = [0; 2].map(|_| Least::new(if numbers.drawn > 0 { most } else { 0 }));
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    let firings = || calls.iter().copied().zip(scores.iter().copied());
    for (call, score) in firings() {
        (low, high) = (low.min(score), high.max(score));
        let rank = (Reverse(ascending_bits(score)), call);
        strongest.push(rank, (call, score));
        let label = usize::from(!is_tp(call));
        of_label[label].push(rank, (call, score));
        drawn[label].push((lot(atom, call), call), (call, score));
    }
    let mut taken = Taken::default();
    taken.first(strongest, numbers.top, Kind::Top);
    for (label, (of_label, drawn)) in of_label.into_iter().zip(drawn).enumerate() {
        let is_of = |example: &&Example| usize::from(!is_tp(example.0)) == label;
        let there = taken.examples.iter().filter(is_of).count();
        let most = numbers.of_label.saturating_sub(there);
        taken.first(of_label, most, Kind::TopOfLabel);
        taken.first(drawn, numbers.drawn, Kind::Drawn);
    }
    if high > low {
        let most = taken.examples.len() + 3 * numbers.of_quarter;
        let mut quarters = [0; 3].map(|_| Least::new(most));
        for (call, score) in firings() {
            let quarter = ((score - low) / (high - low) * 4.0) as usize;
            if let Some(quarter) = quarters.get_mut(quarter) {
                quarter.push((lot(atom, call), call), (call, score));
            }
        }
        let kinds = [Kind::First, Kind::Second, Kind::Third];
        for (quarter, kind) in quarters.into_iter().zip(kinds).rev() {
            taken.first(quarter, numbers.of_quarter, kind);
        }
    }
    taken.examples
}

#[derive(Default)]
struct Taken {
    examples: Vec<Example>,
    calls: HashSet<u32>,
}

impl Taken {
    /// Takes the first `most` firings whose calls are not taken.
    fn first<K>(&mut self, from: Least<K>, most: usize, kind: Kind) {
        let mut left = most;
        for (_, (call, score)) in from.kept {
            if left == 0 {
                break;
            }
            if self.calls.insert(call) {
                self.examples.push((call, score, kind));
                left -= 1;
            }
        }
    }
}

/// The firings with the least keys, ascending.
struct Least<K> {
    kept: Vec<(K, (u32, f64))>,
    most: usize,
}

impl<K: Ord> Least<K> {
    fn new(most: usize) -> Self {
        Self {
            kept: Vec::with_capacity(most + 1),
            most,
        }
    }

    /// Keeps a firing, if its key is among the least so far, which hardly any is.
    fn push(&mut self, key: K, firing: (u32, f64)) {
        let is_full = self.kept.len() == self.most;
        if is_full && self.kept.last().is_none_or(|(last, _)| *last <= key) {
            return;
        }
        let place = self.kept.partition_point(|(other, _)| *other <= key);
        self.kept.insert(place, (key, firing));
        self.kept.truncate(self.most);
    }
}

/// A number that looks random, the same for an atom and a call in every run (`SplitMix64`; Steele, Lea &
/// Flood 2014).
fn lot(atom: u32, call: u32) -> u64 {
    let mut z = (u64::from(atom) << 32 | u64::from(call)).wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::{Kind, Numbers, choose};

    #[test]
    fn examples_are_of_every_kind_and_each_call_once() {
        let calls: Vec<u32> = (0..100).collect();
        // Call 99 fires most strongly; the last 60 are true.
        let scores: Vec<f64> = calls.iter().map(|&call| f64::from(call)).collect();
        let found = choose(3, &calls, &scores, |call| call >= 40, Numbers::of(100));
        let of = |kind| -> Vec<u32> {
            let of_kind = found.iter().filter(|example| example.2 == kind);
            of_kind.map(|example| example.0).collect()
        };
        assert_eq!(of(Kind::Top), (90..100).rev().collect::<Vec<u32>>());
        assert_eq!(of(Kind::TopOfLabel), [39, 38, 37], "false calls only");
        assert_eq!(of(Kind::Drawn).len(), 2);
        assert!(of(Kind::First).iter().all(|&call| call < 25));
        assert!(of(Kind::Third).iter().all(|&call| (49..75).contains(&call)));
        let mut all: Vec<u32> = found.iter().map(|example| example.0).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), found.len());
    }

    #[test]
    fn examples_of_equal_scores_are_the_first_calls() {
        let found = choose(0, &[4, 7, 9], &[1.0; 3], |_| true, Numbers::of(100_000));
        let calls: Vec<u32> = found.iter().map(|example| example.0).collect();
        assert_eq!(calls, [4, 7, 9]);
    }
}
