//! Atoms that fire by thresholds: sets of any size, empty ones among them, against a naive oracle.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::common::case::{Case, plain_case, ragged_case, random_case};
use atomscope::control::{Control, Progress};
use atomscope::engine::{Device, Encoded, EngineOptions, Nonfinite, Simd, open};
use atomscope::error::{Error, Result};
use atomscope::rows::{Rows, SliceRows};
use proptest::prelude::*;

fn encode(
    case: &Case,
    thresholds: &[f32],
    options: &EngineOptions,
    control: &Control,
) -> Result<Encoded> {
    let rows = SliceRows::new(&case.rows, case.d).expect("whole rows");
    let sae = case.sae_above(thresholds);
    let (mut engine, _) = open(Device::Auto, &sae, rows.count(), options)?;
    assert_eq!(engine.device(), "cpu");
    engine.encode(&rows, &case.strata(), control)
}

fn options(threads: usize, batch_rows: Option<usize>) -> EngineOptions {
    EngineOptions {
        threads: Some(threads),
        batch_rows,
        scores: true,
        ..EngineOptions::default()
    }
}

/// All ways of running give the oracle's sets, scores and counts.
fn check(case: &Case, thresholds: &[f32]) {
    let expected = case.oracle_above(thresholds);
    let mut ways: Vec<_> = Simd::all()
        .into_iter()
        .map(|simd| EngineOptions {
            simd: Some(simd),
            ..options(1, None)
        })
        .collect();
    for threads in [1, 2, 7] {
        ways.extend([None, Some(1), Some(17), Some(4096)].map(|batch| options(threads, batch)));
    }
    for options in ways {
        let way = format!("{options:?}");
        let found = encode(case, thresholds, &options, &Control::default()).expect("good rows");
        case.assert_sets(&expected, &found, &way);
        case.assert_scored(&found.fires, &way);
        let certificate = found.tally.certificate();
        assert_eq!(certificate.rows, case.count() as u64, "{way}");
    }
}

#[test]
fn threshold_engine_gives_the_sets_of_the_definition() {
    // Rows, atoms and numbers cut groups, registers and lanes everywhere.
    for (seed, count, d, f) in [
        (1, 103, 33, 70),
        (2, 9, 1, 1),
        (3, 64, 70, 300),
        (4, 1, 5, 9),
    ] {
        let (case, thresholds) = ragged_case(seed, count, d, f);
        let sizes: Vec<_> = case
            .oracle_above(&thresholds)
            .iter()
            .map(Vec::len)
            .collect();
        assert!(sizes[0] == 0, "an empty row");
        if f >= 70 {
            assert!(sizes.iter().any(|&size| size > f / 4), "{sizes:?}");
            assert!(
                sizes.iter().any(|&size| size > 0 && size < f / 8),
                "{sizes:?}"
            );
        }
        check(&case, &thresholds);
    }
}

#[test]
fn score_that_equals_its_threshold_does_not_fire() {
    // Small integers: scores are integers, and the thresholds some of them.
    let mut case = plain_case(5, 60, 6, 20, 1);
    for (i, x) in case.rows.iter_mut().enumerate() {
        *x = ((i * 7) % 5) as f32 - 2.0;
    }
    for (i, w) in case.weight.iter_mut().enumerate() {
        *w = ((i * 11) % 7) as f32 - 3.0;
    }
    case.bias.fill(1.0);
    let thresholds: Vec<f32> = (0..20).map(|f| (f % 5) as f32 - 2.0).collect();
    let at_threshold = |shift: f32| {
        let thresholds: Vec<f32> = thresholds.iter().map(|t| t - shift).collect();
        case.oracle_above(&thresholds).concat().len()
    };
    assert!(
        at_threshold(0.5) > at_threshold(0.0),
        "some scores equal theirs"
    );
    assert_eq!(at_threshold(-0.5), at_threshold(0.0));
    check(&case, &thresholds);
}

#[test]
fn infinite_thresholds_always_and_never_fire() {
    let (case, mut thresholds) = ragged_case(6, 30, 8, 12);
    (thresholds[3], thresholds[7]) = (f32::NEG_INFINITY, f32::INFINITY);
    let sets = case.oracle_above(&thresholds);
    assert!(sets.iter().all(|set| set.contains(&3) && !set.contains(&7)));
    check(&case, &thresholds);
    check(&case, &[f32::INFINITY; 12]);
    check(&case, &[f32::NEG_INFINITY; 12]);
}

#[test]
fn scores_are_left_out_where_nobody_wants_them() {
    let (case, thresholds) = ragged_case(7, 40, 8, 12);
    let plain = EngineOptions::default();
    let found = encode(&case, &thresholds, &plain, &Control::default()).expect("good rows");
    assert!(found.fires.scores().is_none());
    case.assert_sets(&case.oracle_above(&thresholds), &found, "without scores");
}

#[test]
fn dropped_rows_leave_every_other_row_its_own_set() {
    let (mut case, thresholds) = ragged_case(8, 90, 9, 40);
    let expected = case.oracle_above(&thresholds);
    let bad = [0, 1, 17, 44, 88, 89];
    for (number, row) in bad.into_iter().enumerate() {
        let odd = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY][number % 3];
        case.rows[row * case.d + number] = odd;
    }
    for (threads, batch) in [(1, None), (2, Some(1)), (7, Some(16))] {
        let mut options = options(threads, batch);
        let refused = encode(&case, &thresholds, &options, &Control::default());
        let Err(Error::NonFinite {
            rows, count, total, ..
        }) = refused
        else {
            panic!("rows that are no numbers");
        };
        assert_eq!((&rows[..], count, total), (&bad[..], bad.len(), 90));
        options.nonfinite = Nonfinite::Skip;
        let found = encode(&case, &thresholds, &options, &Control::default()).expect("the others");
        assert_eq!(found.fires.dropped(), bad);
        let kept: Vec<_> = (0..90).filter(|row| !bad.contains(row)).collect();
        let rows = found.fires.iter().map(|(row, atoms)| (row, atoms.to_vec()));
        assert!(rows.eq(kept.iter().map(|&row| (row, expected[row].clone()))));
        assert_eq!(found.tally.rows_where(|_| true), kept.len() as u64);
        let firings: usize = kept.iter().map(|&row| expected[row].len()).sum();
        assert_eq!(found.tally.firings(), firings as u64);
        case.assert_scored(&found.fires, "the others");
    }
}

#[test]
fn progress_ends_with_all_rows_and_cancellation_ends_the_run() {
    let (case, thresholds) = ragged_case(9, 200, 8, 12);
    let done = Mutex::new(Vec::new());
    let note = |progress: Progress| done.lock().expect("no panic").push(progress.done);
    let control = Control::default().on_progress(&note);
    encode(&case, &thresholds, &options(2, Some(9)), &control).expect("good rows");
    let mut done = done.into_inner().expect("no panic");
    done.sort_unstable();
    assert_eq!(done.last(), Some(&200));
    assert!(done.len() > 20 && done.windows(2).all(|pair| pair[0] < pair[1]));

    let done = AtomicU64::new(0);
    let note = |progress: Progress| {
        done.fetch_max(progress.done, Ordering::Relaxed);
    };
    let cancelled = || done.load(Ordering::Relaxed) > 0;
    let control = Control::default()
        .cancel_when(&cancelled)
        .on_progress(&note);
    let found = encode(&case, &thresholds, &options(1, Some(9)), &control);
    assert!(matches!(found, Err(Error::Cancelled)));
    assert!(done.into_inner() < 200, "most rows were left");
}

#[test]
fn uniform_and_ragged_engines_agree_where_thresholds_leave_k_atoms() {
    // A row of its own: the thresholds are midway between its k-th score and the next.
    let case = random_case(10, 1, 40, 64, 6);
    let top = case.oracle();
    let thresholds: Vec<f32> = (0..64)
        .map(|f| {
            if top.contains(&f) {
                f32::NEG_INFINITY
            } else {
                f32::INFINITY
            }
        })
        .collect();
    assert_eq!(case.oracle_above(&thresholds), [top]);
    check(&case, &thresholds);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_shape_threads_and_batch_give_the_definition(
        seed in any::<u64>(),
        count in 1_usize..60,
        d in 1_usize..70,
        f in 1_usize..60,
        threads in 1_usize..8,
        batch in 1_usize..70,
    ) {
        let (case, thresholds) = ragged_case(seed, count, d, f);
        let options = options(threads, Some(batch));
        let found = encode(&case, &thresholds, &options, &Control::default()).expect("good rows");
        case.assert_sets(&case.oracle_above(&thresholds), &found, "drawn");
        case.assert_scored(&found.fires, "drawn");
    }
}
