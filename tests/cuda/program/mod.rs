//! The program on the stand-in for a GPU, from outside: the same bytes as the processor's in every
//! file, and what it says of devices that are missing, broken or lost.

mod pairs;

use std::path::Path;
use std::process::{Command, Output};

use crate::common::cohort::Cohort;
use crate::common::{contents, emulator};

/// Runs `analyze` with the stand-in's libraries.
fn analyze(
    cohort: &Cohort,
    libraries: &Path,
    out: &str,
    args: &[&str],
    env: &[(&str, &str)],
) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_atomscope"));
    command
        .env("ATOMSCOPE_CUDA_LIBRARIES", libraries)
        .env("ATOMSCOPE_CACHE", cohort.path("cache"))
        .args(["analyze", "--save-fires", "--embeddings"])
        .arg(cohort.path("embeddings.pt"))
        .arg("--model")
        .arg(cohort.path("sae.pt"))
        .arg("--out")
        .arg(cohort.path(out))
        .args(args);
    for (name, value) in env {
        command.env(name, value);
    }
    command.output().expect("the program starts")
}

/// Everything that was written, but the record of the run.
fn answer(cohort: &Cohort, out: &str) -> Vec<(String, Vec<u8>)> {
    let mut files = contents(&cohort.path(out));
    files.retain(|(name, _)| name != "run.json");
    assert!(files.len() >= 5, "all files");
    files
}

fn record(cohort: &Cohort, out: &str) -> serde_json::Value {
    let bytes = std::fs::read(cohort.path(out).join("run.json")).expect("run.json");
    serde_json::from_slice(&bytes).expect("JSON")
}

fn assert_success(output: &Output) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
}

#[test]
fn every_file_has_the_same_bytes_in_any_order_of_threads() {
    let Some(libraries) = emulator::libraries() else {
        return;
    };
    let cohort = Cohort::simulated(150);
    let output = cohort.analyze(None, None, &["--device", "cpu", "--save-fires"]);
    assert_success(&output);
    let expected = answer(&cohort, "results");
    for seed in 0..8 {
        let seed_text = seed.to_string();
        let screen = ["half", "split", "single", "auto"][seed % 4];
        let batch = ["150", "64", "7", "1000"][seed / 2];
        let args = [
            "--device",
            "cuda",
            "--screen",
            screen,
            "--batch-rows",
            batch,
        ];
        let env = [("ATOMSCOPE_EMULATOR_SEED", &*seed_text)];
        let found = analyze(&cohort, libraries, "cuda", &args, &env);
        assert_success(&found);
        assert_eq!(found.stdout, output.stdout, "seed {seed}");
        assert_eq!(answer(&cohort, "cuda"), expected, "seed {seed}");
        let run = record(&cohort, "cuda");
        assert_eq!(run["encoder"]["device"], "cuda:0");
        assert_eq!(run["certificate"]["rows"], 150);
        assert_eq!(run["tables"]["pairs_counted"]["on"], "cuda:0");
    }
}

#[test]
fn several_devices_merge_to_the_same_bytes() {
    let Some(libraries) = emulator::libraries() else {
        return;
    };
    let cohort = Cohort::simulated(200);
    assert_success(&cohort.analyze(None, None, &["--device", "cpu", "--save-fires"]));
    let args = ["--device", "cuda:all", "--batch-rows", "9"];
    let env = [
        ("ATOMSCOPE_EMULATOR_DEVICES", "3"),
        ("ATOMSCOPE_EMULATOR_SEED", "5"),
    ];
    assert_success(&analyze(&cohort, libraries, "cuda", &args, &env));
    assert_eq!(answer(&cohort, "cuda"), answer(&cohort, "results"));
    assert_eq!(record(&cohort, "cuda")["encoder"]["device"], "cuda:0,1,2");
    assert_eq!(record(&cohort, "cuda")["certificate"]["rows"], 200);
}

/// One engine takes part after part.
#[test]
fn parts_of_a_cohort_merge_to_the_same_bytes() {
    let Some(libraries) = emulator::libraries() else {
        return;
    };
    let cohort = Cohort::simulated(90);
    assert_success(&cohort.analyze(None, None, &["--device", "cpu", "--save-fires"]));
    let args = ["--device", "cuda", "--checkpoint-rows", "40"];
    assert_success(&analyze(&cohort, libraries, "cuda", &args, &[]));
    assert_eq!(answer(&cohort, "cuda"), answer(&cohort, "results"));
    assert_eq!(record(&cohort, "cuda")["encoder"]["device"], "cuda:0");
    assert_eq!(record(&cohort, "cuda")["certificate"]["rows"], 90);
}

#[test]
fn memory_that_runs_out_makes_smaller_batches() {
    let Some(libraries) = emulator::libraries() else {
        return;
    };
    let cohort = Cohort::simulated(900);
    assert_success(&cohort.analyze(None, None, &["--device", "cpu", "--save-fires"]));
    // Room for the model and for batches of some dozens of rows.
    let env = [("ATOMSCOPE_EMULATOR_MEMORY", "400000")];
    assert_success(&analyze(
        &cohort,
        libraries,
        "cuda",
        &["--device", "cuda"],
        &env,
    ));
    assert_eq!(answer(&cohort, "cuda"), answer(&cohort, "results"));
    // The user's own limit does the same.
    let args = ["--device", "cuda", "--gpu-memory", "100kB"];
    assert_success(&analyze(&cohort, libraries, "cuda", &args, &[]));
    assert_eq!(answer(&cohort, "cuda"), answer(&cohort, "results"));
}

/// Exit code 3, one line with these words, nothing written.
fn assert_device_refused(
    cohort: &Cohort,
    libraries: &Path,
    args: &[&str],
    env: &[(&str, &str)],
    words: &[&str],
) {
    let output = analyze(cohort, libraries, "refused", args, env);
    let stderr = String::from_utf8_lossy(&output.stderr);
    let own: Vec<_> = stderr
        .lines()
        .filter(|line| line.starts_with("atomscope:"))
        .collect();
    assert_eq!(output.status.code(), Some(3), "{env:?}: {stderr}");
    assert_eq!(own.len(), 1, "{env:?}: {stderr}");
    for word in words {
        assert!(
            own[0].contains(word),
            "{env:?}: {word:?} is not in {}",
            own[0]
        );
    }
    assert!(output.stdout.is_empty());
    assert!(
        !cohort.path("refused").exists(),
        "{env:?}: a folder was left"
    );
}

#[test]
fn a_device_that_cannot_be_used_is_one_line_and_exit_code_3() {
    let Some(libraries) = emulator::libraries() else {
        return;
    };
    let cohort = Cohort::simulated(60);
    let fault = |name| [("ATOMSCOPE_EMULATOR_FAULT", name)];
    let cuda = ["--device", "cuda"];
    let refused = |args: &[&str], env: &[(&str, &str)], words: &[&str]| {
        assert_device_refused(&cohort, libraries, args, env, words);
    };
    refused(
        &cuda,
        &fault("no-device"),
        &["--device cuda", "no device", "--device cpu"],
    );
    refused(&cuda, &fault("init"), &["start the CUDA driver"]);
    refused(&cuda, &fault("driver-too-old"), &["11.8", "12.0", "580"]);
    refused(
        &cuda,
        &fault("driver-of-12"),
        &[
            "NVRTC is of CUDA 13",
            "CUDA 12 at most",
            "nvidia-cuda-nvrtc-cu12",
        ],
    );
    refused(&cuda, &fault("module"), &["load the", "kernels"]);
    refused(&cuda, &fault("compile"), &["compile"]);
    refused(&cuda, &fault("blas"), &["cuBLAS"]);
    refused(&cuda, &fault("gemm"), &["multiply", "cuBLAS"]);
    refused(
        &["--device", "cuda:5"],
        &[],
        &["cuda:5", "no CUDA device 5"],
    );
    refused(&cuda, &[("ATOMSCOPE_EMULATOR_CC", "70")], &["7.0", "7.5"]);
    refused(&cuda, &[("ATOMSCOPE_EMULATOR_CC", "150")], &["sm_150"]);
    refused(&cuda, &[("ATOMSCOPE_EMULATOR_MEMORY", "3000")], &["memory"]);
}

#[test]
fn a_device_that_is_lost_ends_the_run_without_output() {
    let Some(libraries) = emulator::libraries() else {
        return;
    };
    let cohort = Cohort::simulated(60);
    for fault in ["launch:1", "launch:4", "launch:9", "lost:2", "lost:6"] {
        let env = [("ATOMSCOPE_EMULATOR_FAULT", fault)];
        let args = ["--device", "cuda", "--batch-rows", "16", "-q"];
        assert_device_refused(&cohort, libraries, &args, &env, &["--device cuda"]);
    }
    // One of two devices: the other stops as well.
    let env = [
        ("ATOMSCOPE_EMULATOR_FAULT", "launch:14"),
        ("ATOMSCOPE_EMULATOR_DEVICES", "2"),
    ];
    let args = ["--device", "cuda:all", "--batch-rows", "4", "-q"];
    assert_device_refused(&cohort, libraries, &args, &env, &["CUDA device"]);
}

#[test]
fn auto_says_what_it_takes_and_why() {
    let Some(libraries) = emulator::libraries() else {
        return;
    };
    let cohort = Cohort::simulated(60);
    let output = analyze(&cohort, libraries, "auto", &[], &[]);
    assert_success(&output);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        stderr.contains("device cpu (a cohort of this size"),
        "{stderr}"
    );
}

#[test]
fn no_access_is_out_of_bounds() {
    let Some(watched) = emulator::libraries_with_address_sanitizer() else {
        return;
    };
    let cohort = Cohort::simulated(90);
    assert_success(&cohort.analyze(None, None, &["--device", "cpu", "--save-fires"]));
    for screen in ["half", "split", "single"] {
        let args = ["--device", "cuda", "--screen", screen, "--batch-rows", "40"];
        let env = [
            ("LD_PRELOAD", watched.preload.to_str().expect("UTF-8")),
            ("ASAN_OPTIONS", "detect_leaks=0"),
            ("ATOMSCOPE_EMULATOR_SEED", "3"),
        ];
        let output = analyze(&cohort, &watched.folder, "cuda", &args, &env);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!stderr.contains("AddressSanitizer"), "{screen}: {stderr}");
        assert_success(&output);
        assert_eq!(
            answer(&cohort, "cuda"),
            answer(&cohort, "results"),
            "{screen}"
        );
    }
}
