//! `annotate`: an index finds the records, and what is added is what the results say.

use std::collections::HashMap;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use crate::annotated::{results_of, run, stripped};
use crate::args;
use crate::common::assert_refused;
use crate::common::sharded::{Sharded, succeed};
use crate::written::at;

/// Records at many places, on contigs longer than a `.tbi` can name where `is_long`.
fn many(is_long: bool) -> (String, Vec<(String, u64, u64, String)>) {
    let mut text =
        "##fileformat=VCFv4.2\n##INFO=<ID=END,Number=1,Type=Integer,Description=\"\">\n".to_owned();
    text += "##contig=<ID=chr1>\n##contig=<ID=chr2>\n##contig=<ID=chr3>\n";
    text += "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n";
    let mut all = Vec::new();
    let mut state = 7_u64;
    let mut random = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) % below
    };
    for contig in ["chr1", "chr2", "chr3"] {
        let mut pos = 1;
        for number in 0..3000 {
            pos += random(if is_long { 400_000 } else { 60_000 });
            let length = if number % 10 == 0 {
                random(3_000_000)
            } else {
                random(3000)
            };
            let (id, end) = (format!("{contig}_{number}"), pos + length);
            writeln!(text, "{contig}\t{pos}\t{id}\tN\t<DEL>\t.\t.\tEND={end}").unwrap();
            all.push((contig.to_owned(), pos, end, id));
        }
    }
    (text, all)
}

#[test]
#[ignore = "needs bcftools and tabix"]
fn annotated_file_is_found_by_tabix_and_bcftools() {
    for is_long in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let (text, all) = many(is_long);
        let (vcf, out) = (at(&folder, "in.vcf"), at(&folder, "out.vcf.gz"));
        std::fs::write(&vcf, &text).unwrap();
        let results = results_of(text.as_bytes());
        run(results.path(), &vcf, &out).unwrap();
        let index = if is_long {
            "out.vcf.gz.csi"
        } else {
            "out.vcf.gz.tbi"
        };
        assert!(at(&folder, index).is_file());
        let told = |program: &str, arguments: &[&str]| {
            let output = Command::new(program)
                .args(arguments)
                .output()
                .expect("installed");
            assert!(
                output.status.success() && output.stderr.is_empty(),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
            String::from_utf8(output.stdout).unwrap()
        };
        let path = out.to_str().unwrap();
        assert_eq!(told("bcftools", &["index", "-n", path]).trim(), "9000");
        let ids = |text: &str| -> Vec<String> {
            let records = text.lines().filter(|line| !line.starts_with('#'));
            records
                .map(|line| line.split('\t').nth(2).unwrap().to_owned())
                .collect()
        };
        let last = all.last().unwrap().1;
        for number in 0..60 {
            let contig = ["chr1", "chr2", "chr3"][number % 3];
            let start = 1 + last / 60 * number as u64;
            let end = start + [10, 20_000, 5_000_000][number / 3 % 3];
            let overlaps = |call: &&(String, u64, u64, String)| {
                call.0 == contig && call.1 <= end && call.2 >= start
            };
            let expected: Vec<String> = all
                .iter()
                .filter(overlaps)
                .map(|call| call.3.clone())
                .collect();
            let region = format!("{contig}:{start}-{end}");
            assert_eq!(ids(&told("tabix", &[path, &region])), expected, "{region}");
            assert_eq!(
                ids(&told("bcftools", &["view", "-H", "-r", &region, path])),
                expected,
                "{region}"
            );
        }
        let view = told(
            "bcftools",
            &[
                "query",
                "-f",
                "%INFO/AS_LABEL %INFO/AS_ATOMS{1} %INFO/AS_LOR{1}\n",
                path,
            ],
        );
        assert_eq!(
            view.lines()
                .filter(|line| line.starts_with("FP ") && line.ends_with(" -inf"))
                .count(),
            4500
        );
    }
}

/// The rows of a table as text, by the names of its columns.
fn read_tsv(path: &Path) -> Vec<HashMap<String, String>> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines().map(|line| line.split('\t').map(str::to_owned));
    let names: Vec<String> = lines.next().unwrap().collect();
    lines
        .map(|line| names.iter().cloned().zip(line).collect())
        .collect()
}

/// The atoms of each call in `fires.npy`.
fn firing_sets(path: &Path, calls: usize) -> Vec<Vec<u32>> {
    let bytes = std::fs::read(path).unwrap();
    let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let words = bytes[start..].chunks_exact(4);
    let atoms: Vec<u32> = words
        .map(|word| u32::from_le_bytes(word.try_into().unwrap()))
        .collect();
    atoms
        .chunks_exact(atoms.len() / calls)
        .map(<[u32]>::to_vec)
        .collect()
}

#[test]
fn analyze_annotates_calls_with_the_confirmed_atoms_that_fire() {
    let cohort = Sharded::new(3000);
    let pieces = cohort.pieces(1);
    let (first, second) = (cohort.path("first"), cohort.path("second"));
    let permuted = ["--permutations", "200"];
    let without = |left_out: &[&str], out: &Path, more: &[&str]| {
        let mut all = cohort.analyze_args(&pieces, out, more);
        all.retain(|arg| !left_out.iter().any(|left_out| arg == *left_out));
        all
    };
    succeed(&cohort.analyze_args(&pieces, &first, &permuted));
    let calls = read_tsv(&first.join("call_atoms.tsv"));
    let mut text =
        "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n".to_owned();
    for call in &calls {
        let [chrom, pos, id, svtype, svlen] =
            ["chrom", "pos", "id", "svtype", "svlen"].map(|name| &call[name]);
        writeln!(
            text,
            "{chrom}\t{pos}\t{id}\tN\t<{svtype}>\t.\tPASS\tSVLEN={svlen}"
        )
        .unwrap();
    }
    let (vcf, out) = (cohort.path("in.vcf"), cohort.path("out.vcf"));
    std::fs::write(&vcf, &text).unwrap();
    let (from, to) = (vcf.display().to_string(), out.display().to_string());
    let annotating = ["--permutations", "200", "--annotate", &to, "--vcf", &from];
    let analyzed = succeed(&without(&["-q", "--save-fires"], &second, &annotating));
    let told = String::from_utf8_lossy(&analyzed.stderr).into_owned();
    assert!(told.contains("of 3000 records 3000 have a call"), "{told}");
    assert!(second.join("call_atoms.tsv").is_file() && !second.join("fires.npy").exists());
    let annotated = std::fs::read(&out).unwrap();
    assert!(stripped(&annotated) == text.as_bytes());

    let atoms = read_tsv(&first.join("atoms.tsv"));
    let number = |atom: u32, name: &str| {
        atoms[atom as usize][name]
            .parse::<f64>()
            .unwrap_or(f64::NAN)
    };
    let sets = firing_sets(&first.join("fires.npy"), calls.len());
    let annotated = String::from_utf8(annotated).unwrap();
    let records = annotated.lines().filter(|line| !line.starts_with('#'));
    let (mut with_atoms, mut with_several) = (0, 0);
    for ((record, fires), call) in records.zip(&sets).zip(&calls) {
        let mut expected: Vec<u32> = fires
            .iter()
            .copied()
            .filter(|&atom| number(atom, "maxt_p") < 0.05)
            .collect();
        let strength = |&atom: &u32| number(atom, "cmh_neg_log10_p");
        expected.sort_by(|a, b| strength(b).total_cmp(&strength(a)).then(a.cmp(b)));
        let list = |of: &dyn Fn(u32) -> String| {
            expected
                .iter()
                .map(|&atom| of(atom))
                .collect::<Vec<_>>()
                .join(",")
        };
        let mut info = format!("SVLEN={};AS_LABEL={}", call["svlen"], call["label"]);
        if !expected.is_empty() {
            let log_odds = list(&|atom| format!("{:.4}", number(atom, "cmh_or").ln()));
            let atoms = list(&|atom| atom.to_string());
            write!(info, ";AS_ATOMS={atoms};AS_LOR={log_odds}").unwrap();
        }
        assert_eq!(record.split('\t').nth(7), Some(&*info));
        with_atoms += usize::from(!expected.is_empty());
        with_several += usize::from(expected.len() > 1);
    }
    assert!(
        with_atoms > 300 && with_several > 10,
        "{with_atoms} {with_several}"
    );

    // The same from the folder, by the command of its own.
    let again = cohort.path("again.vcf");
    succeed(&args![
        "annotate",
        "-q",
        "--results",
        second,
        "--vcf",
        vcf,
        "--out",
        again
    ]);
    assert_eq!(std::fs::read(&again).unwrap(), annotated.as_bytes());
    let third = cohort.path("third");
    succeed(&without(&["--save-fires"], &third, &[]));
    let refused = crate::common::atomscope(args![
        "annotate",
        "--results",
        third,
        "--vcf",
        vcf,
        "--out",
        cohort.path("none.vcf")
    ]);
    assert_refused(&refused, &["call_atoms.tsv", "--save-fires"]);
}
