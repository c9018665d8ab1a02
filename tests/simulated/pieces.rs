//! A simulated cohort in several files: the same rows and calls as in one, and no file of an
//! earlier cohort beside them.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::common::{assert_refused, atomscope, contents};
use atomscope::cohort::Calls;
use atomscope::control::Control;
use atomscope::read::read_cohort;
use atomscope::rows::Rows;
use atomscope::simulate::{SimulateOptions, Truth, piece_names, simulate, simulate_pieces};

type Outcome = Result<(), Box<dyn Error>>;

const DIM: usize = 12;

fn options(rows: usize) -> SimulateOptions {
    SimulateOptions::new(rows, DIM, 40, 3, 2)
}

/// The rows and calls of some files, one after the other, and how many each has.
struct Concatenated {
    rows: Vec<f32>,
    calls: Calls,
    lengths: Vec<usize>,
}

fn read(folder: &Path, names: &[String]) -> Result<Concatenated, Box<dyn Error>> {
    let mut all = Concatenated {
        rows: Vec::new(),
        calls: Calls::default(),
        lengths: Vec::new(),
    };
    for name in names {
        let cohort = read_cohort(&folder.join(name))?;
        let count = cohort.rows.count();
        let mut rows = vec![0.0; count * DIM];
        cohort.rows.read(0..count, &mut rows)?;
        all.rows.extend(rows);
        (0..count).for_each(|row| all.calls.push(&cohort.calls.get(row)));
        all.lengths.push(count);
    }
    Ok(all)
}

/// The names in a folder, in order.
fn names(folder: &Path) -> Vec<String> {
    contents(folder).into_iter().map(|(name, _)| name).collect()
}

#[test]
fn pieces_hold_what_the_one_file_holds() -> Outcome {
    let folder = tempfile::tempdir()?;
    let whole = folder.path().join("whole");
    let truth = simulate(&whole, &options(57), &Control::default())?;
    let one = read(&whole, &piece_names(1))?;
    assert_eq!(one.lengths, [57]);
    for (pieces, longest, shortest) in [(2, 29, 28), (10, 6, 5), (57, 1, 1)] {
        let cut = folder.path().join(pieces.to_string());
        assert_eq!(
            simulate_pieces(&cut, &options(57), pieces, &Control::default())?,
            truth
        );
        let many = read(&cut, &piece_names(pieces))?;
        let bits = |rows: &[f32]| -> Vec<u32> { rows.iter().map(|x| x.to_bits()).collect() };
        assert!(bits(&many.rows) == bits(&one.rows), "{pieces}");
        assert!(many.calls == one.calls, "{pieces}");
        assert!(many.lengths.is_sorted_by(|a, b| a >= b));
        assert_eq!(
            (many.lengths[0], many.lengths[pieces - 1]),
            (longest, shortest)
        );
        assert_eq!(
            fs::read(cut.join("sae.pt"))?,
            fs::read(whole.join("sae.pt"))?
        );
        // The same but for the files that it lists.
        let read: Truth = serde_json::from_slice(&fs::read(cut.join("truth.json"))?)?;
        assert_eq!(read, truth);
    }
    Ok(())
}

#[test]
fn one_piece_is_the_one_file() -> Outcome {
    let folder = tempfile::tempdir()?;
    let [whole, piece] = ["whole", "piece"].map(|name| folder.path().join(name));
    simulate(&whole, &options(9), &Control::default())?;
    simulate_pieces(&piece, &options(9), 1, &Control::default())?;
    assert_eq!(contents(&whole), contents(&piece));
    Ok(())
}

#[test]
fn an_earlier_cohort_goes_once_the_new_one_is_there() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path();
    let run = |pieces| simulate_pieces(path, &options(20), pieces, &Control::default());
    let stopped = || {
        // Asked once a piece: the last time when all rows are there.
        let asked = AtomicUsize::new(0);
        let last = || asked.fetch_add(1, Ordering::Relaxed) == 2;
        let control = Control::default().cancel_when(&last);
        simulate_pieces(path, &options(20), 3, &control)
    };
    // These only look alike.
    let others = ["embeddings-chr1.pt", "embeddings-.pt", "my-embeddings-1.pt"];
    for name in others {
        fs::write(path.join(name), "mine")?;
    }
    let with = |ours: &[String]| {
        let mut expected: Vec<String> = ["sae.pt", "truth.json"].map(str::to_owned).to_vec();
        expected.extend(others.map(str::to_owned));
        expected.extend_from_slice(ours);
        expected.sort();
        expected
    };
    for pieces in [1, 12, 3, 2, 1] {
        run(pieces)?;
        assert_eq!(names(path), with(&piece_names(pieces)));
        let before = contents(path);
        assert!(stopped().is_err());
        assert!(
            contents(path) == before,
            "a run that is stopped changes nothing"
        );
    }
    Ok(())
}

#[test]
fn numbers_of_pieces_that_make_no_sense_are_refused_in_one_line() -> Outcome {
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("never");
    for pieces in ["0", "21", "18446744073709551615"] {
        let name = out.to_string_lossy();
        let output = atomscope([
            "simulate", "--rows", "20", "--pieces", pieces, "--out", &name,
        ]);
        let found = format!("--pieces: found {pieces}, expected a number from 1 to 20");
        assert_refused(&output, &[&found]);
    }
    assert!(!out.exists());
    Ok(())
}

/// More pieces than a process may have files open, where it may have as few as on macOS.
#[cfg(unix)]
#[test]
fn pieces_may_be_more_than_files_may_be_open() -> Outcome {
    let folder = tempfile::tempdir()?;
    let script = "ulimit -n 256 && exec \"$0\" simulate --quiet --rows 300 --pieces 300 \
                  --input-dim 4 --features 4 --k 1 --out \"$1\"";
    let output = std::process::Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_atomscope")])
        .arg(folder.path())
        .output()?;
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(names(folder.path()).len(), 302);
    Ok(())
}
