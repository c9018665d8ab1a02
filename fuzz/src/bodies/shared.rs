//! What the bodies share: files, demands on errors, and the ways in which embeddings and calls are read.

use std::fmt::Debug;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use atomscope::Control;
use atomscope::cohort::{Calls, ClassRule};
use atomscope::error::Result;
use atomscope::read::benchmark::read_row_identities;
use atomscope::read::{class_columns, inspect, read_activations, read_call_file, read_rows};
use atomscope::rows::{EmbeddingsChoice, Rows};
use tempfile::TempDir;

/// What divides the parts of bytes that are put into a container.
const DIVIDER: &[u8] = b"\n=\n";

/// The most numbers of a matrix that are read.
const MOST_NUMBERS: usize = 1 << 16;

thread_local! {
    static FOLDER: TempDir = tempfile::tempdir().expect("a temporary folder");
}

/// A place for this thread's files.
pub(super) fn place(name: &str) -> PathBuf {
    FOLDER.with(|folder| folder.path().join(name))
}

/// Writes a file at such a place, in whatever folder.
pub(super) fn put(name: &str, bytes: &[u8]) -> PathBuf {
    let path = place(name);
    if fs::write(&path, bytes).is_err() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, bytes).expect("a file");
    }
    path
}

/// Writes a file that is the same each time, once.
pub(super) fn keep(name: &str, bytes: impl FnOnce() -> Vec<u8>) -> PathBuf {
    let path = place(name);
    if path.exists() {
        path
    } else {
        put(name, &bytes())
    }
}

/// The bytes to put into a container, if they are.
pub(super) fn wrapped(bytes: &[u8]) -> Option<&[u8]> {
    bytes.strip_prefix(b"=")
}

/// The parts of bytes that are put into a container.
pub(super) fn parts(bytes: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    let mut rest = bytes;
    let find = |bytes: &[u8]| bytes.windows(DIVIDER.len()).position(|at| at == DIVIDER);
    while let Some(at) = find(rest) {
        parts.push(&rest[..at]);
        rest = &rest[at + DIVIDER.len()..];
    }
    parts.push(rest);
    parts
}

/// A part's first line, and what follows it.
pub(super) fn named(part: &[u8]) -> (String, &[u8]) {
    let at = part.iter().position(|&byte| byte == b'\n');
    let (name, rest) = part.split_at(at.unwrap_or(part.len()));
    (
        String::from_utf8_lossy(name).into_owned(),
        rest.get(1..).unwrap_or_default(),
    )
}

/// An archive of the parts, each of which begins with its name; every second one is compressed.
pub(super) fn archive(parts: &[(String, &[u8])]) -> Vec<u8> {
    use zip::CompressionMethod::{Deflated, Stored};
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (at, (name, content)) in parts.iter().enumerate() {
        let method = if at % 2 == 0 { Stored } else { Deflated };
        let options = zip::write::SimpleFileOptions::default().compression_method(method);
        // Two entries of one name, and some names, are refused.
        if zip.start_file(name.as_str(), options).is_ok() {
            zip.write_all(content).expect("memory");
        }
    }
    zip.finish().expect("memory").into_inner()
}

/// The same bytes in a gzip member.
pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    gzip.write_all(bytes).expect("memory");
    gzip.finish().expect("memory")
}

/// Says whether these bytes are read again, which takes as long as the first time: those of every fourth
/// length are.
pub(super) fn is_read_again(bytes: &[u8]) -> bool {
    bytes.len().is_multiple_of(4)
}

/// Takes what was read. An error is one line, which no control character steers.
pub(super) fn well<T>(read: Result<T>) -> Option<T> {
    let error = match read {
        Ok(found) => return Some(found),
        Err(error) => error,
    };
    let line = error.to_string();
    assert!(!line.contains(char::is_control), "{line:?}");
    assert_eq!(error.exit_code(), 2, "{line}");
    None
}

/// Demands that two readings of one content agree, be they of values or of errors.
pub(super) fn same<T: PartialEq + Debug>(one: &T, other: &T, what: &str) {
    assert!(one == other, "{what}: {one:?}, and then {other:?}");
}

/// Looks into a file.
pub(super) fn look(path: &Path) {
    if let Some(found) = well(inspect(path)) {
        let shown = found.to_string();
        assert!(!shown.is_empty());
        serde_json::to_string(&found).expect("JSON");
    }
}

/// A matrix that was read, its numbers by their bits.
#[derive(Debug, PartialEq)]
pub(super) struct Matrix {
    pub(super) rows: usize,
    pub(super) dim: usize,
    pub(super) bits: Vec<u32>,
}

/// Reads all rows at once, and single ones once more.
pub(super) fn all_rows(rows: &dyn Rows) -> Option<Matrix> {
    let (count, dim) = (rows.count(), rows.dim());
    let size = count.checked_mul(dim).filter(|&n| n <= MOST_NUMBERS)?;
    let mut numbers = vec![0.0_f32; size];
    well(rows.read(0..count, &mut numbers))?;
    let bits: Vec<u32> = numbers.iter().map(|number| number.to_bits()).collect();
    let mut row = vec![0.0_f32; dim];
    for at in (0..count.min(MOST_NUMBERS)).step_by(3).take(4) {
        well(rows.read(at..at + 1, &mut row)).expect("a row that was read before");
        let again = row.iter().map(|number| number.to_bits());
        assert!(again.eq(bits[at * dim..(at + 1) * dim].iter().copied()));
    }
    Some(Matrix {
        rows: count,
        dim,
        bits,
    })
}

/// Reads embeddings.
pub(super) fn matrix(path: &Path) -> Option<Matrix> {
    let rows = well(read_rows(path, &EmbeddingsChoice::default()))?;
    let matrix = all_rows(&rows);
    well(rows.check_unchanged()).expect("a file that nobody changes");
    matrix
}

/// The matrix as a `.npy` file of binary32, made by `NumPy`'s documentation alone.
pub(super) fn as_npy(matrix: &Matrix) -> Vec<u8> {
    let shape = format!("({}, {})", matrix.rows, matrix.dim);
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
    let padding = (64 - (10 + header.len() + 1) % 64) % 64;
    header.extend(std::iter::repeat_n(' ', padding));
    header.push('\n');
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.as_bytes());
    file.extend(matrix.bits.iter().flat_map(|bits| bits.to_le_bytes()));
    file
}

/// Demands that a matrix, written plainly, is read as it was.
pub(super) fn check_rewritten(folder: &str, matrix: Option<&Matrix>) {
    if let Some(found) = matrix.filter(|found| !found.bits.is_empty()) {
        let again = self::matrix(&put(&format!("{folder}/again.npy"), &as_npy(found)));
        same(&matrix, &again.as_ref(), "a matrix written and read");
    }
}

/// Reads activations of 23 calls, if that is what the bytes are.
pub(super) fn activations(path: &Path) {
    let calls = keep("calls.csv", || {
        let line = |row| format!("sv{row},TP\n");
        let lines: String = (0..23).map(line).collect();
        format!("id,truvari_class\n{lines}").into_bytes()
    });
    for atoms in [None, Some(40)] {
        let read = read_activations(path, Some(&calls), &ClassRule::default(), atoms);
        let Some(cohort) = well(read) else { continue };
        let count = cohort.rows.count();
        assert_eq!(count, cohort.calls.len());
        well(cohort.rows.read(0..count, &Control::default()));
    }
}

/// Reads a table of calls in every way; returns its number of rows, if they can be counted.
pub(super) fn table(path: &Path) -> usize {
    let found = well(read_row_identities(path)).map_or(0, |found| found.calls.len());
    calls(path, found);
    class_columns(path, Some(path));
    found
}

/// Reads a table of so many calls.
pub(super) fn calls(path: &Path, rows: usize) -> Option<Calls> {
    let read = well(read_call_file(path, rows, "x.npy", &ClassRule::default()))?;
    assert_eq!(read.calls.len(), rows);
    Some(read.calls)
}
