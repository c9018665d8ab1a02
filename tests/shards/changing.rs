//! Files that change while a run reads them.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use crate::common::sharded::Sharded;
use atomscope::analysis::shards::SetsFrom;
use atomscope::analysis::shards::{Checkpoints, shards};
use atomscope::analysis::{CountOptions, Counted, Plan};
use atomscope::control::{Control, Progress};
use atomscope::error::{Error, Result};

/// Counts files in parts of ten rows; `meanwhile` is called once, in the second part.
fn run(
    cohort: &Sharded,
    files: &[&Path],
    kept: &Path,
    meanwhile: impl Fn() + Sync,
) -> Result<Counted> {
    run_beside(cohort, files, kept, (20, true), meanwhile)
}

/// The same, after so many rows, and with files hashed beside the encoding or not.
fn run_beside(
    cohort: &Sharded,
    files: &[&Path],
    kept: &Path,
    (after, beside): (u64, bool),
    meanwhile: impl Fn() + Sync,
) -> Result<Counted> {
    let files: Vec<_> = files.iter().map(|path| path.to_path_buf()).collect();
    let inputs = shards(&files, &[], None)?;
    let checkpoints = Checkpoints::open(kept)?;
    let options = CountOptions::default();
    let once = std::sync::Once::new();
    let progress = |progress: Progress| {
        if progress.done == after {
            once.call_once(&meanwhile);
        }
    };
    let plan = Plan {
        inputs: &inputs,
        sets_from: SetsFrom::Model(&cohort.model()),
        options: &options,
        part_rows: 10,
        checkpoints: Some(&checkpoints),
        firings: None,
        output: None,
        read_ahead: beside,
    };
    plan.count(&Control::default().on_progress(&progress))
}

fn assert_changed(done: Result<Counted>, file: &Path) {
    let Err(Error::Input(error)) = done else {
        panic!("a file that changed is read as if it had not: {done:?}");
    };
    assert_eq!(error.file, file.display().to_string());
    assert!(
        error.action.contains("changed while it was read"),
        "{error:?}"
    );
}

#[test]
fn a_file_that_is_rewritten_is_told_and_what_was_done_before_stays() {
    let cohort = Sharded::new(40);
    let (file, kept) = (cohort.whole(), cohort.path("kept"));
    let good = fs::read(&file).expect("a file");
    let grow = || {
        let mut file = OpenOptions::new()
            .append(true)
            .open(cohort.whole())
            .expect("writable");
        file.write_all(b"more").expect("written");
    };
    assert_changed(run(&cohort, &[&file], &kept, grow), &file);
    fs::write(&file, &good).expect("writable");
    // Another content from the start, under the same name.
    let another = || {
        let other = cohort.pieces(2).swap_remove(1);
        fs::remove_file(cohort.whole()).expect("removable");
        fs::copy(other, cohort.whole()).expect("copied");
    };
    assert_changed(run(&cohort, &[&file], &kept, another), &file);
    fs::remove_file(&file).expect("removable");
    fs::write(&file, &good).expect("writable");
    let done = run(&cohort, &[&file], &kept, || {}).expect("nothing changes any more");
    let run = done.run.as_ref().expect("a run");
    assert_eq!(
        run.resumed_rows, 10,
        "only what was read before the change is kept"
    );
    assert_eq!(done.cohort.shards.rows(), 40);
}

#[test]
fn a_file_that_changes_before_its_turn_is_read_as_it_is_then_or_told() {
    let cohort = Sharded::new(60);
    let pieces = cohort.pieces(3);
    let files: Vec<&Path> = pieces.iter().map(AsRef::as_ref).collect();
    let last = files[2].to_path_buf();
    let before = fs::read(&last).expect("a file");
    let swap = || {
        // Of the same length, so that its time of change alone tells.
        let mut bytes = before.clone();
        let place = bytes.len() / 2;
        bytes[place..place + 4].copy_from_slice(&1.5f32.to_le_bytes());
        fs::write(&last, bytes).expect("writable");
    };
    match run(&cohort, &files, &cohort.path("kept"), swap) {
        Ok(done) => {
            let files = done.run.map(|run| run.files).unwrap_or_default();
            let digest = files.iter().find(|file| Path::new(&file.path) == last);
            let now = atomscope::digest::Digest::of(&fs::read(&last).expect("a file"));
            assert_eq!(
                digest.map(|file| file.sha256),
                Some(now),
                "what is said is what was read"
            );
        }
        // As it is then, its bytes are not those whose checksum was written with them.
        Err(Error::Input(error)) if error.found.contains("CRC-32") => {
            assert_eq!(error.file, last.display().to_string());
        }
        told => assert_changed(told, &last),
    }
}

#[test]
fn a_model_that_is_replaced_is_told() {
    let cohort = Sharded::new(40);
    let (model, whole) = (cohort.model(), cohort.whole());
    let swap = || {
        let mut bytes = fs::read(cohort.model()).expect("a model");
        let place = bytes.len() / 2;
        bytes[place] ^= 1;
        fs::write(cohort.model(), bytes).expect("writable");
    };
    // With one thread it is hashed when it is asked for: after the first part.
    let beside = [true, false].map(|beside| {
        let kept = cohort.path(&format!("kept-{beside}"));
        let good = fs::read(&model).expect("a model");
        let done = run_beside(&cohort, &[&whole], &kept, (10, beside), swap);
        fs::write(&model, good).expect("writable");
        done
    });
    for done in beside {
        match done {
            // Hashed before it was replaced.
            Ok(done) => {
                let now = fs::read(&model).expect("a model");
                assert_eq!(
                    done.cohort.model.sha256,
                    atomscope::digest::Digest::of(&now)
                );
            }
            told => assert_changed(told, &model),
        }
    }
}
