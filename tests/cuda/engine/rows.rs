//! Rows of every type, from every place, and those that are no numbers.

use atomscope::control::Control;
use atomscope::engine::cuda::{DeviceRows, PageLockedRows};
use atomscope::engine::{CpuEngine, CudaOptions, Engine, Nonfinite};
use atomscope::error::Error;
use atomscope::rows::{Rows, SliceRows};
use atomscope::tally::Strata;
use half::{bf16, f16};

use super::{FORMATS, encode_rows, fixed, with};
use crate::common::case::random_case;
use crate::common::{self, gpu};

#[test]
fn narrow_and_wide_numbers_are_widened_on_the_device() {
    if gpu::device().is_none() {
        return;
    }
    let case = random_case(12, 60, 33, 150, 6);
    let (sae, strata) = (case.sae(), case.strata());
    let check = |rows: &dyn Rows, what: &str| {
        let scored = with(None, CudaOptions::default());
        let expected = CpuEngine::new(&sae, &scored)
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
    case.assert_scored(&found.fires, "page-locked");
    let (resident, memory) = DeviceRows::copy_of(0, &case.rows, 40).expect("device memory");
    let found = encode_rows(&sae, &resident, &strata, &options).expect("an answer");
    case.assert_exact(&expected, &found, "on the device");
    case.assert_scored(&found.fires, "on the device");
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
        case.assert_scored(&found.fires, "with rows dropped");
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
#[ignore = "needs real calls: ATOMSCOPE_DELLY_MIMS=FOLDER"]
fn real_calls_have_the_sets_that_binary64_gives_them() {
    if gpu::device().is_none() {
        return;
    }
    let folder = common::delly_mims();
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
    let cpu = CpuEngine::new(&model.sae, &with(None, CudaOptions::default()))
        .and_then(|mut engine| engine.encode(&rows, &strata, &Control::default()))
        .expect("an answer");
    for format in FORMATS {
        let found = encode_rows(&model.sae, &rows, &strata, &with(Some(64), fixed(format)))
            .expect("an answer");
        assert_eq!(found.fires, cpu.fires, "{format}");
        assert_eq!(found.tally.counts(0), cpu.tally.counts(0), "{format}");
    }
}
