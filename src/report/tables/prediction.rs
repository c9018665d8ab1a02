//! `prediction`: one row a figure of a model; `call_predictions`: one row a call.

use super::numbers;
use crate::report::table::{Column, Table, Values};
use crate::stats::prediction::{FeatureSet, Figure, Figures, Penalty, Prediction, Replicated};

/// One row of the table of figures.
struct Row {
    features: &'static str,
    penalty: &'static str,
    metric: &'static str,
    part: Option<i64>,
    figure: Figure,
    chance: f64,
}

/// The table of figures; `None` where nothing was predicted.
pub fn prediction(found: &Prediction) -> Option<Table> {
    let rows = rows(found)?;
    let text = |of: fn(&Row) -> &'static str| {
        Values::Text(rows.iter().map(|row| Some(of(row).to_owned())).collect())
    };
    let number = |of: fn(&Row) -> f64| numbers(&rows, |row| Some(of(row)));
    let column = Column::new;
    let columns = vec![
        column("features", FEATURES, text(|row| row.features)),
        column(
            "penalty",
            "L1 or L2; of a difference, of the first.",
            text(|row| row.penalty),
        ),
        column("metric", METRIC, text(|row| row.metric)),
        column(
            "part",
            "The decile of decile_…, from 1; the number of atoms of curve_auroc. Missing otherwise.",
            Values::I64(rows.iter().map(|row| row.part).collect()),
        ),
        column("value", "The figure.", number(|row| row.figure.value)),
        column("lo", INTERVAL, number(|row| row.figure.low)),
        column("hi", "Upper end of it.", number(|row| row.figure.high)),
        column(
            "chance",
            "The figure of a model that gives every call the share of false calls. Missing where there is \
             none.",
            number(|row| row.chance),
        ),
    ];
    Some(Table {
        name: "prediction",
        about: "With --predict: one row a figure of a model of the label, of calls that it was not fitted \
                to. Positive is a false call. docs/PREDICTION.md says how models are fitted.",
        columns,
    })
}

const FEATURES: &str = "What the model learns from. baseline: SV type, size (Truvari's bins), both, \
                        dataset, regions and described quantities, where there are some. quantities: these alone, in \
                        tenths. atoms: which fire. scores: their canonical scores, each over its root mean square in training. \
                        baseline+atoms: both. baseline+atoms - baseline: the difference of two models.";
const METRIC: &str = "auroc: over pairs of a false and a true call of one fold, equal chances count half. auprc: \
                      average precision, as sklearn.metrics.average_precision_score. brier, log_loss: means over \
                      all calls. calibration_intercept, calibration_slope: of the label's logistic regression on \
                      the log odds; 0 and 1 are calibrated. decile_predicted, decile_observed: mean chance and \
                      share of false calls in ten parts of the calls by chance. curve_auroc: by the first atoms \
                      that enter the path of L1 without the fold. penalty_weight: that of the model of all calls.";
const INTERVAL: &str = "Lower end of its 95 % interval: percentiles by bootstrap of whole chromosomes, or of loci where \
                        there are fewer than 20 chromosomes or folds are of loci. Missing where there are fewer than \
                        20 of either. Models are not fitted anew; of the calibration it is one Newton step.";

fn rows(found: &Prediction) -> Option<Vec<Row>> {
    found.models.first()?;
    let is_fp = &found.calls.is_fp;
    let false_calls = is_fp.iter().filter(|&&is_fp| is_fp).count();
    let share = false_calls as f64 / is_fp.len() as f64;
    let entropy = -(share * libm::log(share) + (1.0 - share) * libm::log1p(-share));
    let chances = [
        0.5,
        share,
        share * (1.0 - share),
        entropy,
        f64::NAN,
        f64::NAN,
    ];
    let mut rows = Vec::new();
    for model in &found.models {
        let (features, penalty) = (model.features.as_str(), model.penalty.as_str());
        let mut add = |metric, part, figure, chance| {
            rows.push(Row {
                features,
                penalty,
                metric,
                part,
                figure,
                chance,
            });
        };
        for ((metric, of), chance) in METRICS.iter().zip(chances) {
            add(metric, None, of(&model.figures).figure(), chance);
        }
        for (decile, [predicted, observed]) in (1..).zip(&model.figures.deciles) {
            add(
                "decile_predicted",
                Some(decile),
                predicted.figure(),
                f64::NAN,
            );
            add("decile_observed", Some(decile), observed.figure(), f64::NAN);
        }
        add("penalty_weight", None, bare(model.nested.weight), f64::NAN);
        let is_curve = model.features == FeatureSet::Atoms && model.penalty == Penalty::L1;
        for point in found.curve.iter().filter(|_| is_curve) {
            add(
                "curve_auroc",
                i64::try_from(point.atoms).ok(),
                point.auroc.figure(),
                0.5,
            );
        }
    }
    rows.extend(differences(found));
    Some(rows)
}

fn bare(value: f64) -> Figure {
    Figure {
        value,
        low: f64::NAN,
        high: f64::NAN,
    }
}

/// A figure, by its name.
type Metric = (&'static str, fn(&Figures) -> &Replicated);

const METRICS: [Metric; 6] = [
    ("auroc", |figures| &figures.auroc),
    ("auprc", |figures| &figures.auprc),
    ("brier", |figures| &figures.brier),
    ("log_loss", |figures| &figures.log_loss),
    ("calibration_intercept", |figures| &figures.intercept),
    ("calibration_slope", |figures| &figures.slope),
];

/// What atoms add to the baseline.
fn differences(found: &Prediction) -> Vec<Row> {
    let both = found.model(FeatureSet::Both, Penalty::L1);
    let Some((both, baseline)) = both.zip(found.model(FeatureSet::Baseline, Penalty::L2)) else {
        return Vec::new();
    };
    let row = |(metric, of): &Metric| Row {
        features: "baseline+atoms - baseline",
        penalty: Penalty::L1.as_str(),
        metric,
        part: None,
        figure: of(&both.figures).less(of(&baseline.figures)).figure(),
        chance: f64::NAN,
    };
    METRICS[..4].iter().map(row).collect()
}

/// The table of calls; `None` where nothing was predicted.
pub fn call_predictions(found: &Prediction) -> Option<Table> {
    found.models.first()?;
    let calls = &found.calls;
    let chrom = calls
        .chrom
        .iter()
        .map(|&at| calls.chromosomes.get(at as usize).cloned());
    let position = |&at: &f64| (at.is_finite() && at < 9e15).then_some(at as i64);
    let chance = |features, penalty| match found.model(features, penalty) {
        None => Values::F64(vec![f64::NAN; calls.rows.len()]),
        Some(model) => {
            let chance = |odds: &f64| 1.0 / (1.0 + libm::exp(-odds));
            Values::F64(model.nested.log_odds.iter().map(chance).collect())
        }
    };
    let column = Column::new;
    let columns = vec![
        column(
            "row",
            "The cohort's row, from 0; dropped ones count.",
            Values::U64(calls.rows.clone()),
        ),
        column("chrom", "Chromosome.", Values::Text(chrom.collect())),
        column(
            "pos",
            "Position, from 1.",
            Values::I64(calls.positions.iter().map(position).collect()),
        ),
        column("id", "The call's ID.", Values::Text(calls.ids.clone())),
        column(
            "label",
            "TP or FP.",
            Values::Category {
                codes: calls.is_fp.iter().map(|&is_fp| u32::from(is_fp)).collect(),
                names: vec!["TP".to_owned(), "FP".to_owned()],
            },
        ),
        column(
            "fold",
            "The fold in which the call was held out, from 1.",
            Values::U32(found.folds.of_call.iter().map(|fold| fold + 1).collect()),
        ),
        column(
            "p_false_atoms",
            CHANCE,
            chance(FeatureSet::Atoms, Penalty::L1),
        ),
        column(
            "p_false_scores",
            "The same by their scores (L1). Missing where firing sets have none.",
            chance(FeatureSet::Scores, Penalty::L1),
        ),
        column(
            "p_false_baseline",
            "The same by the baseline alone (L2): the table prediction says what it knows.",
            chance(FeatureSet::Baseline, Penalty::L2),
        ),
        column(
            "p_false_both",
            "The same by the baseline and the atoms that fire (L1).",
            chance(FeatureSet::Both, Penalty::L1),
        ),
    ];
    Some(Table {
        name: "call_predictions",
        about: "With --predict: one row a call, with its chance of being false by models that were fitted \
                and recalibrated without its fold.",
        columns,
    })
}

const CHANCE: &str = "The chance that the call is false, by the atoms that fire (L1): of a model fitted without its fold, its \
                      penalty and Platt's recalibration chosen without it too.";
