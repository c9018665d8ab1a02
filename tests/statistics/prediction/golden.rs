//! Against scikit-learn: `tests/golden/make_prediction.py`.

use atomscope::control::Control;
use atomscope::stats::prediction::{
    Design, Figures, Judged, Nested, Penalty, Resampled, SparseRows, Spec, fit,
};
use atomscope::stats::resampling::bootstrap::CallLabels;
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    atoms: Vec<Vec<u32>>,
    scores: Vec<Vec<f32>>,
    is_fp: Vec<u8>,
    fold: Vec<u32>,
    fits: Vec<Fit>,
    nested: Vec<Whole>,
}

#[derive(Deserialize)]
struct Fit {
    features: String,
    penalty: String,
    weight: f64,
    intercept: f64,
    coefficients: Vec<f64>,
}

#[derive(Deserialize)]
struct Whole {
    penalty: String,
    chosen: Vec<usize>,
    log_odds: Vec<f64>,
    auroc: f64,
    auprc: f64,
    brier: f64,
    log_loss: f64,
    calibration_intercept: f64,
    calibration_slope: f64,
}

const ATOMS: usize = 14;

fn golden() -> (Golden, Design, Vec<bool>) {
    let text = include_str!("../../golden/prediction/prediction.json");
    let golden: Golden = serde_json::from_str(text).unwrap();
    let mut rows = SparseRows::default();
    for atoms in &golden.atoms {
        rows.features.extend(atoms);
        rows.ends.push(rows.features.len());
    }
    rows.values = Some(golden.scores.concat());
    let is_fp: Vec<bool> = golden.is_fp.iter().map(|&is_fp| is_fp == 1).collect();
    let design = Design::new(&rows, ATOMS, &golden.fold, 5, &is_fp).unwrap();
    (golden, design, is_fp)
}

fn penalty(name: &str) -> Penalty {
    if name == "l1" {
        Penalty::L1
    } else {
        Penalty::L2
    }
}

fn assert_near(what: &str, found: f64, expected: f64, within: f64) {
    assert!(
        (found - expected).abs() <= within,
        "{what}: {found}, expected {expected}"
    );
}

#[test]
fn coefficients_are_those_of_scikit_learn() {
    let (golden, design, _) = golden();
    assert_eq!(golden.fits.len(), 12);
    for expected in &golden.fits {
        let part = design.part(&[0, 1, 2, 3, 4], 0..ATOMS, expected.features == "scores");
        let found = fit(part, penalty(&expected.penalty), expected.weight, 1e-11);
        let what = format!(
            "{} {} {}",
            expected.features, expected.penalty, expected.weight
        );
        assert_near(&what, found.intercept, expected.intercept, 1e-6);
        for (found, expected) in found.features.iter().zip(&expected.coefficients) {
            assert_near(&what, *found, *expected, 1e-6);
        }
        assert_eq!(found.features.len(), expected.coefficients.len());
    }
}

#[test]
fn penalties_log_odds_and_figures_are_those_of_the_procedure_done_by_hand() {
    let (golden, design, is_fp) = golden();
    for expected in &golden.nested {
        let spec = Spec {
            features: 0..ATOMS,
            valued: false,
            penalty: penalty(&expected.penalty),
            entries: 0,
        };
        let control = Control::default();
        let found = Nested::of(&design, &spec, is_fp.len(), &control).unwrap();
        let what = &expected.penalty;
        assert_eq!(found.chosen, expected.chosen, "{what}");
        for (found, expected) in found.log_odds.iter().zip(&expected.log_odds) {
            assert_near(what, *found, *expected, 2e-3);
        }
        // Figures are of the same log odds, so that they agree to the last digits.
        let judged = Judged {
            log_odds: &expected.log_odds,
            is_fp: &is_fp,
            folds: &golden.fold,
        };
        let labels = CallLabels::new(&is_fp, |_| false);
        let resampled = Resampled::of(None, &labels, &control).unwrap();
        let figures = Figures::of(&judged, &resampled, &control).unwrap();
        for (name, found, expected) in [
            ("auroc", &figures.auroc, expected.auroc),
            ("auprc", &figures.auprc, expected.auprc),
            ("brier", &figures.brier, expected.brier),
            ("log loss", &figures.log_loss, expected.log_loss),
            (
                "intercept",
                &figures.intercept,
                expected.calibration_intercept,
            ),
            ("slope", &figures.slope, expected.calibration_slope),
        ] {
            assert_near(name, found.value, expected, 1e-7);
        }
        let all: f64 = figures
            .deciles
            .iter()
            .map(|[_, observed]| observed.value * 26.0)
            .sum();
        let fp = is_fp.iter().filter(|&&is_fp| is_fp).count();
        assert_near("deciles", all, fp as f64, 1e-9);
        let predicted = figures.deciles.iter();
        let predicted: f64 = predicted.map(|[predicted, _]| predicted.value * 26.0).sum();
        let chance = |log_odds: &f64| 1.0 / (1.0 + (-log_odds).exp());
        let chances: f64 = expected.log_odds.iter().map(chance).sum();
        assert_near("chances of deciles", predicted, chances, 1e-9);
    }
}
