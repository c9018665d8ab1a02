//! The CUDA engine against the naive oracle and the CPU engine: on a real device where one is
//! demanded, else on the stand-in for one.

mod common;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use atomscope::engine::cuda::{DeviceRows, Format, PageLockedRows, ScreenChoice};
use atomscope::engine::{
    Control, CpuEngine, CudaEngine, CudaOptions, Encoded, Engine, EngineOptions, Nonfinite,
};
use atomscope::error::{Error, Result};
use atomscope::rows::{Rows, SliceRows};
use atomscope::sae::Sae;
use atomscope::tally::Strata;
use common::case::{Case, plain_case, random_case};
use common::{gpu, hostile};
use half::{bf16, f16};

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
    encode_rows(&case.sae(), &rows, &case.strata(), options).expect("an answer")
}

fn with(batch_rows: Option<usize>, cuda: CudaOptions) -> EngineOptions {
    EngineOptions {
        batch_rows,
        cuda,
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
    let found = encode(&case, &EngineOptions::default());
    case.assert_exact(&case.oracle(), &found, "large k");
    assert_eq!(found.tally.certificate().rows_rescored_in_full, 6);
}

#[test]
fn a_screen_that_leaves_too_much_open_is_given_up() {
    if gpu::device().is_none() {
        return;
    }
    // Atoms that differ in their last bits alone: binary16 tells none from another.
    let mut case = plain_case(6, 400, 40, 300, 9);
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

#[test]
fn narrow_and_wide_numbers_are_widened_on_the_device() {
    if gpu::device().is_none() {
        return;
    }
    let case = random_case(12, 60, 33, 150, 6);
    let (sae, strata) = (case.sae(), case.strata());
    let check = |rows: &dyn Rows, what: &str| {
        let expected = CpuEngine::new(&sae, &EngineOptions::default())
            .and_then(|mut engine| engine.encode(rows, &strata, &Control::default()))
            .expect("an answer");
        let found = encode_rows(&sae, rows, &strata, &with(Some(13), CudaOptions::default()))
            .expect("an answer");
        assert_eq!(expected.fires, found.fires, "{what}");
    };
    let halves: Vec<f16> = case.rows.iter().map(|&x| f16::from_f32(x)).collect();
    let brains: Vec<bf16> = case.rows.iter().map(|&x| bf16::from_f32(x)).collect();
    let doubles: Vec<f64> = case
        .rows
        .iter()
        .map(|&x| f64::from(x) * (1.0 + 3e-8))
        .collect();
    check(&SliceRows::new(&halves, 33).expect("whole rows"), "f16");
    check(&SliceRows::new(&brains, 33).expect("whole rows"), "bf16");
    check(&SliceRows::new(&case.rows, 33).expect("whole rows"), "f32");
    check(&SliceRows::new(&doubles, 33).expect("whole rows"), "f64");
}

#[test]
fn rows_are_taken_from_where_they_are() {
    if gpu::device().is_none() {
        return;
    }
    let case = random_case(13, 90, 40, 222, 8);
    let expected = case.oracle();
    let (sae, strata) = (case.sae(), case.strata());
    let options = with(Some(17), CudaOptions::default());
    let locked = PageLockedRows::copy_of(&case.rows, 40).expect("page-locked memory");
    let found = encode_rows(&sae, &locked, &strata, &options).expect("an answer");
    case.assert_exact(&expected, &found, "page-locked");
    let (resident, memory) = DeviceRows::copy_of(0, &case.rows, 40).expect("device memory");
    let found = encode_rows(&sae, &resident, &strata, &options).expect("an answer");
    case.assert_exact(&expected, &found, "on the device");
    drop(memory);
    // The processor cannot read these.
    let refused = CpuEngine::new(&sae, &options)
        .and_then(|mut engine| engine.encode(&resident, &strata, &Control::default()));
    assert!(refused.is_err());
}

#[test]
fn rows_that_are_no_numbers_are_named_or_dropped() {
    if gpu::device().is_none() {
        return;
    }
    let mut case = random_case(14, 130, 21, 99, 4);
    let expected = case.oracle();
    case.std[3] = 0.0;
    case.mean[3] = 0.0;
    case.rows
        .iter_mut()
        .skip(3)
        .step_by(21)
        .for_each(|x| *x = 0.0);
    let expected_with_zero = case.oracle();
    assert_ne!(expected, expected_with_zero);
    for (row, bad) in [(0, f32::NAN), (63, f32::INFINITY), (129, f32::NEG_INFINITY)] {
        case.rows[row * 21 + row % 21] = bad;
    }
    // Finite, but not after it is divided.
    case.rows[77 * 21 + 3] = 3e38;
    let (sae, strata) = (case.sae(), case.strata());
    let rows = SliceRows::new(&case.rows, 21).expect("whole rows");
    for batch in [5, 64, 200] {
        let mut options = with(Some(batch), CudaOptions::default());
        match encode_rows(&sae, &rows, &strata, &options) {
            Err(Error::NonFinite {
                rows, count, total, ..
            }) => {
                assert_eq!((rows, count, total), (vec![0, 63, 77, 129], 4, 130));
            }
            other => panic!("not refused: {other:?}"),
        }
        options.nonfinite = Nonfinite::Skip;
        let found = encode_rows(&sae, &rows, &strata, &options).expect("the rest");
        let cpu = CpuEngine::new(&sae, &options)
            .and_then(|mut engine| engine.encode(&rows, &strata, &Control::default()))
            .expect("the rest");
        assert_eq!(found.fires, cpu.fires, "batches of {batch}");
        assert_eq!(found.tally.rows(), cpu.tally.rows());
        for (row, atoms) in found.fires.iter() {
            assert_eq!(
                atoms,
                &expected_with_zero[row * 4..(row + 1) * 4],
                "row {row}"
            );
        }
    }
}

#[test]
fn a_small_memory_budget_makes_small_batches_and_too_small_a_one_an_error() {
    if gpu::device().is_none() {
        return;
    }
    let case = random_case(15, 300, 64, 128, 6);
    let budget = |memory| {
        with(
            None,
            CudaOptions {
                memory: Some(memory),
                ..CudaOptions::default()
            },
        )
    };
    case.assert_exact(&case.oracle(), &encode(&case, &budget(40_000)), "40 kB");
    let rows = SliceRows::new(&case.rows, 64).expect("whole rows");
    let error =
        encode_rows(&case.sae(), &rows, &case.strata(), &budget(1000)).expect_err("too small");
    assert_eq!(error.exit_code(), 3);
    assert!(error.to_string().contains("--gpu-memory"), "{error}");
}

#[test]
fn a_cancelled_run_says_so() {
    if gpu::device().is_none() {
        return;
    }
    let case = random_case(16, 500, 16, 64, 3);
    let (sae, strata) = (case.sae(), case.strata());
    let rows = SliceRows::new(&case.rows, 16).expect("whole rows");
    let cancel = AtomicBool::new(false);
    let done = AtomicU64::new(0);
    let progress = |rows: u64| {
        done.fetch_max(rows, Ordering::Relaxed);
        cancel.store(true, Ordering::Relaxed);
    };
    let control = Control {
        cancel: Some(&cancel),
        progress: Some(&progress),
    };
    let options = with(Some(10), CudaOptions::default());
    let mut engine = CudaEngine::new(&[0], &sae, &options).expect("an engine");
    let result = engine.encode(&rows, &strata, &control);
    assert!(matches!(result, Err(Error::Cancelled)));
    assert_eq!(
        done.into_inner(),
        10,
        "nothing was drained after the first batch"
    );
    // The engine is none the worse.
    let found = engine
        .encode(&rows, &strata, &Control::default())
        .expect("an answer");
    case.assert_exact(&case.oracle(), &found, "after a cancelled run");
}

#[test]
fn a_caller_within_a_pool_of_one_thread_is_no_deadlock() {
    if gpu::device().is_none() {
        return;
    }
    let case = random_case(18, 60, 16, 64, 3);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let found = pool
        .expect("a thread")
        .install(|| encode(&case, &EngineOptions::default()));
    case.assert_exact(&case.oracle(), &found, "within a pool");
}

#[test]
fn pairs_are_counted_as_the_processor_counts_them() {
    if gpu::device().is_none() {
        return;
    }
    let case = random_case(17, 200, 24, 80, 9);
    let sae = case.sae();
    let options = EngineOptions::default();
    let fires = encode(&case, &options).fires;
    let mut cpu = CpuEngine::new(&sae, &options).expect("an engine");
    let mut cuda = CudaEngine::new(&[0], &sae, &options).expect("an engine");
    for chosen in [None, Some(&[79, 3, 40, 3, 11][..]), Some(&[][..])] {
        let expected = cpu
            .coactivation(&fires, chosen)
            .expect("atoms of the model");
        assert_eq!(
            cuda.coactivation(&fires, chosen)
                .expect("atoms of the model"),
            expected
        );
    }
    assert!(cuda.coactivation(&fires, Some(&[80])).is_err());
}

#[test]
fn real_calls_have_the_sets_that_binary64_gives_them() {
    let Some(folder) = common::delly_mims("real_calls_have_the_sets_that_binary64_gives_them")
    else {
        return;
    };
    if gpu::device().is_none() {
        return;
    }
    // All of them on a real device, a slice on the stand-in.
    let slice = if gpu::is_real() { usize::MAX } else { 150 };
    let model = atomscope::read::read_model(&folder.join("data/models/768to3072_k32/sae.pt"))
        .expect("a model");
    let cohort = atomscope::read::read_cohort(&folder.join("data/processed/sae_sv_embeddings.pt"))
        .expect("a cohort");
    let count = cohort.rows.count().min(slice);
    let mut numbers = vec![0.0f32; count * 768];
    cohort.rows.read(0..count, &mut numbers).expect("rows");
    let rows = SliceRows::new(&numbers, 768).expect("whole rows");
    let strata = Strata::single(count);
    let cpu = CpuEngine::new(&model.sae, &EngineOptions::default())
        .and_then(|mut engine| engine.encode(&rows, &strata, &Control::default()))
        .expect("an answer");
    for format in FORMATS {
        let found = encode_rows(&model.sae, &rows, &strata, &with(Some(64), fixed(format)))
            .expect("an answer");
        assert_eq!(found.fires, cpu.fires, "{format}");
        assert_eq!(found.tally.counts(0), cpu.tally.counts(0), "{format}");
    }
}
