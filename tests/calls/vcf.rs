//! VCF: lines, headers, records and alleles, against what the specification and real callers say.

use std::io::Write;
use std::path::{Path, PathBuf};

use atomscope::read::vcf::{Mate, Span, Vcf};
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

const COLUMNS: &str = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO";

fn file(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// One allele: type, length, end, span, mate.
type Facts = (String, Option<u64>, i64, (i64, i64), Option<(String, i64)>);

fn facts(pos: &str, reference: &str, alt: &str, info: &str, index: usize) -> Facts {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "##fileformat=VCFv4.4\n{COLUMNS}\nchr1\t{pos}\t.\t{reference}\t{alt}\t.\t.\t{info}\n"
    );
    let mut vcf = Vcf::open(&file(folder.path(), "a.vcf", text.as_bytes())).unwrap();
    let record = vcf.next().unwrap().unwrap();
    let allele = record.allele(index).unwrap();
    let Span { start, end } = allele.span;
    let mate = allele
        .mate
        .map(|Mate { chrom, pos }| (String::from_utf8_lossy(chrom).into_owned(), pos));
    (
        allele.svtype.into_owned(),
        allele.length,
        allele.end,
        (start, end),
        mate,
    )
}

/// A line of a table of alleles: POS, REF, ALT, INFO; type, length, end, span, mate.
type Case = (
    (&'static str, &'static str, &'static str, &'static str),
    (
        &'static str,
        Option<u64>,
        i64,
        (i64, i64),
        Option<(&'static str, i64)>,
    ),
);

fn check(cases: &[Case]) {
    for ((pos, reference, alt, info), (svtype, length, end, span, mate)) in cases {
        let found = facts(pos, reference, alt, info, 0);
        let mate = mate.map(|(chrom, pos)| (chrom.to_owned(), pos));
        let expected = ((*svtype).to_owned(), *length, *end, *span, mate);
        assert_eq!(found, expected, "{pos} {reference} {alt} {info}");
    }
}

#[test]
fn allele_of_a_sequence_is_described_by_its_letters() {
    check(&[
        (
            ("100", "A", "ACGT", "."),
            ("INS", Some(3), 100, (100, 100), None),
        ),
        (
            ("100", "ACGT", "A", "."),
            ("DEL", Some(3), 103, (100, 103), None),
        ),
        // Lower case, IUPAC, and an insertion without an anchor base, as Severus writes it.
        (
            ("100", "acgt", "a", "."),
            ("DEL", Some(3), 103, (100, 103), None),
        ),
        (
            ("100", "N", "RCGTRY", "SVTYPE=INS;SVLEN=160"),
            ("INS", Some(160), 100, (100, 100), None),
        ),
        (
            ("100", "A", "C", "."),
            ("SNV", Some(1), 100, (99, 100), None),
        ),
        (
            ("100", "ACG", "CGT", "SVTYPE=INV"),
            ("INV", Some(3), 102, (99, 102), None),
        ),
        // SVTYPE in lower case, and one that the letters contradict.
        (
            ("100", "A", "ACGT", "SVTYPE=dup"),
            ("DUP", Some(3), 100, (100, 100), None),
        ),
        (
            ("100", "A", "ACGT", "SVTYPE=BND"),
            ("INS", Some(3), 100, (100, 100), None),
        ),
        // The telomere before the first base.
        (("0", "N", "NACGT", "."), ("INS", Some(4), 0, (0, 0), None)),
    ]);
}

#[test]
fn allele_that_is_symbolic_takes_end_and_length_in_order() {
    check(&[
        // Delly before 2.0: no SVLEN.
        (
            ("100", "T", "<DEL>", "SVTYPE=DEL;END=150"),
            ("DEL", Some(50), 150, (100, 150), None),
        ),
        (
            ("100", "T", "<DEL>", "END=150;SVLEN=-50"),
            ("DEL", Some(50), 150, (100, 150), None),
        ),
        // VCF 4.4: SVLEN alone.
        (
            ("100", "T", "<DEL>", "SVLEN=50"),
            ("DEL", Some(50), 150, (100, 150), None),
        ),
        (
            ("100", "T", "<DUP:TANDEM>", "SVLEN=50;SVTYPE=INS"),
            ("DUP", Some(50), 150, (100, 150), None),
        ),
        (
            ("100", "T", "<INS>", "SVLEN=70;END=170"),
            ("INS", Some(70), 100, (100, 100), None),
        ),
        (
            ("100", "T", "<INS:ME:ALU>", "."),
            ("INS", None, 100, (100, 100), None),
        ),
        // pbsv: END = POS + SVLEN - 1.
        (
            ("100", "T", "<INV>", "END=149;SVLEN=50"),
            ("INV", Some(50), 149, (100, 149), None),
        ),
        // END below POS is passed over.
        (
            ("100", "T", "<DEL>", "END=7;SVLEN=-50"),
            ("DEL", Some(50), 150, (100, 150), None),
        ),
        (
            ("100", "T", "<CN0>", "END=150"),
            ("DEL", Some(50), 150, (100, 150), None),
        ),
        (
            ("100", "T", "<CN2>", "END=150"),
            ("CNV", Some(50), 150, (100, 150), None),
        ),
        (
            ("100", "T", "<cnv>", "END=150;SVLEN=."),
            ("CNV", Some(50), 150, (100, 150), None),
        ),
        (
            ("100", "T", "<DEL>", "SVLEN="),
            ("DEL", None, 100, (100, 100), None),
        ),
        // SVision-pro 2.
        (
            ("100", "N", "SV", "SVTYPE=DEL;END=150;SVLEN=50"),
            ("DEL", Some(50), 150, (100, 150), None),
        ),
        (("100", "N", "*", "."), ("UNK", None, 100, (100, 100), None)),
    ]);
}

#[test]
fn allele_that_is_a_breakend_takes_its_mate_from_alt() {
    let bnd = |mate| ("BND", None, 100, (99, 100), mate);
    let info = "SVTYPE=BND;END=170000;CHR2=chr9;SVLEN=0";
    check(&[
        (
            ("100", "G", "G]chr5:52747359]", info),
            bnd(Some(("chr5", 52_747_359))),
        ),
        (("100", "G", "G[chr5:7[", info), bnd(Some(("chr5", 7)))),
        (("100", "G", "]chr5:7]ACG", info), bnd(Some(("chr5", 7)))),
        (("100", "G", "[chr5:0[G", info), bnd(Some(("chr5", 0)))),
        // Contigs with colons, and of an assembly file.
        (
            ("100", "G", "G]HLA-DRB1*15:03:01:02:1]", "."),
            bnd(Some(("HLA-DRB1*15:03:01:02", 1))),
        ),
        (("100", "G", "G[<ctg1>:329[", "."), bnd(Some(("ctg1", 329)))),
        // Single breakends, and ones that name no place.
        (("100", "G", "GACC.", "."), bnd(None)),
        (("100", "G", ".ACCG", "."), bnd(None)),
        (("100", "G", "G]chr5]", "."), bnd(None)),
        (("100", "G", "G]chr5:x]", "."), bnd(None)),
        // The words alone: the other end is where CHR2 and END say.
        (
            ("100", "G", "<BND>", "CHR2=chr9;END=55"),
            bnd(Some(("chr9", 55))),
        ),
        (
            ("100", "G", "<TRA>", "CHR2=chr9;END=55"),
            ("TRA", None, 100, (99, 100), Some(("chr9", 55))),
        ),
    ]);
}

#[test]
fn allele_of_several_takes_its_own_values() {
    let info = "SVTYPE=DEL,INS;SVLEN=-3,5";
    assert_eq!(facts("100", "ACGT", "A,ACGTCCCCC", info, 0).1, Some(3));
    let second = facts("100", "ACGT", "A,ACGTCCCCC", info, 1);
    assert_eq!(
        (second.0.as_str(), second.1, second.3),
        ("INS", Some(5), (100, 100))
    );
    // One value for all, as files with Number=1 have it.
    let second = facts("100", "ACGT", "A,ACGTCCCCC", "SVLEN=9", 1);
    assert_eq!((second.0.as_str(), second.1), ("INS", Some(9)));
}

#[test]
fn carried_takes_the_allele_of_the_sample() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "{COLUMNS}\tFORMAT\tNULL\t2:NA24385\nchr1\t5\t.\tA\tAC,ACC\t.\t.\t.\tDP:GT\t3:0|2\t3\n"
    );
    let mut vcf = Vcf::open(&file(folder.path(), "a.vcf", text.as_bytes())).unwrap();
    assert_eq!(vcf.header().samples, ["NULL", "2:NA24385"]);
    assert_eq!(vcf.header().sample("2:NA24385"), Some(1));
    let record = vcf.next().unwrap().unwrap();
    assert_eq!(
        (
            record.carried(Some(0)),
            record.carried(Some(1)),
            record.carried(None)
        ),
        (1, 0, 0)
    );
    assert_eq!(record.sample_value(0, "GT"), Some(&b"0|2"[..]));
    assert_eq!(record.sample_value(1, "GT"), None);
    assert_eq!(record.sample_value(2, "GT"), None);
}

#[test]
fn header_with_real_oddities_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "##fileformat=VCFv4.4\n##FORMAT=<ID=GT,Number=1,Type=String,Description='a, b'>\n\
         ##contig=<ID=HLA-DRB1*15:03:01:02,length=11567>\n##contig=<ID=chrUn_KI270302v1>\n\
         ##INFO=<ID=SVLEN,Number=.,Type=Integer,Description=\"x, ID=y\">\n\
         ##FILTER=<ID=lt50,Number=1,Type=Integer,Description=\"\">\n##source=caller 1\n##odd\n##=\n\
         ##FORMAT=<ID=DP,Number=1,Type=Integer,Description=\"late\">\n{COLUMNS}\r\n\
         chr1\t1\t.\tA\tC\t.\t.\tMAPQ=60.0;EMPTY=;FLAG;CILEN=-0,0\r\n\n"
    );
    let mut vcf = Vcf::open(&file(folder.path(), "a.vcf", text.as_bytes())).unwrap();
    let header = vcf.header();
    assert_eq!(header.version, "VCFv4.4");
    assert_eq!(header.contigs, ["HLA-DRB1*15:03:01:02", "chrUn_KI270302v1"]);
    assert!(header.has_format("GT") && header.has_format("DP") && !header.has_format("y"));
    assert_eq!(
        (header.info.len(), header.info[0].number.as_str()),
        (1, ".")
    );
    assert_eq!(header.sources, ["caller 1"]);
    let record = vcf.next().unwrap().unwrap();
    assert_eq!(record.info_value("MAPQ"), Some(&b"60.0"[..]));
    assert_eq!(record.info_value("FLAG"), Some(&b""[..]));
    assert_eq!(record.info_value("EMPTY"), Some(&b""[..]));
    assert_eq!(record.info_value("CILEN"), Some(&b"-0,0"[..]));
    assert_eq!(record.info_value("MISSING"), None);
    assert!(vcf.next().unwrap().is_none());
}

/// A member of gzip; with the extra field and the end of bgzip if `is_bgzip`.
fn bgzip(pieces: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    for piece in pieces.iter().copied().chain([&b""[..]]) {
        let mut deflated = flate2::write::DeflateEncoder::new(Vec::new(), Compression::default());
        deflated.write_all(piece).unwrap();
        let deflated = if piece.is_empty() {
            vec![3, 0]
        } else {
            deflated.finish().unwrap()
        };
        let size = deflated.len() + 25;
        out.extend([
            0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 6, 0, b'B', b'C', 2, 0,
        ]);
        out.extend((size as u16).to_le_bytes());
        out.extend(&deflated);
        let mut crc = flate2::Crc::new();
        crc.update(piece);
        out.extend(crc.sum().to_le_bytes());
        out.extend((piece.len() as u32).to_le_bytes());
    }
    out
}

/// All bytes of a VCF, as they are handed out: the header's, then each line's.
fn bytes_of(path: &Path) -> Result<Vec<u8>, String> {
    let mut vcf = Vcf::open(path).map_err(|error| error.to_string())?;
    let mut bytes = vcf.header().bytes.clone();
    loop {
        match vcf.next() {
            Ok(Some(_)) => {}
            Ok(None) => return Ok(bytes),
            Err(error) => return Err(error.to_string()),
        }
        bytes.extend_from_slice(vcf.line());
    }
}

#[test]
fn lines_keep_their_bytes_however_they_are_compressed() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = format!("##fileformat=VCFv4.2\n{COLUMNS}\n").into_bytes();
    for row in 0..500 {
        text.extend(format!("chr1\t{row}\tid{row}\tA\tC\t.\t.\tX=\u{e9}\u{e9}\r\n").into_bytes());
    }
    text.extend(b"chr2\t1\t\xff\xfe\tA\tC\t.\t.\tlast=1");
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&text).unwrap();
    let gzip = gzip.finish().unwrap();
    let (first, second) = text.split_at(5000);
    for (name, bytes) in [
        ("plain.vcf", text.clone()),
        ("gzip.vcf", gzip),
        ("bgzip", bgzip(&[first, second])),
        ("padded", [bgzip(&[first, second]), vec![0; 2000]].concat()),
    ] {
        assert!(
            bytes_of(&file(folder.path(), name, &bytes)).unwrap() == text,
            "{name}"
        );
    }
}

#[test]
fn bgzip_cut_anywhere_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("##fileformat=VCFv4.2\n{COLUMNS}\nchr1\t1\t.\tA\tC\t.\t.\t.\n");
    let whole = bgzip(&[text.as_bytes(), b"chr1\t2\t.\tA\tC\t.\t.\t.\n"]);
    for end in 18..whole.len() {
        let path = file(folder.path(), "cut.vcf.gz", &whole[..end]);
        let error = bytes_of(&path).expect_err(&format!("{end} of {} bytes", whole.len()));
        assert!(
            error.contains("cut.vcf.gz: ") && error.contains("cut short") && !error.contains('\n'),
            "{error}"
        );
    }
}

#[test]
fn file_that_is_no_vcf_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let columns = format!("{COLUMNS}\n");
    let record = |line: &str| format!("{columns}{line}\n").into_bytes();
    for (bytes, words) in [
        (&b"BCF\x02\x02"[..], &["found BCF", "bcftools view -Oz"][..]),
        (&bgzip(&[b"BCF\x02\x02rest"]), &["found BCF"]),
        (b"", &["an empty file"]),
        (b"chr1\t5\n", &["line 1", "a VCF's header"]),
        (
            b"##fileformat=VCFv4.2\n",
            &["line 1", "found the end of the file", "#CHROM"],
        ),
        (b"##fileformat=VCFv4.2\nchr1\t1\n", &["line 2"]),
        (b"#CHROM POS ID REF\n", &["line 1", "tabs"]),
        (
            &record("chr1\t1\t.\tA\tC\t.\t."),
            &["line 2", "found 7 columns"],
        ),
        (
            &record("chr1\tx\t.\tA\tC\t.\t.\t."),
            &["line 2", "POS \"x\""],
        ),
        (&record("chr1\t-1\t.\tA\tC\t.\t.\t."), &["POS \"-1\""]),
        (
            &record("chr1\t99999999999999999\t.\tA\tC\t.\t.\t."),
            &["POS"],
        ),
    ] {
        let error = bytes_of(&file(folder.path(), "a.vcf", bytes)).unwrap_err();
        for word in words {
            assert!(error.contains(word), "{word:?} is not in {error}");
        }
        assert_eq!(error.lines().count(), 1);
    }
}

#[test]
fn allele_of_many_bases_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let alt = "ACGT".repeat(5_000_000);
    let text =
        format!("{COLUMNS}\nchr1\t9\tlong\tA\tA{alt}\t.\t.\t.\nchr1\t10\tshort\tA\tAC\t.\t.\t.\n");
    let mut vcf = Vcf::open(&file(folder.path(), "a.vcf", text.as_bytes())).unwrap();
    let length = vcf.next().unwrap().unwrap().allele(0).unwrap().length;
    assert_eq!(length, Some(20_000_000));
    assert_eq!(vcf.next().unwrap().unwrap().id(), Some(&b"short"[..]));
}

proptest! {
    /// Any line is a record or an error, and its columns are those of a plain split.
    #[test]
    fn record_of_any_bytes_is_that_of_a_plain_split(line in proptest::collection::vec(
        prop_oneof![Just(b'\t'), Just(b';'), Just(b'='), Just(b','), Just(b'<'), Just(b'>'), Just(b'['), Just(b']'),
                    Just(b':'), Just(b'.'), Just(b'1'), Just(b'A'), Just(b'C'), any::<u8>()], 0..120)) {
        prop_assume!(!line.contains(&b'\n') && !line.ends_with(b"\r") && !line.is_empty());
        let folder = tempfile::tempdir().unwrap();
        let text = [format!("{COLUMNS}\n").as_bytes(), b"c\t1\t", &line].concat();
        let mut vcf = Vcf::open(&file(folder.path(), "a.vcf", &text)).unwrap();
        if let Ok(Some(record)) = vcf.next() {
            let columns: Vec<&[u8]> = line.split(|&byte| byte == b'\t').collect();
            prop_assert!(columns.len() >= 6);
            prop_assert_eq!(record.reference(), columns[1]);
            prop_assert_eq!(record.alternatives(), columns[2]);
            for index in 0..record.alts().count() {
                let allele = record.allele(index).unwrap();
                prop_assert!(allele.span.start <= allele.span.end && allele.end >= record.pos());
            }
            let _ = record.sample_value(0, "GT");
            let _ = record.carried(Some(0));
        }
    }
}

/// Prints how fast records are split, and alleles described: `cargo test --release --test calls -- --ignored speed`.
#[test]
#[ignore = "measures; a release build says most"]
fn speed_of_splitting_records() {
    let folder = tempfile::tempdir().unwrap();
    let info = "IMPRECISE;SVTYPE=DEL;SVMETHOD=EMBL.DELLYv1.2.6;END=823484;PE=30;MAPQ=24;CT=3to5;CIPOS=-54,54;CIEND=-54,54;SVLEN=2555;PctSeqSimilarity=0;PctSizeSimilarity=0.0959;PctRecOverlap=0.0286;SizeDiff=-2310;StartDistance=-50;EndDistance=-2605;GTMatch=2;TruScore=4;MatchId=1.0,1.0";
    let bases = "ACGTACGTTGCA".repeat(20);
    let mut text = format!("##fileformat=VCFv4.2\n{COLUMNS}\tFORMAT\tS\n").into_bytes();
    let records = 207_437;
    for row in 0..records {
        let line = format!(
            "chr1\t{row}\tDEL{row}\tC{bases}\tC\t643\tPASS\t{info}\tGT:GL:GQ\t0/1:-44,0,-72:10000\n"
        );
        text.extend(line.into_bytes());
    }
    let path = file(folder.path(), "large.vcf", &text);
    for describe in [false, true] {
        let start = std::time::Instant::now();
        let mut vcf = Vcf::open(&path).unwrap();
        let (mut count, mut sum) = (0, 0);
        while let Some(record) = vcf.next().unwrap() {
            count += 1;
            if describe {
                sum += record.allele(0).unwrap().length.unwrap();
            }
        }
        let seconds = start.elapsed().as_secs_f64();
        assert_eq!(count, records);
        let rate = text.len() as f64 / 1e6 / seconds;
        crate::common::say(&format!(
            "{} MB, alleles described {describe}: {rate:.0} MB/s ({sum})",
            text.len() / 1_000_000
        ));
    }
}
