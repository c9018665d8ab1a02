//! Files that hold calls in a form that is not read: their names, and how to make a table of them.

use std::path::Path;

use super::super::source::Source;
use crate::error::{Error, Result};

/// The formats that are expected instead.
pub(super) const EXPECTED: &str =
    "a table of calls: CSV, TSV or JSON lines in UTF-8, Parquet or Arrow";

const OF_VCF: &str = "make a table of it, and add truvari_class: (printf 'chrom\\tpos\\tid\\tsvtype\\tsvlen\\n'; \
     bcftools query -f '%CHROM\\t%POS\\t%ID\\t%INFO/SVTYPE\\t%INFO/SVLEN\\n' FILE) > calls.tsv";
const OF_TRUVARI: &str = "make a table of the VCFs that the embeddings are of, in the embeddings' order: \
     (printf 'chrom\\tpos\\tid\\tsvtype\\tsvlen\\ttruvari_class\\n'; for c in tp-comp:TP fp:FP; do bcftools query \
     -f \"%CHROM\\t%POS\\t%ID\\t%INFO/SVTYPE\\t%INFO/SVLEN\\t${c#*:}\\n\" FOLDER/${c%:*}.vcf.gz; done) > calls.tsv";
const OF_FEATHER: &str = "in Python: pandas.read_feather(FILE).to_parquet(\"calls.parquet\")";
const OF_STREAM: &str = "in Python: \
     pyarrow.parquet.write_table(pyarrow.ipc.open_stream(FILE).read_all(), \"calls.parquet\")";
const OF_EXCEL: &str = "in Python: pandas.read_excel(FILE).to_csv(\"calls.csv\", index=False)";
const OF_R: &str = "in R: write.table(readRDS(FILE), \"calls.tsv\", sep=\"\\t\", row.names=FALSE)";
const OF_OTHER: &str = "decompress it first, or compress it with gzip instead";

/// The first bytes of each format, its name, and what to do.
const KINDS: [(&[u8], &str, &str); 18] = [
    (b"##fileformat=VCF", "a VCF", OF_VCF),
    (
        b"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO",
        "a VCF without its first lines",
        OF_VCF,
    ),
    (b"##fileformat=BCF", "a BCF", OF_VCF),
    (b"BCF\x02", "a BCF", OF_VCF),
    (b"ARROW1", "an Arrow IPC file (Feather)", OF_FEATHER),
    (b"FEA1", "a Feather file of version 1", OF_FEATHER),
    (b"\xff\xff\xff\xff", "an Arrow IPC stream", OF_STREAM),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "an Excel workbook (.xls)",
        OF_EXCEL,
    ),
    (
        b"\x89HDF\r\n\x1a\n",
        "an HDF5 file",
        "in Python: pandas.read_hdf(FILE).to_parquet(\"calls.parquet\")",
    ),
    (
        b"SQLite format 3\0",
        "an SQLite database",
        "in sqlite3: .mode csv, .headers on, and select what is needed",
    ),
    (b"BZh", "a file compressed by bzip2", OF_OTHER),
    (b"\xfd7zXZ", "a file compressed by xz", OF_OTHER),
    (b"\x28\xb5\x2f\xfd", "a file compressed by zstd", OF_OTHER),
    (b"RDX", "a file of R's save", OF_R),
    (b"X\n\0\0", "a file of R's saveRDS", OF_R),
    (b"BAM\x01", "a BAM", "give the calls, not the reads"),
    (
        b"Obj\x01",
        "an Avro file",
        "in Python: polars.read_avro(FILE).write_parquet(\"calls.parquet\")",
    ),
    (b"track ", "a BED file", OF_BED),
];

pub(super) const OF_BED: &str = "write the columns' names into the first line (chrom, pos, svtype, svlen, truvari_class, id), \
     separated as the others are; pos counts from 1, BED's start from 0";

/// Returns an error if a file, or the text compressed in it, begins as one of these formats.
pub(super) fn refuse(source: &Source, head: &[u8]) -> Result<()> {
    let known = KINDS.iter().find(|(sign, ..)| head.starts_with(sign));
    let found = known.map(|&(_, kind, action)| (kind, action));
    match found.or_else(|| is_workbook(head).then_some(("an Excel workbook (.xlsx)", OF_EXCEL))) {
        None => Ok(()),
        Some((kind, action)) => Err(bad(source, kind, action)),
    }
}

/// Says whether a file is a zip archive whose first member is a workbook's.
fn is_workbook(head: &[u8]) -> bool {
    const MEMBERS: [&[u8]; 5] = [
        b"[Content_Types].xml",
        b"docProps/",
        b"xl/",
        b"_rels/",
        b"mimetype",
    ];
    let name = head.get(30..).unwrap_or_default();
    head.starts_with(b"PK\x03\x04") && MEMBERS.iter().any(|member| name.starts_with(member))
}

fn bad(source: &Source, kind: &str, action: &str) -> Error {
    Error::input(
        source.name(),
        "the file's beginning",
        kind,
        EXPECTED,
        action,
    )
}

/// Returns an error if a path is a folder.
pub(super) fn refuse_folder(path: &Path) -> Result<()> {
    if !path.is_dir() {
        return Ok(());
    }
    let has = |name: &str| path.join(name).exists();
    let zarr = ["zarr.json", ".zgroup", ".zarray", ".zmetadata"];
    let holds_parquet = || {
        let mut files = std::fs::read_dir(path).into_iter().flatten().flatten();
        files.any(|file| file.path().extension().is_some_and(|end| end == "parquet"))
    };
    let (kind, action) = if zarr.into_iter().any(has) {
        (
            "a zarr store",
            "in Python: write its arrays as a table, as pandas.DataFrame({\"chrom\": …}).to_parquet(\"calls.parquet\")",
        )
    } else if holds_parquet() {
        (
            "a folder of Parquet files",
            "in Python: pandas.read_parquet(FOLDER).to_parquet(\"calls.parquet\")",
        )
    } else if has("tp-comp.vcf.gz") || has("tp-comp.vcf") {
        ("a folder of Truvari's, with VCFs", OF_TRUVARI)
    } else {
        (
            "a folder",
            "give the file itself, the table in it, or several as FOLDER/'*.csv'",
        )
    };
    let name = path.display().to_string();
    Err(Error::input(name, "the path", kind, EXPECTED, action))
}
