//! The pairs of a table are those that a filter of all pairs leaves.

use atomscope::cohort::Label;
use atomscope::stats::pairs::{
    AssociationColumns, DifferenceColumns, Listed, PairColumns, Pairs, Settings,
};

use super::cohort::{Cohort, Row, all, settings, shown};

/// These rows of a table.
fn picked(columns: &PairColumns, rows: &[usize]) -> PairColumns {
    let numbers = |all: &[u32]| rows.iter().map(|&row| all[row]).collect::<Vec<_>>();
    let figures = |all: &[f64]| rows.iter().map(|&row| all[row]).collect::<Vec<_>>();
    let association = |of: &AssociationColumns| AssociationColumns {
        count: numbers(&of.count),
        expected: figures(&of.expected),
        lift: figures(&of.lift),
        jaccard: figures(&of.jaccard),
        phi: figures(&of.phi),
        neg_log10_p: figures(&of.neg_log10_p),
        fdr: figures(&of.fdr),
    };
    PairColumns {
        a: numbers(&columns.a),
        b: numbers(&columns.b),
        all: association(&columns.all),
        tp: association(&columns.tp),
        fp: association(&columns.fp),
        difference: DifferenceColumns {
            log_odds_ratio_difference: figures(&columns.difference.log_odds_ratio_difference),
            neg_log10_p: figures(&columns.difference.neg_log10_p),
            fdr: figures(&columns.difference.fdr),
        },
    }
}

/// The rows that a reader of the whole table would keep.
fn filtered(whole: &PairColumns) -> Vec<usize> {
    let tells = |&row: &usize| whole.all.fdr[row] <= 0.05 || whole.difference.fdr[row] <= 0.05;
    (0..whole.a.len()).filter(tells).collect()
}

/// And of these the strongest, one after another.
fn strongest(whole: &PairColumns, mut rows: Vec<usize>, most: usize) -> Vec<usize> {
    let mut kept = Vec::new();
    while kept.len() < most && !rows.is_empty() {
        let mut best = 0;
        for at in 1..rows.len() {
            let [new, old] = [rows[at], rows[best]];
            let [phi, best_phi] = [new, old].map(|row| whole.all.phi[row].abs());
            let atoms = |row: usize| (whole.a[row], whole.b[row]);
            if phi > best_phi || phi == best_phi && atoms(new) < atoms(old) {
                best = at;
            }
        }
        kept.push(rows.remove(best));
    }
    kept.sort_unstable();
    kept
}

/// Atoms 2i and 2i + 1 fire together on five true calls, and each alone on nothing else; two more fire
/// together on true calls, and never on false ones, as often as chance has it on all.
fn tied() -> Cohort {
    let mut rows: Vec<Row> = Vec::new();
    for pair in 0..20 {
        rows.extend((0..5).map(|_| (Label::Tp, Some(vec![2 * pair, 2 * pair + 1]))));
    }
    for call in 0..60_u32 {
        let other = 42 + call % 5;
        rows.push((Label::Tp, Some(vec![40, 41])));
        rows.push((Label::Tp, Some(vec![other, 47 + call % 3])));
        for atom in [40, 41] {
            rows.push((Label::Fp, Some(vec![atom, other])));
            rows.push((Label::Fp, Some(vec![atom, 47 + call % 3])));
        }
    }
    Cohort {
        features: 50,
        k: Some(2),
        rows,
        block: 33,
    }
}

/// The same where a few atoms fire wherever the one before them does.
fn neighbours(mut cohort: Cohort) -> Cohort {
    for (_, set) in &mut cohort.rows {
        let Some(set) = set else { continue };
        set.extend(
            (0..4)
                .map(|i| 2 * i)
                .filter(|atom| set.contains(atom))
                .map(|atom| atom + 1)
                .collect::<Vec<_>>(),
        );
        set.sort_unstable();
        set.dedup();
    }
    cohort
}

fn cohorts() -> [Cohort; 3] {
    [
        Cohort::random(53, 5, 1500, 6),
        neighbours(Cohort::ragged(30, 400, 1)),
        tied(),
    ]
}

fn significant(cohort: &Cohort, most: usize) -> Pairs {
    cohort.pairs(&Settings {
        listed: Listed::Significant { most },
        ..settings(2)
    })
}

#[test]
fn listed_pairs_are_those_that_a_filter_of_all_leaves() {
    for (place, cohort) in cohorts().into_iter().enumerate() {
        let everything = cohort.pairs(&settings(2));
        let whole = all(&everything);
        let rows = filtered(&whole);
        let found = rows.len();
        assert!(found > 3 && found < whole.a.len(), "{found} of {place}");
        for most in [0, 1, 7, rows.len() - 1, rows.len(), usize::MAX] {
            let found = significant(&cohort, most);
            let expected = strongest(&whole, rows.clone(), most);
            assert_eq!(found.len(), expected.len());
            let columns = shown(&all(&found));
            assert_eq!(
                columns,
                shown(&picked(&whole, &expected)),
                "{most} of {place}"
            );
            let (numbers, of_all) = (found.numbers(), everything.numbers());
            assert_eq!(numbers.listed, expected.len());
            assert_eq!(numbers.significant.either, rows.len());
            assert_eq!(numbers.at_threshold, whole.a.len());
            assert_eq!(numbers.found, whole.a.len() as u64);
            assert_eq!(numbers.tested, of_all.tested);
            assert_eq!(numbers.significant, of_all.significant);
        }
    }
}

#[test]
fn equally_strong_pairs_are_listed_by_their_atoms() {
    let cohort = tied();
    let found = all(&significant(&cohort, 7));
    assert_eq!(found.a, [0, 2, 4, 6, 8, 10, 12]);
    assert!(found.all.phi.iter().all(|&phi| phi == found.all.phi[0]));
}

#[test]
fn a_pair_that_differs_alone_is_listed() {
    let found = all(&significant(&tied(), usize::MAX));
    let place = (0..found.a.len()).find(|&row| (found.a[row], found.b[row]) == (40, 41));
    let row = place.expect("a pair that fires together on true calls alone");
    assert!(found.difference.fdr[row] <= 0.05);
}

#[test]
fn numbers_of_significant_pairs_are_those_of_the_columns() {
    for cohort in cohorts() {
        let pairs = cohort.pairs(&settings(2));
        let (columns, numbers) = (all(&pairs), pairs.numbers());
        let below = |fdr: &[f64]| fdr.iter().filter(|&&fdr| fdr <= 0.05).count();
        assert_eq!(numbers.significant.associated, below(&columns.all.fdr));
        assert_eq!(
            numbers.significant.different,
            below(&columns.difference.fdr)
        );
        let tested = columns.all.neg_log10_p.iter().filter(|p| !p.is_nan());
        assert_eq!(numbers.tested, tested.count());
        assert_eq!(numbers.listed, pairs.len());
    }
}

#[test]
fn threads_and_memory_choose_the_same_pairs() {
    let mut cohort = tied();
    let expected = shown(&all(&significant(&cohort, 9)));
    for (memory, threads, block) in [(0, 3, 7), (20_000, 2, 1000), (1 << 40, 1, 1)] {
        cohort.block = block;
        let settings = Settings {
            memory,
            listed: Listed::Significant { most: 9 },
            ..settings(2)
        };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let found = pool
            .build()
            .unwrap()
            .install(|| all(&cohort.pairs(&settings)));
        assert_eq!(shown(&found), expected, "{memory} bytes");
    }
}
