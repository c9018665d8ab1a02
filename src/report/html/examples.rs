//! The calls that stand for an atom: the strongest, some of either label, some of weaker activation.

use std::cmp::Ordering;
use std::collections::HashSet;

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
    let firings = || calls.iter().copied().zip(scores.iter().copied());
    let mut taken = Taken::default();
    taken.strongest(firings(), numbers.top, Kind::Top);
    for label in [true, false] {
        let of_label = || firings().filter(|firing| is_tp(firing.0) == label);
        let there = taken
            .examples
            .iter()
            .filter(|example| is_tp(example.0) == label)
            .count();
        let most = numbers.of_label.saturating_sub(there);
        taken.strongest(of_label(), most, Kind::TopOfLabel);
        taken.drawn(atom, of_label(), numbers.drawn, Kind::Drawn);
    }
    let high = scores.iter().copied().max_by(f64::total_cmp);
    let low = scores.iter().copied().min_by(f64::total_cmp);
    let [high, low] = [high, low].map(|score| score.unwrap_or(0.0));
    if high > low {
        for (quarter, kind) in [(2, Kind::Third), (1, Kind::Second), (0, Kind::First)] {
            let place = |score: f64| (((score - low) / (high - low) * 4.0) as u32).min(3);
            let within = firings().filter(|firing| place(firing.1) == quarter);
            taken.drawn(atom, within, numbers.of_quarter, kind);
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
    /// Takes the strongest that are not taken; of equal ones the first calls.
    fn strongest(&mut self, from: impl Iterator<Item = (u32, f64)>, most: usize, kind: Kind) {
        let order = |a: &(u32, f64), b: &(u32, f64)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        let strongest = least(from, self.enough(most), order);
        self.first(strongest.into_iter(), most, kind);
    }

    /// Every firing draws a lot, and the lowest that are not taken are.
    fn drawn(
        &mut self,
        atom: u32,
        from: impl Iterator<Item = (u32, f64)>,
        most: usize,
        kind: Kind,
    ) {
        let lots = from.map(|firing| (lot(atom, firing.0), firing));
        let lowest = least(lots, self.enough(most), |a, b| {
            (a.0, a.1.0).cmp(&(b.0, b.1.0))
        });
        self.first(lowest.into_iter().map(|(_, firing)| firing), most, kind);
    }

    /// As many as hold `most` that are not taken.
    fn enough(&self, most: usize) -> usize {
        if most == 0 {
            0
        } else {
            most + self.calls.len()
        }
    }

    fn first(&mut self, from: impl Iterator<Item = (u32, f64)>, most: usize, kind: Kind) {
        let mut left = most;
        for (call, score) in from {
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

/// The first `most` items in this order, which hardly any item is among.
fn least<T>(
    items: impl Iterator<Item = T>,
    most: usize,
    order: impl Fn(&T, &T) -> Ordering,
) -> Vec<T> {
    let mut kept: Vec<T> = Vec::with_capacity(most + 1);
    for item in items {
        let is_full = kept.len() == most;
        if is_full && kept.last().is_none_or(|last| order(last, &item).is_le()) {
            continue;
        }
        let place = kept.partition_point(|other| order(other, &item).is_le());
        kept.insert(place, item);
        kept.truncate(most);
    }
    kept
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
