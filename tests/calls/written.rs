//! Small outputs of benchmarks, written by the tests themselves.

use std::path::{Path, PathBuf};

use atomscope::read::benchmark::{BenchmarkCalls, BenchmarkOptions, read_benchmark};
use tempfile::TempDir;

/// A VCF: definitions by their keys, samples, records with spaces for tabs.
pub(crate) struct Vcf<'a> {
    pub(crate) info: &'a [&'a str],
    pub(crate) format: &'a [&'a str],
    pub(crate) samples: &'a [&'a str],
    pub(crate) records: &'a [&'a str],
}

impl Vcf<'_> {
    /// A VCF without definitions and samples.
    pub(crate) fn of<'a>(records: &'a [&'a str]) -> Vcf<'a> {
        Vcf {
            info: &[],
            format: &[],
            samples: &[],
            records,
        }
    }

    pub(crate) fn text(&self) -> String {
        let definition = |kind: &str, keys: &[&str]| -> Vec<String> {
            let line =
                |key: &&str| format!("##{kind}=<ID={key},Number=1,Type=String,Description=\"\">\n");
            keys.iter().map(line).collect()
        };
        let mut text = "##fileformat=VCFv4.2\n".to_owned();
        text += &definition("INFO", self.info).concat();
        text += &definition("FORMAT", self.format).concat();
        text += "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO";
        if !self.samples.is_empty() {
            text += "\tFORMAT\t";
            text += &self.samples.join("\t");
        }
        for record in self.records {
            text += "\n";
            text += &record.replace(' ', "\t");
        }
        text + "\n"
    }
}

/// A folder of files; a name may have a folder in it.
pub(crate) fn folder(files: &[(&str, String)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

/// Reads a path by default.
pub(crate) fn read(path: &Path) -> BenchmarkCalls {
    read_benchmark(Some(path), &BenchmarkOptions::default()).unwrap()
}

/// The error of a path, in one line.
pub(crate) fn refused(path: &Path, options: &BenchmarkOptions) -> String {
    let error = read_benchmark(Some(path), options).unwrap_err().to_string();
    assert_eq!(error.lines().count(), 1, "{error}");
    error
}

/// Each call: ID, class, reasons.
pub(crate) fn calls(found: &BenchmarkCalls) -> Vec<(&str, &str, &str)> {
    let shown = |row| {
        (
            found.calls.id.get(row).unwrap_or("."),
            found.calls.truvari_class.get(row).unwrap_or("-"),
            found.reasons.get(row).unwrap_or(""),
        )
    };
    (0..found.len()).map(shown).collect()
}

/// All warnings, one a line.
pub(crate) fn warnings(found: &BenchmarkCalls) -> String {
    let each: Vec<String> = found.warnings.iter().map(ToString::to_string).collect();
    each.join("\n")
}

pub(crate) const PARAMS: &str = r#"{"refdist": 500, "pctseq": 0.7, "pctsize": 0.7, "pctovl": 0.1,
"bSample": "HG002", "cSample": "tumor", "sizemin": 50, "sizefilt": 30, "bnddist": 100, "typeignore": false}"#;

/// A folder of Truvari 5 with two samples, of which the second was compared.
pub(crate) fn truvari() -> TempDir {
    let with = |records: &[&str]| {
        Vcf {
            info: &["TruScore", "MatchId"],
            format: &["GT"],
            samples: &["normal", "tumor"],
            records,
        }
        .text()
    };
    let truth = |records: &[&str]| {
        Vcf {
            info: &["TruScore", "MatchId"],
            format: &["GT"],
            samples: &["HG002"],
            records,
        }
        .text()
    };
    folder(&[
        ("params.json", PARAMS.to_owned()),
        (
            "summary.json",
            r#"{"TP-base": 2, "TP-comp": 3, "FP": 8, "FN": 0}"#.to_owned(),
        ),
        ("log.txt", "2026 [INFO] Truvari v5.4.0\n".to_owned()),
        (
            "tp-comp.vcf",
            with(&[
                "chr1 1000 t1 N <DEL> . PASS SVLEN=-100;END=1100;TruScore=90 GT 0/0 0/1",
                // Below sizemin: true by construction.
                "chr1 2000 t2 N <DEL> . PASS SVLEN=-40;END=2040;TruScore=90 GT 0/0 0/1",
                "chr1 3000 t3 A A]chr2:99] . PASS SVTYPE=BND;TruScore=90 GT 0/0 0/0",
            ]),
        ),
        (
            "fp.vcf",
            with(&[
                "chr1 100 none N <DEL> . PASS SVLEN=-100;END=200;MatchId=,5.0 GT 0/0 0/1",
                "chr1 4000 multi N <DEL> . PASS SVLEN=-100;END=4100;PctSeqSimilarity=0.9;PctSizeSimilarity=1;PctRecOverlap=1;SizeDiff=0;StartDistance=0;EndDistance=0;TruScore=99;MatchId=1.0,1.0;Multi GT 0/0 0/1",
                "chr1 5000 size N <DEL> . PASS SVLEN=-100;END=5100;PctSeqSimilarity=0.9;PctSizeSimilarity=0.5;PctRecOverlap=0.5;SizeDiff=100;StartDistance=0;EndDistance=100;TruScore=60;MatchId=1.0,1.1 GT 0/0 0/1",
                "chr1 6000 sequence A ACGTACGTACGTACGTACGTACGTACGTACGTACGTACGTACGTACGTACGTACGTACGT . PASS SVTYPE=INS;PctSeqSimilarity=0.3;PctSizeSimilarity=1;PctRecOverlap=1;SizeDiff=0;StartDistance=0;EndDistance=0;TruScore=60;MatchId=1.0,1.1 GT 0/0 0/1",
                // 600 bases apart, more than refdist: overlap is small too.
                "chr1 7000 distance N <DEL> . PASS SVLEN=-100;END=7100;PctSeqSimilarity=0;PctSizeSimilarity=1;PctRecOverlap=0;SizeDiff=0;StartDistance=601;EndDistance=601;TruScore=30;MatchId=1.0,1.1 GT 0/0 0/1",
                // The truth takes up one base: an insertion of 100.
                "chr1 8000 type N <DEL> . PASS SVLEN=-100;END=8100;PctSeqSimilarity=0;PctSizeSimilarity=1;PctRecOverlap=0.5;SizeDiff=0;StartDistance=50;EndDistance=-50;TruScore=30;MatchId=1.0,1.1 GT 0/0 0/1",
                "chr1 9000 far A A]chr2:500] . PASS SVTYPE=BND;StartDistance=50;EndDistance=150;MatchId=1.0,1.1 GT 0/0 0/1",
                "chr1 9500 side A [chr2:500[A . PASS SVTYPE=BND;StartDistance=50;EndDistance=-20;MatchId=1.0,1.1 GT 0/0 0/1",
            ]),
        ),
        (
            "tp-base.vcf",
            truth(&["chr1 1000 b1 N <DEL> . PASS SVLEN=-100;END=1100 GT 0/1"]),
        ),
        ("fn.vcf", truth(&[])),
    ])
}

/// The path of a file in a folder.
pub(crate) fn at(folder: &TempDir, name: &str) -> PathBuf {
    folder.path().join(name)
}
