//! The words of the summary: of a simulated cohort against a golden text, and where they stand.

use atomscope::Analysis;
use atomscope::report::text::{self, Report, Short};
use atomscope::rows::SliceRows;
use atomscope::simulate::{SimulateOptions, simulate_in_memory};

/// `tests/golden/make_summary.py` worked it out from `atoms.tsv` of the same cohort, with pandas.
const GOLDEN: &str = "tests/golden/summary/simulated.txt";

fn show(check: impl FnOnce(&atomscope::analysis::Tables)) {
    let cohort = simulate_in_memory(&SimulateOptions::new(3000, 32, 256, 8, 1)).unwrap();
    let rows = SliceRows::new(&cohort.embeddings, 32).unwrap();
    let analysis = Analysis::of(&cohort.sae, &rows, &cohort.calls).permutations(500);
    check(&analysis.run().unwrap().tables);
}

#[test]
fn summary_of_a_simulated_cohort_is_the_golden_text() {
    show(|tables| {
        let text = Short(&tables.summary).to_string();
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(GOLDEN);
        assert_eq!(text, std::fs::read_to_string(&path).unwrap());
        let lines = text.lines().count();
        assert!((8..=14).contains(&lines), "{lines} lines:\n{text}");
    });
}

#[test]
fn report_begins_with_the_summary_and_has_the_notebook_s_text_once() {
    show(|tables| {
        let report = tables.report().to_string();
        let notebook = text::Analysis(&tables.notebook).to_string();
        assert_eq!(report.matches(&notebook).count(), 1);
        let (before, after) = report.split_once(&notebook).unwrap();
        assert_eq!(before, format!("{}\n", Short(&tables.summary)));
        assert!(after.starts_with("\n What holds, in detail\n"));
        // One word for atoms, and no p-value of 0, in all that is ours.
        for ours in [before, after] {
            let notes = |line: &&str| !line.trim_start().starts_with("- \"");
            for line in ours.lines().filter(notes) {
                let line = line.replace("atoms (SAE features)", "atoms");
                assert!(
                    !line.contains("eature") && !line.contains("0.00e+00"),
                    "{line}"
                );
            }
        }
    });
}

#[test]
fn without_the_extended_tables_the_report_is_the_notebook_s_text() {
    let cohort = simulate_in_memory(&SimulateOptions::new(500, 32, 64, 8, 1)).unwrap();
    let rows = SliceRows::new(&cohort.embeddings, 32).unwrap();
    let found = Analysis::of(&cohort.sae, &rows, &cohort.calls).notebook_only();
    let tables = found.run().unwrap().tables;
    let report = Report {
        notebook: &tables.notebook,
        summary: &tables.summary,
    };
    assert_eq!(
        report.to_string(),
        text::Analysis(&tables.notebook).to_string()
    );
    let short = Short(&tables.summary).to_string();
    assert!(
        short.contains("500 calls") && short.contains("--tables all"),
        "{short}"
    );
}
