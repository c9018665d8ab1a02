//! `--predict` from outside.

use crate::common::cohort::Cohort;
use crate::common::{assert_refused, atomscope, contents};

const FILES: [&str; 3] = [
    "call_predictions.parquet",
    "prediction.tsv",
    "prediction_atoms.parquet",
];

fn predicted(cohort: &Cohort) -> Vec<(String, Vec<u8>)> {
    let mut files = contents(&cohort.out());
    files.retain(|(name, _)| FILES.contains(&name.as_str()) || name == "report.txt");
    files
}

#[test]
fn predict_writes_its_files_and_says_what_holds() {
    let cohort = Cohort::simulated(900);
    let common = ["-q", "--permutations", "0", "--bootstrap", "100"];
    assert!(cohort.analyze(None, None, &common).status.success());
    let without = contents(&cohort.out());
    assert!(
        without
            .iter()
            .all(|(name, _)| !FILES.contains(&name.as_str()))
    );
    let output = cohort.analyze(None, None, &[&common[..], &["--predict"]].concat());
    assert!(output.status.success());
    let whole = predicted(&cohort);
    assert_eq!(whole.len(), 4);
    let text = String::from_utf8(output.stdout).unwrap();
    for part in [
        "Prediction of the label (--predict), never of calls that a model was fitted to: 5 folds",
        "atoms that fire (L1; ",
        "This holds for calls like these",
    ] {
        assert!(text.contains(part), "{part}");
    }
    let figures = std::fs::read_to_string(cohort.out().join("prediction.tsv")).unwrap();
    let auroc = figures
        .lines()
        .find(|line| line.starts_with("atoms\tL1\tauroc\t"))
        .unwrap();
    let auroc: Vec<&str> = auroc.split('\t').collect();
    assert_eq!((auroc[3], auroc[7]), ("NA", "0.5"));
    assert!(auroc[4].parse::<f64>().unwrap() > 0.6, "{auroc:?}");
    // By one thread, and by a tally.
    let more = ["--predict", "--threads", "1"];
    assert!(
        cohort
            .analyze(None, None, &[&common[..], &more].concat())
            .status
            .success()
    );
    assert!(predicted(&cohort) == whole);
    let [tally, embeddings, model, out] = ["all.tally", "embeddings.pt", "sae.pt", "results"]
        .map(|name| cohort.path(name).display().to_string());
    let args = [
        "tally",
        "-q",
        "--embeddings",
        &embeddings,
        "--model",
        &model,
        "--out",
        &tally,
        "--fires",
    ];
    assert!(atomscope(args).status.success());
    let report = ["report", &tally, "--out", &out, "--predict"];
    assert!(atomscope([&report[..], &common].concat()).status.success());
    assert!(predicted(&cohort) == whole);
    let refused = atomscope([&report[..], &["--without-fires"]].concat());
    assert_refused(
        &refused,
        &[
            "--predict",
            "prediction for a report without firing sets",
            "tally --fires",
        ],
    );
}

#[test]
fn predict_is_refused_where_no_table_tells_of_it() {
    let cohort = Cohort::simulated(50);
    let output = cohort.analyze(None, None, &["--predict", "--tables", "notebook"]);
    assert_refused(
        &output,
        &[
            "--predict",
            "prediction with --tables notebook",
            "--tables all",
        ],
    );
    let output = cohort.analyze(None, None, &["--predict-by", "locus"]);
    assert_eq!(output.status.code(), Some(2));
}
