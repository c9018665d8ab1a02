//! `report.html` and the command `html`.

use std::fs;

use crate::common::cohort::Cohort;
use crate::common::{assert_refused, atomscope, contents};

fn names(cohort: &Cohort) -> Vec<String> {
    let files = contents(&cohort.out()).into_iter();
    files.map(|(name, _)| name).collect()
}

#[test]
fn html_says_whether_the_page_is_written() {
    let cohort = Cohort::simulated(200);
    assert!(
        cohort
            .analyze(None, None, &["-q", "--html", "no"])
            .status
            .success()
    );
    assert!(!names(&cohort).contains(&"report.html".to_owned()));
    assert!(names(&cohort).contains(&"atoms.parquet".to_owned()));
    assert!(
        cohort
            .analyze(None, None, &["-q", "--html", "only"])
            .status
            .success()
    );
    assert_eq!(names(&cohort), ["report.html", "run.json"]);
}

#[test]
fn html_of_a_tally_is_the_page_of_its_report_and_takes_names_later() {
    let cohort = Cohort::simulated(300);
    let path = |name: &str| cohort.path(name).to_str().expect("UTF-8").to_owned();
    let [embeddings, model] = ["embeddings.pt", "sae.pt"].map(path);
    let [tally, results, page, named, labels] = [
        "c.tally",
        "results",
        "page.html",
        "named.html",
        "labels.tsv",
    ]
    .map(path);
    let succeed = |args: &[&str]| {
        let output = atomscope(args.iter().copied());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {stderr}");
    };
    succeed(&[
        "tally",
        "-q",
        "--fires",
        "--embeddings",
        &embeddings,
        "--model",
        &model,
        "--out",
        &tally,
    ]);
    succeed(&["report", "-q", &tally, "--out", &results]);
    succeed(&["html", "-q", &tally, "--out", &page]);
    let read = |name: &str| fs::read_to_string(name).expect("a page");
    assert!(read(&page) == read(&format!("{results}/report.html")));
    fs::write(&labels, "atom\tname\n3\t<b>Alu</b>\n").expect("written");
    succeed(&[
        "html", "-q", &results, "--genome", "hg19", "--labels", &labels, "--out", &named,
    ]);
    assert!(read(&named).contains("\"labels\":{\"3\":\"\\u003cb>Alu\\u003c/b>\"}"));
    // What is there already is not replaced, and what is no page of this version is refused.
    let refused =
        |args: &[&str], words: &[&str]| assert_refused(&atomscope(args.iter().copied()), words);
    refused(
        &["html", &results, "--out", &named],
        &["named.html", "already"],
    );
    fs::write(&labels, "atom\tname\nthree\tAlu\n").expect("written");
    refused(
        &[
            "html", &results, "--labels", &labels, "--out", &page, "--force",
        ],
        &["three", "line 2", "labels.tsv"],
    );
    let whole = read(&page);
    let cut = whole.get(..whole.len() / 2).expect("its first half");
    fs::write(format!("{results}/report.html"), cut).expect("written");
    refused(
        &["html", &results, "--out", &page, "--force"],
        &["report.html", "without its end"],
    );
    fs::remove_file(format!("{results}/report.html")).expect("removed");
    refused(
        &["html", &results, "--out", &page, "--force"],
        &["report.html", "no such file"],
    );
}
