//! Activations given in place of embeddings and a model: the same tables as those of the model that
//! made them.

use std::path::{Path, PathBuf};
use std::process::Output;

use npyz::WriterBuilder;

use crate::common::cohort::Cohort;
use crate::common::{assert_refused, atomscope, contents};
use atomscope::Analysis;
use atomscope::fires::FiringSets;
use serde_json::Value;

/// F of the simulated model.
const ATOMS: usize = 96;

/// A cohort with its firing sets, and the results of the model that made these.
struct Given {
    cohort: Cohort,
    sets: FiringSets,
}

impl Given {
    /// `rows` calls of a model of top-k, encoded, with the results in `encoded`.
    fn new(rows: usize) -> Self {
        let cohort = Cohort::simulated(rows);
        let analysis = Analysis::of_files([cohort.path("embeddings.pt")], cohort.path("sae.pt"));
        let found = analysis
            .permutations(60)
            .save_firings()
            .run()
            .expect("results");
        found.write(cohort.path("encoded")).expect("files");
        let firings = found.counted.firings.as_ref().expect("firing sets");
        let sets = firings.sets().expect("one part").clone();
        let given = Self { cohort, sets };
        given.write_calls(0..rows, "activations");
        given
    }

    fn path(&self, name: &str) -> PathBuf {
        self.cohort.path(name)
    }

    /// The calls as a table of their own.
    fn write_calls(&self, rows: std::ops::Range<usize>, name: &str) -> PathBuf {
        let cohort = atomscope::read::read_cohort(&self.path("embeddings.pt")).expect("a cohort");
        let mut lines = vec!["id\tchrom\tpos\tsvtype\tsvlen\ttruvari_class\tdataset".to_owned()];
        let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
        for row in rows {
            let call = cohort.calls.get(row);
            let fields = [
                text(call.id),
                text(call.chrom),
                call.pos.to_string(),
                text(call.svtype),
                call.svlen.to_string(),
                text(call.truvari_class),
                text(call.dataset),
            ];
            lines.push(fields.join("\t"));
        }
        let path = self.path(&format!("{name}.tsv"));
        std::fs::write(&path, lines.join("\n")).expect("a place");
        path
    }

    /// Scores of all atoms that fire, on some rows, as a dense matrix of binary64.
    fn dense(&self, rows: std::ops::Range<usize>, name: &str) -> PathBuf {
        let scores = self.sets.scores().expect("scores");
        let mut numbers = vec![0.0; rows.len() * ATOMS];
        for (line, row) in numbers.chunks_mut(ATOMS).zip(rows.clone()) {
            for (&atom, &score) in self.sets.row(row).iter().zip(&scores[self.sets.place(row)]) {
                assert_ne!(score, 0.0);
                line[atom as usize] = score;
            }
        }
        let path = self.path(&format!("{name}.npy"));
        write_array(&path, &[rows.len(), ATOMS], &numbers);
        path
    }

    /// Runs `analyze` on activations.
    fn analyze(&self, files: &[&Path], more: &[&str]) -> Output {
        let mut args = vec!["analyze".into(), "--activations".into()];
        args.extend(files.iter().map(|path| path.as_os_str().to_owned()));
        args.extend(["--out".into(), self.cohort.out().into_os_string()]);
        args.extend(["-q", "--permutations", "60"].map(Into::into));
        args.extend(more.iter().map(Into::into));
        atomscope(args)
    }

    /// Demands that the last run has written the tables of the model, but for `others`.
    fn assert_same(&self, folder: &Path, others: &[&str]) {
        let others = [
            &[
                "run.json",
                "report.html",
                "report.txt",
                "fires.npy",
                "fires.npz",
                "call_atoms.tsv",
            ],
            others,
        ]
        .concat();
        let tables = |folder: &Path| {
            let mut all = contents(folder);
            all.retain(|(name, _)| !others.contains(&&**name));
            all
        };
        let (expected, found) = (tables(&self.path("encoded")), tables(folder));
        assert!(expected.len() + others.len() > 12, "{}", expected.len());
        let names = |files: &[(String, Vec<u8>)]| -> Vec<String> {
            files.iter().map(|(name, _)| name.clone()).collect()
        };
        assert_eq!(names(&expected), names(&found));
        for ((name, expected), (_, found)) in expected.iter().zip(&found) {
            assert_eq!(expected, found, "{name}");
        }
    }
}

fn write_array<T: npyz::AutoSerialize + Copy>(path: &Path, shape: &[usize], numbers: &[T]) {
    let file = std::fs::File::create(path).expect("a place");
    let shape: Vec<u64> = shape.iter().map(|&size| size as u64).collect();
    let options = npyz::WriteOptions::new().default_dtype().shape(&shape);
    let mut array = options.writer(file).begin_nd().expect("a header");
    array.extend(numbers.iter().copied()).expect("numbers");
    array.finish().expect("all of them");
}

fn assert_done(output: &Output) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
}

fn run_json(folder: &Path) -> Value {
    let text = std::fs::read_to_string(folder.join("run.json")).expect("a record");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn tables_of_given_activations_are_those_of_the_model_that_made_them() {
    let given = Given::new(300);
    let file = given.dense(0..300, "activations");
    assert_done(&given.analyze(&[&file], &["--save-fires"]));
    given.assert_same(&given.cohort.out(), &[]);

    let record = run_json(&given.cohort.out());
    assert!(
        record["activations"]
            .as_str()
            .expect("a sentence")
            .contains("nothing was encoded")
    );
    assert_eq!(record["inputs"][0]["role"], "activations");
    for key in ["certificate", "encoder", "encode", "nonfinite"] {
        assert!(record.get(key).is_none(), "{key}");
    }
    assert!(record["shapes"].get("input_dim").is_none());
    let encoded = run_json(&given.path("encoded"));
    assert!(encoded.get("activations").is_none() && encoded["certificate"].is_object());
    let report = std::fs::read_to_string(given.cohort.out().join("report.txt")).expect("a report");
    assert!(report.contains("there is no certificate"), "{report}");
    assert!(!report.contains("(--compare scores)."), "{report}");
    let without: Vec<&str> = report
        .lines()
        .filter(|line| !line.contains("certificate"))
        .collect();
    let encoded = std::fs::read_to_string(given.path("encoded").join("report.txt")).expect("one");
    let next = |line: &&&str| !line.starts_with("Look next");
    assert!(
        without
            .iter()
            .filter(next)
            .eq(encoded.lines().collect::<Vec<_>>().iter().filter(next))
    );
}

#[test]
fn firing_sets_that_an_analysis_wrote_give_its_counts_again() {
    let given = Given::new(260);
    let values = ["atoms.parquet", "atoms.tsv"];
    // Written by a model of top-k: k atoms a row.
    let fires = given.path("encoded").join("fires.npy");
    let calls = given.path("activations.tsv");
    let calls = ["--metadata", calls.to_str().expect("UTF-8")];
    assert_refused(
        &given.analyze(&[&fires], &calls),
        &["--atoms F", "the number of atoms"],
    );
    let more = [calls[0], calls[1], "--atoms", "96", "--save-fires"];
    assert_done(&given.analyze(&[&fires], &more));
    given.assert_same(&given.cohort.out(), &values);
    // And of these the sparse matrix, which holds the number of atoms.
    let first = contents(&given.cohort.out());
    let sparse = given.path("fires.npz");
    std::fs::copy(given.cohort.out().join("fires.npz"), &sparse).expect("a copy");
    assert_done(&given.analyze(&[&sparse], &[calls[0], calls[1], "--save-fires"]));
    for ((name, before), (_, after)) in first.iter().zip(contents(&given.cohort.out())) {
        assert!(name == "run.json" || *before == after, "{name}");
    }
}

#[test]
fn files_parts_and_tallies_of_activations_give_the_tables_of_the_whole() {
    let given = Given::new(210);
    let pieces = [0..64, 64..65, 65..210];
    let mut files = Vec::new();
    for (i, rows) in pieces.into_iter().enumerate() {
        let name = format!("piece-{i}");
        given.write_calls(rows.clone(), &name);
        files.push(given.dense(rows, &name));
    }
    let paths: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    for more in [
        &[][..],
        &["--checkpoint-rows", "17"],
        &["--memory", "1", "--threads", "2"],
    ] {
        assert_done(&given.analyze(&paths, more));
        given.assert_same(&given.cohort.out(), &[]);
    }
    let mut tallies = Vec::new();
    for file in &files {
        let tally = file.with_extension("tally");
        let args = ["tally", "-q", "--activations"].map(std::ffi::OsString::from);
        let out = [
            "--fires".into(),
            "--out".into(),
            tally.clone().into_os_string(),
        ];
        let args = args
            .into_iter()
            .chain([file.clone().into_os_string()])
            .chain(out);
        assert_done(&atomscope(args));
        tallies.push(tally);
    }
    let (merged, out) = (given.path("all.tally"), given.path("reported"));
    let mut args = vec![
        "merge".into(),
        "-q".into(),
        "--out".into(),
        merged.clone().into_os_string(),
    ];
    args.extend(tallies.iter().map(|path| path.clone().into_os_string()));
    assert_done(&atomscope(args));
    let args = [merged.as_os_str(), "--out".as_ref(), out.as_os_str()];
    let args = ["report", "-q", "--permutations", "60"]
        .map(AsRef::as_ref)
        .into_iter()
        .chain(args);
    assert_done(&atomscope::<&std::ffi::OsStr>(args));
    given.assert_same(&out, &[]);
    assert!(run_json(&out).get("certificate").is_none());

    // A tally of a model does not go together with them.
    let other = given.path("model.tally");
    let args = ["tally", "-q", "--embeddings"]
        .map(std::ffi::OsString::from)
        .into_iter();
    let args = args.chain([
        given.path("embeddings.pt").into_os_string(),
        "--model".into(),
    ]);
    let args = args.chain([given.path("sae.pt").into_os_string(), "--out".into()]);
    assert_done(&atomscope(args.chain([other.clone().into_os_string()])));
    let args = [
        "merge".as_ref(),
        "--out".as_ref(),
        given.path("none.tally").into_os_string().leak() as &std::ffi::OsStr,
    ];
    let args = args
        .into_iter()
        .chain([tallies[0].as_os_str(), other.as_os_str()]);
    let refused = atomscope::<&std::ffi::OsStr>(args);
    assert_refused(&refused, &["activations of 96 atoms", "the model "]);
}

#[test]
fn investigate_shows_the_values_of_given_activations() {
    let given = Given::new(90);
    let file = given.dense(0..90, "activations");
    let atom = given.sets.row(0)[0].to_string();
    let run = |input: &[&Path], out: &Path| {
        let mut args: Vec<std::ffi::OsString> = vec!["investigate".into(), "-q".into()];
        args.extend([
            "--atom".into(),
            atom.clone().into(),
            "--out".into(),
            out.into(),
        ]);
        match input {
            [activations] => args.extend(["--activations".into(), activations.into()]),
            [embeddings, model] => {
                args.extend(["--embeddings".into(), embeddings.into()]);
                args.extend(["--model".into(), model.into()]);
            }
            _ => unreachable!("one file or two"),
        }
        assert_done(&atomscope(args));
        std::fs::read_to_string(out).expect("a table")
    };
    let of_model = run(
        &[&given.path("embeddings.pt"), &given.path("sae.pt")],
        &given.path("a.tsv"),
    );
    assert!(of_model.lines().count() > 2, "{of_model}");
    assert_eq!(of_model, run(&[&file], &given.path("b.tsv")));
}

#[test]
fn options_of_encoding_are_refused_beside_activations() {
    let given = Given::new(40);
    let file = given.dense(0..40, "activations");
    for (option, value) in [
        ("--device", "cpu"),
        ("--nonfinite", "skip"),
        ("--screen", "single"),
        ("--model", "sae.pt"),
        ("--embeddings", "embeddings.pt"),
    ] {
        let output = given.analyze(&[&file], &[option, value]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        let said = stderr.contains("'--activations <FILE>...' cannot be used with")
            && stderr.contains(option);
        assert!(said, "{stderr}");
    }
    let output = given.analyze(&[&file], &["--compare", "scores"]);
    assert_refused(&output, &["--compare", "activations", "embeddings"]);
    let of = || Analysis::of_activations([file.clone()]);
    let error = of().compare_scores().run().expect_err("no model");
    assert!(error.to_string().contains("a model"), "{error}");
    for answer in [
        ["--k", "5"],
        ["--threshold", "0.5"],
        ["--orientation", "inputs-first"],
        ["--subtract-decoder-bias", "yes"],
        ["--layer", "3"],
    ] {
        let output = given.analyze(&[&file], &answer);
        let [flag, value] = answer;
        assert_refused(
            &output,
            &[&format!("{flag}: found {value}, expected no answer")],
        );
    }
    let wrong = given.analyze(&[&file], &["--atoms", "95"]);
    assert_refused(&wrong, &["--atoms: found 95, expected 96"]);
    assert!(of().atoms(96).run().is_ok());
}

#[test]
fn a_matrix_without_a_zero_is_warned_of() {
    let given = Given::new(30);
    let file = given.path("activations.npy");
    write_array(&file, &[30, 7], &[0.5_f64; 210]);
    let output = given.analyze(&[&file], &[]);
    assert_done(&output);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("are these embeddings"), "{stderr}");
}

#[test]
fn batches_of_activations_that_are_given_are_refused() {
    let given = Given::new(30);
    given.write_calls(0..30, "acts");
    let file = given.path("acts.npy");
    write_array(&file, &[30, 7], &[0.0_f64; 210]);
    for (flags, found) in [
        (
            &["--batch-topk-rows", "10"][..],
            "--batch-topk-rows: found 10",
        ),
        (
            &["--batch-topk", "threshold"],
            "--batch-topk: found threshold",
        ),
    ] {
        assert_refused(&given.analyze(&[&file], flags), &[found, "activations"]);
    }
}

#[test]
fn shards_of_different_widths_are_refused() {
    let given = Given::new(30);
    let files = [("a", 7), ("b", 8)].map(|(name, atoms)| {
        given.write_calls(0..30, name);
        let file = given.path(&format!("{name}.npy"));
        let numbers: Vec<f64> = (0..30 * atoms).map(|i| f64::from(i % 3)).collect();
        write_array(&file, &[30, atoms as usize], &numbers);
        file
    });
    let output = given.analyze(&[&files[0], &files[1]], &[]);
    assert_refused(&output, &["b.npy", "found 8, expected 7"]);
    let tallies = files.map(|file| {
        let tally = file.with_extension("tally");
        let args = ["tally", "-q", "--activations"].map(std::ffi::OsString::from);
        let files = [
            file.into_os_string(),
            "--out".into(),
            tally.clone().into_os_string(),
        ];
        assert_done(&atomscope(args.into_iter().chain(files)));
        tally.into_os_string()
    });
    let merge = [
        "merge".into(),
        "--out".into(),
        given.path("all.tally").into_os_string(),
    ];
    let refused = atomscope(merge.into_iter().chain(tallies));
    assert_refused(
        &refused,
        &["activations of 7 atoms", "activations of 8 atoms"],
    );
}
