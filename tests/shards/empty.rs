//! Shards without a call: cohorts are cut by chromosome or region, and some have none.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::args;
use crate::common::cohort::{DIM, Spoilable};
use crate::common::sharded::{record, results, succeed};
use crate::common::{assert_refused, atomscope};
use atomscope::write::pickle::Value;
use atomscope::write::torch::{Tensor, save};
use tempfile::TempDir;

/// Two shards with calls and a model, and room for empty ones.
struct Shards {
    folder: TempDir,
    model: PathBuf,
    full: [PathBuf; 2],
}

const HEADER: &str = "chrom,pos,svtype,svlen,truvari_class";

impl Shards {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut cohort = Spoilable::new();
        let (_, model) = cohort.write(folder.path());
        let full = ["s1.pt", "s9.pt"].map(|name| folder.path().join(name));
        for path in &full {
            cohort.write_cohort(path);
            // Not the same rows twice.
            cohort
                .embeddings
                .iter_mut()
                .for_each(|number| *number += 0.25);
        }
        Self {
            folder,
            model,
            full,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, command: &str, embeddings: &[&Path], out: &str, more: &[&str]) -> Vec<OsString> {
        let mut args = args![command, "--model", self.model, "--out", self.path(out)].to_vec();
        args.push("--embeddings".into());
        args.extend(embeddings.iter().map(OsString::from));
        args.extend(more.iter().map(OsString::from));
        args
    }
}

fn npy(shape: &str) -> Vec<u8> {
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
    while !(header.len() + 11).is_multiple_of(64) {
        header.push(' ');
    }
    header.push('\n');
    let length = u16::try_from(header.len()).expect("short").to_le_bytes();
    [&b"\x93NUMPY\x01\0"[..], &length, header.as_bytes()].concat()
}

fn npz(array: &[u8]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("embeddings.npy", zip::write::SimpleFileOptions::default())
        .expect("begun");
    std::io::Write::write_all(&mut zip, array).expect("written");
    zip.finish().expect("finished").into_inner()
}

fn safetensors(columns: usize) -> Vec<u8> {
    let mut json = format!(
        "{{\"embeddings\":{{\"dtype\":\"F32\",\"shape\":[0,{columns}],\"data_offsets\":[0,0]}}}}"
    );
    while !json.len().is_multiple_of(8) {
        json.push(' ');
    }
    [&(json.len() as u64).to_le_bytes()[..], json.as_bytes()].concat()
}

fn torch(path: &Path, columns: usize) {
    let calls = Value::List(0, Box::new(|_| Value::Int(0)));
    let package = Value::Dict(vec![
        (
            "embeddings",
            Value::Tensor(Tensor::new::<f32>(&[0, columns], &[])),
        ),
        ("sv_info", calls),
    ]);
    let file = save(path, package, 100).expect("written");
    file.publish().expect("published");
}

/// Empty embeddings of every format, each with an empty table where it needs one.
fn empty_ones(folder: &Path) -> Vec<PathBuf> {
    fs::create_dir_all(folder).expect("made");
    let array = npy(&format!("(0, {DIM})"));
    let mut all = Vec::new();
    let gz = |bytes: &[u8]| {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut gz, bytes).expect("written");
        gz.finish().expect("finished")
    };
    let header = format!("{HEADER}\n");
    let golden = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/golden/empty")
            .join(name);
        fs::read(path).expect("a golden")
    };
    for (stem, embeddings, table, calls) in [
        ("s2", &array, "csv", header.as_bytes().to_vec()),
        ("s3", &array, "tsv", header.replace(',', "\t").into_bytes()),
        ("s4", &array, "jsonl", Vec::new()),
        ("s5", &array, "csv.gz", gz(header.as_bytes())),
        ("s6", &array, "jsonl.gz", gz(b"")),
        ("s7", &npz(&array), "csv", HEADER.as_bytes().to_vec()),
        ("s8", &safetensors(DIM), "csv", b"\n".to_vec()),
        ("s10", &array, "parquet", golden("typed.parquet")),
        ("s11", &array, "parquet", golden("untyped.parquet")),
        ("s12", &array, "parquet", golden("no_columns.parquet")),
        ("s13", &array, "csv", b"other\n".to_vec()),
    ] {
        let path = folder.join(format!("{stem}.npy"));
        fs::write(&path, embeddings).expect("written");
        fs::write(folder.join(format!("{stem}.{table}")), calls).expect("written");
        all.push(path);
    }
    let path = folder.join("s14.pt");
    torch(&path, DIM);
    all.push(path);
    all
}

/// What stderr has of warnings.
fn warnings(args: &[OsString]) -> Vec<String> {
    let output = succeed(args);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let warnings = stderr.lines().filter(|line| line.contains("warning"));
    warnings.map(str::to_owned).collect()
}

#[test]
fn an_empty_shard_changes_nothing_but_a_warning() {
    let shards = Shards::new();
    let full = [&*shards.full[0], &*shards.full[1]];
    let more = ["--quiet", "--save-fires"];
    let before = warnings(&shards.run("analyze", &full, "right", &more));
    let expected = results(&shards.path("right"));
    let empty = empty_ones(&shards.path("e"));
    for (number, path) in empty.iter().enumerate() {
        let out = format!("out{number}");
        let among = [full[0], path, full[1]];
        let said = warnings(&shards.run("analyze", &among, &out, &more));
        let new: Vec<_> = said.iter().filter(|line| !before.contains(line)).collect();
        let name = path.file_name().expect("a name").to_string_lossy();
        assert_eq!(new.len(), 1, "{name}: {new:?}");
        assert!(
            new[0].contains(&*name) && new[0].contains("no call"),
            "{new:?}"
        );
        assert!(results(&shards.path(&out)) == expected, "{name}");
        let run = record(&shards.path(&out));
        assert_eq!(run["shapes"]["shards"].as_array().map(Vec::len), Some(3));
    }
    // All of them at once, some of which are of one content.
    let mut all: Vec<&Path> = full.to_vec();
    all.extend(empty.iter().map(PathBuf::as_path));
    succeed(&shards.run("analyze", &all, "all", &more));
    assert!(results(&shards.path("all")) == expected);
}

#[test]
fn empty_tallies_merge_and_report_as_one_run_does() {
    let shards = Shards::new();
    let full = [&*shards.full[0], &*shards.full[1]];
    let quiet = ["--quiet", "--save-fires"];
    succeed(&shards.run("analyze", &full, "right", &quiet));
    let expected = results(&shards.path("right"));
    let empty = empty_ones(&shards.path("e"));
    fs::create_dir(shards.path("t")).expect("made");
    let tally = |path: &Path, number: usize| {
        let out = format!("t/{number}.tally");
        let args = shards.run("tally", &[path], &out, &["--quiet", "--fires"]);
        succeed(&args);
        // It is known again.
        succeed(&args);
        shards.path(&out)
    };
    let all = full.into_iter().chain(empty.iter().map(PathBuf::as_path));
    let tallies: Vec<_> = all
        .enumerate()
        .map(|(number, path)| tally(path, number))
        .collect();
    let merge = |tallies: &[PathBuf], out: &str| {
        let mut args = args!["merge", "--quiet", "--out", shards.path(out)].to_vec();
        args.extend(tallies.iter().map(OsString::from));
        succeed(&args);
        shards.path(out)
    };
    let report = |tally: &Path, out: &str, more: &[&str]| {
        let mut args = args!["report", "--quiet", tally, "--out", shards.path(out)].to_vec();
        args.extend(args!["--model", shards.model]);
        args.extend(more.iter().map(OsString::from));
        succeed(&args);
        results(&shards.path(out))
    };
    let merged = merge(&tallies, "t/all");
    assert!(report(&merged, "report", &["--save-fires"]) == expected);
    // In another order and nesting, the same bytes.
    let left = merge(&tallies[5..], "t/left");
    let right = merge(&tallies[..5], "t/right");
    let nested = merge(&[left.clone(), right], "t/nested");
    assert!(fs::read(&nested).expect("a tally") == fs::read(&merged).expect("a tally"));
    // Nothing but empty ones: empty tables, as of other cohorts with nothing to rank.
    for tally in [&left, &tallies[3]] {
        for more in [&[][..], &["--without-fires"]] {
            let files = report(tally, "nothing", more);
            let text = files
                .iter()
                .find(|(name, _)| name == "report.txt")
                .expect("a report");
            let text = String::from_utf8_lossy(&text.1);
            assert!(text.contains("there are no calls"), "{text}");
            let has = |name: &str| files.iter().any(|(found, _)| found == name);
            assert_eq!(has("coactivation.csv"), more.is_empty());
            assert!(has("atoms.parquet") && has("sae_feature_bias_analysis.csv"));
        }
    }
}

#[test]
fn a_cohort_of_empty_shards_alone_has_empty_tables() {
    let shards = Shards::new();
    let empty = empty_ones(&shards.path("e"));
    let paths: Vec<&Path> = empty.iter().map(PathBuf::as_path).collect();
    for embeddings in [&paths[..1], &paths[paths.len() - 1..], &paths[..]] {
        for more in [
            &["--save-fires"][..],
            &["--checkpoint-rows", "5", "--permutations", "100"],
        ] {
            let output = succeed(&shards.run("analyze", embeddings, "out", more));
            let stdout = String::from_utf8_lossy(&output.stdout);
            assert!(stdout.contains("there are no calls"), "{stdout}");
            let files = results(&shards.path("out"));
            assert!(files.iter().any(|(name, _)| name == "atoms.parquet"));
        }
    }
    let output = succeed(&{
        let mut args = args!["investigate", "--model", shards.model, "--atom", "1"].to_vec();
        args.extend(args!["--embeddings", paths[0]]);
        args
    });
    assert!(!output.stdout.is_empty());
    succeed(&args!["inspect", paths[0]]);
}

#[test]
fn what_only_looks_empty_is_refused_in_one_line() {
    let shards = Shards::new();
    let path = shards.path("s2.npy");
    let refused = |shape: &str, table: &str, words: &[&str]| {
        fs::write(&path, npy(shape)).expect("written");
        fs::write(shards.path("s2.csv"), table).expect("written");
        for command in ["analyze", "tally"] {
            let mut args = shards.run(command, &[&path], "out", &["-q"]);
            args.truncate(args.len());
            assert_refused(&atomscope(&args), words);
        }
    };
    let header = format!("{HEADER}\n");
    refused(
        "(0, 0)",
        &header,
        &["s2.npy", "[0, 0]", "at least one number a row"],
    );
    refused("(0,)", &header, &["s2.npy", "[0]", "two-dimensional"]);
    refused(
        "(0, 5)",
        &header,
        &["s2.npy", "rows of 5 numbers", "4, the input_dim"],
    );
    let call = format!("{header}chr1,1,DEL,-50,TP\n");
    let shape = format!("(0, {DIM})");
    refused(&shape, &call, &["s2.csv", "1 calls", "0, one for each row"]);
    fs::remove_file(shards.path("s2.csv")).expect("removable");
    let args = shards.run("analyze", &[&path], "out", &["-q"]);
    assert_refused(&atomscope(args), &["s2.npy", "no table of calls beside it"]);
}
