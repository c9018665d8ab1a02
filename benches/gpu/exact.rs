//! Firing sets and counts of the engine on the device against their definition, on random and on
//! tied data, with every screen.

use std::time::Instant;

use atomscope::control::Control;
use atomscope::engine::cuda::{Format, ScreenChoice};
use atomscope::engine::{CudaEngine, CudaOptions, Encoded, Engine, EngineOptions};
use atomscope::rows::SliceRows;
use atomscope::sae::Sae;
use atomscope::tally::Strata;
use serde_json::json;

use crate::data::{self, Kind};
use crate::{Outcome, definition, say};

/// Rows, D, F, k, and the screens that are tried.
type Case = (Kind, usize, usize, usize, usize, Screens);

const FULL: [Case; 5] = [
    (Kind::Gaussian, 1_000_000, 64, 512, 8, Screens::All),
    (Kind::Tied, 100_000, 64, 512, 8, Screens::All),
    (Kind::Gaussian, 50_000, 203, 1031, 13, Screens::All),
    (Kind::Gaussian, 20_000, 4096, 4096, 64, Screens::Own),
    (Kind::Gaussian, 2000, 4096, 32_768, 64, Screens::Own),
];
const SMALL: [Case; 3] = [
    (Kind::Gaussian, 300, 64, 512, 8, Screens::All),
    (Kind::Tied, 100, 64, 512, 8, Screens::All),
    (Kind::Gaussian, 40, 203, 1032, 13, Screens::All),
];

/// More than 2³¹ numbers of weights, as the product takes them: sides of 64 bits.
const WIDE: [Case; 1] = [(Kind::Gaussian, 48, 4096, 262_144, 64, Screens::Split)];
const WIDE_SMALL: [Case; 1] = [(Kind::Gaussian, 8, 64, 4096, 8, Screens::Split)];

/// Screens to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Screens {
    /// The engine's own choice alone.
    Own,
    /// That, and every one.
    All,
    /// Two binary16 numbers for one: the largest operands.
    Split,
}

impl Screens {
    fn list(self) -> Vec<ScreenChoice> {
        let formats = [Format::Half, Format::Split, Format::Single];
        match self {
            Self::Own => vec![ScreenChoice::Auto],
            Self::Split => vec![ScreenChoice::Fixed(Format::Split)],
            Self::All => std::iter::once(ScreenChoice::Auto)
                .chain(formats.map(ScreenChoice::Fixed))
                .collect(),
        }
    }
}

/// Firing sets and counts by the definition.
struct Expected {
    sets: Vec<u32>,
    counts: Vec<u64>,
}

/// Rows whose firing sets differ, and counts that do.
fn differing(sae: &Sae, expected: &Expected, found: &Encoded) -> (usize, usize) {
    let k = sae.top_k().unwrap();
    let (wanted, given) = (expected.sets.chunks(k), found.fires.atoms().chunks(k));
    let missing = wanted.len().abs_diff(given.len());
    let sets = wanted.zip(given).filter(|(a, b)| a != b).count() + missing;
    let counts = expected.counts.chunks(sae.feature_dim()).enumerate();
    let counts = counts.flat_map(|(s, wanted)| wanted.iter().copied().zip(found.tally.counts(s)));
    (sets, counts.filter(|(a, b)| a != b).count())
}

pub(crate) fn run(small: bool) -> Outcome {
    check(if small { &SMALL } else { &FULL })
}

/// The widest model that is split.
pub(crate) fn wide(small: bool) -> Outcome {
    check(if small { &WIDE_SMALL } else { &WIDE })
}

fn check(cases: &[Case]) -> Outcome {
    let mut good = true;
    for &(kind, count, dim, features, k, screens) in cases {
        let sae = data::model(kind, dim, features, k)?;
        let embeddings = data::embeddings(kind, dim, count);
        let strata = data::strata(count);
        let began = Instant::now();
        let sets = definition::firing_sets(&sae, &embeddings);
        let expected = Expected {
            counts: counts(&sae, &sets, &strata),
            sets,
        };
        let oracle_seconds = began.elapsed().as_secs_f64();
        for screen in screens.list() {
            let (path, found) = encode(&sae, &embeddings, &strata, screen)?;
            let (rows, counts) = differing(&sae, &expected, &found);
            good &= rows == 0 && counts == 0;
            say(
                "exact",
                json!({
                    "data": format!("{kind:?}"), "rows": count, "dim": dim, "features": features,
                    "k": k, "screen": format!("{screen:?}"), "code_path": path,
                    "rows_differing": rows, "counts_differing": counts,
                    "certificate": found.tally.certificate(),
                    "oracle_seconds": oracle_seconds, "seconds": found.seconds.encode,
                }),
            );
        }
    }
    Ok(good)
}

fn encode(
    sae: &Sae,
    embeddings: &[f32],
    strata: &Strata,
    screen: ScreenChoice,
) -> Result<(String, Encoded), Box<dyn std::error::Error>> {
    let options = EngineOptions {
        cuda: CudaOptions {
            screen,
            ..CudaOptions::default()
        },
        ..EngineOptions::default()
    };
    let rows = SliceRows::new(embeddings, sae.input_dim())?;
    let mut engine = CudaEngine::new(&[0], sae, &options)?;
    let found = engine.encode(&rows, strata, &Control::default())?;
    Ok((engine.code_path(), found))
}

/// Counts \[strata, F\] of firing sets.
fn counts(sae: &Sae, sets: &[u32], strata: &Strata) -> Vec<u64> {
    let f = sae.feature_dim();
    let mut counts = vec![0; strata.table().len() * f];
    for (set, stratum) in sets.chunks(sae.top_k().unwrap()).zip(strata.of_row()) {
        for &atom in set {
            counts[*stratum as usize * f + atom as usize] += 1;
        }
    }
    counts
}
