//! `atomscope doctor` on machines with nothing, with broken libraries, and with NVRTC.

#[cfg(target_os = "linux")]
mod broken;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::common::skipped;
use tempfile::TempDir;

/// The doctor in a surrounding that names no library but those of `variables`.
fn doctor<V: AsRef<OsStr>>(variables: &[(&str, V)], args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_atomscope"));
    command.arg("doctor").args(args);
    for name in [
        "CUDA_PATH",
        "CUDA_HOME",
        "VIRTUAL_ENV",
        "CONDA_PREFIX",
        "LD_LIBRARY_PATH",
    ] {
        command.env_remove(name);
    }
    command.env_remove("ATOMSCOPE_CUDA_LIBRARIES");
    command.envs(variables.iter().map(|(name, value)| (name, value.as_ref())));
    command.output().expect("the program starts")
}

/// The same with libraries in a folder, and what it said.
fn doctor_with(folder: &Path) -> (Option<i32>, String) {
    let output = doctor(&[("ATOMSCOPE_CUDA_LIBRARIES", folder)], &[]);
    let stderr = text(&output.stderr);
    assert!(!stderr.contains("panicked"), "{stderr}");
    (output.status.code(), text(&output.stdout))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The line of the report on one thing.
fn line<'a>(report: &'a str, what: &str) -> &'a str {
    let of_it = |line: &&str| line.get(9..).is_some_and(|rest| rest.starts_with(what));
    report
        .lines()
        .find(of_it)
        .unwrap_or_else(|| panic!("no line on {what} in\n{report}"))
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

#[test]
fn without_anything_of_cuda_it_says_what_is_missing_and_that_nothing_is_wrong() {
    let none = folder();
    let (code, report) = doctor_with(none.path());
    if ["NVIDIA driver", "NVRTC", "cuBLAS"]
        .iter()
        .any(|what| line(&report, what).starts_with("ok"))
    {
        return skipped("doctor without CUDA", "this machine has some of it");
    }
    assert_eq!(code, Some(0), "{report}");
    for (what, install) in [
        ("NVIDIA driver", "install NVIDIA driver 580 or later"),
        (
            "NVRTC",
            "pip install 'nvidia-cuda-nvrtc<14' 'nvidia-cublas<14' (CUDA 13)",
        ),
        ("cuBLAS", "or install the CUDA 13 toolkit"),
    ] {
        let line = line(&report, what);
        assert!(line.starts_with("missing  "), "{line}");
        assert!(line.contains("is not found in"), "{line}");
        assert!(line.contains(&none.path().display().to_string()), "{line}");
        let below = report.lines().skip_while(|other| *other != line).nth(1);
        assert!(
            below.is_some_and(|below| below.contains(install)),
            "{report}"
        );
    }
    assert!(line(&report, "processor").contains("portable"), "{report}");
    let last = report.lines().last().unwrap_or_default();
    let sentence =
        "--device auto takes the CPU, which gives the same answer as a GPU: the NVIDIA driver";
    assert!(last.starts_with(sentence), "{last}");
}

#[test]
fn the_report_can_be_had_as_json() {
    let none = folder();
    let output = doctor(&[("ATOMSCOPE_CUDA_LIBRARIES", none.path())], &["--json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(json["atomscope"], env!("CARGO_PKG_VERSION"));
    let checks = json["checks"].as_array().expect("a list");
    assert!(checks.len() >= 7, "{json}");
    for check in checks {
        let status = check["status"].as_str().expect("a status");
        assert!(
            ["ok", "note", "missing", "failed"].contains(&status),
            "{check}"
        );
        assert!(
            check["what"].is_string() && check["found"].is_string(),
            "{check}"
        );
        assert_eq!(
            check["action"].is_string(),
            ["missing", "failed"].contains(&status),
            "{check}"
        );
    }
    let device = json["auto"]["device"].as_str().expect("a device");
    assert!(device == "cpu" || device.starts_with("cuda:"), "{device}");
}

#[test]
fn a_cache_that_cannot_be_written_is_worth_a_note() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let output = doctor(&[("ATOMSCOPE_CACHE", file.path().join("below"))], &[]);
    let report = text(&output.stdout);
    let line = line(&report, "cache folder");
    assert!(line.starts_with("note "), "{line}");
    assert!(line.contains("cannot be written"), "{line}");
}

/// The folder of a real NVRTC. Tests that need it are ignored unless they are asked for.
fn nvrtc() -> PathBuf {
    let folder = std::env::var_os("ATOMSCOPE_TEST_NVRTC").map(PathBuf::from);
    folder.expect("ATOMSCOPE_TEST_NVRTC names the folder of an NVRTC")
}

#[test]
#[ignore = "needs an NVRTC: ATOMSCOPE_TEST_NVRTC=FOLDER"]
fn what_each_kernel_takes_is_as_recorded() {
    let folder = nvrtc();
    let output = doctor(&[("ATOMSCOPE_CUDA_LIBRARIES", folder)], &["--kernels"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let recorded = include_str!("../../../kernels/RESOURCES.txt").replace("\r\n", "\n");
    assert!(
        text(&output.stdout) == recorded,
        "kernels/RESOURCES.txt is not what its first line's command makes:\n{}",
        text(&output.stdout)
    );
}

#[test]
#[ignore = "needs an NVRTC: ATOMSCOPE_TEST_NVRTC=FOLDER"]
fn nvrtc_is_found_in_a_folder_and_compiles_every_kernel() {
    let folder = nvrtc();
    let (_, report) = doctor_with(&folder);
    let found = line(&report, "NVRTC");
    assert!(found.starts_with("ok "), "{report}");
    assert!(found.contains(&folder.display().to_string()), "{found}");
    let compiled = report
        .lines()
        .filter(|line| line.starts_with("ok       kernels sm_"))
        .count();
    assert!(compiled >= 1 && !report.contains("FAILED"), "{report}");
}

#[test]
#[ignore = "needs an NVRTC: ATOMSCOPE_TEST_NVRTC=FOLDER"]
fn an_architecture_that_nvrtc_does_not_know_is_refused_in_one_line() {
    let folder = nvrtc();
    for (architecture, words) in [("50", "older"), ("4000", "newer")] {
        let output = doctor(
            &[("ATOMSCOPE_CUDA_LIBRARIES", &folder)],
            &["--kernels", architecture],
        );
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(
            stderr.contains(&format!("sm_{architecture}")) && stderr.contains(words),
            "{stderr}"
        );
    }
}
