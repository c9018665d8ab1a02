//! Tables of calls by minda and vcfdist.

use std::path::Path;

use atomscope::read::benchmark::{BenchmarkCalls, BenchmarkOptions, Fate, read_benchmark};

use crate::written::{at, calls, folder, read, refused, warnings};

/// What minda (its source of 2025) wrote of a caller's six records and a truth of four.
const MINDA: &str = "#CHROM_x\tPOS_x\tID_x\tALT_x\tFILTER_x\tINFO_x\tSVTYPE_x\tVAF_x\tMATE_INDEX_x\tMinda_ID\t\
    SVLEN\t#CHROM_y\tPOS_y\tID_y\tALT_y\tFILTER_y\tINFO_y\tSVTYPE_y\tVAF_y\tMATE_INDEX_y\tEND\n";
const MINDA_TP: &str = "chr1\t1010\tc1\t<DEL>\tPASS\t\"SVTYPE=DEL;SVLEN=-510;END=1520;NOTE=\"\"a b\"\"\"\tDEL\t*\t-1\t\
    caller_1\t510\tchr1\t1520\tc1\t<DEL>\tPASS\t\"SVTYPE=DEL;SVLEN=-510;END=1520;NOTE=\"\"a b\"\"\"\tDEL\t*\t-1\t1520.0\n\
    chr2\t705\tc3\tN[chr3:905[\tPASS\tSVTYPE=BND;MATEID=c3m\tBND\t*\t4\tcaller_3\t-1\tchr3\t905\tc3m\t\
    ]chr2:705]N\tPASS\tSVTYPE=BND;MATEID=c3\tBND\t*\t2\t\n";
const MINDA_FP: &str = "chr1\t9000\tc2\t<DUP>\tPASS\tSVTYPE=DUP;SVLEN=800;END=9800\tDUP\t*\t-1\tcaller_2\t800\tchr1\t\
    9800\tc2\t<DUP>\tPASS\tSVTYPE=DUP;SVLEN=800;END=9800\tDUP\t*\t-1\t9800.0\n\
    chr2\t9705\tc4\tN[chr3:9905[\tPASS\tSVTYPE=BND;MATEID=c4m\tBND\t*\t5\tcaller_4\t-1\tchr3\t9905\tc4m\t\
    ]chr2:9705]N\tPASS\tSVTYPE=BND;MATEID=c4\tBND\t*\t3\t\n";
const MINDA_FN: &str =
    "#CHROM_x\tPOS_x\tID_x\tINFO_x\t#CHROM_y\tPOS_y\tID_y\tINFO_y\tSVTYPE\tSVLEN\tVAF\tMinda_IDs\n";

/// Tables as vcfdist prints them, `print.cpp` of 2.6.4.
const VCFDIST: &str = "CONTIG\tPOS\tHAP\tREF\tALT\tQUAL\tTYPE\tERRTYPE\tCREDIT\tCLUSTER\tSUPERCLUSTER\tSYNC_GROUP\t\
    REF_DIST\tQUERY_DIST\tLOCATION\n";

fn pair(tp: &Path, fp: &Path) -> BenchmarkOptions {
    BenchmarkOptions {
        tp: Some(tp.to_owned()),
        fp: Some(fp.to_owned()),
        ..BenchmarkOptions::default()
    }
}

fn vcfdist(rows: &[(&str, u64, u8, &str, &str, &str, &str)]) -> String {
    let row = |(contig, pos, hap, reference, alt, label, credit): &(_, _, _, _, _, _, _)| {
        format!(
            "{contig}\t{pos}\t{hap}\t{reference}\t{alt}\t30.00\tINS\t{label}\t{credit}\t0\t0\t0\t0\t0\tINSIDE \n"
        )
    };
    let rows: String = rows.iter().map(row).collect();
    [VCFDIST, &rows].concat()
}

/// Position, type and length of each call.
fn places(found: &BenchmarkCalls) -> Vec<(i64, &str, i64)> {
    let of = |row| {
        let call = found.calls.get(row);
        (
            call.pos.as_f64() as i64,
            call.svtype.unwrap_or("-"),
            call.svlen.as_f64() as i64,
        )
    };
    (0..found.len()).map(of).collect()
}

#[test]
fn minda_tables_give_both_records_of_a_breakend() {
    let folder = folder(&[
        ("S_caller_tp.tsv", [MINDA, MINDA_TP].concat()),
        ("S_caller_fp.tsv", [MINDA, MINDA_FP].concat()),
    ]);
    let options = pair(
        &at(&folder, "S_caller_tp.tsv"),
        &at(&folder, "S_caller_fp.tsv"),
    );
    let found = read_benchmark(None, &options).unwrap();
    let expected = [
        ("c1", "TP"),
        ("c3", "TP"),
        ("c3m", "TP"),
        ("c2", "FP"),
        ("c4", "FP"),
        ("c4m", "FP"),
    ];
    assert_eq!(calls(&found), expected.map(|(id, class)| (id, class, "")));
    assert_eq!(
        places(&found),
        [
            (1010, "DEL", 510),
            (705, "BND", 0),
            (905, "BND", 0),
            (9000, "DUP", 800),
            (9705, "BND", 0),
            (9905, "BND", 0)
        ]
    );
    let mate = found.calls.get(2);
    assert_eq!(
        (mate.mate_chrom, mate.mate_pos.as_f64()),
        (Some("chr2"), 705.0)
    );
    assert_eq!(found.mate_id.get(1), Some("c3m"));
}

#[test]
fn minda_tables_of_the_truth_or_alone_are_refused() {
    let folder = folder(&[
        ("S_caller_tp.tsv", [MINDA, MINDA_TP].concat()),
        ("S_caller_fn.tsv", MINDA_FN.to_owned()),
        ("short.tsv", [MINDA, "chr1\t7\n"].concat()),
    ]);
    let tp = at(&folder, "S_caller_tp.tsv");
    let of_pair = |fp: &Path| {
        read_benchmark(None, &pair(&tp, fp))
            .unwrap_err()
            .to_string()
    };
    let text = of_pair(&at(&folder, "S_caller_fn.tsv"));
    assert!(
        text.contains("S_caller_fn.tsv: the columns: found minda's table of the truth"),
        "{text}"
    );
    let text = of_pair(&at(&folder, "short.tsv"));
    assert!(
        text.contains("short.tsv: line 2: found 2 columns, expected 21 columns"),
        "{text}"
    );
    for path in [folder.path(), &tp] {
        let text = refused(path, &BenchmarkOptions::default());
        assert!(
            text.contains("minda") && text.contains("S_CALLER_fp.tsv"),
            "{text}"
        );
    }
}

#[test]
fn vcfdist_table_gives_calls_of_both_haplotypes_once() {
    let table = vcfdist(&[
        // Insertions lie before the base of POS, which counts from 0; deletions begin with it.
        ("chr1", 99, 0, "", "ACGTA", "TP", "1.000000"),
        ("chr1", 99, 1, "", "ACGTA", "TP", "1.000000"),
        ("chr1", 99, 1, "", "ACG", "FP", "0.400000"),
        ("chr1", 200, 0, "ACG", "", "FP", "0.000000"),
        ("chr1", 300, 0, "A", "T", "TP", "1.000000"),
        // One haplotype is right: the call is neither.
        ("chr2", 300, 0, "A", "", "TP", "1.000000"),
        ("chr2", 300, 1, "A", "", "FP", "0.000000"),
        ("chr2", 400, 0, "A", "", "PE", "1.000000"),
    ]);
    let folder = folder(&[("a.query.tsv", table), ("a.truth.tsv", VCFDIST.to_owned())]);
    for path in [folder.path(), &*at(&folder, "a.query.tsv")] {
        let found = read(path);
        assert_eq!(
            calls(&found),
            [
                (".", "TP", ""),
                (".", "FP", "nearby"),
                (".", "FP", "no_candidate"),
                (".", "TP", "")
            ]
        );
        assert_eq!(
            places(&found),
            [
                (99, "INS", 5),
                (99, "INS", 3),
                (200, "DEL", 3),
                (301, "SNV", 1)
            ]
        );
        let account = &found.account;
        assert_eq!(account.count(|line| line.fate == Fate::InBoth), 2);
        assert_eq!(
            account.count(|line| line.fate == Fate::OtherLabel("PE".to_owned())),
            1
        );
        assert!(warnings(&found).contains("by place, type and length"));
    }
}

#[test]
fn vcfdist_table_of_the_truth_is_refused() {
    let folder = folder(&[
        (
            "truth.tsv",
            vcfdist(&[("chr1", 99, 0, "", "ACG", "FN", "0.000000")]),
        ),
        (
            "query.tsv",
            vcfdist(&[("chr1", 99, 0, "", "ACG", "TP", "much")]),
        ),
        (
            "old.tsv",
            vcfdist(&[("chr1", 99, 0, "", "ACG", "TP", "1.0")]).replace("ERRTYPE", "ERR_TYPE"),
        ),
    ]);
    let text = refused(&at(&folder, "truth.tsv"), &BenchmarkOptions::default());
    assert!(
        text.contains("truth.tsv: the name: found vcfdist's table of the truth"),
        "{text}"
    );
    let text = refused(&at(&folder, "query.tsv"), &BenchmarkOptions::default());
    assert!(
        text.contains("query.tsv: line 2: found CREDIT \"much\", expected a number"),
        "{text}"
    );
    assert_eq!(calls(&read(&at(&folder, "old.tsv"))), [(".", "TP", "")]);
}
