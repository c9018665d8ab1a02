//! Cases that a screen, a threshold or a sort gets wrong if it can.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::case::{Case, plain_case, random_case};

/// Sides that are multiples of nothing, k up to F, several tiles of features.
pub(crate) fn ragged() -> Vec<Case> {
    let shapes = [
        (1, 1, 1, 1),
        (3, 1, 5, 2),
        (2, 7, 1, 1),
        (5, 33, 70, 70),
        (5, 33, 70, 69),
        (40, 31, 257, 8),
        (130, 64, 2049, 32),
        (17, 100, 4100, 64),
        (3, 5, 9000, 3),
        (2, 40, 5000, 600),
        (2, 3, 3000, 2500),
    ];
    let case = |(i, (count, d, f, k))| random_case(i as u64, count, d, f, k);
    shapes.into_iter().enumerate().map(case).collect()
}

/// Every atom is there eight times, far apart: exact ties, which go to the lowest index.
pub(crate) fn exact_ties() -> Case {
    let mut case = plain_case(1, 20, 48, 800, 13);
    for f in 100..800 {
        let (from, to) = ((f % 100) * 48, f * 48);
        case.weight.copy_within(from..from + 48, to);
        case.bias[f] = case.bias[f % 100];
    }
    case
}

/// All scores are the same: those of zero rows, and those of equal weights.
pub(crate) fn all_equal() -> [Case; 2] {
    let mut case = plain_case(2, 6, 10, 3000, 7);
    case.bias.fill(0.25);
    case.rows.fill(0.0);
    let zero = case.clone();
    case.rows.fill(1.0);
    case.weight.fill(0.5);
    [zero, case]
}

/// The worst order for a threshold that rises from tile to tile.
pub(crate) fn rising() -> Case {
    let mut case = plain_case(3, 3, 4, 12_000, 16);
    for f in 0..12_000 {
        case.weight[f * 4..f * 4 + 4].fill(f as f32 * 1e-3);
    }
    case.rows.fill(1.0);
    case.bias.fill(0.0);
    case
}

/// Large terms cancel; what decides is 2^-40 of them.
pub(crate) fn near_ties() -> Case {
    let mut case = plain_case(4, 10, 64, 300, 20);
    for f in 0..300 {
        for i in 0..32 {
            case.weight[f * 64 + 2 * i + 1] = case.weight[f * 64 + 2 * i];
        }
    }
    for row in case.rows.chunks_mut(64) {
        for i in 0..32 {
            row[2 * i + 1] = -row[2 * i] * (1.0 + 1.2e-7);
        }
    }
    case.bias.fill(0.0);
    case
}

/// Magnitudes of rows, weights and biases at the ends of binary32.
pub(crate) fn wild_scales() -> Vec<Case> {
    [
        (1e-30f32, 1e30f32, 1.0f32),
        (1e30, 1e30, 1e30),
        (1e-30, 1e-30, 1e-38),
        (1e-44, 1e-44, 0.0),
        (1e-44, 1.0, 1e-44),
        (1e38, 1e-44, 0.0),
        (1e30, 1e-30, 1e30),
        (1e-20, 1e-20, 1e30),
        (3e38, 0.9e38, 3e38),
        (1.0, 0.0, 1e-40),
        (0.0, 1.0, 0.0),
    ]
    .into_iter()
    .enumerate()
    .map(|(i, (x, w, b))| {
        let mut case = plain_case(10 + i as u64, 20, 37, 500, 9);
        case.rows
            .iter_mut()
            .for_each(|n| *n = n.clamp(-1.0, 1.0) * x);
        case.weight
            .iter_mut()
            .for_each(|n| *n = n.clamp(-1.0, 1.0) * w);
        case.bias
            .iter_mut()
            .for_each(|n| *n = n.clamp(-1.0, 1.0) * b);
        case
    })
    .collect()
}

/// Scales that differ within a row and among features.
pub(crate) fn mixed_scales() -> Case {
    let mut rng = ChaCha8Rng::seed_from_u64(77);
    let mut case = plain_case(30, 30, 50, 400, 11);
    let mut scale = |n: &mut f32| *n *= 10f32.powi(rng.random_range(-30..=30));
    case.rows.iter_mut().for_each(&mut scale);
    case.weight.chunks_mut(50).for_each(|w| {
        let mut factor = 1.0;
        scale(&mut factor);
        for n in w {
            *n *= factor;
        }
    });
    case.bias.iter_mut().for_each(&mut scale);
    case
}

/// All of these, with names for messages.
pub(crate) fn all() -> Vec<(&'static str, Case)> {
    let mut cases = vec![
        ("exact ties", exact_ties()),
        ("rising scores", rising()),
        ("near ties", near_ties()),
        ("mixed scales", mixed_scales()),
    ];
    cases.extend(ragged().into_iter().map(|case| ("ragged", case)));
    cases.extend(all_equal().map(|case| ("all equal", case)));
    cases.extend(wild_scales().into_iter().map(|case| ("wild scales", case)));
    cases
}
