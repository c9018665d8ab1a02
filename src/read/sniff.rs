//! A guess at the kind of a file that is not what was expected.

use std::path::Path;

use super::fields::usual;
use super::safetensors::is_safetensors;
use super::source::Source;
use crate::error::Error;

/// The number of bytes of a file that are looked at.
pub(crate) const HEAD: u64 = 512;

const SIGNATURES: [(&[u8], &str); 17] = [
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (b"\x93NUMPY", "a NumPy array (.npy)"),
    (b"\x1f\x8b", "a file compressed by gzip"),
    (b"BZh", "a file compressed by bzip2"),
    (b"\xfd7zXZ", "a file compressed by xz"),
    (b"\x28\xb5\x2f\xfd", "a file compressed by zstd"),
    (
        b"version https://git-lfs",
        "a Git LFS pointer, not the file it points to",
    ),
    (b"##fileformat=VCF", "a VCF"),
    (b"PAR1", "a Parquet table"),
    (b"GGUF", "a GGUF model"),
    (b"ARROW1", "an Arrow file (Feather)"),
    (b"FEA1", "a Feather file of version 1"),
    (b"<!DOCTYPE", "a web page"),
    (b"<!doctype", "a web page"),
    (b"<html", "a web page"),
    (b"<?xml", "an XML file"),
    (b"\x7fELF", "a program"),
];

pub(super) fn is_zip(head: &[u8]) -> bool {
    head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06")
}

/// A file's kind in words.
pub(crate) fn describe(head: &[u8], length: u64) -> String {
    if head.is_empty() {
        return "an empty file".to_owned();
    }
    if let Some((_, kind)) = SIGNATURES.iter().find(|(sign, _)| head.starts_with(sign)) {
        return (*kind).to_owned();
    }
    if head.get(257..262) == Some(b"ustar") {
        return "a tar archive (torch 0.1 wrote such files)".to_owned();
    }
    if is_arrow_stream(head, length) {
        return "an Arrow stream".to_owned();
    }
    if is_safetensors(head, length) {
        return "a safetensors file".to_owned();
    }
    if is_zip(head) {
        return "a zip archive, as torch.save and numpy.savez write".to_owned();
    }
    if let [0x80, protocol @ 2..=5, ..] = head {
        return format!("a bare Python pickle (protocol {protocol}), not written by torch.save");
    }
    if head.iter().all(|&byte| byte == 0) {
        return "nothing but zero bytes at the beginning".to_owned();
    }
    describe_text(head)
}

/// Says whether a file of this length may be a table of calls. That is Parquet or Arrow, something
/// compressed, or text that contains the name of one of a call's fields.
pub(super) fn looks_like_a_table(head: &[u8], length: u64) -> bool {
    let is_arrow = head.starts_with(b"ARROW1") || is_arrow_stream(head, length);
    let is_read = is_arrow && cfg!(feature = "parquet");
    if is_read || head.starts_with(b"PAR1") || head.starts_with(b"\x1f\x8b") {
        return true;
    }
    let foreign = SIGNATURES.iter().any(|(sign, _)| head.starts_with(sign));
    let mut words = head.split(|&byte| !byte.is_ascii_alphanumeric() && byte != b'_');
    !foreign
        && !head.contains(&0)
        && words.any(|word| {
            usual()
                .iter()
                .any(|name| word.eq_ignore_ascii_case(name.as_bytes()))
        })
}

fn describe_text(head: &[u8]) -> String {
    let text = String::from_utf8_lossy(head);
    let printable = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    // The last character may be one that the head cuts in two.
    let complete = text.trim_end_matches(char::REPLACEMENT_CHARACTER);
    if !complete.is_empty()
        && complete
            .chars()
            .all(|c| printable(c) && c != char::REPLACEMENT_CHARACTER)
    {
        if complete.trim_start().starts_with(['{', '[']) {
            return "a JSON file".to_owned();
        }
        let line: String = complete
            .lines()
            .next()
            .unwrap_or_default()
            .chars()
            .take(40)
            .collect();
        return format!("text that begins with {line:?}");
    }
    let bytes: Vec<_> = head
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("bytes that begin with {}", bytes.join(" "))
}

/// What wrote a zip archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zip {
    /// `torch.save`: it has a pickle of that name.
    Torch,
    /// `numpy.savez`: it has arrays.
    Arrays,
    /// Something else.
    Other,
}

/// Tells what wrote a zip archive, by the names of its entries.
pub(super) fn zip_of(names: &[String]) -> Zip {
    if names.iter().any(|name| name.ends_with("data.pkl")) {
        Zip::Torch
    } else if names.iter().any(|name| is_array(name)) {
        Zip::Arrays
    } else {
        Zip::Other
    }
}

/// The kind in words of a zip archive with these entries, which is none that torch wrote.
pub(super) fn describe_zip(names: &[String]) -> String {
    if zip_of(names) == Zip::Arrays {
        return "a NumPy archive (.npz)".to_owned();
    }
    let first = names.first().map_or("nothing", String::as_str);
    format!("a zip archive without data.pkl (it holds {first})")
}

/// Says whether an entry of a zip archive is one of numpy's arrays, by its name.
pub(super) fn is_array(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|e| e == "npy")
}

/// Says whether a file begins with a message of Arrow's stream: a mark, then the message's length.
pub(super) fn is_arrow_stream(head: &[u8], length: u64) -> bool {
    let Some((mark, rest)) = head.split_first_chunk::<4>() else {
        return false;
    };
    let size = rest.first_chunk().map(|size| u32::from_le_bytes(*size));
    *mark == [0xff; 4] && size.is_some_and(|size| size > 0 && u64::from(size) < length)
}

/// Returns the command to run for a file of another format, given its kind in words.
fn conversion(found: &str) -> Option<&'static str> {
    let known = [
        (
            "an HDF5 file",
            "in Python: numpy.save(\"embeddings.npy\", h5py.File(FILE)[KEY][:])",
        ),
        (
            "an Arrow stream",
            "in Python: table = pyarrow.ipc.open_stream(FILE).read_all(); \
             numpy.save(\"embeddings.npy\", numpy.stack(table[COLUMN].to_numpy()))",
        ),
        (
            "an Arrow file",
            "in Python: table = pyarrow.feather.read_table(FILE); \
             numpy.save(\"embeddings.npy\", numpy.stack(table[COLUMN].to_numpy()))",
        ),
        (
            "a Feather file",
            "in Python: table = pyarrow.feather.read_table(FILE); \
             numpy.save(\"embeddings.npy\", numpy.stack(table[COLUMN].to_numpy()))",
        ),
        (
            "a Parquet table",
            "build with the feature parquet, or make an array of its column: \
             numpy.save(\"embeddings.npy\", numpy.stack(pandas.read_parquet(FILE)[COLUMN]))",
        ),
        (
            "a bare Python pickle",
            "in Python: torch.save(pickle.load(open(FILE, \"rb\")), \"embeddings.pt\")",
        ),
    ];
    let of = known.iter().find(|(kind, _)| found.starts_with(kind));
    of.map(|(_, action)| *action)
}

pub(super) fn not_embeddings(source: &Source, found: &str) -> Error {
    Error::input(
        source.name(),
        "the file's beginning",
        found,
        "a file written by torch.save, a NumPy array (.npy, .npz), safetensors, Parquet or Arrow",
        conversion(found).unwrap_or("give the file of embeddings itself"),
    )
}

pub(super) fn not_torch(source: &Source, found: &str) -> Error {
    Error::input(
        source.name(),
        "the file's beginning",
        found,
        "a file written by torch.save",
        "give the .pt file itself",
    )
}

#[cfg(test)]
mod tests {
    use super::describe;

    #[test]
    fn files_are_told_apart() {
        let mut tar = vec![b'a'; 512];
        tar.splice(257..262, *b"ustar");
        for (head, kind) in [
            (&b""[..], "an empty file"),
            (b"\x93NUMPY\x01\0", "a NumPy array (.npy)"),
            (&tar, "a tar archive (torch 0.1 wrote such files)"),
            (b"\x40\0\0\0\0\0\0\0{\"a\":", "a safetensors file"),
            (
                b"\x80\x04\x95",
                "a bare Python pickle (protocol 4), not written by torch.save",
            ),
            (b"  {\"best_dir\": 1}", "a JSON file"),
            (b"FEA1....", "a Feather file of version 1"),
            (b"\xff\xff\xff\xff\x10\0\0\0\x10\0", "an Arrow stream"),
            (b"chrom\tpos\n", "text that begins with \"chrom\\tpos\""),
            (b"\x01\x02\xff", "bytes that begin with 01 02 ff"),
        ] {
            assert_eq!(describe(head, 1000), kind);
        }
    }
}
