//! Pairs that something else than `Pairs::count` counts.

use atomscope::cohort::Label;
use atomscope::control::Control;
use atomscope::error::{Error, Result};
use atomscope::fires::FiringSets;
use atomscope::fires::pairs::count_pairs;
use atomscope::fires::{CountPairs, PairCounts};
use atomscope::stats::pairs::Pairs;

use super::cohort::{Cohort, all, settings, shown};

/// Counts as an engine does, and remembers of how many calls at a time.
#[derive(Default)]
struct Elsewhere {
    calls: Vec<usize>,
    fails: bool,
}

impl CountPairs for Elsewhere {
    fn device(&self) -> String {
        "elsewhere".to_owned()
    }

    fn count_all_pairs(&mut self, fires: &FiringSets, feature_dim: usize) -> Result<PairCounts> {
        self.calls.push(fires.rows());
        if self.fails {
            return Err(Error::Cancelled);
        }
        count_pairs(fires, feature_dim)
    }
}

fn counted(cohort: &Cohort, counter: &mut Elsewhere) -> Result<Pairs> {
    let counts = cohort.counts();
    Pairs::count_by(
        counter,
        cohort,
        &counts.borrowed(),
        &settings(2),
        &Control::default(),
    )
}

#[test]
fn pairs_are_the_same_wherever_they_are_counted() {
    let mut one_label = Cohort::random(20, 4, 200, 9);
    one_label.rows.retain(|(label, _)| *label == Label::Fp);
    let nothing = Cohort::random(9, 3, 0, 8);
    for mut cohort in [Cohort::random(71, 4, 150, 4), one_label, nothing] {
        let expected = shown(&all(&cohort.pairs(&settings(2))));
        for block in [1, 7, 1000] {
            cohort.block = block;
            let mut counter = Elsewhere::default();
            let found = counted(&cohort, &mut counter).expect("one cohort");
            assert_eq!(shown(&all(&found)), expected, "blocks of {block}");
            let calls: usize = counter.calls.iter().sum();
            assert_eq!(calls, cohort.kept().count());
        }
    }
}

#[test]
fn another_tally_and_a_counter_that_fails_are_errors() {
    let mut cohort = Cohort::random(30, 4, 150, 4);
    let counts = cohort.counts();
    let swap = cohort.rows.iter().position(|(_, set)| set.is_some());
    cohort.rows.remove(swap.expect("a call that was kept"));
    let mut counter = Elsewhere::default();
    let found = Pairs::count_by(
        &mut counter,
        &cohort,
        &counts.borrowed(),
        &settings(2),
        &Control::default(),
    );
    let error = found.expect_err("a call is missing");
    assert!(error.to_string().contains("firing sets"), "{error}");
    let mut counter = Elsewhere {
        fails: true,
        ..Elsewhere::default()
    };
    let error = counted(&cohort, &mut counter).expect_err("the counter's own");
    assert!(matches!(error, Error::Cancelled));
}

#[test]
fn all_pairs_of_many_atoms_are_not_counted_at_once() {
    assert!(Pairs::is_countable(4096, 512 << 20));
    assert!(!Pairs::is_countable(16_384, 512 << 20));
    assert!(!Pairs::is_countable(usize::MAX >> 33, u64::MAX >> 16));
    assert!(Pairs::is_countable(0, 0) && Pairs::is_countable(1, 0));
}
