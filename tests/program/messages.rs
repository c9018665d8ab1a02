//! What the program says of common mistakes, of a full disk, of itself, and of tables.

use std::fs;
use std::path::Path;
use std::process::Output;

use crate::common::cohort::Cohort;
use crate::common::{assert_refused, atomscope};

fn path_of(cohort: &Cohort, name: &str) -> String {
    cohort.path(name).to_str().expect("UTF-8").to_owned()
}

fn stdout(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

#[test]
fn common_mistakes_are_answered_with_what_to_do() {
    let cohort = Cohort::simulated(40);
    let analyze = |more: &[&str], words: &[&str]| {
        assert_refused(&cohort.analyze(None, None, more), words);
    };
    let at = |name: &str| path_of(&cohort, name);
    fs::create_dir(at("truvari")).expect("made");
    analyze(
        &["--metadata", &at("truvari")],
        &["a folder", "the table in it"],
    );
    fs::write(at("truvari/tp-comp.vcf.gz"), "").expect("written");
    analyze(
        &["--metadata", &at("truvari")],
        &["Truvari", "bcftools query", "fp:FP"],
    );
    fs::write(
        at("a.vcf"),
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n1\t2\tx\tA\tC\t.\t.\t.\n",
    )
    .expect("written");
    analyze(&["--metadata", &at("a.vcf")], &["a VCF", "bcftools query"]);
    for (text, words) in [
        ("{\"pos\":1}\n{\"pos\":", ["line 2", "cut off"]),
        (
            "{\"pos\":1}\n{\"pos\":]}\n",
            ["line 2", "a line of its own"],
        ),
        ("pos,id\n1,2\n3\n", ["line 3", "may be cut off"]),
        ("pos,id\n1,2\n3,4,5\n", ["line 3", "put quotes"]),
        ("pos,id\nmany,2\n", ["a number", "leave it empty"]),
    ] {
        fs::write(at("table"), text).expect("written");
        analyze(&["--metadata", &at("table")], &words);
    }
    fs::write(at("BEST_MODEL.json"), "{\"best_dir\": \"m").expect("written");
    let best = cohort.path("BEST_MODEL.json");
    let words = [
        "BEST_MODEL.json",
        "cut off at line 1",
        "copy the file again",
    ];
    assert_refused(&cohort.analyze(None, Some(&best), &[]), &words);
    for number in [["--permutations", "-5"], ["--min-support", "-1"]] {
        let output = cohort.analyze(None, None, &number);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2));
        assert!(
            stderr.contains(&format!("invalid value '{}'", number[1])),
            "{stderr}"
        );
    }
}

#[test]
fn tally_given_twice_is_to_be_given_once() {
    let cohort = Cohort::simulated(40);
    let at = |name: &str| path_of(&cohort, name);
    let (embeddings, model, tally) = (at("embeddings.pt"), at("sae.pt"), at("a.tally"));
    let args = [
        "tally",
        "-q",
        "--embeddings",
        &embeddings,
        "--model",
        &model,
    ];
    stdout(&atomscope([&args[..], &["--out", &tally]].concat()));
    let merged = at("m.tally");
    let output = atomscope(["merge", "--out", &merged, &tally, &tally]);
    assert_refused(&output, &["a.tally once"]);
}

/// A file may be so long and no longer: what is written beyond fails, as on a full disk.
#[cfg(unix)]
#[test]
fn full_disk_is_one_line_and_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("sim");
    let program = env!("CARGO_BIN_EXE_atomscope");
    let script = format!(
        "trap '' XFSZ; ulimit -f 64; exec '{program}' simulate -q --rows 4000 --out '{}'",
        out.display()
    );
    let output = std::process::Command::new("bash")
        .args(["-c", &script])
        .output();
    let output = output.expect("bash");
    assert_refused(
        &output,
        &["embeddings.pt", "cannot write it", "with space left"],
    );
    assert!(!out.exists());
}

#[test]
fn help_has_headings_with_what_is_required_first() {
    let (short, long) = (
        stdout(&atomscope(["analyze", "-h"])),
        stdout(&atomscope(["analyze", "--help"])),
    );
    for text in [&short, &long] {
        let place = |word: &str| text.find(word).unwrap_or_else(|| panic!("{word}: {text}"));
        let headings = [
            "\nRequired:",
            "\nInput:",
            "\nLabels:",
            "\nEngine:",
            "\nStatistics:",
            "\nOutput:",
        ];
        let first = place("\nRequired:");
        assert!(headings.iter().all(|heading| place(heading) >= first));
        let required = &text[first..place("\nInput:")];
        for flag in ["--embeddings", "--model", "--out"] {
            assert!(required.contains(flag), "{flag}: {required}");
        }
        let options = text.find("\nOptions:").unwrap_or(text.len());
        assert!(!text[options..].contains("--tables"), "{text}");
    }
    for word in [
        "encoder.weight",
        "tp_comp_vcf is a true call",
        "label is true",
    ] {
        assert!(long.contains(word) && !short.contains(word), "{word}");
    }
    assert!(short.lines().count() < long.lines().count());
}

#[test]
fn completions_and_manual_know_every_command() {
    let commands = [
        "analyze",
        "investigate",
        "tally",
        "merge",
        "report",
        "inspect",
        "verify",
        "simulate",
        "doctor",
    ];
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let text = stdout(&atomscope(["completions", shell]));
        for word in commands.iter().chain(&["class-column"]) {
            assert!(text.contains(word), "{shell}: {word}");
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("man");
    stdout(&atomscope([
        "man".as_ref(),
        "--out".as_ref(),
        out.as_os_str(),
    ]));
    for command in commands {
        let page = fs::read_to_string(out.join(format!("atomscope-{command}.1")));
        assert!(page.expect("a page").contains(".SH"), "{command}");
    }
    assert!(out.join("atomscope.1").exists());
    let help = stdout(&atomscope(["--help"]));
    assert!(
        help.contains("completions") && !help.contains("\n  man "),
        "{help}"
    );
}

fn inspect(table: &Path, more: &[&str]) -> String {
    let args = ["inspect".as_ref(), table.as_os_str()].into_iter();
    stdout(&atomscope(args.chain(more.iter().map(AsRef::as_ref))))
}

#[test]
fn inspect_says_how_a_table_would_be_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let table = folder.path().join("calls.tsv");
    let text = "#CHROM\tPOS\tSVTYPE\tstate\tqual\n1\t5\t<DEL>\tTP\t9\n1\t7\tINS\tFP\t8\n2\t1\tDEL\ttpbase\t7\n";
    fs::write(&table, text).expect("written");
    let found = inspect(&table, &["--class-column", "state"]);
    for words in [
        "table 3 rows",
        "#CHROM: column read as chrom",
        "SVTYPE: column read as svtype",
        "state: column read as truvari_class",
        "qual: column not used",
        "calls: 3, 1 of them true",
        "classes: TP 1 (true), FP 1 (false), tpbase 1 (false)",
        "SV types: DEL 2, INS 1",
        "3 of 3 calls have no svlen",
        "3 of 3 calls have no dataset",
    ] {
        assert!(found.contains(words), "{words}: {found}");
    }
    let found = inspect(&table, &[]);
    assert!(
        found.contains("no column of classes, truvari_class"),
        "{found}"
    );
    let json: serde_json::Value =
        serde_json::from_str(&inspect(&table, &["--json"])).expect("JSON");
    assert_eq!(json["calls"]["calls"], 3);
}

#[test]
fn too_many_threads_and_too_little_memory_are_told_and_change_nothing() {
    let cohort = Cohort::simulated(400);
    let files = |more: &[&str]| {
        let output = cohort.analyze(None, None, &[&["--bootstrap", "0"], more].concat());
        stdout(&output);
        let mut files = crate::common::contents(&cohort.out());
        files.retain(|(name, _)| name != "run.json");
        (files, String::from_utf8(output.stderr).expect("UTF-8"))
    };
    let (plain, _) = files(&["--threads", "1"]);
    let (many, told) = files(&["--threads", "1024", "--memory", "1"]);
    assert_eq!(plain, many);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    assert_eq!(told.contains("--threads 1024: "), cores < 32, "{told}");
    assert!(told.contains("--memory 1: "), "{told}");
}
