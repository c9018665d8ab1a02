//! Runs that are killed, and go on where they were.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::sharded::{Sharded, record, results, succeed};
use crate::common::{assert_refused, atomscope, contents};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Kills that must have hit a running process.
const KILLS: u32 = 50;

fn start(args: &[std::ffi::OsString]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_atomscope"));
    command
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn().expect("the program starts")
}

/// Kills a run again and again, at drawn moments, until it ends by itself before it is killed; how
/// often it was killed. `longest` is how long a run takes. It follows what the machine has to do besides: it
/// becomes what a run took that was left alone, and grows with every kill.
fn kill_until_done(
    args: &[std::ffi::OsString],
    longest: &mut Duration,
    draw: &mut ChaCha8Rng,
) -> u32 {
    for kills in 0.. {
        let mut child = start(args);
        let moment = longest.mul_f64(draw.random_range(0.0..1.0));
        let began = Instant::now();
        loop {
            if let Some(status) = child.try_wait().expect("a child") {
                assert!(status.success(), "a run that goes on fails");
                if kills == 0 {
                    *longest = began.elapsed();
                }
                return kills;
            }
            if began.elapsed() > moment {
                break;
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        // SIGKILL.
        child.kill().expect("killable");
        child.wait().expect("a child");
        *longest = longest.mul_f64(1.05);
    }
    unreachable!("a run ends")
}

/// Every file in a folder and below, hidden ones among them.
fn all_names(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for (name, _) in contents(folder) {
        let path = folder.join(&name);
        if path.is_dir() {
            names.extend(
                all_names(&path)
                    .into_iter()
                    .map(|below| format!("{name}/{below}")),
            );
        }
        names.push(name);
    }
    names.sort();
    names
}

#[test]
fn runs_that_are_killed_go_on_and_lose_nothing() {
    let cohort = Sharded::new(4000);
    let pieces = cohort.pieces(7);
    let expected = cohort.analyze(&pieces, "undisturbed", &[]);
    let out = cohort.path("killed");
    let args = cohort.analyze_args(&pieces, &out, &["--checkpoint-rows", "100"]);
    let began = Instant::now();
    succeed(&args);
    let mut longest = began.elapsed();
    let names = all_names(&out);
    let mut draw = ChaCha8Rng::seed_from_u64(11);
    let (mut kills, mut runs) = (0, 0);
    while kills < KILLS {
        fs::remove_dir_all(&out).expect("removable");
        kills += kill_until_done(&args, &mut longest, &mut draw);
        runs += 1;
        assert!(results(&out) == expected, "after {kills} kills");
        assert_eq!(all_names(&out), names, "something stays behind");
    }
    assert!(runs < KILLS, "no run was killed more than once");
}

/// Over the files of a run with other options, so that a kill between two renames leaves files of
/// both: no run that follows takes either for a user's.
#[test]
fn runs_that_are_killed_over_an_earlier_one_go_on() {
    let cohort = Sharded::new(600);
    let out = cohort.path("killed");
    let options = [
        &["--min-support", "3"][..],
        &["--min-support", "20", "--replicate", "chrom"],
    ];
    let args = options.map(|more| cohort.analyze_args(&[cohort.whole()], &out, more));
    let began = Instant::now();
    let expected = [0, 1].map(|which| {
        succeed(&args[which]);
        (results(&out), all_names(&out))
    });
    let mut longest = began.elapsed() / 2;
    let mut draw = ChaCha8Rng::seed_from_u64(13);
    let (mut kills, mut runs) = (0, 0);
    while kills < KILLS {
        let which = runs % 2;
        kills += kill_until_done(&args[which], &mut longest, &mut draw);
        runs += 1;
        let found = (results(&out), all_names(&out));
        assert!(found == expected[which], "after {kills} kills");
    }
}

#[test]
fn a_tally_that_is_killed_goes_on() {
    let cohort = Sharded::new(3000);
    let more = ["--checkpoint-rows", "150", "--screen", "single"];
    let folder = cohort.path("t");
    let out = cohort.tally(&cohort.whole(), "t/w.tally", &more);
    let expected = contents(&folder);
    let mut args = cohort.tally_args(&cohort.whole(), &out, &more);
    args.push("--fires".into());
    let began = Instant::now();
    fs::remove_dir_all(&folder).expect("removable");
    succeed(&args);
    let mut longest = began.elapsed();
    let mut draw = ChaCha8Rng::seed_from_u64(12);
    let mut kills = 0;
    while kills < KILLS {
        fs::remove_dir_all(&folder).expect("removable");
        kills += kill_until_done(&args, &mut longest, &mut draw);
        assert!(contents(&folder) == expected, "after {kills} kills");
    }
}

#[test]
fn a_bad_shard_loses_nothing_that_was_done() {
    let cohort = Sharded::new(90);
    let mut pieces = cohort.pieces(3);
    let expected = cohort.analyze(&pieces, "undisturbed", &[]);
    // The last shard's embeddings are of another model.
    let good = fs::read(&pieces[2]).expect("a shard");
    let other = crate::common::cohort::Spoilable::new();
    other.write_cohort(&pieces[2]);
    let out = cohort.path("results");
    let args = cohort.analyze_args(&pieces, &out, &[]);
    let name = pieces[2].display().to_string();
    assert_refused(
        &atomscope(&args),
        &[&name, "rows of 4 numbers", "24, the input_dim"],
    );
    assert!(results(&out).is_empty() || !out.join("report.txt").exists());
    fs::write(&pieces[2], good).expect("writable");
    // Under other names, and at another time, files are still known by what they hold.
    let moved = pieces[0].with_file_name("embeddings-1a.pt");
    fs::rename(&pieces[0], &moved).expect("movable");
    pieces[0] = moved;
    succeed(&cohort.analyze_args(&pieces, &out, &[]));
    assert!(results(&out) == expected);
    assert_eq!(record(&out)["encode"]["rows_resumed"], 60);
    assert_eq!(record(&out)["encode"]["rows"], 30);
}

#[test]
fn parts_of_other_content_are_made_again() {
    let cohort = Sharded::new(90);
    let pieces = cohort.pieces(3);
    let out = cohort.path("results");
    let checkpoints = out.join(".atomscope-checkpoints");
    let args = |more: &[&str]| cohort.analyze_args(&pieces, &out, more);
    // A run that ends in the middle: the third shard is missing.
    let aside = pieces[2].with_extension("aside");
    let begin = || {
        let _ = fs::remove_dir_all(&out);
        fs::rename(&pieces[2], &aside).expect("movable");
        assert_eq!(atomscope(args(&[])).status.code(), Some(2));
        fs::rename(&aside, &pieces[2]).expect("movable");
        assert_eq!(
            contents(&checkpoints).len(),
            4,
            "two tallies, their firing sets"
        );
    };
    let resumed = || record(&out)["encode"]["rows_resumed"].clone();
    begin();
    succeed(&args(&[]));
    assert_eq!(resumed(), 60);
    // Half-written, or with one bit changed.
    let cut = |bytes: &mut Vec<u8>| bytes.truncate(bytes.len() / 2);
    let flip = |bytes: &mut Vec<u8>| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 16;
    };
    for spoil in [cut as fn(&mut Vec<u8>), flip] {
        begin();
        let (name, mut bytes) = contents(&checkpoints).swap_remove(1);
        spoil(&mut bytes);
        fs::write(checkpoints.join(name), bytes).expect("writable");
        succeed(&args(&[]));
        assert_eq!(resumed(), 30);
    }
    // Another content under the same name.
    begin();
    fs::copy(&pieces[1], &pieces[0]).expect("copied");
    let twice = atomscope(args(&[]));
    assert_refused(
        &twice,
        &["rows 0..30 of it", "embeddings-1.pt", "embeddings-2.pt"],
    );
}

#[test]
fn what_is_in_the_place_of_a_part_is_set_aside_and_named() {
    let cohort = Sharded::new(90);
    let pieces = cohort.pieces(3);
    let out = cohort.path("results");
    let expected = cohort.analyze(&pieces, "whole", &[]);
    let checkpoints = out.join(".atomscope-checkpoints");
    let args = cohort.analyze_args(&pieces, &out, &[]);
    let aside = pieces[2].with_extension("aside");
    fs::rename(&pieces[2], &aside).expect("movable");
    assert_eq!(atomscope(&args).status.code(), Some(2));
    fs::rename(&aside, &pieces[2]).expect("movable");
    let (name, _) = contents(&checkpoints).swap_remove(1);
    fs::write(checkpoints.join(&name), "no part").expect("writable");
    let output = succeed(&args);
    let stderr = String::from_utf8_lossy(&output.stderr);
    let warning = stderr.lines().find(|line| line.contains(&name));
    assert!(
        warning.is_some_and(|line| line.contains("aside-1")),
        "{stderr}"
    );
    // The folder of parts stays, for what was set aside in it.
    let mut found = results(&out);
    found.retain(|(name, _)| name != ".atomscope-checkpoints");
    assert!(found == expected);
    let kept = fs::read(checkpoints.join(format!("{name}.aside-1")));
    assert_eq!(kept.expect("set aside"), b"no part");
}

#[test]
fn a_finished_tally_is_left_as_it_is() {
    let cohort = Sharded::new(50);
    let out = cohort.tally(&cohort.whole(), "t/w.tally", &[]);
    let changed = |path: &Path| {
        fs::metadata(path)
            .expect("there")
            .modified()
            .expect("a time")
    };
    let fires = out.with_extension("tally.fires");
    let before = (changed(&out), changed(&fires));
    let run = |more: &[&str]| {
        let mut args = cohort.tally_args(&cohort.whole(), &out, more);
        args.retain(|arg| arg != "-q");
        String::from_utf8_lossy(&succeed(&args).stderr).into_owned()
    };
    let said = run(&["--fires"]);
    assert!(said.contains("was already in"), "{said}");
    assert_eq!((changed(&out), changed(&fires)), before);
    // Where something is missing, damaged, or of other rows, it is done again.
    fs::remove_file(&fires).expect("removable");
    assert!(!run(&["--fires"]).contains("was already"));
    assert!(fires.exists());
    assert!(run(&[]).contains("was already"));
    assert!(!run(&["--rows", "0..49"]).contains("was already"));
    assert!(!run(&["--name", "other"]).contains("was already"));
    let bytes = fs::read(&out).expect("a tally");
    fs::write(&out, &bytes[..bytes.len() - 1]).expect("writable");
    assert!(!run(&["--name", "other"]).contains("was already"));
}

#[test]
fn two_runs_do_not_work_on_one_output() {
    let cohort = Sharded::new(40);
    let out = cohort.path("results");
    let folder = out.join(".atomscope-checkpoints");
    fs::create_dir_all(&folder).expect("made");
    let lock = fs::File::create(folder.join("lock")).expect("made");
    lock.lock().expect("locked");
    let args = cohort.analyze_args(&cohort.pieces(2), &out, &[]);
    assert_refused(&atomscope(&args), &["another run at work"]);
    drop(lock);
    succeed(&args);
}

/// Whether a file of firing sets has scores.
fn has_scores(path: &Path) -> bool {
    let file = atomscope::store::FiresFile::open(path);
    file.expect("firing sets").has_scores()
}

#[test]
fn a_tally_has_the_scores_that_are_asked_for_whatever_was_done_before() {
    let cohort = Sharded::new(90);
    let whole = cohort.whole();
    let same = ["--screen", "single"];
    let undisturbed = |out: &str, more: &[&str]| {
        let tally = cohort.tally(&whole, out, &[&same, more].concat());
        fs::read(tally.with_extension("tally.fires")).expect("firing sets")
    };
    let with = undisturbed("u/with.tally", &[]);
    let without = undisturbed("u/without.tally", &["--without-scores"]);
    assert!(without.len() * 3 < with.len() * 2, "scores are most of it");
    let out = cohort.path("t/w.tally");
    let fires = out.with_extension("tally.fires");
    let run = |more: &[&str]| {
        let mut args = cohort.tally_args(&whole, &out, &[&same, more].concat());
        args.retain(|arg| arg != "-q");
        String::from_utf8_lossy(&succeed(&args).stderr).into_owned()
    };
    // What an earlier run has left beside the tally: parts with scores, or without.
    let checkpoints = cohort.path("t/w.tally.checkpoints");
    let leave_parts = |more: &[&str]| {
        drop(fs::remove_dir_all(cohort.path("t")));
        fs::create_dir_all(&checkpoints).expect("made");
        for rows in ["0..40", "40..80"] {
            let more = [&same, &["--rows", rows], more].concat();
            let part = cohort.tally(&whole, "parts/p.tally", &more);
            let file = atomscope::store::FiresFile::open(&part.with_extension("tally.fires"));
            let shard = file.expect("firing sets").shard().clone();
            let digest = &shard.sha256.to_string()[..16];
            let name = format!("{digest}-{}-{}", shard.rows.start, shard.rows.end);
            for ending in ["tally", "tally.fires"] {
                let to = format!("{name}.{}", ending.trim_start_matches("tally."));
                let from = part.with_extension(ending);
                fs::copy(from, checkpoints.join(to)).expect("copied");
            }
        }
    };
    let every = ["--fires", "--checkpoint-rows", "40"];
    let bare = ["--fires", "--checkpoint-rows", "40", "--without-scores"];
    for (left, asked, expected, done_before) in [
        (&[][..], &every[..], &with, true),
        (&[], &bare, &without, true),
        (&["--without-scores"], &every, &with, false),
        (&["--without-scores"], &bare, &without, true),
    ] {
        leave_parts(left);
        let said = run(asked);
        assert!(
            fs::read(&fires).expect("firing sets") == *expected,
            "{left:?}, {asked:?}"
        );
        let found = said.contains("80 calls were done by an earlier run");
        assert_eq!(found, done_before, "{left:?}, {asked:?}: {said}");
        assert!(!checkpoints.exists());
    }
    // A finished tally is the one that is asked for, or is made again.
    assert!(!has_scores(&fires));
    assert!(run(&bare).contains("was already in"));
    assert!(!run(&every).contains("was already in"));
    assert!(has_scores(&fires));
    assert!(run(&every).contains("was already in"));
    assert!(!run(&bare).contains("was already in"));
    assert!(run(&[]).contains("was already in"), "counts alone");
}

#[test]
fn scores_in_files_are_those_of_the_engine() {
    let cohort = Sharded::new(130);
    let expected = cohort.scored();
    for more in [
        &[][..],
        &["--memory", "1", "--checkpoint-rows", "50"],
        &["--batch-rows", "7", "--threads", "2"],
    ] {
        let tally = cohort.tally(&cohort.whole(), "t/w.tally", more);
        let path = tally.with_extension("tally.fires");
        let file = atomscope::store::FiresFile::open(&path).expect("firing sets");
        assert_eq!(file.sets(0..130).expect("sets"), expected);
        // A part of them is that part.
        let some = file.sets(31..77).expect("sets");
        let k = expected.uniform_size().unwrap();
        let scores = expected.scores().expect("scores");
        assert_eq!(some.scores(), Some(&scores[31 * k..77 * k]));
        fs::remove_dir_all(cohort.path("t")).expect("removable");
    }
}
