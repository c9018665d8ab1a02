//! Lengths of calls, summarized in bounded memory.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::stats::notebook::describe;

/// The most lengths that are kept in their order, 8 MiB of them. More lengths are counted by value.
const KEPT: usize = 1 << 20;

/// The lengths of some calls, in base pairs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SizeSummary {
    /// The number of calls that are summarized.
    pub calls: usize,
    /// Mean.
    pub mean: f64,
    /// Median.
    pub median: f64,
    /// Shortest.
    pub min: f64,
    /// Longest.
    pub max: f64,
}

/// Lengths to summarize, in the order of the calls. The result depends on the lengths alone, not on
/// how they were handed over.
#[derive(Debug, Clone, Default)]
pub(super) struct Lengths {
    in_order: Vec<f64>,
    /// The number of calls with each length, once there are too many to keep. Keys are in the order
    /// of the numbers, which contain no NaN.
    counted: BTreeMap<Key, u64>,
}

/// A number's bits, arranged so that they sort as the number does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key(i64);

impl Key {
    fn of(x: f64) -> Self {
        let bits = x.to_bits().cast_signed();
        // Of two negative numbers the greater bits have the greater magnitude.
        Self(if bits < 0 { bits ^ i64::MAX } else { bits })
    }

    fn number(self) -> f64 {
        let bits = if self.0 < 0 {
            self.0 ^ i64::MAX
        } else {
            self.0
        };
        f64::from_bits(bits.cast_unsigned())
    }
}

impl Lengths {
    /// Adds a length, which is not NaN.
    pub(super) fn push(&mut self, length: f64) {
        if self.counted.is_empty() {
            self.in_order.push(length);
            if self.in_order.len() > KEPT {
                for length in std::mem::take(&mut self.in_order) {
                    *self.counted.entry(Key::of(length)).or_default() += 1;
                }
            }
        } else {
            *self.counted.entry(Key::of(length)).or_default() += 1;
        }
    }

    /// Returns the summary; `None` if there are no lengths.
    pub(super) fn summary(&self) -> Option<SizeSummary> {
        if self.counted.is_empty() {
            return SizeSummary::of(&self.in_order);
        }
        let calls: u64 = self.counted.values().sum();
        let (first, last) = (
            self.counted.first_key_value()?,
            self.counted.last_key_value()?,
        );
        // Whole numbers, as lengths are but for odd files, are summed exactly below 2^53.
        let sum: f64 = self
            .counted
            .iter()
            .map(|(key, &n)| key.number() * n as f64)
            .sum();
        Some(SizeSummary {
            calls: calls as usize,
            mean: sum / calls as f64,
            median: f64::midpoint(self.at((calls - 1) / 2), self.at(calls / 2)),
            min: first.0.number(),
            max: last.0.number(),
        })
    }

    /// Returns the length at a place of the sorted ones.
    fn at(&self, place: u64) -> f64 {
        let mut before = 0;
        let found = self.counted.iter().find(|&(_, n)| {
            before += n;
            before > place
        });
        found.map_or(f64::NAN, |(key, _)| key.number())
    }
}

impl SizeSummary {
    /// Summarizes some lengths; `None` if there are none.
    pub fn of(sizes: &[f64]) -> Option<Self> {
        let mut sorted = sizes.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        Some(Self {
            calls: sizes.len(),
            // The sum is in the calls' order, on which a sum of fractions depends.
            mean: describe::mean(sizes),
            median: describe::median(&sorted),
            min: *sorted.first()?,
            max: *sorted.last()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{KEPT, Key, Lengths, SizeSummary};

    #[test]
    fn lengths_many_are_summarized_as_few() {
        for extra in [0, 1, 2] {
            let lengths: Vec<f64> = (0..KEPT + extra)
                .map(|i| ((i * 7919) % 30_011) as f64 - 9.0)
                .collect();
            let mut counted = Lengths::default();
            for &length in &lengths {
                counted.push(length);
            }
            assert_eq!(counted.counted.is_empty(), extra == 0);
            assert_eq!(counted.summary(), SizeSummary::of(&lengths));
        }
        assert_eq!(Lengths::default().summary(), None);
    }

    #[test]
    fn keys_sort_as_numbers() {
        let numbers = [f64::NEG_INFINITY, -7.5, -0.5, 0.0, 1e-300, 3.0, 1e300];
        for pair in numbers.windows(2) {
            assert!(Key::of(pair[0]) < Key::of(pair[1]));
        }
        assert_eq!(numbers.map(|x| Key::of(x).number()), numbers);
    }
}
