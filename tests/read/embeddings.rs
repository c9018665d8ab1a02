//! Embeddings from tables with a column of lists, from numpy's arrays in torch files, from one matrix of
//! several, and pooled from tokens: against numbers that are computed here.
//!
//! `tests/golden/make_lists.py` wrote the files.

use std::path::{Path, PathBuf};

use atomscope::Rows;
use atomscope::cohort::ClassRule;
use atomscope::error::{Choice, Error};
use atomscope::read::{
    Cohort, inspect, inspect_embeddings, read_cohort_choosing, read_cohort_with,
};
use atomscope::rows::{ElementType, EmbeddingsChoice, Pool};

use crate::common::reading::{parts, silence};

const N: usize = 7;
const L: usize = 4;
const D: usize = 5;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/lists")
        .join(name)
}

/// The number that the script writes, before it is rounded to a type.
fn number(layer: usize, n: usize, token: usize, d: usize) -> f64 {
    let mixed = (layer * 32_452_843 + n * 7919 + token * 104_729 + d * 1_299_709 + 12345) as u128;
    let mixed = (mixed * 2_654_435_761 % (1 << 32)) as i64;
    (mixed - (1 << 31)) as f64 / f64::from(1 << 20)
}

/// The same as binary32, after it was rounded to another type.
fn stored(dtype: &str, layer: usize, n: usize, token: usize, d: usize) -> f32 {
    let x = number(layer, n, token, d);
    match dtype {
        "f2" => ((x * f64::from(1 << 20) / f64::from(1 << 21)).floor() / 8.0) as f32,
        _ => x as f32,
    }
}

fn first_tokens(dtype: &str, layer: usize) -> Vec<f32> {
    let each = (0..N).flat_map(|n| (0..D).map(move |d| (n, d)));
    each.map(|(n, d)| stored(dtype, layer, n, 0, d)).collect()
}

/// The rows that pooling must give, by its definition.
fn pooled(dtype: &str, pool: Pool) -> Vec<f32> {
    let of = |n: usize, d: usize| {
        let all: Vec<f32> = (0..L).map(|t| stored(dtype, 0, n, t, d)).collect();
        match pool {
            Pool::Mean => {
                let mut sum = 0.0_f64;
                for x in &all {
                    sum += f64::from(*x);
                }
                (sum / L as f64) as f32
            }
            Pool::Max => all.iter().copied().fold(f32::NEG_INFINITY, f32::max),
            Pool::Last => all[L - 1],
            Pool::Token(at) if at < 0 => all[L - at.unsigned_abs() as usize],
            Pool::Token(at) => all[at as usize],
        }
    };
    (0..N).flat_map(|n| (0..D).map(move |d| of(n, d))).collect()
}

fn keyed(key: &str) -> EmbeddingsChoice {
    EmbeddingsChoice {
        key: Some(key.to_owned()),
        ..EmbeddingsChoice::default()
    }
}

fn layered(layer: &str) -> EmbeddingsChoice {
    EmbeddingsChoice {
        layer: Some(layer.to_owned()),
        ..EmbeddingsChoice::default()
    }
}

fn pooling(pool: Pool) -> EmbeddingsChoice {
    EmbeddingsChoice {
        pool: Some(pool),
        ..EmbeddingsChoice::default()
    }
}

fn read(name: &str, choice: &EmbeddingsChoice) -> Result<Cohort, Error> {
    let table = golden("calls.parquet");
    read_cohort_choosing(&golden(name), Some(&table), &ClassRule::default(), choice)
}

/// All numbers, read in every way that an engine reads them.
fn numbers(rows: &dyn Rows) -> Vec<f32> {
    let (count, dim) = (rows.count(), rows.dim());
    let mut all = vec![f32::NAN; count * dim];
    rows.read(0..count, &mut all).unwrap();
    for step in 1..=count {
        for first in (0..count).step_by(step) {
            let last = count.min(first + step);
            let mut part = vec![f32::NAN; (last - first) * dim];
            rows.read(first..last, &mut part).unwrap();
            assert_eq!(part, all[first * dim..last * dim], "{first}..{last}");
            let size = rows.element_type().bytes();
            let mut bytes = vec![0xee; part.len() * size];
            rows.read_stored(first..last, &mut bytes).unwrap();
            assert_eq!(
                widened(rows.element_type(), &bytes),
                part,
                "{first}..{last}"
            );
        }
    }
    all
}

fn widened(element: ElementType, bytes: &[u8]) -> Vec<f32> {
    let each = bytes.chunks(element.bytes());
    each.map(|x| match element {
        ElementType::F16 => half::f16::from_le_bytes(x.try_into().unwrap()).to_f32(),
        ElementType::Bf16 => half::bf16::from_le_bytes(x.try_into().unwrap()).to_f32(),
        ElementType::F32 => f32::from_le_bytes(x.try_into().unwrap()),
        ElementType::F64 => f64::from_le_bytes(x.try_into().unwrap()) as f32,
    })
    .collect()
}

fn assert_rows(name: &str, choice: &EmbeddingsChoice, expected: &[f32]) -> Cohort {
    let cohort = read(name, choice).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!((cohort.rows.count(), cohort.rows.dim()), (N, D), "{name}");
    assert_eq!(numbers(&cohort.rows), expected, "{name}");
    cohort
}

#[test]
fn tables_of_lists_give_their_rows() {
    for (name, dtype, torch) in [
        ("f2.parquet", "f2", "float16"),
        ("f4.parquet", "f4", "float32"),
        ("f8.parquet", "f8", "float64"),
        ("calls.parquet", "f4", "float32"),
        ("pandas.parquet", "f4", "float32"),
        ("polars.parquet", "f4", "float32"),
        ("f2.arrow", "f2", "float16"),
        ("f4.arrow", "f4", "float32"),
        ("f8.arrow", "f8", "float64"),
        ("stream.arrow", "f4", "float32"),
        ("lz4.arrow", "f4", "float32"),
        ("zstd.arrow", "f4", "float32"),
        ("sliced.arrow", "f4", "float32"),
        ("feather.feather", "f4", "float32"),
        ("polars.arrow", "f4", "float32"),
        ("polars_array.arrow", "f4", "float32"),
        ("datasets.arrow", "f4", "float32"),
    ] {
        let choice = EmbeddingsChoice::default();
        let cohort = assert_rows(name, &choice, &first_tokens(dtype, 0));
        assert_eq!(cohort.rows.dtype(), torch, "{name}");
    }
}

#[test]
fn arrays_in_torch_files_give_their_rows() {
    for dtype in ["f2", "f4", "f8"] {
        for name in ["array", "fortran"] {
            let name = format!("{name}_{dtype}.pt");
            assert_rows(&name, &EmbeddingsChoice::default(), &first_tokens(dtype, 0));
        }
    }
    for name in ["alone.pt", "legacy.pt", "protocol_5.pt", "big_endian.pt"] {
        assert_rows(name, &EmbeddingsChoice::default(), &first_tokens("f4", 0));
    }
    let error = read("text.pt", &EmbeddingsChoice::default()).unwrap_err();
    let bad = parts(&golden("text.pt"), &error);
    assert!(
        bad.found.starts_with("a NumPy array of U1, no tensor"),
        "{error}"
    );
}

const POOLS: [Pool; 6] = [
    Pool::Mean,
    Pool::Max,
    Pool::Last,
    Pool::Token(0),
    Pool::Token(2),
    Pool::Token(-4),
];

#[test]
fn tokens_are_pooled_by_the_definition() {
    for name in [
        "tokens.npy",
        "tokens_fortran.npy",
        "tokens.npz",
        "tokens.pt",
        "tokens_turned.pt",
        "array_tokens.pt",
        "tokens.parquet",
        "tokens.arrow",
        "tokens_fixed.arrow",
    ] {
        for pool in POOLS {
            let cohort = assert_rows(name, &pooling(pool), &pooled("f4", pool));
            let about = cohort.rows.about();
            assert_eq!(
                (&*about.shape, about.pool),
                (&[N, L, D][..], Some(pool)),
                "{name}"
            );
        }
    }
    for pool in POOLS {
        assert_rows("tokens.safetensors", &pooling(pool), &pooled("f2", pool));
        let choice = EmbeddingsChoice {
            key: Some("tokens".to_owned()),
            ..pooling(pool)
        };
        assert_rows("datasets.arrow", &choice, &pooled("f4", pool));
    }
    assert_ne!(pooled("f4", Pool::Max), pooled("f4", Pool::Mean));
    let cohort = read("tokens.safetensors", &pooling(Pool::Last)).unwrap();
    // A token is a view of the tensor, and no number is copied or widened on the way.
    assert_eq!(cohort.rows.dtype(), "float16");
}

#[test]
fn pool_max_gives_nan_for_a_nan() {
    let rows = read("holes.npy", &pooling(Pool::Max)).unwrap().rows;
    let found = {
        let mut all = vec![0.0; N * D];
        rows.read(0..N, &mut all).unwrap();
        all
    };
    let is_nan: Vec<_> = (0..N * D).filter(|&at| found[at].is_nan()).collect();
    assert_eq!(is_nan, [3 * D + 1]);
}

#[test]
fn keys_and_layers_choose_a_matrix() {
    for (name, key) in [
        ("layers.npz", "layers.26"),
        ("layers.safetensors", "layers.26"),
        ("layers.pt", "blocks.26.hook_resid_post"),
        ("nested.pt", "acts.26"),
        ("layers.parquet", "layer_26"),
        ("layers.arrow", "layer_26"),
        ("beside.pt", "layer_26"),
    ] {
        for choice in [keyed(key), layered("26")] {
            let cohort = assert_rows(name, &choice, &first_tokens("f4", 26));
            let about = cohort.rows.about();
            assert_eq!(about.key.as_deref(), Some(key), "{name}");
            assert_eq!(about.layer, choice.layer, "{name}");
            assert_eq!(about.choice, choice, "{name}");
        }
        let other = if name == "beside.pt" {
            "embeddings"
        } else {
            &key.replace("26", "12")
        };
        let layer = if name == "beside.pt" { 0 } else { 12 };
        assert_rows(name, &keyed(other), &first_tokens("f4", layer));
    }
    // Without a choice the one that is called so is taken.
    assert_rows(
        "beside.pt",
        &EmbeddingsChoice::default(),
        &first_tokens("f4", 0),
    );
    // A layer is a model's where a file names none.
    let cohort = assert_rows("f4.arrow", &layered("26"), &first_tokens("f4", 0));
    assert!(cohort.rows.about().choice.is_none());
    assert_rows("only.pt", &keyed("features"), &first_tokens("f4", 0));
}

/// What is wrong: the parts of its message, and the choices that it proposes.
fn refused(name: &str, choice: &EmbeddingsChoice) -> (String, Vec<Choice>) {
    let Err(error) = read(name, choice) else {
        panic!("{name} was read by {choice}")
    };
    let line = error.to_string();
    assert!(
        !line.contains('\n') && line.contains(name.split('/').next().unwrap()),
        "{line}"
    );
    (
        line,
        error
            .proposals()
            .iter()
            .map(|proposal| proposal.choice)
            .collect(),
    )
}

#[test]
fn several_matrices_are_asked_about() {
    for name in [
        "layers.npz",
        "layers.safetensors",
        "layers.pt",
        "layers.parquet",
        "layers.arrow",
    ] {
        let (line, choices) = refused(name, &EmbeddingsChoice::default());
        assert!(line.contains("12") && line.contains("26"), "{line}");
        assert_eq!(choices, [Choice::Key, Choice::Layer], "{name}");
        let (line, choices) = refused(name, &layered("3"));
        assert!(line.contains("none of layer 3 among"), "{line}");
        assert_eq!(choices, [Choice::Key], "{name}");
        let (line, choices) = refused(name, &keyed("layer_3"));
        assert!(line.contains("no key layer_3 among"), "{line}");
        assert_eq!(choices, [Choice::Key], "{name}");
    }
    let (line, choices) = refused("only.pt", &EmbeddingsChoice::default());
    assert!(line.contains("features (float32 [7, 5])"), "{line}");
    assert_eq!(choices, [Choice::Key]);
    let (line, _) = refused("tokens.npy", &keyed("x"));
    assert!(line.contains("an array without keys"), "{line}");
    // The only matrix names another layer.
    assert!(
        refused("beside.pt", &layered("3"))
            .0
            .contains("none of layer 3")
    );
}

#[test]
fn pooling_is_asked_for_where_there_are_tokens_alone() {
    for name in [
        "tokens.npy",
        "tokens.pt",
        "tokens.parquet",
        "tokens.arrow",
        "tokens.safetensors",
    ] {
        let (line, choices) = refused(name, &EmbeddingsChoice::default());
        assert!(line.contains("[7, 4, 5]"), "{line}");
        assert_eq!(choices, [Choice::Pool], "{name}");
        let (_, choices) = refused(name, &pooling(Pool::Token(4)));
        assert_eq!(choices, [Choice::Pool], "{name}");
    }
    for name in ["f4.parquet", "f4.arrow", "array_f4.pt"] {
        let (line, choices) = refused(name, &pooling(Pool::Mean));
        assert!(
            line.contains("three dimensions") && choices.is_empty(),
            "{line}"
        );
    }
    assert!(
        refused("no_tokens.npy", &pooling(Pool::Mean))
            .0
            .contains("at least one token")
    );
}

#[test]
fn bad_lists_are_named_by_row() {
    for (name, words) in [
        ("null_row", "row 4, counted from 0, column e: found no list"),
        (
            "null_number",
            "row 4, counted from 0, column e: found a missing number",
        ),
        (
            "ragged",
            "row 4, counted from 0, column e: found a list of 4 numbers, expected 5 numbers",
        ),
        ("empty", "row 4, counted from 0, column e: found "),
        ("all_empty", "column e: found "),
        ("whole", "no lists of numbers among e"),
        (
            "no_rows",
            "no row, so that the length of a list is not known",
        ),
        ("null_token", "row 4, counted from 0, column e: found "),
        (
            "few_tokens",
            "row 4, counted from 0, column e: found a list of 3 lists, expected 4 lists",
        ),
        (
            "short_token",
            "row 4, counted from 0, column e: found a list of 4 numbers, expected 5",
        ),
    ] {
        for ending in ["parquet", "arrow"] {
            let name = format!("bad_{name}.{ending}");
            for choice in [EmbeddingsChoice::default(), pooling(Pool::Mean)] {
                let (line, _) = refused(&name, &choice);
                assert!(line.contains(words), "{line}");
            }
        }
    }
}

#[test]
fn tables_are_their_own_calls() {
    let expected = read_cohort_with(&golden("f4.arrow"), Some(&golden("calls.parquet"))).unwrap();
    for name in [
        "pandas.parquet",
        "lz4.arrow",
        "zstd.arrow",
        "polars.arrow",
        "calls.parquet",
    ] {
        // Alone in a folder, since others of these files have the same names.
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::copy(golden(name), &path).unwrap();
        let cohort = read_cohort_with(&path, None).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(cohort.calls, expected.calls, "{name}");
        assert_eq!(
            (cohort.metadata, cohort.warnings),
            (None, Vec::new()),
            "{name}"
        );
        // A table beside it comes first.
        let table = path.with_extension("csv");
        std::fs::write(
            &table,
            "svtype,truvari_class\n".to_owned() + &"INV,TP\n".repeat(N),
        )
        .unwrap();
        let cohort = read_cohort_with(&path, None).unwrap();
        assert_eq!(cohort.metadata, Some(table), "{name}");
        assert_eq!(cohort.calls.svtype.get(0), Some("INV"), "{name}");
    }
    let error = read_cohort_with(&golden("tokens_fixed.arrow"), None).unwrap_err();
    assert!(error.to_string().contains("shape [7, 4, 5]"), "{error}");
    let error = read_cohort_with(&golden("feather.feather"), None).unwrap_err();
    assert_eq!(error.proposals()[0].choice, Choice::Metadata, "{error}");
}

#[test]
fn ids_of_a_table_must_be_those_of_the_calls() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("calls.csv");
    let ids = |last: usize| {
        let id = |n: usize| if n == N - 1 { last } else { n };
        let lines: Vec<_> = (0..N).map(|n| format!("call{},TP\n", id(n))).collect();
        lines.concat()
    };
    for name in ["layers.parquet", "layers.arrow"] {
        std::fs::write(&table, format!("id,truvari_class\n{}", ids(N - 1))).unwrap();
        let choice = layered("12");
        let read =
            || read_cohort_choosing(&golden(name), Some(&table), &ClassRule::default(), &choice);
        assert_eq!(read().unwrap().calls.id.get(6), Some("call6"), "{name}");
        std::fs::write(&table, format!("id,truvari_class\n{}", ids(9))).unwrap();
        let line = read().unwrap_err().to_string();
        assert!(line.contains("row 6") && line.contains("call9"), "{line}");
    }
}

#[test]
fn parts_of_distributed_checkpoints_are_named() {
    for (name, words) in [
        ("dcp_one", "a checkpoint of torch.distributed.checkpoint"),
        ("dcp_one/__0_0.distcp", "torch.distributed.checkpoint"),
        ("dcp_one/.metadata", "torch.distributed.checkpoint"),
    ] {
        let (line, _) = refused(name, &EmbeddingsChoice::default());
        assert!(line.contains(words), "{line}");
        assert!(line.contains("dcp_to_torch"), "{line}");
        let error = atomscope::read_model(&golden(name))
            .unwrap_err()
            .to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn inspect_says_what_is_taken() {
    let taken = |name: &str, choice: &EmbeddingsChoice| {
        let found = inspect_embeddings(&golden(name), choice);
        found.map(|found| found.map(|taken| taken.to_string()))
    };
    let said = |name, choice: &_| taken(name, choice).unwrap().unwrap();
    assert_eq!(
        said("tokens.arrow", &pooling(Pool::Last)),
        "e, float32 [7, 4, 5], tokens pooled by last"
    );
    assert_eq!(
        said("layers.npz", &layered("12")),
        "layers.12, float32 [7, 5], layer 12"
    );
    assert_eq!(
        said("f8.parquet", &EmbeddingsChoice::default()),
        "e, float64 [7, 5]"
    );
    assert!(
        taken("layers.npz", &EmbeddingsChoice::default())
            .unwrap()
            .is_err()
    );
    for name in ["f8.parquet", "lz4.arrow", "stream.arrow", "array_f4.pt"] {
        let found = inspect(&golden(name)).unwrap_or_else(|error| panic!("{error}"));
        assert!(found.to_string().contains(if name == "array_f4.pt" {
            "embeddings"
        } else {
            "e"
        }));
    }
}

/// What reading gives: numbers, or nothing.
fn outcome(path: &Path) -> Option<Vec<f32>> {
    let table = golden("calls.parquet");
    let _ = inspect(path).map(|found| found.to_string());
    match read_cohort_with(path, Some(&table)) {
        Ok(cohort) => {
            let (count, dim) = (cohort.rows.count(), cohort.rows.dim());
            let mut all = vec![0.0; count * dim];
            cohort.rows.read(0..count, &mut all).ok().map(|()| all)
        }
        Err(error) => {
            let line = error.to_string();
            assert!(!line.contains('\n') && line.contains("; "), "{line}");
            None
        }
    }
}

/// Where the file keeps the numbers as they are, so that a changed byte is a changed number.
fn plain_numbers(whole: &[u8], expected: &[f32]) -> Vec<std::ops::Range<usize>> {
    let bytes: Vec<u8> = expected.iter().flat_map(|x| x.to_le_bytes()).collect();
    // Batches of a stream have 3 rows each.
    let pieces = [bytes.chunks(bytes.len()), bytes.chunks(3 * D * 4)];
    let find = |piece: &[u8]| {
        let at = whole
            .windows(piece.len())
            .position(|window| window == piece)?;
        Some(at..at + piece.len())
    };
    pieces.into_iter().flatten().filter_map(find).collect()
}

#[test]
fn damaged_tables_give_no_other_numbers_in_silence() {
    silence();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    let expected = first_tokens("f4", 0);
    for name in ["f4.parquet", "f4.arrow", "stream.arrow"] {
        let whole = std::fs::read(golden(name)).unwrap();
        let numbers = plain_numbers(&whole, &expected);
        assert!(
            numbers.iter().map(ExactSizeIterator::len).sum::<usize>() >= N * D * 4,
            "{name}"
        );
        let mut refused = 0;
        for at in 0..whole.len() {
            std::fs::write(&path, &whole[..at]).unwrap();
            assert_eq!(outcome(&path), None, "{name} cut at {at}");
            if numbers.iter().any(|range| range.contains(&at)) {
                continue;
            }
            for change in [0x01, 0x80, 0xff] {
                let mut damaged = whole.clone();
                damaged[at] ^= change;
                std::fs::write(&path, &damaged).unwrap();
                match outcome(&path) {
                    None => refused += 1,
                    Some(found) => assert!(found == expected, "{name}: byte {at} by {change:02x}"),
                }
            }
        }
        assert!(refused > whole.len() / 2, "{name}: {refused}");
    }
}

#[test]
fn damaged_packed_tables_are_one_line() {
    silence();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    for name in [
        "f8.parquet",
        "f2.parquet",
        "tokens.parquet",
        "lz4.arrow",
        "zstd.arrow",
        "polars.arrow",
    ] {
        let whole = std::fs::read(golden(name)).unwrap();
        for at in (0..whole.len()).step_by(3) {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x81;
            std::fs::write(&path, &damaged).unwrap();
            outcome(&path);
        }
    }
}
