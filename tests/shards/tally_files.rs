//! Tally files and firing sets that are damaged, do not go together, or cannot be written.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::args;
use crate::common::sharded::{Sharded, record, succeed};
use crate::common::{assert_refused, atomscope, contents};
use sha2::{Digest, Sha256};

/// Two halves of a cohort, counted.
fn halves(cohort: &Sharded) -> [PathBuf; 2] {
    let pieces = cohort.pieces(2);
    [0, 1].map(|i| cohort.tally(&pieces[i], &format!("t/{i}.tally"), &[]))
}

fn merge(tallies: &[&Path], out: &Path) -> std::process::Output {
    let mut args = args!["merge", "-q", "--out", out].to_vec();
    args.extend(tallies.iter().map(Into::into));
    atomscope(args)
}

/// A file with the text in its header changed, and the checksum made anew: as a program would have
/// written it that has other ideas.
fn with_header(bytes: &[u8], change: impl Fn(&str) -> String) -> Vec<u8> {
    let length = u64::from_le_bytes(bytes[..8].try_into().expect("8 bytes")) as usize;
    let header = std::str::from_utf8(&bytes[8..8 + length]).expect("JSON");
    let mark = "\"checksum\":\"";
    let at = header.find(mark).expect("a checksum") + mark.len();
    let blank = |header: &str| [&header[..at], &"0".repeat(64), &header[at + 64..]].concat();
    let changed = blank(&change(header));
    let whole = |header: &str| {
        let length = (header.len() as u64).to_le_bytes();
        [
            &length[..],
            header.as_bytes(),
            &bytes[8 + length_of(bytes)..],
        ]
        .concat()
    };
    let digest = Sha256::digest(whole(&changed));
    let digest = digest
        .iter()
        .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    whole(&[&changed[..at], &digest, &changed[at + 64..]].concat())
}

fn length_of(bytes: &[u8]) -> usize {
    u64::from_le_bytes(bytes[..8].try_into().expect("8 bytes")) as usize
}

#[test]
fn the_checksum_is_that_of_the_file_without_it() {
    let cohort = Sharded::new(20);
    let [tally, _] = halves(&cohort);
    for path in [tally.clone(), tally.with_extension("tally.fires")] {
        let bytes = fs::read(path).expect("a file");
        assert!(with_header(&bytes, str::to_owned) == bytes);
    }
}

#[test]
fn every_flipped_bit_and_every_cut_is_found() {
    let cohort = Sharded::new(20);
    let [tally, other] = halves(&cohort);
    let (good, out) = (
        fs::read(&tally).expect("a tally"),
        cohort.path("merged.tally"),
    );
    let fires = tally.with_extension("tally.fires");
    let good_fires = fs::read(&fires).expect("firing sets");
    let report = args![
        "report",
        "-q",
        tally,
        "--fires",
        fires,
        "--out",
        cohort.path("r")
    ];
    let spoil = |good: &[u8], path: &Path, run: &dyn Fn() -> std::process::Output| {
        let name = path.display().to_string();
        let step = good.len() / 40;
        for at in (0..good.len())
            .step_by(step.max(1))
            .chain([8, good.len() - 1])
        {
            let mut bytes = good.to_vec();
            bytes[at] ^= 1 << (at % 8);
            fs::write(path, bytes).expect("writable");
            assert_refused(&run(), &[&name]);
            fs::write(path, &good[..at]).expect("writable");
            assert_refused(&run(), &[&name]);
        }
        fs::write(path, [good, b"more"].concat()).expect("writable");
        assert_refused(&run(), &[&name]);
        fs::write(path, good).expect("writable");
    };
    spoil(&good, &tally, &|| merge(&[&other, &tally], &out));
    assert!(!out.exists());
    spoil(&good_fires, &fires, &|| atomscope(&report));
    assert!(!cohort.path("r").exists());
    succeed(&report);
    assert!(merge(&[&other, &tally], &out).status.success());
}

#[test]
fn tally_of_the_first_definition_is_merged() {
    let cohort = Sharded::new(40);
    let [first, second] = halves(&cohort);
    let old = cohort.path("old.tally");
    let definition =
        |header: &str| header.replacen("\"definition\":\"2\"", "\"definition\":\"1\"", 1);
    let newer = fs::read(&second).expect("a tally");
    let older = with_header(&newer, definition);
    assert_ne!(older, newer);
    fs::write(&old, older).expect("writable");
    let (of_both, of_new) = (cohort.path("both.tally"), cohort.path("new.tally"));
    assert!(merge(&[&first, &old], &of_both).status.success());
    assert!(merge(&[&first, &second], &of_new).status.success());
    let [both, new] = [of_both, of_new].map(|path| fs::read(path).expect("a tally"));
    assert_eq!(both, new);
}

/// A tally as earlier versions wrote it: every count, zeros among them.
fn with_dense_counts(bytes: &[u8], path: &Path) -> Vec<u8> {
    let tally = atomscope::store::read_tally(path).expect("a tally").tally;
    let strata = 0..tally.table().len();
    let dense: Vec<u64> = strata.flat_map(|stratum| tally.counts(stratum)).collect();
    let (header, content) = bytes[8..].split_at(length_of(bytes));
    let header: serde_json::Value = serde_json::from_slice(header).expect("JSON");
    let mut text = header["__metadata__"].as_object().expect("text").clone();
    assert_eq!(text.remove("layout"), Some("2".into()));
    let mut all = vec![(
        "counts",
        serde_json::json!([tally.table().len(), tally.feature_dim()]),
        dense
            .iter()
            .flat_map(|n| n.to_le_bytes())
            .collect::<Vec<_>>(),
        "U64",
    )];
    for (name, dtype) in [("rows", "U64"), ("dropped_rows", "U64"), ("kinds", "U8")] {
        let place = |end: usize| header[name]["data_offsets"][end].as_u64().expect("a place");
        let part = content[place(0) as usize..place(1) as usize].to_vec();
        all.push((name, header[name]["shape"].clone(), part, dtype));
    }
    let (mut json, mut end) = (serde_json::json!({ "__metadata__": text }), 0);
    for (name, shape, part, dtype) in &all {
        let places = [end, end + part.len()];
        end = places[1];
        json[*name] = serde_json::json!({"dtype": dtype, "shape": shape, "data_offsets": places});
    }
    let json = json.to_string().into_bytes();
    let parts = all.into_iter().flat_map(|(_, _, part, _)| part);
    let length = (json.len() as u64).to_le_bytes();
    let bytes: Vec<u8> = length.into_iter().chain(json).chain(parts).collect();
    with_header(&bytes, str::to_owned)
}

#[test]
fn tally_with_dense_counts_is_read_as_the_same() {
    let cohort = Sharded::new(40);
    let [first, second] = halves(&cohort);
    let old = cohort.path("old.tally");
    let sparse = fs::read(&second).expect("a tally");
    fs::write(&old, with_dense_counts(&sparse, &second)).expect("writable");
    let read = |path: &Path| atomscope::store::read_tally(path).expect("a tally");
    assert_eq!(read(&old), read(&second));
    let (of_both, of_new) = (cohort.path("both.tally"), cohort.path("new.tally"));
    assert!(merge(&[&first, &old], &of_both).status.success());
    assert!(merge(&[&first, &second], &of_new).status.success());
    let [both, new] = [of_both, of_new].map(|path| fs::read(path).expect("a tally"));
    assert!(both == new);
    let counts = |path: &Path| read(path).tally.all_counts().clone();
    assert!(counts(&second).numbers().len() > 50);
}

/// A header without its description of the model, as earlier versions wrote it.
fn without_about(header: &str) -> String {
    let key = ",\"model_about\":\"";
    let at = header.find(key).expect("a description");
    let rest = &header[at + key.len()..];
    let end = rest.find("}\"").expect("its end") + 2;
    [&header[..at], &rest[end..]].concat()
}

#[test]
fn tally_says_what_its_model_is() {
    let cohort = Sharded::new(40);
    let [first, second] = halves(&cohort);
    cohort.analyze(&[cohort.whole()], "one", &[]);
    let expected = &record(&cohort.path("one"))["model"];
    assert!(expected["family"].is_string(), "{expected}");
    let old = cohort.path("old.tally");
    let newer = fs::read(&second).expect("a tally");
    fs::write(&old, with_header(&newer, without_about)).expect("writable");
    // A tally of an earlier version takes the description of the others, in either order.
    let (both, turned) = (cohort.path("both.tally"), cohort.path("turned.tally"));
    let new = cohort.path("new.tally");
    assert!(merge(&[&first, &old], &both).status.success());
    assert!(merge(&[&old, &first], &turned).status.success());
    assert!(merge(&[&first, &second], &new).status.success());
    let bytes = |path: &Path| fs::read(path).expect("a tally");
    assert!(bytes(&both) == bytes(&turned) && bytes(&both) == bytes(&new));
    let model_of = |tally: &Path, out: &str| {
        cohort.report(tally, out, &["--without-fires"]);
        record(&cohort.path(out))["model"].clone()
    };
    assert_eq!(model_of(&both, "both"), *expected);
    assert!(model_of(&old, "old").is_null());
    let other = |header: &str| header.replacen("\\\"family\\\"", "\\\"famili\\\"", 1);
    fs::write(&old, with_header(&newer, other)).expect("writable");
    let words = ["model_about", "other JSON"];
    assert_refused(&merge(&[&first, &old], &cohort.path("bad.tally")), &words);
}

#[test]
fn what_does_not_go_together_is_refused_by_name() {
    let cohort = Sharded::new(40);
    let [first, second] = halves(&cohort);
    let out = cohort.path("merged.tally");
    let spoiled = cohort.path("spoiled.tally");
    let names = [&first, &spoiled].map(|path| path.display().to_string());
    let good = fs::read(&second).expect("a tally");
    let model = "\"model_sha256\":\"";
    let swap = |from: &'static str, to: &'static str| {
        move |header: &str| {
            assert!(header.contains(from), "{from} in {header}");
            header.replacen(from, to, 1)
        }
    };
    let other_model = |header: &str| {
        let at = header.find(model).expect("a digest") + model.len();
        [&header[..at], &"ab".repeat(32), &header[at + 64..]].concat()
    };
    let refused = |bytes: Vec<u8>, words: &[&str]| {
        fs::write(&spoiled, bytes).expect("writable");
        let output = merge(&[&first, &spoiled], &out);
        assert_refused(&output, words);
        assert!(!out.exists());
    };
    let both = [&*names[0], &*names[1]];
    refused(
        with_header(&good, other_model),
        &[&both[..], &["model_sha256"]].concat(),
    );
    let definition = swap("\"definition\":\"2\"", "\"definition\":\"3\"");
    refused(
        with_header(&good, definition),
        &[&names[1], "version 3", "version 1 to 2"],
    );
    let strata = swap("\"svtype,size,dataset\"", "\"label, size\"");
    refused(
        with_header(&good, strata),
        &[&names[1], "strata_scheme", "label, size"],
    );
    let input_dim = swap("\"input_dim\":\"24\"", "\"input_dim\":\"25\"");
    refused(
        with_header(&good, input_dim),
        &[&both[..], &["D = 25", "D = 24"]].concat(),
    );
    let layout = swap("\"layout\":\"2\"", "\"layout\":\"3\"");
    refused(
        with_header(&good, layout),
        &[&names[1], "layout", "\"3\"", "a later one"],
    );
    let no_layout = swap("\"layout\":\"2\",", "");
    refused(with_header(&good, no_layout), &[&names[1], "tensor counts"]);
    // Counts in which other than k atoms fire on a row are none.
    let k = swap("\"k\":\"6\"", "\"k\":\"7\"");
    refused(with_header(&good, k), &[&names[1], "k atoms fire"]);
    let format = swap(
        "\"format\":\"atomscope tally\"",
        "\"format\":\"something else!\"",
    );
    refused(with_header(&good, format), &[&names[1], "something else!"]);

    // Rows that come twice, whole or in part.
    let twice = merge(&[&first, &second, &first], &out);
    assert_refused(&twice, &[&names[0], "rows 0..20"]);
    let pieces = cohort.pieces(2);
    let part = cohort.tally(&pieces[0], "u/part.tally", &["--rows", "7..9"]);
    let part_name = part.display().to_string();
    for order in [[&*first, &*part], [&*part, &*first]] {
        assert_refused(&merge(&order, &out), &[&names[0], &part_name, "rows 7..9"]);
    }
    assert!(merge(&[&first, &second], &out).status.success());
}

/// A file's bytes with its content changed, and the checksum made anew.
fn with_content(bytes: &[u8], change: impl Fn(&mut [u8])) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    change(&mut changed[8 + length_of(bytes)..]);
    with_header(&changed, str::to_owned)
}

#[test]
fn scores_must_be_numbers_one_for_each_atom() {
    let cohort = Sharded::new(20);
    let tally = cohort.tally(&cohort.whole(), "t/w.tally", &[]);
    let path = tally.with_extension("tally.fires");
    let name = path.display().to_string();
    let good = fs::read(&path).expect("firing sets");
    // 20 rows of 6 atoms of two bytes, then their scores.
    let (first, last) = (20 * 6 * 2, 20 * 6 * 2 + 20 * 6 * 8);
    let report = args!["report", "-q", tally, "--out", cohort.path("r")];
    let open = |bytes: Vec<u8>| {
        fs::write(&path, bytes).expect("writable");
        atomscope::store::FiresFile::open(&path).and_then(|file| file.sets(0..20))
    };
    assert!(open(good.clone()).expect("good").scores().is_some());
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for at in [first, last - 8] {
            let bytes = with_content(&good, |content| {
                content[at..at + 8].copy_from_slice(&number.to_le_bytes());
            });
            let error = open(bytes).expect_err("no score").to_string();
            for words in [&*name, "tensor scores", "a NaN or an infinity"] {
                assert!(error.contains(words), "{error}");
            }
            assert_refused(&atomscope(&report), &[&name, "tensor scores"]);
        }
    }
    let swaps = [
        (
            "\"dtype\":\"F64\",\"shape\":[20,6]",
            "\"dtype\":\"I64\",\"shape\":[20,6]",
        ),
        (
            "\"dtype\":\"F64\",\"shape\":[20,6]",
            "\"dtype\":\"F64\",\"shape\":[6,20]",
        ),
        (
            "\"dtype\":\"F64\",\"shape\":[20,6]",
            "\"dtype\":\"F64\",\"shape\":[120] ",
        ),
    ];
    for (from, to) in swaps {
        let swap = |header: &str| {
            let order = header.find("\"scores\"").expect("the tensor");
            let (before, after) = header.split_at(order);
            assert!(after.contains(from), "{from} in {header}");
            [before, &after.replacen(from, to, 1)].concat()
        };
        let error = open(with_header(&good, swap))
            .expect_err("no scores")
            .to_string();
        for words in [&*name, "tensor scores", "one for each of the atoms"] {
            assert!(error.contains(words), "{error}");
        }
        assert_refused(&atomscope(&report), &[&name, "tensor scores"]);
    }
    assert!(open(good).is_ok());
    succeed(&report);
    // Files without scores are as good as ever.
    let bare = cohort.tally(&cohort.whole(), "u/w.tally", &["--without-scores"]);
    let file = atomscope::store::FiresFile::open(&bare.with_extension("tally.fires"));
    let sets = file.and_then(|file| file.sets(0..20)).expect("firing sets");
    assert!(sets.scores().is_none() && sets.rows() == 20);
    let bare = cohort.report(&bare, "bare", &["--save-fires"]);
    let scored = cohort.report(&tally, "scored", &["--save-fires"]);
    for ((name, without), (_, with)) in bare.iter().zip(&scored) {
        let tells_scores =
            ["atoms.parquet", "atoms.tsv", "report.html", "report.txt"].contains(&&**name);
        assert_eq!(without != with, tells_scores, "{name}");
    }
    assert_eq!(bare.len(), scored.len());
}

#[test]
fn firing_sets_must_be_those_that_were_counted() {
    let cohort = Sharded::new(40);
    let [first, second] = halves(&cohort);
    let merged = cohort.merge(&[first.clone(), second.clone()], "t/all.tally");
    let out = cohort.path("r");
    let report = |fires: &[&Path]| {
        let mut args = args!["report", "-q", merged, "--out", out, "--fires"].to_vec();
        args.extend(fires.iter().map(Into::into));
        atomscope(args)
    };
    let [a, b] = [&first, &second].map(|tally| tally.with_extension("tally.fires"));
    let missing = cohort.pieces(2)[1].display().to_string();
    assert_refused(
        &report(&[&a]),
        &[&missing, "no firing sets of it", "--fires"],
    );
    assert!(!out.exists());
    // Those of other rows, and the same ones under another name, do no harm.
    let part = cohort.tally(&cohort.whole(), "u/part.tally", &["--rows", "3..9"]);
    let copy = cohort.path("copy.fires");
    fs::copy(&a, &copy).expect("copied");
    let output = report(&[&b, &part.with_extension("tally.fires"), &copy, &a]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    // A tally is no firing sets, and the other way round.
    assert_refused(
        &report(&[&first]),
        &["atomscope firing sets", "atomscope tally"],
    );
    assert_refused(
        &merge(&[&a], &cohort.path("x")),
        &["atomscope tally", "firing sets"],
    );
    let nothing = cohort.path("nothing*");
    assert_refused(&report(&[&nothing]), &["--fires", "nothing*", "matches"]);
}

#[test]
fn nothing_that_is_asked_for_is_found() {
    let cohort = Sharded::new(20);
    let out = cohort.path("out");
    let pattern = cohort.path("in-1/*.npy");
    let analyze = cohort.analyze_args(&[pattern], &out, &[]);
    assert_refused(
        &atomscope(&analyze),
        &["--embeddings", "*.npy", "matches at least one file"],
    );
    for rows in ["0..21", "20..21"] {
        let args = cohort.analyze_args(&[cohort.whole()], &out, &["--rows", rows]);
        assert_refused(
            &atomscope(&args),
            &["--rows", rows, "embeddings.pt, which has 20"],
        );
    }
    let args = cohort.tally_args(&cohort.path("in-1/*.pt"), &cohort.path("x.tally"), &[]);
    assert_refused(&atomscope(&args), &["--embeddings", "2 files", "one"]);
    let tallies = cohort.path("*.tally");
    assert_refused(
        &atomscope(args!["merge", "--out", out, tallies]),
        &["TALLY", "*.tally"],
    );
    let none = cohort.path("none.tally");
    assert_refused(
        &atomscope(args!["report", none, "--out", out]),
        &["none.tally"],
    );
    assert!(!out.exists());
}

/// The file system is full: a limit on the size of files stands in for it, and, where this machine
/// lets us mount one, a small disk is really full.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_and_loses_nothing() {
    let cohort = Sharded::new(3000);
    let [_, second] = halves(&cohort);
    let before = contents(&cohort.path("t"));
    let pieces = cohort.pieces(2);
    let limited = |args: &[std::ffi::OsString]| {
        let mut command = Command::new("sh");
        // 512 bytes each; a process that exceeds it gets an error rather than a signal.
        command.args(["-c", "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\""]);
        command.arg(env!("CARGO_BIN_EXE_atomscope")).args(args);
        command.output().expect("sh starts")
    };
    let mut args = cohort.tally_args(&pieces[0], &cohort.path("t/1.tally"), &[]);
    args.push("--fires".into());
    assert_refused(
        &limited(&args),
        &["1.tally", "cannot write it", "space left"],
    );
    assert!(
        contents(&cohort.path("t")) == before,
        "an earlier tally is as it was"
    );
    let merged = args!["merge", "-q", "--out", cohort.path("m"), second];
    assert_refused(&limited(&merged), &["/m:", "cannot write it"]);
    let analyze = cohort.analyze_args(&pieces, &cohort.path("r"), &[]);
    assert_refused(&limited(&analyze), &["cannot write it"]);
    full_for_real(&cohort, &pieces);
}

#[cfg(target_os = "linux")]
fn full_for_real(cohort: &Sharded, pieces: &[PathBuf]) {
    let disk = cohort.path("disk");
    fs::create_dir(&disk).expect("made");
    let mut mount = Command::new("mount");
    mount
        .args(["-t", "tmpfs", "-o", "size=300k", "tmpfs"])
        .arg(&disk);
    if !mount.output().is_ok_and(|output| output.status.success()) {
        crate::common::skipped(
            "a part of a_full_disk_is_told_and_loses_nothing",
            "no disk can be mounted",
        );
        return;
    }
    let results = disk.join("results");
    let refused = atomscope(cohort.analyze_args(pieces, &results, &["--checkpoint-rows", "500"]));
    let left = contents(&results.join(".atomscope-checkpoints"));
    let unmounted = Command::new("umount").arg(&disk).status();
    assert_refused(&refused, &["No space left on device"]);
    assert!(left.len() > 2, "finished parts stay: {}", left.len());
    assert!(unmounted.is_ok_and(|status| status.success()));
}
