//! The tables beside the notebook's, against scipy, statsmodels and scikit-learn: the golden files are
//! made by `tests/golden/make_evidence.py`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use atomscope::analysis::outputs;
use atomscope::cohort::{Call, Calls, Number};
use atomscope::control::Control;
use atomscope::error::Result;
use atomscope::fires::FiringSets;
use atomscope::fires::{FiringBlock, FiringStore, InMemory};
use atomscope::report::table::{Table, tsv};
use atomscope::stats::evidence::{Exchange, ExtendedTables, Options};
use atomscope::tally::{Certificate, Strata, StratifyBy, Tally};
use serde_json::Value;

/// As far as two binary64 computations of one figure may be apart.
const LIMIT: f64 = 1e-10;

fn golden(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/evidence");
    folder.join(name)
}

struct Cohort {
    calls: Calls,
    sets: FiringSets,
    features: usize,
}

impl Cohort {
    fn read() -> Self {
        let text = std::fs::read_to_string(golden("cohort.json")).unwrap();
        let given: Value = serde_json::from_str(&text).unwrap();
        let column = |name: &str| given["calls"][name].as_array().unwrap().clone();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let [types, chroms, datasets] = ["svtype", "chrom", "dataset"]
            .map(|name| column(name).iter().map(text).collect::<Vec<_>>());
        let lengths = column("svlen");
        let labels = column("is_tp");
        let calls = (0..labels.len()).map(|row| Call {
            chrom: Some(&chroms[row]),
            pos: Number::Float(1.0 + 700.0 * row as f64),
            svtype: Some(&types[row]),
            svlen: Number::Int(lengths[row].as_i64().unwrap()),
            truvari_class: Some(if labels[row] == true { "TP" } else { "FP" }),
            dataset: Some(&datasets[row]),
            ..Call::default()
        });
        let calls = calls.collect();
        let all = |name: &str| given[name].as_array().unwrap().clone();
        let flat = |name: &str| {
            all(name)
                .iter()
                .flat_map(|row| row.as_array().unwrap().clone())
                .collect::<Vec<_>>()
        };
        let atoms = flat("sets")
            .iter()
            .map(|atom| atom.as_u64().unwrap() as u32)
            .collect();
        let scores = flat("scores")
            .iter()
            .map(|score| score.as_f64().unwrap())
            .collect();
        let k = given["k"].as_u64().unwrap() as usize;
        Self {
            calls,
            sets: FiringSets::uniform(k, atoms, vec![]).with_scores(scores),
            features: given["features"].as_u64().unwrap() as usize,
        }
    }

    fn tally(&self, scheme: &StratifyBy) -> Tally {
        let strata = Strata::by(&self.calls, scheme).unwrap();
        Tally::count(
            self.features,
            &strata,
            self.sets.iter(),
            Certificate::default(),
        )
    }

    fn evidence(&self, options: &Options) -> ExtendedTables {
        let details = InMemory {
            calls: &self.calls,
            sets: &self.sets,
        };
        let tally = self.tally(&StratifyBy::ALL);
        ExtendedTables::of(&tally, Some(&details), options, &Control::default()).unwrap()
    }
}

/// The same cohort, block by block, with a dropped call at the end of each.
struct Blocks<'a>(&'a Cohort, usize);

impl FiringStore for Blocks<'_> {
    fn blocks(&self, take: &mut dyn FnMut(FiringBlock<'_>) -> Result<()>) -> Result<()> {
        let Self(cohort, step) = *self;
        let k = cohort.sets.uniform_size().unwrap();
        let mut first = 0;
        for start in (0..cohort.calls.len()).step_by(step) {
            let end = (start + step).min(cohort.calls.len());
            let mut calls = cohort.calls.slice(start..end);
            calls.push(&Call::default());
            let atoms = cohort.sets.atoms()[start * k..end * k].to_vec();
            let scores = cohort.sets.scores().unwrap()[start * k..end * k].to_vec();
            let sets = FiringSets::uniform(k, atoms, vec![end - start]).with_scores(scores);
            take(FiringBlock {
                first,
                calls: &calls,
                sets: &sets,
            })?;
            first += calls.len() as u64;
        }
        Ok(())
    }
}

fn text_of(table: &Table) -> String {
    let mut text = Vec::new();
    tsv::write(table, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

type Columns = BTreeMap<String, Vec<String>>;

fn columns(text: &str) -> Columns {
    let mut lines = text
        .lines()
        .map(|line| line.split('\t').collect::<Vec<_>>());
    let names = lines.next().unwrap();
    let mut columns: Columns = names
        .iter()
        .map(|name| ((*name).to_owned(), vec![]))
        .collect();
    for line in lines {
        for (name, value) in names.iter().zip(line) {
            columns.get_mut(*name).unwrap().push(value.to_owned());
        }
    }
    columns
}

/// A saddlepoint's error, where subsets are too many to be counted.
const SADDLEPOINT: f64 = 0.03;

fn is_close(name: &str, found: &str, expected: &str) -> bool {
    let approximated = ["mwu_p", "mwu_fdr_bh", "spearman_p", "spearman_fdr_bh"];
    let limit = if approximated.contains(&name) {
        SADDLEPOINT
    } else {
        LIMIT
    };
    match (found.parse::<f64>(), expected.parse::<f64>()) {
        (Ok(found), Ok(expected)) => {
            let apart = (found - expected).abs();
            found == expected
                || apart <= limit * expected.abs()
                || expected.abs() < 1e-12 && apart < 1e-14
        }
        _ => found.eq_ignore_ascii_case(expected),
    }
}

/// All tables but that of pairs, which is written in parts and has goldens of its own.
fn tables_of(extended: &ExtendedTables) -> Vec<Table> {
    let mut tables = outputs::tables_of(extended);
    tables.retain(|table| table.name != "atom_pairs");
    tables
}

#[test]
fn every_table_is_that_of_scipy_statsmodels_and_scikit_learn() {
    let cohort = Cohort::read();
    let evidence = cohort.evidence(&Options::default());
    let mut compared = 0;
    // The table of calls has what others have counted.
    let tables = tables_of(&evidence).into_iter();
    for table in tables.filter(|table| table.name != "call_atoms") {
        let found = columns(&text_of(&table));
        let expected = std::fs::read_to_string(golden(&format!("{}.tsv", table.name))).unwrap();
        for (name, expected) in columns(&expected) {
            let found = &found[&name];
            assert_eq!(found.len(), expected.len(), "{}: {name}", table.name);
            for (row, (found, expected)) in found.iter().zip(&expected).enumerate() {
                assert!(
                    is_close(&name, found, expected),
                    "{}, {name}, row {row}: {found}, and not {expected}",
                    table.name
                );
                compared += 1;
            }
        }
    }
    assert!(compared > 2500, "{compared} figures");
}

/// All that a run writes, as text.
fn all_text(evidence: &ExtendedTables) -> String {
    tables_of(evidence).iter().map(text_of).collect()
}

#[test]
fn blocks_groups_of_atoms_and_threads_do_not_show() {
    let cohort = Cohort::read();
    for block in [Exchange::Call, Exchange::Locus, Exchange::Sample] {
        let options = Options {
            permutations: 600,
            block,
            ..Options::default()
        };
        let whole = all_text(&cohort.evidence(&options));
        assert!(whole.contains("maxt_p"));
        for (step, memory, threads) in [(1, 1, 1), (7, 1000, 3), (419, 1 << 20, 2)] {
            let options = Options {
                memory,
                ..options.clone()
            };
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            let found = pool.install(|| {
                let tally = cohort.tally(&StratifyBy::ALL);
                ExtendedTables::of(
                    &tally,
                    Some(&Blocks(&cohort, step)),
                    &options,
                    &Control::default(),
                )
                .unwrap()
            });
            assert_eq!(
                all_text(&found),
                whole,
                "{block:?}, {step} calls, {memory} bytes"
            );
        }
    }
}

#[test]
fn strata_are_those_that_are_asked_for() {
    let cohort = Cohort::read();
    let of = |scheme: &str| {
        let options = Options {
            strata: Some(scheme.parse().unwrap()),
            permutations: 0,
            ..Options::default()
        };
        cohort.evidence(&options)
    };
    let (all, none) = (of("svtype,size,dataset"), of("none"));
    assert!(all.strata > 50 && none.strata == 1);
    // One stratum is the whole table.
    let first = &none.atoms[0];
    let [a, b, c, d] = [
        first.table.tp_on,
        first.table.fp_on,
        first.table.tp_off,
        first.table.fp_off,
    ]
    .map(|x| x as f64);
    let odds = first.stratified.ln_odds_ratio.unwrap().exp();
    assert!((odds / (a * d / (b * c)) - 1.0).abs() < 1e-12);
    // What a tally does not tell apart cannot be asked for.
    let tally = cohort.tally(&"svtype".parse().unwrap());
    let error = ExtendedTables::of(
        &tally,
        None,
        &Options {
            strata: Some(StratifyBy::ALL),
            ..Options::default()
        },
        &Control::default(),
    );
    let error = error.unwrap_err().to_string();
    assert!(
        error.starts_with("strata: ") && error.contains("svtype,size,dataset"),
        "{error}"
    );
}

#[test]
fn without_firing_sets_counts_alone_are_told() {
    let cohort = Cohort::read();
    let tally = cohort.tally(&StratifyBy::ALL);
    let evidence =
        ExtendedTables::of(&tally, None, &Options::default(), &Control::default()).unwrap();
    let tables = outputs::tables_of(&evidence);
    let names: Vec<_> = tables.iter().map(|table| table.name).collect();
    assert_eq!(names, ["atoms", "atom_types"]);
    let whole = cohort.evidence(&Options::default());
    let (some, all) = (
        columns(&text_of(&tables[0])),
        columns(&text_of(&outputs::tables_of(&whole)[0])),
    );
    assert_eq!(some.len(), all.len());
    for (name, values) in some {
        let needs_sets = [
            "mean_score_tp",
            "mean_score_fp",
            "auroc",
            "maxt_z",
            "maxt_p",
        ];
        if needs_sets.contains(&&*name) || name.starts_with("mwu") {
            assert!(values.iter().all(|value| value == "NA"), "{name}");
        } else {
            assert_eq!(values, all[&name], "{name}");
        }
    }
}
