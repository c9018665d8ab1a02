//! The bound as a property: over hostile numbers no screened score, however its products are
//! added up, lies farther from the canonical one than its margin says.

use atomscope::engine::cuda::Format;
use half::f16;
use proptest::prelude::*;
use rand::RngExt;

use super::bound_case::{Case, screen};
use super::machine::Work;
use super::whiten::FORMATS;
use crate::twins::numbers::{Kind, kinds, random, vector};

proptest! {
    #![proptest_config(super::machine::cases(120))]

    #[test]
    fn no_screened_score_lies_outside_its_bound(
        seed in any::<u64>(),
        dim in prop_oneof![1usize..70, Just(257), Just(500)],
        rows in kinds(),
        weights in kinds(),
        biases in prop_oneof![Just(None), kinds().prop_map(Some)],
        scales in prop::sample::select(&[0i32, 0, 4, 30]),
        block in prop::sample::select(&[None, Some(64), Some(200)]),
    ) {
        let Some(work) = Work::new() else { return Ok(()) };
        for format in FORMATS {
            let case = hostile(seed, dim, [rows, weights], biases, scales);
            screen(&work, case, format, block, seed).check();
        }
    }
}

proptest! {
    #![proptest_config(super::machine::cases(120))]

    #[test]
    fn no_score_less_its_threshold_lies_outside_its_bound(
        seed in any::<u64>(),
        dim in prop_oneof![1usize..70, Just(257)],
        rows in kinds(),
        weights in kinds(),
        biases in prop_oneof![Just(None), kinds().prop_map(Some)],
        scales in prop::sample::select(&[0i32, 0, 4, 30]),
        far in prop::sample::select(&[0i32, 0, 10, 60, 280]),
        dead in any::<bool>(),
    ) {
        let Some(work) = Work::new() else { return Ok(()) };
        for format in FORMATS {
            let mut case = hostile(seed, dim, [rows, weights], biases, scales);
            if dead {
                case.weight[..dim].fill(0.0);
            }
            case.take_thresholds(seed, far);
            screen(&work, case, format, None, seed).check();
        }
    }
}

/// `scales`: powers of ten, up and down, by which rows, features and biases differ among each other.
fn hostile(seed: u64, dim: usize, kinds: [Kind; 2], biases: Option<Kind>, scales: i32) -> Case {
    const ROWS: usize = 4;
    const FEATURES: usize = 7;
    let mut rng = random(seed);
    let mut case = Case {
        dim,
        features: FEATURES,
        rows: vector(&mut rng, kinds[0], ROWS * dim),
        weight: vector(&mut rng, kinds[1], FEATURES * dim),
        bias: biases.map_or_else(
            || vec![0.0; FEATURES],
            |kind| vector(&mut rng, kind, FEATURES),
        ),
        thresholds: Vec::new(),
    };
    let groups = case.rows.chunks_mut(dim);
    let groups = groups.chain(case.weight.chunks_mut(dim));
    for numbers in groups.chain(case.bias.chunks_mut(1)) {
        let factor = 10f32.powi(rng.random_range(-scales..=scales));
        for x in numbers {
            *x = (*x * factor).clamp(-f32::MAX, f32::MAX);
        }
    }
    case
}

impl Case {
    /// Thresholds at scores, near them, and up to `far` powers of ten from them; some infinite.
    fn take_thresholds(&mut self, seed: u64, far: i32) {
        let mut rng = random(seed ^ 0x7357);
        let of_feature = |f: usize| {
            let score = self.score(rng.random_range(0..self.count()), f);
            match rng.random_range(0..9u8) {
                0 => score,
                1 => score.next_up(),
                2 => score * (1.0 + 1e-7),
                3 => f64::INFINITY,
                4 => f64::NEG_INFINITY,
                5 => 0.0,
                _ => {
                    let scale = 10f64.powi(rng.random_range(-far..=far));
                    (score.abs() + 1e-3) * rng.random_range(-2.0..2.0) * scale
                }
            }
        };
        self.thresholds = (0..self.features).map(of_feature).collect();
    }
}

/// A row and a feature of the same numbers: Cauchy–Schwarz is an equality.
fn alike(numbers: Vec<f32>) -> Case {
    Case {
        dim: numbers.len(),
        features: 1,
        rows: numbers.clone(),
        weight: numbers,
        bias: vec![0.0],
        thresholds: Vec::new(),
    }
}

#[test]
fn the_bound_is_not_idle() {
    let Some(work) = Work::new() else { return };
    // Rounding of operands: every number loses half a place, the same way.
    let half = alike(vector(&mut random(1), Kind::HalfPlaces, 64));
    // Accumulation in binary32: after a leading 1 every square is a little more than half a place.
    let mut single = vec![f32::from_bits(0x3980_0001); 3000];
    single[0] = 1.0;
    // Truncation: after a leading 1 every square is a little less than a place, and lost.
    let mut split = vec![f16::from_f32(2f32.powf(-11.51)).to_f32(); 3000];
    split[0] = 1.0;
    let cases = [
        (Format::Half, half, 0.8),
        (Format::Single, alike(single), 0.9),
        (Format::Split, alike(split.clone()), 0.1),
        (Format::Half, alike(split), 0.3),
    ];
    for (format, case, least) in cases {
        let depth = 3 * case.dim + 24;
        let share = screen(&work, case, format, Some(depth), 1).check();
        assert!(
            share > least,
            "{format}: {share:.3} of the margin is used, expected more than {least}"
        );
    }
}
