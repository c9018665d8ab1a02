//! `annotate`: records keep their bytes, and what cannot be annotated is refused.

use std::io::Read;
use std::path::{Path, PathBuf};

use atomscope::Control;
use atomscope::analysis::{Annotated, AnnotatedFile, annotate, annotation_inputs};
use atomscope::error::Result;
use tempfile::TempDir;

use crate::folders::folders;
use crate::written::at;

const HEADER: &str =
    "row\tchrom\tpos\tid\tsvtype\tsvlen\tdataset\tlabel\treason\tclaim\tatoms\tlog_or\n";

/// A folder with a table of calls.
fn results(calls: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let lines: Vec<String> = calls
        .iter()
        .map(|call| call.replace(' ', "\t") + "\n")
        .collect();
    std::fs::write(
        at(&folder, "call_atoms.tsv"),
        HEADER.to_owned() + &lines.concat(),
    )
    .unwrap();
    folder
}

pub(crate) fn run(results: &Path, vcf: &Path, out: &Path) -> Result<Annotated> {
    let inputs = annotation_inputs(results, vcf);
    let out = AnnotatedFile::open(out, &inputs, false)?;
    annotate(results, vcf, &out, &Control::default())
}

fn inflated(path: &Path) -> Vec<u8> {
    let bytes = std::fs::read(path).unwrap();
    if !bytes.starts_with(b"\x1f\x8b") {
        return bytes;
    }
    let mut text = Vec::new();
    flate2::read::MultiGzDecoder::new(&bytes[..])
        .read_to_end(&mut text)
        .unwrap();
    text
}

/// Takes the added keys and lines out again, knowing nothing but their prefix.
pub(crate) fn stripped(annotated: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    for line in annotated.split_inclusive(|&byte| byte == b'\n') {
        if line.starts_with(b"##INFO=<ID=AS_") {
            continue;
        }
        let end = line
            .iter()
            .position(|byte| b"\r\n".contains(byte))
            .unwrap_or(line.len());
        let mut columns: Vec<Vec<u8>> = line[..end]
            .split(|&byte| byte == b'\t')
            .map(<[u8]>::to_vec)
            .collect();
        if !line.starts_with(b"#") && columns.len() > 7 {
            let fields = columns[7].split(|&byte| byte == b';');
            let kept: Vec<&[u8]> = fields.filter(|field| !field.starts_with(b"AS_")).collect();
            let is_added = kept.len() < columns[7].split(|&byte| byte == b';').count();
            let info = if kept.is_empty() && is_added {
                b".".to_vec()
            } else {
                kept.join(&b';')
            };
            columns[7] = info;
        }
        text.extend(columns.join(&b'\t'));
        text.extend(&line[end..]);
    }
    text
}

const CALLS: [&str; 4] = [
    "0 chr1 100 a DEL -50 x TP NA max_t 7,3 1.5000,-0.2500",
    "1 1 200 b INS 60 x FP no_candidate max_t NA NA",
    "2 chr2 5 c DEL 70 x NA NA max_t 3 -0.2500",
    "3 chr2 9 d BND 0 x FP multi max_t NA NA",
];

/// Records of every kind; the last has an empty INFO.
fn records(end: &str, more: &str) -> String {
    let long = "ACGT".repeat(30_000);
    [
        "chr1\t100\ta\tN\t<DEL>\t.\t.\tSVTYPE=DEL;END=150".to_owned(),
        format!("chr1\t200\tb\tN\tN{long}\t.\t.\t."),
        "chr1\t300\tother\tN\t<DEL>\t.\t.\t.".to_owned(),
        "chr2\t5\tc\tN\t<DEL>\t.\t.\tA=1;".to_owned(),
        "chr2\t9\td\tN\t]1:5]N\t.\t.\t".to_owned(),
    ]
    .map(|record| record + more + end)
    .concat()
}

#[test]
fn annotate_adds_keys_and_keeps_all_other_bytes() {
    let results = results(&CALLS);
    let folder = tempfile::tempdir().unwrap();
    let line = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO";
    let info = "##INFO=<ID=END,Number=1,Type=Integer,Description='single'>";
    let format = "##FORMAT=<ID=GT,Number=1,Type=String,Description=\"\">";
    let cut = |text: &str| text.strip_suffix('\n').unwrap().to_owned();
    // A header, and the line before those that are added.
    let texts = [
        (
            format!(
                "##a\n{info}\n{format}\n{info}\n##x\n{line}\n{}",
                records("\n", "")
            ),
            format!("{format}\n{info}\n"),
        ),
        (
            format!("##a\r\n{info}\r\n{line}\r\n{}", records("\r\n", "")),
            format!("{info}\r\n"),
        ),
        (
            format!(
                "##a\n{line}\tFORMAT\ts1\ts 2\n{}",
                records("\n", "\tGT\t0/1\t./.")
            ),
            "##a\n".to_owned(),
        ),
        (
            format!("\u{feff}##a\n{line}\n\n{}", records("\n\n", "")),
            "\u{feff}##a\n".to_owned(),
        ),
        (
            cut(&format!("##source=\u{e9}\n{line}\n{}", records("\n", ""))),
            "##source=\u{e9}\n".to_owned(),
        ),
    ];
    for (number, (text, before)) in texts.iter().enumerate() {
        let vcf = at(&folder, "in.vcf");
        std::fs::write(&vcf, text).unwrap();
        for name in ["out.vcf", "out.vcf.gz"] {
            let out = at(&folder, &format!("{number}{name}"));
            let found = run(results.path(), &vcf, &out).unwrap();
            assert_eq!(
                (found.records, found.joined.joined(), found.without_info),
                (5, 4, 1)
            );
            let annotated = inflated(&out);
            assert!(stripped(&annotated) == text.as_bytes(), "{number}{name}");
            let annotated = String::from_utf8(annotated).unwrap();
            assert!(
                annotated.contains(&format!(
                    "{before}##INFO=<ID=AS_LABEL,Number=1,Type=String,"
                )),
                "{number}"
            );
            for part in [
                "SVTYPE=DEL;END=150;AS_LABEL=TP;AS_ATOMS=7,3;AS_LOR=1.5000,-0.2500",
                "\t.\t.\tAS_LABEL=FP;AS_REASON=no_candidate",
                "A=1;;AS_ATOMS=3;AS_LOR=-0.2500",
                "chr1\t300\tother\tN\t<DEL>\t.\t.\t.",
            ] {
                assert!(annotated.contains(part), "{number}{name}: {part}");
            }
            assert_eq!(annotated.matches("##INFO=<ID=AS_").count(), 4);
        }
    }
}

/// All VCFs below a folder.
fn every_vcf(folder: &Path, all: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is = |path: &Path, ending: &str| path.extension().is_some_and(|e| e == ending);
        let within = path.with_extension("");
        if path.is_dir() {
            every_vcf(&path, all);
        } else if is(&path, "vcf") || (is(&path, "gz") && is(&within, "vcf")) {
            all.push(path);
        }
    }
}

/// The type and length of a record, where it says them plainly; NA else.
fn described(columns: &[&str]) -> [String; 2] {
    let value = |key: &str| {
        columns[7]
            .split(';')
            .find_map(|field| field.strip_prefix(key)?.strip_prefix('='))
    };
    let length = |column: usize| i64::try_from(columns[column].len()).unwrap();
    let change = length(4) - length(3);
    match (value("SVTYPE"), value("SVLEN")) {
        (Some(svtype), Some(length)) => [svtype, length].map(str::to_owned),
        _ if columns[4].bytes().all(|base| b"ACGT".contains(&base)) && change != 0 => [
            (if change > 0 { "INS" } else { "DEL" }).to_owned(),
            change.to_string(),
        ],
        _ => ["NA", "NA"].map(str::to_owned),
    }
}

/// A table that has every second record of a VCF.
pub(crate) fn results_of(text: &[u8]) -> TempDir {
    let text = String::from_utf8_lossy(text);
    let records = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    let calls = records.enumerate().step_by(2).map(|(row, record)| {
        let columns: Vec<&str> = record.split('\t').collect();
        let [svtype, length] = described(&columns);
        let id = if columns[2] == "." { "NA" } else { columns[2] };
        format!(
            "{row} {} {} {id} {svtype} {length} x FP multi holm 5,{row} 0.1,-inf",
            columns[0], columns[1]
        )
    });
    let calls: Vec<String> = calls.collect();
    results(&calls.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
#[ignore = "needs ATOMSCOPE_TRUVARI_FOLDERS"]
fn annotated_real_files_are_the_input_once_stripped() {
    let mut all = Vec::new();
    every_vcf(&folders(), &mut all);
    let delly = folders().with_file_name("truvari-bench");
    if delly.is_dir() {
        every_vcf(&delly, &mut all);
    }
    let folder = tempfile::tempdir().unwrap();
    let (mut joined, mut without_calls, mut unsorted) = (0, 0, 0);
    for (number, vcf) in all.iter().enumerate() {
        let text = inflated(vcf);
        let results = results_of(&text);
        for name in ["out.vcf", "out.vcf.gz"] {
            let out = at(&folder, &format!("{number}{name}"));
            match run(results.path(), vcf, &out) {
                Ok(found) => {
                    joined += found.joined.joined();
                    assert!(stripped(&inflated(&out)) == text, "{}", vcf.display());
                }
                Err(error) if error.to_string().contains("0 have a call") => without_calls += 1,
                Err(error) => {
                    assert!(
                        name == "out.vcf.gz"
                            && error.to_string().contains("in the order of an index"),
                        "{error}"
                    );
                    unsorted += 1;
                }
            }
        }
    }
    println!(
        "{} files, {joined} joined, {without_calls} without calls, {unsorted} unsorted",
        all.len()
    );
    assert!(all.len() >= 59 && joined > 6000 && without_calls < all.len() / 2);
}

#[test]
fn annotate_refuses_what_it_cannot_do() {
    let results = results(&CALLS);
    let folder = tempfile::tempdir().unwrap();
    let head = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n";
    let record = |place: &str, info: &str| format!("{place}\ta\tN\t<DEL>\t.\t.\t{info}\n");
    let refused = |results: &Path, text: &str, out: &str, words: &[&str]| {
        let vcf = at(&folder, "in.vcf");
        std::fs::write(&vcf, text).unwrap();
        let error = run(results, &vcf, &at(&folder, out))
            .unwrap_err()
            .to_string();
        assert!(words.iter().all(|word| error.contains(word)), "{error}");
        assert!(!error.contains("--") && !error.contains('\n'), "{error}");
    };
    let one = record("chr1\t100", ".");
    let unsorted = format!("{head}{one}{}", record("chr1\t99", "."));
    refused(
        results.path(),
        &unsorted,
        "o.vcf.gz",
        &["line 4", "chr1:99 after chr1:100", "bcftools sort"],
    );
    let mixed = format!("{head}{one}{}{one}", record("chr2\t9", "."));
    refused(
        results.path(),
        &mixed,
        "o.vcf.gz",
        &["line 5", "whose contig had other records"],
    );
    let again = format!("{head}{}", record("chr1\t100", "A;AS_LABEL=TP"));
    refused(
        results.path(),
        &again,
        "o.vcf",
        &["line 3", "AS_LABEL in INFO", "annotated already"],
    );
    let defined = format!("##INFO=<ID=AS_LOR,Number=.,Type=Float,Description=\"\">\n{head}");
    refused(results.path(), &defined, "o.vcf", &["AS_LOR in the header"]);
    let elsewhere = format!("{head}{}", record("chr9\t100", "."));
    refused(
        results.path(),
        &elsewhere,
        "o.vcf",
        &["of 1 records 0 have a call", "of the same reference"],
    );
    refused(
        folder.path(),
        &format!("{head}{one}"),
        "o.vcf",
        &["call_atoms.tsv", "no such file", "firing sets saved"],
    );
    refused(
        results.path(),
        &format!("{head}{one}"),
        "in.vcf",
        &["an input is never replaced"],
    );
    refused(
        results.path(),
        &format!("{head}{one}"),
        "o.bcf",
        &[".vcf.gz (bgzip, with an index) or .vcf"],
    );
    std::fs::write(at(&folder, "o.vcf.gz.csi"), "a user's").unwrap();
    refused(
        results.path(),
        &format!("{head}{one}"),
        "o.vcf.gz",
        &["o.vcf.gz.csi", "there already"],
    );
    let mut names: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["in.vcf", "o.vcf.gz.csi"], "nothing is half written");
    // A plain file needs no order.
    std::fs::write(
        at(&folder, "in.vcf"),
        unsorted.replace("99\ta\t", "99\tz\t"),
    )
    .unwrap();
    run(
        results.path(),
        &at(&folder, "in.vcf"),
        &at(&folder, "o.vcf"),
    )
    .unwrap();
}

#[test]
fn annotate_counts_records_that_cannot_be_told_apart() {
    let unnamed = |label: &str| format!("0 chr1 100 NA DEL 50 x {label} NA holm NA NA");
    let folder = tempfile::tempdir().unwrap();
    let record = "chr1\t100\t.\tN\t<DEL>\t.\t.\tSVLEN=-50\n";
    let other = "chr1\t200\ta\tN\t<DEL>\t.\t.\tSVLEN=-50\n";
    let head = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n";
    let vcf = at(&folder, "in.vcf");
    std::fs::write(&vcf, format!("{head}{record}{record}{other}")).unwrap();
    let named = "2 chr1 200 a DEL 50 x TP NA holm NA NA";
    for (labels, joined, alike) in [(["TP", "TP"], 3, 0), (["TP", "FP"], 1, 2)] {
        let [a, b] = labels.map(unnamed);
        let results = results(&[&a, &b, named]);
        let out = at(&folder, &format!("{joined}.vcf"));
        let found = run(results.path(), &vcf, &out).unwrap();
        assert_eq!(
            (found.joined.joined(), found.joined.alike),
            (joined, alike),
            "{}",
            found.words()
        );
        assert_eq!(found.words().contains("cannot be told apart"), alike > 0);
    }
}
