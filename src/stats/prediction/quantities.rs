//! Quantities of the calls, such as QUAL, as features: which tenth of the cohort's values a call's is in.

use crate::stats::evidence::values::Described;

/// The parts that values are cut into, each with as many calls as ties allow.
const PARTS: usize = 10;

/// A part of a quantity's values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Part {
    /// The place of the quantity among all.
    quantity: usize,
    /// The place of the part among its quantity's; that of missing values is the last.
    place: usize,
    /// Its name: the quantity's, and the least value.
    pub(super) name: String,
}

/// A quantity of every call.
pub(super) struct Quantity {
    /// Its parts, that of missing values last.
    pub(super) parts: Vec<Part>,
    /// The part of each call.
    pub(super) of_calls: Vec<u8>,
}

impl Quantity {
    /// Cuts the quantities that all calls were counted with.
    pub(super) fn all(described: Described) -> Vec<Self> {
        let (columns, _) = described.finish();
        let columns = (0..).zip(columns);
        columns
            .map(|(at, (name, of))| Self::of(at, &name, &of))
            .collect()
    }

    fn of(quantity: usize, name: &str, of: &[f64]) -> Self {
        let starts = starts(of);
        let missing = starts.len();
        let names = starts.iter().map(|start| format!("{name} from {start}"));
        let names = names.chain([format!("{name} missing")]);
        let parts = (0..)
            .zip(names)
            .map(|(place, name)| Part {
                quantity,
                place,
                name,
            })
            .collect();
        let part = |&value: &f64| {
            let above = starts.partition_point(|&start| start <= value);
            if value.is_nan() { missing } else { above - 1 }
        };
        let of_calls = of.iter().map(|value| part(value) as u8).collect();
        Self { parts, of_calls }
    }
}

/// The least value of each part.
fn starts(of: &[f64]) -> Vec<f64> {
    let mut sorted: Vec<f64> = of.iter().copied().filter(|value| !value.is_nan()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    // -0 and 0 are one value.
    let at = |part: usize| {
        sorted
            .get(part * sorted.len() / PARTS)
            .map(|&start| start + 0.0)
    };
    let mut starts: Vec<f64> = (0..PARTS).filter_map(at).collect();
    starts.dedup();
    starts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantity_is_cut_into_tenths() {
        let of: Vec<f64> = (0..100).rev().map(f64::from).collect();
        let found = Quantity::of(0, "q", &of);
        assert_eq!(found.parts.len(), 11);
        assert_eq!(found.parts[3].name, "q from 30");
        let expected: Vec<u8> = (0..100).rev().map(|value| value / 10).collect();
        assert_eq!(found.of_calls, expected);
    }

    #[test]
    fn quantity_keeps_ties_together_and_missing_values_apart() {
        let of = [f64::NAN, -0.0, 0.0, 0.0, 5.0, f64::INFINITY];
        let found = Quantity::of(0, "q", &of);
        let names: Vec<&str> = found.parts.iter().map(|part| &*part.name).collect();
        assert_eq!(names, ["q from 0", "q from 5", "q from inf", "q missing"]);
        assert_eq!(found.of_calls, [3, 0, 0, 0, 1, 2]);
        let none = Quantity::of(0, "q", &[f64::NAN]);
        assert_eq!((none.parts.len(), none.of_calls), (1, vec![0]));
    }
}
