//! What is printed and written against the notebook's own output, by golden cases that
//! `tests/golden/make_notebook.py` made by running it. Byte for byte, except the two columns of
//! p-values, which may differ by 1e-12 of their value.

use std::fs;
use std::path::{Path, PathBuf};

use atomscope::cohort::{Call, Calls, Number};
use atomscope::fires::FiringSets;
use atomscope::report::{csv, json, text};
use atomscope::stats::notebook::{Empty, NotebookTables, Options};
use atomscope::tally::{Certificate, Strata, Tally};
use serde_json::Value;

/// The columns of p-values in the table.
const P_COLUMNS: [usize; 2] = [7, 8];

struct Case {
    folder: PathBuf,
    calls: Calls,
    sets: FiringSets,
    feature_dim: usize,
}

impl Case {
    fn read(folder: PathBuf) -> Self {
        let input = fs::read(folder.join("input.json")).unwrap();
        let input: Value = serde_json::from_slice(&input).unwrap();
        let whole = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
        let rows = input["fires"].as_array().unwrap();
        let atoms = rows.iter().flat_map(|row| row.as_array().unwrap());
        let atoms = atoms.map(|atom| u32::try_from(whole(atom)).unwrap());
        Self {
            calls: input["calls"]
                .as_array()
                .unwrap()
                .iter()
                .map(call)
                .collect(),
            sets: FiringSets::uniform(whole(&input["k"]), atoms.collect(), vec![]),
            feature_dim: whole(&input["feature_dim"]),
            folder,
        }
    }

    fn golden(name: &str) -> Self {
        Self::read(golden_folder().join(name))
    }

    fn findings(&self) -> NotebookTables {
        let strata = Strata::of_calls(&self.calls);
        let tally = Tally::count(
            self.feature_dim,
            &strata,
            self.sets.iter(),
            Certificate::default(),
        );
        NotebookTables::compute(&tally, &self.calls, &self.sets, Options::default()).unwrap()
    }

    fn expected(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join(name)).unwrap()
    }
}

fn golden_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/notebook")
}

/// An absent field is missing; a null is Python's `None`, which is a value to the notebook, and
/// prints as `None`.
fn call(fields: &Value) -> Call<'_> {
    let text = |key| match fields.get(key) {
        None => None,
        Some(Value::Null) => Some("None"),
        Some(value) => Some(value.as_str().unwrap()),
    };
    let number = |key| match fields.get(key) {
        None => Number::Int(0),
        Some(value) => value
            .as_i64()
            .map_or_else(|| Number::Float(value.as_f64().unwrap()), Number::Int),
    };
    Call {
        chrom: text("chrom"),
        pos: number("pos"),
        svtype: text("svtype"),
        svlen: number("svlen"),
        truvari_class: text("truvari_class"),
        dataset: text("dataset"),
        ..Call::default()
    }
}

fn written(write: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>) -> String {
    let mut out = Vec::new();
    write(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn assert_same_table(ours: &str, theirs: &str, case: &Path) {
    let case = case.display();
    assert_eq!(ours.lines().count(), theirs.lines().count(), "{case}");
    assert!(ours.ends_with('\n') && theirs.ends_with('\n'));
    for (ours, theirs) in ours.lines().zip(theirs.lines()) {
        let cells = || ours.split(',').zip(theirs.split(','));
        assert_eq!(ours.split(',').count(), theirs.split(',').count());
        for (column, (a, b)) in cells().enumerate() {
            if a == b {
                continue;
            }
            assert!(P_COLUMNS.contains(&column), "{case}: {ours} and {theirs}");
            let (a, b): (f64, f64) = (a.parse().unwrap(), b.parse().unwrap());
            let within = (a - b).abs() <= 1e-12 * b.abs() || a.max(b) < 1e-300;
            assert!(within, "{case}: {ours} and {theirs}");
        }
    }
}

fn assert_parity(case: &Case) {
    let findings = case.findings();
    let printed = text::Analysis(&findings).to_string();
    assert_eq!(
        printed,
        case.expected("stdout.txt"),
        "{}",
        case.folder.display()
    );
    let table = written(|out| csv::bias(&findings.bias, out));
    assert_same_table(&table, &case.expected("analysis.csv"), &case.folder);
    let top = written(|out| json::top_biased(&findings, out));
    assert_eq!(top, case.expected("top.json"), "{}", case.folder.display());
}

#[test]
fn every_case_is_the_notebook_s() {
    let mut seen = 0;
    for entry in fs::read_dir(golden_folder()).unwrap() {
        let folder = entry.unwrap().path();
        if !folder.join("crash.txt").exists() {
            assert_parity(&Case::read(folder));
            seen += 1;
        }
    }
    assert!(seen >= 16, "only {seen} cases were found");
}

fn assert_empty(name: &str, why: Empty, sentence: &str) {
    let case = Case::golden(name);
    assert!(case.expected("crash.txt").starts_with("KeyError"));
    let findings = case.findings();
    assert_eq!(findings.bias.why_empty(), Some(why));
    let printed = text::Analysis(&findings).to_string();
    assert!(printed.contains(sentence), "{printed}");
    assert!(printed.contains("\nTop TP-biased Features: No features found\n"));
    assert!(printed.contains("TP-biased (OR > 1): 0 (0.0%)"));
    assert!(!printed.contains("NaN") && !printed.contains("Detailed Analysis"));
    assert!(printed.ends_with("• High-support features (>75th percentile): 0\n"));
    let table = written(|out| csv::bias(&findings.bias, out));
    assert_eq!(table.lines().count(), 1);
    let top = written(|out| json::top_biased(&findings, out));
    assert_eq!(
        top,
        "{\n  \"top_tp_biased\": [],\n  \"top_fp_biased\": []\n}"
    );
    let pairs = written(|out| csv::coactivation(&findings.coactivation, out));
    assert_eq!(pairs, "atom_a,atom_b,count,support_a,support_b\n");
}

#[test]
fn where_the_notebook_crashes_it_is_said_why() {
    use atomscope::cohort::Label::{Fp, Tp};
    let sentence = "Nothing to rank: all calls are TP (30)";
    assert_empty("all_tp", Empty::OneClass(Tp), sentence);
    let sentence = "Nothing to rank: all calls are FP (30)";
    assert_empty("all_fp", Empty::OneClass(Fp), sentence);
    let sentence = "Nothing to rank: no atom fires on 5 calls or more";
    assert_empty("low_support", Empty::LowSupport, sentence);
}
