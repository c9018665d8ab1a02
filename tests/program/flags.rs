//! Messages: the library names no flag of the program, and the program names those that help.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::atomscope;
use crate::common::cohort::{Cohort, Spoilable};

/// What a refused run prints.
fn line(args: &[&str]) -> String {
    let output = atomscope(args);
    assert_eq!(output.status.code(), Some(2), "{args:?}");
    let line = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(line.lines().count(), 1, "{line}");
    line.trim_end().to_owned()
}

#[test]
fn refused_runs_name_the_flags_that_help() {
    let cohort = Cohort::simulated(40);
    let at = |name: &str| cohort.path(name).to_str().expect("UTF-8").to_owned();
    let mut data = Spoilable::new();
    data.embeddings[5] = f32::NAN;
    let (bad, model) = data.write(cohort.folder.path());
    let (bad, small) = (bad.to_str().expect("UTF-8"), model.to_str().expect("UTF-8"));
    let (embeddings, model, out) = (at("embeddings.pt"), at("sae.pt"), at("out"));
    let analyze = |embeddings: &str, model: &str, more: &[&str]| {
        let args = ["analyze", "--embeddings", embeddings, "--model", model];
        let rest = ["--out", &out, "--bootstrap", "0"];
        line(&[&args[..], &rest, more].concat())
    };
    let text = analyze(bad, small, &[]);
    assert!(
        text.ends_with("or drop such rows: --nonfinite skip"),
        "{text}"
    );
    let text = analyze(&embeddings, &model, &["--rows", "5..50"]);
    assert!(
        text.starts_with("atomscope: --rows: found 5..50, expected rows of"),
        "{text}"
    );
    let text = analyze(&embeddings, &model, &["--class-column", "none"]);
    assert!(text.ends_with("--class-column NAME"), "{text}");
    let text = analyze(&embeddings, &model, &["--true-class", "yes,'"]);
    assert!(
        text.ends_with("say which are true: --true-class TP,tp_comp_vcf"),
        "{text}"
    );
    let text = analyze(&at("no*.pt"), &model, &[]);
    assert!(
        text.starts_with("atomscope: --embeddings: found "),
        "{text}"
    );
    let text = analyze(&embeddings, &model, &["--metadata", &at("no*.csv")]);
    assert!(text.starts_with("atomscope: --metadata: found "), "{text}");
    let text = analyze(&at("*.pt"), &model, &[]);
    assert!(text.contains("leave it out of the pattern"), "{text}");
    let text = line(&["simulate", "--out", &out, "--k", "5000"]);
    assert!(
        text.starts_with("atomscope: --k: found 5000, expected"),
        "{text}"
    );
    fs::create_dir_all(cohort.path("out")).expect("made");
    fs::write(cohort.path("out/report.txt"), "mine").expect("written");
    let text = analyze(&embeddings, &model, &[]);
    assert!(text.ends_with("let them be replaced: --force"), "{text}");
}

/// Every source file below a folder.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

/// Texts of files that people read beside the program may name its flags: the tables' columns. So may what is said of a GPU, which the program alone sees to.
#[test]
fn library_messages_name_no_flag() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let apart = ["cli", "engine/cuda", "report"];
    let mut files = Vec::new();
    sources(&src, &mut files);
    files.retain(|path| !apart.iter().any(|name| path.starts_with(src.join(name))));
    assert!(files.len() > 150);
    let is_flag = |line: &&str| {
        let code = line.trim_start();
        let starts = code.match_indices("--").any(|(at, _)| {
            code[at + 2..].starts_with(|c: char| c.is_ascii_lowercase()) && code[..at].contains('"')
        });
        starts && !code.starts_with("//")
    };
    for path in files {
        let text = fs::read_to_string(&path).expect("readable");
        let found: Vec<_> = text.lines().filter(is_flag).collect();
        assert!(found.is_empty(), "{}: {found:?}", path.display());
    }
}
