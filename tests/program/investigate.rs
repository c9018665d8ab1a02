//! `investigate`: the calls of atoms as text, table, BED and JSON, against a plain reading of the
//! cohort and the firing sets that `analyze` writes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::common::cohort::Cohort;
use crate::common::{assert_refused, atomscope};
use atomscope::cohort::Calls;
use atomscope::read::read_cohort;
use npyz::NpyFile;

const ROWS: usize = 400;

fn assert_success(output: &std::process::Output) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
}

struct Known {
    cohort: Cohort,
    calls: Calls,
    /// The rows on which each atom fires, as fires.npy says.
    fires: BTreeMap<u32, BTreeSet<u64>>,
}

impl Known {
    fn new() -> Self {
        let cohort = Cohort::simulated(ROWS);
        assert_success(&cohort.analyze(
            None,
            None,
            &["-q", "--save-fires", "--tables", "notebook"],
        ));
        let bytes = fs::read(cohort.out().join("fires.npy")).expect("written");
        let sets: Vec<u32> = NpyFile::new(&bytes[..])
            .expect("an array")
            .into_vec()
            .expect("uint32");
        let mut fires = BTreeMap::<u32, BTreeSet<u64>>::new();
        for (place, atom) in sets.iter().enumerate() {
            let row = (place / (sets.len() / ROWS)) as u64;
            fires.entry(*atom).or_default().insert(row);
        }
        let calls = read_cohort(&cohort.path("embeddings.pt"))
            .expect("read")
            .calls;
        Self {
            cohort,
            calls,
            fires,
        }
    }

    fn run(&self, more: &[&str]) -> std::process::Output {
        let path = |name: &str| self.cohort.path(name).into_os_string();
        let mut args = vec!["investigate".into(), "-q".into(), "--embeddings".into()];
        args.extend([path("embeddings.pt"), "--model".into(), path("sae.pt")]);
        args.extend(more.iter().map(|&arg| arg.into()));
        atomscope(args)
    }

    /// Runs it with a file, and returns that file's lines, each cut at tabs.
    fn lines(&self, name: &str, more: &[&str]) -> Vec<Vec<String>> {
        let path = self.cohort.path(name);
        fs::remove_file(&path).ok();
        let out = ["--out", path.to_str().expect("UTF-8")];
        assert_success(&self.run(&[&out[..], more].concat()));
        split(&path)
    }
}

fn split(path: &Path) -> Vec<Vec<String>> {
    let text = fs::read_to_string(path).expect("written");
    let cut = |line: &str| line.split('\t').map(str::to_owned).collect();
    text.lines().map(cut).collect()
}

fn number(text: &str) -> f64 {
    text.parse().expect("a number")
}

#[test]
fn table_lists_every_call_of_each_atom_strongest_first() {
    let known = Known::new();
    let lines = known.lines("calls.tsv", &["--atom", "7,2-4"]);
    let header = "atom rank row score label class chrom pos svtype svlen dataset id";
    assert_eq!(lines[0].join(" "), header);
    let mut rest = &lines[1..];
    for atom in [7, 2, 3, 4] {
        let (own, more) = rest.split_at(known.fires.get(&atom).map_or(0, BTreeSet::len));
        rest = more;
        let rows: BTreeSet<u64> = own.iter().map(|line| line[2].parse().unwrap()).collect();
        assert_eq!(Some(&rows), known.fires.get(&atom), "atom {atom}");
        assert!(
            own.iter()
                .enumerate()
                .all(|(at, line)| line[1] == (at + 1).to_string())
        );
        assert!(own.is_sorted_by(|a, b| number(&a[3]) >= number(&b[3])));
        for line in own {
            let call = known.calls.get(line[2].parse().unwrap());
            let is_true = matches!(call.truvari_class, Some("TP" | "tp_comp_vcf"));
            let label = if is_true { "TP" } else { "FP" };
            let expected = [
                label,
                call.truvari_class.unwrap(),
                call.chrom.unwrap(),
                &call.pos.to_string(),
                call.svtype.unwrap(),
                &call.svlen.to_string(),
                call.dataset.unwrap(),
                call.id.unwrap(),
            ];
            assert_eq!(line[4..], expected);
        }
    }
    assert!(rest.is_empty());
}

#[test]
fn top_and_random_are_parts_of_all_calls() {
    let known = Known::new();
    let all = known.lines("all.tsv", &["--atom", "7"]);
    let few = known.lines("few.tsv", &["--atom", "7", "--top", "5"]);
    assert_eq!(few, all[..6]);
    let drawn = |seed| {
        known.lines(
            "drawn.tsv",
            &["--atom", "7", "--random", "9", "--seed", seed],
        )
    };
    let (first, second) = (drawn("1"), drawn("2"));
    assert_eq!(first, drawn("1"));
    assert_ne!(first, second);
    for lines in [first, second] {
        assert_eq!(lines.len(), 10);
        let rows: Vec<_> = lines[1..].iter().map(|line| &line[2..]).collect();
        let mut left = all[1..].iter().map(|line| &line[2..]);
        // In the same order, each once.
        assert!(rows.iter().all(|row| left.any(|other| other == *row)));
    }
}

#[test]
fn bed_has_half_open_intervals_from_zero_in_order() {
    let known = Known::new();
    let lines = known.lines("calls.bed", &["--atom", "7,3"]);
    assert!(lines[0][0].starts_with("#chrom"));
    let fires = &known.fires;
    assert_eq!(lines.len() - 1, fires[&7].len() + fires[&3].len());
    let key = |line: &[String]| (line[0].clone(), number(&line[1]), number(&line[2]));
    assert!(lines[1..].is_sorted_by(|a, b| key(a) <= key(b)));
    for line in &lines[1..] {
        let call = known.calls.get(line[14].parse().unwrap());
        let start = call.pos.as_f64() - 1.0;
        let length = match call.svtype.unwrap() {
            "INS" => 1.0,
            _ => call.svlen.as_f64().abs().max(1.0),
        };
        assert_eq!(
            (number(&line[1]), number(&line[2])),
            (start, start + length)
        );
        assert_eq!([&line[3], &line[4], &line[5]], [call.id.unwrap(), "0", "."]);
    }
}

#[test]
fn json_has_every_call_and_the_text_its_first_ones() {
    let known = Known::new();
    let output = known.run(&["--atom", "7", "--json"]);
    assert_success(&output);
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let calls = found[0]["calls"].as_array().expect("a list");
    assert_eq!(calls.len(), known.fires[&7].len());
    assert_eq!(found[0]["support"], calls.len());
    assert_eq!(found[0]["all_calls"], true);
    for field in [
        "bias",
        "sv_types",
        "sizes",
        "top_chromosomes",
        "datasets",
        "examples",
    ] {
        assert!(!found[0][field].is_null(), "{field}");
    }
    let fields = [
        "score",
        "label",
        "truvari_class",
        "chrom",
        "pos",
        "svtype",
        "svlen",
        "id",
    ];
    assert!(
        calls
            .iter()
            .all(|call| fields.iter().all(|name| !call[name].is_null()))
    );
    let text = |more: &[&str]| {
        let output = known.run(&[&["--atom", "7"][..], more].concat());
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let plain = text(&[]);
    let listed = text(&["--top", "2"]);
    let rest = listed
        .strip_prefix(plain.as_str())
        .expect("the notebook's text first");
    assert!(rest.contains("strongest first (2 of ") && rest.lines().count() == 6);
}

#[test]
fn files_are_replaced_by_force_alone_and_inputs_never() {
    let known = Known::new();
    let at = |name: &str| known.cohort.path(name).to_str().expect("UTF-8").to_owned();
    fs::write(at("mine.tsv"), "mine").expect("written");
    let refused = |out: &str, more: &[&str], words: &[&str]| {
        let args = ["--atom", "7", "--out", out];
        assert_refused(&known.run(&[&args[..], more].concat()), words);
    };
    refused(
        &at("mine.tsv"),
        &[],
        &["mine.tsv", "there already", "--force"],
    );
    assert_eq!(fs::read(at("mine.tsv")).expect("there"), b"mine");
    refused(&at("calls.xlsx"), &[], &["--out", ".tsv, .bed or .parquet"]);
    refused(&at("none/"), &[], &["--out"]);
    let link = at("link.tsv");
    fs::hard_link(at("embeddings.pt"), &link).expect("linked");
    refused(
        &link,
        &["--force"],
        &["--out", "an input is never replaced"],
    );
    fs::remove_file(&link).expect("removed");
    refused(
        &at("x.tsv"),
        &["--atom", "95-96"],
        &["--atom", "found 96", "0 to 95"],
    );
    assert!(!Path::new(&at("x.tsv")).exists());
    assert!(known.lines("mine.tsv", &["--atom", "7"]).len() > 1);
}
