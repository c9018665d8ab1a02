//! Activations part by part: a run that is stopped goes on where it was.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use atomscope::analysis::shards::{Checkpoints, SetsFrom, shards};
use atomscope::analysis::{CountOptions, Counted, Plan};
use atomscope::cohort::Label;
use atomscope::control::{Control, Progress, Stage};
use atomscope::error::{Error, Result};
use npyz::WriterBuilder;

const ROWS: u64 = 53;
const ATOMS: u64 = 9;

/// Activations as numbers by a rule, and their calls.
fn write(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("acts.npy");
    let file = std::fs::File::create(&path).expect("a place");
    let options = npyz::WriteOptions::<f32>::new().default_dtype();
    let mut array = options
        .shape(&[ROWS, ATOMS])
        .writer(file)
        .begin_nd()
        .expect("a header");
    let value = |i: u64| {
        if fires(i / ATOMS, i % ATOMS) {
            0.5 + i as f32
        } else {
            0.0
        }
    };
    array.extend((0..ROWS * ATOMS).map(value)).expect("numbers");
    array.finish().expect("all of them");
    let classes = (0..ROWS).map(|row| if is_true(row) { "TP" } else { "FP" });
    let lines: Vec<&str> = std::iter::once("truvari_class").chain(classes).collect();
    std::fs::write(folder.join("acts.csv"), lines.join("\n")).expect("a place");
    path
}

fn fires(row: u64, atom: u64) -> bool {
    (row * row + 3 * atom).is_multiple_of(atom + 2)
}

fn is_true(row: u64) -> bool {
    !row.is_multiple_of(3)
}

/// Counts in parts of ten rows, until `last` rows are done.
fn count(file: &Path, kept: &Path, last: u64) -> Result<Counted> {
    let inputs = shards(&[file.to_owned()], &[], None)?;
    let checkpoints = Checkpoints::open(kept)?;
    let options = CountOptions::default();
    let plan = Plan {
        part_rows: 10,
        checkpoints: Some(&checkpoints),
        ..Plan::of(&inputs, SetsFrom::Activations { atoms: None }, &options)
    };
    let done = AtomicU64::new(0);
    let progress = |progress: Progress| {
        assert_eq!(progress.stage, Stage::Reading);
        done.fetch_max(progress.done, Ordering::Relaxed);
    };
    let stop = || done.load(Ordering::Relaxed) >= last;
    plan.count(&Control::default().on_progress(&progress).cancel_when(&stop))
}

#[test]
fn a_run_over_activations_that_was_stopped_goes_on_where_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, kept) = (write(folder.path()), folder.path().join("kept"));
    let stopped = count(&file, &kept, 30);
    assert!(matches!(stopped, Err(Error::Cancelled)), "{stopped:?}");
    let counted = count(&file, &kept, u64::MAX).expect("counts");
    let run = counted.run.expect("a run");
    assert!(
        run.resumed_rows >= 20 && run.resumed_rows < ROWS,
        "{}",
        run.resumed_rows
    );
    assert!(run.sae.is_none() && run.encoder.is_none());
    for label in [Label::Tp, Label::Fp] {
        let of_label = |row: &u64| is_true(*row) == (label == Label::Tp);
        let counts = counted
            .cohort
            .tally
            .counts_where(|stratum| stratum.label == label);
        let expected = (0..ATOMS).map(|atom| {
            let rows = (0..ROWS).filter(of_label);
            rows.filter(|&row| fires(row, atom)).count() as u64
        });
        assert_eq!(counts, expected.collect::<Vec<_>>(), "{label:?}");
    }
}
