//! What the program does not wait for: pipes that nobody writes into, and the end of a file once it is told
//! to stop.

#![cfg(unix)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::common::assert_refused;
use crate::common::cohort::Cohort;

/// Starts the program in a folder.
fn start(folder: &Path, args: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_atomscope"))
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started")
}

/// What it says, within so many seconds.
fn ended(mut child: Child, seconds: u64) -> Output {
    let began = Instant::now();
    while child.try_wait().expect("a process").is_none() {
        if began.elapsed() > Duration::from_secs(seconds) {
            child.kill().expect("killed");
            panic!("no end within {seconds} s");
        }
        sleep(Duration::from_millis(5));
    }
    child.wait_with_output().expect("output")
}

#[test]
fn pipes_without_a_writer_are_refused_in_one_line() {
    let cohort = Cohort::simulated(40);
    let names = [
        "p.pt", "p.json", "p.csv", "p.bed", "p.vcf.gz", "p.tally", "p.npz", "p.fires",
    ];
    for name in names {
        let made = Command::new("mkfifo").arg(cohort.path(name)).status();
        assert!(made.expect("mkfifo").success());
    }
    let analyze = ["analyze", "-q", "--out", "o"];
    let own = ["--embeddings", "embeddings.pt", "--model", "sae.pt"];
    let model = ["--embeddings", "embeddings.pt", "--model"];
    for args in [
        vec!["inspect", "p.pt"],
        vec!["inspect", "p.csv"],
        [&analyze[..], &["--embeddings", "p.pt", "--model", "sae.pt"]].concat(),
        [&analyze[..], &["--activations", "p.npz"]].concat(),
        [&analyze[..], &model, &["p.json"]].concat(),
        [&analyze[..], &model, &["p.pt"]].concat(),
        [&analyze[..], &own, &["--metadata", "p.csv"]].concat(),
        [&analyze[..], &own, &["--regions", "a=p.bed"]].concat(),
        [&analyze[..], &own, &["--labels", "p.csv"]].concat(),
        vec!["report", "-q", "p.tally", "--out", "o"],
        vec!["merge", "-q", "p.tally", "--out", "m.tally"],
        vec!["html", "p.tally", "--out", "page.html"],
        vec!["calls", "p.vcf.gz"],
        vec!["convert", "p.pt", "--out", "model.safetensors"],
        vec![
            "investigate",
            "--atom",
            "1",
            "--embeddings",
            "p.pt",
            "--model",
            "sae.pt",
        ],
    ] {
        let output = ended(start(cohort.folder.path(), &args), 20);
        assert_refused(&output, &["p."]);
    }
    // A folder in which a pipe lies where a record might.
    fs::create_dir(cohort.path("o")).expect("made");
    let made = Command::new("mkfifo")
        .arg(cohort.path("o/run.json"))
        .status();
    assert!(made.expect("mkfifo").success());
    for args in [vec!["verify", "o"], [&analyze[..], &own].concat()] {
        let output = ended(start(cohort.folder.path(), &args), 20);
        assert_refused(&output, &["run.json"]);
    }
}

/// Sends a signal once the program has begun to read, and demands that it ends soon.
fn interrupt(folder: &Path, args: &[&str], signal: &str) {
    let child = start(folder, args);
    sleep(Duration::from_millis(150));
    let sent = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status();
    assert!(sent.expect("kill").success());
    let output = ended(child, 3);
    assert_eq!(output.status.code(), Some(130), "{args:?}: {output:?}");
    let lines: Vec<_> = BufReader::new(&*output.stderr).lines().collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].as_ref().expect("text").contains("interrupted"),
        "{lines:?}"
    );
}

#[test]
fn signals_are_heard_while_tables_are_read() {
    let cohort = Cohort::simulated(40);
    // Long enough to be still read when the signal comes, on any machine.
    let mut table = fs::File::create(cohort.path("calls.csv")).expect("made");
    table
        .write_all(b"chrom,pos,svtype,svlen,id,truvari_class\n")
        .expect("written");
    let line = |row| format!("chr1,{row},DEL,-{row},id{row},TP\n");
    let lines = (0..20_000).map(line).collect::<Vec<_>>().concat();
    (0..300).for_each(|_| table.write_all(lines.as_bytes()).expect("written"));
    let args = [
        "analyze",
        "-q",
        "--embeddings",
        "embeddings.pt",
        "--model",
        "sae.pt",
        "--metadata",
        "calls.csv",
        "--out",
        "o",
    ];
    let folder = cohort.folder.path();
    interrupt(folder, &["inspect", "calls.csv"], "-INT");
    interrupt(folder, &args, "-TERM");
    assert!(
        !cohort.path("o").exists(),
        "an output folder was made for nothing"
    );
}
