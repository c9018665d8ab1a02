//! Tables of calls as other tools write them: `tests/golden/make_tables.py` wrote the files.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::common::inputs::golden as input;
use atomscope::cohort::{Call, ClassRule, Number};
use atomscope::error::{BadInput, Error};
use atomscope::read::{Cohort, inspect, read_cohort_by, read_cohort_with};
use npyz::WriterBuilder;
use tempfile::TempDir;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/tables")
        .join(name)
}

/// Embeddings of so many rows, and tables that are written for one test.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn array(&self, rows: u64) -> PathBuf {
        let path = self.0.path().join(format!("{rows}.npy"));
        let file = std::fs::File::create(&path).unwrap();
        let options = npyz::WriteOptions::<f32>::new().default_dtype();
        let array = options.shape(&[rows, 2]).writer(file).begin_nd();
        let mut array = array.unwrap();
        array.extend((0..rows * 2).map(|n| n as f32)).unwrap();
        array.finish().unwrap();
        path
    }

    fn write(&self, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join("table");
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Reads a table of so many calls.
    fn table(&self, rows: u64, bytes: &[u8]) -> Cohort {
        let read = read_cohort_with(&self.array(rows), Some(&self.write(bytes)));
        read.unwrap_or_else(|error| panic!("{error}"))
    }

    fn refused(&self, path: &Path) -> BadInput {
        bad(read_cohort_with(&self.array(1), Some(path)).unwrap_err())
    }
}

fn bad(error: Error) -> BadInput {
    match error {
        Error::Input(bad) => *bad,
        error => panic!("{error}"),
    }
}

fn assert_said(bad: &BadInput, found: &str, action: &str) {
    assert!(bad.found.contains(found), "{found:?} is not in {bad:?}");
    assert!(bad.action.contains(action), "{action:?} is not in {bad:?}");
}

#[test]
fn tables_of_other_tools_have_the_same_calls() {
    let read = |path: &Path| read_cohort_with(&input("rows_f4.npy"), Some(path));
    let expected = read(&input("calls.csv")).unwrap().calls;
    let mut count = 0;
    for entry in std::fs::read_dir(golden("")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.starts_with("same_") {
            continue;
        }
        count += 1;
        let cohort = read(&path).unwrap_or_else(|error| panic!("{error}"));
        for row in 0..expected.len() {
            let (found, expected) = (cohort.calls.get(row), expected.get(row));
            assert_eq!(found, expected, "row {row} of {name}");
        }
        assert!(cohort.has_classes, "{name}");
        assert!(cohort.warnings.is_empty(), "{name}: {:?}", cohort.warnings);
        inspect(&path).unwrap_or_else(|error| panic!("{error}"));
    }
    assert_eq!(count, 13);
}

#[test]
fn missing_values_are_missing_however_they_are_written() {
    let folder = Folder::new();
    let expected = std::fs::read_to_string(golden("expected.tsv")).unwrap();
    let rows: Vec<Vec<&str>> = expected
        .lines()
        .skip(1)
        .map(|line| line.split('\t').collect())
        .collect();
    for name in [
        "points.tsv",
        "na.tsv",
        "empty.tsv",
        "decimal.parquet",
        "half.parquet",
    ] {
        let name = format!("missing_{name}");
        let cohort = read_cohort_with(&folder.array(4), Some(&golden(&name)));
        let cohort = cohort.unwrap_or_else(|error| panic!("{error}"));
        for (row, cells) in rows.iter().enumerate() {
            let call = cohort.calls.get(row);
            let text = |cell: usize| Some(cells[cell]).filter(|text| *text != "-");
            assert_eq!(call.chrom, text(0), "row {row} of {name}");
            let svlen = text(1).map_or(0.0, |text| text.parse().unwrap());
            assert_eq!(call.svlen.as_f64(), svlen, "row {row} of {name}");
            assert_eq!(call.svtype, text(2), "row {row} of {name}");
        }
        let of = |field: &str| cohort.warnings.iter().any(|text| text.contains(field));
        assert!(of("2 of 4 calls have no svlen") && of("1 of 4 calls have no chrom"));
    }
}

#[test]
fn numbers_that_are_none_stay_so_and_texts_stay_as_they_are() {
    let folder = Folder::new();
    let lines = "{\"svlen\": NaN, \"id\": \"NaN\"}\n{\"svlen\": -Infinity, \"id\": \"a NaN, Infinity\"}\n\
                 {\"svlen\": Infinity, \"id\": NaN}\n{\"svlen\": 1e400, \"id\": 123456789012345678901}\n";
    let calls = folder.table(4, lines.as_bytes()).calls;
    let lengths: Vec<f64> = (0..4).map(|row| calls.svlen.get(row).as_f64()).collect();
    assert!(lengths[0].is_nan());
    let infinite = [f64::NEG_INFINITY, f64::INFINITY, f64::INFINITY];
    assert_eq!(lengths[1..], infinite);
    let ids: Vec<_> = (0..3).map(|row| calls.id.get(row).unwrap()).collect();
    assert_eq!(ids, ["NaN", "a NaN, Infinity", "nan"]);
    // As pandas writes them to a CSV by other means; a text column has texts.
    let text = "chrom,svlen,svtype,id\nNA,nan,None,.\n.,inf,NA,NA12878\n  ,1e3,<odd>,\n";
    let calls = folder.table(3, text.as_bytes()).calls;
    assert!(calls.svlen.get(0).as_f64().is_nan());
    assert_eq!(calls.svlen.get(1).as_f64(), f64::INFINITY);
    assert_eq!(calls.svlen.get(2).as_f64(), 1000.0);
    let all = |row: usize| {
        let Call {
            chrom, svtype, id, ..
        } = calls.get(row);
        (chrom, svtype, id)
    };
    assert_eq!(all(0), (Some("NA"), Some("None"), None));
    assert_eq!(all(1), (None, None, Some("NA12878")));
    assert_eq!(all(2), (Some("  "), Some("<odd>"), None));
}

#[test]
fn broken_json_is_named_by_line_and_column() {
    let folder = Folder::new();
    for (text, place) in [
        ("{\"pos\": NaN}\n{\"pos\": nan}\n", "line 2, column 10"),
        ("{\"pos\": 1, \"af\": Infinit}\n", "line 1, column"),
        ("{\"pos\": 1, \"af\": -nan}\n", "line 1, column"),
        ("{\"pos\": 1, \"af\": [NaN}\n", "line 1, column"),
        ("{\"pos\": 1, NaN: 2}\n", "line 1, column"),
        ("{\"pos\": 'NaN'}\n", "line 1, column"),
    ] {
        let bad = folder.refused(&folder.write(text.as_bytes()));
        assert!(bad.place.starts_with(place), "{text}: {bad:?}");
    }
}

#[test]
fn json_lines_may_begin_with_a_line_of_unknown_keys() {
    let folder = Folder::new();
    let unknown = format!("{{\"note\":\"{}\"}}\n", "x".repeat(2000));
    let known = "{\"pos\":7,\"svtype\":\"DEL\",\"truvari_class\":\"TP\"}\n";
    for lines in [[&unknown, known], [known, &unknown]] {
        let text = lines.concat();
        let path = folder.write(text.as_bytes());
        let found = inspect(&path)
            .unwrap_or_else(|error| panic!("{error}"))
            .to_string();
        assert!(
            found.contains("JSON lines") && found.contains("pos: column read as pos"),
            "{found}"
        );
        let calls = folder.table(2, text.as_bytes()).calls;
        let row = usize::from(lines[0] != known);
        assert_eq!(calls.get(row).pos, Number::Int(7));
        assert_eq!(calls.get(row).truvari_class, Some("TP"));
    }
}

#[test]
fn gzip_may_be_padded_by_zeros_and_by_nothing_else() {
    let folder = Folder::new();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(b"pos\n7\n").unwrap();
    let packed = packed.finish().unwrap();
    for (more, fits) in [
        (vec![0; 512], true),
        (b"\0\0pos".to_vec(), false),
        (b"x".to_vec(), false),
    ] {
        let path = folder.write(&[packed.clone(), more].concat());
        let read = read_cohort_with(&folder.array(1), Some(&path));
        if fits {
            assert_eq!(read.unwrap().calls.pos.get(0), Number::Int(7));
        } else {
            assert_said(
                &bad(read.unwrap_err()),
                "after the end of what gzip",
                "damaged",
            );
        }
    }
}

#[test]
fn column_of_a_field_by_two_names_is_its_own_or_none() {
    let folder = Folder::new();
    let cohort = folder.table(1, b"SVTYPE,svtype,pos\nINS,del,3\n");
    assert_eq!(cohort.calls.get(0).svtype, Some("DEL"));
    assert!(
        cohort
            .warnings
            .iter()
            .any(|text| text.contains("SVTYPE is passed over"))
    );
    let cohort = folder.table(
        1,
        b"{\"svtype\": \"DUP\", \"SVTYPE\": \"INS\", \"POS\": 5}\n",
    );
    assert_eq!(cohort.calls.get(0).svtype, Some("DUP"));
    assert_eq!(cohort.calls.get(0).pos, Number::Int(5));
    let bad = folder.refused(&folder.write(b"CHROM,chr,pos\nchr1,chr2,3\n"));
    assert_said(&bad, "CHROM, chr, pos", "twice");
}

#[test]
fn rows_of_another_length_are_no_row_names() {
    let folder = Folder::new();
    // Where the numbers would not be numbers, a row is too long; and one such row is not all of them.
    for text in ["pos\tid\n1\ta\tb\n", "id\tpos\na\tb\t1\nc\t2\n"] {
        let bad = folder.refused(&folder.write(text.as_bytes()));
        assert!(bad.found.ends_with("fields"), "{bad:?}");
    }
    let cohort = folder.table(2, b"id\tpos\n1\ta\t7\n2\tb\t8\n");
    assert_eq!(cohort.calls.get(1).id, Some("b"));
    assert_eq!(cohort.calls.get(1).pos, Number::Int(8));
}

#[test]
fn other_formats_are_called_by_their_names() {
    let folder = Folder::new();
    let vcf = "##fileformat=VCFv4.2\n##source=x\n#CHROM\tPOS\tID\n";
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(vcf.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let mut bcf = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    bcf.write_all(b"BCF\x02\x02\0\0").unwrap();
    let bcf = bcf.finish().unwrap();
    let workbook = [&b"PK\x03\x04"[..], &[0; 26], b"docProps/app.xml"].concat();
    for (bytes, found, action) in [
        (vcf.as_bytes(), "a VCF", "bcftools query"),
        (&packed, "a VCF", "bcftools query"),
        (&bcf, "a BCF", "bcftools query"),
        (&workbook, "an Excel workbook", "read_excel"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest",
            "an Excel workbook",
            "read_excel",
        ),
        (
            b"chr1\t100\t200\tDEL\n",
            "values (chr1, 100, 200, DEL)",
            "BED's start from 0",
        ),
        (b"BZh91AY", "bzip2", "gzip"),
    ] {
        assert_said(&folder.refused(&folder.write(bytes)), found, action);
    }
    let path = folder.0.path().join("calls.zarr");
    std::fs::create_dir(&path).unwrap();
    assert_said(&folder.refused(&path), "a folder", "the file itself");
    std::fs::write(path.join("part.parquet"), "").unwrap();
    assert_said(
        &folder.refused(&path),
        "a folder of Parquet files",
        "read_parquet",
    );
    std::fs::write(path.join("zarr.json"), "{}").unwrap();
    assert_said(&folder.refused(&path), "a zarr store", "to_parquet");
}

#[test]
fn parquet_page_with_a_flipped_bit_is_refused_where_its_sum_was_written() {
    let folder = Folder::new();
    let bytes = std::fs::read(golden("page_checksums.parquet")).unwrap();
    assert_eq!(
        folder.table(2, &bytes).calls.svlen.get(0),
        Number::Int(123_456_789)
    );
    let value = 123_456_789_i64.to_le_bytes();
    let at = bytes.windows(8).position(|eight| eight == value).unwrap();
    let mut damaged = bytes;
    damaged[at] ^= 1;
    let read = read_cohort_with(&folder.array(2), Some(&folder.write(&damaged)));
    let said = bad(read.unwrap_err());
    assert!(said.found.contains("CRC"), "{said:?}");
}

#[test]
fn parquet_that_is_no_number_or_text_where_it_must_be_is_named() {
    for (name, found) in [
        ("when.parquet", "TIMESTAMP_MICROS"),
        ("nested.parquet", "within others"),
    ] {
        let read = read_cohort_with(&input("rows_f4.npy"), Some(&golden(name)));
        let bad = bad(read.unwrap_err());
        assert_said(&bad, found, "convert the column");
        assert!(bad.place.starts_with("column "), "{bad:?}");
    }
}

#[test]
fn class_is_in_the_column_that_is_named() {
    let folder = Folder::new();
    let rule = |column| ClassRule::new(Some(column), &["True".to_owned(), "1".to_owned()]);
    let lines = b"{\"truvari_class\": \"TP\", \"hit\": true}\n{\"hit\": 1}\n{\"hit\": false}\n{\"hit\": \"true\"}\n";
    let path = folder.write(lines);
    let cohort = read_cohort_by(&folder.array(4), Some(&path), &rule("hit")).unwrap();
    let labels: Vec<_> = (0..4).map(|row| cohort.calls.label(row).as_str()).collect();
    assert_eq!(labels, ["TP", "TP", "FP", "FP"]);
    assert_eq!(cohort.calls.get(0).truvari_class, Some("True"));
    let none = read_cohort_by(&folder.array(4), Some(&path), &rule("Hit")).unwrap_err();
    assert_said(
        &bad(none),
        "truvari_class, hit",
        "name a column that is there",
    );
}

#[test]
fn order_that_cannot_be_checked_is_noted() {
    let folder = Folder::new();
    let cohort = folder.table(1, b"pos,id\n7,a\n");
    assert!(
        cohort.notes[0].contains("no IDs in the embeddings' file"),
        "{:?}",
        cohort.notes
    );
    let cohort = folder.table(1, b"pos\n7\n");
    assert!(
        cohort.notes[0].contains("no IDs in the table"),
        "{:?}",
        cohort.notes
    );
    let with_ids = read_cohort_with(&input("named.npz"), Some(&input("calls.csv"))).unwrap();
    assert_eq!(with_ids.notes, [""; 0]);
}
