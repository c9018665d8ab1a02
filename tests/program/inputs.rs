//! The program on embeddings and calls in files of their own.

use std::path::Path;

use crate::common::cohort::Cohort;
use crate::common::inputs::golden;
use crate::common::{assert_refused, atomscope, contents};
use atomscope::cohort::Calls;
use atomscope::read::read_cohort;
use atomscope::rows::Rows;
use npyz::WriterBuilder;

/// The calls as a table; fields that are missing are empty.
fn write_table(calls: &Calls, path: &Path) {
    let mut table = csv::Writer::from_path(path).expect("a file");
    let header = [
        "svlen",
        "id",
        "svtype",
        "chrom",
        "pos",
        "dataset",
        "truvari_class",
    ];
    table.write_record(header).expect("written");
    for row in 0..calls.len() {
        let call = calls.get(row);
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let record = [
            call.svlen.to_string(),
            text(call.id),
            text(call.svtype),
            text(call.chrom),
            call.pos.to_string(),
            text(call.dataset),
            text(call.truvari_class),
        ];
        table.write_record(record).expect("written");
    }
    table.flush().expect("written");
}

fn write_array(rows: &impl Rows, path: &Path) {
    let mut numbers = vec![0.0; rows.count() * rows.dim()];
    rows.read(0..rows.count(), &mut numbers).expect("rows");
    let file = std::fs::File::create(path).expect("a file");
    let mut array = npyz::WriteOptions::<f32>::new()
        .default_dtype()
        .shape(&[rows.count() as u64, rows.dim() as u64])
        .writer(file)
        .begin_nd()
        .expect("a header");
    array.extend(numbers).expect("written");
    array.finish().expect("written");
}

#[test]
fn the_answer_is_the_same_whatever_the_form() {
    let cohort = Cohort::simulated(300);
    let read = read_cohort(&cohort.path("embeddings.pt")).expect("a cohort");
    let (array, table) = (cohort.path("other.npy"), cohort.path("table.txt"));
    write_array(&read.rows, &array);
    write_table(&read.calls, &table);
    let run = |embeddings: Option<&Path>, more: &[&str]| {
        let output = cohort.analyze(embeddings, None, &[&["-q", "--save-fires"], more].concat());
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{stderr}");
        let mut files = contents(&cohort.out());
        let record = files.iter().position(|(name, _)| name == "run.json");
        let (_, record) = files.remove(record.expect("run.json"));
        let record: serde_json::Value = serde_json::from_slice(&record).expect("JSON");
        (files, record)
    };
    let (expected, _) = run(None, &[]);
    assert!(expected.len() > 4);
    let named = table.to_str().expect("UTF-8");
    let (files, record) = run(Some(&array), &["--metadata", named]);
    assert_eq!(files, expected);
    assert_eq!(record["inputs"][1]["role"], "metadata");
    std::fs::rename(&table, cohort.path("other.csv")).expect("renamed");
    let (files, _) = run(Some(&array), &[]);
    assert_eq!(files, expected);
    let investigated = atomscope([
        "investigate".as_ref(),
        "--atom".as_ref(),
        "5".as_ref(),
        "--embeddings".as_ref(),
        array.as_os_str(),
        "--model".as_ref(),
        cohort.folder.path().as_os_str(),
    ]);
    assert!(investigated.status.success());
    cohort.assert_refused(
        Some(&array),
        None,
        &["--metadata", golden("calls.csv").to_str().expect("UTF-8")],
        &[
            "calls.csv",
            "13 calls",
            "300, one for each row of",
            "other.npy",
        ],
    );
}

/// A byte that makes the parser panic: the user sees one line all the same.
#[test]
fn a_parser_that_panics_is_one_line() {
    let cohort = Cohort::simulated(20);
    let mut bytes = std::fs::read(golden("calls_none.parquet")).expect("the golden");
    bytes[1512] = 0xff;
    let table = cohort.path("table.parquet");
    std::fs::write(&table, bytes).expect("written");
    let output = atomscope(["inspect".as_ref(), table.as_os_str()]);
    assert_refused(&output, &["table.parquet", "make no sense", "damaged"]);
    let output = cohort.analyze(
        Some(&golden("rows_f4.npy")),
        None,
        &["--metadata", table.to_str().expect("UTF-8")],
    );
    assert_refused(&output, &["table.parquet", "make no sense", "damaged"]);
}
