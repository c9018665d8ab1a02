//! Real folders of real libraries, where they are at hand: the program finds the firing sets that the
//! library's own `encode` gave.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::common::atomscope;

/// The activations that a library gave, \[rows, F\].
struct Given {
    features: usize,
    acts: Vec<f32>,
}

/// An atom with its activation.
type Firing = (usize, f64);

#[test]
#[ignore = "needs real models: ATOMSCOPE_SAE_CHECKPOINTS=FOLDER"]
fn real_models_fire_what_their_libraries_do() {
    let base = std::env::var_os("ATOMSCOPE_SAE_CHECKPOINTS").map(PathBuf::from);
    let base = base.expect("ATOMSCOPE_SAE_CHECKPOINTS names the folder of real models");
    let folders = folders(&base);
    assert!(folders.len() > 80, "{} folders", folders.len());
    let (mut equal, mut tied, mut refused) = (0, 0, 0);
    for folder in folders {
        let name = folder.display().to_string();
        let facts = std::fs::read(folder.join("facts.json")).expect("facts");
        let facts: Value = serde_json::from_slice(&facts).expect("JSON");
        match fires(&folder, &answers(&folder, &facts), &base.join("calls.csv")) {
            Err(message) => {
                let words = if name.ends_with("whole-module") {
                    "torch.nn.Module"
                } else {
                    "matching pursuit"
                };
                assert!(message.contains(words), "{name}: {message}");
                refused += 1;
            }
            Ok(found) if name.ends_with("-exact") || name.ends_with("goodfire-evo2") => {
                tied += usize::from(check_tied(&name, &found, &given(&folder)) > 0);
            }
            Ok(found) => {
                check_equal(&name, &found, &given(&folder));
                equal += 1;
            }
        }
    }
    assert!(
        equal > 75 && tied == 5 && refused == 4,
        "{equal}, {tied}, {refused}"
    );
}

/// Folders of models, at any depth of two.
fn folders(base: &Path) -> Vec<PathBuf> {
    let inside = |folder: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect()
    };
    let mut all: Vec<_> = inside(base)
        .iter()
        .flat_map(|family| inside(family))
        .collect();
    all.retain(|folder| folder.join("facts.json").is_file());
    all.sort();
    all
}

/// Answers to what the files of a model leave open.
fn answers(folder: &Path, facts: &Value) -> Vec<String> {
    let text = |key: &str| facts[key].as_str().unwrap_or_default();
    let name = folder.file_name().expect("a name").to_string_lossy();
    let number = |flag: &str, key: &str| vec![flag.to_owned(), facts[key].to_string()];
    let mut answers = match (text("format"), text("library")) {
        ("Goodfire Evo-2-Layer-26-Mixed" | "InterProt" | "calico/sae-borzoi" | "Qwen Scope", _) => {
            number("--k", "k")
        }
        (_, "overcomplete") if name.starts_with("topk") && !name.ends_with("whole-module") => {
            number("--k", "top_k")
        }
        (_, "esm") => number("--layer", "layer"),
        _ => Vec::new(),
    };
    let subtracts = match &*name {
        "plain-half" | "tied-safetensors" => "yes",
        "plain-linear" => "no",
        _ => return answers,
    };
    answers.extend(["--subtract-decoder-bias".to_owned(), subtracts.to_owned()]);
    answers
}

/// What the program finds: the firings of each row; or its message.
fn fires(folder: &Path, answers: &[String], calls: &Path) -> Result<Vec<Vec<Firing>>, String> {
    let place = tempfile::tempdir().expect("a folder");
    let out = place.path().join("of.tally");
    let mut args: Vec<_> = ["tally", "--quiet", "--fires", "--embeddings"]
        .map(Into::into)
        .into();
    args.extend([folder.join("rows.npy"), "--model".into(), folder.to_owned()]);
    args.extend(["--metadata".into(), calls.to_owned(), "--out".into(), out]);
    args.extend(answers.iter().map(PathBuf::from));
    let output = atomscope(args);
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let tensors = safetensors(&place.path().join("of.tally.fires"));
    let (atoms, scores) = (whole(&tensors["atoms"]), &tensors["scores"].1);
    let scores: Vec<f64> = scores
        .chunks_exact(8)
        .map(|bytes| f64::from_le_bytes(bytes.try_into().expect("8 bytes")))
        .collect();
    let ends = tensors.get("row_ends").map_or_else(
        || {
            let width = atoms.len() / 200;
            (1..=200).map(|row| row * width).collect()
        },
        whole,
    );
    let mut start = 0;
    let row = |end: usize| {
        let place = std::mem::replace(&mut start, end)..end;
        place.map(|i| (atoms[i], scores[i])).collect()
    };
    Ok(ends.into_iter().map(row).collect())
}

/// The bytes of every tensor of a safetensors file, with the type.
fn safetensors(path: &Path) -> BTreeMap<String, (String, Vec<u8>)> {
    let bytes = std::fs::read(path).expect("the file");
    let (length, rest) = bytes.split_first_chunk().expect("a length");
    let (header, data) = rest.split_at(u64::from_le_bytes(*length) as usize);
    let header: BTreeMap<String, Value> = serde_json::from_slice(header).expect("JSON");
    let tensor = |(name, entry): (String, Value)| {
        let place = |i: usize| entry["data_offsets"][i].as_u64().map(|n| n as usize);
        let dtype = entry["dtype"].as_str()?.to_owned();
        Some((name, (dtype, data[place(0)?..place(1)?].to_vec())))
    };
    header.into_iter().filter_map(tensor).collect()
}

/// Whole numbers of any width.
fn whole((dtype, bytes): &(String, Vec<u8>)) -> Vec<usize> {
    let width = dtype
        .trim_start_matches('U')
        .parse::<usize>()
        .expect("an unsigned type")
        / 8;
    let number = |bytes: &[u8]| {
        bytes
            .iter()
            .rev()
            .fold(0, |n, &byte| n << 8 | usize::from(byte))
    };
    bytes.chunks_exact(width).map(number).collect()
}

/// The library's activations: those in binary32, where it computes in bfloat16 too.
fn given(folder: &Path) -> Given {
    let file = std::fs::File::open(folder.join("acts.npz")).expect("acts");
    let mut archive = zip::ZipArchive::new(file).expect("a zip archive");
    let in_single = archive
        .file_names()
        .any(|name| matches!(name, Ok(name) if name == "acts_float32.npy"));
    let name = if in_single {
        "acts_float32.npy"
    } else {
        "acts.npy"
    };
    let mut bytes = Vec::new();
    let mut entry = archive.by_name(name).expect("the array");
    entry.read_to_end(&mut bytes).expect("read");
    let header = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let text = String::from_utf8_lossy(&bytes[10..header]).into_owned();
    assert!(text.contains("'<f4'") && text.contains("False"), "{text}");
    let shape = text.split_once("(200, ").expect("200 rows").1;
    let features = shape
        .split_once(')')
        .expect("a matrix")
        .0
        .parse()
        .expect("a number");
    let numbers = bytes[header..].chunks_exact(4);
    let acts = numbers
        .map(|bytes| f32::from_le_bytes(bytes.try_into().expect("4 bytes")))
        .collect();
    Given { features, acts }
}

impl Given {
    /// The atoms with an activation other than 0, of each row.
    fn rows(&self) -> impl Iterator<Item = Vec<Firing>> {
        let row = |row: &[f32]| {
            let fires = row.iter().enumerate().filter(|(_, act)| **act != 0.0);
            fires.map(|(atom, &act)| (atom, f64::from(act))).collect()
        };
        self.acts.chunks_exact(self.features).map(row)
    }
}

fn check_equal(name: &str, found: &[Vec<Firing>], given: &Given) {
    assert_eq!(found.len(), 200, "{name}");
    for (row, (found, given)) in found.iter().zip(given.rows()).enumerate() {
        let atoms = |fires: &[Firing]| fires.iter().map(|fires| fires.0).collect::<Vec<_>>();
        assert_eq!(atoms(found), atoms(&given), "{name}, row {row}");
        // A score is a sum: it may be much smaller than what is added, which the library rounds.
        let largest = given.iter().map(|fires| fires.1.abs()).fold(0.0, f64::max);
        for (found, given) in found.iter().zip(&given) {
            let off = (found.1 - given.1).abs();
            assert!(
                off <= 5e-5 * given.1.abs().max(largest),
                "{name}, row {row}: {found:?}, {given:?}"
            );
        }
    }
}

/// Where scores are really equal, the library takes any of them, and the definition those of the
/// lowest numbers. Returns the rows that differ.
fn check_tied(name: &str, found: &[Vec<Firing>], given: &Given) -> usize {
    // Of a batch, rows share what fires: values are those of all rows together.
    let is_batch = name.ends_with("evo2");
    let values = |rows: &mut dyn Iterator<Item = &Firing>| {
        let mut values: Vec<_> = rows.map(|fires| fires.1 as f32).collect();
        values.sort_by(f32::total_cmp);
        values
    };
    let rows: Vec<_> = given.rows().collect();
    let near = |a: &[f32], b: &[f32]| {
        a.len() == b.len()
            && a.iter()
                .zip(b)
                .all(|(a, b)| (a - b).abs() <= 1e-5 * b.abs().max(1.0))
    };
    if is_batch {
        let (ours, theirs) = (
            values(&mut found.iter().flatten()),
            values(&mut rows.iter().flatten()),
        );
        assert!(near(&ours, &theirs), "{name}");
    }
    let mut differ = 0;
    for (row, (found, given)) in found.iter().zip(&rows).enumerate() {
        let (ours, theirs) = (values(&mut found.iter()), values(&mut given.iter()));
        assert!(is_batch || ours == theirs, "{name}, row {row}");
        let has = |fires: &[Firing], atom: usize| fires.iter().any(|fires| fires.0 == atom);
        let only_theirs = given.iter().filter(|fires| !has(found, fires.0));
        for theirs in only_theirs {
            // What we have and the library has not is as large, and before it.
            let ours = found.iter().filter(|fires| !has(given, fires.0));
            assert!(
                is_batch
                    || ours
                        .clone()
                        .all(|ours| ours.1 == theirs.1 && ours.0 < theirs.0),
                "{name}, row {row}"
            );
            assert!(is_batch || ours.count() > 0, "{name}, row {row}");
        }
        differ += usize::from(!found.iter().map(|f| f.0).eq(given.iter().map(|f| f.0)));
    }
    // Two rows are one, and one firing is left for both.
    assert!(!is_batch || differ == 2, "{name}: {differ} rows");
    differ
}
