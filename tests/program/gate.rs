//! The one gate to the terminal: nothing that a name holds forges a line or steers a terminal.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use crate::common::atomscope;
use crate::common::cohort::Cohort;

/// What a name may hold: an escape sequence, line ends, C1, a mark of direction, a divider of lines.
const HOSTILE: &str = "x\u{1b}]0;title\u{7}\u{1b}[31m\natomscope: error: forged\r\u{9b}2J\u{85}\u{202e}\u{2066}\u{2028}";

/// Demands that stderr is lines of the program's own, whose every character is visible.
fn assert_plain(output: &Output) {
    let stderr = String::from_utf8(output.stderr.clone()).expect("UTF-8");
    let hidden = |c: char| {
        c.is_control() && c != '\n' || ('\u{2028}'..='\u{202e}').contains(&c) || c == '\u{2066}'
    };
    assert!(!stderr.contains(hidden), "{stderr:?}");
    assert!(!stderr.is_empty());
    for line in stderr.lines() {
        assert!(
            line.starts_with("atomscope: ") && !line.starts_with("atomscope: error"),
            "{line:?} of {stderr:?}"
        );
    }
}

#[test]
fn stderr_shows_hostile_names_of_columns_and_keys() {
    let cohort = Cohort::simulated(40);
    let at = |name: &str| cohort.path(name).to_str().expect("UTF-8").to_owned();
    let class = |row: usize| ["TP", "FP", HOSTILE][row % 3];
    let quoted = |row: usize| format!("{row},1,\"{}\"\n", class(row));
    let rows = (0..40).map(quoted).collect::<Vec<_>>().concat();
    let table = format!("pos,\"{HOSTILE}\",truvari_class\n{rows}");
    fs::write(at("calls.csv"), table).expect("written");
    let line = |row: usize| {
        let call = serde_json::json!({"pos": row, HOSTILE: 1, "truvari_class": class(row)});
        format!("{call}\n")
    };
    let lines = (0..40).map(line).collect::<Vec<_>>().concat();
    fs::write(at("calls.jsonl"), lines).expect("written");
    for table in ["calls.csv", "calls.jsonl"] {
        // A warning of a class that nobody knows, and an error that lists the columns.
        for (more, code) in [(&["-q"][..], 0), (&["--class-column", "none"], 2)] {
            let output = cohort.analyze(None, None, &[more, &["--metadata", &at(table)]].concat());
            assert_eq!(output.status.code(), Some(code), "{output:?}");
            assert_plain(&output);
            let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
            let shown = "\\u{1b}[31m\\natomscope: error: forged";
            assert!(stderr.contains(shown), "{stderr}");
        }
    }
}

#[cfg(unix)]
#[test]
fn stderr_shows_hostile_names_of_files_and_folders() {
    let cohort = Cohort::simulated(40);
    let folder = cohort.path(HOSTILE);
    fs::create_dir(&folder).expect("made");
    let named = folder.join(format!("{HOSTILE}.pt"));
    fs::copy(cohort.path("embeddings.pt"), &named).expect("copied");
    let (out, model) = (folder.join("out"), cohort.path("sae.pt"));
    let run = |args: &[&Path], code: i32| {
        let output = atomscope(args);
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        assert_plain(&output);
    };
    let (analyze, embeddings) = (Path::new("analyze"), Path::new("--embeddings"));
    let (with, to) = (Path::new("--model"), Path::new("--out"));
    run(&[analyze, embeddings, &named, with, &model, to, &out], 0);
    run(&[analyze, embeddings, &named, with, &named, to, &out], 2);
    run(&[Path::new("inspect"), &folder.join("missing")], 2);
    run(&[Path::new("inspect"), &folder], 2);
    let tally = folder.join("a.tally");
    run(
        &[
            Path::new("tally"),
            embeddings,
            &named,
            with,
            &model,
            to,
            &tally,
        ],
        0,
    );
    run(&[Path::new("verify"), &folder], 2);
    fs::write(out.join("notes"), "").expect("written");
    run(&[Path::new("verify"), &out], 2);
}

#[test]
fn usage_shows_what_was_typed() {
    let typed = format!("--{HOSTILE}");
    for args in [
        vec![&*typed],
        vec!["analyze", &typed],
        vec!["analyze", "--k", HOSTILE],
    ] {
        let output = atomscope(&args);
        assert_eq!(output.status.code(), Some(2));
        let stderr = String::from_utf8(output.stderr).expect("UTF-8");
        let hidden =
            |c: char| c.is_control() && c != '\n' || ('\u{2028}'..='\u{202e}').contains(&c);
        assert!(!stderr.contains(hidden), "{stderr:?}");
        assert!(
            stderr.lines().all(|line| !line.starts_with("atomscope")),
            "{stderr:?}"
        );
    }
}

/// All sources in a folder and below.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder");
    let paths = entries.map(|entry| entry.expect("readable").path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                sources(&path)
            } else {
                vec![path]
            }
        })
        .filter(|path| path.extension().is_some_and(|ending| ending == "rs"))
        .collect()
}

#[test]
fn sources_write_to_stderr_by_the_gate_alone() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut looked, mut by_gate) = (0, 0);
    for path in sources(&root.join("src"))
        .into_iter()
        .chain(sources(&root.join("python/src")))
    {
        let text = fs::read_to_string(&path).expect("text");
        let code = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        let writes = |line: &&str| {
            ["eprint!", "eprintln!", "dbg!", "stderr()"]
                .iter()
                .any(|word| line.contains(word))
        };
        let found: Vec<_> = code.filter(writes).collect();
        looked += 1;
        if path.ends_with("cli/progress.rs") {
            by_gate = found.len();
        } else {
            assert!(found.is_empty(), "{}: {found:?}", path.display());
        }
    }
    // The gate itself, its line without memory, what clap says of mistakes (and whether it does), and the
    // bar with its look at the terminal.
    assert!(
        looked > 300 && by_gate == 6,
        "{looked} files, {by_gate} lines in the gate's"
    );
}
