//! A fast logarithm of the normal distribution's two tails, for millions of p-values.

use std::f64::consts::{LN_2, TAU};
use std::sync::LazyLock;

use crate::stats::inference::tails::ln_normal_two_sided;

/// Pieces a unit of z.
const PIECES: usize = 16;

/// Up to where there are pieces: p is 10⁻¹²⁷ there, and what is beyond is cheap as it is.
const END: usize = 24;

/// Terms of a series after its constant: with that, a cache line.
const TERMS: usize = 7;

/// A Taylor series about the middle of each piece.
static SERIES: LazyLock<Vec<[f64; TERMS + 1]>> = LazyLock::new(|| {
    (0..PIECES * END)
        .map(|piece| series(middle(piece)))
        .collect()
});

fn middle(piece: usize) -> f64 {
    (piece as f64 + 0.5) / PIECES as f64
}

/// The Taylor series of `ln P(|Z| > z)` about z.
///
/// Its derivative is −h, with the hazard h = φ(z)/P(Z > z), whose own is h·(h − z) (from φ' = −zφ);
/// so each coefficient follows from those before. The nearest zero of the tail in the complex plane
/// is 3.4 from 0, 109 times as far as a piece's ends are from its middle: the terms left out are
/// below 10⁻¹⁶.
fn series(z: f64) -> [f64; TERMS + 1] {
    let ln_p = ln_normal_two_sided(z);
    let ln_density = -z * z / 2.0 - libm::log(TAU) / 2.0;
    let mut hazard = [0.0; TERMS];
    hazard[0] = libm::exp(ln_density - (ln_p - LN_2));
    for n in 1..TERMS {
        let square: f64 = (0..n).map(|i| hazard[i] * hazard[n - 1 - i]).sum();
        let before = if n > 1 { hazard[n - 2] } else { 0.0 };
        hazard[n] = (square - z * hazard[n - 1] - before) / n as f64;
    }
    let mut series = [ln_p; TERMS + 1];
    for n in 0..TERMS {
        series[n + 1] = -hazard[n] / (n + 1) as f64;
    }
    series
}

/// `ln P(|Z| > z)` of a standard normal Z, z ≥ 0, as
/// [`ln_normal_two_sided`] has it, within 10⁻¹⁴ relative to the larger of 1 and its size; NaN for NaN.
pub(super) fn ln_two_sided(z: f64) -> f64 {
    if z == 0.0 {
        return 0.0;
    }
    // NaN has no piece either.
    let piece = if z < END as f64 {
        (z * PIECES as f64) as usize
    } else {
        usize::MAX
    };
    let Some(series) = SERIES.get(piece) else {
        return ln_normal_two_sided(z);
    };
    let t = z - middle(piece);
    let [a, b, c, d, e, f, g, h] = *series;
    // In pairs, which wait less for one another.
    let (t2, t4) = (t * t, (t * t) * (t * t));
    let rest = ((b * t + c * t2) + (d + e * t) * (t * t2)) + ((f + g * t) + h * t2) * (t4 * t);
    (a + rest).min(0.0)
}

#[cfg(test)]
mod tests {
    use super::{END, ln_normal_two_sided, ln_two_sided};

    #[test]
    fn it_is_the_tail() {
        let mut worst = 0.0_f64;
        for step in 0..400_000 {
            let z = f64::from(step) * 1.000_1e-4;
            let (found, expected) = (ln_two_sided(z), ln_normal_two_sided(z));
            let apart = (found - expected).abs() / expected.abs().max(1.0);
            assert!(apart < 1e-14, "{z}: {found}, expected {expected}");
            worst = worst.max(apart);
        }
        println!("{worst:.1e}");
    }

    #[test]
    fn limits() {
        assert_eq!(ln_two_sided(0.0).to_bits(), 0);
        assert!(ln_two_sided(f64::NAN).is_nan());
        assert_eq!(ln_two_sided(f64::INFINITY), f64::NEG_INFINITY);
        let end = END as f64;
        assert_eq!(ln_two_sided(end), ln_normal_two_sided(end));
    }
}
