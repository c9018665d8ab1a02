//! Numbers that arithmetic gets wrong if it can.

use proptest::sample::Select;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What the numbers of a vector look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Smooth,
    /// All of one sign, so that rounding errors add up.
    Positive,
    /// Pairs that cancel but for their last bits.
    Cancelling,
    /// Magnitudes from 1e-44 to 1e38.
    Wild,
    /// Mantissas full of ones.
    Ones,
    Denormal,
    /// A little below the middle between two binary16 numbers: all lose half a place, downwards.
    HalfPlaces,
    /// Zeros, of both signs, but for one number in ten.
    Sparse,
}

pub(crate) const KINDS: [Kind; 8] = [
    Kind::Smooth,
    Kind::Positive,
    Kind::Cancelling,
    Kind::Wild,
    Kind::Ones,
    Kind::Denormal,
    Kind::HalfPlaces,
    Kind::Sparse,
];

/// Any of these.
pub(crate) fn kinds() -> Select<Kind> {
    proptest::sample::select(&KINDS)
}

pub(crate) fn random(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn draw(rng: &mut impl Rng, kind: Kind, place: usize, before: f32) -> f32 {
    let unit = rng.random_range(-1.0f32..1.0);
    match kind {
        Kind::Positive => unit.abs() + 0.5,
        Kind::Cancelling if place % 2 == 1 => {
            -before * (1.0 + f32::EPSILON * rng.random_range(0..3u8) as f32)
        }
        Kind::Smooth | Kind::Cancelling => unit,
        Kind::Wild => unit * 10f32.powi(rng.random_range(-44..38)),
        Kind::Ones => f32::from_bits(0x3fff_ffff - rng.random_range(0..2)),
        Kind::Denormal => f32::from_bits(rng.random_range(0..0x0080_0000)),
        Kind::HalfPlaces => 1.0 + 1.0 / 2048.0 - f32::EPSILON,
        Kind::Sparse if rng.random_range(0..10u8) > 0 => unit * 0.0,
        Kind::Sparse => unit * 1000.0,
    }
}

/// `count` numbers of a kind.
pub(crate) fn vector(rng: &mut impl Rng, kind: Kind, count: usize) -> Vec<f32> {
    let mut before = 0.0;
    (0..count)
        .map(|i| {
            before = draw(rng, kind, i, before);
            before
        })
        .collect()
}
