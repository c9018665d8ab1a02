//! What each tool writes is read: which files, which labels, which reasons.

use atomscope::read::benchmark::{BenchmarkOptions, Fate, read_benchmark, tools_markdown};
use atomscope::report::table::{Column, Table, Values, parquet};

use crate::written::{Vcf, at, calls, folder, read, truvari, warnings};

const TRUVARI: [(&str, &str, &str); 10] = [
    ("t1", "TP", ""),
    ("t3", "TP", ""),
    ("none", "FP", "no_candidate"),
    ("multi", "FP", "multi"),
    ("size", "FP", "size"),
    ("sequence", "FP", "sequence"),
    ("distance", "FP", "overlap,distance"),
    ("type", "FP", "type"),
    ("far", "FP", "distance"),
    ("side", "FP", "orientation"),
];

#[test]
fn truvari_folder_gives_labels_and_reasons() {
    let folder = truvari();
    let found = read(folder.path());
    assert_eq!(calls(&found), TRUVARI);
    assert!(found.source.contains("5.4.0"), "{}", found.source);
    assert_eq!(found.sample.as_deref(), Some("tumor"));
    let odd = warnings(&found);
    assert!(
        odd.contains("1 true calls below sizemin (50) are left out"),
        "{odd}"
    );
    assert!(
        odd.contains("1 true and 0 false calls have the genotype 0/0"),
        "{odd}"
    );
    assert!(!odd.contains("two runs"), "{odd}");
    let account = &found.account;
    assert_eq!((account.read, account.count(|_| true)), (11, 11));
    assert_eq!(account.count(|line| line.fate == Fate::BelowSizemin), 1);
    assert_eq!((account.of_class("TP"), account.of_class("FP")), (3, 8));
    let bnd = found.calls.get(1);
    assert_eq!(
        (bnd.mate_chrom, bnd.mate_pos.as_f64()),
        (Some("chr2"), 99.0)
    );
}

#[test]
fn truvari_calls_below_sizemin_are_kept_if_asked_for() {
    let folder = truvari();
    let options = BenchmarkOptions {
        keep_below_sizemin: true,
        ..BenchmarkOptions::default()
    };
    let found = read_benchmark(Some(folder.path()), &options).unwrap();
    assert_eq!(calls(&found)[1], ("t2", "TP", "below_sizemin"));
    assert_eq!(found.len(), 11);
}

#[test]
fn truvari_folder_of_version_3_takes_parameters_from_the_log() {
    let log = "x [INFO] Params:\n{\n \"sizemin\": 50, \"pctsim\": 0.7, \"pctsize\": 0.7,\n \"refdist\": 500, \"gtcomp\": true, \"cSample\": null\n}\n[INFO] Truvari version: 3.5.0\n";
    let missing = "PctSeqSimilarity=.;PctSizeSimilarity=.;PctRecOverlap=.;SizeDiff=.;StartDistance=.;EndDistance=.;TruScore=.;MatchId=5._.0";
    let near = "PctSeqSimilarity=0.9;PctSizeSimilarity=1;PctRecOverlap=1;SizeDiff=0;StartDistance=0;EndDistance=0;TruScore=90";
    let fp = [
        format!("chr1 100 none N <DEL> . . SVLEN=-70;END=170;{missing}"),
        format!("chr1 300 genotype N <DEL> . . SVLEN=-70;END=370;{near}"),
    ];
    let fp: Vec<&str> = fp.iter().map(String::as_str).collect();
    let files = folder(&[
        ("log.txt", log.to_owned()),
        (
            "summary.txt",
            r#"{"TP-call": 2, "FP": 2, "gt_matrix": {"x": NaN}}"#.to_owned(),
        ),
        (
            "tp-call.vcf",
            Vcf::of(&["chr1 9 a N <DEL> . . SVLEN=-70"]).text(),
        ),
        ("fp.vcf", Vcf::of(&fp).text()),
        ("tp-base.vcf", Vcf::of(&[]).text()),
        ("fn.vcf", Vcf::of(&[]).text()),
    ]);
    let found = read(files.path());
    let expected = [
        ("a", "TP", ""),
        ("none", "FP", "no_candidate"),
        ("genotype", "FP", "genotype"),
    ];
    assert_eq!(calls(&found), expected);
    assert!(found.source.contains("3.5.0"));
    let odd = warnings(&found);
    assert!(
        odd.contains("summary.txt counts 2 TP and 2 FP, and the files have 1 and 2"),
        "{odd}"
    );
}

#[test]
fn truvari_refine_outranks_bench() {
    let files = truvari();
    let refined = Vcf {
        info: &["TruScore", "MatchId", "IsRefined"],
        format: &["GT", "BD", "BK"],
        samples: &["normal", "tumor"],
        records: &[
            "chr1 100 none N <DEL> . PASS SVLEN=-100;END=200;MatchId=,5.0;IsRefined GT:BD:BK 0/0:.:. 0/1:TP:gm",
            "chr1 4000 multi N <DEL> . PASS SVLEN=-100;END=4100;MatchId=,6.0 GT:BD:BK 0/0:.:. 0/1:FP:.",
        ],
    };
    std::fs::write(at(&files, "refine.comp.vcf"), refined.text()).unwrap();
    let found = read(files.path());
    assert_eq!(
        calls(&found),
        [("none", "TP", ""), ("multi", "FP", "no_candidate")]
    );
    assert!(
        found.source.contains("refine.comp.vcf: FORMAT/BD"),
        "{}",
        found.source
    );
}

#[test]
fn truvari_refine_without_its_labels_says_so() {
    let files = truvari();
    std::fs::write(at(&files, "refine.variant_summary.json"), "{}").unwrap();
    let found = read(files.path());
    assert!(
        warnings(&found).contains("truvari ga4gh -w"),
        "{:?}",
        found.warnings
    );
    assert_eq!(calls(&found), TRUVARI);
}

#[test]
fn truvari_ga4gh_is_read_from_its_pair() {
    let with = |records: &[&str]| {
        let (info, format, samples) = (&["MatchId"][..], &["GT", "BD", "BK"][..], &["s"][..]);
        Vcf {
            info,
            format,
            samples,
            records,
        }
        .text()
    };
    let comp = with(&[
        "chr1 100 a N <DEL> . . SVLEN=-70;MatchId=1.0,1.0 GT:BD:BK 0/1:TP:gm",
        "chr1 200 b N <DEL> . . SVLEN=-70;MatchId=,2.0 GT:BD:BK 0/1:FP:.",
        "chr1 300 c N <DEL> . . SVLEN=-70;PctSizeSimilarity=0.4;MatchId=2.0,2.0 GT:BD:BK 0/1:FP:lm",
    ]);
    let base = with(&["chr1 100 x N <DEL> . . SVLEN=-70;MatchId=1.0,1.0 GT:BD:BK 0/1:FN:."]);
    for (own, truth) in [("p.comp.vcf", "p.base.vcf"), ("p_query.vcf", "p_truth.vcf")] {
        let files = folder(&[(own, comp.clone()), (truth, base.clone())]);
        let expected = [
            ("a", "TP", ""),
            ("b", "FP", "no_candidate"),
            ("c", "FP", "nearby"),
        ];
        assert_eq!(calls(&read(files.path())), expected);
        assert_eq!(calls(&read(&at(&files, own))), expected);
    }
}

#[test]
fn ga4gh_takes_the_sample_query() {
    let both = Vcf {
        info: &["BS"],
        format: &["GT", "BD", "BK", "QQ"],
        samples: &["TRUTH", "QUERY"],
        records: &[
            "1 11 a AT A . . BS=1 GT:BD:BK:QQ 0|1:TP:gm 0/1:TP:gm:29",
            "1 12 b T A . . BS=1 GT:QQ:BD:BK . 0/1:5.0:FP:lm",
            "1 13 c T A . . BS=1 GT:QQ:BD:BK 0/1:5:FN:am 1/1:5.0:FP:am",
            "1 14 d T A . . BS=1 GT:BD:BK 1|0:FN:lm .",
            "1 15 e T A . . BS=1 GT:BD:BK . 1|0:N:.",
            "1 16 f T A . . BS=1 GT:BD:BK . 1|0:FP:.",
        ],
    };
    let files = folder(&[("output.vcf", both.text())]);
    let found = read(&at(&files, "output.vcf"));
    let expected = [
        ("a", "TP", ""),
        ("b", "FP", "nearby"),
        ("c", "FP", "genotype"),
        ("f", "FP", "no_candidate"),
    ];
    assert_eq!(calls(&found), expected);
    let account = &found.account;
    assert_eq!(account.count(|line| line.fate == Fate::NoLabel), 1);
    assert_eq!(
        account.count(|line| line.fate == Fate::OtherLabel("N".to_owned())),
        1
    );
}

#[test]
fn rtg_labels_are_those_of_call() {
    let records = [
        "1 2 a A T . . SYNC=2;CALL=TP",
        "1 3 b A T . . CALL=FP",
        "1 4 c A T . . CALL=FP_CA",
        "1 5 d A T . . CALL=IGN",
        "1 6 e A T . . CALL=OUT",
        "1 7 f A T . . BASE=FN",
        "1 8 g A T . . CALL=HARD",
    ];
    let annotated = Vcf {
        info: &["CALL", "BASE"],
        ..Vcf::of(&records)
    };
    let expected = [("a", "TP", ""), ("b", "FP", ""), ("c", "FP", "genotype")];
    let files = folder(&[
        ("calls.vcf", annotated.text()),
        ("baseline.vcf", annotated.text()),
    ]);
    assert_eq!(calls(&read(&at(&files, "calls.vcf"))), expected);
    assert_eq!(calls(&read(files.path())), expected);
    let plain = |record: &'static str| Vcf::of(&[record]).text();
    let split = folder(&[
        ("tp.vcf", plain("1 2 a A T . . .")),
        ("fp.vcf", plain("1 3 b A T . . .")),
        ("fn.vcf", plain("1 4 c A T . . .")),
        ("tp-baseline.vcf", plain("1 5 d A T . . .")),
    ]);
    assert_eq!(
        calls(&read(split.path())),
        [("a", "TP", ""), ("b", "FP", "")]
    );
}

#[test]
fn other_tools_are_told_by_their_keys() {
    let aardvark = Vcf {
        format: &["GT", "BD", "EA", "OA"],
        samples: &["s"],
        ..Vcf::of(&[
            "1 1 . A T . . . GT:BD:EA:OA 0/1:TP:1:1",
            "1 2 . A T . . . GT:BD:EA:OA 1/1:FP:0:2",
            "1 3 . A T . . . GT:BD:EA:OA 1/1:FP:1:2",
        ])
    };
    let wittyer = Vcf {
        format: &["GT", "WIT", "WHY"],
        samples: &["TRUTH", "QUERY"],
        ..Vcf::of(&[
            "1 1 . N <DEL> . . SVLEN=-60 GT:WIT:WHY . 0/1:TP:.",
            "1 2 . N <DEL> . . SVLEN=-60 GT:WIT:WHY . 0/1:FP:NoOverlap",
            "1 3 . N <DEL> . . SVLEN=-60 GT:WIT:WHY . 0/1:FP:BordersTooFarOff",
            "1 4 . N <DEL> . . SVLEN=-60 GT:WIT:WHY . 0/1:N:FilteredBySettings",
            "1 5 . N <DEL> . . SVLEN=-60 GT:WIT:WHY 0/1:FN:NoOverlap .",
        ])
    };
    let vcfdist = Vcf {
        format: &["GT", "BD", "BC", "BK"],
        samples: &["TRUTH", "QUERY"],
        ..Vcf::of(&[
            "1 1 . A T . . . GT:BD:BC:BK . 0|1:TP:1:gm",
            "1 2 . A T . . . GT:BD:BC:BK . 0|1:FP:0:.",
        ])
    };
    let gatk = Vcf {
        info: &["STATUS", "TRUTH_VID"],
        ..Vcf::of(&[
            "1 1 . N <DEL> . . STATUS=TP;TRUTH_VID=x",
            "1 2 . N <DEL> . . STATUS=FP",
        ])
    };
    let (tp, fp) = ((".", "TP", ""), |reason| (".", "FP", reason));
    for (text, tool, expected) in [
        (
            aardvark.text(),
            "Aardvark",
            vec![tp, fp(""), fp("genotype")],
        ),
        (
            wittyer.text(),
            "Witty.er",
            vec![tp, fp("no_candidate"), fp("distance")],
        ),
        (vcfdist.text(), "vcfdist", vec![tp, fp("no_candidate")]),
        (gatk.text(), "GATK SVConcordance", vec![tp, fp("")]),
        (
            Vcf::of(&["1 1 . N <DEL> . . SVLEN=-60"]).text(),
            "a VCF without labels",
            vec![(".", "-", "")],
        ),
    ] {
        let files = folder(&[("any.vcf", text), ("notes.txt", String::new())]);
        let found = read(&at(&files, "any.vcf"));
        assert!(found.source.starts_with(tool), "{tool}: {}", found.source);
        assert_eq!(calls(&found), expected, "{tool}");
        // A folder with one file of labels means that file.
        if expected.len() > 1 {
            assert_eq!(calls(&read(files.path())), expected, "{tool}");
        }
    }
}

#[test]
fn pair_of_files_labels_all_of_each() {
    let files = folder(&[
        (
            "all.vcf",
            Vcf::of(&["1 1 a A T . . .", "1 2 b A T . . .", "1 3 c A T . . ."]).text(),
        ),
        ("false.vcf", Vcf::of(&["1 2 b A T . . ."]).text()),
        (
            "true.vcf",
            Vcf::of(&["1 1 a A T . . .", "1 9 z A T . . ."]).text(),
        ),
    ]);
    let options = |tp: Option<&str>, fp: Option<&str>| BenchmarkOptions {
        tp: tp.map(|name| at(&files, name)),
        fp: fp.map(|name| at(&files, name)),
        ..BenchmarkOptions::default()
    };
    let found = read_benchmark(None, &options(Some("true.vcf"), Some("false.vcf"))).unwrap();
    assert_eq!(
        calls(&found),
        [("a", "TP", ""), ("z", "TP", ""), ("b", "FP", "")]
    );
    // SVbenchmark has no file of true calls: they are all the others.
    let all = at(&files, "all.vcf");
    let found = read_benchmark(Some(&all), &options(None, Some("false.vcf"))).unwrap();
    assert_eq!(
        calls(&found),
        [("a", "TP", ""), ("c", "TP", ""), ("b", "FP", "")]
    );
    assert_eq!(found.account.count(|line| line.fate == Fate::Elsewhere), 1);
    let found = read_benchmark(Some(&all), &options(Some("true.vcf"), None)).unwrap();
    assert_eq!(
        calls(&found),
        [
            ("b", "FP", ""),
            ("c", "FP", ""),
            ("a", "TP", ""),
            ("z", "TP", "")
        ]
    );
    assert!(
        warnings(&found).contains("1 TP calls are not among all calls"),
        "{:?}",
        found.warnings
    );
}

#[test]
fn call_that_is_true_and_false_is_left_out() {
    let files = folder(&[
        (
            "t.vcf",
            Vcf::of(&["1 1 a A T . . .", "1 2 b A T . . X=1"]).text(),
        ),
        (
            "f.vcf",
            Vcf::of(&["1 2 b A T 9 . X=2", "1 3 c A T . . ."]).text(),
        ),
    ]);
    let options = BenchmarkOptions {
        tp: Some(at(&files, "t.vcf")),
        fp: Some(at(&files, "f.vcf")),
        ..BenchmarkOptions::default()
    };
    let found = read_benchmark(None, &options).unwrap();
    assert_eq!(calls(&found), [("a", "TP", ""), ("c", "FP", "")]);
    assert_eq!(found.account.count(|line| line.fate == Fate::InBoth), 2);
    let odd = warnings(&found);
    assert!(
        odd.contains("1 true calls and 1 false ones are the same record (the first: 1:2 (b))"),
        "{odd}"
    );
}

#[test]
fn ids_that_repeat_are_counted() {
    // Both halves of what bcftools norm -m-any divides have one ID.
    let files = folder(&[(
        "a.vcf",
        Vcf::of(&[
            "1 5 same A AC . . .",
            "1 5 same A AG . . .",
            "1 9 . A AG . . .",
            "1 9 b A AG . . .",
        ])
        .text(),
    )]);
    let found = read(&at(&files, "a.vcf"));
    assert!(
        warnings(&found).starts_with("2 calls share their ID"),
        "{:?}",
        found.warnings
    );
}

#[test]
fn long_alleles_are_digests() {
    let long = "acgt".repeat(1000);
    let record = format!("1 5 a A A{long} . . .");
    let files = folder(&[("a.vcf", Vcf::of(&[&record]).text())]);
    let found = read(&at(&files, "a.vcf"));
    let [reference, alt] = &found.alleles;
    assert_eq!(reference.get(0), Some("A"));
    let digest = atomscope::digest::Digest::of(format!("A{}", long.to_uppercase()).as_bytes());
    assert_eq!(alt.get(0), Some(&*format!("sha256:{digest}")));
}

#[test]
fn vcf2df_breakend_has_no_length() {
    // As truvari 5.4.0 writes an insertion and a breakend `A]chr2:5000]` without SVLEN: it counts the
    // letters.
    let text = |values: [&str; 2]| Values::Text(values.map(|v| Some(v.to_owned())).to_vec());
    let number = |values: [u64; 2]| Values::U64(values.to_vec());
    let column = |name, values| Column::new(name, "", values);
    let table = Table {
        name: "vcf2df",
        about: "",
        columns: vec![
            column("chrom", text(["chr1", "chr1"])),
            column("start", number([2999, 3999])),
            column("end", number([3000, 4000])),
            column("id", text(["i", "b"])),
            column("svtype", text(["INS", "BND"])),
            column("svlen", number([60, 11])),
            column("state", text(["tp", "fp"])),
        ],
    };
    let files = folder(&[]);
    let path = at(&files, "a.parquet");
    parquet::write(&table, &mut std::fs::File::create(&path).unwrap()).unwrap();
    let found = read(&path);
    let lengths = [0, 1].map(|i| found.calls.get(i).svlen.as_f64());
    assert_eq!(lengths, [60.0, 0.0]);
    let spans: Vec<_> = found
        .span
        .iter()
        .map(|span| (span.start, span.end))
        .collect();
    assert_eq!(spans, [(3000, 3000), (3999, 4000)]);
}

#[test]
fn docs_list_every_tool() {
    let docs = std::fs::read_to_string("docs/CALLS.md").unwrap();
    assert!(
        docs.contains(&tools_markdown()),
        "docs/CALLS.md must have this table:\n{}",
        tools_markdown()
    );
}
