//! `docs/TABLES.md` says of every column what the tables themselves say.
//!
//! `ATOMSCOPE_WRITE_DOCS=1 cargo test --test report tables_docs` writes its part between the two marks anew.

use std::path::Path;

use atomscope::analysis::{CountOptions, Counted, outputs};
use atomscope::control::Control;
use atomscope::engine::DenseScores;
use atomscope::regions::{RegionRule, RegionSet};
use atomscope::report::table::{Table, docs};
use atomscope::rows::SliceRows;
use atomscope::simulate::{SimulateOptions, simulate_in_memory};
use atomscope::stats::evidence::reasons::ReasonTables;
use atomscope::stats::evidence::regions::{RegionOptions, RegionPermutations, RegionTables};
use atomscope::stats::evidence::values::ValueTables;
use atomscope::stats::evidence::{Adjusted, CallFacts, ExtendedTables, Options, Partition};
use atomscope::stats::prediction;
use atomscope::stats::score_comparison::{LabelledCalls, Part, compare};

const BEGIN: &str =
    "<!-- what follows is made from the program's own words; see tests/report/tables_docs.rs -->\n";
const END: &str = "<!-- until here -->\n";

/// Every table that a run can write.
fn every_table() -> Vec<Table> {
    let simulated = simulate_in_memory(&SimulateOptions::new(400, 16, 32, 4, 1)).unwrap();
    let rows = SliceRows::new(&simulated.embeddings, 16).unwrap();
    let (options, control) = (CountOptions::default(), Control::default());
    let found =
        Counted::of_rows(&simulated.sae, &rows, &simulated.calls, &options, &control).unwrap();
    let store = found.store().unwrap();
    let options = Options {
        permutations: 10,
        bootstrap: 10,
        replicate: Some(Partition::Dataset),
        ..Options::default()
    };
    let mut evidence = ExtendedTables::of(
        &found.cohort.tally,
        Some(store),
        &options,
        &Control::default(),
    )
    .unwrap();
    let facts = CallFacts::read(store, &evidence.scheme, &control).unwrap();
    let calls = LabelledCalls::new(facts.is_tp, facts.strata);
    let part = Part {
        rows: &rows,
        dropped: &[],
    };
    let dense = DenseScores::new(&simulated.sae, None);
    let scores = compare(&dense, 32, &part, &calls, 1 << 20, &control).unwrap();
    evidence.scores = Some(scores);
    let regions = RegionOptions {
        sets: vec![RegionSet::new("low", [("chr1", 0..100_000_000)])],
        rule: RegionRule::BothEnds,
    };
    let permutations = RegionPermutations {
        count: 10,
        seed: 0,
        locus_distance: 1000,
    };
    let fires = found.cohort.tally.counts_where(|_| true);
    let limits = (5, 1 << 20);
    let found = RegionTables::of(store, &fires, &regions, permutations, limits, &control);
    evidence.regions = Some(found.unwrap());
    let options = prediction::Options {
        by: prediction::PredictBy::Locus,
        min_support: 5,
        locus_distance: 1000,
        bootstrap: 0,
        seed: 0,
    };
    let prediction = prediction::Prediction::of(store, options, None, &control).unwrap();
    evidence.prediction = Some(prediction);
    let none = Adjusted {
        tests: 0,
        null_share: 1.0,
        bh: Vec::new(),
        by: Vec::new(),
        holm: Vec::new(),
        storey: Vec::new(),
    };
    evidence.values = Some(ValueTables {
        values: Vec::new(),
        atoms: Vec::new(),
        spearman: none.clone(),
        warnings: Vec::new(),
    });
    evidence.reasons = Some(ReasonTables {
        reasons: Vec::new(),
        atoms: Vec::new(),
        fisher: none.clone(),
        cmh: none,
    });
    outputs::tables_of(&evidence)
}

#[test]
fn every_column_is_documented_in_the_words_of_the_program() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/TABLES.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).expect("the first mark");
    let (found, after) = rest.split_once(END).expect("the second mark");
    let expected = format!("\n{}\n", docs::markdown(&every_table()));
    if std::env::var_os("ATOMSCOPE_WRITE_DOCS").is_some() {
        let text = [before, BEGIN, &expected, END, after].concat();
        std::fs::write(&path, text).unwrap();
        return;
    }
    assert!(
        found == expected,
        "docs/TABLES.md is not up to date: ATOMSCOPE_WRITE_DOCS=1 cargo test --test report tables_docs"
    );
}

#[test]
fn every_table_and_column_has_words_and_a_unique_name() {
    let every = every_table();
    assert_eq!(every.len(), 17);
    for table in &every {
        table.check().unwrap();
        assert!(table.about.ends_with('.'), "{}", table.name);
        for column in &table.columns {
            let about = column.about;
            assert!(
                about.ends_with('.') && about.len() > 5,
                "{}.{}",
                table.name,
                column.name
            );
        }
    }
}

#[test]
fn every_output_is_documented() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/OUTPUTS.md");
    let text = std::fs::read_to_string(&path).unwrap();
    for output in outputs::OUTPUTS {
        assert!(
            text.contains(output.name),
            "docs/OUTPUTS.md: {}",
            output.name
        );
        assert!(!output.about.is_empty(), "{}", output.name);
    }
}
