//! A run as a whole: its memory, its end before time, its threads, and what comes after it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use atomscope::analysis::{CountOptions, Counted};
use atomscope::cohort::{Call, Calls};
use atomscope::control::{Control, Progress};
use atomscope::engine::{CudaEngine, CudaOptions, CudaPairs, Device, Engine, EngineOptions};
use atomscope::error::Error;
use atomscope::fires::pairs::count_pairs;
use atomscope::fires::{CountPairs, FiringSetsBuilder};
use atomscope::rows::SliceRows;
use atomscope::simulate::{SimulateOptions, SimulatedActivation, simulate_in_memory};
use atomscope::tally::Strata;

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

/// Lanes are kept from run to run: larger ones serve fewer rows, and what one run left in them is
/// nothing to the next.
#[test]
fn one_engine_gives_every_runs_own_answer() {
    if gpu::device().is_none() {
        return;
    }
    let case = random_case(21, 310, 40, 200, 7);
    let (sae, expected) = (case.sae(), case.oracle());
    let cuda = CudaOptions {
        tile_rows: Some(16),
        ..CudaOptions::default()
    };
    let mut engine = CudaEngine::new(&[0], &sae, &with(None, cuda)).expect("an engine");
    for count in [90, 310, 1, 17, 310, 48] {
        let rows = SliceRows::new(&case.rows[..count * 40], 40).expect("whole rows");
        let calls: Calls = vec![Call::default(); count].into_iter().collect();
        let strata = Strata::of_calls(&calls);
        let found = engine.encode(&rows, &strata, &Control::default());
        let found = found.expect("an answer");
        assert_eq!(found.fires.atoms(), &expected[..count * 7], "{count} rows");
        let counted: u64 = (0..strata.table().len())
            .map(|s| found.tally.counts(s).iter().sum::<u64>())
            .sum();
        assert_eq!(counted, count as u64 * 7, "{count} rows");
        assert_eq!(found.tally.certificate().rows, count as u64, "{count} rows");
        assert!(found.seconds.threads.product < 60.0, "{count} rows");
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
        let options = CountOptions {
            device: Device::Auto,
            engine: with(None, cuda),
            ..CountOptions::default()
        };
        let counted = Counted::of_rows(&sae, &rows, &calls, &options, &Control::default());
        let counted = counted.expect("an answer");
        let encoder = counted.run.and_then(|run| run.encoder).expect("an encoder");
        assert_eq!(encoder.device, device);
        assert!(encoder.chosen.contains(why), "{}", encoder.chosen);
        let fires = counted.firings.as_ref().and_then(|firings| firings.sets());
        assert_eq!(fires.expect("firing sets in memory").atoms(), expected);
    }
}

#[test]
fn simulated_models_of_every_activation_are_counted_as_on_the_cpu() {
    if gpu::device().is_none() {
        return;
    }
    for activation in SimulatedActivation::all() {
        let simulated = simulate_in_memory(&SimulateOptions {
            activation,
            ..SimulateOptions::new(400, 24, 96, 6, 5)
        });
        let cohort = simulated.expect("a cohort");
        let rows = SliceRows::new(&cohort.embeddings, 24).expect("whole rows");
        let [cpu, cuda] = [Device::Cpu, Device::Cuda(None)].map(|device| {
            let options = CountOptions {
                device,
                engine: with(Some(90), CudaOptions::default()),
                ..CountOptions::default()
            };
            let control = Control::default();
            let counted = Counted::of_rows(&cohort.sae, &rows, &cohort.calls, &options, &control);
            counted.expect("an answer")
        });
        let [of_cpu, of_cuda] = [&cpu, &cuda].map(|counted| {
            let firings = counted.firings.as_ref();
            firings.and_then(|f| f.sets()).expect("firing sets")
        });
        assert!(of_cpu == of_cuda, "{activation}");
        let [of_cpu, of_cuda] = [&cpu.cohort.tally, &cuda.cohort.tally];
        for s in 0..of_cpu.table().len() {
            assert_eq!(of_cpu.counts(s), of_cuda.counts(s), "{activation}");
        }
        let encoder = cuda.run.and_then(|run| run.encoder).expect("an encoder");
        assert_eq!(encoder.device, "cuda:0", "{activation}");
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
    let progress = |progress: Progress| {
        done.fetch_max(progress.done, Ordering::Relaxed);
        cancel.store(true, Ordering::Relaxed);
    };
    let cancelled = || cancel.load(Ordering::Relaxed);
    let control = Control::default()
        .cancel_when(&cancelled)
        .on_progress(&progress);
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
    let options = EngineOptions::default();
    let fires = encode(&case, &options).fires;
    let mut cuda = CudaPairs::open(0, &options.cuda, "cuda").expect("a device");
    let expected = count_pairs(&fires, 80).expect("atoms of the model");
    assert_eq!(
        cuda.count_all_pairs(&fires, 80)
            .expect("atoms of the model"),
        expected
    );
    // Rows of other sizes are counted too, wherever that is.
    let mut ragged = FiringSetsBuilder::default();
    for (row, atoms) in fires.iter() {
        ragged.push(&atoms[..row % 10]);
    }
    let ragged = ragged.finish(vec![]);
    let expected = count_pairs(&ragged, 80).expect("atoms of the model");
    assert_eq!(
        cuda.count_all_pairs(&ragged, 80)
            .expect("atoms of the model"),
        expected
    );
    assert!(cuda.count_all_pairs(&fires, 79).is_err());
}
