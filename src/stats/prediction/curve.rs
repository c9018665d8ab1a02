//! The sparse-probing curve (Gurnee et al., 2023): how well a few atoms predict.
//!
//! Without each fold, the atoms that enter the path of L1 first are fitted anew. They are chosen without
//! the fold, so the curve is as honest as the models.

use rayon::prelude::*;

use super::design::Design;
use super::metrics::{Judged, Replicated, Resampled, auroc};
use super::nested::{Nested, Spec, training};
use super::path::{Path, linear};
use crate::control::Control;
use crate::error::Result;

/// The numbers of atoms.
pub const ATOMS: [usize; 9] = [1, 2, 4, 8, 16, 32, 64, 128, 256];

/// The largest of them.
pub(super) const MOST: usize = 256;

/// The weight of L2 under which a few atoms are fitted: next to none.
const WEIGHT: f64 = 1e-6;

/// How well the first atoms predict.
#[derive(Debug, Clone, PartialEq)]
pub struct CurvePoint {
    /// The number of atoms.
    pub atoms: usize,
    /// The chance that a false call has the larger log odds than a true one of its fold.
    pub auroc: Replicated,
}

/// Computes the curve, as far as that many atoms enter without each fold.
pub(super) fn of(
    design: &Design,
    spec: &Spec,
    nested: &Nested,
    judged: &Judged<'_>,
    resampled: &Resampled<'_>,
    control: &Control,
) -> Result<Vec<CurvePoint>> {
    let most = nested.entered.iter().map(Vec::len).min().unwrap_or(0);
    let mut points = Vec::new();
    for atoms in ATOMS.into_iter().filter(|&atoms| atoms <= most) {
        let of_fold = |(fold, entered): (usize, &Vec<u32>)| {
            control.check()?;
            let part = training(design, spec, &[fold]);
            let held = part.elsewhere(design, &[fold]);
            let mut first = entered[..atoms].to_vec();
            first.sort_unstable();
            Ok(linear(&held, &Path::fit_some(part, &first, WEIGHT)))
        };
        let folds = nested.entered.par_iter().enumerate();
        let folds: Vec<Vec<f64>> = folds.map(of_fold).collect::<Result<_>>()?;
        let mut log_odds = vec![0.0; judged.log_odds.len()];
        for (group, of_fold) in design.groups.iter().zip(folds) {
            for (&call, eta) in group.calls.iter().zip(of_fold) {
                log_odds[call as usize] = eta;
            }
        }
        let judged = Judged {
            log_odds: &log_odds,
            ..*judged
        };
        let auroc = auroc(&judged, resampled);
        points.push(CurvePoint { atoms, auroc });
    }
    Ok(points)
}
