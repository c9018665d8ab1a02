//! One model with each activation in turn.

use atomscope::engine::{Cut, Cuts};
use atomscope::sae::{Activation, Sae};

/// The model with another activation.
pub(crate) fn with(sae: &Sae, activation: &Activation) -> Sae {
    let mut parts = sae.clone().into_parts();
    parts.activation = activation.clone();
    Sae::new(parts).expect("a good model")
}

/// A threshold's share of the common one: 0.75 to 1.25, by the atom.
fn share(atom: usize) -> f64 {
    let mixed = (atom as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    0.75 + 0.5 * mixed as f64 / (1u64 << 24) as f64
}

/// Thresholds, one an atom, above which `firing` atoms a row lie in the mean of these scores.
pub(crate) fn thresholds(scores: &[Vec<f64>], firing: usize) -> Vec<f64> {
    let shared = |row: &Vec<f64>| {
        let atoms = row.iter().enumerate();
        atoms.map(|(f, s)| s / share(f)).collect::<Vec<_>>()
    };
    let common = cut(
        &scores.iter().flat_map(shared).collect::<Vec<_>>(),
        scores.len() * firing,
    );
    (0..scores[0].len()).map(|f| common * share(f)).collect()
}

/// The number that so many are above.
fn cut(numbers: &[f64], above: usize) -> f64 {
    let mut numbers = numbers.to_vec();
    let descending = |a: &f64, b: &f64| b.total_cmp(a);
    *numbers.select_nth_unstable_by(above, descending).1
}

/// Cuts by which `firing` atoms a row fire in the mean of these scores: all rows are one batch.
pub(crate) fn cuts(scores: &[Vec<f64>], firing: usize) -> Cuts {
    let cut = Cut {
        score: cut(&scores.concat(), scores.len() * firing),
        row: u64::MAX,
        atom: u32::MAX,
    };
    Cuts::new(u64::MAX, vec![cut])
}

/// Every activation by which `k` atoms fire, or about as many; plain top-k is the first.
pub(crate) fn activations(k: usize, thresholds: Vec<f64>) -> Vec<(&'static str, Activation)> {
    vec![
        ("top-k", Activation::TopK { k, relu: false }),
        ("jumprelu", Activation::Threshold { thresholds }),
        ("batch top-k", Activation::BatchTopK { k }),
        ("top-k with relu", Activation::TopK { k, relu: true }),
        ("top-k with ties", Activation::TopKWithTies { k }),
        ("|score| top-k", Activation::AbsTopK { k }),
        ("groupmax", Activation::GroupMax { groups: k }),
    ]
}
