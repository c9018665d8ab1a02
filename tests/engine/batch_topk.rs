//! Batch top-k over the rows given together, against sorting all scores of a batch.

use std::num::NonZeroU64;

use crate::common::case::{Case, plain_case, random_case};
use atomscope::analysis::{BatchTopK, CountOptions, Counted};
use atomscope::cohort::{Call, Calls};
use atomscope::control::Control;
use atomscope::engine::{EngineOptions, Nonfinite};
use atomscope::error::{Error, Result};
use atomscope::rows::SliceRows;
use atomscope::sae::{Activation, Sae, SaeParts, Values};

fn options(rows: Option<u64>, threads: usize, batch_rows: Option<usize>) -> CountOptions {
    CountOptions {
        engine: EngineOptions {
            threads: Some(threads),
            batch_rows,
            scores: true,
            ..EngineOptions::default()
        },
        batch_topk: BatchTopK {
            rows: rows.and_then(NonZeroU64::new),
            ..BatchTopK::default()
        },
        ..CountOptions::default()
    }
}

fn count(case: &Case, sae: &Sae, options: &CountOptions) -> Result<Counted> {
    let calls: Calls = (0..case.count()).map(|_| Call::default()).collect();
    let rows = SliceRows::new(&case.rows, case.d)?;
    Counted::of_rows(sae, &rows, &calls, options, &Control::default())
}

/// The sets of all rows that were not dropped, and the counts that follow from them.
fn assert_sets(case: &Case, expected: &[Vec<u32>], dropped: &[usize], found: &Counted, way: &str) {
    let sets = found.firings.as_ref().and_then(|firings| firings.sets());
    let sets = sets.expect("in memory");
    assert_eq!(sets.dropped(), dropped, "{way}");
    let mut counts = vec![0u64; case.f];
    let mut rows = 0;
    for (row, atoms) in sets.iter() {
        assert_eq!(atoms, expected[row], "row {row}, {way}");
        rows += 1;
        for &atom in atoms {
            counts[atom as usize] += 1;
        }
    }
    assert_eq!(rows + dropped.len(), case.count(), "{way}");
    let tally = &found.cohort.tally;
    assert_eq!(tally.counts_where(|_| true), counts, "{way}");
    assert_eq!(tally.rows_where(|_| true), rows as u64, "{way}");
    case.assert_scored(sets, way);
}

/// All ways of running give the oracle's sets.
fn check(case: &Case, batch: Option<usize>) -> Vec<usize> {
    let (expected, _) = case.oracle_of_batches(batch.unwrap_or(case.count()), &[]);
    let sae = case.sae_of_batches();
    let mut identities = Vec::new();
    for (threads, batch_rows) in [(1, None), (2, Some(1)), (3, Some(17)), (2, None)] {
        for memory in [None, Some(1), Some(6000)] {
            let mut options = options(batch.map(|rows| rows as u64), threads, batch_rows);
            options.batch_topk.memory = memory;
            let way = format!("{batch:?} {options:?}");
            let found = count(case, &sae, &options).expect("good rows");
            assert_sets(case, &expected, &[], &found, &way);
            identities.push(found.cohort.model);
        }
    }
    identities.dedup();
    assert_eq!(identities.len(), 1, "one identity, however it ran");
    expected.iter().map(Vec::len).collect()
}

#[test]
fn batches_of_any_size_fire_their_largest_scores() {
    let case = random_case(1, 103, 33, 70, 5);
    for batch in [
        None,
        Some(1),
        Some(7),
        Some(50),
        Some(102),
        Some(103),
        Some(500),
    ] {
        let sizes = check(&case, batch);
        if batch == Some(1) {
            assert!(sizes.iter().all(|&size| size == 5), "top-k of each row");
        } else {
            assert!(sizes.iter().any(|&size| size != 5), "{batch:?}: {sizes:?}");
        }
    }
}

#[test]
fn rows_of_unlike_scale_share_their_batch_unevenly() {
    // A few rows take nearly everything, so that a guess from other rows is far off.
    let mut case = random_case(2, 211, 9, 40, 3);
    for (row, numbers) in case.rows.chunks_mut(9).enumerate() {
        let scale = [1e-3, 1.0, 1e-3, 1.0, 1e6][if row % 53 == 17 { 4 } else { row % 4 }];
        for x in numbers {
            *x *= scale;
        }
    }
    case.mean.fill(0.0);
    case.bias.fill(-0.5);
    for batch in [None, Some(10), Some(64)] {
        let sizes = check(&case, batch);
        assert!(sizes.contains(&0) && sizes.iter().any(|&size| size > 10));
    }
}

/// Small integers: whole groups of scores are equal, and so are rows.
fn tied(count: usize, k: usize) -> Case {
    let mut case = plain_case(3, count, 6, 20, k);
    for (i, x) in case.rows.iter_mut().enumerate() {
        *x = (((i / 6) % 3 * 5 + i % 6 * 7) % 5) as f32 - 2.0;
    }
    for (i, w) in case.weight.iter_mut().enumerate() {
        *w = ((i * 11) % 7) as f32 - 3.0;
    }
    case.bias.fill(1.0);
    case
}

#[test]
fn equal_scores_end_at_the_earlier_row_and_the_smaller_atom() {
    for k in [1, 2, 3, 7] {
        let case = tied(61, k);
        for batch in [None, Some(1), Some(9), Some(60)] {
            check(&case, batch);
        }
    }
    // The cut lies among equal scores, and in the midst of a row.
    let (sets, _) = tied(61, 2).oracle_of_batches(61, &[]);
    let alike = |row: usize| (0..61).filter(move |other| other % 3 == row % 3);
    assert!((0..61).any(|row| alike(row).any(|other| sets[other] != sets[row])));
}

#[test]
fn batch_with_fewer_scores_above_zero_fires_all_of_them() {
    let mut case = random_case(4, 40, 8, 30, 29);
    case.bias.iter_mut().for_each(|b| *b -= 1.0);
    for batch in [None, Some(7)] {
        let sizes = check(&case, batch);
        assert!(sizes.iter().sum::<usize>() < 29 * 40);
    }
    case.bias.fill(-1e9);
    let sizes = check(&case, Some(7));
    assert!(sizes.iter().all(|&size| size == 0), "nothing is above 0");
}

#[test]
fn dropped_row_keeps_its_place_and_gives_up_its_atoms() {
    let mut case = random_case(5, 90, 9, 40, 4);
    let bad = [0, 1, 17, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 44, 89];
    for (number, &row) in bad.iter().enumerate() {
        case.rows[row * 9 + number % 9] = [f32::NAN, f32::INFINITY][number % 2];
    }
    let sae = case.sae_of_batches();
    // Ten rows from the 30th on are a batch without a row.
    for batch in [None, Some(10), Some(13)] {
        let (expected, _) = case.oracle_of_batches(batch.unwrap_or(90), &bad);
        for memory in [None, Some(1)] {
            let mut options = options(batch.map(|rows| rows as u64), 2, Some(16));
            options.engine.nonfinite = Nonfinite::Skip;
            options.batch_topk.memory = memory;
            let found = count(&case, &sae, &options).expect("rows are dropped");
            assert_sets(&case, &expected, &bad, &found, &format!("{options:?}"));
        }
    }
    let refused = count(&case, &sae, &options(None, 2, None));
    assert!(matches!(refused, Err(Error::NonFinite { rows, .. }) if rows[..3] == [0, 1, 17]));
}

#[test]
fn cuts_are_of_scores_whatever_activations_are() {
    let case = random_case(6, 50, 12, 30, 3);
    let sae = Sae::new(SaeParts {
        values: Values::Affine {
            gain: (0..30).map(|f| 0.5 + f as f32).collect(),
            shift: (0..30).map(|f| f as f32 - 10.0).collect(),
        },
        ..case.sae_of_batches().into_parts()
    });
    let sae = sae.expect("a model");
    let (expected, _) = case.oracle_of_batches(20, &[]);
    let found = count(&case, &sae, &options(Some(20), 2, None)).expect("good rows");
    let sets = found.firings.as_ref().and_then(|firings| firings.sets());
    for (row, atoms) in sets.expect("in memory").iter() {
        assert_eq!(atoms, expected[row], "row {row}");
    }
}

#[test]
fn estimated_threshold_is_the_mean_of_the_least_that_fires() {
    let case = random_case(7, 95, 12, 30, 3);
    // The last batch is short, and counts only where it is the only one.
    for (rows, batches) in [(10, 9), (95, 1), (200, 1), (19, 5)] {
        let (_, least) = case.oracle_of_batches(rows, &[]);
        let least: Vec<f64> = least[..batches].iter().map(|l| l.expect("fires")).collect();
        let threshold = least.iter().sum::<f64>() / batches as f64;
        let mut options = options(Some(rows as u64), 2, None);
        options.batch_topk.threshold = true;
        let found = count(&case, &case.sae_of_batches(), &options).expect("good rows");
        let batches = found.cohort.model.batches.expect("they decided");
        assert_eq!(batches.threshold(), Some(threshold));
        let sae = &found.run.as_ref().expect("it ran").sae;
        assert_eq!(
            *sae.as_ref().unwrap().activation(),
            Activation::thresholds(30, threshold)
        );
        let sets = found.firings.as_ref().and_then(|firings| firings.sets());
        for ((_, atoms), scores) in sets.expect("in memory").iter().zip(all_scores(&case)) {
            let above: Vec<u32> = (0..30)
                .filter(|&f| scores[f as usize] > threshold)
                .collect();
            assert_eq!(atoms, above);
        }
    }
}

/// The scores of all atoms on each row: all of them fire by a top-k of F.
fn all_scores(case: &Case) -> Vec<Vec<f64>> {
    let mut shifted = case.clone();
    shifted.k = case.f;
    let sae = shifted.sae();
    let found = count(&shifted, &sae, &options(None, 1, None)).expect("good rows");
    let sets = found.firings.as_ref().and_then(|firings| firings.sets());
    let scores = sets.and_then(|sets| sets.scores()).expect("kept");
    scores.chunks(case.f).map(<[f64]>::to_vec).collect()
}

#[test]
fn batches_for_a_model_without_them_are_refused() {
    let case = random_case(8, 20, 5, 9, 2);
    let refused = count(&case, &case.sae(), &options(Some(7), 1, None));
    let message = refused.expect_err("top-k of each row").to_string();
    assert!(
        message.contains("rows of a batch") && message.contains("case"),
        "{message}"
    );
}
