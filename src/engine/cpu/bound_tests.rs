//! The bound of certified selection as a property: over random and hostile numbers no screened
//! score, by any product and in any order of summation, lies outside its interval.

use proptest::prelude::*;

use super::screen::ScreenModel;
use super::whiten::row_facts;
use crate::engine::bound::{self, RowMargin};
use crate::engine::canonical::canonical_score;
use crate::engine::simd::Simd;
use crate::sae::{Sae, SaeParts};

/// What the numbers of a case look like.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Smooth,
    /// All of one sign, so that rounding errors add up.
    Positive,
    /// Pairs that cancel.
    Cancelling,
    /// Magnitudes from 1e-44 to 1e38.
    Wild,
    /// Mantissas full of ones.
    Ones,
    Denormal,
}

const KINDS: [Kind; 6] = [
    Kind::Smooth,
    Kind::Positive,
    Kind::Cancelling,
    Kind::Wild,
    Kind::Ones,
    Kind::Denormal,
];

/// A small generator of its own: the numbers need to be varied, not good.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 11
    }

    fn unit(&mut self) -> f32 {
        (self.next() % 2_000_001) as f32 * 1e-6 - 1.0
    }

    fn draw(&mut self, kind: Kind, i: usize, before: f32) -> f32 {
        match kind {
            Kind::Positive => self.unit().abs() + 0.5,
            Kind::Cancelling if i % 2 == 1 => {
                -before * (1.0 + f32::EPSILON * (self.next() % 3) as f32)
            }
            Kind::Smooth | Kind::Cancelling => self.unit(),
            Kind::Wild => self.unit() * libm::exp10f((self.next() % 82) as f32 - 44.0),
            Kind::Ones => f32::from_bits(0x3fff_ffff - (self.next() % 2) as u32),
            Kind::Denormal => f32::from_bits((self.next() % 0x0080_0000) as u32),
        }
    }

    fn vector(&mut self, kind: Kind, n: usize) -> Vec<f32> {
        let mut before = 0.0;
        (0..n)
            .map(|i| {
                before = self.draw(kind, i, before);
                before
            })
            .collect()
    }
}

/// `a + b` and so on are the screen's: this sums in ascending, descending and pairwise order.
fn sums_in_other_orders(x: &[f32], w: &[f32]) -> [f32; 3] {
    fn pairwise(terms: &[f32]) -> f32 {
        match terms {
            [] => 0.0,
            [one] => *one,
            _ => {
                let (a, b) = terms.split_at(terms.len() / 2);
                pairwise(a) + pairwise(b)
            }
        }
    }
    let products: Vec<f32> = x.iter().zip(w).map(|(x, w)| x * w).collect();
    let fused = x
        .iter()
        .zip(w)
        .rev()
        .fold(0.0f32, |sum, (x, w)| x.mul_add(*w, sum));
    [products.iter().sum(), fused, pairwise(&products)]
}

fn check_case(
    seed: u64,
    d: usize,
    rows: Kind,
    weights: Kind,
    biases: Kind,
) -> std::result::Result<(), TestCaseError> {
    const ROWS: usize = 5;
    const FEATURES: usize = 9;
    let mut numbers = Numbers(seed);
    let x = numbers.vector(rows, ROWS * d);
    let sae = Sae::new(SaeParts {
        name: "case".into(),
        input_dim: d,
        feature_dim: FEATURES,
        k: 1,
        weight: numbers.vector(weights, FEATURES * d),
        bias: numbers.vector(biases, FEATURES),
        mean: vec![0.0; d],
        std: vec![1.0; d],
    })
    .expect("finite numbers");
    for simd in Simd::all() {
        let model = ScreenModel::new(&sae, simd);
        let facts: Vec<_> = x.chunks(d).map(|row| row_facts(simd, row)).collect();
        let exponents: Vec<i32> = facts
            .iter()
            .map(|f| bound::row_exponent(f.largest, model.largest_bias, model.exponent))
            .collect();
        let scaled: Vec<f32> = x
            .chunks(d)
            .zip(&exponents)
            .flat_map(|(row, &e)| bound::scaled(row, e))
            .collect();
        let mut scores = vec![0.0f32; FEATURES * ROWS];
        model.scores(&scaled, ROWS, 0..FEATURES, &mut scores, ROWS);
        let weights: Vec<f32> = bound::scaled(sae.weight(), model.exponent).collect();
        for r in 0..ROWS {
            let unit = exponents[r] + model.exponent;
            let norm = bound::scaled_norm(facts[r].squares, exponents[r]);
            let bias = model.row_bias(exponents[r]);
            let margin = RowMargin::new(d, norm, bias.largest);
            for f in 0..FEATURES {
                let exact = canonical_score(
                    simd,
                    &x[r * d..(r + 1) * d],
                    &sae.weight()[f * d..(f + 1) * d],
                    sae.bias()[f],
                ) * bound::power_of_two(-unit);
                let others =
                    sums_in_other_orders(&scaled[r * d..(r + 1) * d], &weights[f * d..(f + 1) * d]);
                for score in others.into_iter().chain([scores[f * ROWS + r]]) {
                    let (lower, upper) = bound::interval(
                        score,
                        model.biases[f],
                        model.norms[f],
                        bias.scale,
                        margin.scale,
                        margin.offset,
                    );
                    let (lower, upper) = (f64::from(lower), f64::from(upper));
                    prop_assert!(
                        lower <= exact && exact <= upper,
                        "{simd}: {exact:e} outside [{lower:e}, {upper:e}], row {r}, feature {f}"
                    );
                }
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_screened_score_lies_outside_its_bound(
        seed in any::<u64>(),
        d in prop_oneof![1usize..70, Just(768), Just(1000)],
        rows in prop::sample::select(&KINDS),
        weights in prop::sample::select(&KINDS),
        biases in prop::sample::select(&KINDS),
    ) {
        check_case(seed, d, rows, weights, biases)?;
    }
}

#[test]
fn the_bound_is_not_idle() {
    // After a leading 1, every square is a little more than half an ulp and rounds up to a whole
    // one: the errors add up to nearly D·u, and Cauchy–Schwarz is an equality. A margin a tenth
    // smaller would be wrong.
    let d = 3000;
    let mut x = vec![f32::from_bits(0x3980_0001); d];
    x[0] = 1.0;
    let ascending = sums_in_other_orders(&x, &x)[0];
    let exact: f64 = x.iter().map(|&v| f64::from(v) * f64::from(v)).sum();
    let norm = bound::scaled_norm(exact, 0);
    let margin = RowMargin::new(d, norm, 0.0);
    let width = f64::from(margin.scale) * f64::from(norm) + f64::from(margin.offset);
    let error = (f64::from(ascending) - exact).abs();
    assert!(
        error <= width && error > 0.9 * width,
        "error {error:e}, margin {width:e}"
    );
}
