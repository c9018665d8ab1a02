//! The bound of certified selection as a property: over random and hostile numbers no screened
//! score, by any product and in any order of summation, lies outside its interval.

use proptest::prelude::*;

use super::screen::{Kernel, Operand, Scaling, Screen, WhiteRows};
use super::test_cases::{Random, plain_sae};
use super::tile::ROW_LANES;
use super::whiten::row_facts;
use crate::engine::bound::{self, Rounding, RowMargin};
use crate::engine::canonical::canonical_score;
use crate::engine::simd::Simd;
use crate::sae::Sae;

/// The kind of numbers that a case has.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
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

pub(super) const KINDS: [Kind; 6] = [
    Kind::Smooth,
    Kind::Positive,
    Kind::Cancelling,
    Kind::Wild,
    Kind::Ones,
    Kind::Denormal,
];

pub(super) struct Numbers(pub(super) Random);

impl Numbers {
    pub(super) fn next(&mut self) -> u64 {
        self.0.next() >> 11
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

    pub(super) fn vector(&mut self, kind: Kind, n: usize) -> Vec<f32> {
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
    const ROWS: usize = 35;
    const FEATURES: usize = 33;
    let mut numbers = Numbers(Random(seed));
    let x = numbers.vector(rows, ROWS * d);
    let weight = numbers.vector(weights, FEATURES * d);
    let sae = plain_sae(1, weight, numbers.vector(biases, FEATURES));
    for simd in Simd::all() {
        let scaling = Scaling::new(&sae, simd);
        let facts: Vec<_> = x.chunks(d).map(|row| row_facts(simd, row)).collect();
        let exponents: Vec<i32> = facts
            .iter()
            .map(|facts| scaling.row_exponent(facts.largest))
            .collect();
        let rows = WhiteRows {
            numbers: &x,
            facts: &facts,
            exponents: &exponents,
        };
        for screen in screens(&sae, &scaling, simd) {
            check_screen(&sae, &scaling, simd, &screen, rows)?;
        }
    }
    Ok(())
}

/// Every screen that this machine can do.
pub(super) fn screens(sae: &Sae, scaling: &Scaling, simd: Simd) -> Vec<Screen> {
    let kernels = [
        Kernel::tiles(),
        Kernel::vectors(),
        Some(Kernel::Plain(simd)),
    ];
    let features = sae.feature_dim();
    let packed = |kernel| {
        let screen = Screen::bfloat16(sae, scaling, simd, kernel);
        screen.expect("small")
    };
    let mut screens: Vec<_> = kernels.into_iter().flatten().map(packed).collect();
    screens.push(Screen::binary32(sae, scaling, simd, features));
    screens
}

fn check_screen(
    sae: &Sae,
    scaling: &Scaling,
    simd: Simd,
    screen: &Screen,
    rows: WhiteRows,
) -> std::result::Result<(), TestCaseError> {
    let (d, features) = (sae.input_dim(), sae.feature_dim());
    let count = rows.facts.len();
    let stride = count.next_multiple_of(ROW_LANES);
    let mut scores = vec![f32::NAN; features.next_multiple_of(ROW_LANES) * stride];
    let mut margins = Vec::new();
    let mut operand = Operand::default();
    let taken = screen.take_rows(simd, scaling, rows, &mut operand, |_, bias, margin| {
        margins.push((bias.scale, margin));
    });
    screen.scores(&taken, 0..features, &mut scores, stride);
    let weights: Vec<f32> = bound::scaled(sae.weight(), scaling.exponent).collect();
    for r in 0..count {
        let unit = rows.exponents[r] + scaling.exponent;
        let x = &rows.numbers[r * d..(r + 1) * d];
        let scaled: Vec<f32> = bound::scaled(x, rows.exponents[r]).collect();
        let (bias_scale, margin) = margins[r];
        for f in 0..features {
            let w = f * d..(f + 1) * d;
            let exact = canonical_score(simd, x, &sae.weight()[w.clone()], sae.bias()[f])
                * bound::power_of_two(-unit);
            let mut estimates = vec![scores[f * stride + r]];
            if screen.takes_any_order() {
                estimates.extend(sums_in_other_orders(&scaled, &weights[w]));
            }
            for score in estimates {
                let (lower, upper) = bound::interval(
                    score,
                    scaling.addends.scaled()[f],
                    screen.norms[f],
                    bias_scale,
                    margin.scale,
                    margin.offset,
                );
                let (lower, upper) = (f64::from(lower), f64::from(upper));
                prop_assert!(
                    lower <= exact && exact <= upper,
                    "{simd}, {}: {exact:e} outside [{lower:e}, {upper:e}], row {r}, feature {f}",
                    screen.name()
                );
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn no_screened_score_lies_outside_its_bound(
        seed in any::<u64>(),
        d in prop_oneof![4 => 1usize..70, 1 => Just(768), 1 => Just(1100)],
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
    let margin = RowMargin::new(d, &Rounding::binary32(d), norm, 0.0, 0.0);
    let width = f64::from(margin.scale) * f64::from(norm) + f64::from(margin.offset);
    let error = (f64::from(ascending) - exact).abs();
    assert!(
        error <= width && error > 0.9 * width,
        "error {error:e}, margin {width:e}"
    );
}

/// The score of `x` with the first atom, its distance to the exact one, and its margin, by every
/// screen.
fn first_scores(sae: &Sae, x: &[f32]) -> Vec<(String, f64, f64)> {
    let simd = Simd::detect();
    let scaling = Scaling::new(sae, simd);
    let facts = [row_facts(simd, x)];
    let rows = WhiteRows {
        numbers: x,
        facts: &facts,
        exponents: &[scaling.row_exponent(facts[0].largest)],
    };
    let exact = canonical_score(simd, x, &sae.weight()[..x.len()], 0.0);
    let of_screen = |screen: Screen| {
        let mut margins = Vec::new();
        let mut operand = Operand::default();
        let taken = screen.take_rows(simd, &scaling, rows, &mut operand, |_, _, margin| {
            margins.push(margin);
        });
        let mut scores = vec![0.0; ROW_LANES * ROW_LANES];
        screen.scores(&taken, 0..sae.feature_dim(), &mut scores, ROW_LANES);
        let margin =
            f64::from(margins[0].scale) * f64::from(screen.norms[0]) + f64::from(margins[0].offset);
        (screen.name(), (f64::from(scores[0]) - exact).abs(), margin)
    };
    let all = screens(sae, &scaling, simd);
    all.into_iter().map(of_screen).collect()
}

#[test]
fn the_bound_of_sums_in_bfloat16_is_not_idle() {
    // All are bfloat16 numbers, so that nothing is lost but in the sums, where every product is a
    // little more than half of a last place and rounds up.
    let d = 512;
    let mut x = vec![2f32.powi(-12) * (1.0 + 2f32.powi(-7)); d];
    x[0] = 1.0;
    for (name, error, margin) in first_scores(&plain_sae(1, x.clone(), vec![0.0]), &x) {
        assert!(error <= margin, "{name}: {error:e} {margin:e}");
        if name.contains("bfloat16 screen by plain loops") {
            assert!(error > 0.9 * margin, "{name}: {error:e} {margin:e}");
        }
    }
}

#[test]
fn what_instructions_flush_to_zero_is_within_the_bound() {
    // The second atom keeps the weights from being scaled into range.
    let sae = plain_sae(1, vec![2f32.powi(-125), 1.0], vec![0.0; 2]);
    for (name, error, margin) in first_scores(&sae, &[2f32.powi(-20)]) {
        assert!(error <= margin, "{name}: {error:e} {margin:e}");
    }
}

#[test]
fn the_bound_of_bfloat16_is_not_idle() {
    // Every number lies just below the middle of two bfloat16 numbers and is rounded down, rows and
    // weights alike: what rounding takes away is parallel to what is left, and Cauchy–Schwarz is an
    // equality. Half the margin would be wrong.
    let d = 1000;
    let x = vec![f32::from_bits(0x3f80_7fff); d];
    for (name, error, margin) in
        first_scores(&plain_sae(1, [&x[..], &x].concat(), vec![0.0; 2]), &x)
    {
        assert!(error <= margin, "{name}: {error:e} {margin:e}");
        if name.contains("bfloat16") {
            assert!(error > 0.9 * margin, "{name}: {error:e} {margin:e}");
        }
    }
}
