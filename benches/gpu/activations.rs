//! Firing sets of every activation, on the device, against their definition.

use atomscope::control::Control;
use atomscope::engine::{CudaEngine, Cuts, Engine, EngineOptions};
use atomscope::rows::SliceRows;
use atomscope::sae::{Activation, Sae, SaeParts};
use serde_json::json;

use crate::data::{self, Kind};
use crate::{Outcome, definition, rules, say};

const DIM: usize = 64;
const FEATURES: usize = 512;
const K: usize = 8;
/// Rows of a batch that is cut together.
const BATCH: usize = 1000;

/// The activations, of a model with these scores.
fn activations(scores: &[Vec<f64>]) -> Vec<Activation> {
    // Thresholds at scores of the first row: equal scores do not fire.
    let thresholds = scores[0].iter().map(|score| score.abs()).collect();
    vec![
        Activation::TopK { k: K, relu: true },
        Activation::TopKWithTies { k: K },
        Activation::AbsTopK { k: K },
        Activation::GroupMax { groups: K },
        Activation::relu(FEATURES),
        Activation::Threshold { thresholds },
        Activation::BatchTopK { k: K },
    ]
}

/// The sets of all rows, and the cuts of batches where they are cut.
fn expected(activation: &Activation, scores: &[Vec<f64>]) -> (Vec<Vec<u32>>, Option<Cuts>) {
    let Activation::BatchTopK { k } = *activation else {
        let sets = scores.iter().map(|scores| rules::fires(activation, scores));
        return (sets.collect(), None);
    };
    let (mut sets, mut cuts) = (Vec::new(), Vec::new());
    for batch in scores.chunks(BATCH) {
        let (of_batch, cut) = rules::batch_fires(k, sets.len() as u64, batch);
        sets.extend(of_batch);
        cuts.push(cut);
    }
    (sets, Some(Cuts::new(BATCH as u64, cuts)))
}

pub(crate) fn run(small: bool) -> Outcome {
    let count = if small { 200 } else { 100_000 };
    let mut good = true;
    for kind in [Kind::Gaussian, Kind::Tied] {
        let top_k = data::model(kind, DIM, FEATURES, K)?;
        let embeddings = data::embeddings(kind, DIM, count);
        let strata = data::strata(count);
        let scores = definition::scores(&top_k, &embeddings);
        for activation in activations(&scores) {
            let (sets, cuts) = expected(&activation, &scores);
            let name: String = format!("{activation:?}").chars().take(20).collect();
            let parts = top_k.clone().into_parts();
            let sae = Sae::new(SaeParts {
                activation,
                ..parts
            })?;
            let rows = SliceRows::new(&embeddings, DIM)?;
            let mut engine = CudaEngine::new(&[0], &sae, &EngineOptions::default())?;
            let (cuts, control) = (cuts.as_ref(), Control::default());
            let found = engine.encode_cut(&rows, &strata, cuts, &control)?;
            let pairs = found.fires.all().iter().zip(&sets);
            let differing = pairs.filter(|(a, b)| a != b).count();
            let differing = differing + sets.len().abs_diff(found.fires.rows());
            good &= differing == 0;
            say(
                "activations",
                json!({
                    "data": format!("{kind:?}"), "rows": count, "dim": DIM, "features": FEATURES,
                    "k": K, "activation": name, "rows_differing": differing,
                    "certificate": found.tally.certificate(), "seconds": found.seconds.encode,
                }),
            );
        }
    }
    Ok(good)
}
