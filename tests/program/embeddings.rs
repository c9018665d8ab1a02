//! The program on embeddings from tables, of several matrices, and of tokens.

use std::path::{Path, PathBuf};

use crate::common::{assert_refused, atomscope};
use atomscope::store::read_tally;
use atomscope::tally::CohortTally;

fn golden(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/lists");
    folder.join(name).to_str().expect("UTF-8").to_owned()
}

/// A model for rows of 5 numbers, and a place for outputs.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().expect("a folder"));
        let sizes = [
            "--input-dim",
            "5",
            "--features",
            "12",
            "--k",
            "3",
            "--rows",
            "60",
        ];
        let out = place.at("simulated");
        let args = [&["simulate", "-q", "--out", &out][..], &sizes].concat();
        let output = atomscope(&args);
        let line = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{line}");
        place
    }

    fn at(&self, name: &str) -> String {
        self.0.path().join(name).to_str().expect("UTF-8").to_owned()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs `tally`; the tally, or the line that refuses.
    fn tally(&self, embeddings: &str, out: &str, more: &[&str]) -> Result<CohortTally, String> {
        let (model, out, table) = (
            self.at("simulated/sae.pt"),
            self.at(out),
            golden("calls.parquet"),
        );
        let embeddings = golden(embeddings);
        let args = [
            "tally",
            "-q",
            "--embeddings",
            &embeddings,
            "--model",
            &model,
            "--out",
            &out,
        ];
        let output = atomscope([&args[..], &["--metadata", &table], more].concat());
        if output.status.success() {
            return Ok(read_tally(Path::new(&out)).expect("a tally"));
        }
        assert_eq!(output.status.code(), Some(2), "{embeddings}");
        Err(String::from_utf8_lossy(&output.stderr)
            .trim_end()
            .to_owned())
    }
}

#[test]
fn tallies_are_the_same_from_every_format() {
    let place = Place::new();
    let names = [
        "array_f4.pt",
        "f4.parquet",
        "pandas.parquet",
        "f4.arrow",
        "stream.arrow",
        "zstd.arrow",
    ];
    let tallies = names.map(|name| {
        let found = place.tally(name, &format!("{name}.tally"), &[]);
        found.unwrap_or_else(|line| panic!("{line}")).tally
    });
    let first = tallies.first().expect("a tally");
    assert_eq!(first.firings(), 7 * 3);
    assert!(tallies.iter().all(|tally| tally == first));
    // Other numbers give another one.
    let other = place.tally("layers.parquet", "other.tally", &["--key", "layer_26"]);
    assert_ne!(other.expect("a tally").tally, *first);
}

#[test]
fn layers_that_choose_nothing_are_refused() {
    let place = Place::new();
    let layer = ["--layer", "26"];
    let line = place
        .tally("f4.parquet", "one.tally", &layer)
        .expect_err("one matrix");
    assert!(
        line.contains("--layer") && line.contains("no answer"),
        "{line}"
    );
    place
        .tally("layers.parquet", "several.tally", &layer)
        .expect("several");
    let output = atomscope(["inspect", &golden("f4.parquet"), "--k", "5"]);
    assert_refused(&output, &["--k: found 5, expected no answer", "no model"]);
    for (name, code) in [("f4.parquet", 2), ("layers.parquet", 0)] {
        let output = atomscope(["inspect", &golden(name), "--layer", "26"]);
        assert_eq!(output.status.code(), Some(code), "{name}");
    }
}

#[test]
fn tallies_of_other_choices_are_not_merged() {
    let place = Place::new();
    let tally = |out: &str, more: &[&str]| {
        let found = place.tally("tokens.npy", out, more);
        found.unwrap_or_else(|line| panic!("{line}"))
    };
    let mean = tally("mean.tally", &["--pool", "mean", "--rows", "0..3"]);
    let last = tally("last.tally", &["--pool", "last", "--rows", "3..7"]);
    assert_ne!(mean.shards, last.shards);
    tally("rest.tally", &["--pool", "mean", "--rows", "3..7"]);
    let merge = |names: &[&str]| {
        let paths: Vec<_> = names.iter().map(|name| place.at(name)).collect();
        let out = place.at("merged.tally");
        let mut args = vec!["merge", "-q", "--out", &*out];
        args.extend(paths.iter().map(String::as_str));
        let output = atomscope(&args);
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    let (code, line) = merge(&["mean.tally", "last.tally"]);
    assert_eq!((code, line.lines().count()), (Some(2), 1), "{line}");
    assert!(
        line.contains("pooled by mean") && line.contains("pooled by last"),
        "{line}"
    );
    assert!(line.contains("--pool mean|last|max|token:I"), "{line}");
    assert_eq!(merge(&["mean.tally", "rest.tally"]).0, Some(0));
    // A tally of the same rows by another choice would be lost.
    let (out, parts) = (
        place.at("last.tally"),
        ["mean.tally", "rest.tally"].map(|name| place.at(name)),
    );
    let output = atomscope(["merge", "-q", "--out", &out, &parts[0], &parts[1]]);
    assert_eq!(output.status.code(), Some(2));
    // A tally that is there is taken as done only if it is of the same choice.
    let done = tally("mean.tally", &["--pool", "mean", "--rows", "0..3"]);
    assert_eq!(done.shards, mean.shards);
    let again = tally(
        "mean.tally",
        &["--pool", "max", "--rows", "0..3", "--force"],
    );
    assert_ne!(again.shards, mean.shards);
}

#[test]
fn choices_stand_in_the_record() {
    let place = Place::new();
    let (model, table, out) = (
        place.at("simulated/sae.pt"),
        golden("calls.parquet"),
        place.at("out"),
    );
    let embeddings = golden("datasets.arrow");
    let args = [
        "analyze",
        "-q",
        "--embeddings",
        &embeddings,
        "--model",
        &model,
        "--out",
        &out,
    ];
    let more = [
        "--metadata",
        &table,
        "--key",
        "tokens",
        "--pool",
        "token:-1",
    ];
    let more = [&more[..], &["--bootstrap", "0", "--min-support", "1"]].concat();
    let output = atomscope([&args[..], &more].concat());
    let line = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{line}");
    let record = std::fs::read(place.path("out/run.json")).expect("run.json");
    let record: serde_json::Value = serde_json::from_slice(&record).expect("JSON");
    let inputs = record["inputs"].as_array().expect("inputs");
    let taken = inputs
        .iter()
        .find(|input| input["role"] == "embeddings")
        .expect("embeddings");
    let taken = &taken["taken"];
    assert_eq!(taken["key"], "tokens");
    assert_eq!(taken["pool"], "token:-1");
    assert_eq!(taken["shape"], serde_json::json!([7, 4, 5]));
}

#[test]
fn refusals_propose_flags() {
    let place = Place::new();
    for (name, more, ends) in [
        ("layers.npz", &[][..], "--key NAME --layer N"),
        ("layers.pt", &["--layer", "3"], "--key NAME"),
        ("only.pt", &[], "--key features"),
        ("tokens.parquet", &[], "--pool mean|last|max|token:I"),
    ] {
        let line = place.tally(name, "x.tally", more).expect_err(name);
        assert_eq!(line.lines().count(), 1, "{line}");
        assert!(line.ends_with(ends), "{line}");
    }
    for wrong in ["median", "token:x"] {
        let line = place
            .tally("tokens.npy", "x.tally", &["--pool", wrong])
            .expect_err(wrong);
        assert!(
            line.contains("expected mean, last, max or token:I"),
            "{line}"
        );
    }
    let output = atomscope(["inspect", &golden("tokens.npz"), "--pool", "max"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        text.contains("embeddings: acts, float32 [7, 4, 5], tokens pooled by max"),
        "{text}"
    );
    let output = atomscope(["inspect", &golden("layers.arrow")]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("--key NAME --layer N"), "{text}");
}
