//! The program from outside: what it refuses, and that it leaves everything alone when it does.

use crate::common::cohort::{Cohort, DIM, Spoilable};
use crate::common::{assert_refused, atomscope};

/// Spoils a good pair of files, and demands that the run is refused in these words.
fn refuses(spoil: impl FnOnce(&mut Spoilable), words: &[&str]) {
    let simulated = Cohort::simulated(40);
    let mut data = Spoilable::new();
    spoil(&mut data);
    let (cohort, model) = data.write(simulated.folder.path());
    simulated.assert_refused(Some(&cohort), Some(&model), &[], words);
}

/// A report that cannot be printed leaves no files: exit codes other than 0 mean that.
#[cfg(target_os = "linux")]
#[test]
fn a_full_standard_output_leaves_no_files() {
    let cohort = Cohort::simulated(40);
    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .expect("the device");
    let status = std::process::Command::new(env!("CARGO_BIN_EXE_atomscope"))
        .args(["analyze", "-q", "--embeddings"])
        .arg(cohort.path("embeddings.pt"))
        .arg("--model")
        .arg(cohort.path("sae.pt"))
        .arg("--out")
        .arg(cohort.out())
        .stdout(full)
        .stderr(std::process::Stdio::null())
        .status();
    assert_eq!(status.expect("the program starts").code(), Some(2));
    assert!(!cohort.out().exists());
}

/// Ends a run in the middle by a signal: no output, no folder, the exit code that is documented.
#[cfg(unix)]
#[test]
fn a_signal_ends_a_run_cleanly() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().join("never");
    let rows = "3000000";
    for signal in ["-INT", "-TERM"] {
        let child = std::process::Command::new(env!("CARGO_BIN_EXE_atomscope"))
            .args([
                "simulate",
                "-q",
                "--input-dim",
                "64",
                "--features",
                "128",
                "--k",
                "4",
            ])
            .args(["--rows", rows, "--out"])
            .arg(&out)
            .stderr(std::process::Stdio::piped())
            .spawn()
            .expect("the program starts");
        // Its folder is there: it is at work, and listens.
        for _ in 0..1000 {
            if out.exists() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let kill = std::process::Command::new("kill")
            .arg(signal)
            .arg(child.id().to_string())
            .status();
        assert!(
            kill.expect("kill").success(),
            "the run was over before the signal came"
        );
        let output = child.wait_with_output().expect("it ends");
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(130), "{stderr}");
        assert!(
            stderr.contains("interrupted") && stderr.lines().count() == 1,
            "{stderr}"
        );
        assert!(!out.exists(), "a folder was left");
    }
}

#[test]
fn bad_numbers_are_named() {
    refuses(
        |d| d.weight[9] = f32::NAN,
        &["spoiled-model.pt", "encoder.weight[2, 1]", "NaN", "finite"],
    );
    refuses(|d| d.bias[5] = f32::INFINITY, &["encoder.bias[5]", "inf"]);
    refuses(|d| d.std[1] = -0.5, &["σ", "[1]", "-0.5", "greater than 0"]);
    refuses(|d| d.std[2] = f32::NAN, &["σ", "[2]", "NaN"]);
    refuses(|d| d.mean[3] = f32::NEG_INFINITY, &["μ", "[3]", "-inf"]);
}

#[test]
fn bad_shapes_are_named() {
    refuses(|d| d.mean.truncate(3), &["spoiled-model.pt", "μ", "3", "4"]);
    refuses(|d| d.std.push(1.0), &["spoiled-model.pt", "σ", "5", "4"]);
    refuses(
        |d| d.weight.truncate(7 * DIM),
        &["encoder.weight", "7", "8"],
    );
    refuses(|d| d.bias.truncate(7), &["encoder.bias", "7", "8"]);
    refuses(
        |d| d.classes.truncate(29),
        &["spoiled-cohort.pt", "sv_info", "29", "30"],
    );
    refuses(|d| d.k = 0, &["spoiled-model.pt", "k", "0"]);
}

#[test]
fn a_model_of_another_width_is_refused() {
    let simulated = Cohort::simulated(40);
    let (_, model) = Spoilable::new().write(simulated.folder.path());
    let words = [
        "embeddings.pt",
        "rows of 24 numbers",
        "4",
        "belong together",
    ];
    simulated.assert_refused(None, Some(&model), &[], &words);
}

#[test]
fn missing_and_foreign_files_are_named() {
    let cohort = Cohort::simulated(40);
    let absent = cohort.path("absent.pt");
    cohort.assert_refused(Some(&absent), None, &[], &["absent.pt", "cannot read"]);
    cohort.assert_refused(None, Some(&absent), &[], &["absent.pt"]);
    let text = cohort.path("calls.vcf");
    std::fs::write(&text, "##fileformat=VCFv4.2\n#CHROM\tPOS\n").expect("written");
    cohort.assert_refused(Some(&text), None, &[], &["calls.vcf", "VCF"]);
    let whole = std::fs::read(cohort.path("embeddings.pt")).expect("readable");
    let cut = cohort.path("cut.pt");
    std::fs::write(&cut, &whole[..whole.len() / 2]).expect("written");
    cohort.assert_refused(Some(&cut), None, &[], &["cut.pt", "cut"]);
    // The two files the wrong way round.
    let (embeddings, model) = (cohort.path("embeddings.pt"), cohort.path("sae.pt"));
    cohort.assert_refused(Some(&model), Some(&embeddings), &[], &["config"]);
}

#[test]
fn an_output_folder_that_cannot_be_is_refused_before_the_work() {
    let cohort = Cohort::simulated(40);
    let file = cohort.path("a-file");
    std::fs::write(&file, "mine").expect("written");
    let (embeddings, model) = (cohort.path("embeddings.pt"), cohort.path("sae.pt"));
    for out in [file.clone(), file.join("below")] {
        let output = atomscope([
            "analyze".as_ref(),
            "--embeddings".as_ref(),
            embeddings.as_os_str(),
            "--model".as_ref(),
            model.as_os_str(),
            "--out".as_ref(),
            out.as_os_str(),
        ]);
        assert_refused(
            &output,
            &["a-file", "cannot create the folder", "choose a folder"],
        );
        assert_eq!(std::fs::read_to_string(&file).expect("still there"), "mine");
    }
}

#[test]
fn bad_arguments_have_exit_code_2_and_cuda_has_3() {
    let cohort = Cohort::simulated(40);
    for more in [
        &["--device", "gpu"][..],
        &["--threads", "0"],
        &["--threads", "1025"],
        &["--nonfinite", "maybe"],
        &["--gpu-memory", "much"],
        &["--gpu-memory", "0GiB"],
        &["--screen", "double"],
        &["--device", "cuda:-1"],
    ] {
        assert_eq!(
            cohort.analyze(None, None, more).status.code(),
            Some(2),
            "{more:?}"
        );
    }
    cohort.assert_refused(
        None,
        None,
        &["--simd", "sse9"],
        &["--simd", "sse9", "portable"],
    );
    // No machine has so many devices; most have none.
    let output = cohort.analyze(None, None, &["--device", "cuda:4096"]);
    assert_eq!(output.status.code(), Some(3));
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        stderr.contains("cuda:4096") && stderr.lines().count() == 1,
        "{stderr}"
    );
    assert!(!cohort.out().exists());
}
