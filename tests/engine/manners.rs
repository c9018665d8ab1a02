//! The engine's manners: number types, cancellation, rows that are not numbers, errors of rows.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use atomscope::analysis::{CountOptions, Counted};
use atomscope::cohort::{Call, Calls};
use atomscope::control::{Control, Progress};
use atomscope::engine::{CpuEngine, Device, Engine, EngineOptions, Nonfinite, open};
use atomscope::error::{Error, Result};
use atomscope::rows::{Rows, SliceRows};
use atomscope::sae::{InputStep, Sae};
use atomscope::simulate::{SimulateOptions, Simulated, simulate_in_memory};
use atomscope::stats::notebook::BiasTable;
use atomscope::tally::{Strata, Tally};
use half::{bf16, f16};

const DIM: usize = 20;

fn cohort() -> Simulated {
    simulate_in_memory(&SimulateOptions::new(700, DIM, 90, 5, 4)).expect("a good shape")
}

fn encode(
    cohort: &Simulated,
    rows: &dyn Rows,
    options: &EngineOptions,
) -> Result<(Vec<u32>, Tally)> {
    let mut engine = CpuEngine::new(&cohort.sae, options)?;
    let encoded = engine.encode(rows, &Strata::of_calls(&cohort.calls), &Control::default())?;
    Ok((encoded.fires.atoms().to_vec(), encoded.tally))
}

#[test]
fn narrow_numbers_are_widened_exactly() {
    let cohort = cohort();
    let options = EngineOptions::default();
    let halves: Vec<f16> = cohort
        .embeddings
        .iter()
        .map(|&x| f16::from_f32(x))
        .collect();
    let brains: Vec<bf16> = cohort
        .embeddings
        .iter()
        .map(|&x| bf16::from_f32(x))
        .collect();
    let doubles: Vec<f64> = cohort
        .embeddings
        .iter()
        .map(|&x| f64::from(x) * (1.0 + 1e-12))
        .collect();
    let of_halves: Vec<f32> = halves.iter().map(|x| x.to_f32()).collect();
    let of_brains: Vec<f32> = brains.iter().map(|x| x.to_f32()).collect();
    let sets = |rows: &dyn Rows| encode(&cohort, rows, &options).expect("finite rows").0;
    let of_floats = |numbers: &[f32]| sets(&SliceRows::new(numbers, DIM).expect("whole rows"));
    assert_eq!(
        sets(&SliceRows::new(&halves, DIM).expect("whole rows")),
        of_floats(&of_halves)
    );
    assert_eq!(
        sets(&SliceRows::new(&brains, DIM).expect("whole rows")),
        of_floats(&of_brains)
    );
    assert_eq!(
        sets(&SliceRows::new(&doubles, DIM).expect("whole rows")),
        of_floats(&cohort.embeddings)
    );
    // Rounding to bf16 moves scores: were it ignored, this test would see nothing.
    assert_ne!(of_floats(&of_brains), of_floats(&cohort.embeddings));
}

#[test]
fn a_cancelled_run_says_so() {
    let cohort = cohort();
    let rows = SliceRows::new(&cohort.embeddings, DIM).expect("whole rows");
    let cancel = AtomicBool::new(false);
    let done = AtomicU64::new(0);
    let progress = |progress: Progress| {
        done.fetch_max(progress.done, Ordering::Relaxed);
        cancel.store(true, Ordering::Relaxed);
    };
    let cancelled = || cancel.load(Ordering::Relaxed);
    let control = Control::default()
        .cancel_when(&cancelled)
        .on_progress(&progress);
    let engine = EngineOptions {
        threads: Some(1),
        batch_rows: Some(50),
        ..EngineOptions::default()
    };
    let options = CountOptions {
        engine,
        ..CountOptions::default()
    };
    let result = Counted::of_rows(&cohort.sae, &rows, &cohort.calls, &options, &control);
    assert!(matches!(result, Err(Error::Cancelled)));
    assert_eq!(
        done.into_inner(),
        50,
        "nothing was done after the first batch"
    );
}

#[test]
fn every_row_that_is_no_number_is_named_or_dropped() {
    let mut cohort = cohort();
    for (row, bad) in [
        (699, f32::NAN),
        (0, f32::INFINITY),
        (350, f32::NEG_INFINITY),
    ] {
        cohort.embeddings[row * DIM + row % DIM] = bad;
    }
    // Finite, but too large for binary32 once it is divided by a small standard deviation.
    let mut parts = cohort.sae.into_parts();
    let [_, InputStep::Divide(divisors)] = &mut *parts.input else {
        panic!("a whitened model");
    };
    divisors[3] = 1e-6;
    cohort.embeddings[77 * DIM + 3] = 3e38;
    cohort.sae = Sae::new(parts).expect("a good model");
    let rows = SliceRows::new(&cohort.embeddings, DIM).expect("whole rows");
    for (threads, batch_rows) in [(1, 7), (2, 100), (3, 1000)] {
        let options = |nonfinite| EngineOptions {
            threads: Some(threads),
            batch_rows: Some(batch_rows),
            nonfinite,
            ..EngineOptions::default()
        };
        match encode(&cohort, &rows, &options(Nonfinite::Error)) {
            Err(Error::NonFinite {
                rows, count, total, ..
            }) => {
                assert_eq!((rows, count, total), (vec![0, 77, 350, 699], 4, 700));
            }
            other => panic!("not refused: {other:?}"),
        }
        let (atoms, tally) = encode(&cohort, &rows, &options(Nonfinite::Skip)).expect("the rest");
        assert_eq!(atoms.len(), 696 * 5);
        assert_eq!(tally.rows_where(|_| true), 696);
        assert_eq!(tally.counts_where(|_| true).iter().sum::<u64>(), 696 * 5);
    }
}

#[test]
fn no_row_is_left_is_no_crash() {
    let cohort = cohort();
    let rows = vec![f32::NAN; 3 * DIM];
    let rows = SliceRows::new(&rows, DIM).expect("whole rows");
    let calls: Calls = vec![Call::default(); 3].into_iter().collect();
    let engine = EngineOptions {
        nonfinite: Nonfinite::Skip,
        scores: true,
        ..EngineOptions::default()
    };
    let options = CountOptions {
        engine,
        ..CountOptions::default()
    };
    let counted = Counted::of_rows(&cohort.sae, &rows, &calls, &options, &Control::default())
        .expect("an empty answer");
    let fires = counted.firings.as_ref().and_then(|firings| firings.sets());
    let fires = fires.expect("firing sets in memory");
    assert_eq!((fires.rows(), fires.dropped()), (0, &[0, 1, 2][..]));
    assert_eq!(fires.scores(), Some(&[][..]));
    assert!(BiasTable::of(&counted.cohort.tally, 5).atoms.is_empty());
}

/// Rows whose file breaks off.
struct Broken;

impl Rows for Broken {
    fn count(&self) -> usize {
        700
    }
    fn dim(&self) -> usize {
        DIM
    }
    fn name(&self) -> String {
        "broken".to_owned()
    }
    fn read(&self, range: Range<usize>, out: &mut [f32]) -> Result<()> {
        if range.contains(&400) {
            return Err(Error::input(
                "broken",
                "row 400",
                "the end",
                "a row",
                "copy the file again",
            ));
        }
        out.fill(1.0);
        Ok(())
    }
}

#[test]
fn an_error_of_the_rows_ends_the_run_with_that_error() {
    let cohort = cohort();
    let error = encode(&cohort, &Broken, &EngineOptions::default()).expect_err("broken");
    assert_eq!(
        error.to_string(),
        "broken: row 400: found the end, expected a row; copy the file again"
    );
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let cohort = cohort();
    let narrow = SliceRows::new(&cohort.embeddings, DIM / 2).expect("whole rows");
    let error = encode(&cohort, &narrow, &EngineOptions::default()).expect_err("too narrow");
    assert!(error.to_string().contains("rows of 10 numbers"), "{error}");
    let few = SliceRows::new(&cohort.embeddings[..DIM * 9], DIM).expect("whole rows");
    let error = encode(&cohort, &few, &EngineOptions::default()).expect_err("too few");
    assert!(
        error.to_string().contains("found 9 rows, expected 700"),
        "{error}"
    );
    assert!(SliceRows::new(&cohort.embeddings[..=DIM], DIM).is_err());
    assert!(SliceRows::new(&cohort.embeddings, 0).is_err());
}

#[test]
fn cuda_never_falls_back_silently() {
    let cohort = cohort();
    let options = EngineOptions::default();
    // No machine has so many devices; most have none.
    let refused = open(Device::Cuda(Some(4096)), &cohort.sae, 700, &options)
        .err()
        .expect("no such device");
    assert_eq!(refused.exit_code(), 3);
    let (engine, why) = open(Device::Auto, &cohort.sae, 700, &options).expect("the CPU");
    assert_eq!(engine.device(), "cpu");
    assert!(why.contains("before a GPU would be ready"), "{why}");
}
