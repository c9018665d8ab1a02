//! No bytes make reading embeddings or tables of calls panic, hang or take memory that the files
//! do not have.

use std::path::Path;
use std::time::Instant;

use crate::common::inputs::{EMBEDDINGS, TABLES, golden};
use crate::common::reading::{Random, damage, silence};
use atomscope::read::{inspect, read_cohort_with};
use atomscope::rows::Rows;

/// Reads in every way; whatever comes of it is well, if it is one line.
fn read(embeddings: &Path, table: &Path, looked_at: &Path) -> bool {
    if let Ok(found) = inspect(looked_at) {
        let _ = found.to_string();
        serde_json::to_string(&found).unwrap();
    }
    match read_cohort_with(embeddings, Some(table)) {
        Ok(cohort) => {
            let (count, dim) = (cohort.rows.count(), cohort.rows.dim());
            assert_eq!(cohort.calls.len(), count);
            if count * dim < 1 << 20 {
                let _ = cohort.rows.read(0..count, &mut vec![0.0; count * dim]);
            }
            true
        }
        Err(error) => {
            assert_eq!(error.exit_code(), 2);
            let line = error.to_string();
            assert!(!line.contains('\n') && line.contains("; "), "{line}");
            false
        }
    }
}

/// How many damaged versions of each file are read, at most; a minute in all.
const CASES: usize = 300;

#[test]
fn damaged_embeddings() {
    silence();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    let started = Instant::now();
    for (seed, name) in EMBEDDINGS.iter().filter(|n| !n.contains(".pt")).enumerate() {
        let whole = std::fs::read(golden(name)).unwrap();
        let mut random = Random(seed as u64 + 1);
        let mut refused = 0;
        for _ in 0..CASES {
            std::fs::write(&path, damage(&mut random, &whole)).unwrap();
            refused += usize::from(!read(&path, &golden("calls.csv"), &path));
        }
        assert!(refused > CASES / 10, "{name}: {refused}");
    }
    assert!(started.elapsed().as_secs() < 300);
}

#[test]
fn damaged_tables() {
    silence();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    let started = Instant::now();
    for (seed, name) in TABLES.iter().enumerate() {
        let whole = std::fs::read(golden(name)).unwrap();
        let mut random = Random(seed as u64 + 100);
        let mut refused = 0;
        for _ in 0..CASES {
            std::fs::write(&path, damage(&mut random, &whole)).unwrap();
            refused += usize::from(!read(&golden("rows_f4.npy"), &path, &path));
        }
        assert!(refused > CASES / 10, "{name}: {refused}");
    }
    assert!(started.elapsed().as_secs() < 300);
}

#[test]
fn files_cut_short_anywhere() {
    silence();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    for name in ["rows_f2.npy", "only.npz", "only.safetensors"] {
        let whole = std::fs::read(golden(name)).unwrap();
        for end in 0..whole.len() {
            std::fs::write(&path, &whole[..end]).unwrap();
            let table = golden("calls.csv");
            assert!(!read(&path, &table, &path), "{name} cut at {end}");
        }
    }
    for name in ["calls.csv.gz", "calls.jsonl", "calls_snappy.parquet"] {
        let whole = std::fs::read(golden(name)).unwrap();
        // The last line's end is no loss.
        for end in 0..whole.len() - 1 {
            std::fs::write(&path, &whole[..end]).unwrap();
            let embeddings = golden("rows_f4.npy");
            assert!(!read(&embeddings, &path, &path), "{name} cut at {end}");
        }
    }
}

/// Groups in groups, as deep as the footer is long: read by recursion.
#[test]
fn parquet_schemas_of_any_depth() {
    silence();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.parquet");
    for depth in [10_u32, 1000, 100_000, 1_000_000] {
        // FileMetaData: version 1; schema: a list of groups of one child, the last an int32; no
        // rows; no row groups.
        let mut footer = vec![0x15, 0x02, 0x19, 0xfc];
        let mut size = depth + 1;
        while size >= 0x80 {
            footer.push(size as u8 | 0x80);
            size >>= 7;
        }
        footer.push(size as u8);
        footer.extend([0x48, 0x00, 0x15, 0x02, 0x00]);
        for _ in 1..depth {
            footer.extend([0x35, 0x00, 0x18, 0x00, 0x15, 0x02, 0x00]);
        }
        footer.extend([0x15, 0x02, 0x25, 0x00, 0x18, 0x01, b'x', 0x00]);
        footer.extend([0x16, 0x00, 0x19, 0x0c, 0x00]);
        let length = (footer.len() as u32).to_le_bytes();
        let bytes = [b"PAR1", &*footer, &length, b"PAR1"].concat();
        std::fs::write(&path, bytes).unwrap();
        assert!(!read(&golden("rows_f4.npy"), &path, &path));
        let shown = inspect(&path).map(|found| found.to_string());
        println!("{depth}: {shown:?}");
    }
}
