use std::f64::consts::LN_2;

use super::{Law, Want, ln_two_sided};

/// Weights of 0, 1, 2, … as they are.
struct Weights(Vec<u64>);

impl Law for Weights {
    fn ratio(&self, x: f64) -> [f64; 2] {
        if x < 0.0 {
            return [1.0, 0.0];
        }
        let at = |x: f64| self.0.get(x as usize).map_or(0.0, |&weight| weight as f64);
        let (now, next) = (at(x), at(x + 1.0));
        // Farther out anything finite.
        [next, if now > 0.0 { now } else { 1.0 }]
    }
}

#[test]
fn p_is_the_share_of_what_is_at_most_as_probable() {
    for weights in [
        vec![1, 4, 6, 4, 1],
        vec![1, 7, 7, 3],
        vec![9, 5, 2, 1],
        vec![1, 2, 4, 8, 16, 5, 1],
        vec![1, 1000, 900_000, 4_000_000, 900_000, 1000, 1],
        vec![3],
    ] {
        let law = Weights(weights.clone());
        let all: u64 = weights.iter().sum();
        for (observed, weight) in weights.iter().enumerate() {
            let at_most: u64 = weights.iter().filter(|w| *w <= weight).sum();
            let expected = (at_most as f64 / all as f64).ln();
            let found = ln_two_sided(&law, observed as u64, Want::Exact);
            assert!(
                (found - expected).abs() < 1e-14,
                "{weights:?} {observed}: {found}"
            );
        }
    }
}

/// Falls by a factor of 2²⁰ from 500 to either side, to 0 and 1000.
struct Steep;

impl Law for Steep {
    fn ratio(&self, x: f64) -> [f64; 2] {
        let factor = f64::from(1 << 20);
        match x {
            x if x < 0.0 => [1.0, 0.0],
            x if x >= 1000.0 => [0.0, 1.0],
            x if x < 500.0 => [factor, 1.0],
            _ => [1.0, factor],
        }
    }
}

#[test]
fn p_far_below_the_smallest_number_has_both_tails() {
    let factor = f64::from(1 << 20);
    // 1 + 2·(q + q² + …) with q = 1/factor, in units of the top.
    let all = 1.0 + 2.0 / (factor - 1.0);
    for away in [1_u32, 29, 30, 31, 60, 61, 200, 400] {
        let tail = 2.0 * factor / (factor - 1.0);
        let expected = tail.ln() - all.ln() - 20.0 * f64::from(away) * LN_2;
        for observed in [500 - away, 500 + away] {
            let found = ln_two_sided(&Steep, u64::from(observed), Want::Exact);
            assert!(
                (found / expected - 1.0).abs() < 1e-14,
                "{observed}: {found}, expected {expected}"
            );
        }
    }
    assert_eq!(ln_two_sided(&Steep, 500, Want::Exact).to_bits(), 0);
}

/// Of numbers up to n, drawn n times with odds of 3 to 2.
struct Binomial(f64);

impl Law for Binomial {
    fn ratio(&self, x: f64) -> [f64; 2] {
        [(self.0 - x) * 3.0, (x + 1.0) * 2.0]
    }
}

#[test]
fn p_that_is_large_is_1_and_others_are_exact() {
    for n in [1_u32, 7, 40, 1000] {
        let law = Binomial(f64::from(n));
        let exact = |x: u32| ln_two_sided(&law, u64::from(x), Want::Exact);
        assert_eq!((0..=n).filter(|&x| exact(x) == 0.0).count(), 1, "one top");
        for limit in [0.01, 0.3, 0.7, 0.999] {
            let mut spared = 0;
            for x in 0..=n {
                let (found, exact) = (
                    ln_two_sided(&law, u64::from(x), Want::Below(limit)),
                    exact(x),
                );
                if found.to_bits() != exact.to_bits() {
                    assert_eq!(found, 0.0);
                    assert!(exact >= f64::ln(limit), "{n} {limit} {x}: {exact}");
                    spared += 1;
                }
            }
            assert!(n < 40 || limit > 0.9 || spared > 0, "{n} {limit}: {spared}");
        }
    }
}
