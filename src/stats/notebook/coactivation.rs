//! Joint firings of the most biased atoms.

use indexmap::IndexMap;
use serde::Serialize;

use crate::fires::scan::Together;

/// The least number of joint firings at which a pair is reported.
pub const MIN_COACTIVATION: u64 = 5;

/// Two atoms, and the number of calls on which both fire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Pair {
    /// One atom.
    pub atom_a: u32,
    /// The other atom.
    pub atom_b: u32,
    /// The number of calls on which both fire.
    pub count: u64,
    /// The number of calls on which `atom_a` fires.
    pub support_a: u64,
    /// The number of calls on which `atom_b` fires.
    pub support_b: u64,
}

/// The co-activation of the top atoms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CoActivation {
    /// The least count of a pair in `frequent`.
    pub min_coactivation: u64,
    /// Pairs of places in the list of top atoms, each pair of atoms once, by count, descending,
    /// then in the order in which the list first gives them. An atom that is in the list twice
    /// (highest and lowest odds, when few atoms remain) is paired with itself, and both `(a, b)`
    /// and `(b, a)` can occur, as in the notebook.
    pub frequent: Vec<Pair>,
    /// Every two different atoms of the list once, `atom_a < atom_b`, whatever their count: by
    /// count, descending, then by atoms.
    pub all: Vec<Pair>,
}

impl CoActivation {
    /// Computes the co-activation among the atoms of `top`, which may repeat, from the joint
    /// firings `together`.
    pub fn of(top: &[u32], together: &Together) -> Self {
        let mut pairs = IndexMap::new();
        for (i, &a) in top.iter().enumerate() {
            for &b in &top[i + 1..] {
                let pair = Pair::of(a, b, together);
                if pair.count >= MIN_COACTIVATION {
                    pairs.insert((a, b), pair);
                }
            }
        }
        Self {
            min_coactivation: MIN_COACTIVATION,
            frequent: by_count(pairs.into_values().collect()),
            all: Self::of_each_two(together),
        }
    }

    fn of_each_two(together: &Together) -> Vec<Pair> {
        let atoms = together.atoms();
        let behind = |i: usize| atoms[i + 1..].iter();
        let pairs = atoms
            .iter()
            .enumerate()
            .flat_map(|(i, &a)| behind(i).map(move |&b| Pair::of(a, b, together)));
        by_count(pairs.collect())
    }
}

impl Pair {
    fn of(a: u32, b: u32, together: &Together) -> Self {
        Self {
            atom_a: a,
            atom_b: b,
            count: together.count(a, b),
            support_a: together.count(a, a),
            support_b: together.count(b, b),
        }
    }
}

/// Sorts by count, descending. The sort is stable: equal counts keep their order.
fn by_count(mut pairs: Vec<Pair>) -> Vec<Pair> {
    pairs.sort_by_key(|pair| std::cmp::Reverse(pair.count));
    pairs
}
