//! Every reader counts what it keeps: each file is read under a base that a test lowers, and under one with room.

use std::path::Path;

use super::budget::{EACH, with_base};
use super::*;
use crate::error::Result;

/// Reads a file of these bytes with so much room, and returns the error.
fn refused<T>(
    name: &str,
    bytes: &[u8],
    base: u64,
    read: &dyn Fn(&Path) -> Result<T>,
) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    // The file's own bytes give no room that matters here.
    assert!((bytes.len() as u64) * EACH < 1 << 20, "{name} is small");
    with_base(base, || read(&path))
        .err()
        .map(|error| error.to_string())
}

/// Checks that a file is read with room, and refused for memory without.
fn check<T>(name: &str, bytes: &[u8], base: u64, read: &dyn Fn(&Path) -> Result<T>) {
    assert_eq!(
        refused(name, bytes, 64 << 20, read),
        None,
        "{name} with room"
    );
    let error = refused(name, bytes, base, read).unwrap_or_else(|| panic!("{name} is not refused"));
    assert!(
        error.contains("bytes of memory or more") && error.contains(name),
        "{error}"
    );
}

fn packed(text: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    out.write_all(text).unwrap();
    out.finish().unwrap()
}

fn table(path: &Path) -> Result<()> {
    let rows = columns_and_count(path)?.1;
    read_call_file(path, rows, "rows", &crate::cohort::ClassRule::default()).map(drop)
}

#[test]
fn tables_keep_what_their_bytes_can_stand_for() {
    let names = ["pos", &",".repeat(100_000), "\n"].concat();
    check(
        "columns.csv.gz",
        &packed(names.as_bytes()),
        1 << 20,
        &|path| columns_and_count(path).map(drop),
    );
    let keys: Vec<String> = (0..20_000).map(|n| format!("\"k{n}\":0")).collect();
    let line = format!("{{\"pos\":1,{}}}\n", keys.join(","));
    check(
        "keys.jsonl.gz",
        &packed(line.as_bytes()),
        1 << 20,
        &|path| columns_and_count(path).map(drop),
    );
    let texts: Vec<String> = (0..40_000).map(|n| format!("{n}\n")).collect();
    let texts = texts.concat();
    let distinct = ["chrom\n", &texts].concat();
    check(
        "distinct.csv.gz",
        &packed(distinct.as_bytes()),
        1 << 19,
        &table,
    );
}

#[test]
fn what_streams_by_is_not_counted() {
    let rows = "1,x,y,z\n".repeat(200_000);
    let text = packed(["pos,a,b,c\n", &rows].concat().as_bytes());
    let count = |path: &Path| columns_and_count(path).map(drop);
    assert_eq!(refused("long.csv.gz", &text, 1 << 16, &count), None);
    let records = "1\t9\t.\tN\t<DEL>\t.\t.\tSVTYPE=DEL;SVLEN=-50\n".repeat(50_000);
    let head = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n";
    let text = packed([head, &records].concat().as_bytes());
    let read = |path: &Path| {
        let mut vcf = vcf::Vcf::open(path)?;
        while vcf.next()?.is_some() {}
        Ok(())
    };
    assert_eq!(refused("long.vcf.gz", &text, 1 << 17, &read), None);
}

#[test]
fn records_of_a_vcf_are_counted_where_they_are_kept() {
    let records = "1\t9\t.\tN\t<DEL>\t.\t.\tSVTYPE=DEL;SVLEN=-50\n".repeat(20_000);
    let head = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n";
    let text = packed([head, &records].concat().as_bytes());
    check("kept.vcf.gz", &text, 1 << 20, &|path| {
        benchmark::read_row_identities(path).map(drop)
    });
    let contigs: Vec<String> = (0..10_000)
        .map(|n| format!("##contig=<ID={n}>\n"))
        .collect();
    let contigs = contigs.concat();
    let head = [
        "##fileformat=VCFv4.2\n",
        &contigs,
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n",
    ]
    .concat();
    check(
        "contigs.vcf.gz",
        &packed(head.as_bytes()),
        1 << 19,
        &|path| vcf::Vcf::open(path).map(drop),
    );
}

#[test]
fn regions_are_counted() {
    let rows = "1\t5\t9\n".repeat(30_000);
    check("rows.bed.gz", &packed(rows.as_bytes()), 1 << 20, &|path| {
        Regions::read(path, NamedBy::File).map(drop)
    });
    let names: Vec<String> = (0..3000).map(|n| format!("1\t5\t9\t{n}\n")).collect();
    let names = names.concat();
    check(
        "names.bed.gz",
        &packed(names.as_bytes()),
        1 << 20,
        &|path| Regions::read(path, NamedBy::Column).map(drop),
    );
}

/// A torch file of the old kind around this pickle.
fn legacy(pickle: &[u8]) -> Vec<u8> {
    let mut file = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.".to_vec();
    file.extend_from_slice(pickle);
    file.extend_from_slice(b"\x80\x02].");
    file
}

#[test]
fn values_of_a_pickle_are_counted() {
    let lists = [b"\x80\x02(", &vec![b']'; 20_000][..], b"l."].concat();
    let error = refused("lists.pt", &legacy(&lists), 1000, &|path| {
        inspect(path).map(drop)
    })
    .unwrap();
    assert!(error.contains("bytes of memory or more"), "{error}");
    assert_eq!(
        refused("lists.pt", &legacy(&lists), 64 << 20, &|path| inspect(path)
            .map(drop)),
        None
    );
}

/// A pickle of `sv_info` in which one dict, of this many more keys, stands for all calls.
fn one_for_all(calls: usize, keys: usize, id: &str) -> Vec<u8> {
    let text = |text: &str| {
        [
            b"X",
            &(text.len() as u32).to_le_bytes()[..],
            text.as_bytes(),
        ]
        .concat()
    };
    let mut pickle = [b"\x80\x02}(", &text("sv_info")[..], b"](}("].concat();
    for key in 0..keys {
        pickle.extend([&text(&format!("key{key}"))[..], b"N"].concat());
    }
    pickle.extend([&text("id")[..], &text(id), b"uq\0"].concat());
    pickle.extend(b"h\0".repeat(calls - 1));
    pickle.extend(b"eu.");
    legacy(&pickle)
}

#[test]
fn an_id_that_calls_share_is_counted_for_each() {
    let read = |path: &Path| benchmark::read_row_identities(path).map(drop);
    check(
        "ids.pt",
        &one_for_all(5000, 0, &"x".repeat(1000)),
        1 << 20,
        &read,
    );
    assert_eq!(
        refused("ids.pt", &one_for_all(5000, 0, "x"), 1 << 20, &read),
        None
    );
}

/// A look at the dict takes some 3900 steps, each with a look at a name: 20 s for these calls.
#[test]
fn a_dict_of_many_keys_is_looked_at_once() {
    let calls = 30_000;
    let began = std::time::Instant::now();
    let read = |path: &Path| {
        let found = benchmark::read_row_identities(path)?;
        assert_eq!(found.calls.len(), calls);
        assert_eq!(found.calls.id.get(calls - 1), Some("a"));
        Ok(())
    };
    assert_eq!(
        refused("keys.pt", &one_for_all(calls, 3900, "a"), 64 << 20, &read),
        None
    );
    let looked = began.elapsed();
    assert!(looked.as_secs() < 5, "{looked:?}");
}
