//! What `kernels/whiten.cu` says about rows: norms, exponents, and the parts of their margins.

use atomscope::engine::cuda::Format;
use atomscope::engine::cuda::whiten::{RowFacts, RowUnits};
use atomscope::rows::ElementType;
use rand::RngExt;

use super::machine::Work;
use super::whiten::{FORMATS, assert_twins, on_device, on_device_of_dim, store};
use crate::twins::numbers::random;
use crate::twins::whiten::{Model, Row};

/// At least `least`, and no more than rounding asks for.
fn assert_above(found: f32, least: f64, what: &str, way: &str) {
    let found = f64::from(found);
    assert!(
        found >= least && found <= least * (1.0 + 1e-6) + 2f64.powi(-119),
        "{what} is {found:e}, expected {least:e}, {way}"
    );
}

/// Demands facts that follow from the twin's row.
pub(crate) fn assert_facts(facts: &RowFacts, twin: &Row, dim: usize, model: &Model, way: &str) {
    assert_eq!(facts.finite, u32::from(twin.finite), "{way}");
    assert_eq!(facts.exponent, twin.exponent, "exponent, {way}");
    if !twin.finite {
        return;
    }
    let units = &model.units;
    assert_eq!(facts.largest, twin.largest, "largest, {way}");
    assert_above(facts.whole, twin.whole, "whole", way);
    assert_above(facts.norm, twin.norm, "norm", way);
    assert_above(facts.low, twin.low, "low", way);
    let left_out = twin.low * f64::from(units.low_weight);
    assert_above(facts.error, twin.error + left_out, "error", way);

    let unit = twin.exponent + units.weight_exponent;
    let (bias, scale) = match units.biased {
        0 => (0.0, 0.0),
        _ => (
            f64::from(units.largest_bias) * 2f64.powi(-unit),
            2f64.powi(units.bias_exponent - unit),
        ),
    };
    assert_eq!(facts.bias_scale, scale as f32, "bias_scale, {way}");
    let inflate = 1.0 + 2f64.powi(-17);
    let offset = (2f64.powi(-22) * bias + dim as f64 * 2f64.powi(-126)) * inflate;
    assert_above(facts.offset, offset, "offset", way);
    let whole = (twin.error + left_out) * f64::from(units.largest_whole);
    let spread = twin.norm * f64::from(units.largest_spread);
    let coarse = (whole + spread + offset) * inflate;
    // The norms in it are rounded up as well: the 2^-120 of each is multiplied here.
    let bottom = 2f64.powi(-119) * f64::from(units.largest_whole + units.largest_spread);
    let found = f64::from(facts.coarse);
    assert!(
        found >= coarse && found <= (coarse + bottom) * (1.0 + 1e-6) + 2f64.powi(-119),
        "coarse is {found:e}, expected {coarse:e}, {way}"
    );
    assert!(
        facts.coarse >= largest_margin(facts, units),
        "coarse, {way}"
    );
}

/// The margin of a feature with the largest P and V, as select.cu computes it.
fn largest_margin(facts: &RowFacts, units: &RowUnits) -> f32 {
    facts.error * units.largest_whole + facts.norm * units.largest_spread + facts.offset
}

/// The twin's facts of norms that no kernel could state: all rows of one model.
fn assert_model(work: &Work, numbers: &[f32], dim: usize, units: RowUnits, way: &str) {
    for format in FORMATS {
        let model = Model {
            whitening: Some((vec![0.0; dim], vec![1.0; dim])),
            units,
            format,
            padded: dim.next_multiple_of(8),
            weights: false,
        };
        let stored = store(ElementType::F32, numbers);
        let found = on_device(work, &stored, &model, true);
        assert_twins(&found, &stored, dim, &model, &format!("{format}, {way}"));
    }
}

#[test]
fn rows_leave_room_for_biases() {
    let Some(work) = Work::new() else { return };
    let dim = 40;
    let mut rng = random(11);
    let mut numbers = Vec::new();
    for scale in [1e-44f32, 1e-30, 1e-10, 1.0, 1e10, 1e30, 3e38, 0.0] {
        numbers.extend((0..dim).map(|_| rng.random_range(-1.0f32..1.0) * scale));
    }
    for (largest_bias, largest_weight) in [
        (1.0f32, 0.1f32),
        (3e38, 1e-44),
        (1e-44, 3e38),
        (1e-44, 1e-44),
        (3e38, 3e38),
        (7.0, 1e-20),
        (1e25, 1.0),
    ] {
        let exponent = |x: f32| libm::frexp(f64::from(x)).1;
        let bias_exponent = exponent(largest_bias);
        let weight_exponent = exponent(largest_weight) - 15;
        let units = RowUnits {
            weight_exponent,
            bias_exponent,
            least_exponent: bias_exponent - weight_exponent - 60,
            largest_bias,
            largest_whole: 33_000.0,
            largest_spread: 17.5,
            low_weight: 4.7e-4,
            fixed_exponent: 0,
            fixed: 0,
            biased: 1,
        };
        let way = format!("largest bias {largest_bias:e}, largest weight {largest_weight:e}");
        assert_model(&work, &numbers, dim, units, &way);
        // A model without biases takes no notice of what is said about them.
        let unbiased = RowUnits { biased: 0, ..units };
        assert_model(&work, &numbers, dim, unbiased, &way);
    }
}

#[test]
fn weights_have_the_exponent_of_all_of_them() {
    let Some(work) = Work::new() else { return };
    let dim = 65;
    let mut rng = random(12);
    // Features down to where binary16 has no numbers left, one of zeros among them.
    for largest in [1e-40f32, 1e-3, 1.0, 3e38] {
        let mut numbers = Vec::new();
        for scale in [1.0, 1e-3, 1e-6, 1e-9, 0.0, 1e-30] {
            numbers.extend((0..dim).map(|_| rng.random_range(-1.0f32..1.0) * scale * largest));
        }
        numbers[0] = largest;
        for format in FORMATS {
            let model = Model {
                whitening: None,
                units: RowUnits {
                    fixed: 1,
                    fixed_exponent: libm::frexp(f64::from(largest)).1 - 15,
                    // Weights do not heed these.
                    least_exponent: 100,
                    ..RowUnits::default()
                },
                format,
                padded: 72,
                weights: true,
            };
            let stored = store(ElementType::F32, &numbers);
            let found = on_device_of_dim(&work, &stored, dim, &model, false);
            let way = format!("{format}, largest {largest:e}");
            assert_twins(&found, &stored, dim, &model, &way);
        }
    }
}

#[test]
fn norms_of_long_rows_are_above_the_true_ones() {
    let Some(work) = Work::new() else { return };
    // Sums that lose most in binary64: one large square, then many at the edge of its last place.
    let dim = 1 << 16;
    let mut numbers = vec![f32::from_bits(0x3300_0001); dim];
    numbers[0] = 1.0;
    let model = Model {
        whitening: Some((vec![0.0; dim], vec![1.0; dim])),
        units: RowUnits::default(),
        format: Format::Single,
        padded: dim,
        weights: false,
    };
    let stored = store(ElementType::F32, &numbers);
    let found = on_device(&work, &stored, &model, true);
    assert_twins(&found, &stored, dim, &model, "a long row");
}
