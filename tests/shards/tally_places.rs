//! Where tallies are written: nothing that is there is lost by it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::args;
use crate::common::sharded::{Sharded, succeed};
use crate::common::{assert_refused, atomscope};

fn merge(out: &Path, tallies: &[&PathBuf]) -> std::process::Output {
    let mut args = args!["merge", "--out", out].to_vec();
    args.extend(tallies.iter().map(Into::into));
    atomscope(args)
}

#[test]
fn neither_inputs_nor_other_files_are_replaced() {
    let cohort = Sharded::new(40);
    let whole = cohort.whole();
    let before = [fs::read(&whole), fs::read(cohort.model())].map(Result::unwrap);
    let name = |path: &Path| path.display().to_string();
    for input in [whole.clone(), cohort.model()] {
        let args = cohort.tally_args(&whole, &input, &[]);
        assert_refused(&atomscope(&args), &["--out", &name(&input), "to be read"]);
    }
    let tally = cohort.tally(&whole, "t/w.tally", &[]);
    assert_refused(
        &merge(&whole, &[&tally]),
        &[&name(&whole), "zip archive", "another name"],
    );
    let notes = cohort.path("notes.txt");
    fs::write(&notes, "mine").expect("written");
    let args = cohort.tally_args(&whole, &notes, &[]);
    assert_refused(
        &atomscope(&args),
        &["notes.txt", "text that begins with \"mine\""],
    );
    // Firing sets have a place of their own.
    let fires = cohort.path("x.tally.fires");
    fs::write(&fires, "mine").expect("written");
    let mut args = cohort.tally_args(&whole, &cohort.path("x.tally"), &[]);
    args.push("--fires".into());
    assert_refused(&atomscope(&args), &["x.tally.fires"]);
    assert_eq!(fs::read(&fires).expect("there"), b"mine");
    assert_eq!(
        [fs::read(&whole), fs::read(cohort.model())].map(Result::unwrap),
        before
    );
    assert_refused(
        &atomscope(args!["report", cohort.model(), "--out", cohort.path("r")]),
        &["sae.pt", "zip archive", "atomscope tally or merge wrote"],
    );
}

#[test]
fn a_merge_replaces_only_what_it_holds() {
    let cohort = Sharded::new(60);
    let pieces = cohort.pieces(3);
    let tally =
        |i: usize| cohort.tally(&pieces[i], &format!("t/{i}.tally"), &["--screen", "single"]);
    let [a, b, c] = [0, 1, 2].map(tally);
    let all = cohort.path("t/all.tally");
    assert!(merge(&all, &[&a, &b]).status.success());
    let two = fs::read(&all).expect("a tally");
    // A pattern matches the output, too: what it holds is among the others.
    assert!(merge(&all, &[&a, &all, &b]).status.success());
    assert!(fs::read(&all).expect("a tally") == two);
    assert!(merge(&all, &[&a, &all, &b, &c]).status.success());
    let three = fs::read(&all).expect("a tally");
    // In place, one after the other.
    let grows = cohort.path("t/grows.tally");
    assert!(merge(&grows, &[&a]).status.success());
    assert!(merge(&grows, &[&grows, &c]).status.success());
    assert!(merge(&grows, &[&b, &grows]).status.success());
    assert!(fs::read(&grows).expect("a tally") == three);
    // The output's name was forgotten: the first tally would be lost.
    let first = fs::read(&a).expect("a tally");
    let lost = merge(&a, &[&b, &c]);
    assert_refused(
        &lost,
        &["--out", "0.tally", "not among those merged", "missing"],
    );
    assert!(fs::read(&a).expect("a tally") == first);
    // An earlier merge can be made again, also of one tally, and gives way to others.
    let other = cohort.path("t/other.tally");
    for tallies in [&[&b][..], &[&a, &c], &[&c]] {
        assert!(merge(&other, tallies).status.success());
    }
    // A damaged one is no loss.
    fs::write(&all, &three[..three.len() / 2]).expect("written");
    assert!(merge(&all, &[&a, &b, &c]).status.success());
    assert!(fs::read(&all).expect("a tally") == three);
}

#[test]
fn names_put_shards_in_order() {
    let cohort = Sharded::new(60);
    let pieces = cohort.pieces(3);
    let expected = cohort.analyze(&[cohort.whole()], "one", &[]);
    // Copies whose own names would put them in another order.
    let mut tallies = Vec::new();
    for (i, (piece, letter)) in pieces.iter().zip(["c", "a", "b"]).enumerate() {
        let copy = cohort.path(letter).with_extension("pt");
        fs::copy(piece, &copy).expect("copied");
        let name = format!("sample {i}");
        tallies.push(cohort.tally(&copy, &format!("t/{letter}.tally"), &["--name", &name]));
    }
    let merged = cohort.merge(&tallies, "t/all");
    assert!(cohort.report(&merged, "report", &["--save-fires"]) == expected);
    // Several files after one --embeddings, as a shell expands a pattern.
    let mut args = args!["analyze", "-q", "--save-fires", "--model", cohort.model()].to_vec();
    args.extend(args!["--out", cohort.path("several"), "--embeddings"]);
    args.extend(pieces.iter().map(Into::into));
    succeed(&args);
    assert!(crate::common::sharded::results(&cohort.path("several")) == expected);
}

/// The whole of a file beside parts of it, as a workflow leaves them that was cut otherwise later.
#[test]
fn firing_sets_that_overlap_count_once() {
    let cohort = Sharded::new(60);
    let expected = cohort.analyze(&[cohort.whole()], "one", &[]);
    let tally = |rows: &str| {
        let more: &[&str] = if rows == "whole" {
            &[]
        } else {
            &["--rows", rows]
        };
        cohort.tally(&cohort.whole(), &format!("t/{rows}.tally"), more)
    };
    let whole = tally("whole");
    let parts = ["0..25", "25..60", "0..40", "40..60", "10..30"].map(tally);
    let merged = cohort.merge(&parts[..2], "t/all");
    for tally in [&merged, &whole] {
        assert!(cohort.report(tally, "report", &["--save-fires"]) == expected);
    }
    // Without the whole, the parts that fit together are found.
    fs::remove_file(whole.with_extension("tally.fires")).expect("removable");
    fs::remove_file(parts[1].with_extension("tally.fires")).expect("removable");
    assert!(cohort.report(&merged, "report", &["--save-fires"]) == expected);
    fs::remove_file(parts[3].with_extension("tally.fires")).expect("removable");
    let refused = atomscope(args!["report", merged, "--out", cohort.path("r")]);
    assert_refused(
        &refused,
        &["rows 0..60", "some of these rows alone", "--fires"],
    );
    // Others' files that are damaged do no harm as long as nothing is missing.
    fs::write(cohort.path("t/other.fires"), "junk").expect("written");
    let again = cohort.tally(&cohort.whole(), "t/again.tally", &[]);
    assert!(cohort.report(&again, "report", &["--save-fires"]) == expected);
}

#[test]
fn checkpoints_leave_what_is_not_theirs() {
    let cohort = Sharded::new(40);
    let folder = cohort.path("x.tally.checkpoints");
    fs::create_dir(&folder).expect("made");
    for name in ["notes.txt", "mine.tally", ".atomscope-mine"] {
        fs::write(folder.join(name), "precious").expect("written");
    }
    cohort.tally(&cohort.whole(), "x.tally", &["--checkpoint-rows", "7"]);
    let left: Vec<_> = crate::common::contents(&folder)
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(left, [".atomscope-mine", "mine.tally", "notes.txt"]);
}
