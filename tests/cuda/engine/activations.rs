//! Every activation gives the oracle's sets, scores and counts, and the bytes of the
//! CPU engine, whatever the screen, the batches, the room and the devices.

use atomscope::control::Control;
use atomscope::engine::cuda::Format;
use atomscope::engine::{CpuEngine, CudaEngine, CudaOptions, Encoded, Engine, EngineOptions};
use atomscope::rows::SliceRows;
use atomscope::sae::{Activation, InputStep, Sae, SaeParts, Values};

use super::{FORMATS, fixed, with};
use crate::common::activations::{Expected, case_of_empty_sets, tied_case};
use crate::common::case::{Case, plain_case, random_case};
use crate::common::{gpu, hostile};

/// The activation without its thresholds, for messages.
fn kind(activation: &Activation) -> String {
    format!("{activation:?}").chars().take(60).collect()
}

fn encode(case: &Case, sae: &Sae, expected: &Expected, engine: &mut dyn Engine) -> Encoded {
    assert_eq!(sae.input_dim(), case.d);
    let rows = SliceRows::new(&case.rows, case.d).expect("whole rows");
    let (strata, cuts) = (case.strata(), expected.cuts.as_ref());
    engine
        .encode_cut(&rows, &strata, cuts, &Control::default())
        .expect("finite rows")
}

/// Encodes on so many devices, and demands what is expected. The first stands for all of them where
/// there is one alone.
fn check_way(case: &Case, expected: &Expected, devices: usize, options: &EngineOptions) -> Encoded {
    let way = format!(
        "{}, {devices} devices, {options:?}",
        kind(&expected.activation)
    );
    let sae = case.sae_of(expected.activation.clone());
    let mut engine = CudaEngine::new(&vec![0; devices], &sae, options).expect("an engine");
    let found = encode(case, &sae, expected, &mut engine);
    case.assert_sets(&expected.sets, &found, &way);
    if options.scores {
        case.assert_scored(&found.fires, &way);
    }
    let certificate = found.tally.certificate();
    assert_eq!(certificate.rows, case.count() as u64, "{way}");
    found
}

/// Screens, rows of batches, room for atoms and pairs, and devices.
fn ways() -> Vec<(usize, EngineOptions)> {
    let room = |firing_capacity, pair_capacity, format| CudaOptions {
        firing_capacity,
        pair_capacity,
        ..fixed(format)
    };
    vec![
        (1, with(None, fixed(Format::Half))),
        (1, with(Some(7), room(None, None, Format::Split))),
        (2, with(Some(16), room(Some(3), None, Format::Single))),
        (1, with(Some(9), room(Some(4000), Some(5), Format::Half))),
        (3, with(Some(1), room(None, Some(0), Format::Half))),
    ]
}

/// Every activation in one of so many of the ways, in turn: 1 for all of them; more than there are
/// ways for some of the activations, others at another turn. The stand-in takes minutes for what the
/// CPU does in seconds.
fn check(case: &Case, turn: usize, one_of: usize) {
    let scores = case.all_scores();
    for (i, activation) in case.activations(&scores).into_iter().enumerate() {
        let expected = Expected::new(activation, &scores, 7);
        let sae = case.sae_of(expected.activation.clone());
        let mut cpu = CpuEngine::new(&sae, &with(None, CudaOptions::default())).expect("a CPU");
        let of_cpu = encode(case, &sae, &expected, &mut cpu);
        for (j, (devices, options)) in ways().into_iter().enumerate() {
            if (i + j + turn).is_multiple_of(one_of) {
                let found = check_way(case, &expected, devices, &options);
                assert!(
                    found.fires == of_cpu.fires,
                    "{}",
                    kind(&expected.activation)
                );
            }
        }
    }
}

#[test]
fn activations_of_ragged_shapes_give_the_definition() {
    if gpu::device().is_none() {
        return;
    }
    for (seed, (count, d, f, k)) in (0..).zip([
        (1, 1, 1, 1),
        (2, 7, 1, 1),
        (5, 33, 70, 70),
        (17, 31, 257, 8),
        (9, 40, 2100, 20),
    ]) {
        check(
            &random_case(seed, count, d, f, k),
            0,
            if f < 100 { 2 } else { 5 },
        );
    }
}

#[test]
fn activations_of_hostile_numbers_give_the_definition() {
    if gpu::device().is_none() {
        return;
    }
    for (turn, (_, mut case)) in hostile::all().into_iter().enumerate() {
        // A batch of 7 rows, and part of another.
        case.rows.truncate(9 * case.d);
        // The others take minutes.
        if case.f <= 3000 && case.f * case.d < 1 << 15 {
            check(&case, turn, 13);
        }
    }
}

#[test]
fn activations_of_ties_give_the_definition() {
    if gpu::device().is_none() {
        return;
    }
    check(&tied_case(), 0, 2);
}

#[test]
fn activations_of_rows_on_which_nothing_fires_give_empty_sets() {
    if gpu::device().is_none() {
        return;
    }
    check(&case_of_empty_sets(), 0, 2);
}

#[test]
fn activations_on_ordinary_rows_are_certified() {
    if gpu::device().is_none() {
        return;
    }
    let case = plain_case(3, 60, 96, 900, 12);
    let scores = case.all_scores();
    for activation in case.activations(&scores) {
        // Thresholds at scores are hostile; so is a tie with the last of all.
        let hostile = matches!(&activation, Activation::Threshold { thresholds }
            if thresholds.iter().any(|&t| t != thresholds[0]));
        let expected = Expected::new(activation, &scores, 7);
        // Rows of which more fire than there is room for are scored in full.
        let any_number = matches!(expected.activation, Activation::Threshold { .. });
        if any_number && expected.sets.iter().any(|set| set.len() > 512) {
            continue;
        }
        let found = check_way(&case, &expected, 1, &with(None, fixed(Format::Split)));
        let certificate = found.tally.certificate();
        let way = kind(&expected.activation);
        assert_eq!(
            certificate.rows_rescored_in_full, 0,
            "{way}: {certificate:?}"
        );
        let few = if hostile { 900 * 60 } else { 60 * 10 };
        assert!(certificate.ambiguous_atoms <= few, "{way}: {certificate:?}");
    }
}

#[test]
fn rows_with_more_atoms_than_are_usual_get_more_room() {
    if gpu::device().is_none() {
        return;
    }
    // Nearly all atoms fire, on every row.
    let case = plain_case(13, 90, 8, 1500, 1);
    let scores = case.all_scores();
    let expected = Expected::new(Activation::thresholds(1500, -2.0), &scores, 7);
    let one_lane = CudaOptions {
        lanes: Some(1),
        ..fixed(Format::Half)
    };
    let found = check_way(&case, &expected, 1, &with(Some(10), one_lane));
    // One batch is scored in full; then there is room.
    assert_eq!(found.tally.certificate().rows_rescored_in_full, 10);
}

#[test]
fn every_input_gives_the_bytes_of_the_cpu() {
    if gpu::device().is_none() {
        return;
    }
    let mut case = random_case(17, 50, 37, 300, 6);
    case.rows[5 * 37..6 * 37].fill(0.0);
    case.rows[7 * 37 + 3] = f32::NAN;
    let subtract = InputStep::Subtract(case.mean.clone());
    let divide = InputStep::Divide(case.std.iter().map(|std| std + 0.5).collect());
    let standardize = InputStep::Standardize { epsilon: 1e-5 };
    let to_norm = |least| InputStep::ScaleToNorm { norm: 6.0, least };
    let inputs = [
        vec![],
        vec![subtract.clone()],
        vec![divide.clone()],
        vec![standardize.clone(), subtract.clone()],
        vec![to_norm(0.0)],
        vec![subtract.clone(), to_norm(1e-12)],
        vec![InputStep::Scale(0.3), divide.clone(), subtract.clone()],
        vec![subtract, divide, standardize, InputStep::Scale(2.0)],
    ];
    let rows = SliceRows::new(&case.rows, 37).expect("whole rows");
    for input in inputs {
        for activation in [
            Activation::TopK { k: 6, relu: false },
            Activation::thresholds(300, 0.7),
        ] {
            let values = match activation {
                Activation::Threshold { .. } => Values::Affine {
                    gain: vec![1.5; 300],
                    shift: vec![-0.1; 300],
                },
                _ => Values::Score,
            };
            let parts = SaeParts {
                activation,
                values,
                input: input.clone(),
                ..case.sae().into_parts()
            };
            let sae = Sae::new(parts).expect("a model");
            for format in FORMATS {
                let options = EngineOptions {
                    nonfinite: atomscope::engine::Nonfinite::Skip,
                    ..with(Some(11), fixed(format))
                };
                let mut cpu = CpuEngine::new(&sae, &options).expect("a CPU");
                let mut cuda = CudaEngine::new(&[0], &sae, &options).expect("a device");
                let engines: [&mut dyn Engine; 2] = [&mut cpu, &mut cuda];
                let [of_cpu, of_cuda] = engines.map(|engine| {
                    let found = engine.encode(&rows, &case.strata(), &Control::default());
                    found.expect("the rows that are finite")
                });
                assert!(of_cpu.fires == of_cuda.fires, "{input:?}, {format}");
                assert_eq!(of_cpu.tally.rows(), of_cuda.tally.rows(), "{input:?}");
                let strata = 0..of_cpu.tally.table().len();
                for s in strata {
                    assert_eq!(of_cpu.tally.counts(s), of_cuda.tally.counts(s));
                }
            }
        }
    }
}
