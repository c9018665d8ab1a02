//! Displacement by top-k: told where a few atoms take places on true calls, and not where labels have
//! nothing to do with firing; by their scores the displaced atoms are no different.

use atomscope::analysis::{CountOptions, Counted};
use atomscope::cohort::{Call, Calls};
use atomscope::control::Control;
use atomscope::engine::DenseScores;
use atomscope::report::text::Report;
use atomscope::rows::SliceRows;
use atomscope::simulate::{SimulateOptions, Simulated, simulate_in_memory};
use atomscope::stats::evidence::{CallFacts, ExtendedTables, Options, Summary};
use atomscope::stats::inference::PValue;
use atomscope::stats::notebook::{self, NotebookTables};
use atomscope::stats::score_comparison::{LabelledCalls, Part, compare};
use atomscope::tally::StratifyBy;

const DIM: usize = 64;

fn planted(seed: u64, rows: usize, true_percent: u8, one_sided: usize) -> Simulated {
    let options = SimulateOptions {
        one_sided,
        true_percent: Some(true_percent),
        ..SimulateOptions::new(rows, DIM, 512, 16, seed)
    };
    simulate_in_memory(&options).unwrap()
}

fn encoded(cohort: &Simulated, calls: &Calls) -> Counted {
    let rows = SliceRows::new(&cohort.embeddings, cohort.sae.input_dim()).unwrap();
    let (options, control) = (CountOptions::default(), Control::default());
    Counted::of_rows(&cohort.sae, &rows, calls, &options, &control).unwrap()
}

fn evidence(counted: &Counted) -> ExtendedTables {
    let options = Options {
        permutations: 0,
        bootstrap: 0,
        min_coactivation: u64::MAX,
        ..Options::default()
    };
    let tally = &counted.cohort.tally;
    ExtendedTables::of(tally, counted.store(), &options, &Control::default()).unwrap()
}

fn called(p: &[Option<PValue>]) -> Vec<u32> {
    let atoms = (0u32..).zip(p);
    let called = atoms.filter(|(_, p)| p.is_some_and(|p| p.p() < 0.05));
    called.map(|(atom, _)| atom).collect()
}

#[test]
fn planted_atoms_displace_others_by_firing_and_not_by_score() {
    // Where false calls are rare there is less to be told by firing.
    for (true_percent, rows, fewest) in [(50, 6000, 30), (95, 20_000, 15)] {
        let cohort = planted(1, rows, true_percent, 4);
        let calls = &cohort.calls;
        let encoding = encoded(&cohort, calls);
        let mut evidence = evidence(&encoding);
        let planted: Vec<u32> = cohort.truth.planted.iter().map(|atom| atom.atom).collect();
        let others = |atoms: &[u32]| atoms.iter().filter(|atom| !planted.contains(atom)).count();

        let by_firing = called(&evidence.cmh.bh);
        assert!(
            others(&by_firing) > fewest,
            "{true_percent} %: {by_firing:?}"
        );
        let displaced = evidence.displacement.unwrap();
        assert!(displaced.is_told, "{displaced:?}");
        assert!(
            (-0.3..-0.2).contains(&displaced.median.value),
            "{displaced:?}"
        );
        assert!(displaced.median.high < 0.0 && displaced.within.unwrap().high < 0.0);

        let store = encoding.store().unwrap();
        let facts = CallFacts::read(store, &StratifyBy::ALL, &Control::default()).unwrap();
        let rows = SliceRows::new(&cohort.embeddings, DIM).unwrap();
        let part = Part {
            rows: &rows,
            dropped: &[],
        };
        let labelled = LabelledCalls::new(facts.is_tp, facts.strata);
        let dense = DenseScores::new(&cohort.sae, None);
        let control = Control::default();
        let scores = compare(&dense, 512, &part, &labelled, 64 << 20, &control).unwrap();
        let by_score = called(&scores.adjusted.holm);
        assert!(
            planted.iter().all(|atom| by_score.contains(atom)),
            "{by_score:?}"
        );
        assert!(others(&by_score) <= 1, "{by_score:?}");
        assert!(others(&called(&scores.adjusted.bh)) <= 3);

        evidence.scores = Some(scores);
        let findings = NotebookTables::compute(
            &encoding.cohort.tally,
            calls,
            encoding
                .firings
                .as_ref()
                .and_then(|firings| firings.sets())
                .unwrap(),
            notebook::Options::default(),
        );
        let notebook = findings.unwrap();
        let text = Report {
            notebook: &notebook,
            summary: &Summary::of(&notebook, Some(&evidence), None),
        }
        .to_string();
        assert!(
            text.contains("what some atoms gain on true calls others lose there"),
            "{text}"
        );
        assert!(
            text.contains("Atoms compete for the places of a call"),
            "{text}"
        );
        assert!(text.contains("Scores without competition"), "{text}");
    }
}

#[test]
fn cohorts_without_displacement_get_no_caution() {
    let (mut told, mut measured, mut widest) = (Vec::new(), 0, 0.0_f64);
    for seed in 0..40 {
        // Rare false calls, confounded labels, and atoms in pairs that make up for each other.
        for true_percent in [Some(95), Some(50), None] {
            let options = SimulateOptions {
                true_percent,
                ..SimulateOptions::new(3000, 32, 256, 8, seed)
            };
            let cohort = simulate_in_memory(&options).unwrap();
            let found = evidence(&encoded(&cohort, &cohort.calls));
            let Some(displacement) = found.displacement else {
                continue;
            };
            measured += 1;
            widest = widest.max(displacement.statistic.abs());
            if displacement.is_told {
                told.push((seed, true_percent, displacement));
            }
        }
    }
    assert!(told.is_empty(), "{told:?}");
    assert_eq!(measured, 120, "each has atoms that tell enough");
    // The statistic is not idle.
    assert!((1.0..4.5).contains(&widest), "{widest}");
}

/// The same calls, their labels moved on by some: those of other calls.
fn moved(calls: &Calls, by: usize) -> Calls {
    let n = calls.len();
    let label = |row: usize| calls.get((row * 7919 + by) % n).truvari_class;
    (0..n)
        .map(|row| Call {
            truvari_class: label(row),
            ..calls.get(row)
        })
        .collect()
}

#[test]
fn atoms_that_fire_together_are_no_displacement_where_labels_are_dealt_out_anew() {
    // Four atoms that take places on some calls, which are as often true as others are now.
    let cohort = planted(2, 4000, 60, 8);
    let mut told = 0;
    for by in 0..40 {
        let calls = moved(&cohort.calls, by * 31 + 1);
        let found = evidence(&encoded(&cohort, &calls));
        let displacement = found.displacement.unwrap();
        assert!(displacement.inflation.unwrap() >= 1.0);
        told += usize::from(displacement.is_told);
    }
    assert_eq!(told, 0);
}
