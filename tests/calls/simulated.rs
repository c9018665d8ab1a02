//! `simulate --vcf`: the folder is read with its own counts, what is planted is found, and the annotated
//! VCF is the caller's.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use atomscope::simulate::{PlantedAtom, Role, Truth};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use serde_json::Value;
use tempfile::TempDir;

use crate::annotated::stripped;
use crate::args;
use crate::common::sharded::{assert_same_atoms, succeed};
use crate::common::{assert_refused, atomscope};

fn simulated() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("sim");
    let shape = args![
        "simulate",
        "-q",
        "--vcf",
        "--out",
        out,
        "--rows",
        "4000",
        "--input-dim",
        "64",
        "--features",
        "1024",
        "--k",
        "16"
    ];
    succeed(&shape);
    folder
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).expect("a file")).expect("JSON")
}

fn text_of(path: &Path) -> String {
    let mut text = String::new();
    let file = File::open(path).expect("a file");
    let mut decoder = flate2::read::MultiGzDecoder::new(file);
    decoder.read_to_string(&mut text).expect("bgzip");
    text
}

fn records(text: &str) -> impl Iterator<Item = Vec<&str>> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split('\t').collect())
}

/// The rows of a table by their text, each a map from column to number.
fn numbers(path: &Path, key: &str) -> Vec<(String, BTreeMap<String, f64>)> {
    let reader = SerializedFileReader::new(File::open(path).expect("a table")).expect("Parquet");
    let rows = reader.get_row_iter(None).expect("rows");
    rows.map(|row| {
        let row = row.expect("a row");
        let mut name = String::new();
        let mut found = BTreeMap::new();
        for (column, field) in row.get_column_iter() {
            let number = match field {
                Field::Str(text) if column == key => {
                    name.clone_from(text);
                    continue;
                }
                Field::Double(x) => *x,
                Field::Float(x) => f64::from(*x),
                Field::Int(x) => f64::from(*x),
                Field::UInt(x) => f64::from(*x),
                Field::Long(x) => *x as f64,
                Field::ULong(x) => *x as f64,
                _ => continue,
            };
            found.insert(column.clone(), number);
        }
        (name, found)
    })
    .collect()
}

#[test]
fn simulated_folder_has_the_counts_of_its_summary_and_of_the_truth() {
    let folder = simulated();
    let sim = folder.path().join("sim");
    let (summary, truth) = (
        json(&sim.join("truvari/summary.json")),
        json(&sim.join("truth.json")),
    );
    let out = folder.path().join("calls.tsv");
    succeed(&args!["calls", "-q", sim.join("truvari"), "--out", out]);
    let table = std::fs::read_to_string(&out).expect("a table");
    let mut lines = table
        .lines()
        .map(|line| line.split('\t').collect::<Vec<_>>());
    let names = lines.next().expect("a header");
    let at = |name: &str| names.iter().position(|n| *n == name).expect("a column");
    let (class, reason) = (at("truvari_class"), at("reason"));
    let mut found = BTreeMap::<(String, String), u64>::new();
    for line in lines {
        let key = (line[class].to_owned(), line[reason].to_owned());
        *found.entry(key).or_default() += 1;
    }
    let of = |class: &str, reasons: &[&str]| -> u64 {
        let is = |key: &(String, String)| key.0 == class && reasons.contains(&&*key.1);
        found
            .iter()
            .filter(|(key, _)| is(key))
            .map(|(_, n)| n)
            .sum()
    };
    let all_of = |class: &str| -> u64 {
        found
            .iter()
            .filter(|(key, _)| key.0 == class)
            .map(|(_, n)| n)
            .sum()
    };
    let planted = &truth["benchmark"];
    assert_eq!(summary["TP-comp"], all_of("TP"));
    assert_eq!(summary["FP"], all_of("FP"));
    assert_eq!(planted["true_calls"], all_of("TP"));
    assert_eq!(planted["no_candidate"], of("FP", &["no_candidate"]));
    assert_eq!(planted["multi"], of("FP", &["multi"]));
    assert_eq!(planted["unlike"], of("FP", &["size", "distance"]));
    for (name, count) in [("tp-base", "TP-base"), ("fn", "FN")] {
        let text = text_of(&sim.join(format!("truvari/{name}.vcf.gz")));
        assert_eq!(summary[count], records(&text).count(), "{name}");
    }
}

#[test]
fn simulated_vcf_has_every_call_once_in_order() {
    let folder = simulated();
    let sim = folder.path().join("sim");
    let all = text_of(&sim.join("calls.vcf.gz"));
    let contigs: Vec<&str> = all
        .lines()
        .filter_map(|line| line.strip_prefix("##contig=<ID=")?.split(',').next())
        .collect();
    let place = |record: &[&str]| {
        let contig = contigs.iter().position(|name| *name == record[0]);
        (
            contig.expect("a contig of the header"),
            record[1].parse::<u64>().expect("a position"),
        )
    };
    let places: Vec<_> = records(&all).map(|record| place(&record)).collect();
    assert!(places.len() == 4000 && places.is_sorted());
    let mut own: Vec<&str> = records(&all).map(|record| record[2]).collect();
    let [tp, fp] =
        ["tp-comp", "fp"].map(|name| text_of(&sim.join(format!("truvari/{name}.vcf.gz"))));
    let mut compared: Vec<&str> = [&tp, &fp]
        .into_iter()
        .flat_map(|text| records(text))
        .map(|record| record[2])
        .collect();
    own.sort_unstable();
    compared.sort_unstable();
    assert_eq!(own, compared);
}

#[test]
fn analyze_of_simulated_benchmark_finds_what_is_planted() {
    let folder = simulated();
    let sim = folder.path().join("sim");
    let (results, annotated) = (
        folder.path().join("results"),
        folder.path().join("out.vcf.gz"),
    );
    succeed(&args![
        "analyze",
        "-q",
        "--calls",
        sim.join("truvari"),
        "--embeddings",
        sim.join("embeddings.pt"),
        "--model",
        sim.join("sae.pt"),
        "--regions",
        sim.join("regions.bed"),
        "--annotate",
        annotated,
        "--vcf",
        sim.join("calls.vcf.gz"),
        "--out",
        results
    ]);
    let text = std::fs::read_to_string(sim.join("truth.json")).expect("a truth");
    let truth: Truth = serde_json::from_str(&text).expect("a truth");
    let of = |role: Role| -> &PlantedAtom {
        let mut found = truth.planted.iter().filter(|planted| planted.role == role);
        found.next().expect("planted")
    };
    let counts = truth.benchmark.expect("counts");

    let table = std::fs::read_to_string(results.join("regions.tsv")).expect("a table");
    let mut lines = table
        .lines()
        .map(|line| line.split('\t').collect::<Vec<_>>());
    let (names, row) = (
        lines.next().expect("a header"),
        lines.next().expect("a row"),
    );
    let value = |name: &str| row[names.iter().position(|n| *n == name).expect("a column")];
    assert_eq!(value("tp_in"), counts.true_calls_in_regions.to_string());
    assert_eq!(value("fp_in"), counts.false_calls_in_regions.to_string());

    // The atoms that differ most between calls in and outside of regions are the planted ones.
    let mut regions = numbers(&results.join("atom_regions.parquet"), "region");
    regions.sort_by(|a, b| b.1["neg_log10_p"].total_cmp(&a.1["neg_log10_p"]));
    let [tied, averse] =
        [Role::RegionTied, Role::RegionAverse].map(|role| f64::from(of(role).atom));
    assert_eq!([regions[0].1["atom"], regions[1].1["atom"]], [tied, averse]);
    assert!(regions[0].1["cmh_or"] > 3.0 && regions[1].1["cmh_or"] < 0.6);
    let called: Vec<f64> = (regions.iter())
        .filter(|(_, row)| row.get("maxt_p").is_some_and(|p| *p < 0.05))
        .map(|(_, row)| row["atom"])
        .collect();
    assert!(
        called.contains(&tied) && called.contains(&averse) && called.len() < 5,
        "{called:?}"
    );

    let reasons = numbers(&results.join("atom_reasons.parquet"), "reason");
    for (role, leans_to_false) in [
        (Role::NoCandidateTied, true),
        (Role::NoCandidateAverse, false),
    ] {
        let atom = f64::from(of(role).atom);
        let row = |reason: &str| {
            let is =
                |row: &&(String, BTreeMap<String, f64>)| row.0 == reason && row.1["atom"] == atom;
            &reasons.iter().find(is).expect("a row").1
        };
        let (there, elsewhere) = (row("no_candidate"), row("multi"));
        assert!(there["cmh_fdr_bh"] < 1e-6 && elsewhere["cmh_fdr_bh"] > 0.05);
        assert_eq!(there["log_or"] < 0.0, leans_to_false);
        assert!(there["log_or"].abs() > 1.0 && elsewhere["log_or"].abs() < 1.0);
    }

    let before = text_of(&sim.join("calls.vcf.gz"));
    let after = text_of(&annotated);
    assert!(after.contains(";AS_LABEL=FP;AS_REASON=multi") && after.contains("AS_ATOMS="));
    assert!(stripped(after.as_bytes()) == before.as_bytes());
}

/// The lower end of each level of SUPPORT, by the test's own reckoning.
fn bin(support: &str) -> &'static str {
    match support.parse::<u32>().expect("a number") {
        0..9 => "few",
        9..14 => "some",
        _ => "many",
    }
}

/// The levels of each call by its ID, from the caller's own VCF and the regions' file.
fn levels(sim: &Path) -> BTreeMap<String, String> {
    let mut regions = BTreeMap::<String, Vec<(i64, i64)>>::new();
    for line in std::fs::read_to_string(sim.join("regions.bed"))
        .expect("regions")
        .lines()
    {
        let row: Vec<&str> = line.split('\t').collect();
        let [start, end] = [row[1], row[2]].map(|place| place.parse().expect("a place"));
        regions
            .entry(row[0].to_owned())
            .or_default()
            .push((start, end));
    }
    let is_in = |chrom: &str, base: i64| {
        let on: &[(i64, i64)] = regions.get(chrom).map_or(&[], Vec::as_slice);
        let after = on.partition_point(|(start, _)| *start <= base);
        after > 0 && base < on[after - 1].1
    };
    let mut levels = BTreeMap::<String, String>::new();
    let text = text_of(&sim.join("calls.vcf.gz"));
    for record in records(&text) {
        let info = |key: &str| {
            let mut fields = record[7].split(';');
            fields.find_map(|field| field.strip_prefix(key)?.strip_prefix('='))
        };
        let pos: i64 = record[1].parse().expect("a position");
        let both = if let Some((_, mate)) = record[4].split_once('[') {
            let (chrom, mate) = mate.trim_end_matches('[').split_once(':').expect("a mate");
            let mate: i64 = mate.parse().expect("a position");
            is_in(record[0], pos - 1) && is_in(chrom, mate - 1)
        } else if record[4] == "<INS>" {
            is_in(record[0], pos - 1) && is_in(record[0], pos)
        } else {
            let end: i64 = info("END").expect("an end").parse().expect("a position");
            is_in(record[0], pos) && is_in(record[0], end - 1)
        };
        let support = bin(info("SUPPORT").expect("a key"));
        let is_precise = record[7].starts_with("PRECISE;");
        let genotype = record[9].split(':').next().expect("a genotype");
        let level = format!("{both} {support} {is_precise} {genotype}");
        levels.insert(record[2].to_owned(), level);
    }
    levels
}

#[test]
fn strata_of_regions_and_keys_are_those_of_a_dataset_that_says_the_same() {
    let folder = simulated();
    let sim = folder.path().join("sim");
    let at = |name: &str| folder.path().join(name);
    let [bed, embeddings, model] =
        ["regions.bed", "embeddings.pt", "sae.pt"].map(|name| sim.join(name));
    let analyze = |out: &str, more: &[&std::ffi::OsStr]| {
        let mut args = args![
            "analyze",
            "-q",
            "--embeddings",
            embeddings,
            "--model",
            model
        ]
        .to_vec();
        args.extend(args!["--permutations", "0", "--out", at(out)]);
        args.extend(more.iter().map(std::ffi::OsString::from));
        succeed(&args);
        std::fs::read_to_string(at(out).join("atoms.tsv")).expect("a table")
    };
    let truvari = sim.join("truvari");
    let strata = "svtype,region:regions,info:SUPPORT@9:14,info:PRECISE,fmt:GT";
    let found = analyze(
        "found",
        &[
            "--calls".as_ref(),
            truvari.as_os_str(),
            "--regions".as_ref(),
            bed.as_os_str(),
            "--strata".as_ref(),
            strata.as_ref(),
            // Calls are joined by the threads that were asked for.
            "--threads".as_ref(),
            "1".as_ref(),
        ],
    );

    let levels = levels(&sim);
    succeed(&args![
        "calls",
        "-q",
        truvari,
        "--rows-are",
        embeddings,
        "--out",
        at("calls.tsv")
    ]);
    let calls = std::fs::read_to_string(at("calls.tsv")).expect("the calls");
    let mut lines = calls.lines();
    let header = lines.next().expect("a header");
    let place = |name: &str| {
        header
            .split('\t')
            .position(|n| n == name)
            .expect("a column")
    };
    let (id, dataset) = (place("id"), place("dataset"));
    let mut table = format!("{header}\n");
    for line in lines {
        let mut row: Vec<&str> = line.split('\t').collect();
        row[dataset] = &levels[row[id]];
        table += &(row.join("\t") + "\n");
    }
    std::fs::write(at("levels.tsv"), table).expect("written");
    let (table, strata) = (at("levels.tsv"), "svtype,dataset");
    let expected = analyze(
        "expected",
        &[
            "--metadata".as_ref(),
            table.as_os_str(),
            "--strata".as_ref(),
            strata.as_ref(),
        ],
    );
    assert_same_atoms(&found, &expected);
}

#[test]
fn keys_that_no_record_has_are_refused() {
    let folder = simulated();
    let truvari = folder.path().join("sim/truvari");
    for (key, words) in [("info:DEPTH", "no DEPTH"), ("fmt:SUPPORT", "no SUPPORT")] {
        let found = atomscope(args!["calls", "-q", truvari, "--keep", key]);
        assert_refused(&found, &[words, "a key of the"]);
    }
    let out = folder.path().join("calls.tsv");
    succeed(&args![
        "calls",
        "-q",
        truvari,
        "--keep",
        "info:QUAL,fmt:DP,info:PRECISE",
        "--out",
        out
    ]);
    let table = std::fs::read_to_string(out).expect("a table");
    let mut lines = table
        .lines()
        .map(|line| line.split('\t').collect::<Vec<_>>());
    let names = lines.next().expect("a header");
    let at = |name: &str| names.iter().position(|n| *n == name).expect("a column");
    let [id, quality, depth, precise] = ["id", "info:QUAL", "fmt:DP", "info:PRECISE"].map(at);
    let text = text_of(&folder.path().join("sim/calls.vcf.gz"));
    let all: BTreeMap<&str, Vec<&str>> = records(&text).map(|record| (record[2], record)).collect();
    let mut missing = 0;
    for line in lines {
        let record = &all[line[id]];
        assert_eq!(line[quality], record[5]);
        let own = record[9].rsplit(':').next().expect("a depth");
        assert_eq!(line[depth], if own == "." { "NA" } else { own });
        missing += usize::from(own == ".");
        assert_eq!(line[precise] == "yes", record[7].starts_with("PRECISE;"));
    }
    assert!(missing > 20);
}
