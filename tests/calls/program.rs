//! The command `calls`: what it prints, what it writes, and that `analyze` takes its table.

use atomscope::read::read_cohort;

use crate::common::{assert_refused, atomscope};
use crate::written::{at, folder, truvari};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn calls_prints_the_account() {
    let files = truvari();
    let output = atomscope([std::ffi::OsStr::new("calls"), files.path().as_os_str()]);
    let (out, notes) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{notes}");
    assert!(
        out.contains("Truvari bench, refine 5.4.0") && out.contains("11 records, 10 calls"),
        "{out}"
    );
    assert!(
        out.contains("sample tumor") && out.contains("no_candidate"),
        "{out}"
    );
    assert!(
        notes.contains("warning: 1 true calls below sizemin")
            && notes.contains("--below-sizemin keep"),
        "{notes}"
    );
}

#[test]
fn calls_table_is_read_as_metadata() {
    let files = truvari();
    for name in ["calls.tsv", "calls.parquet"] {
        let out = at(&files, name);
        let paths = [files.path().as_os_str(), "--out".as_ref(), out.as_os_str()];
        let output = atomscope([std::ffi::OsStr::new("calls")].into_iter().chain(paths));
        assert!(output.status.success(), "{}", text(&output.stderr));
        let embeddings = at(&files, "rows.npy");
        write_npy(&embeddings, 10);
        let cohort = atomscope::read::read_cohort_with(&embeddings, Some(&out)).unwrap();
        let calls = &cohort.calls;
        assert_eq!(calls.len(), 10, "{name}");
        let first = calls.get(0);
        assert_eq!(
            (first.id, first.truvari_class, first.svtype),
            (Some("t1"), Some("TP"), Some("DEL"))
        );
        assert_eq!(
            (first.pos.as_f64(), first.svlen.as_f64(), first.dataset),
            (1000.0, 100.0, Some("tumor"))
        );
        assert_eq!(calls.get(2).truvari_class, Some("FP"));
        let account = std::fs::read_to_string(at(&files, "calls_account.tsv")).unwrap();
        let records = account
            .lines()
            .skip(1)
            .map(|line| line.rsplit('\t').next().unwrap().parse::<u64>().unwrap());
        assert_eq!(records.sum::<u64>(), 11);
        std::fs::remove_file(at(&files, "calls_account.tsv")).unwrap();
    }
    assert!(read_cohort(&at(&files, "rows.npy")).is_err());
}

#[test]
fn inspect_says_what_a_benchmark_wrote() {
    let files = truvari();
    for (path, words) in [
        (
            files.path().to_owned(),
            "Truvari bench, refine 5.4.0 (tp-comp.vcf: all TP; fp.vcf: all FP)",
        ),
        (at(&files, "tp-base.vcf"), ""),
    ] {
        let output = atomscope([std::ffi::OsStr::new("inspect"), path.as_os_str()]);
        assert_eq!(output.status.success(), !words.is_empty());
        assert!(text(&output.stdout).contains(words));
    }
}

#[test]
fn calls_refuses_what_makes_no_sense() {
    let files = truvari();
    let run = |args: &[&str]| {
        let out = args.iter().map(|arg| match arg.strip_prefix('@') {
            Some(name) => at(&files, name).into_os_string(),
            None => (*arg).into(),
        });
        atomscope([std::ffi::OsString::from("calls")].into_iter().chain(out))
    };
    assert_refused(&run(&["@fp.vcf"]), &["--tp FILE", "--fp FILE"]);
    assert_refused(&run(&["--tp", "@fp.vcf"]), &["--fp"]);
    assert_refused(
        &run(&["@", "--sample", "x"]),
        &["--sample NAME", "normal, tumor"],
    );
    assert_refused(
        &run(&["@", "--out", "@calls.txt", "--below-sizemin", "keep"]).quiet(),
        &["--out", ".tsv or .parquet"],
    );
    let empty = folder(&[]);
    let output = atomscope([std::ffi::OsStr::new("calls"), empty.path().as_os_str()]);
    assert_refused(&output, &["an empty folder"]);
    // An input is never replaced.
    let before = std::fs::read(at(&files, "fp.vcf")).unwrap();
    std::os::unix::fs::symlink(at(&files, "fp.vcf"), at(&files, "fp.tsv")).unwrap();
    let output = run(&[
        "@",
        "--out",
        "@fp.tsv",
        "--force",
        "--below-sizemin",
        "keep",
    ]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(std::fs::read(at(&files, "fp.vcf")).unwrap(), before);
}

trait Quiet {
    fn quiet(self) -> Self;
}

impl Quiet for std::process::Output {
    /// Without warnings.
    fn quiet(mut self) -> Self {
        let lines = text(&self.stderr);
        let kept = lines.lines().filter(|line| !line.contains("warning: "));
        let kept: Vec<&str> = kept.chain([""]).collect();
        self.stderr = kept.join("\n").into_bytes();
        self
    }
}

/// Writes an array of zeros, float32 [rows, 2].
fn write_npy(path: &std::path::Path, rows: usize) {
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, 2), }}");
    let header = format!("{header:<117}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(vec![0; rows * 8]);
    std::fs::write(path, bytes).unwrap();
}
