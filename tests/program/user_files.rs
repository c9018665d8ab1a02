//! No file of a user's is ever lost: over all commands that write, and all names that they write.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::args;
use crate::common::sharded::{Sharded, results, succeed};
use crate::common::{assert_refused, atomscope, contents};
use atomscope::analysis::outputs;
use atomscope::outputs::{
    ANALYSIS_CHECKPOINTS, BENCHMARK, CHECKPOINTS, FIRES, PLACING, RECORD, RESULTS, SIMULATION,
    TRUTH, piece_names,
};
use atomscope::write::record::{self, Found, WrittenFile};

/// A command, where it writes, and the names that it may write there.
struct Writer {
    args: Vec<OsString>,
    folder: PathBuf,
    names: Vec<String>,
    /// Names whose content a record knows; else a seal in the file tells whose it is.
    record: Option<&'static str>,
}

impl Writer {
    fn run(&self, more: &[&str]) -> std::process::Output {
        let mut args = self.args.clone();
        args.extend(more.iter().map(OsString::from));
        atomscope(args)
    }

    fn succeed(&self, more: &[&str]) {
        let output = self.run(more);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{:?}: {stderr}", self.args);
    }

    /// Demands that the run is refused in one line with `words`, and changes nothing in the folder.
    fn assert_untouched(&self, more: &[&str], words: &[&str]) {
        let before = contents(&self.folder);
        assert_refused(&self.run(more), words);
        assert!(
            contents(&self.folder) == before,
            "{:?} {words:?}",
            self.args
        );
    }
}

/// All names that an analysis may write.
fn analysis() -> Vec<String> {
    outputs::names().into_iter().collect()
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

const SMALL: [&str; 8] = [
    "--rows",
    "60",
    "--input-dim",
    "8",
    "--features",
    "16",
    "--k",
    "3",
];

/// Every command that writes, each in a folder of its own.
fn writers(cohort: &Sharded) -> Vec<Writer> {
    let tally = cohort.tally(&cohort.whole(), "counted/w.tally", &[]);
    let at = |name: &str| cohort.path(name);
    let mut all = Vec::new();
    for (name, more) in [("a1", &[][..]), ("a2", &["--save-fires"])] {
        let mut args = args!["analyze", "-q", "--model", cohort.model()].to_vec();
        args.extend(args!["--embeddings", cohort.whole(), "--out", at(name)]);
        args.extend(more.iter().map(OsString::from));
        all.push((args, at(name), analysis(), Some(RECORD)));
    }
    let args = args!["report", "-q", tally, "--out", at("r")].to_vec();
    all.push((args, at("r"), analysis(), Some(RECORD)));
    for (name, pieces) in [("s1", 1), ("s3", 3)] {
        let mut args = args!["simulate", "-q", "--out", at(name)].to_vec();
        args.extend(args!["--pieces", pieces.to_string()]);
        args.extend(SMALL.map(OsString::from));
        let mut names = owned(&SIMULATION);
        names.extend([2, 3, 12].into_iter().flat_map(piece_names));
        names.sort();
        names.dedup();
        names.push(PLACING.to_owned());
        all.push((args, at(name), names, Some(TRUTH)));
    }
    let mut demo = args!["demo", "-q", "--out", at("d")].to_vec();
    demo.extend(SMALL.map(OsString::from));
    let mut names = owned(&SIMULATION);
    names.push(PLACING.to_owned());
    all.push((demo.clone(), at("d"), names, Some(TRUTH)));
    all.push((demo, at("d").join(RESULTS), analysis(), Some(RECORD)));
    let mut args = cohort.tally_args(&cohort.whole(), &at("t").join("x.tally"), &[]);
    args.push("--fires".into());
    let names = vec!["x.tally".to_owned(), format!("x.tally{FIRES}")];
    all.push((args, at("t"), names, None));
    let args = args!["merge", "-q", "--out", at("m").join("x.tally"), tally].to_vec();
    all.push((args, at("m"), owned(&["x.tally"]), None));
    let writer = |(args, folder, names, record)| Writer {
        args,
        folder,
        names,
        record,
    };
    all.into_iter().map(writer).collect()
}

const PRECIOUS: &[u8] = b"a user's, and the only copy";

#[test]
fn a_users_file_is_not_touched_whatever_output_it_is_called_like() {
    let cohort = Sharded::new(40);
    for writer in writers(&cohort) {
        fs::create_dir_all(&writer.folder).expect("made");
        for name in &writer.names {
            let path = writer.folder.join(name);
            fs::write(&path, PRECIOUS).expect("written");
            writer.assert_untouched(&[], &[name, "--force"]);
            fs::remove_file(&path).expect("removable");
            // No file, and so not replaced in any case.
            fs::create_dir(&path).expect("made");
            for more in [&[][..], &["--force"]] {
                writer.assert_untouched(more, &[name, "a folder"]);
            }
            fs::remove_dir(&path).expect("removable");
            #[cfg(unix)]
            links_are_not_touched(&cohort, &writer, name);
        }
        // All of them at once are one line.
        for name in &writer.names {
            fs::write(writer.folder.join(name), PRECIOUS).expect("written");
        }
        writer.assert_untouched(&[], &[&writer.names[0][..1]]);
        for name in &writer.names {
            fs::remove_file(writer.folder.join(name)).expect("removable");
        }
    }
}

#[cfg(unix)]
fn links_are_not_touched(cohort: &Sharded, writer: &Writer, name: &str) {
    let (path, elsewhere) = (writer.folder.join(name), cohort.path("elsewhere"));
    fs::write(&elsewhere, PRECIOUS).expect("written");
    for target in [elsewhere.clone(), cohort.path("nowhere")] {
        std::os::unix::fs::symlink(&target, &path).expect("linked");
        writer.assert_untouched(&[], &[name]);
        assert_eq!(fs::read_link(&path).expect("a link"), target);
        fs::remove_file(&path).expect("removable");
    }
    assert_eq!(fs::read(&elsewhere).expect("there"), PRECIOUS);
}

#[test]
fn force_replaces_what_is_written_and_leaves_the_rest() {
    let cohort = Sharded::new(40);
    for writer in writers(&cohort) {
        fs::create_dir_all(&writer.folder).expect("made");
        for name in &writer.names {
            fs::write(writer.folder.join(name), PRECIOUS).expect("written");
        }
        writer.succeed(&["--force"]);
        let Some(record) = writer.record else {
            assert!(
                contents(&writer.folder)
                    .iter()
                    .all(|(_, content)| content != PRECIOUS)
            );
            continue;
        };
        let Found::Whole(listed) = record::read(&writer.folder.join(record)) else {
            panic!("no record in {}", writer.folder.display());
        };
        let mut written: BTreeSet<_> = listed.into_iter().map(|file| file.name).collect();
        written.extend([record, PLACING].map(str::to_owned));
        for (name, content) in contents(&writer.folder) {
            let is_users = content == PRECIOUS;
            assert_eq!(
                is_users,
                !written.contains(&name) && name != RESULTS,
                "{name}"
            );
        }
        // What stays is still a user's.
        let stays = writer.names.iter().find(|name| !written.contains(*name));
        if stays.is_some() {
            writer.assert_untouched(&[], &[record, "does not list it"]);
        }
    }
}

#[test]
fn simulated_benchmark_replaces_its_own_files_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("sim");
    let mut plain = args!["simulate", "-q", "--out", out].to_vec();
    plain.extend(SMALL.map(OsString::from));
    let with_vcf = [&plain[..], &args!["--vcf"]].concat();
    let there = || {
        BENCHMARK
            .iter()
            .filter(|name| out.join(name).is_file())
            .count()
    };
    succeed(&with_vcf);
    succeed(&with_vcf);
    assert_eq!(there(), BENCHMARK.len());
    succeed(&plain);
    assert_eq!(there(), 0);
    for name in BENCHMARK {
        let path = out.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(&path, PRECIOUS).expect("written");
        for run in [&plain, &with_vcf] {
            assert_refused(&atomscope(run), &[name, "--force"]);
            assert_eq!(fs::read(&path).expect("there"), PRECIOUS, "{name}");
        }
        fs::remove_file(&path).expect("removable");
    }
    succeed(&with_vcf);
    assert_eq!(there(), BENCHMARK.len());
}

#[test]
fn a_run_over_an_earlier_one_needs_no_force_until_a_byte_is_changed() {
    let cohort = Sharded::new(40);
    for writer in writers(&cohort) {
        writer.succeed(&[]);
        let first = results(&writer.folder);
        writer.succeed(&[]);
        assert!(results(&writer.folder) == first);
        let Some(record) = writer.record else {
            continue;
        };
        for (name, content) in contents(&writer.folder) {
            let path = writer.folder.join(&name);
            if path.is_dir() {
                continue;
            }
            for at in [0, content.len() / 2, content.len() - 1] {
                let mut changed = content.clone();
                changed[at] ^= 1;
                fs::write(&path, &changed).expect("writable");
                writer.assert_untouched(&[], &[&name, record]);
            }
            fs::write(&path, [&content[..], b"\n"].concat()).expect("writable");
            writer.assert_untouched(&[], &[&name, record]);
            fs::write(&path, &content).expect("writable");
        }
        writer.succeed(&[]);
        // Without the record nothing is known to be ours.
        let kept = fs::read(writer.folder.join(record)).expect("a record");
        fs::remove_file(writer.folder.join(record)).expect("removable");
        writer.assert_untouched(&[], &["no ", record, "--force"]);
        // The record of an earlier version has no digests.
        let mut old: serde_json::Value = serde_json::from_slice(&kept).expect("JSON");
        let entries = old.as_object_mut().expect("an object");
        entries.remove("seal");
        entries.remove("outputs");
        fs::write(writer.folder.join(record), old.to_string()).expect("written");
        writer.assert_untouched(&[], &["no digests", "earlier version", "--force"]);
        writer.succeed(&["--force"]);
        writer.succeed(&[]);
    }
}

#[test]
fn every_file_that_is_written_is_in_the_list_of_outputs() {
    let cohort = Sharded::new(60);
    let mut seen = BTreeSet::new();
    let out = cohort.path("all");
    let bed = cohort.path("low.bed");
    fs::write(&bed, "chr1\t0\t1000000000\n").expect("writable");
    let bed = bed.display().to_string();
    let more = [
        "--replicate",
        "chrom",
        "--compare",
        "scores",
        "--predict",
        "--describe",
        "col:pos",
        "--regions",
        &bed,
    ];
    succeed(&cohort.analyze_args(&[cohort.whole()], &out, &more));
    seen.extend(contents(&out).into_iter().map(|(name, _)| name));
    // Rows that are dropped.
    let (folder, out) = (cohort.path("spoiled"), cohort.path("dropped"));
    fs::create_dir(&folder).expect("made");
    let mut spoiled = crate::common::cohort::Spoilable::new();
    spoiled.embeddings[5] = f32::NAN;
    let (embeddings, model) = spoiled.write(&folder);
    let mut args = args![
        "analyze",
        "-q",
        "--embeddings",
        embeddings,
        "--model",
        model
    ]
    .to_vec();
    args.extend(args!["--out", out, "--nonfinite", "skip"]);
    succeed(&args);
    seen.extend(contents(&out).into_iter().map(|(name, _)| name));
    seen.insert(PLACING.to_owned());
    // Written where calls differ in how many atoms fire, which no model of a file does.
    let mut expected = outputs::names();
    assert!(expected.remove("fires.npz"));
    // Written where calls have reasons, which simulated ones do not have.
    assert!(expected.remove("atom_reasons.parquet"));
    assert_eq!(seen, expected);
}

/// A file by a way that its path does not show.
fn aliases(path: &Path) -> Vec<PathBuf> {
    let (folder, name) = (
        path.parent().expect("a folder"),
        path.file_name().expect("a name"),
    );
    let mut all = vec![path.to_owned(), folder.join("way/..").join(name)];
    fs::create_dir_all(folder.join("way")).expect("made");
    #[cfg(unix)]
    {
        let outside = folder.parent().expect("a folder");
        for (alias, hard) in [("soft", false), ("hard", true)] {
            let alias = outside.join(alias);
            drop(fs::remove_file(&alias));
            let linked = if hard {
                fs::hard_link(path, &alias)
            } else {
                std::os::unix::fs::symlink(path, &alias)
            };
            linked.expect("linked");
            all.push(alias);
        }
    }
    all
}

#[test]
fn an_input_is_never_touched_whatever_output_it_is_called_like() {
    let cohort = Sharded::new(40);
    let tally = cohort.tally(&cohort.whole(), "counted/w.tally", &[]);
    let fires = cohort.path(&format!("counted/w.tally{FIRES}"));
    let table = cohort.path("calls.csv");
    fs::write(&table, "truvari_class\n".to_owned() + &"TP\n".repeat(40)).expect("written");
    let (whole, model) = (cohort.whole(), cohort.model());
    for name in analysis() {
        for role in ["embeddings", "metadata", "model", "tally", "fires"] {
            let out = cohort.path("out");
            fs::create_dir(&out).expect("made");
            let source = match role {
                "embeddings" => &whole,
                "metadata" => &table,
                "model" => &model,
                "tally" => &tally,
                _ => &fires,
            };
            fs::copy(source, out.join(&name)).expect("copied");
            let before = contents(&out);
            for alias in aliases(&out.join(&name)) {
                let input = |of: &str, other: &PathBuf| {
                    OsString::from(if of == role { &alias } else { other })
                };
                let mut args = if role == "tally" || role == "fires" {
                    let mut args = args!["report", "-q", input("tally", &tally)].to_vec();
                    args.extend(args!["--fires", input("fires", &fires)]);
                    args
                } else {
                    let mut args =
                        args!["analyze", "-q", "--model", input("model", &model)].to_vec();
                    args.extend(args!["--embeddings", input("embeddings", &whole)]);
                    args.extend(args!["--metadata", input("metadata", &table)]);
                    args
                };
                args.extend(args!["--out", &out, "--force"]);
                assert_refused(&atomscope(&args), &[&name]);
                let mut after = contents(&out);
                after.retain(|(name, _)| name != "way");
                assert!(after == before, "{role} {name} by {}", alias.display());
            }
            fs::remove_dir_all(&out).expect("removable");
        }
    }
}

/// What is not named on the command line is an input all the same.
#[test]
fn inputs_that_are_found_are_not_touched_either() {
    let cohort = Sharded::new(40);
    let out = cohort.path("out");
    fs::create_dir(&out).expect("made");
    let arrays = crate::common::inputs::golden("rows_f4.npy");
    let calls = crate::common::inputs::golden("calls.tsv");
    fs::copy(arrays, out.join("atoms.npy")).expect("copied");
    fs::copy(calls, out.join("atoms.tsv")).expect("copied");
    let before = contents(&out);
    let refused = |args: &[OsString]| {
        assert_refused(&atomscope(args), &["atoms.tsv", "an input of this run"]);
        assert!(contents(&out) == before);
    };
    let mut args = args!["analyze", "-q", "--model", cohort.model(), "--force"].to_vec();
    args.extend(args!["--embeddings", out.join("atoms.npy"), "--out", &out]);
    refused(&args);
    // A tally's own places.
    let mut args = args!["tally", "-q", "--model", cohort.model(), "--force"].to_vec();
    args.extend(args![
        "--embeddings",
        out.join("atoms.npy"),
        "--out",
        out.join("atoms.tsv")
    ]);
    assert_refused(&atomscope(&args), &["atoms.tsv", "to be read"]);
    assert!(contents(&out) == before);
    // A model by way of its folder and of a BEST_MODEL.json.
    let models = cohort.path("models");
    fs::create_dir(&models).expect("made");
    fs::create_dir(models.join("best")).expect("made");
    fs::copy(cohort.model(), models.join("best/sae.pt")).expect("copied");
    let json = models.join("BEST_MODEL.json");
    fs::write(&json, r#"{"best_dir": "best"}"#).expect("written");
    for (model, place) in [
        (&json, &json),
        (&models, &json),
        (&models, &models.join("best/sae.pt")),
    ] {
        let before = fs::read(place).expect("there");
        let mut args = args!["tally", "-q", "--model", model, "--force"].to_vec();
        args.extend(args!["--embeddings", cohort.whole(), "--out", place]);
        assert_refused(&atomscope(&args), &["--out", "to be read"]);
        assert_eq!(fs::read(place).expect("there"), before);
    }
    // One of several shards by a pattern.
    let pieces = cohort.pieces(3);
    let folder = pieces[0].parent().expect("a folder");
    fs::rename(&pieces[1], folder.join("fires.npy")).expect("renamed");
    let before = contents(folder);
    let mut args = args!["analyze", "-q", "--model", cohort.model(), "--force"].to_vec();
    args.extend(args!["--embeddings", folder.join("*"), "--out", folder]);
    assert_refused(&atomscope(&args), &["fires.npy", "an input of this run"]);
    assert!(contents(folder) == before);
}

#[test]
fn inputs_of_tally_and_merge_are_not_touched() {
    let cohort = Sharded::new(40);
    let counted = cohort.tally(&cohort.whole(), "t/w.tally", &[]);
    let fires = cohort.path(&format!("t/w.tally{FIRES}"));
    let before = contents(&cohort.path("t"));
    for alias in aliases(&counted) {
        let args = args!["merge", "-q", "--force", "--out", &counted, alias];
        assert_refused(&atomscope(args), &["--out", "to be merged"]);
    }
    // Firing sets are embeddings, too: a matrix of scores.
    for out in [&fires, &cohort.path("t/w.tally")] {
        let mut args = cohort.tally_args(&fires, out, &["--fires", "--force"]);
        args.retain(|arg| arg != "-q");
        assert_refused(&atomscope(args), &["--out", "to be read"]);
    }
    let mut after = contents(&cohort.path("t"));
    after.retain(|(name, _)| name != "way");
    assert!(after == before);
}

#[test]
fn finished_parts_take_the_place_of_nothing_else() {
    let cohort = Sharded::new(40);
    let out = cohort.path("out");
    let args = cohort.analyze_args(&[cohort.whole()], &out, &["--checkpoint-rows", "7"]);
    let folder = out.join(ANALYSIS_CHECKPOINTS);
    fs::create_dir_all(&folder).expect("made");
    let names = [
        "lock",
        "0123456789abcdef-0-7.tally",
        "0123456789abcdef-0-7.fires",
    ];
    for name in names {
        fs::write(folder.join(name), PRECIOUS).expect("written");
    }
    let before = contents(&folder);
    succeed(&args);
    assert!(contents(&folder) == before);
    // An input that lies there.
    let tally = cohort.path("x.tally");
    let folder = cohort.path(&format!("x.tally{CHECKPOINTS}"));
    fs::create_dir(&folder).expect("made");
    let embeddings = folder.join(names[1]);
    fs::copy(cohort.whole(), &embeddings).expect("copied");
    let args = cohort.tally_args(&embeddings, &tally, &["--checkpoint-rows", "7"]);
    assert_refused(
        &atomscope(args),
        &["finished parts", "an input of this run"],
    );
    assert_eq!(contents(&folder).len(), 1);
}

/// What a process leaves that is killed after some of its renames, over an earlier run's files.
#[test]
fn a_run_that_was_killed_between_two_renames_is_gone_on_from() {
    let cohort = Sharded::new(40);
    let more = ["--min-support", "3"];
    let args =
        |out: &str, more: &[&str]| cohort.analyze_args(&[cohort.whole()], &cohort.path(out), more);
    succeed(&args("earlier", &[]));
    succeed(&args("later", &more));
    let listed = |out: &str| match record::read(&cohort.path(out).join(RECORD)) {
        Found::Whole(files) => files,
        found => panic!("{found:?}"),
    };
    let (earlier, later) = (listed("earlier"), listed("later"));
    let expected = results(&cohort.path("later"));
    let placing: Vec<WrittenFile> = later.iter().chain(&earlier).cloned().collect();
    let placing = record::seal(&serde_json::json!({}), &placing).expect("JSON");
    let out = cohort.path("out");
    for done in 0..=later.len() {
        drop(fs::remove_dir_all(&out));
        fs::create_dir(&out).expect("made");
        for (name, content) in contents(&cohort.path("earlier")) {
            fs::write(out.join(name), content).expect("written");
        }
        fs::write(out.join(PLACING), &placing).expect("written");
        for file in &later[..done] {
            let from = cohort.path("later").join(&file.name);
            fs::copy(from, out.join(&file.name)).expect("copied");
        }
        // A user's change is told from what was killed.
        let changed = out.join(&later[0].name);
        let kept = fs::read(&changed).expect("there");
        fs::write(&changed, PRECIOUS).expect("written");
        assert_refused(&atomscope(args("out", &more)), &[&later[0].name]);
        assert_eq!(fs::read(&changed).expect("there"), PRECIOUS);
        fs::write(&changed, kept).expect("written");
        succeed(&args("out", &more));
        assert!(results(&out) == expected, "after {done} renames");
    }
}
