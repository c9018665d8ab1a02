//! The CUDA engine against the naive oracle and the CPU engine: on a real device where one is
//! demanded, else on the stand-in for one.

mod activations;
mod rows;
mod runs;

use crate::common::case::{Case, plain_case, random_case};
use crate::common::{gpu, hostile};
use atomscope::control::Control;
use atomscope::engine::cuda::{Format, ScreenChoice};
use atomscope::engine::{CudaEngine, CudaOptions, Encoded, Engine, EngineOptions};
use atomscope::error::Result;
use atomscope::rows::{Rows, SliceRows};
use atomscope::sae::Sae;
use atomscope::tally::Strata;

const FORMATS: [Format; 3] = [Format::Half, Format::Split, Format::Single];

fn encode_rows(
    sae: &Sae,
    rows: &dyn Rows,
    strata: &Strata,
    options: &EngineOptions,
) -> Result<Encoded> {
    CudaEngine::new(&[0], sae, options)
        .map_err(|fault| fault.of_device("cuda:0"))?
        .encode(rows, strata, &Control::default())
}

fn encode(case: &Case, options: &EngineOptions) -> Encoded {
    let rows = SliceRows::new(&case.rows, case.d).expect("whole rows");
    let found = encode_rows(&case.sae(), &rows, &case.strata(), options).expect("an answer");
    if options.scores {
        case.assert_scored(&found.fires, &format!("{options:?}"));
    } else {
        assert!(found.fires.scores().is_none());
    }
    found
}

/// With scores.
fn with(batch_rows: Option<usize>, cuda: CudaOptions) -> EngineOptions {
    EngineOptions {
        batch_rows,
        cuda,
        scores: true,
        ..EngineOptions::default()
    }
}

fn fixed(format: Format) -> CudaOptions {
    CudaOptions {
        screen: ScreenChoice::Fixed(format),
        ..CudaOptions::default()
    }
}

#[test]
fn every_screen_gives_the_oracles_sets_on_hostile_numbers() {
    if gpu::device().is_none() {
        return;
    }
    for (name, case) in hostile::all() {
        let expected = case.oracle();
        for format in FORMATS {
            let found = encode(&case, &with(None, fixed(format)));
            case.assert_exact(&expected, &found, &format!("{name}, {format}"));
            let certificate = found.tally.certificate();
            assert_eq!(certificate.rows, case.count() as u64, "{name}, {format}");
        }
    }
}

#[test]
fn batches_tiles_lanes_and_room_for_pairs_do_not_change_the_answer() {
    if gpu::device().is_none() {
        return;
    }
    let case = random_case(5, 75, 60, 900, 11);
    let expected = case.oracle();
    for batch_rows in [None, Some(1), Some(7), Some(16), Some(74), Some(500)] {
        for (tile_rows, pair_capacity, lanes) in [
            (None, None, None),
            (Some(1), Some(0), Some(1)),
            (Some(5), Some(3), Some(2)),
            (Some(64), Some(1_000_000), Some(5)),
        ] {
            let cuda = CudaOptions {
                block_depth: lanes.map(|lanes| 16 * lanes),
                tile_rows,
                pair_capacity,
                lanes,
                ..fixed(Format::Half)
            };
            let options = with(batch_rows, cuda);
            case.assert_exact(&expected, &encode(&case, &options), &format!("{options:?}"));
        }
    }
}

#[test]
fn what_has_no_room_is_scored_in_full_and_counted() {
    if gpu::device().is_none() {
        return;
    }
    // Every score of a row is the same: the bound leaves all atoms open.
    let mut case = plain_case(3, 20, 10, 6000, 7);
    case.rows.fill(1.0);
    case.weight.fill(0.5);
    case.bias.fill(0.25);
    let found = encode(&case, &with(Some(8), fixed(Format::Half)));
    case.assert_exact(&case.oracle(), &found, "all equal");
    let certificate = found.tally.certificate();
    assert_eq!(
        (certificate.rows, certificate.rows_rescored_in_full),
        (20, 20)
    );
    // So does a k that no buffer holds.
    let case = random_case(4, 6, 10, 3000, 2500);
    let found = encode(&case, &with(None, CudaOptions::default()));
    case.assert_exact(&case.oracle(), &found, "large k");
    assert_eq!(found.tally.certificate().rows_rescored_in_full, 6);
}

#[test]
fn all_atoms_fire_and_are_scored() {
    if gpu::device().is_none() {
        return;
    }
    let case = random_case(21, 40, 33, 70, 70);
    for batch_rows in [None, Some(9)] {
        let found = encode(&case, &with(batch_rows, CudaOptions::default()));
        case.assert_exact(&case.oracle(), &found, "k = F");
    }
}

#[test]
fn some_rows_of_a_batch_are_scored_in_full() {
    if gpu::device().is_none() {
        return;
    }
    // Room for the open pairs of some rows alone, and fewer than there are pairs that fire.
    let case = random_case(22, 90, 60, 900, 80);
    for pair_capacity in [0, 40, 200] {
        let cuda = CudaOptions {
            pair_capacity: Some(pair_capacity),
            ..fixed(Format::Half)
        };
        let found = encode(&case, &with(Some(32), cuda));
        case.assert_exact(&case.oracle(), &found, "few pairs");
        let full = found.tally.certificate().rows_rescored_in_full;
        assert_eq!(full > 0, pair_capacity < 200, "{full} of {pair_capacity}");
    }
}

#[test]
fn a_screen_that_leaves_too_much_open_is_given_up() {
    if gpu::device().is_none() {
        return;
    }
    // Atoms that differ in their last bits alone: binary16 tells none from another.
    let mut case = plain_case(6, 200, 40, 300, 9);
    let first = case.weight[..40].to_vec();
    for (f, weights) in case.weight.chunks_mut(40).enumerate() {
        for (w, &like) in weights.iter_mut().zip(&first) {
            *w = like * (1.0 + f as f32 * 3e-6);
        }
    }
    case.bias.fill(0.0);
    let rows = SliceRows::new(&case.rows, 40).expect("whole rows");
    let sae = case.sae();
    let mut engine =
        CudaEngine::new(&[0], &sae, &with(Some(50), CudaOptions::default())).expect("an engine");
    assert!(
        engine.code_path().contains("binary16 screen"),
        "{}",
        engine.code_path()
    );
    let found = engine
        .encode(&rows, &case.strata(), &Control::default())
        .expect("an answer");
    case.assert_exact(&case.oracle(), &found, "switched");
    case.assert_scored(&found.fires, "switched");
    assert!(
        engine.code_path().contains("binary32 screen"),
        "{}",
        engine.code_path()
    );
    assert!(
        engine.code_path().contains("too many atoms open"),
        "{}",
        engine.code_path()
    );
}

#[test]
fn dead_features_do_not_change_the_screen() {
    if gpu::device().is_none() {
        return;
    }
    // As many trained models have them: all weights zero, some with a bias.
    let mut case = plain_case(9, 30, 40, 300, 7);
    for (f, weights) in case.weight.chunks_mut(40).enumerate() {
        if f % 2 == 0 {
            weights.fill(0.0);
            case.bias[f] = if f % 4 == 0 { 0.0 } else { -1.0 };
        }
    }
    let sae = case.sae();
    let options = EngineOptions::default();
    let engine = CudaEngine::new(&[0], &sae, &options).expect("an engine");
    let path = engine.code_path();
    assert!(path.contains(" binary16 screen"), "{path}");
    case.assert_exact(&case.oracle(), &encode(&case, &options), "dead features");
}

#[test]
fn weights_beyond_the_range_of_binary16_take_another_screen() {
    if gpu::device().is_none() {
        return;
    }
    // Half of the features are 2^30 times smaller than the others, beyond 29 binades.
    let mut case = plain_case(8, 12, 30, 200, 5);
    for weights in case.weight.chunks_mut(60) {
        weights[..30].iter_mut().for_each(|w| *w *= 1e-9);
    }
    let sae = case.sae();
    let options = EngineOptions::default();
    let engine = CudaEngine::new(&[0], &sae, &options).expect("an engine");
    assert!(
        !engine.code_path().contains(" binary16 screen"),
        "{}",
        engine.code_path()
    );
    case.assert_exact(&case.oracle(), &encode(&case, &options), "small weights");
}
