//! No bytes make reading panic, hang or take memory that the file does not have.

use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::common::reading::Random;
use atomscope::read::{inspect, read_cohort, read_model};
use atomscope::rows::Rows;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/torch")
        .join(name)
}

/// Reads a file in every way; whatever comes of it is well.
fn read_all(path: &Path) {
    if let Ok(found) = inspect(path) {
        let _ = found.to_string();
        serde_json::to_string(&found).unwrap();
    }
    let _ = read_model(path);
    if let Ok(cohort) = read_cohort(path) {
        let (count, dim) = (cohort.rows.count(), cohort.rows.dim());
        if count * dim < 1 << 20 {
            let _ = cohort.rows.read(0..count, &mut vec![0.0; count * dim]);
        }
    }
}

#[test]
fn files_cut_short_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.pt");
    for name in ["one_row.pt", "legacy_int64.pt"] {
        let whole = std::fs::read(golden(name)).unwrap();
        for end in 0..whole.len() {
            std::fs::write(&path, &whole[..end]).unwrap();
            assert!(read_cohort(&path).is_err(), "{name} cut at {end}");
            let _ = inspect(&path);
        }
    }
}

#[test]
fn files_with_changed_bytes() {
    const CASES: usize = 400;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.pt");
    let started = Instant::now();
    for (seed, name) in [
        "odd_calls_legacy.pt",
        "legacy_tied.pt",
        "odd_calls_5.pt",
        "compressed.pt",
        "strided_half.pt",
        "models/legacy.pt",
        "models/fortran_2.pt",
        "models/big_endian_5.pt",
        "bad/foreign_legacy.pt",
    ]
    .into_iter()
    .enumerate()
    {
        let whole = std::fs::read(golden(name)).unwrap();
        let mut random = Random(seed as u64 + 1);
        for _ in 0..CASES {
            let mut bytes = whole.clone();
            for _ in 0..=random.below(4) {
                let at = random.below(bytes.len());
                bytes[at] = match random.below(4) {
                    0 => 0,
                    1 => 0xff,
                    2 => bytes[at] ^ (1 << random.below(8)),
                    _ => random.below(256) as u8,
                };
            }
            std::fs::write(&path, &bytes).unwrap();
            read_all(&path);
        }
    }
    assert!(started.elapsed().as_secs() < 300);
}

/// The pickle of a zip container is guarded by a checksum, so damage is made to it directly:
/// a legacy file whose object is any bytes at all.
#[test]
fn pickles_of_any_opcodes() {
    const PARTS: [&[u8]; 42] = [
        b"(",
        b"0",
        b"1",
        b"2",
        b"]",
        b"}",
        b")",
        b"\x8f",
        b"l",
        b"d",
        b"t",
        b"\x85",
        b"\x86",
        b"\x87",
        b"a",
        b"e",
        b"s",
        b"u",
        b"\x90",
        b"\x91",
        b"R",
        b"\x81",
        b"\x92",
        b"b",
        b"Q",
        b"o",
        b"\x93",
        b"\x94",
        b"N",
        b"\x88",
        b"K\x07",
        b"h\x00",
        b"q\x01",
        b"r\xff\xff\xff\xff",
        b"X\x02\0\0\0ab",
        b"X\xff\xff\xff\x7fab",
        b"B\x01\0\0\0z",
        b"c__builtin__\nlist\n",
        b"ccollections\nOrderedDict\n",
        b"itypes\nSimpleNamespace\n",
        b"ctorch._utils\n_rebuild_tensor_v2\n",
        b"X\x07\0\0\0sv_info",
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.pt");
    let whole = std::fs::read(golden("legacy_tied.pt")).unwrap();
    let head = whole.iter().position(|&b| b == b'.').unwrap() + 1;
    let mut random = Random(99);
    for _ in 0..4000 {
        let mut bytes = whole[..head].to_vec();
        bytes.extend(b"\x80\x02M\xe9\x03.\x80\x02}.\x80\x02");
        for _ in 0..random.below(60) {
            bytes.extend(PARTS[random.below(PARTS.len())]);
        }
        bytes.extend(b".\x80\x02].");
        std::fs::write(&path, &bytes).unwrap();
        read_all(&path);
    }
}

/// Shared lists of shared lists have 10^9 leaves, a cycle has no end: neither is walked whole.
#[test]
fn values_that_hold_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.pt");
    let whole = std::fs::read(golden("legacy_tied.pt")).unwrap();
    let head = whole.iter().position(|&b| b == b'.').unwrap() + 1;
    let before = [&whole[..head], b"\x80\x02M\xe9\x03.\x80\x02}.\x80\x02"].concat();
    let mut laughs = b"]q\x00".to_vec();
    for level in 0..9_u8 {
        laughs = [
            laughs,
            b"](".to_vec(),
            [b'h', level].repeat(200),
            vec![b'e', b'q', level + 1],
        ]
        .concat();
    }
    let cycles: [&[u8]; 4] = [
        b"]q\x00h\x00a",
        b"}q\x00X\x07\0\0\0sv_infoh\x00s",
        b"}q\x00X\x06\0\0\0configh\x00sX\x02\0\0\0muh\x00s",
        b"ccollections\nCounter\n)Rq\x00X\x01\0\0\0ah\x00s",
    ];
    for object in cycles.into_iter().chain([laughs.as_slice()]) {
        for wrap in [
            &b""[..],
            b"q\xc8}X\x07\0\0\0sv_infoh\xc8s",
            b"q\xc8}X\x06\0\0\0config}X\x02\0\0\0muh\xc8ss",
        ] {
            let bytes = [&before, object, wrap, b".\x80\x02]."].concat();
            std::fs::write(&path, &bytes).unwrap();
            read_all(&path);
        }
    }
}
