//! `atom_reasons.parquet`: written where calls have reasons, and nowhere else.

use std::fmt::Write;
use std::path::Path;

use crate::common::sharded::{Sharded, succeed};

#[test]
fn analyze_writes_reasons_where_calls_have_some() {
    let cohort = Sharded::new(400);
    let pieces = cohort.pieces(1);
    let first = cohort.path("first");
    succeed(&cohort.analyze_args(&pieces, &first, &[]));
    assert!(!first.join("atom_reasons.parquet").exists());

    let calls = std::fs::read_to_string(first.join("call_atoms.tsv")).unwrap();
    let mut table = "chrom\tpos\tid\tsvtype\tsvlen\ttruvari_class\treason\n".to_owned();
    for (row, call) in calls.lines().skip(1).enumerate() {
        let columns: Vec<&str> = call.split('\t').collect();
        let reason = match (columns[7], row % 2) {
            ("TP", _) => "",
            (_, 0) => "multi",
            _ => "no_candidate",
        };
        let known = columns[1..6].join("\t");
        writeln!(table, "{known}\t{}\t{reason}", columns[7]).unwrap();
    }
    let (path, second) = (cohort.path("calls.tsv"), cohort.path("second"));
    std::fs::write(&path, table).unwrap();
    let named = path.display().to_string();
    succeed(&cohort.analyze_args(&pieces, &second, &["--metadata", &named]));
    assert!(second.join("atom_reasons.parquet").is_file());
    let reasons = |folder: &Path| {
        let calls = std::fs::read_to_string(folder.join("call_atoms.tsv")).unwrap();
        calls.matches("\tmulti\t").count()
    };
    assert!(reasons(&second) > 20 && reasons(&first) == 0);
}
