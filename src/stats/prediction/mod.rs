//! What atoms know of the label: a logistic model of it, never judged on what it was fitted to.
//!
//! Calls are held out by chromosome, or by locus. For each fold a model is fitted to the others, its
//! penalty chosen and its chances recalibrated without the fold. So every call has a chance of being
//! false from a model that has not seen it, nor its neighbours.
//!
//! | file | what it holds |
//! |---|---|
//! | `calls` | the calls, with their features |
//! | `quantities` | QUAL and other quantities as features |
//! | `folds` | which calls are held out together |
//! | `design` | features, sorted by fold and feature |
//! | `objective` | what is minimised |
//! | `solver` | penalised logistic regression by Newton steps |
//! | `quadratic` | a Newton step, by coordinate descent |
//! | `path` | models under one penalty after another |
//! | `nested` | a model without each fold, its penalty chosen without it |
//! | `calibration` | an intercept and a slope: recalibration, and its test |
//! | `metrics` | figures with intervals by bootstrap of blocks |
//! | `curve` | how many atoms are needed |

mod calibration;
mod calls;
mod curve;
mod design;
mod folds;
mod metrics;
mod nested;
mod objective;
mod path;
mod quadratic;
mod quantities;
mod solver;

use serde::Serialize;

use crate::control::{Control, Stage};
use crate::error::Result;
use crate::fires::FiringStore;
use crate::stats::evidence::regions::RegionOptions;
use crate::stats::resampling::blocks::Blocks;
use crate::stats::resampling::bootstrap::{Bootstrap, CallLabels};

pub use calibration::{Line, fit_line, platt};
pub use calls::PredictedCalls;
pub use curve::{ATOMS, CurvePoint};
pub use design::{Design, Part, SparseRows};
pub use folds::{FOLDS, Folds, PredictBy, named_blocks};
pub use metrics::{Figure, Figures, Judged, Replicated, Resampled, auroc};
pub use nested::{Nested, PENALTIES, Spec};
pub use objective::{Coefficients, Weights};
pub use path::{Path, Penalty, TOLERANCE, fit, linear};

/// The options of a prediction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Options {
    /// What lies in one fold as a whole.
    pub by: PredictBy,
    /// Atoms that fire on fewer calls are left out.
    pub min_support: u64,
    /// The distance in base pairs within which a call and the next are one locus.
    pub locus_distance: u64,
    /// Bootstrap replicates for the intervals; 0 for none.
    pub bootstrap: usize,
    /// The same seed gives the same replicates.
    pub seed: u64,
}

/// What a model learns from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FeatureSet {
    /// The call's type, size, and dataset; with the regions it lies in and the quantities that are
    /// described, where there are any.
    Baseline,
    /// The quantities alone.
    Quantities,
    /// The atoms that fire.
    Atoms,
    /// Their scores.
    Scores,
    /// The baseline and the atoms that fire.
    Both,
}

impl FeatureSet {
    /// Returns its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Quantities => "quantities",
            Self::Atoms => "atoms",
            Self::Scores => "scores",
            Self::Both => "baseline+atoms",
        }
    }
}

/// One model of the label.
#[derive(Debug, Clone)]
pub struct Model {
    /// What it learns from.
    pub features: FeatureSet,
    /// Its penalty.
    pub penalty: Penalty,
    /// Its fits.
    pub nested: Nested,
    /// How well it predicts calls that it has not seen.
    pub figures: Figures,
}

/// What atoms know of the label.
#[derive(Debug, Clone)]
pub struct Prediction {
    /// The options.
    pub options: Options,
    /// The calls.
    pub calls: PredictedCalls,
    /// Their folds.
    pub folds: Folds,
    /// Why nothing was predicted, if so.
    pub refusal: Option<String>,
    /// The models; none where nothing was predicted.
    pub models: Vec<Model>,
    /// How well few atoms predict.
    pub curve: Vec<CurvePoint>,
    /// The number of blocks that the bootstrap draws from, and what they are; `None` without intervals.
    pub drawn: Option<(u32, &'static str)>,
    /// Seconds that it took.
    pub seconds: f64,
}

/// The models that are fitted. Those of scores need firing sets with scores, that of quantities needs them.
const MODELS: [(FeatureSet, Penalty); 6] = [
    (FeatureSet::Baseline, Penalty::L2),
    (FeatureSet::Quantities, Penalty::L2),
    (FeatureSet::Atoms, Penalty::L1),
    (FeatureSet::Atoms, Penalty::L2),
    (FeatureSet::Scores, Penalty::L1),
    (FeatureSet::Both, Penalty::L1),
];

/// Blocks below which drawing them anew tells nothing of how far a figure would move.
const LEAST_BLOCKS: u32 = crate::stats::evidence::LEAST_BLOCKS;

impl Prediction {
    /// Predicts the label of every call. The baseline knows `regions`, too. `control` can cancel it.
    ///
    /// # Errors
    /// Those of reading; cancellation.
    pub fn of(
        store: &dyn FiringStore,
        options: Options,
        regions: Option<&RegionOptions>,
        control: &Control,
    ) -> Result<Self> {
        let began = std::time::Instant::now();
        let control = &control.stage(Stage::Predicting, 0);
        let calls = PredictedCalls::read(store, regions, options.min_support, control)?;
        let loci = calls.loci(options.locus_distance);
        let chromosomes = named_blocks(&calls.chromosomes, &calls.chrom);
        let by_locus = options.by == PredictBy::Locus || (chromosomes.count as usize) < FOLDS;
        let (by, units) = if by_locus {
            (PredictBy::Locus, &loci)
        } else {
            (PredictBy::Chrom, &chromosomes)
        };
        let folds = Folds::of(by, units);
        let mut found = Self {
            options,
            refusal: folds.refusal(&calls.is_fp),
            calls,
            folds,
            models: Vec::new(),
            curve: Vec::new(),
            drawn: None,
            seconds: 0.0,
        };
        if found.refusal.is_none() {
            found.fit(units, &loci, control)?;
        }
        found.seconds = began.elapsed().as_secs_f64();
        Ok(found)
    }

    fn fit(&mut self, units: &Blocks, loci: &Blocks, control: &Control) -> Result<()> {
        // Sorted by feature they are there once more, so they are not kept.
        let rows = std::mem::take(&mut self.calls.features);
        let (is_fp, folds) = (&self.calls.is_fp, &self.folds);
        let all = self.calls.properties.len() + self.calls.atoms.len();
        let design = Design::new(&rows, all, &folds.of_call, folds.count, is_fp)?;
        let has_values = rows.values.is_some();
        drop(rows);
        let is_tp: Vec<bool> = is_fp.iter().map(|is_fp| !is_fp).collect();
        let labels = CallLabels::new(&is_tp, |_| false);
        let enough = |blocks: &&Blocks| blocks.count >= LEAST_BLOCKS && self.options.bootstrap > 0;
        let blocks = [units, loci].into_iter().find(enough);
        let bootstrap = blocks.map(|blocks| Bootstrap {
            blocks,
            replicates: self.options.bootstrap,
            seed: self.options.seed,
        });
        let resampled = Resampled::of(bootstrap.as_ref(), &labels, control)?;
        let unit = folds.unit();
        self.drawn = blocks.map(|blocks| {
            let are_units = std::ptr::eq(blocks, units);
            (blocks.count, if are_units { unit } else { "loci" })
        });
        let has_quantities = self.calls.first_quantity < self.calls.properties.len();
        let is_there = |(features, _): &(FeatureSet, Penalty)| match features {
            FeatureSet::Scores => has_values,
            FeatureSet::Quantities => has_quantities,
            _ => true,
        };
        let models: Vec<_> = MODELS.into_iter().filter(is_there).collect();
        let control = control.stage(Stage::Predicting, models.len() as u64);
        for (done, (features, penalty)) in (1..).zip(models) {
            self.fit_one(features, penalty, &design, &resampled, &control)?;
            control.report(done);
        }
        Ok(())
    }

    /// Fits one model, judges it, and keeps it.
    fn fit_one(
        &mut self,
        features: FeatureSet,
        penalty: Penalty,
        design: &Design,
        resampled: &Resampled<'_>,
        control: &Control,
    ) -> Result<()> {
        let spec = self.spec(features, penalty);
        let nested = Nested::of(design, &spec, self.calls.rows.len(), control)?;
        let judged = Judged {
            log_odds: &nested.log_odds,
            is_fp: &self.calls.is_fp,
            folds: &self.folds.of_call,
        };
        let figures = Figures::of(&judged, resampled, control)?;
        if spec.entries > 0 {
            self.curve = curve::of(design, &spec, &nested, &judged, resampled, control)?;
        }
        self.models.push(Model {
            features,
            penalty,
            nested,
            figures,
        });
        Ok(())
    }

    /// Describes a model to be fitted.
    fn spec(&self, features: FeatureSet, penalty: Penalty) -> Spec {
        let (first, all) = (self.calls.properties.len(), self.calls.atoms.len());
        let is_curve = features == FeatureSet::Atoms && penalty == Penalty::L1;
        Spec {
            features: match features {
                FeatureSet::Baseline => 0..first,
                FeatureSet::Quantities => self.calls.first_quantity..first,
                FeatureSet::Atoms | FeatureSet::Scores => first..first + all,
                FeatureSet::Both => 0..first + all,
            },
            valued: features == FeatureSet::Scores,
            penalty,
            entries: if is_curve { curve::MOST } else { 0 },
        }
    }

    /// The model of these features and this penalty, where it was fitted.
    pub fn model(&self, features: FeatureSet, penalty: Penalty) -> Option<&Model> {
        let mut models = self.models.iter();
        models.find(|model| model.features == features && model.penalty == penalty)
    }
}
