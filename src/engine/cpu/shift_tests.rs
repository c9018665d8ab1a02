//! The bound for thresholds as a property: over random and hostile numbers and thresholds of every
//! size no canonical score less its threshold lies outside its interval, by any product.

use proptest::prelude::*;

use super::bound_tests::{KINDS, Kind, Numbers, screens};
use super::screen::{Addends, Operand, Scaling, Screen, WhiteRows};
use super::second::second_margin;
use super::test_cases::{Random, plain_sae};
use super::tile::ROW_LANES;
use super::whiten::row_facts;
use crate::engine::bound::{self, Shifts, shifted_interval};
use crate::engine::canonical::canonical_score;
use crate::engine::simd::Simd;
use crate::sae::{Activation, Sae};

const ROWS: usize = 35;
const FEATURES: usize = 33;

/// The kind of thresholds that a case has.
#[derive(Debug, Clone, Copy)]
enum Near {
    /// Scores of a row, and the numbers next to them.
    Scores,
    /// Biases, so that shifts are far smaller.
    Biases,
    /// Magnitudes from 1e-320 to 1e300 and infinities, of both signs.
    Anything,
    /// All but a few of one size.
    Tiny,
    Huge,
}

const NEAR: [Near; 5] = [
    Near::Scores,
    Near::Biases,
    Near::Anything,
    Near::Tiny,
    Near::Huge,
];

fn threshold(numbers: &mut Numbers, near: Near, score: f64, bias: f32) -> f64 {
    let die = numbers.next() % 16;
    let sign = if numbers.next().is_multiple_of(2) {
        1.0
    } else {
        -1.0
    };
    let of_size = |exponent: f64| sign * libm::exp10(exponent);
    let drawn = (numbers.next() % 1_000_000) as f64 * 1e-6;
    match (near, die) {
        (Near::Anything, 0) => sign * f64::INFINITY,
        (Near::Anything, 1) => 0.0,
        (Near::Scores, 0..4) => score.next_up(),
        (Near::Scores, 4..8) => score.next_down(),
        (Near::Scores, _) | (Near::Tiny | Near::Huge, 0) => score,
        (Near::Biases, _) => f64::from(bias) * (1.0 + of_size(-17.0 + 10.0 * drawn)),
        (Near::Anything, _) => of_size(-320.0 + 620.0 * drawn),
        (Near::Tiny, _) => of_size(-300.0 + drawn),
        (Near::Huge, _) => of_size(250.0 + drawn),
    }
}

/// A model with thresholds, and rows.
struct Case {
    sae: Sae,
    thresholds: Vec<f64>,
    rows: Vec<f32>,
}

impl Case {
    fn new(seed: u64, d: usize, [rows, weights, biases]: [Kind; 3], near: Near) -> Self {
        let mut numbers = Numbers(Random(seed));
        let rows = numbers.vector(rows, ROWS * d);
        let mut weight = numbers.vector(weights, FEATURES * d);
        weight[..d].fill(0.0);
        let bias = numbers.vector(biases, FEATURES);
        let of_feature = |(f, w): (usize, &[f32])| {
            let x = &rows[f % ROWS * d..][..d];
            let score = canonical_score(Simd::detect(), x, w, bias[f]);
            threshold(&mut numbers, near, score, bias[f])
        };
        let thresholds: Vec<f64> = weight.chunks(d).enumerate().map(of_feature).collect();
        let mut parts = plain_sae(1, weight, bias).into_parts();
        parts.activation = Activation::Threshold {
            thresholds: thresholds.clone(),
        };
        Self {
            sae: Sae::new(parts).expect("finite numbers"),
            thresholds,
            rows,
        }
    }

    fn check(&self) -> std::result::Result<(), TestCaseError> {
        for simd in Simd::all() {
            let scaling = Scaling::new(&self.sae, simd);
            let Addends::Shifts(shifts) = &scaling.addends else {
                panic!("thresholds are folded");
            };
            for screen in screens(&self.sae, &scaling, simd) {
                self.check_screen(&scaling, shifts, simd, &screen)?;
            }
        }
        Ok(())
    }

    fn check_screen(
        &self,
        scaling: &Scaling,
        shifts: &Shifts,
        simd: Simd,
        screen: &Screen,
    ) -> std::result::Result<(), TestCaseError> {
        let d = self.sae.input_dim();
        let facts: Vec<_> = self
            .rows
            .chunks(d)
            .map(|row| row_facts(simd, row))
            .collect();
        let exponents = facts
            .iter()
            .map(|facts| scaling.row_exponent(facts.largest));
        let exponents: Vec<i32> = exponents.collect();
        let rows = WhiteRows {
            numbers: &self.rows,
            facts: &facts,
            exponents: &exponents,
        };
        let stride = ROWS.next_multiple_of(ROW_LANES);
        let mut scores = vec![f32::NAN; FEATURES.next_multiple_of(ROW_LANES) * stride];
        let (mut margins, mut operand) = (Vec::new(), Operand::default());
        let taken = screen.take_rows(simd, scaling, rows, &mut operand, |_, bias, margin| {
            margins.push((bias.holds, bias.scale, margin));
        });
        screen.scores(&taken, 0..FEATURES, &mut scores, stride);
        for (r, &(holds, bias_scale, margin)) in margins.iter().enumerate() {
            if !holds {
                continue;
            }
            let unit = bound::power_of_two(-(exponents[r] + scaling.exponent));
            let x = &self.rows[r * d..][..d];
            for f in 0..FEATURES {
                let feature = (shifts.scaled[f], shifts.margins[f], screen.norms[f]);
                let score = scores[f * stride + r];
                let (lower, upper) =
                    shifted_interval(score, feature, bias_scale, margin.scale, margin.offset);
                let w = &self.sae.weight()[f * d..][..d];
                let exact = canonical_score(simd, x, w, self.sae.bias()[f]);
                let over = exact - self.thresholds[f];
                let fires = exact > self.thresholds[f];
                let (lower, upper) = (f64::from(lower), f64::from(upper));
                let way = || format!("{}, row {r}, feature {f}", screen.name());
                prop_assert!(!lower.is_nan() && !upper.is_nan(), "{}", way());
                prop_assert!(fires || lower <= 0.0, "{}: {over:e}, {lower:e}", way());
                prop_assert!(!fires || upper > 0.0, "{}: {over:e}, {upper:e}", way());
                let is_inside = lower <= over * unit && over * unit <= upper;
                prop_assert!(
                    shifts.scaled[f].is_infinite() || is_inside,
                    "{}: {over:e} * {unit:e} outside [{lower:e}, {upper:e}]",
                    way()
                );
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn no_score_less_its_threshold_lies_outside_its_bound(
        seed in any::<u64>(),
        d in prop_oneof![4 => 1usize..70, 1 => Just(768)],
        rows in prop::sample::select(&KINDS),
        weights in prop::sample::select(&KINDS),
        biases in prop::sample::select(&KINDS),
        near in prop::sample::select(&NEAR),
    ) {
        Case::new(seed, d, [rows, weights, biases], near).check()?;
    }

    #[test]
    fn second_margin_covers_shifts(
        product in -100f64..100.0,
        bias in prop_oneof![-1f32..1.0, -1e30f32..1e30],
        ulps in -20i32..20,
    ) {
        // A product that is exact on both sides: nothing but the addends errs.
        let score = product + f64::from(bias);
        let threshold = f64::from_bits(score.to_bits().wrapping_add_signed(i64::from(ulps)));
        let shift = f64::from(bias) - threshold;
        let margin = second_margin(1, 0.0, 0.0, f64::from(bias.abs()) + shift.abs());
        let found = product + shift;
        prop_assert!(score <= threshold || found + margin > 0.0);
        prop_assert!(score > threshold || found - margin <= 0.0);
    }
}

#[test]
fn margins_of_shifts_are_not_idle() {
    // A shift that lies midway between two numbers of binary32: half a last place is lost, and the
    // margin is no more than eight times that.
    let shifts = Shifts::new(
        &[0.0; 3],
        &[-(1.0 + 2f64.powi(-24)); 3],
        [1.0; 3].into_iter(),
    );
    let lost = (f64::from(shifts.scaled[0]) - (1.0 + 2f64.powi(-24))).abs();
    let margin = f64::from(shifts.margins[0]);
    assert!(
        lost <= margin && margin <= 8.0 * lost,
        "{lost:e} {margin:e}"
    );
}

#[test]
fn one_huge_threshold_leaves_other_intervals_narrow() {
    let thresholds = [1.0, 1e9, 1e300, f64::INFINITY, f64::NEG_INFINITY, 2.0, 1.5];
    let shifts = Shifts::new(&[0.5; 7], &thresholds, [1.0; 7].into_iter());
    for f in [0, 5, 6] {
        assert!(shifts.margins[f] < 1e-6, "{:?}", shifts.margins);
    }
    assert_eq!(
        shifts.scaled[2..5],
        [f32::NEG_INFINITY, f32::NEG_INFINITY, f32::INFINITY]
    );
    assert!(shifts.hold_for(0, 10.0, 10.0) && !shifts.hold_for(0, 1e10, 1e10));
}
