//! What `--print` prints; `report.txt` has all of it, whatever is printed.

use crate::common::cohort::Cohort;
use crate::common::{contents, notebook_section};

fn printed(cohort: &Cohort, part: &[&str]) -> (String, Vec<(String, Vec<u8>)>) {
    let mut args = vec!["-q", "--permutations", "99", "--bootstrap", "0"];
    args.extend(part);
    let output = cohort.analyze(None, None, &args);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{stderr}");
    let mut files = contents(&cohort.out());
    files.retain(|(name, _)| name != "run.json");
    (String::from_utf8(output.stdout).unwrap(), files)
}

#[test]
fn print_chooses_what_is_printed_and_nothing_else() {
    let cohort = Cohort::simulated(500);
    let (full, files) = printed(&cohort, &[]);
    let report = &files
        .iter()
        .find(|(name, _)| name == "report.txt")
        .unwrap()
        .1;
    assert_eq!(full.as_bytes(), report);
    assert_eq!(
        printed(&cohort, &["--print", "full"]),
        (full.clone(), files.clone())
    );
    let (summary, same) = printed(&cohort, &["--print", "summary"]);
    assert!(same == files);
    assert!(full.starts_with(&format!("{summary}\n SAE Feature Bias Landscape\n")));
    assert!(summary.lines().count() < 16, "{summary}");
    let (notebook, same) = printed(&cohort, &["--print", "notebook"]);
    assert!(same == files);
    assert_eq!(notebook, notebook_section(&full));
    let (alone, _) = printed(&cohort, &["--tables", "notebook"]);
    assert_eq!(alone, notebook);
}

#[test]
fn print_refuses_other_words() {
    let cohort = Cohort::simulated(60);
    let output = cohort.analyze(None, None, &["--print", "short"]);
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("summary, notebook, full"), "{stderr}");
}
