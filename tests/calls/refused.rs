//! What is no benchmark's output, or only half of it, is one line.

use atomscope::read::benchmark::{BenchmarkOptions, read_benchmark};

use crate::written::{Vcf, at, folder, refused, truvari};

fn options() -> BenchmarkOptions {
    BenchmarkOptions::default()
}

fn assert_has(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word:?} is not in {text}");
    }
}

#[test]
fn folder_of_no_benchmark_is_refused() {
    let empty = folder(&[]);
    assert_has(
        &refused(empty.path(), &options()),
        &["an empty folder", "tp-comp.vcf.gz"],
    );
    let other = folder(&[("a.txt", String::new()), ("b.bed", String::new())]);
    assert_has(
        &refused(other.path(), &options()),
        &["a folder with a.txt, b.bed"],
    );
    let isec =
        ["0000.vcf", "0001.vcf", "0002.vcf", "0003.vcf"].map(|name| (name, Vcf::of(&[]).text()));
    assert_has(
        &refused(folder(&isec).path(), &options()),
        &["bcftools isec", "0003.vcf and 0001.vcf"],
    );
    let minda = folder(&[("S_a_tp.tsv", String::new()), ("S_a_fp.tsv", String::new())]);
    assert_has(&refused(minda.path(), &options()), &["minda"]);
    let sv = folder(&[("p.falsepositives.vcf", Vcf::of(&[]).text())]);
    assert_has(
        &refused(sv.path(), &options()),
        &["SVbenchmark", "file of false calls"],
    );
}

#[test]
fn half_of_a_folder_is_refused() {
    for (gone, word) in [
        ("tp-comp.vcf", "tp-comp.vcf.gz, the true calls"),
        ("fp.vcf", "fp.vcf.gz, the false calls"),
    ] {
        let files = truvari();
        std::fs::remove_file(at(&files, gone)).unwrap();
        assert_has(&refused(files.path(), &options()), &["also", word]);
    }
    let files = truvari();
    for half in ["tp-comp.vcf", "fp.vcf"] {
        assert_has(
            &refused(&at(&files, half), &options()),
            &["one file of a Truvari folder", "give the folder"],
        );
    }
}

#[test]
fn truth_in_place_of_calls_is_refused() {
    // The folder's files are of the truth's sample.
    let files = truvari();
    std::fs::copy(at(&files, "tp-base.vcf"), at(&files, "tp-comp.vcf")).unwrap();
    assert_has(
        &refused(files.path(), &options()),
        &["tp-comp.vcf", "the truth's sample, HG002"],
    );
    let pair = BenchmarkOptions {
        tp: Some(at(&files, "tp-base.vcf")),
        fp: Some(at(&files, "fn.vcf")),
        ..options()
    };
    let error = read_benchmark(None, &pair).unwrap_err().to_string();
    assert_has(&error, &["tp-base.vcf", "the truth's side"]);
    let base = Vcf {
        info: &["MatchId"],
        format: &["BD"],
        samples: &["s"],
        ..Vcf::of(&["1 1 a A T . . . BD TP", "1 2 b A T . . . BD FN"])
    };
    let files = folder(&[("truth.vcf", base.text())]);
    let error = refused(&at(&files, "truth.vcf"), &options());
    assert_has(
        &error,
        &[
            "1 records with the label FN, and none with FP",
            "the truth's side",
        ],
    );
}

#[test]
fn sample_that_is_not_there_is_refused() {
    let files = truvari();
    let other = BenchmarkOptions {
        sample: Some("HG003".to_owned()),
        ..options()
    };
    assert_has(
        &refused(files.path(), &other),
        &["the samples normal, tumor", "the sample HG003"],
    );
    std::fs::write(
        at(&files, "params.json"),
        r#"{"cSample": "gone", "sizemin": 50}"#,
    )
    .unwrap();
    assert_has(&refused(files.path(), &options()), &["the sample gone"]);
    let normal = BenchmarkOptions {
        sample: Some("normal".to_owned()),
        ..options()
    };
    let found = read_benchmark(Some(files.path()), &normal).unwrap();
    assert_eq!(found.sample.as_deref(), Some("normal"));
}

#[test]
fn same_file_twice_is_refused() {
    let files = folder(&[("a.vcf", Vcf::of(&["1 1 a A T . . ."]).text())]);
    let pair = BenchmarkOptions {
        tp: Some(at(&files, "a.vcf")),
        fp: Some(at(&files, "a.vcf")),
        ..options()
    };
    let error = read_benchmark(None, &pair).unwrap_err().to_string();
    assert_has(
        &error,
        &["every call both true and false, the first 1:1 (a)"],
    );
    let all = [Some(at(&files, "a.vcf")), None];
    for tp in all {
        let options = BenchmarkOptions {
            fp: tp.is_none().then(|| at(&files, "a.vcf")),
            tp,
            ..options()
        };
        assert!(read_benchmark(None, &options).is_err());
    }
}

#[test]
fn damaged_parameters_are_refused() {
    for (text, word) in [("{", "EOF"), ("[1]", "another JSON value"), ("", "EOF")] {
        let files = truvari();
        std::fs::write(at(&files, "params.json"), text).unwrap();
        assert_has(&refused(files.path(), &options()), &["params.json", word]);
    }
}

#[test]
fn file_that_is_no_vcf_is_refused_before_it_is_read() {
    for (bytes, word) in [
        (&b"PK\x03\x04"[..], "zip archive"),
        (b"\x80\x04pickle", "pickle"),
        (b"PAR1rest", "PAR1 at the end"),
        (b"BCF\x02\x02", "bcftools view -Oz"),
    ] {
        let files = folder(&[]);
        let path = at(&files, "file");
        std::fs::write(&path, bytes).unwrap();
        assert_has(&refused(&path, &options()), &[word]);
    }
    let missing = at(&folder(&[]), "missing");
    assert_has(&refused(&missing, &options()), &["cannot read it"]);
}

/// Any damage to a folder is an error in one line, or a result whose account adds up.
#[test]
fn damaged_folder_never_panics() {
    let whole = truvari();
    for name in [
        "params.json",
        "summary.json",
        "log.txt",
        "tp-comp.vcf",
        "fp.vcf",
    ] {
        let bytes = std::fs::read(at(&whole, name)).unwrap();
        let files = truvari();
        for step in 0..60 {
            let place = step * bytes.len() / 60;
            let mut flipped = bytes.clone();
            flipped[place] ^= 1 << (step % 8);
            for damaged in [&bytes[..place], &flipped] {
                std::fs::write(at(&files, name), damaged).unwrap();
                match read_benchmark(Some(files.path()), &options()) {
                    Ok(found) => {
                        let account = &found.account;
                        assert_eq!(account.count(|_| true), account.read, "{name} {place}");
                        assert_eq!(
                            account.count(|line| line.fate.is_kept()),
                            found.len() as u64
                        );
                    }
                    Err(error) => assert_eq!(error.to_string().lines().count(), 1, "{error}"),
                }
            }
        }
    }
}
