//! Against scipy, statsmodels and exact fractions: `tests/golden/make_pairs.py`.

use std::collections::HashMap;

use atomscope::cohort::Label;
use atomscope::stats::pairs::AssociationColumns;

use super::cohort::{Cohort, Row, all, settings};
use super::naive::near;

/// A cohort in which atoms 0 and 1 have these tables; the four others take turns at the other places.
fn cohort(tables: [&str; 2]) -> Cohort {
    let mut rows: Vec<Row> = Vec::new();
    for (label, table) in [Label::Tp, Label::Fp].into_iter().zip(tables) {
        for (kind, count) in table.split(',').enumerate() {
            let count: u32 = count.parse().unwrap();
            rows.extend((0..count).map(|i| {
                let other = 2 + i % 4;
                let set = match kind {
                    0 => vec![0, 1],
                    1 => vec![0, other],
                    2 => vec![1, other],
                    _ => [[2, 3], [4, 5], [2, 4], [3, 5]][i as usize % 4].to_vec(),
                };
                (label, Some(set))
            }));
        }
    }
    Cohort {
        features: 6,
        k: Some(2),
        rows,
        block: 1000,
    }
}

#[test]
fn tables_have_the_figures_of_other_programs() {
    let text = include_str!("../../golden/pairs/pairs.tsv");
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
                assert!(found.is_nan() || !name.ends_with("_p"), "{name}: {found}");
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
        compare("zelen_neg_log10_p", difference.neg_log10_p[place]);
    }
    assert!(compared > 700, "only {compared} compared");
    assert!(largest > 1000.0, "no p-value below 10⁻¹⁰⁰⁰");
}
