//! Operands for products whose accumulation errs most where sums are truncated: every number is a
//! binary16 number, so that the same operands serve both types, and a multiple of 2⁻²⁴ below 2¹⁵,
//! so that every sum of products is exact in 128-bit integers of units of 2⁻⁴⁸.

use half::f16;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A pair of vectors whose product is hard to sum.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) row: Vec<f16>,
    pub(crate) weight: Vec<f16>,
}

/// The largest number below 2.
const ONES: f32 = 2.0 - 1.0 / 1024.0;

fn power(exponent: i32) -> f32 {
    2f32.powi(exponent)
}

/// Both vectors from one function of the place: (row, weight).
fn case(name: impl Into<String>, dim: usize, numbers: impl FnMut(usize) -> (f32, f32)) -> Case {
    let (row, weight): (Vec<f32>, Vec<f32>) = (0..dim).map(numbers).unzip();
    let rounded = |numbers: Vec<f32>| numbers.into_iter().map(f16::from_f32).collect();
    Case {
        name: name.into(),
        row: rounded(row),
        weight: rounded(weight),
    }
}

/// A product just below `2^exponent`, all of its 22 bits in use.
fn just_below(exponent: i32) -> (f32, f32) {
    let row = exponent.div_euclid(2);
    (ONES * power(row - 1), ONES * power(exponent - row - 1))
}

/// One large product at each `period`-th place from `first` on, and all others just below
/// `2^−below` of it: those that an aligned and truncated sum loses in full.
fn large_then_small(dim: usize, period: usize, first: usize, below: i32) -> Case {
    const LARGE: i32 = 14;
    let name = format!(
        "2^14 at {first} of {period}, else just below 2^{}",
        LARGE - below
    );
    case(name, dim, |i| {
        if i % period == first {
            (power(7), power(7))
        } else {
            just_below(LARGE - below)
        }
    })
}

/// Magnitudes that rise or fall by a factor of two each `run` places, within 24 binades.
fn staircase(dim: usize, run: usize, rising: bool) -> Case {
    let name = format!(
        "{} by 2 each {run}",
        if rising { "rising" } else { "falling" }
    );
    case(name, dim, |i| {
        let step = i32::try_from(i / run % 24).unwrap_or(0);
        just_below(if rising { step - 12 } else { 12 - step })
    })
}

/// Numbers with all bits in play, of one sign or of both.
fn random(dim: usize, signed: bool, seed: u64) -> Case {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut one = move || {
        let size = random.random_range(1.0f32..2.0);
        let negative = signed && random.random_range(0..2) == 1;
        if negative { -size } else { size }
    };
    case(
        if signed {
            "random, both signs"
        } else {
            "random, positive"
        },
        dim,
        |_| (one(), one()),
    )
}

/// All cases at a depth.
pub(crate) fn all(dim: usize) -> Vec<Case> {
    let mut cases = vec![
        case("all ones", dim, |_| (ONES, ONES)),
        case("alternating signs, odd ones larger", dim, |i| {
            if i % 2 == 0 {
                (ONES, ONES)
            } else {
                (-ONES, ONES * 1.5)
            }
        }),
        case("alternating magnitudes", dim, |i| {
            just_below(if i % 2 == 0 { 10 } else { -13 })
        }),
        case("large ones cancel, small ones stay", dim, |i| {
            match i % 16 {
                0 => (power(7), power(7)),
                8 => (-power(7), power(7)),
                _ => just_below(-9),
            }
        }),
        random(dim, false, 1),
        random(dim, true, 2),
    ];
    for below in [22, 23, 24, 25, 26] {
        cases.push(large_then_small(dim, dim, 0, below));
    }
    // The large one at other places of a step: 4, 8, 16 and 32 products are added at a time.
    for (period, first) in [(4, 3), (8, 5), (16, 15), (32, 17), (256, 255)] {
        cases.push(large_then_small(dim, period, first, 23));
    }
    for run in [1, 16, 64] {
        cases.push(staircase(dim, run, true));
        cases.push(staircase(dim, run, false));
    }
    cases
}
