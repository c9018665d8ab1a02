//! Pairs of atoms, counted on the GPU that encoded the calls.

use super::{analyze, answer, assert_device_refused, assert_success, record};
use crate::common::cohort::Cohort;
use crate::common::emulator;

fn counted(cohort: &Cohort, out: &str) -> serde_json::Value {
    record(cohort, out)["tables"]["pairs_counted"].clone()
}

#[test]
fn pairs_that_do_not_fit_are_counted_by_the_processor() {
    let Some(libraries) = emulator::libraries() else {
        return;
    };
    let cohort = Cohort::simulated(300);
    assert_success(&cohort.analyze(None, None, &["--device", "cpu", "--save-fires"]));
    let expected = answer(&cohort, "results");
    let pairs = expected
        .iter()
        .find(|(name, _)| name == "atom_pairs.parquet");
    assert!(pairs.is_some());
    assert_eq!(
        counted(&cohort, "results"),
        serde_json::json!({"on": "cpu"})
    );
    let args = ["--device", "cuda", "--memory", "1kB"];
    assert_success(&analyze(&cohort, libraries, "cuda", &args, &[]));
    assert_eq!(answer(&cohort, "cuda"), expected);
    assert_eq!(counted(&cohort, "cuda")["on"], "cpu");
    let why = counted(&cohort, "cuda")["why"].clone();
    assert!(why.as_str().is_some_and(|why| why.contains("memory")));
    // What the notebook does not have is not counted at all.
    let args = ["--device", "cuda", "--tables", "notebook"];
    assert_success(&analyze(&cohort, libraries, "notebook", &args, &[]));
    assert!(record(&cohort, "notebook")["tables"].is_null());
}

/// The last launches of a run are those that count pairs: without them the run gets by.
#[test]
fn a_device_that_is_lost_while_pairs_are_counted_ends_the_run_without_output() {
    let Some(libraries) = emulator::libraries() else {
        return;
    };
    let cohort = Cohort::simulated(60);
    let args = ["--device", "cuda", "--batch-rows", "60", "-q"];
    let run = |launch: usize, more: &[&str]| {
        let fault = format!("launch:{launch}");
        let env = [("ATOMSCOPE_EMULATOR_FAULT", &*fault)];
        let args = [&args[..], more].concat();
        analyze(&cohort, libraries, "tried", &args, &env)
            .status
            .success()
    };
    let last = (1..200).take_while(|&launch| !run(launch, &[])).last();
    let last = last.expect("a run launches kernels");
    assert!(run(last, &["--tables", "notebook"]));
    let fault = format!("launch:{last}");
    let env = [("ATOMSCOPE_EMULATOR_FAULT", &*fault)];
    assert_device_refused(&cohort, libraries, &args, &env, &["--device cuda:"]);
}
