//! The program from outside: what it writes and prints.

use bytes::Bytes;
use parquet_reader::file::reader::{FileReader, SerializedFileReader};

extern crate parquet as parquet_reader;

use crate::common::cohort::{Cohort, DIM, Spoilable};
use crate::common::{assert_refused, atomscope, contents, notebook_section};

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
        "atom_chromosomes.parquet",
        "atom_datasets.parquet",
        "atom_pairs.parquet",
        "atom_sizes.parquet",
        "atom_types.parquet",
        "atoms.parquet",
        "atoms.tsv",
        "atomscope_mqc.json",
        "atomscope_volcano_mqc.json",
        "call_atoms.tsv",
        "coactivation.csv",
        "fires.npy",
        "report.html",
        "report.txt",
        "run.json",
        "sae_feature_bias_analysis.csv",
        "top_biased_features.json",
    ];
    assert_eq!(names, expected);
    let of = |name: &str| &files.iter().find(|(found, _)| found == name).expect(name).1;
    assert_eq!(of("report.txt"), &output.stdout);
    let run: serde_json::Value = serde_json::from_slice(of("run.json")).expect("JSON");
    assert_eq!(run["shapes"]["rows"], 500);
    assert_eq!(run["shapes"]["k"], 6);
    assert_eq!(run["certificate"]["rows"], 500);
    assert!(
        run["encode"]["rows_per_s"]
            .as_f64()
            .is_some_and(|rate| rate > 0.0)
    );
    assert_eq!(run["inputs"][0]["sha256"].as_str().map(str::len), Some(64));
    assert!(run["tables"]["seconds"]["writing"].is_f64());
    assert!(run["tables"]["cpu_seconds"]["writing"].is_f64());
    assert!(run["tables"]["cpu_seconds"]["page"].as_f64() > Some(0.0));
    assert!(
        run["cpu_seconds"]["total"]
            .as_f64()
            .is_some_and(|total| total > 0.0)
    );
}

#[test]
fn the_notebooks_tables_alone_are_its_own_files_to_the_byte() {
    let cohort = Cohort::simulated(500);
    assert!(cohort.analyze(None, None, &["-q"]).status.success());
    let all = contents(&cohort.out());
    let output = cohort.analyze(None, None, &["-q", "--tables", "notebook"]);
    assert!(output.status.success());
    let alone = contents(&cohort.out());
    let names: Vec<_> = alone.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "coactivation.csv",
        "report.txt",
        "run.json",
        "sae_feature_bias_analysis.csv",
        "top_biased_features.json",
    ];
    assert_eq!(names, expected, "and nothing of the run before");
    for (name, bytes) in &alone {
        let beside = &all.iter().find(|(other, _)| other == name).expect(name).1;
        match name.as_str() {
            "run.json" => {}
            // With the further tables it is one section of the report.
            "report.txt" => {
                let [alone, whole] = [bytes, beside].map(|text| std::str::from_utf8(text).unwrap());
                assert_eq!(notebook_section(whole), alone);
                assert!(whole.len() > alone.len());
            }
            _ => assert!(beside == bytes, "{name}"),
        }
    }
}

/// The rows of the table of pairs, and the numbers in its metadata; `None` where there is no table.
fn pairs_written(files: &[(String, Vec<u8>)]) -> Option<(i64, serde_json::Value)> {
    let (_, bytes) = files
        .iter()
        .find(|(name, _)| name == "atom_pairs.parquet")?;
    let file = SerializedFileReader::new(Bytes::from(bytes.clone())).expect("Parquet");
    let facts = file.metadata().file_metadata();
    let entries = facts.key_value_metadata().expect("metadata").iter();
    let mut entry = entries.filter(|entry| entry.key == "atomscope.pairs");
    let text = entry.find_map(|entry| entry.value.as_deref())?;
    Some((facts.num_rows(), serde_json::from_str(text).expect("JSON")))
}

#[test]
fn pairs_that_are_asked_for_are_written_and_counted_in_the_record() {
    let cohort = Cohort::simulated(1500);
    let mut rows = Vec::new();
    for options in [
        &["--pairs", "all"][..],
        &[],
        &["--max-pairs", "3"],
        &["--pairs", "none"],
    ] {
        let options = [&["-q", "--min-coactivation", "3"], options].concat();
        assert!(cohort.analyze(None, None, &options).status.success());
        let files = contents(&cohort.out());
        let of = |name: &str| &files.iter().find(|(found, _)| found == name).expect(name).1;
        let run: serde_json::Value = serde_json::from_slice(of("run.json")).expect("JSON");
        let numbers = &run["tables"]["pairs"];
        let report = String::from_utf8_lossy(of("report.txt")).into_owned();
        let written = pairs_written(&files);
        assert_eq!(written.is_some(), !options.contains(&"none"));
        assert_eq!(written.is_some(), report.contains("Co-activation:"));
        if let Some((count, metadata)) = written {
            assert_eq!(&metadata, numbers);
            assert_eq!(numbers["listed"], count);
            rows.push(numbers.clone());
        } else {
            assert!(numbers.is_null());
        }
    }
    let [all, significant, few] = &rows[..] else {
        panic!("three tables")
    };
    assert_eq!(all["listed"], all["at_threshold"]);
    assert_eq!(significant["listed"], all["either"]);
    assert_eq!(few["listed"], 3);
    for name in ["found", "threshold", "tested", "associated", "different"] {
        assert_eq!([&significant[name], &few[name]], [&all[name]; 2], "{name}");
    }
}

#[test]
fn strata_that_a_tally_does_not_have_are_refused_by_a_report() {
    let cohort = Cohort::simulated(60);
    let (tally, out) = (cohort.path("c.tally"), cohort.path("report"));
    let embeddings = cohort.path("embeddings.pt");
    let model = cohort.path("sae.pt");
    let text = |path: &std::path::Path| path.to_str().expect("UTF-8").to_owned();
    let [tally, out, embeddings, model] =
        [&tally, &out, &embeddings, &model].map(|path| text(path));
    let counted = atomscope([
        "tally",
        "--embeddings",
        &embeddings,
        "--model",
        &model,
        "--strata",
        "svtype,size",
        "--out",
        &tally,
    ]);
    assert!(counted.status.success());
    let report = |strata| atomscope(["report", "-q", &tally, "--strata", strata, "--out", &out]);
    assert!(report("size").status.success());
    assert_refused(&report("dataset"), &["--strata", "dataset", "svtype,size"]);
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
        crate::common::skipped(
            "the_digest_in_the_record_is_that_of_the_file",
            "no sha256sum here",
        );
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
    assert_eq!(names.len(), 15, "{names:?}");
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
