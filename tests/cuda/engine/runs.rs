//! A run as a whole: its memory, its end before time, its threads, and what comes after it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use atomscope::analysis::{AnalyzeOptions, analyze};
use atomscope::cohort::{Call, Calls};
use atomscope::engine::{
    Control, CpuEngine, CudaEngine, CudaOptions, Device, Engine, EngineOptions,
};
use atomscope::error::Error;
use atomscope::rows::SliceRows;

use super::{encode, encode_rows, with};
use crate::common::case::random_case;
use crate::common::gpu;

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
    case.assert_exact(&case.oracle(), &encode(&case, &budget(90_000)), "90 kB");
    let rows = SliceRows::new(&case.rows, 64).expect("whole rows");
    // Weights in binary32 and in binary16 alone are 48 KiB: the model counts, not only batches.
    for too_small in [1000, 48 << 10] {
        let error = encode_rows(&case.sae(), &rows, &case.strata(), &budget(too_small))
            .expect_err("too small");
        assert_eq!(error.exit_code(), 3);
        assert!(error.to_string().contains("--gpu-memory"), "{error}");
        assert!(error.to_string().contains("the model takes"), "{error}");
    }
}

#[test]
fn auto_takes_a_device_that_has_room_and_else_the_processor() {
    if gpu::device().is_none() {
        return;
    }
    let case = random_case(19, 80, 32, 96, 5);
    let (sae, expected) = (case.sae(), case.oracle());
    let rows = SliceRows::new(&case.rows, 32).expect("whole rows");
    let calls: Calls = vec![Call::default(); 80].into_iter().collect();
    for (memory, device, why) in [
        (None, "cuda:0", "was found"),
        (Some(1000), "cpu", "no room"),
    ] {
        let cuda = CudaOptions {
            memory,
            least_work: Some(0.0),
            ..CudaOptions::default()
        };
        let options = AnalyzeOptions {
            device: Device::Auto,
            engine: with(None, cuda),
            ..AnalyzeOptions::default()
        };
        let found = analyze(&sae, &rows, &calls, &options, &Control::default()).expect("an answer");
        assert_eq!(found.encoder.device, device);
        assert!(
            found.encoder.chosen.contains(why),
            "{}",
            found.encoder.chosen
        );
        assert_eq!(found.fires.atoms(), expected);
    }
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
