//! The program from outside: what it writes, what it refuses, what it leaves alone.

mod common;

use std::path::{Path, PathBuf};

use atomscope::write::pickle::Value;
use atomscope::write::torch::{Tensor, save};
use common::{assert_refused, atomscope, contents};
use tempfile::TempDir;

/// A small simulated cohort in a folder of its own.
struct Cohort {
    folder: TempDir,
}

impl Cohort {
    fn simulated(rows: usize) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().to_str().expect("UTF-8");
        let (rows, seed) = (rows.to_string(), "3");
        let shape = ["--input-dim", "24", "--features", "96", "--k", "6"];
        let mut args = vec![
            "simulate", "-q", "--out", path, "--rows", &rows, "--seed", seed,
        ];
        args.extend(shape);
        let output = atomscope(args);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn out(&self) -> PathBuf {
        self.path("results")
    }

    /// Runs `analyze` on two files, the simulated ones by default.
    fn analyze(
        &self,
        embeddings: Option<&Path>,
        model: Option<&Path>,
        more: &[&str],
    ) -> std::process::Output {
        let embeddings = embeddings.map_or_else(|| self.path("embeddings.pt"), Path::to_owned);
        let model = model.map_or_else(|| self.path("sae.pt"), Path::to_owned);
        let mut args = vec![
            "analyze".into(),
            "--embeddings".into(),
            embeddings.into_os_string(),
        ];
        args.extend(["--model".into(), model.into_os_string()]);
        args.extend(["--out".into(), self.out().into_os_string()]);
        args.extend(more.iter().map(|&arg| arg.into()));
        atomscope(args)
    }

    /// Demands that the run is refused, and that an earlier run's files stay as they were.
    fn assert_refused(
        &self,
        embeddings: Option<&Path>,
        model: Option<&Path>,
        more: &[&str],
        words: &[&str],
    ) {
        let first = self.analyze(None, None, &["-q"]);
        assert!(
            first.status.success(),
            "{}",
            String::from_utf8_lossy(&first.stderr)
        );
        let before = contents(&self.out());
        assert_eq!(before.len(), 5);
        assert_refused(&self.analyze(embeddings, model, more), words);
        assert!(
            contents(&self.out()) == before,
            "an earlier run's files were touched"
        );
        std::fs::remove_dir_all(self.out()).expect("removable");
        assert_refused(&self.analyze(embeddings, model, more), words);
        assert!(
            !self.out().exists(),
            "an output folder was made for nothing"
        );
    }
}

/// The numbers of a cohort to be written as a file, each to be spoiled.
struct Spoilable {
    embeddings: Vec<f32>,
    classes: Vec<&'static str>,
    svtypes: [&'static str; 2],
    weight: Vec<f32>,
    bias: Vec<f32>,
    mean: Vec<f32>,
    std: Vec<f32>,
    k: i64,
}

const ROWS: usize = 30;
const DIM: usize = 4;
const FEATURES: usize = 8;

impl Spoilable {
    fn new() -> Self {
        let wave =
            |n: usize, step: f32| (0..n).map(|i| (i as f32 * step).sin()).collect::<Vec<_>>();
        Self {
            embeddings: wave(ROWS * DIM, 1.7),
            classes: (0..ROWS)
                .map(|i| if i % 3 == 0 { "FP" } else { "TP" })
                .collect(),
            svtypes: ["INS", "DEL"],
            weight: wave(FEATURES * DIM, 2.3),
            bias: wave(FEATURES, 0.9),
            mean: wave(DIM, 0.1),
            std: vec![1.0; DIM],
            k: 2,
        }
    }

    fn write_cohort(&self, path: &Path) {
        let (classes, svtypes) = (self.classes.clone(), self.svtypes);
        let calls = Value::List(
            self.classes.len() as u64,
            Box::new(move |i| {
                Value::Dict(vec![
                    ("svtype", Value::name(svtypes[i as usize % 2])),
                    ("truvari_class", Value::name(classes[i as usize])),
                ])
            }),
        );
        let rows = self.embeddings.len() / DIM;
        let package = Value::Dict(vec![
            (
                "embeddings",
                Value::Tensor(Tensor::new(&[rows, DIM], &self.embeddings)),
            ),
            ("sv_info", calls),
        ]);
        save(path, package, 10_000)
            .and_then(atomscope::write::whole::WholeFile::publish)
            .expect("written");
    }

    fn write_model(&self, path: &Path) {
        let tensor = |shape: &[usize], numbers| Value::Tensor(Tensor::new(shape, numbers));
        let package = Value::Dict(vec![
            (
                "config",
                Value::Dict(vec![
                    ("input_dim", Value::Int(DIM.cast_signed() as i64)),
                    ("feature_dim", Value::Int(FEATURES.cast_signed() as i64)),
                    ("k", Value::Int(self.k)),
                    ("μ", tensor(&[self.mean.len()], &self.mean)),
                    ("σ", tensor(&[self.std.len()], &self.std)),
                ]),
            ),
            (
                "model_state_dict",
                Value::OrderedDict(vec![
                    (
                        "encoder.weight",
                        tensor(&[self.weight.len() / DIM, DIM], &self.weight),
                    ),
                    ("encoder.bias", tensor(&[self.bias.len()], &self.bias)),
                ]),
            ),
        ]);
        save(path, package, 10_000)
            .and_then(atomscope::write::whole::WholeFile::publish)
            .expect("written");
    }

    fn write(&self, folder: &Path) -> (PathBuf, PathBuf) {
        let (cohort, model) = (
            folder.join("spoiled-cohort.pt"),
            folder.join("spoiled-model.pt"),
        );
        self.write_cohort(&cohort);
        self.write_model(&model);
        (cohort, model)
    }
}

/// Spoils a good pair of files, and demands that the run is refused in these words.
fn refuses(spoil: impl FnOnce(&mut Spoilable), words: &[&str]) {
    let simulated = Cohort::simulated(40);
    let mut data = Spoilable::new();
    spoil(&mut data);
    let (cohort, model) = data.write(simulated.folder.path());
    simulated.assert_refused(Some(&cohort), Some(&model), &[], words);
}

#[test]
fn analyze_writes_everything_and_prints_the_report() {
    let cohort = Cohort::simulated(500);
    let output = cohort.analyze(None, None, &["--save-fires"]);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{stderr}");
    assert!(stderr.contains("device cpu"), "{stderr}");
    let files = contents(&cohort.out());
    let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "coactivation.csv",
        "fires.npy",
        "report.txt",
        "run.json",
        "sae_feature_bias_analysis.csv",
        "top_biased_features.json",
    ];
    assert_eq!(names, expected);
    assert_eq!(files[2].1, output.stdout);
    let run: serde_json::Value = serde_json::from_slice(&files[3].1).expect("JSON");
    assert_eq!(run["shapes"]["rows"], 500);
    assert_eq!(run["shapes"]["k"], 6);
    assert_eq!(run["certificate"]["rows"], 500);
    assert!(
        run["encode"]["rows_per_s"]
            .as_f64()
            .is_some_and(|rate| rate > 0.0)
    );
    assert_eq!(run["inputs"][0]["sha256"].as_str().map(str::len), Some(64));
}

#[test]
fn the_digest_in_the_record_is_that_of_the_file() {
    let cohort = Cohort::simulated(20);
    let abc = cohort.path("abc");
    std::fs::write(&abc, "abc").expect("written");
    let output = cohort.analyze(None, None, &["-q"]);
    assert!(output.status.success());
    let run: serde_json::Value =
        serde_json::from_slice(&std::fs::read(cohort.out().join("run.json")).expect("run.json"))
            .expect("JSON");
    // `sha256sum` is of another make than ours.
    let Ok(other) = std::process::Command::new("sha256sum")
        .arg(cohort.path("sae.pt"))
        .output()
    else {
        eprintln!("SKIPPED the_digest_in_the_record_is_that_of_the_file: no sha256sum here");
        return;
    };
    let other = String::from_utf8_lossy(&other.stdout).into_owned();
    assert_eq!(
        run["inputs"][1]["sha256"].as_str(),
        other.split_whitespace().next()
    );
}

#[test]
fn one_class_only_is_a_full_run_with_empty_tables() {
    let simulated = Cohort::simulated(40);
    for class in ["TP", "FP"] {
        let mut data = Spoilable::new();
        data.classes.fill(class);
        let (cohort, model) = data.write(simulated.folder.path());
        let output = simulated.analyze(Some(&cohort), Some(&model), &["-q"]);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains("Total features analyzed: 0"), "{text}");
        let csv = std::fs::read_to_string(simulated.out().join("sae_feature_bias_analysis.csv"))
            .expect("csv");
        assert_eq!(
            csv,
            "atom,TP_on,FP_on,TP_off,FP_off,odds,support,p,fdr_corrected,significant\n"
        );
    }
}

#[test]
fn rows_with_nan_are_named_or_dropped_and_counted() {
    let simulated = Cohort::simulated(40);
    let mut data = Spoilable::new();
    data.embeddings[3 * DIM + 1] = f32::NAN;
    data.embeddings[17 * DIM] = f32::INFINITY;
    let (cohort, model) = data.write(simulated.folder.path());
    let words = [
        "spoiled-cohort.pt",
        "rows 3, 17",
        "2 of 30",
        "--nonfinite skip",
    ];
    simulated.assert_refused(Some(&cohort), Some(&model), &[], &words);
    let output = simulated.analyze(
        Some(&cohort),
        Some(&model),
        &["--nonfinite", "skip", "--save-fires"],
    );
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{stderr}");
    assert!(stderr.contains("2 of 30 calls were dropped"), "{stderr}");
    let run = std::fs::read(simulated.out().join("run.json")).expect("run.json");
    let run: serde_json::Value = serde_json::from_slice(&run).expect("JSON");
    assert_eq!(run["shapes"]["rows_dropped_as_nonfinite"], 2);
    assert_eq!(run["certificate"]["rows"], 28);
    let fires = std::fs::read(simulated.out().join("fires.npy")).expect("fires.npy");
    assert_eq!(
        npyz::NpyFile::new(&fires[..]).expect("npy").shape(),
        [28, 2]
    );
    // What is left is what the cohort without these rows gives, the example's indices apart.
    for row in [17, 3] {
        data.embeddings.drain(row * DIM..(row + 1) * DIM);
        data.classes.remove(row);
    }
    let csv = |name: &str| std::fs::read(simulated.out().join(name)).expect("written");
    let with = (csv("sae_feature_bias_analysis.csv"), fires);
    let rows = data.embeddings.len() / DIM;
    assert_eq!(rows, 28);
    data.write_cohort(&cohort);
    let output = simulated.analyze(Some(&cohort), Some(&model), &["--save-fires", "-q"]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(
        (csv("sae_feature_bias_analysis.csv"), csv("fires.npy")),
        with
    );
}

#[test]
fn dropped_rows_are_listed_and_what_an_earlier_run_left_is_not_kept() {
    let simulated = Cohort::simulated(40);
    let mut data = Spoilable::new();
    data.embeddings[5 * DIM] = f32::NAN;
    data.embeddings[21 * DIM] = f32::NAN;
    data.classes[21] = "odd";
    let (cohort, model) = data.write(simulated.folder.path());
    let more = ["--nonfinite", "skip", "--save-fires"];
    let output = simulated.analyze(Some(&cohort), Some(&model), &more);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{stderr}");
    assert!(
        !stderr.contains("odd"),
        "a dropped call's class counts nowhere: {stderr}"
    );
    let dropped = std::fs::read(simulated.out().join("dropped_rows.npy")).expect("written");
    let dropped = npyz::NpyFile::new(&dropped[..])
        .expect("npy")
        .into_vec::<u64>();
    assert_eq!(dropped.expect("uint64"), [5, 21]);
    // The next run writes neither of these files, and theirs must not be taken for its own.
    assert!(simulated.analyze(None, None, &["-q"]).status.success());
    let names: Vec<_> = contents(&simulated.out())
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names.len(), 5, "{names:?}");
    assert!(!names.iter().any(|name| name.contains("npy")), "{names:?}");
}

#[test]
fn classes_that_say_neither_are_warned_of_and_many_of_them_in_few_lines() {
    let simulated = Cohort::simulated(40);
    let mut data = Spoilable::new();
    for (i, class) in data.classes.iter_mut().enumerate().skip(5) {
        *class = [
            "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m",
        ][i % 13];
    }
    let (cohort, model) = data.write(simulated.folder.path());
    let output = simulated.analyze(Some(&cohort), Some(&model), &["-q"]);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{stderr}");
    assert!(stderr.contains("truvari_class \"a\""), "{stderr}");
    assert!(stderr.contains("3 further classes"), "{stderr}");
    let of_classes = stderr
        .lines()
        .filter(|line| line.contains("these count as FP"));
    assert_eq!(of_classes.count(), 11, "{stderr}");
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
        std::thread::sleep(std::time::Duration::from_millis(400));
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

/// A path need not be text.
#[cfg(target_os = "linux")]
#[test]
fn a_path_that_is_not_utf8_is_no_obstacle() {
    use std::os::unix::ffi::OsStrExt;
    let cohort = Cohort::simulated(40);
    let odd = cohort
        .folder
        .path()
        .join(std::ffi::OsStr::from_bytes(b"c\xff.pt"));
    std::fs::copy(cohort.path("embeddings.pt"), &odd).expect("copied");
    let output = cohort.analyze(Some(&odd), None, &["-q"]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Text from a file cannot forge lines of the report, or steer a terminal.
#[test]
fn control_characters_are_shown_escaped() {
    let simulated = Cohort::simulated(40);
    let mut data = Spoilable::new();
    data.svtypes = ["INS\n  forged: 1", "DEL\u{1b}[31m"];
    let (cohort, model) = data.write(simulated.folder.path());
    let output = simulated.analyze(Some(&cohort), Some(&model), &["-q"]);
    assert!(output.status.success());
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains(r"INS\n  forged: 1: 15"), "{text}");
    assert!(
        text.contains(r"DEL\x1b[31m: 15") && !text.contains('\u{1b}'),
        "{text}"
    );
}

#[test]
fn bad_numbers_are_named() {
    refuses(
        |d| d.weight[9] = f32::NAN,
        &["spoiled-model.pt", "encoder.weight[2, 1]", "NaN", "finite"],
    );
    refuses(|d| d.bias[5] = f32::INFINITY, &["encoder.bias[5]", "inf"]);
    refuses(|d| d.std[1] = -0.5, &["σ", "[1]", "-0.5", "at least 0"]);
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
    refuses(
        |d| {
            d.embeddings.clear();
            d.classes.clear();
        },
        &["spoiled-cohort.pt", "embeddings", "at least one call"],
    );
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
    for device in ["cuda", "cuda:1"] {
        let output = cohort.analyze(None, None, &["--device", device]);
        assert_eq!(output.status.code(), Some(3));
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            stderr.contains(device) && stderr.lines().count() == 1,
            "{stderr}"
        );
        assert!(!cohort.out().exists());
    }
}

#[test]
fn investigate_tells_of_any_atom() {
    let cohort = Cohort::simulated(500);
    let (embeddings, model) = (cohort.path("embeddings.pt"), cohort.path("sae.pt"));
    let run = |more: &[&str]| {
        let mut args = vec!["investigate".into(), "-q".into()];
        args.extend(["--embeddings".into(), embeddings.clone().into_os_string()]);
        args.extend(["--model".into(), model.clone().into_os_string()]);
        args.extend(more.iter().map(std::ffi::OsString::from));
        atomscope(args)
    };
    let output = run(&["--atom", "3,7"]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        text.contains("eature 3") && text.contains("eature 7"),
        "{text}"
    );
    let output = run(&["--atom", "3", "--atom", "7", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let found = json.as_array().expect("a list, one entry an atom");
    assert_eq!((found.len(), &found[1]["atom"]), (2, &7.into()));
    assert_refused(&run(&["--atom", "96"]), &["--atom", "96", "0 to 95"]);
}

#[test]
fn inspect_tells_what_a_file_holds() {
    let cohort = Cohort::simulated(30);
    let output = atomscope(["inspect".as_ref(), cohort.path("embeddings.pt").as_os_str()]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    for word in ["embeddings", "30", "24", "sv_info"] {
        assert!(text.contains(word), "{word} is not in {text}");
    }
    let absent = cohort.path("absent.pt");
    assert_refused(
        &atomscope(["inspect".as_ref(), absent.as_os_str()]),
        &["absent.pt"],
    );
}

#[test]
fn demo_finds_what_it_planted() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().join("demo");
    let output = atomscope([
        "demo".as_ref(),
        "-q".as_ref(),
        "--rows".as_ref(),
        "4000".as_ref(),
        "--input-dim".as_ref(),
        "64".as_ref(),
        "--features".as_ref(),
        "256".as_ref(),
        "--k".as_ref(),
        "8".as_ref(),
        "--out".as_ref(),
        out.as_os_str(),
    ]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text
        .lines()
        .find(|line| line.starts_with("Planted atoms biased"))
        .expect("what was found");
    let numbers: Vec<u32> = line
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|word| word.parse().ok())
        .collect();
    let (found, planted) = (numbers[0], numbers[1]);
    assert!(planted > 0 && 2 * found > planted, "{line}");
    assert!(out.join("results/report.txt").is_file());
    assert!(text.contains(&out.join("results").display().to_string()));
}
