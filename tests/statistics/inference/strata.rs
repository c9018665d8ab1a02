//! Several 2×2 tables: Cochran, Mantel, Haenszel, Breslow, Day, Tarone.

use atomscope::stats::inference::stratified::{self, Stratified, StratumCounts};
use atomscope::stats::inference::{Table2x2, Test};

use super::golden::{Distances, Line, golden};

pub(crate) fn tables(line: &Line) -> Vec<Table2x2> {
    let table = |text: &str| {
        let cells: Vec<u64> = text.split(',').map(|x| x.parse().unwrap()).collect();
        Table2x2 {
            tp_on: cells[0],
            fp_on: cells[1],
            tp_off: cells[2],
            fp_off: cells[3],
        }
    };
    line.text("tables").split(';').map(table).collect()
}

fn compare_test(distances: &mut Distances, found: Option<Test>, line: &Line, name: &'static str) {
    let Some(found) = found else {
        assert_eq!(line.text(name), "none");
        return;
    };
    // Homogeneous strata have a statistic of 0 but for rounding.
    distances.scaled(name, (found.statistic, line.must(name)), 1e-3, 1e-10);
    distances.ln_p(
        "ln p of any test",
        found.p.ln(),
        line.must(&format!("ln_p_{name}")),
        1e-10,
    );
    if let Some(library) = line.get(&format!("statsmodels_{name}")) {
        distances.scaled(
            "statistic of statsmodels",
            (found.statistic, library),
            1e-3,
            2e-10,
        );
    }
}

#[test]
fn strata_give_the_textbook_s_figures_and_statsmodels() {
    let mut distances = Distances::default();
    for line in golden("stratified.tsv") {
        let found = stratified::of_tables(&tables(&line));
        assert_eq!(found.informative, line.must::<u32>("informative"));
        assert_eq!(found.ln_odds_ratio.is_some(), line.text("ln_or") != "none");
        if let Some(ln_or) = found.ln_odds_ratio {
            distances.scaled("ln odds ratio", (ln_or, line.must("ln_or")), 1e-3, 1e-11);
        }
        assert_eq!(found.adjusted.is_some(), line.text("low") != "none");
        if let Some(adjusted) = found.adjusted {
            let width = adjusted.high - adjusted.low;
            for (column, end) in [("low", adjusted.low), ("high", adjusted.high)] {
                distances.scaled("interval", (end, line.must(column)), width, 1e-12);
                if let Some(library) = line.get(&format!("statsmodels_{column}")) {
                    distances.scaled("interval of statsmodels", (end, library), width, 1e-10);
                }
            }
        }
        compare_test(&mut distances, found.cmh, &line, "cmh");
        compare_test(&mut distances, found.cmh_corrected, &line, "cmh_corrected");
        compare_test(&mut distances, found.breslow_day, &line, "bd");
        compare_test(&mut distances, found.breslow_day_tarone, &line, "tarone");
    }
    distances.finish(20);
}

/// The same tables as counts of atoms, several of them at once.
fn of_atoms(cases: &[Vec<Table2x2>]) -> Vec<Stratified> {
    let strata = cases[0].len();
    let column = |pick: &dyn Fn(&Table2x2) -> u64| -> Vec<Vec<u64>> {
        (0..strata)
            .map(|s| cases.iter().map(|tables| pick(&tables[s])).collect())
            .collect()
    };
    let (tp_on, fp_on) = (column(&|t| t.tp_on), column(&|t| t.fp_on));
    let counts: Vec<_> = (0..strata)
        .map(|s| StratumCounts {
            tp_on: &tp_on[s],
            fp_on: &fp_on[s],
            tp: cases[0][s].tp(),
            fp: cases[0][s].fp(),
        })
        .collect();
    stratified::of_atoms(&counts)
}

#[test]
fn atoms_at_once_are_atoms_one_by_one_for_any_number_of_threads() {
    let totals = [(300, 200), (1, 1), (0, 40), (5000, 20), (7, 7)];
    let cases: Vec<Vec<Table2x2>> = (0..1000_u64)
        .map(|atom| {
            let stratum = |(s, &(tp, fp)): (usize, &(u64, u64))| {
                let (x, y) = (atom * 7919 + s as u64 * 31, atom * 104_729 + s as u64 * 17);
                Table2x2::of_totals(x % (tp + 1), y % (fp + 1), tp, fp).unwrap()
            };
            totals.iter().enumerate().map(stratum).collect()
        })
        .collect();
    let one_by_one: Vec<_> = cases
        .iter()
        .map(|tables| stratified::of_tables(tables))
        .collect();
    for threads in [1, 2, 5] {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        assert_eq!(pool.install(|| of_atoms(&cases)), one_by_one);
    }
    assert!(stratified::of_atoms(&[]).is_empty());
}

#[test]
fn strata_that_lean_to_the_other_side_are_opposed() {
    let stratum = |tp_on, fp_on, tp, fp| Table2x2::of_totals(tp_on, fp_on, tp, fp).unwrap();
    // Simpson's paradox: kidney stones (Charig and others, 1986).
    let stones = [stratum(81, 234, 87, 270), stratum(192, 55, 263, 80)];
    let found = stratified::of_tables(&stones);
    assert!(found.is_opposed);
    assert!(found.ln_odds_ratio.unwrap() > 0.0);
    let same = [stratum(81, 200, 87, 270), stratum(192, 55, 263, 80)];
    assert!(!stratified::of_tables(&same[..1]).is_opposed);
    // 8/8 − 2/6 − 8/12 is 0, and 10⁻¹⁶ in binary64: it leans nowhere, whatever all calls do.
    let even = [
        stratum(3, 1, 4, 4),
        stratum(1, 3, 2, 4),
        stratum(1, 3, 5, 7),
    ];
    assert!(!stratified::of_tables(&even).is_opposed);
}
