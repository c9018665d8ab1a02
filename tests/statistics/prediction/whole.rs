//! Whole predictions.

use atomscope::cohort::TextColumn;
use atomscope::control::Control;
use atomscope::regions::{RegionRule, RegionSet};
use atomscope::stats::evidence::regions::RegionOptions;
use atomscope::stats::prediction::{FOLDS, FeatureSet, Options, Penalty, PredictBy, Prediction};

use super::cohort::{Pieces, Truth, cohort};

const OPTIONS: Options = Options {
    by: PredictBy::Chrom,
    min_support: 5,
    locus_distance: 1000,
    bootstrap: 100,
    seed: 0,
};

fn predict(of: &Pieces, options: Options) -> Prediction {
    Prediction::of(of, options, None, &Control::default()).unwrap()
}

/// Everything that is told of the calls, to the bit.
fn bits(found: &Prediction) -> Vec<u64> {
    let mut bits = Vec::new();
    for model in &found.models {
        bits.extend(model.nested.log_odds.iter().map(|odds| odds.to_bits()));
        bits.extend(model.nested.all.features.iter().map(|b| b.to_bits()));
        let figures = &model.figures;
        for figure in [
            &figures.auroc,
            &figures.auprc,
            &figures.log_loss,
            &figures.slope,
        ] {
            let figure = figure.figure();
            bits.extend([figure.value, figure.low, figure.high].map(f64::to_bits));
        }
    }
    bits.extend(found.curve.iter().map(|point| point.auroc.value.to_bits()));
    bits
}

#[test]
fn planted_atoms_are_found_and_chances_calibrated() {
    let found = predict(&cohort(3000, 22, Truth::Atoms, 1), OPTIONS);
    assert_eq!(
        (found.folds.by, found.folds.count),
        (PredictBy::Chrom, FOLDS)
    );
    let model = found.model(FeatureSet::Atoms, Penalty::L1).unwrap();
    let auroc = model.figures.auroc.figure();
    // The chance of the right order, were the truth known: about 0.70.
    assert!(
        auroc.value > 0.66 && auroc.low > 0.62 && auroc.high < 0.78,
        "{auroc:?}"
    );
    let slope = model.figures.slope.figure();
    assert!(
        (0.8..1.2).contains(&slope.value) && slope.low < 1.0 && slope.high > 1.0,
        "{slope:?}"
    );
    let [first, second] = [0, 1].map(|atom| model.nested.all.features[atom]);
    assert!(first > 1.5 && second < -1.0, "{first} {second}");
    let most = found
        .curve
        .iter()
        .map(|point| point.auroc.value)
        .fold(0.0, f64::max);
    assert_eq!(found.curve[1].atoms, 2);
    assert!(
        found.curve[1].auroc.value > most - 0.01,
        "{:?}",
        found.curve[1].auroc.value
    );
    let baseline = found.model(FeatureSet::Baseline, Penalty::L2).unwrap();
    let both = found.model(FeatureSet::Both, Penalty::L1).unwrap();
    let added = both.figures.auroc.less(&baseline.figures.auroc).figure();
    assert!(added.low > 0.1, "{added:?}");
}

/// The chance that a false call's value is above a true one's, half of ties, pair by pair.
fn auroc_of(values: &[f64], is_fp: &[bool]) -> f64 {
    let of = |label: bool| {
        let pairs = values.iter().zip(is_fp);
        pairs
            .filter(move |(_, is_fp)| **is_fp == label)
            .map(|(v, _)| *v)
    };
    let (mut sum, mut pairs) = (0.0, 0.0);
    for fp in of(true) {
        for tp in of(false) {
            sum += f64::from(fp > tp) + 0.5 * f64::from(fp == tp);
            pairs += 1.0;
        }
    }
    sum / pairs
}

#[test]
fn described_quantity_predicts_as_its_values_order_calls() {
    let mut cohort = cohort(3000, 22, Truth::Chance, 3);
    let without = predict(&cohort, OPTIONS);
    assert!(without.model(FeatureSet::Quantities, Penalty::L2).is_none());
    let is_fp = without.calls.is_fp.clone();
    // False calls have less of it, by about one standard deviation.
    let values: Vec<f64> = (0..3000_u64)
        .map(|call| {
            let noise: u64 = (1..=4)
                .map(|i| call.wrapping_mul(7919 * i + 13) % 1009)
                .sum();
            noise as f64 - if is_fp[call as usize] { 600.0 } else { 0.0 }
        })
        .collect();
    let mut column = TextColumn::default();
    for value in &values {
        column.push(Some(&value.to_string()));
    }
    cohort.calls.describe("info:QUAL", column);
    let found = predict(&cohort, OPTIONS);
    let alone = found.model(FeatureSet::Quantities, Penalty::L2).unwrap();
    let expected = 1.0 - auroc_of(&values, &is_fp);
    let auroc = alone.figures.auroc.value;
    // Tenths lose little of the order.
    assert!(
        (auroc - expected).abs() < 0.02 && expected > 0.7,
        "{auroc} {expected}"
    );
    let baseline = found.model(FeatureSet::Baseline, Penalty::L2).unwrap();
    assert!((baseline.figures.auroc.value - auroc).abs() < 0.02);
    cohort.rows = 700;
    assert_eq!(bits(&predict(&cohort, OPTIONS)), bits(&found));
}

#[test]
fn regions_are_known_to_the_baseline() {
    let cohort = cohort(1500, 22, Truth::Chance, 4);
    let places: Vec<(String, std::ops::Range<u64>)> = (0..cohort.calls.len())
        .map(|row| cohort.calls.get(row))
        .filter(|call| call.truvari_class == Some("FP"))
        .map(|call| {
            let pos = call.pos.as_f64() as u64;
            (call.chrom.unwrap().to_owned(), pos - 1..pos + 1)
        })
        .collect();
    let regions = RegionOptions {
        sets: vec![RegionSet::new("false", places)],
        rule: RegionRule::Any,
    };
    let of = |regions| {
        let found = Prediction::of(&cohort, OPTIONS, regions, &Control::default()).unwrap();
        let baseline = found.model(FeatureSet::Baseline, Penalty::L2).unwrap();
        baseline.figures.auroc.value
    };
    assert!(of(None) < 0.6);
    assert!(of(Some(&regions)) > 0.98);
}

#[test]
fn labels_of_chance_are_predicted_no_better_than_by_chance() {
    let seeds = 24_u32;
    let mut sums = [0.0; 3];
    for seed in 0..seeds {
        let cohort = cohort(400, 22, Truth::Chance, u64::from(seed));
        let found = predict(
            &cohort,
            Options {
                bootstrap: 0,
                ..OPTIONS
            },
        );
        let models = [FeatureSet::Atoms, FeatureSet::Scores, FeatureSet::Both];
        for (sum, features) in sums.iter_mut().zip(models) {
            let auroc = found
                .model(features, Penalty::L1)
                .unwrap()
                .figures
                .auroc
                .value;
            assert!((0.35..0.65).contains(&auroc), "{seed} {auroc}");
            *sum += auroc / f64::from(seeds);
        }
    }
    for mean in sums {
        assert!((mean - 0.5).abs() < 0.02, "{sums:?}");
    }
}

#[test]
fn labels_of_a_fold_change_nothing_in_its_own_chances() {
    let whole = cohort(600, 22, Truth::Atoms, 3);
    let found = predict(&whole, OPTIONS);
    let mut other = cohort(600, 22, Truth::Atoms, 3);
    let mut calls = atomscope::Calls::default();
    for (row, &fold) in found.folds.of_call.iter().enumerate() {
        let mut call = other.calls.get(row);
        if fold == 2 {
            let is_fp = call.truvari_class == Some("FP");
            call.truvari_class = Some(if is_fp { "TP" } else { "FP" });
        }
        calls.push(&call);
    }
    other.calls = calls;
    let changed = predict(&other, OPTIONS);
    for (before, after) in found.models.iter().zip(&changed.models) {
        let (mut same, mut different) = (0, 0);
        for (row, &fold) in found.folds.of_call.iter().enumerate() {
            let [before, after] = [before, after].map(|model| model.nested.log_odds[row].to_bits());
            if fold == 2 {
                assert_eq!(before, after, "row {row}");
                same += 1;
            } else {
                different += u32::from(before != after);
            }
        }
        assert!(same > 50 && different > 50, "{same} {different}");
    }
}

#[test]
fn prediction_is_the_same_for_any_threads_and_pieces() {
    let mut cohort = cohort(500, 8, Truth::Atoms, 5);
    let expected = bits(&predict(&cohort, OPTIONS));
    assert!(expected.len() > 2500);
    for (threads, rows) in [(1, 500), (2, 137), (7, 1)] {
        cohort.rows = rows;
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let found = pool.install(|| bits(&predict(&cohort, OPTIONS)));
        assert!(found == expected, "{threads} threads, {rows} rows");
    }
}

#[test]
fn folds_are_of_loci_where_chromosomes_are_few_or_it_is_asked_for() {
    let of_few = predict(&cohort(300, 4, Truth::Atoms, 6), OPTIONS);
    assert_eq!(of_few.folds.by, PredictBy::Locus);
    assert!(of_few.folds.units > 200 && of_few.refusal.is_none());
    let by_locus = Options {
        by: PredictBy::Locus,
        ..OPTIONS
    };
    let asked = predict(&cohort(300, 22, Truth::Atoms, 6), by_locus);
    assert_eq!(asked.folds.by, PredictBy::Locus);
    let mut sizes = vec![0; FOLDS];
    for &fold in &asked.folds.of_call {
        sizes[fold as usize] += 1;
    }
    assert!(
        sizes.iter().all(|&size| (58..=62).contains(&size)),
        "{sizes:?}"
    );
    // Neighbours are held out together.
    let calls = &asked.calls;
    for a in 0..300 {
        for b in 0..a {
            let near = (calls.positions[a] - calls.positions[b]).abs() <= 1000.0;
            if calls.chrom[a] == calls.chrom[b] && near {
                assert_eq!(asked.folds.of_call[a], asked.folds.of_call[b]);
            }
        }
    }
}

#[test]
fn prediction_is_refused_where_a_label_is_missing_in_training() {
    let mut one_label = cohort(100, 22, Truth::Chance, 7);
    let mut calls = atomscope::Calls::default();
    for row in 0..100 {
        let mut call = one_label.calls.get(row);
        call.truvari_class = Some("TP");
        calls.push(&call);
    }
    one_label.calls = calls;
    let found = predict(&one_label, OPTIONS);
    let refusal = found.refusal.expect("one label");
    assert!(
        refusal.contains("no call is false outside of folds"),
        "{refusal}"
    );
    assert!(found.models.is_empty() && found.curve.is_empty());
    let none = predict(&cohort(2, 22, Truth::Chance, 7), OPTIONS);
    assert!(
        none.refusal
            .expect("two calls")
            .contains("at least 3 are needed")
    );
    assert!(
        predict(&cohort(0, 22, Truth::Chance, 7), OPTIONS)
            .refusal
            .is_some()
    );
}
