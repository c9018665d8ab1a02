//! What the tests of the program share.

#![allow(dead_code)]

pub(crate) mod activations;
pub(crate) mod case;
pub(crate) mod cohort;
pub(crate) mod emulator;
pub(crate) mod gpu;
pub(crate) mod hostile;
pub(crate) mod inputs;
pub(crate) mod letters;
pub(crate) mod reading;
#[path = "../../benches/shared/rules.rs"]
pub(crate) mod rules;
pub(crate) mod sharded;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Runs the program.
pub(crate) fn atomscope<I: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = I>) -> Output {
    Command::new(env!("CARGO_BIN_EXE_atomscope"))
        .args(args)
        .output()
        .expect("the program starts")
}

/// The folder of real data. Tests that need it are ignored unless they are asked for.
pub(crate) fn delly_mims() -> PathBuf {
    let folder = std::env::var_os("ATOMSCOPE_DELLY_MIMS").map(PathBuf::from);
    folder.expect("ATOMSCOPE_DELLY_MIMS names the folder of real data")
}

/// Tells that a test, or a part of it, was left out.
pub(crate) fn skipped(test: &str, why: &str) {
    say(&format!("SKIPPED {test}: {why}"));
}

/// A line straight to the terminal: the test harness hides what a passing test prints.
pub(crate) fn say(line: &str) {
    let _ = std::io::Write::write_all(
        &mut std::io::stderr().lock(),
        format!("{line}\n").as_bytes(),
    );
}

/// Everything in a folder, by name, with its content.
pub(crate) fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("a readable folder"))
        .map(|entry| {
            let content = std::fs::read(entry.path()).unwrap_or_default();
            (entry.file_name().to_string_lossy().into_owned(), content)
        })
        .collect();
    files.sort();
    files
}

/// The notebook's text in a report: from its first line, which may be one on dropped calls, to its last,
/// which is the last of the bulleted lines after the title of the closing summary.
pub(crate) fn notebook_section(report: &str) -> &str {
    let start = report
        .find(" SAE Feature Bias Landscape\n")
        .expect("the notebook's first line");
    let line = report[..start]
        .trim_end()
        .rfind('\n')
        .map_or(0, |at| at + 1);
    let is_note = report[line..].starts_with("Note: ");
    let start = if is_note { line } else { start };
    let closing = report.find(" SAE Interpretability Summary\n");
    let closing = closing.expect("the notebook's closing summary");
    let bullet = report.rfind("\n• ").expect("its findings") + 1;
    assert!(bullet > closing);
    let end = bullet + report[bullet..].find('\n').expect("its last line") + 1;
    &report[start..end]
}

/// Demands exit code 2, nothing on stdout, one line on stderr with all of `words` in it.
pub(crate) fn assert_refused(output: &Output, words: &[&str]) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(
        output.stdout.is_empty(),
        "stdout: {}",
        String::from_utf8_lossy(&output.stdout)
    );
    assert_eq!(stderr.lines().count(), 1, "one line, not {stderr}");
    for word in words {
        assert!(stderr.contains(word), "{word:?} is not in {stderr}");
    }
}
