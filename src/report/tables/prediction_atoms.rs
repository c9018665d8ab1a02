//! `prediction_atoms`: one row an atom that is a feature.

use super::atom_column;
use crate::report::table::{Column, Table, Values};
use crate::stats::prediction::{FeatureSet, Model, Penalty, Prediction};

/// The columns of one model: their names, and what the coefficient is.
type Columns = (FeatureSet, Penalty, [&'static str; 4], &'static str);

const MODELS: [Columns; 4] = [
    (
        FeatureSet::Atoms,
        Penalty::L1,
        ["l1", "l1_min", "l1_max", "l1_folds"],
        "Coefficient in the model of atoms that fire under L1, of all calls and the median of the chosen \
         penalties: by how much the log odds of being false rise where the atom fires.",
    ),
    (
        FeatureSet::Atoms,
        Penalty::L2,
        ["l2", "l2_min", "l2_max", "l2_folds"],
        "The same under L2.",
    ),
    (
        FeatureSet::Both,
        Penalty::L1,
        ["both_l1", "both_l1_min", "both_l1_max", "both_l1_folds"],
        "The same under L1, beside the baseline.",
    ),
    (
        FeatureSet::Scores,
        Penalty::L1,
        [
            "scores_l1",
            "scores_l1_min",
            "scores_l1_max",
            "scores_l1_folds",
        ],
        "The same of the score under L1, over its root mean square on the calls that the model is fitted to.",
    ),
];

/// The table of coefficients; `None` where nothing was predicted.
pub fn prediction_atoms(found: &Prediction) -> Option<Table> {
    found.models.first()?;
    let atoms = &found.calls.atoms;
    let mut columns = vec![atom_column(atoms.iter().copied())];
    for (features, penalty, names, about) in MODELS {
        let model = found.model(features, penalty);
        columns.extend(coefficients(model, atoms.len(), names, about));
    }
    Some(Table {
        name: "prediction_atoms",
        about: "With --predict: one row an atom that fires on at least --min-support calls, with its \
                coefficients in the models of the label. Positive is towards false calls. A model was fitted \
                without each fold, and one to all calls. Of atoms that fire together L1 may choose either.",
        columns,
    })
}

fn coefficients(
    model: Option<&Model>,
    atoms: usize,
    [name, least, most, folds]: [&'static str; 4],
    about: &'static str,
) -> [Column; 4] {
    // The atoms are the last features.
    let last = |features: &[f64]| features[features.len().saturating_sub(atoms)..].to_vec();
    let all = model.map(|model| last(&model.nested.all.features));
    let of_folds: Vec<Vec<f64>> = model.map_or(Vec::new(), |model| {
        model
            .nested
            .models
            .iter()
            .map(|fold| last(&fold.features))
            .collect()
    });
    let over = |start: f64, pick: fn(f64, f64) -> f64| {
        let of = |atom: usize| {
            of_folds
                .iter()
                .fold(start, |found, fold| pick(found, fold[atom]))
        };
        Values::F64((0..atoms).map(of).collect())
    };
    let used = |atom: usize| of_folds.iter().filter(|fold| fold[atom] != 0.0).count() as u32;
    [
        Column::new(
            name,
            about,
            Values::F64(all.unwrap_or_else(|| vec![f64::NAN; atoms])),
        ),
        Column::new(
            least,
            "The least of it without a fold.",
            over(f64::NAN, f64::min),
        ),
        Column::new(
            most,
            "The largest of it without a fold.",
            over(f64::NAN, f64::max),
        ),
        Column::new(
            folds,
            "Folds without which it is not 0.",
            Values::U32((0..atoms).map(used).collect()),
        ),
    ]
}
