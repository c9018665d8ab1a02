//! Real folders of benchmarks, where they are at hand: counts are those of their own summaries.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use atomscope::cohort::IdColumn;
use atomscope::read::benchmark::{
    BenchmarkCalls, BenchmarkOptions, Fate, read_benchmark, read_row_identities,
};

pub(crate) fn folders() -> PathBuf {
    let folder = std::env::var_os("ATOMSCOPE_TRUVARI_FOLDERS").map(PathBuf::from);
    folder.expect("ATOMSCOPE_TRUVARI_FOLDERS names the folder of benchmarks' outputs")
}

fn read(path: &Path) -> BenchmarkCalls {
    checked(
        path,
        read_benchmark(Some(path), &BenchmarkOptions::default()).unwrap(),
    )
}

fn checked(path: &Path, found: BenchmarkCalls) -> BenchmarkCalls {
    let account = &found.account;
    assert_eq!(account.count(|_| true), account.read, "{}", path.display());
    assert_eq!(
        account.count(|line| line.fate.is_kept()),
        found.len() as u64
    );
    found
}

fn reasons(found: &BenchmarkCalls) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for row in 0..found.len() {
        if let Some(reason) = found.calls.reason.get(row) {
            assert_eq!(found.calls.truvari_class.get(row), Some("FP"));
            *counts.entry(reason).or_default() += 1;
        }
    }
    counts
}

/// The counts of a summary, by a reader of its own.
fn summary(path: &Path) -> (u64, u64) {
    let text = std::fs::read_to_string(path).unwrap();
    let count = |keys: &[&str]| {
        let mut after = keys
            .iter()
            .filter_map(|key| text.split_once(&format!("\"{key}\": ")));
        let digits = after
            .next()
            .unwrap()
            .1
            .split(|c: char| !c.is_ascii_digit())
            .next();
        digits.unwrap().parse().unwrap()
    };
    (count(&["TP-comp", "TP-call"]), count(&["FP"]))
}

#[test]
#[ignore = "needs real folders: ATOMSCOPE_TRUVARI_FOLDERS=FOLDER"]
fn real_files_of_truvari_count_as_their_summaries() {
    let root = folders();
    let ga4gh = "t431-asm-includebed-refine/refine.variant_summary.json";
    let t540 = "t540-asm-refine/refine.variant_summary.json";
    // The folder or file; the summary that counts it; the version; how many false calls have a reason.
    for (path, counts, source, with_reason) in [
        (
            "t350-asm",
            "t350-asm/summary.txt",
            "3.5.0 (tp-call.vcf: all TP",
            4,
        ),
        (
            "t431-asm-includebed-refine",
            "t431-asm-includebed-refine/summary.json",
            "4.3.1",
            4,
        ),
        (
            "t431-asm-includebed-refine/phab_bench",
            "t431-asm-includebed-refine/phab_bench/summary.json",
            "tp-comp.vcf.gz",
            4,
        ),
        (
            "t431-asm-includebed-refine.ga4gh",
            ga4gh,
            "t431_ga4gh_query.vcf.gz: FORMAT/BD",
            4,
        ),
        (
            "t540-asm-refine",
            t540,
            "5.4.0 (refine.comp.vcf.gz: FORMAT/BD)",
            2,
        ),
        ("t540-asm-refine/refine.comp.vcf.gz", t540, "FORMAT/BD", 2),
        (
            "t540-asm-refine/phab_bench",
            "t540-asm-refine/phab_bench/summary.json",
            "tp-comp.vcf.gz",
            1,
        ),
        (
            "t540-asm-refine.ga4gh",
            "t540-asm-refine.ga4gh/t540_ga4gh.summary.json",
            "truvari ga4gh",
            2,
        ),
        ("t540-cutesv", "t540-cutesv/summary.json", "5.4.0", 1),
        ("t540-severus", "t540-severus/summary.json", "5.4.0", 107),
        (
            "t540-severus.ga4gh",
            "t540-severus.ga4gh/t540-severus.ga4gh.summary.json",
            "truvari ga4gh",
            107,
        ),
        (
            "../truvari-bench",
            "../truvari-bench/summary.json",
            "fp.vcf.gz: all FP",
            2783,
        ),
    ] {
        let found = read(&root.join(path));
        let account = &found.account;
        let counted = (account.of_class("TP"), account.of_class("FP"));
        assert_eq!(counted, summary(&root.join(counts)), "{path}");
        assert!(found.source.contains(source), "{path}: {}", found.source);
        assert_eq!(
            reasons(&found).values().sum::<usize>(),
            with_reason,
            "{path}"
        );
        let odd = found
            .warnings
            .iter()
            .filter(|warning| warning.text.contains("two runs"));
        assert_eq!(odd.count(), 0, "{path}");
    }
}

#[test]
#[ignore = "needs real folders: ATOMSCOPE_TRUVARI_FOLDERS=FOLDER"]
fn real_files_of_other_tools_are_counted() {
    let root = folders();
    // TP, FP, and records with another label or none, as grep counts them.
    for (path, tp, fp, others) in [
        ("other/aardvark-1.1.0", 2, 9, 0),
        ("other/happy-ga4gh.vcf", 3, 0, 0),
        ("other/rtg-ga4gh-loose-match-30_out.vcf", 6, 8, 5),
        ("other/rtg-vcfeval_annotate_out_calls.vcf", 11, 0, 3),
        ("other/rtg-vcfeval_combine2_out_output.vcf", 2, 0, 3),
        ("other/rtg-bndeval-annotate-calls.vcf", 2, 5, 55),
    ] {
        let found = read(&root.join(path));
        let account = &found.account;
        let left_out =
            account.count(|line| matches!(line.fate, Fate::NoLabel | Fate::OtherLabel(_)));
        assert_eq!(
            (account.of_class("TP"), account.of_class("FP"), left_out),
            (tp, fp, others),
            "{path}"
        );
    }
    // The rows of vcf2df are of bench, before refine: 8 TP, 3 FP, and 18 of the truth.
    let found = read(&root.join("t540-asm-refine.vcf2df.parquet"));
    let account = &found.account;
    assert_eq!(
        (account.of_class("TP"), account.of_class("FP"), account.read),
        (8, 3, 29)
    );
    let first = found.calls.get(0);
    assert_eq!(
        (first.chrom, first.pos.as_f64(), first.svlen.as_f64()),
        (Some("chr20"), 149_095.0, 69.0)
    );
    // The second input of isec was the caller's: 1,065 shared records, and 718 of its own.
    let isec = root.join("other/bcftools-isec");
    let pair = BenchmarkOptions {
        tp: Some(isec.join("0003.vcf")),
        fp: Some(isec.join("0001.vcf")),
        ..BenchmarkOptions::default()
    };
    let found = checked(&isec, read_benchmark(None, &pair).unwrap());
    assert_eq!(
        (found.account.of_class("TP"), found.account.of_class("FP")),
        (1065, 718)
    );
    let error = read_benchmark(Some(&isec), &BenchmarkOptions::default()).unwrap_err();
    assert!(error.to_string().contains("isec"), "{error}");
}

#[test]
#[ignore = "needs real folders: ATOMSCOPE_TRUVARI_FOLDERS=FOLDER"]
fn real_files_of_callers_are_read() {
    let root = folders();
    // The records, and those of each type, as grep counts them.
    for (path, records, types) in [
        (
            "callers/pbsv-2.6-HG005-chr17.vcf.gz",
            1783,
            &[
                ("BND", 4),
                ("DEL", 786),
                ("DUP", 71),
                ("INS", 918),
                ("INV", 4),
            ][..],
        ),
        (
            "callers/colo829-truth.vcf",
            49,
            &[("BND", 4), ("DEL", 28), ("DUP", 6), ("INS", 5), ("INV", 6)],
        ),
        ("inputs/bnd.base.vcf.gz", 196, &[]),
        ("inputs/bnd.comp.vcf.gz", 245, &[("BND", 60), ("INS", 42)]),
        ("inputs/giab.vcf.gz", 35, &[]),
        ("inputs/input1.vcf.gz", 2153, &[]),
        ("inputs/input2.vcf.gz", 1783, &[]),
        ("inputs/real_small_base.vcf.gz", 43, &[]),
        ("inputs/real_small_comp.vcf.gz", 28, &[]),
        ("other/survivor-merge.vcf", 13, &[]),
    ] {
        let found = read(&root.join(path));
        assert_eq!(found.len(), records, "{path}");
        assert_eq!(
            found.account.count(|line| line.fate == Fate::Unlabelled),
            records as u64
        );
        let counted = found.calls.svtype.counts(0..found.len());
        for (svtype, count) in types {
            assert!(
                counted.contains(&(Some(svtype), *count)),
                "{path}: {counted:?}"
            );
        }
    }
}

#[test]
#[ignore = "needs real calls and folders: ATOMSCOPE_DELLY_MIMS=FOLDER ATOMSCOPE_TRUVARI_FOLDERS=FOLDER"]
fn real_files_of_delly_join_to_their_embeddings() {
    // The embeddings are of the even-numbered chromosomes, and have classes and IDs of their own.
    let path = crate::common::delly_mims().join("data/processed/sae_sv_embeddings.pt");
    let own = atomscope::read::read_cohort(&path).unwrap().calls;
    let found = read(&folders().join("../truvari-bench"));
    let rows = read_row_identities(&path).unwrap();
    let joined = found.in_order_of(&rows, "rows", 100.0).unwrap();
    assert!(
        joined
            .words()
            .starts_with("of 4475 rows 4475 have a call (4475 by ID)"),
        "{}",
        joined.words()
    );
    let calls = &joined.calls.calls;
    for row in 0..own.len() {
        let (own, joined) = (own.get(row), calls.get(row));
        assert_eq!(own.truvari_class, joined.truvari_class, "row {row}");
        assert_eq!(
            (own.id, own.svtype, own.pos.as_f64()),
            (joined.id, joined.svtype, joined.pos.as_f64())
        );
        assert_eq!(own.svlen.as_f64().abs(), joined.svlen.as_f64(), "row {row}");
    }
    // Without IDs, by place, type and length.
    let mut rows = rows;
    rows.calls.id = IdColumn::default();
    for _ in 0..own.len() {
        rows.calls.id.push(None);
    }
    let joined = found.in_order_of(&rows, "rows", 100.0).unwrap();
    assert!(
        joined
            .words()
            .contains("4475 by chrom, pos, svtype and |svlen|"),
        "{}",
        joined.words()
    );
    for row in 0..own.len() {
        assert_eq!(
            joined.calls.calls.truvari_class.get(row),
            own.truvari_class.get(row)
        );
    }
}

#[test]
#[ignore = "needs real folders: ATOMSCOPE_TRUVARI_FOLDERS=FOLDER"]
fn real_files_of_delly_have_the_reasons_that_were_counted() {
    let found = read(&folders().join("../truvari-bench"));
    let expected = [
        ("distance", 20),
        ("multi", 212),
        ("no_candidate", 1731),
        ("size", 722),
        ("type", 98),
    ];
    assert_eq!(reasons(&found), BTreeMap::from(expected));
    // A deletion of 50 bases and an insertion of as many differ by their ends: of 25 calls whose both
    // ends are further than refdist, 20 have spans that far apart, and 5 lie by an insertion.
    let (mut types, mut far) = (0, 0);
    for row in 0..found.len() {
        let all = found.reasons.get(row).unwrap_or_default();
        types += usize::from(all.contains("type"));
        far += usize::from(all.contains("distance"));
    }
    assert_eq!((types, far), (430, 63));
    assert!(
        found
            .warnings
            .iter()
            .any(|warning| warning.text.contains("2484 true and 2091 false calls"))
    );
}
