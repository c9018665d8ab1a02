//! What fires by batch top-k depends on other calls, and every report says so.

use std::num::NonZeroU64;

use atomscope::Analysis;
use atomscope::rows::SliceRows;
use atomscope::sae::{Activation, Sae, SaeParts};
use atomscope::simulate::{SimulateOptions, simulate_in_memory};
use atomscope::stats::evidence::summary::Caution;

/// What is asked for.
#[derive(Default)]
struct Asked {
    rows: Option<NonZeroU64>,
    threshold: bool,
    notebook_only: bool,
}

/// Analyzes a simulated cohort by a model of batch top-k, and writes the results; the texts in which
/// a person looks: printed, in the folder, and the record.
fn texts(asked: &Asked) -> (Vec<String>, Option<Vec<Caution>>) {
    let cohort = simulate_in_memory(&SimulateOptions::new(400, 16, 64, 4, 2)).expect("a cohort");
    let activation = Activation::BatchTopK { k: 4 };
    let sae = Sae::new(SaeParts {
        activation,
        ..cohort.sae.into_parts()
    });
    let sae = sae.expect("a model");
    let rows = SliceRows::new(&cohort.embeddings, 16).expect("whole rows");
    let mut analysis = Analysis::of(&sae, &rows, &cohort.calls);
    if let Some(rows) = asked.rows {
        analysis = analysis.batch_rows(rows);
    }
    if asked.threshold {
        analysis = analysis.batch_threshold();
    }
    if asked.notebook_only {
        analysis = analysis.notebook_only();
    }
    let found = analysis
        .permutations(0)
        .bootstrap(0)
        .run()
        .expect("results");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().join("results");
    found.write(&out).expect("written");
    let read = |name: &str| std::fs::read_to_string(out.join(name)).expect(name);
    let tables = &found.tables;
    let texts = vec![
        atomscope::report::text::Short(&tables.summary).to_string(),
        tables.report().to_string(),
        read("report.txt"),
        read("run.json"),
        tables.warnings.iter().map(ToString::to_string).collect(),
    ];
    let findings = tables.summary.extended.as_ref();
    (texts, findings.map(|findings| findings.cautions.clone()))
}

#[test]
fn batches_are_a_caution_in_every_report() {
    for rows in [None, NonZeroU64::new(70)] {
        let (texts, cautions) = texts(&Asked {
            rows,
            ..Asked::default()
        });
        for text in texts {
            assert!(
                text.contains("what fires on a call depends on the calls given with it"),
                "{text}"
            );
            assert!(rows.is_none() || text.contains("70"), "{text}");
        }
        let rows = rows.map(NonZeroU64::get);
        let caution = Caution::BatchTopK { rows };
        assert!(cautions.expect("extended tables").contains(&caution));
    }
    let (texts, cautions) = texts(&Asked {
        notebook_only: true,
        ..Asked::default()
    });
    assert!(cautions.is_none());
    for text in texts {
        assert!(
            text.contains("what fires on a call depends on the calls"),
            "{text}"
        );
    }
}

#[test]
fn estimated_threshold_is_a_caution_in_every_report() {
    let (texts, cautions) = texts(&Asked {
        threshold: true,
        ..Asked::default()
    });
    let is_estimate = |caution: &&Caution| matches!(caution, Caution::EstimatedThreshold { .. });
    let cautions = cautions.expect("extended tables");
    let Some(&Caution::EstimatedThreshold { threshold }) = cautions.iter().find(is_estimate) else {
        panic!("{cautions:?}");
    };
    assert!(threshold > 0.0);
    for text in texts {
        assert!(text.contains("not the model's own"), "{text}");
        assert!(text.contains(&threshold.to_string()), "{text}");
    }
}
