//! `verify`, and the lock on outputs.

use std::fs;

use crate::common::cohort::Cohort;
use crate::common::{assert_refused, atomscope};

fn verify(cohort: &Cohort, more: &[&str]) -> std::process::Output {
    let out = cohort.out().into_os_string();
    atomscope(
        ["verify".into(), out]
            .into_iter()
            .chain(more.iter().map(Into::into)),
    )
}

#[test]
fn verify_takes_a_whole_folder_and_names_each_fault() {
    let cohort = Cohort::simulated(60);
    assert!(cohort.analyze(None, None, &["-q"]).status.success());
    let output = verify(&cohort, &[]);
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(
        text.contains("14 files") && text.contains("run.json"),
        "{text}"
    );
    assert!(output.stderr.is_empty());
    // The cohort has a record of its own, which is truth.json.
    let sim = atomscope(["verify".as_ref(), cohort.folder.path().as_os_str()]);
    assert!(
        String::from_utf8_lossy(&sim.stdout).contains("truth.json"),
        "{sim:?}"
    );

    fs::write(cohort.out().join("notes.md"), "mine").expect("written");
    assert_refused(&verify(&cohort, &[]), &["notes.md", "--allow-others"]);
    assert!(verify(&cohort, &["--allow-others"]).status.success());
    let table = cohort.out().join("sae_feature_bias_analysis.csv");
    let mut bytes = fs::read(&table).expect("a table");
    bytes[40] ^= 1;
    fs::write(&table, bytes).expect("written");
    fs::remove_file(cohort.out().join("report.txt")).expect("removed");
    let output = verify(&cohort, &["--allow-others"]);
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(
        text.contains("its SHA-256") && text.contains("no such file"),
        "{text}"
    );
    fs::remove_file(cohort.out().join("run.json")).expect("removed");
    assert_refused(&verify(&cohort, &[]), &["neither run.json nor truth.json"]);
}

#[cfg(unix)]
#[test]
fn outputs_are_locked_and_no_link_is_followed() {
    let cohort = Cohort::simulated(60);
    let (mine, out) = (cohort.path("mine"), cohort.out());
    fs::create_dir(&out).expect("made");
    let hold = |name: &str| {
        let lock = fs::File::create(cohort.path(name)).expect("made");
        lock.lock().expect("locked");
        lock
    };
    let held = hold("results/.atomscope.lock");
    assert_refused(
        &cohort.analyze(None, None, &["-q"]),
        &["another run at work"],
    );
    drop(held);
    fs::remove_file(out.join(".atomscope.lock")).expect("removed");
    fs::write(&mine, "mine").expect("written");
    std::os::unix::fs::symlink(&mine, out.join(".atomscope.lock")).expect("linked");
    assert_refused(
        &cohort.analyze(None, None, &["-q"]),
        &["the lock", "a link"],
    );
    assert_eq!(fs::read(&mine).expect("there"), b"mine");
    fs::remove_file(out.join(".atomscope.lock")).expect("removed");
    // One tally is another's neighbour, and may be written meanwhile.
    let held = hold(".a.tally.lock");
    let tally = |name: &str| {
        let at = |name: &str| cohort.path(name).into_os_string();
        let args = ["tally", "-q", "--embeddings"].map(Into::into);
        let files = [
            at("embeddings.pt"),
            "--model".into(),
            at("sae.pt"),
            "--out".into(),
            at(name),
        ];
        atomscope(args.into_iter().chain(files))
    };
    assert_refused(&tally("a.tally"), &["a.tally", "another run at work"]);
    assert!(tally("b.tally").status.success());
    drop(held);
    assert!(tally("a.tally").status.success());
    assert!(!cohort.path(".a.tally.lock").exists());
}
