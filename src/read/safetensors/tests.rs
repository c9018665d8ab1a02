use std::io::Write;

use super::super::source::Source;
use super::{Entry, SafeTensors, is_safetensors};
use crate::error::{Error, Result};

fn open(bytes: &[u8]) -> Result<SafeTensors> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    SafeTensors::open(&Source::unnamed(
        file,
        "x.safetensors".into(),
        bytes.len() as u64,
    ))
}

fn file(header: &str, data: usize) -> Vec<u8> {
    let length = header.len() as u64;
    [&length.to_le_bytes(), header.as_bytes(), &vec![7; data]].concat()
}

#[test]
fn tensors_are_located() {
    let header = r#"{"__metadata__":{"format":"pt","by":"hand"},
        "b":{"dtype":"BF16","shape":[2,3],"data_offsets":[4,16]},
        "none":{"dtype":"F64","shape":[0,9],"data_offsets":[4,4]},
        "a":{"data_offsets":[0,4],"shape":[],"dtype":"F32"}}   "#;
    let bytes = file(header, 16);
    assert!(is_safetensors(&bytes, bytes.len() as u64));
    let found = open(&bytes).unwrap();
    let first = 8 + header.len() as u64;
    let names: Vec<_> = found.tensors.keys().collect();
    assert_eq!(names, ["b", "none", "a"]);
    assert_eq!(
        found.tensors["b"],
        Entry {
            dtype: "BF16".to_owned(),
            shape: vec![2, 3],
            start: first + 4,
            length: 12
        }
    );
    assert_eq!(found.tensors["a"].start, first);
    assert_eq!(found.metadata["by"], "hand");
    assert_eq!(found.metadata.len(), 2);
    assert!(open(&file("{}", 0)).unwrap().tensors.is_empty());
}

#[test]
fn what_is_not_whole_is_refused_with_its_place() {
    let one = |shape: &str, offsets: &str| {
        format!(r#"{{"x":{{"dtype":"F32","shape":{shape},"data_offsets":{offsets}}}}}"#)
    };
    let two = |second: &str| {
        format!(
            r#"{{"x":{{"dtype":"U8","shape":[4],"data_offsets":[0,4]}},
            {second}}}"#
        )
    };
    let texts: Vec<String> = (0..=super::MOST_TEXTS)
        .map(|key| format!(r#""{key}":"""#))
        .collect();
    let texts = texts.join(",");
    let cases = [
        (file("", 0), "the header"),
        (vec![1, 2], "byte 0"),
        (
            u64::MAX.to_le_bytes().to_vec(),
            "the header's length in the first 8 bytes",
        ),
        (file("[]", 0), "the header"),
        (file("{\"x\":3}", 0), "the header"),
        (file(&one("[2]", "[0,8]"), 7), "tensor x"),
        (file(&one("[2]", "[8,0]"), 8), "tensor x"),
        (file(&one("[3]", "[0,8]"), 8), "tensor x"),
        (
            file(&one("[4294967296,4294967296,4]", "[0,8]"), 8),
            "tensor x",
        ),
        (file(&one("[-1]", "[0,8]"), 8), "the header"),
        (file(&one("[2]", "[0,8]"), 9), "the file's end"),
        (file(&one("[2]", "[1,9]"), 9), "tensor x"),
        (
            file(
                &two(r#""y":{"dtype":"U8","shape":[2],"data_offsets":[3,5]}"#),
                5,
            ),
            "tensor y",
        ),
        (
            file(
                &two(r#""x":{"dtype":"U8","shape":[1],"data_offsets":[4,5]}"#),
                5,
            ),
            "the header",
        ),
        (
            file(
                &two(r#""y":{"dtype":"Q8","shape":[1],"data_offsets":[4,5]}"#),
                5,
            ),
            "tensor y",
        ),
        (
            file(&two(r#""__metadata__":{"a":"1","a":"2"}"#), 4),
            "the header",
        ),
        (
            file(&two(r#""__metadata__":{},"__metadata__":{}"#), 4),
            "the header",
        ),
        (
            file(&two(&format!(r#""__metadata__":{{{texts}}}"#)), 4),
            "the header",
        ),
        (file(&"[".repeat(10_000), 0), "the header"),
    ];
    for (bytes, place) in cases {
        let Error::Input(bad) = open(&bytes).unwrap_err() else {
            panic!("{place}")
        };
        assert_eq!(bad.place, place, "{bad:?}");
        assert_eq!(bad.file, "x.safetensors");
    }
}
