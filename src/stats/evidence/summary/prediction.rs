//! What atoms know of the label.

use serde::Serialize;

use crate::stats::prediction::{FeatureSet, Model, Penalty, Prediction};

/// How well the label is predicted, of calls that no model has seen.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PredictionSummary {
    /// What lies in one fold as a whole: chromosomes, or loci.
    pub units: &'static str,
    /// The number of such units.
    pub unit_count: u32,
    /// The number of folds.
    pub folds: usize,
    /// Why nothing was predicted, if so.
    pub refusal: Option<String>,
    /// What the baseline knows of a call.
    pub baseline: Vec<&'static str>,
    /// The share of false calls: the AUPRC of chance.
    pub prevalence: f64,
    /// The models.
    pub models: Vec<PredictedBy>,
    /// The AUROC of atoms and baseline less that of the baseline, with its interval.
    pub added: Option<[f64; 3]>,
    /// The numbers of first atoms, with the AUROC that they reach.
    pub curve: Vec<(usize, f64)>,
    /// The blocks that intervals are drawn from, and what they are; `None` without intervals.
    pub drawn: Option<(u32, &'static str)>,
}

/// How well one model predicts: each figure with its 95 % interval, NaN where there is none.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PredictedBy {
    /// What it learns from.
    pub features: FeatureSet,
    /// Its penalty.
    pub penalty: Penalty,
    /// The area under the ROC curve; chance is 0.5.
    pub auroc: [f64; 3],
    /// The average precision.
    pub auprc: [f64; 3],
    /// The slope of the label on the log odds; 1 is calibrated.
    pub slope: [f64; 3],
    /// Coefficients that are not 0 in the model of all calls.
    pub used: usize,
    /// All coefficients of that.
    pub all: usize,
    /// Fits that took more Newton steps than are made, and are not at their minimum.
    pub capped: usize,
}

impl PredictionSummary {
    pub(super) fn of(found: &Prediction) -> Self {
        let is_fp = &found.calls.is_fp;
        let false_calls = is_fp.iter().filter(|&&is_fp| is_fp).count();
        let model = |features, penalty| found.model(features, penalty);
        let both = model(FeatureSet::Both, Penalty::L1);
        let added = both.zip(model(FeatureSet::Baseline, Penalty::L2));
        Self {
            units: found.folds.unit(),
            unit_count: found.folds.units,
            folds: found.folds.count,
            refusal: found.refusal.clone(),
            baseline: {
                let mut all = vec!["type", "size", "dataset"];
                all.extend(&found.calls.beside);
                all
            },
            prevalence: false_calls as f64 / is_fp.len() as f64,
            models: found.models.iter().map(PredictedBy::of).collect(),
            added: added.map(|(both, baseline)| {
                let figure = both.figures.auroc.less(&baseline.figures.auroc).figure();
                [figure.value, figure.low, figure.high]
            }),
            curve: (found.curve.iter())
                .map(|point| (point.atoms, point.auroc.value))
                .collect(),
            drawn: found.drawn,
        }
    }
}

impl PredictedBy {
    fn of(model: &Model) -> Self {
        let figures = &model.figures;
        let [auroc, auprc, slope] = [&figures.auroc, &figures.auprc, &figures.slope].map(|found| {
            let figure = found.figure();
            [figure.value, figure.low, figure.high]
        });
        let coefficients = &model.nested.all.features;
        Self {
            features: model.features,
            penalty: model.penalty,
            auroc,
            auprc,
            slope,
            used: coefficients.iter().filter(|&&b| b != 0.0).count(),
            all: coefficients.len(),
            capped: model.nested.capped,
        }
    }
}
