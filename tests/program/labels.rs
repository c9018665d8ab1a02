//! Classes that the notebook does not know end a run, with the arguments that would make sense of
//! them; with these the answer is that of the same calls under the notebook's classes.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Output;

use crate::common::cohort::Cohort;
use crate::common::sharded::results;
use crate::common::{assert_refused, atomscope};
use atomscope::cohort::Label;
use atomscope::read::read_cohort;

const ROWS: usize = 300;

/// A simulated cohort, and tables of its calls.
struct Tables {
    cohort: Cohort,
    /// Whether each call is true.
    is_true: Vec<bool>,
    rows: Vec<[String; 5]>,
}

impl Tables {
    fn new() -> Self {
        let cohort = Cohort::simulated(ROWS);
        let calls = read_cohort(&cohort.path("embeddings.pt")).unwrap().calls;
        let row = |row: usize| {
            let call = calls.get(row);
            [
                call.chrom.unwrap().to_owned(),
                call.pos.to_string(),
                call.svtype.unwrap().to_owned(),
                call.svlen.to_string(),
                call.dataset.unwrap_or_default().to_owned(),
            ]
        };
        Self {
            is_true: (0..ROWS)
                .map(|row| calls.truvari_class.get(row) == Some("TP"))
                .collect(),
            rows: (0..ROWS).map(row).collect(),
            cohort,
        }
    }

    /// A table whose class columns are `names`, of which `classes` gives the values of a true call
    /// and of a false one.
    fn write(
        &self,
        name: &str,
        columns: &[(&str, [&str; 2])],
        rows: std::ops::Range<usize>,
    ) -> PathBuf {
        let path = self.cohort.path(name);
        let mut table = csv::Writer::from_path(&path).unwrap();
        let fields = ["chrom", "pos", "svtype", "svlen", "dataset"];
        let names = columns.iter().map(|(name, _)| *name);
        table.write_record(fields.into_iter().chain(names)).unwrap();
        for row in rows {
            let classes = columns
                .iter()
                .map(|(_, of)| of[usize::from(!self.is_true[row])]);
            let fields = self.rows[row].iter().map(String::as_str);
            table.write_record(fields.chain(classes)).unwrap();
        }
        table.flush().unwrap();
        path
    }

    fn analyze(&self, table: &Path, more: &[&str]) -> Output {
        let named = [
            "-q",
            "--bootstrap",
            "0",
            "--metadata",
            table.to_str().unwrap(),
        ];
        self.cohort.analyze(None, None, &[&named, more].concat())
    }

    /// All files of a run but its record.
    fn files(&self, table: &Path, more: &[&str]) -> Vec<(String, Vec<u8>)> {
        let output = self.analyze(table, more);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{stderr}");
        results(&self.cohort.out())
    }
}

/// The argument that a message proposes, as a shell takes it apart.
fn proposed(output: &Output) -> Vec<String> {
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = stderr.lines().next().unwrap();
    let at = line.find("--class-column").or(line.find("--true-class"));
    let script = format!(
        "for a in {}; do printf '%s\\n' \"$a\"; done",
        &line[at.unwrap()..]
    );
    let shell = std::process::Command::new("sh")
        .args(["-c", &script])
        .output()
        .unwrap();
    String::from_utf8(shell.stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

#[test]
fn classes_that_are_not_understood_end_the_run_and_the_proposal_makes_sense_of_them() {
    let tables = Tables::new();
    let all = 0..ROWS;
    let known = [("truvari_class", ["TP", "FP"])];
    let known = tables.write("known.csv", &known, all.clone());
    let expected = tables.files(&known, &[]);
    for (number, columns) in [
        &[("truvari_class", ["tp", "fp"])][..],
        &[("truvari_class", ["True", "False"])],
        &[("truvari_class", ["true", "false"])],
        &[("truvari_class", ["1", "0"])],
        &[("truvari_class", ["TP ", "FP"])],
        &[("truvari_class", ["Tp", "Fp"])],
        &[("filter", ["PASS", "LOW"]), ("state", ["tp", "fp"])],
        &[("other", ["0", "1"]), ("label", ["1", "0"])],
        &[("truvari_class", ["", ""]), ("bench", ["TP", "FP"])],
        &[
            ("truvari_class", ["PASS", "PASS"]),
            ("is it true", ["yes", "no"]),
        ],
    ]
    .into_iter()
    .enumerate()
    {
        let table = tables.write("odd.csv", columns, all.clone());
        std::fs::remove_dir_all(tables.cohort.out()).ok();
        let refused = tables.analyze(&table, &[]);
        assert_refused(&refused, &["odd.csv", "the classes"]);
        assert!(
            !tables.cohort.out().exists(),
            "an output folder was made for nothing"
        );
        let arguments = proposed(&refused);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        // What a report says of single calls has their classes in it.
        let mut found = tables.files(&table, &arguments);
        let mut wanted = expected.clone();
        for files in [&mut found, &mut wanted] {
            files.retain(|(name, _)| !name.starts_with("report."));
        }
        assert_eq!(found, wanted, "case {number}: {arguments:?}");
    }
}

#[test]
fn cohort_without_any_class_is_refused_and_one_of_false_calls_is_not() {
    let tables = Tables::new();
    let table = tables.write("none.csv", &[], 0..ROWS);
    let words = ["none.csv", "no call that has one", "--class-column NAME"];
    assert_refused(&tables.analyze(&table, &[]), &words);
    let table = tables.write("odd.csv", &[("truvari_class", ["PASS", "LOW"])], 0..ROWS);
    let words = ["odd.csv", "\"PASS\"", "\"LOW\"", "--true-class VALUE"];
    assert_refused(&tables.analyze(&table, &[]), &words);
    let known = tables.write("false.csv", &[("truvari_class", ["FP", "FP"])], 0..ROWS);
    tables.files(&known, &[]);
    let words = ["--true-class", "'no such'", "\"FP\" (300 calls)"];
    let given = ["--true-class", "no such"];
    let refused = tables.analyze(&known, &given);
    assert_refused(&refused, &words);
}

#[test]
fn true_spellings_beside_the_notebooks_are_warned_of() {
    let tables = Tables::new();
    let path = tables.write("some.csv", &[("truvari_class", ["TP", "tp"])], 0..ROWS);
    let output = tables.analyze(&path, &[]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let proposal = "if they are true calls, say so: --true-class TP,tp_comp_vcf,tp";
    assert!(stderr.contains(proposal), "{stderr}");
    let output = tables.analyze(&path, &["--true-class", "TP", "--true-class", "tp,Tp"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert!(
        stderr.contains("no call has truvari_class \"Tp\""),
        "{stderr}"
    );
    assert!(!stderr.contains("count as FP"), "{stderr}");
    let record = std::fs::read(tables.cohort.out().join("run.json")).unwrap();
    let record: serde_json::Value = serde_json::from_slice(&record).unwrap();
    let rule = serde_json::json!({"column": "truvari_class", "true_classes": ["TP", "Tp", "tp"]});
    assert_eq!(record["class_rule"], rule);
}

/// Shards of a cohort, one without true calls: parts of it are accepted, and the whole is the same.
#[test]
#[allow(clippy::too_many_lines)]
fn shards_of_one_class_are_parts_of_a_cohort_and_tallies_of_other_rules_are_not() {
    let tables = Tables::new();
    let rule = ["--class-column", "state", "--true-class", "tp"];
    let odd = [("state", ["tp", "fp"])];
    let whole = tables.write("whole.csv", &odd, 0..ROWS);
    let expected = tables.files(&whole, &rule);
    let tally = |rows: &str, out: &str, more: &[&str]| {
        let table = whole.to_str().unwrap().to_owned();
        let (embeddings, model) = (
            tables.cohort.path("embeddings.pt"),
            tables.cohort.path("sae.pt"),
        );
        let mut args: Vec<String> = [
            "tally",
            "-q",
            "--fires",
            "--rows",
            rows,
            "--metadata",
            &table,
        ]
        .map(str::to_owned)
        .to_vec();
        args.extend([
            "--embeddings".to_owned(),
            embeddings.to_str().unwrap().to_owned(),
        ]);
        args.extend(["--model".to_owned(), model.to_str().unwrap().to_owned()]);
        args.extend([
            "--out".to_owned(),
            tables.cohort.path(out).to_str().unwrap().to_owned(),
        ]);
        args.extend(more.iter().map(|&arg| arg.to_owned()));
        atomscope(args)
    };
    // A row at which a true call is followed by false ones, so that a part has one class alone.
    let first_false = tables.is_true.iter().position(|is| !is).unwrap();
    let (one, rest) = (
        format!("{first_false}..{}", first_false + 1),
        format!("{}..{ROWS}", first_false + 1),
    );
    let before = format!("0..{first_false}");
    let mut parts = vec![(one.as_str(), "one.tally"), (rest.as_str(), "rest.tally")];
    if first_false > 0 {
        parts.push((before.as_str(), "before.tally"));
    }
    let mut names = Vec::new();
    for (rows, out) in parts {
        let output = tally(rows, out, &rule);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        names.push(tables.cohort.path(out));
    }
    // The same rows by another rule are counted anew, and do not go with the others.
    assert_refused(
        &tally(&rest, "odd.tally", &[]),
        &["whole.csv", "--class-column state"],
    );
    let output = tally(
        &rest,
        "odd.tally",
        &["--class-column", "state", "--true-class", "tp,Tp"],
    );
    assert!(output.status.success());
    let merge = |out: &Path, tallies: &[PathBuf]| {
        let mut args = vec![
            "merge".into(),
            "-q".into(),
            "--out".into(),
            out.as_os_str().to_owned(),
        ];
        args.extend(tallies.iter().map(|path| path.as_os_str().to_owned()));
        atomscope(args)
    };
    let all = tables.cohort.path("all.tally");
    let odd = [names[0].clone(), tables.cohort.path("odd.tally")];
    assert_refused(
        &merge(&tables.cohort.path("x.tally"), &odd),
        &["class_rule", "--true-class"],
    );
    assert!(merge(&all, &names).status.success());
    for path in [
        tables.cohort.path("odd.tally"),
        tables.cohort.path("odd.tally.fires"),
    ] {
        std::fs::remove_file(path).unwrap();
    }
    std::fs::remove_dir_all(tables.cohort.out()).unwrap();
    let report = atomscope([
        "report".as_ref(),
        "-q".as_ref(),
        all.as_os_str(),
        "--bootstrap".as_ref(),
        "0".as_ref(),
        "--model".as_ref(),
        tables.cohort.path("sae.pt").as_os_str(),
        "--out".as_ref(),
        tables.cohort.out().as_os_str(),
    ]);
    assert!(
        report.status.success(),
        "{}",
        String::from_utf8_lossy(&report.stderr)
    );
    assert!(results(&tables.cohort.out()) == expected, "files differ");
}

#[test]
fn several_files_are_understood_together() {
    let tables = Tables::new();
    let (first, second) = (tables.cohort.path("a.pt"), tables.cohort.path("b.pt"));
    std::fs::copy(tables.cohort.path("embeddings.pt"), &first).unwrap();
    std::fs::copy(tables.cohort.path("embeddings.pt"), &second).unwrap();
    // Other bytes of the same rows, so that they are another shard.
    let spelled = tables.write("a.csv", &[("truvari_class", ["tp", "fp"])], 0..ROWS);
    let known = tables.write("b.csv", &[("truvari_class", ["TP", "FP"])], 0..ROWS);
    let run = |tables_of: [&Path; 2]| {
        let array = |name: &str| tables.cohort.path(name);
        let mut args: Vec<std::ffi::OsString> = ["analyze", "-q", "--tables", "notebook"]
            .map(Into::into)
            .to_vec();
        args.push("--embeddings".into());
        args.extend([array("a.npy").into(), array("b.npy").into()]);
        args.push("--metadata".into());
        args.extend(tables_of.map(Into::into));
        args.extend([
            "--model".into(),
            array("sae.pt").into(),
            "--out".into(),
            tables.cohort.out().into(),
        ]);
        atomscope(args)
    };
    let rows = read_cohort(&first).unwrap().rows;
    for (name, shift) in [("a.npy", 0.0_f32), ("b.npy", 0.25)] {
        use atomscope::rows::Rows;
        let mut numbers = vec![0.0; rows.count() * rows.dim()];
        rows.read(0..rows.count(), &mut numbers).unwrap();
        let header = format!(
            "{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}",
            rows.count(),
            rows.dim()
        );
        let header = format!("{header:<117}\n");
        let mut file = std::fs::File::create(tables.cohort.path(name)).unwrap();
        file.write_all(b"\x93NUMPY\x01\0").unwrap();
        file.write_all(&(header.len() as u16).to_le_bytes())
            .unwrap();
        file.write_all(header.as_bytes()).unwrap();
        for number in numbers {
            file.write_all(&(number + shift).to_le_bytes()).unwrap();
        }
    }
    // One file has the notebook's classes: its rule holds, with a warning, whatever the order is.
    for order in [[&*spelled, &*known], [&*known, &*spelled]] {
        let output = run(order);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{stderr}");
        assert!(stderr.contains("truvari_class \"tp\""), "{stderr}");
    }
    let other = tables.write("b.csv", &[("truvari_class", ["Tp", "fp"])], 0..ROWS);
    std::fs::remove_dir_all(tables.cohort.out()).unwrap();
    let words = ["a.csv and 1 more", "--true-class tp,Tp"];
    assert_refused(&run([&spelled, &other]), &words);
}

/// Any key of `sv_info` can be the class, and inspect counts by the same rule.
#[test]
fn key_of_sv_info_is_named_as_a_column_is() {
    let cohort = Cohort::simulated(40);
    let run =
        |more: &[&str]| cohort.analyze(None, None, &[&["-q", "--bootstrap", "0"], more].concat());
    let refused = run(&["--class-column", "state"]);
    assert_refused(
        &refused,
        &["sv_info", "--class-column", "name a key that is there"],
    );
    for wrong in ["svtype", "id", ""] {
        assert_eq!(run(&["--class-column", wrong]).status.code(), Some(2));
    }
    let calls = read_cohort(&cohort.path("embeddings.pt")).unwrap().calls;
    let count = |is: &dyn Fn(usize) -> bool| (0..40).filter(|&row| is(row)).count();
    let trues = count(&|row| calls.label(row) == Label::Tp);
    let falses = count(&|row| calls.truvari_class.get(row) == Some("FP"));
    for (more, expected) in [(&[][..], trues), (&["--true-class", "FP"], falses)] {
        let mut args = vec!["inspect".to_owned(), "--json".to_owned()];
        args.extend(more.iter().map(|&arg| arg.to_owned()));
        args.push(cohort.path("embeddings.pt").to_str().unwrap().to_owned());
        let found: serde_json::Value = serde_json::from_slice(&atomscope(args).stdout).unwrap();
        assert_eq!(found["calls"]["true_calls"], expected);
    }
}
