//! What the printed section says, against what was computed.

use atomscope::analysis::{CountOptions, Counted, TableOptions, Tables};
use atomscope::control::Control;
use atomscope::rows::SliceRows;
use atomscope::simulate::{SimulateOptions, simulate_in_memory};
use atomscope::stats::evidence::{Adjusted, ExtendedTables, Options, Partition};

fn cohort() -> Counted {
    let simulated = simulate_in_memory(&SimulateOptions::new(3000, 32, 256, 8, 1)).unwrap();
    let rows = SliceRows::new(&simulated.embeddings, 32).unwrap();
    let mut options = CountOptions::default();
    options.engine.scores = true;
    let control = Control::default();
    Counted::of_rows(&simulated.sae, &rows, &simulated.calls, &options, &control).unwrap()
}

fn words(options: &Options) -> (ExtendedTables, String) {
    let options = TableOptions {
        extended: Some(options.clone()),
        ..TableOptions::default()
    };
    let tables: Tables = cohort()
        .tables(&options, None, &Control::default())
        .unwrap();
    let text = tables.report().to_string();
    let (_, section) = text
        .split_once(" What holds, in detail")
        .expect("the section");
    let section = section.to_owned();
    (tables.extended.unwrap(), section)
}

/// The number at the start of the line that has these words.
fn count(text: &str, words: &str) -> usize {
    let line = text.lines().find(|line| line.contains(words));
    let line = line.unwrap_or_else(|| panic!("{words:?} is not in {text}"));
    line.split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn what_holds_within_strata_stands_before_what_may_be_due_to_them() {
    let (evidence, text) = words(&Options::default());
    let (within, crude) = text.split_once("The same on all calls at once").unwrap();
    let below = |p: &[Option<atomscope::stats::inference::PValue>]| {
        p.iter().flatten().filter(|p| p.p() < 0.05).count()
    };
    let check = |text: &str, of: &Adjusted| {
        assert_eq!(count(text, " Holm:"), below(&of.holm));
        assert_eq!(count(text, "Benjamini-Yekutieli:"), below(&of.by));
        assert_eq!(count(text, "Benjamini-Hochberg:"), below(&of.bh));
    };
    check(within, &evidence.cmh);
    check(crude, &evidence.fisher);
    let max_t = &evidence.permutations.as_ref().unwrap().atoms;
    let confirmed = max_t.iter().filter(|atom| atom.p < 0.05).count();
    assert!(confirmed > 3);
    assert_eq!(count(within, "max-T: no false one"), confirmed);
    assert_eq!(count(crude, "Storey's q"), below(&evidence.fisher.storey));
    let unlike = evidence.fisher.bh.iter().zip(&evidence.homogeneity.bh);
    let unlike =
        unlike.filter(|(p, q)| p.is_some_and(|p| p.p() < 0.05) && q.is_some_and(|q| q.p() < 0.05));
    assert_eq!(count(crude, "differ between strata"), unlike.count());
}

/// No p-value could be small enough: that says nothing against an atom.
#[test]
fn few_permutations_are_no_caution() {
    let options = Options {
        permutations: 18,
        bootstrap: 0,
        ..Options::default()
    };
    let (_, text) = words(&options);
    assert!(text.contains("18 permutations are too few"), "{text}");
    assert!(!text.contains("max-T does not confirm"), "{text}");
    assert!(!text.contains("confirmed by step-down max-T"), "{text}");
    let enough = Options {
        permutations: 99,
        ..options
    };
    assert!(!words(&enough).1.contains("too few"));
}

/// A cell without a call has none in any replicate.
#[test]
fn an_empty_cell_has_no_bootstrap_interval() {
    let (evidence, _) = words(&Options::default());
    assert!(!evidence.bootstrap.is_empty());
    for interval in &evidence.bootstrap {
        let table = &evidence.atoms[interval.atom as usize].table;
        let cells = [table.tp_on, table.fp_on, table.tp_off, table.fp_off];
        assert!(!cells.contains(&0) && interval.low < interval.high);
        let [a, b, c, d] = cells.map(|cell| cell as f64);
        let log_odds = f64::ln(a * d / (b * c));
        assert!(
            interval.low < log_odds && log_odds < interval.high,
            "{interval:?}, {log_odds}"
        );
    }
}

#[test]
fn replication_has_intervals_where_there_are_replicates() {
    let of = |bootstrap| {
        let options = Options {
            permutations: 0,
            bootstrap,
            replicate: Some(Partition::Chrom),
            ..Options::default()
        };
        words(&options).0.replication.unwrap()
    };
    let found = of(200);
    let (low, high) = found.correlation.unwrap();
    let pearson = found.found.forward.all.pearson.unwrap();
    assert!(
        -1.0 < low && low < pearson && pearson < high && high < 1.0,
        "{low} {pearson} {high}"
    );
    let (low, high) = found.concordance.unwrap();
    // Where all agree, or none does, the replicates tell nothing.
    let share = found.found.forward.concordance.unwrap().value;
    let is_told = share > 0.0 && share < 1.0;
    assert_eq!(
        (0.0 <= low && low <= high && high <= 1.0),
        is_told,
        "{low} {high}"
    );
    let none = of(0);
    assert_eq!((none.correlation, none.concordance), (None, None));
}
