//! Every table of calls and every file of embeddings that cannot be used gets one line that says
//! which file, where in it, what was found, what was expected and what to do.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::common::inputs::golden;
use crate::common::reading::parts;
use atomscope::error::{BadInput, Choice, Proposal};
use atomscope::read::{read_cohort, read_cohort_with};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join("x");
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// What is said of a table beside embeddings of 13 rows.
    fn table(&self, bytes: &[u8]) -> BadInput {
        let path = self.write(bytes);
        let error = read_cohort_with(&golden("rows_f4.npy"), Some(&path)).unwrap_err();
        parts(&path, &error)
    }

    /// What is said of embeddings.
    fn embeddings(&self, bytes: &[u8]) -> BadInput {
        let path = self.write(bytes);
        let error = read_cohort_with(&path, Some(&golden("calls.csv"))).unwrap_err();
        parts(&path, &error)
    }
}

fn assert_said(name: &str, bad: &BadInput, place: &str, found: &str, expected: &str) {
    assert!(bad.place.contains(place), "{name}: {bad:?}");
    assert!(bad.found.contains(found), "{name}: {bad:?}");
    assert!(bad.expected.contains(expected), "{name}: {bad:?}");
}

fn gzip(text: &str) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(text.as_bytes()).unwrap();
    out.finish().unwrap()
}

#[test]
fn unusable_text_tables() {
    let long = format!("pos\n\"{}", "x,\n".repeat(6 << 20));
    let long_line = format!("{{\"pos\":1}}\n{{\"pos\": \"{}", "x".repeat(17 << 20));
    let cases: &[(&str, &str, &str, &str)] = &[
        ("", "the file's beginning", "no line", "a table of calls"),
        (
            "\n \r\n",
            "the file's beginning",
            "no line",
            "a table of calls",
        ),
        (
            "a,pos\n1,2\n",
            "the number of rows",
            "1 calls",
            "13, one for each row of",
        ),
        (
            "pos\n1\n\n2\n",
            "the number of rows",
            "2 calls",
            "13, one for each row of",
        ),
        (
            "{\"pos\":1}\n",
            "the number of rows",
            "1 calls",
            "13, one for each row of",
        ),
        (
            "pos,pos\n1,2\n",
            "line 1, the header",
            "pos, pos",
            "each column once",
        ),
        (
            "\npos,id\n1,a\n2\n",
            "line 4",
            "1 fields",
            "2, as in the header",
        ),
        (
            "pos\tid\n1\ta\tb\n",
            "line 2",
            "3 fields",
            "2, as in the header",
        ),
        (
            "pos,id\n1,a\n2q,b\n",
            "line 3, column pos",
            "\"2q\"",
            "a number",
        ),
        (
            "id,svlen\n\"a\nb\",1\nc,1 2\n",
            "line 4, column svlen",
            "\"1 2\"",
            "a number",
        ),
        (
            "[{\"pos\": 1}]",
            "the file's beginning",
            "a JSON list",
            "JSON lines",
        ),
        ("{\n\"pos\": 1}\n", "line 1", "EOF", "an object"),
        (
            "{\"pos\":1}\n\n[1]\n",
            "line 3",
            "invalid type",
            "an object",
        ),
        (
            "{\"pos\":1}\n{\"pos\":1} x\n",
            "line 2",
            "trailing",
            "an object",
        ),
        (
            "{\"pos\":[1]}\n",
            "line 1, column pos",
            "a list",
            "a number",
        ),
        ("{\"id\":{}}\n", "line 1, column id", "an object", "text"),
        (
            "{\"pos\":\"a\"}\n",
            "line 1, column pos",
            "\"a\"",
            "a number",
        ),
        (&long, "line", "a quote left open", "text that goes on"),
        (&long_line, "line", "more than", ""),
    ];
    let folder = Folder::new();
    for &(text, place, found, expected) in cases {
        let name: String = text.chars().take(40).collect();
        let (bad, packed) = (folder.table(text.as_bytes()), folder.table(&gzip(text)));
        assert_eq!(bad, packed, "{name}");
        assert_said(&name, &bad, place, found, expected);
    }
}

#[test]
fn unusable_bytes_of_tables() {
    let folder = Folder::new();
    let many = format!("a,b\n{}", "1,2\n".repeat(13));
    let bad = folder.table(many.as_bytes());
    assert_said(
        "no column",
        &bad,
        "the columns",
        "the columns a, b",
        "at least one of chrom",
    );
    let bad = folder.table(&"{\"a\":1,\"b\":[]}\n".repeat(13).into_bytes());
    assert_said(
        "no key",
        &bad,
        "the columns",
        "the columns a, b",
        "at least one of chrom",
    );
    let bad = folder.table(b"\xff\xfep\0o\0s\0\n\0");
    assert_said("UTF-16", &bad, "the file's beginning", "UTF-16", "UTF-8");
    let bad = folder.table(b"pos,id\n1,\xe9\n");
    assert_said("latin-1", &bad, "line 2", "\u{fffd}", "UTF-8");
    let bad = folder.table(&std::fs::read(golden("rows_f4.npy")).unwrap());
    assert_said(
        "an array",
        &bad,
        "the file's beginning",
        "NumPy array",
        "a table of calls",
    );
    let mut whole = gzip(&format!("pos\n{}", "17\n".repeat(13)));
    whole.truncate(whole.len() - 9);
    let bad = folder.table(&whole);
    assert_said("cut gzip", &bad, "line", "", "gzip can inflate");
}

#[test]
fn unusable_parquet() {
    let folder = Folder::new();
    let whole = std::fs::read(golden("calls_snappy.parquet")).unwrap();
    let bad = folder.table(&whole[..whole.len() - 1]);
    assert_said("cut", &bad, "the file's end", "no PAR1", "a footer");
    let mut long = whole.clone();
    let at = long.len() - 5;
    long[at] = 0xff;
    let bad = folder.table(&long);
    assert_said("footer", &bad, "the file's end", "a footer of", "at most");
    let bad = folder.table(b"PAR1");
    assert_said("magic", &bad, "the file's end", "no PAR1", "a footer");
    let mut pages = whole.clone();
    pages[4..600].fill(0x5a);
    let bad = folder.table(&pages);
    assert!(!bad.found.is_empty(), "{bad:?}");
    let few = std::fs::read(golden("missing.parquet")).unwrap();
    let bad = folder.table(&few);
    assert_said(
        "rows",
        &bad,
        "the number of rows",
        "3 calls",
        "13, one for each row of",
    );
}

/// An array's file with this header.
fn npy(header: &str, data: usize) -> Vec<u8> {
    let length = (header.len() as u16).to_le_bytes();
    [
        b"\x93NUMPY\x01\0",
        &length[..],
        header.as_bytes(),
        &vec![0; data],
    ]
    .concat()
}

fn header(descr: &str, shape: &str) -> String {
    format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n")
}

#[test]
fn unusable_arrays() {
    let folder = Folder::new();
    for (descr, shape, data, found, expected) in [
        (
            ">f4",
            "(13, 2)",
            104,
            ">f4 [13, 2]",
            "two-dimensional array of <f2",
        ),
        (
            "<i4",
            "(13, 2)",
            104,
            "<i4 [13, 2]",
            "two-dimensional array of <f2",
        ),
        ("<c8", "(13, 2)", 208, "<c8", "two-dimensional array of <f2"),
        ("|O", "(13, 2)", 208, "|O", "two-dimensional array of <f2"),
        ("<f4", "(26,)", 104, "<f4 [26]", "two-dimensional array"),
        ("<f4", "(13, 2)", 103, "103 bytes", "<f4 [13, 2]"),
        ("<f4", "(13, 2)", 105, "105 bytes", "<f4 [13, 2]"),
        // No row is none of these, but so is no number in a row.
        ("<f4", "(0, 0)", 0, "[0, 0]", "at least one number a row"),
        (
            "<f4",
            "(9999999999999, 9999999999999)",
            104,
            "104 bytes",
            "<f4",
        ),
        ("<f4", "(-1, 2)", 104, "the header", "a dict"),
    ] {
        let bad = folder.embeddings(&npy(&header(descr, shape), data));
        assert_said(descr, &bad, "", found, expected);
    }
    let cut = [b"\x93NUMPY\x02\0", &[0xff; 4][..], b"{"].concat();
    let bad = folder.embeddings(&cut);
    assert_said(
        "long",
        &bad,
        "the header",
        "no whole header",
        "version 1, 2 or 3",
    );
    let bad = folder.embeddings(b"chrom,pos\n");
    assert_said(
        "a table",
        &bad,
        "the file's beginning",
        "text that begins",
        ".npz",
    );
}

#[test]
fn unusable_archives_and_tensors() {
    let folder = Folder::new();
    let archive = |entries: &[(&str, Vec<u8>)]| {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let stored = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored);
        for (name, bytes) in entries {
            zip.start_file(*name, stored).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    };
    let matrix = || npy(&header("<f4", "(13, 2)"), 104);
    let labels = || npy(&header("<i4", "(13, 2)"), 104);
    let bad = folder.embeddings(&archive(&[("a.npy", matrix()), ("b.npy", matrix())]));
    assert_said(
        "two",
        &bad,
        "the arrays",
        "2 matrices: a (<f4 [13, 2]), b",
        "embeddings",
    );
    let bad = folder.embeddings(&archive(&[("a.npy", labels())]));
    assert_said(
        "none",
        &bad,
        "the arrays",
        "no matrices among a (<i4",
        "embeddings",
    );
    let bad = folder.embeddings(&archive(&[
        ("a.npy", matrix()),
        ("embeddings.npy", labels()),
    ]));
    assert_said("type", &bad, "array embeddings", "<i4", "<f4");
    let ids = npy(&header("<U2", "(12,)"), 96);
    let bad = folder.embeddings(&archive(&[("a.npy", matrix()), ("ids.npy", ids)]));
    assert_said("IDs", &bad, "the IDs", "12 IDs", "13, one for each row");
    let ids = npy(&header("<U2", "(13,)"), 103);
    let bad = folder.embeddings(&archive(&[("a.npy", matrix()), ("ids.npy", ids)]));
    assert_said("cut IDs", &bad, "array ids", "103 bytes", "<U2 [13]");

    let safe = |header: &str, data: usize| {
        let length = (header.len() as u64).to_le_bytes();
        [&length, header.as_bytes(), &vec![0; data]].concat()
    };
    for (header, data, place, found) in [
        (
            r#"{"a":{"dtype":"I32","shape":[13,2],"data_offsets":[0,104]}}"#,
            104,
            "the tensors",
            "a (I32 [13, 2])",
        ),
        (
            r#"{"embeddings":{"dtype":"F32","shape":[26],"data_offsets":[0,104]}}"#,
            104,
            "the tensors",
            "embeddings (F32 [26])",
        ),
        (
            r#"{"a":{"dtype":"F32","shape":[13,2],"data_offsets":[0,104]}}"#,
            105,
            "the file's end",
            "bytes",
        ),
        (
            r#"{"a":{"dtype":"F32","shape":[13,3],"data_offsets":[0,104]}}"#,
            104,
            "tensor a",
            "104 bytes",
        ),
        (
            r#"{"a":3,"b":{"dtype":"F32","shape":[13,3]}}"#,
            104,
            "the header",
            "invalid type",
        ),
        (
            // No row is none of these, but so is no number in a row.
            r#"{"a":{"dtype":"F32","shape":[0,0],"data_offsets":[0,0]}} "#,
            0,
            "the embeddings",
            "[0, 0]",
        ),
    ] {
        let bad = folder.embeddings(&safe(header, data));
        assert_said(header, &bad, place, found, "");
    }
}

#[test]
fn a_table_is_named_beside_embeddings_without_calls() {
    let error = read_cohort(&golden("named.npz")).unwrap_err();
    let bad = parts(&golden("named.npz"), &error);
    assert_said(
        "npz",
        &bad,
        "the calls",
        "no table of calls beside it",
        "named.csv",
    );
    let error = read_cohort(&golden("alone.pt")).unwrap_err();
    let bad = parts(&golden("alone.pt"), &error);
    assert_said(
        "pt",
        &bad,
        "the top level",
        "the keys embeddings",
        "a key sv_info",
    );
    assert_eq!(bad.proposals, [Proposal::of(Choice::Metadata)]);
    let missing = Path::new("no/such/table.csv");
    let error = read_cohort_with(&golden("cohort.pt"), Some(missing)).unwrap_err();
    assert!(error.to_string().contains("no/such/table.csv"), "{error}");
}
