//! The emulator, on which the tests of the CUDA engine rest, catches what it is there to catch.
//!
//! `tests/emulator/selftest` is a program that uses the stand-in libraries as any program would,
//! with kernels that have one fault each; it says in one line what came of them.

use std::process::{Command, Output};

use crate::common::emulator;

const SEEDS: std::ops::RangeInclusive<u64> = 1..=8;

/// Runs a case of the self-test; `None` where the emulator cannot be built.
fn self_test(case: &str, settings: &[(&str, &str)]) -> Option<(String, String)> {
    let mut command = Command::new(emulator::self_test()?.join("selftest"));
    command.arg(case).envs(settings.iter().copied());
    Some(texts(&command.output().expect("the self-test starts")))
}

/// The same under `AddressSanitizer`.
fn watched_self_test(case: &str) -> Option<(String, String)> {
    let watched = emulator::self_test_with_address_sanitizer()?;
    let mut command = Command::new(watched.folder.join("selftest"));
    let output = watched
        .watch(command.arg(case))
        .output()
        .expect("the self-test starts");
    Some(texts(&output))
}

fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    (text(&output.stdout), text(&output.stderr))
}

/// What a case says under each seed, threads in order (seed 0) first.
fn under_all_seeds(case: &str) -> Option<Vec<String>> {
    let seeds = std::iter::once(0).chain(SEEDS).map(|seed| seed.to_string());
    seeds
        .map(|seed| Some(self_test(case, &[("ATOMSCOPE_EMULATOR_SEED", &seed)])?.0))
        .collect()
}

#[test]
fn what_is_right_is_right_under_every_seed() {
    for case in [
        "reverse",
        "collectives",
        "queues",
        "pinned",
        "streams",
        "refusals",
        "product",
        "compile",
    ] {
        let Some(said) = under_all_seeds(case) else {
            return;
        };
        assert!(said.iter().all(|line| line == "right"), "{case}: {said:?}");
        let Some((said, errors)) = watched_self_test(case) else {
            continue;
        };
        assert_eq!(said, "right", "{case} under AddressSanitizer: {errors}");
    }
}

#[test]
fn races_show_under_some_seed() {
    for case in ["missing_barrier", "lost_update", "streams_without_event"] {
        let Some(said) = under_all_seeds(case) else {
            return;
        };
        assert!(
            said.iter().all(|line| line == "right" || line == "wrong"),
            "{case}: {said:?}"
        );
        assert!(
            said[1..].iter().any(|line| line == "wrong"),
            "{case}: {said:?}"
        );
    }
}

#[test]
fn threads_that_wait_for_each_other_are_named() {
    let cases = [
        (
            "divergent_barrier",
            &[
                "threads of a block wait at different barriers",
                "kernels.cu:",
            ],
        ),
        (
            "deadlock",
            &[
                "nobody can go on",
                "thread 40 at __syncthreads (kernels.cu:",
            ],
        ),
        (
            "missing_lane",
            &["lanes that have exited", "__shfl_xor_sync (kernels.cu:"],
        ),
    ];
    for (case, words) in cases {
        for seed in 0..=*SEEDS.end() {
            let seed = seed.to_string();
            let settings = [("ATOMSCOPE_EMULATOR_SEED", seed.as_str())];
            let Some((said, errors)) = self_test(case, &settings) else {
                return;
            };
            assert_eq!(said, "result 719", "{case}: {errors}");
            assert_eq!(errors.lines().count(), 1, "{case}: {errors}");
            let prefix = format!("emulated GPU: kernel {case}, block (0, 0, 0): ");
            assert!(errors.starts_with(&prefix), "{errors}");
            assert!(words.iter().all(|word| errors.contains(word)), "{errors}");
        }
    }
}

#[test]
fn accesses_beyond_the_end_are_named() {
    let cases = [
        ("out_of_bounds", "heap-buffer-overflow"),
        ("out_of_shared_bounds", "global-buffer-overflow"),
        ("out_of_dynamic_bounds", "heap-buffer-overflow"),
        ("misaligned", "misaligned address"),
    ];
    for (case, fault) in cases {
        let Some((said, errors)) = watched_self_test(case) else {
            return;
        };
        assert!(said.is_empty(), "{case} went through: {said}");
        assert!(errors.contains(fault), "{case}: {errors}");
        assert!(errors.contains("selftest/kernels.cu:"), "{case}: {errors}");
    }
}

#[test]
fn faults_come_when_they_are_asked_for() {
    let cases = [
        ("start", "no-device", "version 13000, result 100, devices 0"),
        ("start", "init", "version 13000, result 999, devices 0"),
        (
            "start",
            "driver-too-old",
            "version 11080, result 0, devices 1",
        ),
        (
            "reverse",
            "module",
            "cuModuleLoadData(&module, \"any image\"): error 209",
        ),
        ("reverse", "launch:1", "error 719"),
        ("reverse", "launch:2", "right"),
        ("queues", "lost:1", "error 700"),
        ("queues", "lost:2", "right"),
        ("product", "blas", "cublasCreate_v2(&handle) == 0"),
        ("product", "gemm", "not true: cublasGemmEx("),
        ("compile", "compile", "result 6, kernels.cu(1): error"),
    ];
    for (case, fault, expected) in cases {
        let settings = [("ATOMSCOPE_EMULATOR_FAULT", fault)];
        let Some((said, errors)) = self_test(case, &settings) else {
            return;
        };
        assert!(said.contains(expected), "{fault}: {said} {errors}");
    }
    let some = [("ATOMSCOPE_EMULATOR_DEVICES", "3")];
    let Some((said, _)) = self_test("start", &some) else {
        return;
    };
    assert_eq!(said, "version 13000, result 0, devices 3");
}

#[test]
fn the_kernels_of_the_project_are_built() {
    let Some(folder) = emulator::libraries() else {
        return;
    };
    for library in ["libcuda.so.1", "libcublas.so.13", "libnvrtc.so.13"] {
        assert!(folder.join(library).is_file(), "{library}");
    }
}
