//! Against scipy and statsmodels: `tests/golden/make_pairs.py`.

use std::collections::HashMap;

use atomscope::cohort::Label;
use atomscope::stats::pairs::AssociationColumns;

use crate::cohort::{Cohort, Row, all, settings};
use crate::naive::near;

/// A cohort in which atoms 0 and 1 have these tables; 2 and 3 fill the sets up.
fn cohort(tables: [&str; 2]) -> Cohort {
    let sets = [[0, 1], [0, 2], [1, 2], [2, 3]];
    let mut rows: Vec<Row> = Vec::new();
    for (label, table) in [Label::Tp, Label::Fp].into_iter().zip(tables) {
        for (set, count) in sets.into_iter().zip(table.split(',')) {
            let count: usize = count.parse().unwrap();
            rows.extend(std::iter::repeat_n((label, Some(set.to_vec())), count));
        }
    }
    Cohort {
        features: 4,
        k: 2,
        rows,
        block: 1000,
    }
}

#[test]
fn tables_have_the_figures_of_scipy_and_statsmodels() {
    let text = include_str!("../golden/pairs/pairs.tsv");
    let mut lines = text
        .lines()
        .map(|line| line.split('\t').collect::<Vec<_>>());
    let names = lines.next().unwrap();
    let (mut compared, mut largest) = (0, 0.0_f64);
    for line in lines {
        let line: HashMap<_, _> = names.iter().copied().zip(line).collect();
        let columns = all(&cohort([line["tp"], line["fp"]]).pairs(&settings(1)));
        let pairs = columns.a.iter().zip(&columns.b);
        let place = pairs.clone().position(|(&a, &b)| (a, b) == (0, 1)).unwrap();
        let mut compare = |name: &str, found: f64| {
            if let Ok(expected) = line[name].parse() {
                near(name, &[found], &[expected], 1e-3);
                compared += 1;
                largest = largest.max(expected);
            } else {
                assert_eq!(line[name], "none");
            }
        };
        let mut of_group = |name: &str, found: &AssociationColumns| {
            compare(&format!("{name}_expected"), found.expected[place]);
            compare(&format!("{name}_lift"), found.lift[place]);
            compare(&format!("{name}_jaccard"), found.jaccard[place]);
            compare(&format!("{name}_phi"), found.phi[place]);
            compare(&format!("{name}_neg_log10_p"), found.neg_log10_p[place]);
        };
        of_group("all", &columns.all);
        of_group("tp", &columns.tp);
        of_group("fp", &columns.fp);
        let difference = &columns.difference;
        compare(
            "log_odds_ratio_difference",
            difference.log_odds_ratio_difference[place],
        );
        compare("breslow_day_neg_log10_p", difference.neg_log10_p[place]);
    }
    assert!(compared > 800, "only {compared} compared");
    assert!(largest > 1000.0, "no p-value below 10⁻¹⁰⁰⁰");
}
