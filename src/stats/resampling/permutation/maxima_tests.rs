//! Tests of runs by groups of atoms, of runs over some atoms, and of runs that end early.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::blocks::Blocks;
use super::exchange_tests::{ATOMS, Cohort, K, duplicated, permutation};
use super::{Exchange, MaxT, Maxima, Permutation, max_t};
use crate::cohort::Calls;
use crate::control::Control;
use crate::error::{Error, Result};
use crate::fires::FiringSets;
use crate::fires::by_atom::{Carry, FiringsByAtom};
use crate::fires::{FiringBlock, FiringStore};

/// Shows atoms in groups between these numbers, and permutes by reading sets in blocks of so many rows.
fn by_groups(
    cohort: &Cohort,
    exchange: Exchange<'_>,
    cuts: &[u32],
    block: usize,
    tested: &(dyn Fn(u32) -> bool + Sync),
) -> Vec<MaxT> {
    let mut maxima = Maxima::new(&permutation(cohort, exchange, 2)).expect("one cohort");
    for cut in cuts.windows(2) {
        let rows = group(cohort, cut[0]..cut[1]);
        maxima.show(&rows, tested).expect("one cohort");
    }
    maxima
        .permute_streaming(&InBlocks(cohort, block), &Control::default())
        .expect("one cohort");
    maxima.finish().expect("all were permuted")
}

fn fires(cohort: &Cohort) -> [u64; ATOMS] {
    let mut fires = [0; ATOMS];
    for &atom in &cohort.atoms {
        fires[atom as usize] += 1;
    }
    fires
}

/// Returns the firings of some atoms.
fn group(cohort: &Cohort, atoms: std::ops::Range<u32>) -> FiringsByAtom {
    let sets = FiringSets::uniform(K, cohort.atoms.clone(), vec![]);
    FiringsByAtom::gather(&Sets(sets), atoms, &fires(cohort), Carry::Calls).expect("one cohort")
}

/// The sets of a cohort, so many rows at a time.
struct InBlocks<'a>(&'a Cohort, usize);

impl FiringStore for InBlocks<'_> {
    fn blocks(&self, take: &mut dyn FnMut(FiringBlock<'_>) -> Result<()>) -> Result<()> {
        self.sets(&mut |sets| Sets(sets.clone()).blocks(take))
    }

    fn sets(&self, take: &mut dyn FnMut(&FiringSets) -> Result<()>) -> Result<()> {
        let mut blocks = self.0.atoms.chunks(self.1.saturating_mul(K));
        blocks.try_for_each(|atoms| take(&FiringSets::uniform(K, atoms.to_vec(), vec![])))
    }
}

#[test]
fn permute_streaming_refuses_other_sets_than_were_shown() {
    let cohort = duplicated(7);
    let other = duplicated(8);
    let mut maxima = Maxima::new(&permutation(&cohort, Exchange::Calls, 1)).expect("one cohort");
    let firings = group(&cohort, 0..ATOMS as u32);
    maxima.show(&firings, &|_| true).expect("one cohort");
    let mut fewer = duplicated(7);
    fewer.atoms.truncate(K * 100);
    for others in [&other, &fewer] {
        let error = maxima.permute_streaming(&InBlocks(others, 9), &Control::default());
        let error = error.expect_err("others").to_string();
        assert!(error.contains("those that were counted"), "{error}");
    }
}

/// A store of firing sets whose calls are not used.
struct Sets(FiringSets);

impl FiringStore for Sets {
    fn blocks(&self, take: &mut dyn FnMut(FiringBlock<'_>) -> Result<()>) -> Result<()> {
        take(FiringBlock {
            first: 0,
            calls: &Calls::default(),
            sets: &self.0,
        })
    }
}

#[test]
fn maxima_do_not_depend_on_the_permutations_computed_at_once() {
    let cohort = duplicated(4);
    let firings = FiringsByAtom::new(
        FiringSets::uniform(K, cohort.atoms.clone(), vec![]).all(),
        ATOMS,
    );
    for exchange in [Exchange::Calls, Exchange::Loci(&cohort.loci)] {
        // Not a whole number of words.
        let permutation = Permutation {
            count: 1000,
            ..permutation(&cohort, exchange, 3)
        };
        let [wide, narrow] = [true, false].map(|wide| {
            let maxima = Maxima::new(&permutation).expect("one cohort");
            let mut maxima = maxima.with_width(wide);
            maxima.show(&firings, &|_| true).expect("one cohort");
            maxima
                .permute(&firings, &Control::default())
                .expect("one cohort");
            maxima.finish().expect("all were permuted")
        });
        assert_eq!(wide, narrow);
        assert!(wide.iter().any(|atom| atom.p < 1.0));
    }
}

#[test]
fn maxima_do_not_depend_on_groups_of_atoms_or_blocks_of_calls() {
    let cohort = duplicated(4);
    let all = ATOMS as u32;
    let firings = FiringsByAtom::new(
        FiringSets::uniform(K, cohort.atoms.clone(), vec![]).all(),
        ATOMS,
    );
    for exchange in [Exchange::Calls, Exchange::Loci(&cohort.loci)] {
        let whole = max_t(&firings, &permutation(&cohort, exchange, 2)).expect("one");
        for cuts in [&[0, all][..], &[0, 1, 9, 9, all]] {
            // A call at a time, some, all.
            for block in [1, 40, 1 << 20] {
                let found = by_groups(&cohort, exchange, cuts, block, &|_| true);
                assert_eq!(found, whole, "{cuts:?} {block}");
            }
        }
        // From the strongest down p ascends.
        let mut ranked = whole;
        ranked.sort_by(|a, b| b.statistic.total_cmp(&a.statistic));
        assert!(ranked.is_sorted_by_key(|atom| atom.p));
    }
}

#[test]
fn maxima_leave_out_untested_atoms() {
    let cohort = duplicated(5);
    let loci = Exchange::Loci(&cohort.loci);
    let cuts = [0, 10, ATOMS as u32];
    let some = by_groups(&cohort, loci, &cuts, 400, &|atom| atom % 4 == 1);
    let all = by_groups(&cohort, loci, &cuts, 400, &|_| true);
    let mut smaller = 0;
    for (atom, (some, all)) in some.iter().zip(&all).enumerate() {
        if atom % 4 == 1 {
            assert_eq!(some.statistic, all.statistic);
            assert!(some.p <= all.p);
            smaller += usize::from(some.p < all.p);
        } else {
            assert!(some.statistic.is_nan() && some.p.is_nan());
        }
    }
    assert!(smaller > 0);
}

#[test]
fn finish_refuses_atoms_whose_labels_were_not_permuted() {
    let cohort = duplicated(6);
    let firings = FiringsByAtom::new(
        FiringSets::uniform(K, cohort.atoms.clone(), vec![]).all(),
        ATOMS,
    );
    let mut maxima = Maxima::new(&permutation(&cohort, Exchange::Calls, 1)).expect("one cohort");
    maxima.show(&firings, &|_| true).expect("one cohort");
    let error = maxima.finish().expect_err("not permuted").to_string();
    assert!(error.contains("found 0 of them"), "{error}");
}

#[test]
fn maxima_smallest_p_is_that_of_the_observed_labels_alone() {
    let cohort = duplicated(6);
    let firings = FiringsByAtom::new(
        FiringSets::uniform(K, cohort.atoms.clone(), vec![]).all(),
        ATOMS,
    );
    for count in [0, 18, 19, 20, 400] {
        let permutation = Permutation {
            count,
            ..permutation(&cohort, Exchange::Calls, 1)
        };
        let found = max_t(&firings, &permutation).expect("one cohort");
        let least = found.iter().map(|atom| atom.p).fold(1.0, f64::min);
        assert_eq!(least, 1.0 / (count + 1) as f64);
    }
}

#[test]
fn permute_ends_on_cancellation() {
    let cohort = duplicated(9);
    let firings = FiringsByAtom::new(
        FiringSets::uniform(K, cohort.atoms.clone(), vec![]).all(),
        ATOMS,
    );
    let permutation = Permutation {
        count: 5000,
        ..permutation(&cohort, Exchange::Calls, 1)
    };
    let asked = AtomicUsize::new(0);
    let stopped = || asked.fetch_add(1, Ordering::Relaxed) == 2;
    let control = Control::default().cancel_when(&stopped);
    let mut maxima = Maxima::new(&permutation).expect("one cohort");
    maxima.show(&firings, &|_| true).expect("one cohort");
    let end = maxima.permute(&firings, &control);
    assert!(matches!(end, Err(Error::Cancelled)));
    assert_eq!(asked.load(Ordering::Relaxed), 3);
}

#[test]
fn maxima_refuse_parts_of_other_calls() {
    let cohort = duplicated(10);
    let firings = FiringsByAtom::new(
        FiringSets::uniform(K, cohort.atoms.clone(), vec![]).all(),
        ATOMS,
    );
    let refused = |exchange, is_tp, word: &str| {
        let permutation = Permutation {
            is_tp,
            ..permutation(&cohort, exchange, 1)
        };
        let error = max_t(&firings, &permutation).expect_err(word).to_string();
        assert!(error.contains(word), "{error}");
    };
    let short = Blocks::samples(&[0; 239]);
    let sample = Blocks::samples(&[0; 240]);
    let twice: Vec<u32> = (0..240).map(|row| row / 2).collect();
    let beyond: Vec<u32> = (1..241).collect();
    let is_tp = &cohort.is_tp[..];
    refused(Exchange::Calls, &is_tp[1..], "strata");
    refused(Exchange::Loci(&short), is_tp, "blocks");
    for (sample, order, word) in [
        (&short, &beyond, "blocks"),
        (&sample, &twice, "order"),
        (&sample, &beyond, "order"),
    ] {
        refused(Exchange::Samples { sample, order }, is_tp, word);
    }
    let permutation = Permutation {
        is_tp: &is_tp[..100],
        strata: &cohort.strata[..100],
        ..permutation(&cohort, Exchange::Calls, 1)
    };
    let error = max_t(&firings, &permutation).expect_err("firings beyond");
    assert!(
        error.to_string().contains("firings on 100 calls"),
        "{error}"
    );
}
