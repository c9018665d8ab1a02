use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::digest;
use crate::control::Control;
use crate::digest::Digest;
use crate::error::Result;
use crate::read::source::Source;

/// A size larger than that of entries checked where they are found, and than a hashed piece of the
/// file.
const LARGE: usize = 5 << 20;

fn archive() -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let large: Vec<u8> = (0..LARGE).map(|i| (i * 31 % 251) as u8).collect();
    for (name, method, bytes) in [
        ("small", CompressionMethod::Stored, &b"abc"[..]),
        ("large", CompressionMethod::Stored, &large),
        ("empty", CompressionMethod::Stored, b""),
        ("packed", CompressionMethod::Deflated, &large[..1000]),
        ("last", CompressionMethod::Stored, b"defg"),
    ] {
        let options = SimpleFileOptions::default().compression_method(method);
        zip.start_file(name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn digest_of(bytes: &[u8]) -> Result<Digest> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    let source = Source::unnamed(file, "x.npz".into(), bytes.len() as u64);
    digest(&source, &Control::default())
}

fn place(whole: &[u8], text: &[u8]) -> usize {
    whole
        .windows(text.len())
        .position(|part| part == text)
        .unwrap()
}

#[test]
fn digest_of_a_whole_archive_is_that_of_its_bytes() {
    let whole = archive();
    assert_eq!(digest_of(&whole).unwrap(), Digest::of(&whole));
}

#[test]
fn digest_finds_a_changed_byte_of_a_stored_entry() {
    let whole = archive();
    let large = place(&whole, b"large") + "large".len();
    for (at, name) in [
        (place(&whole, b"abc"), "small"),
        (large, "large"),
        (large + (1 << 20), "large"),
        (large + LARGE / 2, "large"),
        (large + LARGE - 1, "large"),
        (place(&whole, b"defg"), "last"),
    ] {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        let message = digest_of(&bytes).unwrap_err().to_string();
        assert!(message.contains(&format!("zip entry {name}")), "{message}");
        assert!(message.contains("CRC-32"), "{message}");
    }
}

#[test]
fn check_ignores_a_sum_of_zero() {
    let mut bytes = archive();
    let large = place(&bytes, b"large") + "large".len();
    bytes[large + 7] ^= 1;
    let mut at = 0;
    while let Some(found) = bytes[at..]
        .windows(4)
        .position(|four| four == b"PK\x01\x02")
    {
        let record = at + found;
        bytes[record + 16..record + 20].fill(0);
        at = record + 4;
    }
    assert!(at > 0);
    assert_eq!(digest_of(&bytes).unwrap(), Digest::of(&bytes));
}

#[test]
fn archive_refuses_entries_in_the_same_bytes() {
    let mut bytes = archive();
    // The last record's local header becomes that of the first.
    let last = bytes
        .windows(4)
        .rposition(|four| four == b"PK\x01\x02")
        .unwrap();
    bytes[last + 42..last + 46].fill(0);
    assert!(digest_of(&bytes).is_err());
}
