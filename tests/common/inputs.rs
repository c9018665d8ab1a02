//! The golden files of `tests/golden/inputs`.

use std::path::{Path, PathBuf};

pub(crate) fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/inputs")
        .join(name)
}

/// The embeddings of `cohort.pt` in every form.
pub(crate) const EMBEDDINGS: [&str; 18] = [
    "cohort.pt",
    "rows_f2.npy",
    "rows_f4.npy",
    "rows_f8.npy",
    "rows_v2.npy",
    "rows_v3.npy",
    "rows_fortran.npy",
    "named.npz",
    "only.npz",
    "compressed.npz",
    "objects.npz",
    "rows_float16.safetensors",
    "rows_bfloat16.safetensors",
    "rows_float32.safetensors",
    "rows_float64.safetensors",
    "only.safetensors",
    "bare.pt",
    "alone.pt",
];

/// The calls of `cohort.pt` in every form.
pub(crate) const TABLES: [&str; 15] = [
    "calls.csv",
    "calls.tsv",
    "calls.jsonl",
    "calls.csv.gz",
    "calls.tsv.gz",
    "calls.jsonl.gz",
    "bom_crlf.csv",
    "calls_none.parquet",
    "calls_snappy.parquet",
    "calls_gzip.parquet",
    "calls_zstd.parquet",
    "calls_lz4.parquet",
    "plain_v2.parquet",
    "delta.parquet",
    "types.parquet",
];
