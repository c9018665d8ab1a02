//! The error rate of each exchange on the cohorts that it is made for.

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::super::blocks::Blocks;
use super::tests::textbook;
use super::{Exchange, Permutation, max_t};
use crate::fires::FiringSets;
use crate::fires::by_atom::FiringsByAtom;

pub(super) const ATOMS: usize = 24;
pub(super) const K: usize = 3;

pub(super) struct Cohort {
    pub(super) atoms: Vec<u32>,
    pub(super) is_tp: Vec<bool>,
    pub(super) strata: Vec<u32>,
    pub(super) loci: Blocks,
    /// One block for all calls, which are of one sample, in the order of the genome.
    sample: Blocks,
    order: Vec<u32>,
}

fn distinct_atoms(draw: &mut ChaCha8Rng) -> Vec<u32> {
    let mut all: Vec<u32> = (0..ATOMS as u32).collect();
    all.shuffle(draw);
    all.truncate(K);
    all.sort_unstable();
    all
}

/// Makes loci of four calls that are one variant seen four times: the same atoms, label and
/// stratum. Atoms and labels are independent.
pub(super) fn duplicated(seed: u64) -> Cohort {
    let mut draw = ChaCha8Rng::seed_from_u64(seed);
    let mut cohort = Cohort {
        atoms: Vec::new(),
        is_tp: Vec::new(),
        strata: Vec::new(),
        loci: Blocks::default(),
        sample: Blocks::samples(&[0; 240]),
        order: (0..240).collect(),
    };
    for locus in 0..60 {
        let atoms = distinct_atoms(&mut draw);
        let stratum = (locus % 2) as u32;
        let is_tp = draw.random_bool([0.4, 0.7][locus % 2]);
        for _ in 0..4 {
            cohort.atoms.extend(&atoms);
            cohort.strata.push(stratum);
            cohort.is_tp.push(is_tp);
            cohort.loci.of_call.push(locus as u32);
        }
    }
    cohort.loci.count = 60;
    cohort
}

/// Makes calls along a genome in stretches of the same label, and stretches of the same atoms. The
/// two are independent.
fn in_stretches(seed: u64) -> Cohort {
    let mut draw = ChaCha8Rng::seed_from_u64(seed);
    let mut cohort = duplicated(seed);
    let mut atoms = distinct_atoms(&mut draw);
    let mut label = draw.random();
    for row in 0..240 {
        if draw.random_bool(0.15) {
            atoms = distinct_atoms(&mut draw);
        }
        if draw.random_bool(0.15) {
            label = draw.random();
        }
        cohort.atoms[row * K..][..K].copy_from_slice(&atoms);
        cohort.is_tp[row] = label;
        cohort.strata[row] = 0;
    }
    cohort
}

pub(super) fn permutation<'a>(
    cohort: &'a Cohort,
    exchange: Exchange<'a>,
    seed: u64,
) -> Permutation<'a> {
    Permutation {
        is_tp: &cohort.is_tp,
        strata: &cohort.strata,
        exchange,
        count: 511,
        seed,
    }
}

/// Counts, of 200 cohorts without any association, those with an atom below 0.05.
fn false_ones(
    cohort: impl Fn(u64) -> Cohort,
    of: impl for<'a> Fn(&'a Cohort) -> Exchange<'a>,
) -> usize {
    let has_one = |&seed: &u64| {
        let cohort = cohort(1000 + seed);
        let firings = FiringsByAtom::new(
            FiringSets::uniform(K, cohort.atoms.clone(), vec![]).all(),
            ATOMS,
        );
        let permutation = permutation(&cohort, of(&cohort), seed);
        let atoms = max_t(&firings, &permutation).expect("one cohort");
        atoms.iter().any(|atom| atom.p <= 0.05)
    };
    (0..200).filter(has_one).count()
}

/// The most such cohorts: 5 % of 200 and four standard deviations more.
const MOST: usize = 10 + 12;

#[test]
fn loci_keep_the_error_rate_for_repeated_calls() {
    let by_call = false_ones(duplicated, |_| Exchange::Calls);
    assert!(by_call > 100, "{by_call} of 200: no test of the other");
    let by_locus = false_ones(duplicated, |cohort| Exchange::Loci(&cohort.loci));
    assert!((1..=MOST).contains(&by_locus), "{by_locus} of 200");
}

#[test]
fn samples_keep_the_error_rate_for_like_neighbours() {
    let by_call = false_ones(in_stretches, |_| Exchange::Calls);
    assert!(by_call > 60, "{by_call} of 200: no test of the other");
    let turned = false_ones(in_stretches, |cohort| Exchange::Samples {
        sample: &cohort.sample,
        order: &cohort.order,
    });
    assert!((1..=MOST).contains(&turned), "{turned} of 200");
}

/// Compares the exchange of loci with shuffling the labels of one permutation after another.
#[test]
fn loci_match_shuffling_one_permutation_at_a_time() {
    let mut cohort = duplicated(7);
    let mut draw = ChaCha8Rng::seed_from_u64(8);
    for is_tp in &mut cohort.is_tp {
        *is_tp ^= draw.random_bool(0.2);
    }
    let count = 4000;
    let firings = FiringsByAtom::new(
        FiringSets::uniform(K, cohort.atoms.clone(), vec![]).all(),
        ATOMS,
    );
    let found = max_t(
        &firings,
        &Permutation {
            count,
            ..permutation(&cohort, Exchange::Loci(&cohort.loci), 3)
        },
    );
    let counts = |is_tp: &[bool]| -> Vec<f64> {
        let of = |atom: u32| {
            let fires = |row: usize| cohort.atoms[row * K..][..K].contains(&atom);
            (0..240).filter(|&row| is_tp[row] && fires(row)).count() as f64
        };
        (0..ATOMS as u32).map(of).collect()
    };
    let mut shuffled = || {
        let mut is_tp = cohort.is_tp.clone();
        for stratum in 0..2 {
            let loci: Vec<usize> = (0..60).filter(|locus| locus % 2 == stratum).collect();
            let mut from = loci.clone();
            from.shuffle(&mut draw);
            for (to, from) in loci.into_iter().zip(from) {
                is_tp[4 * to..][..4].copy_from_slice(&cohort.is_tp[4 * from..][..4]);
            }
        }
        counts(&is_tp)
    };
    let naive = 1500;
    let each: Vec<Vec<f64>> = (0..naive).map(|_| shuffled()).collect();
    // Mean and deviation are the sample's.
    let of_atom = |atom: usize| each.iter().map(move |counts| counts[atom]);
    let means: Vec<f64> = (0..ATOMS)
        .map(|atom| of_atom(atom).sum::<f64>() / f64::from(naive))
        .collect();
    let deviation = |atom: usize| {
        let squares = of_atom(atom).map(|count| (count - means[atom]).powi(2));
        (squares.sum::<f64>() / f64::from(naive)).sqrt()
    };
    let deviations: Vec<f64> = (0..ATOMS).map(deviation).collect();
    let statistics = |counts: &[f64]| -> Vec<f64> {
        let of = |atom: usize| (counts[atom] - means[atom]).abs() / deviations[atom];
        (0..ATOMS).map(of).collect()
    };
    let observed = statistics(&counts(&cohort.is_tp));
    let permuted: Vec<Vec<f64>> = each.iter().map(|counts| statistics(counts)).collect();
    let textbook = textbook(&observed, &permuted);
    let mut between = 0;
    for (found, p) in found.expect("one cohort").iter().zip(textbook) {
        let sd = (p * (1.0 - p) * (1.0 / f64::from(naive) + 1.0 / count as f64)).sqrt();
        // Estimated moments move a p-value by a few percent.
        assert!((found.p - p).abs() <= 5.0 * sd + 0.02, "{} {p}", found.p);
        between += usize::from(p > 0.02 && p < 0.98);
    }
    assert!(between >= 3, "{between} atoms tell anything");
}
