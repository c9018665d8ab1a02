//! The second screen: how far its scores are from the canonical ones.
//!
//! In the units of the numbers themselves, for rows and weights that need no scaling (their
//! magnitudes are below 2²⁰, see `bound::screen_exponent`).
//! A slice of at most [`SLICE`](super::products::SLICE) numbers is summed in binary32, and no product is rounded more than
//! 14 times on its way into the sum ([`add_products`](super::products::add_products)). Slices are added in binary64. So, with
//! `X ≥ ‖x‖`, `W ≥ ‖w‖`,
//!
//! ```text
//! |t − s| ≤ (14u/(1 − 14u) + (⌈D/256⌉ + ⌈D/32⌉ + 8)·2v)·X·W + (|b| + |b − θ|)·8v + D·2⁻¹²⁴
//! ```
//!
//! where the last term is for products and sums that underflow, were they flushed to zero, and
//! `b − θ`, which is rounded too, joins only where the threshold θ is taken off both t and s.
//! [`second_margin`] takes `16u·X·W` for the first term, as `(⌈D/256⌉ + ⌈D/32⌉ + 8)·2v` is below
//! `u` for any `D ≤ 2²⁰`.

use super::model::Model;
use super::pairs::RowAtom;
use super::select::{Candidate, Policy};

/// An open atom's canonical score, or what is compared in place of it, lies between these.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) atom: u32,
    pub(super) lower: f64,
    pub(super) upper: f64,
}

impl Bounds {
    /// Takes the bounds from the screen.
    pub(super) fn of(open: Candidate) -> Self {
        Self {
            atom: open.atom,
            lower: f64::from(open.lower),
            upper: f64::from(open.upper),
        }
    }

    /// Bounds an atom's canonical score: by the second screen where the pair went through that. The
    /// bounds are in units of the scores themselves, as nothing is scaled.
    pub(super) fn of_pair(model: &Model, pair: &RowAtom, row_norm: f32) -> Self {
        if !pair.near {
            return Self::of(pair.open);
        }
        let f = pair.open.atom as usize;
        let policy = model.policy();
        let (addend, size) = addend(policy, model.sae().bias()[f], f);
        let margin = second_margin(model.sae().input_dim(), row_norm, model.norm(f), size);
        let score = pair.product + addend;
        let (score, lower) = match policy {
            Policy::Largest(rule) if rule.magnitude => (score.abs(), score.abs() - margin),
            _ => (score, score - margin),
        };
        Self {
            atom: pair.open.atom,
            lower,
            upper: score + margin,
        }
    }
}

/// The number that joins an atom's product, and the size of what it is made of.
fn addend(policy: Policy, bias: f32, atom: usize) -> (f64, f64) {
    let bias = f64::from(bias);
    match policy {
        Policy::Thresholds(thresholds) => {
            let shift = bias - thresholds[atom];
            let size = if shift.is_finite() { shift.abs() } else { 0.0 };
            (shift, bias.abs() + size)
        }
        _ => (bias, bias.abs()),
    }
}

/// Bounds how far the second screen's score is from the canonical one, for a row and an atom of D
/// numbers with norms of at most these; `addend` is the size of what joins the product.
pub(super) fn second_margin(dim: usize, row_norm: f32, weight_norm: f32, addend: f64) -> f64 {
    const U: f64 = 1.0 / (1u64 << 24) as f64;
    // One part in 2¹⁸ more than the bound, for the roundings of this arithmetic.
    let inflate = 1.0 + 1.0 / (1u64 << 18) as f64;
    let of_norms = 16.0 * U * f64::from(row_norm) * f64::from(weight_norm);
    let of_addend = 4.0 * f64::EPSILON * addend;
    (of_norms + of_addend + dim as f64 * 2f64.powi(-124)) * inflate
}
