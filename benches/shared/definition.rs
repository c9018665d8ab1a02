//! The answer by its definition (docs/DEFINITION.md), sharing no code with any
//! engine: every score in binary64, in the defined order.

use atomscope::sae::Sae;
use rayon::prelude::*;

/// Rows that go through the weights together, which then are read once for all of them.
const TOGETHER: usize = 8;

fn whiten(sae: &Sae, embedding: &[f32]) -> Vec<f32> {
    let (mean, divisors) = sae.whitening().expect("a whitened model");
    let parameters = mean.iter().zip(divisors);
    embedding
        .iter()
        .zip(parameters)
        .map(|(e, (mean, divisor))| (e - mean) / divisor)
        .collect()
}

fn score(x: &[f32], weight: &[f32], bias: f32) -> f64 {
    let mut lanes = [0.0f64; 32];
    for (x, w) in x.chunks(32).zip(weight.chunks(32)) {
        for (lane, (x, w)) in lanes.iter_mut().zip(x.iter().zip(w)) {
            *lane += f64::from(*x) * f64::from(*w);
        }
    }
    for step in [16, 8, 4, 2, 1] {
        let before = lanes;
        for l in 0..32 {
            lanes[l] = before[l] + before[l ^ step];
        }
    }
    lanes[0] + f64::from(bias)
}

/// The k best, equal scores to the lowest index; ascending.
fn best(scores: &[f64], k: usize) -> Vec<u32> {
    let mut order: Vec<u32> = (0..scores.len() as u32).collect();
    let better = |a: &u32, b: &u32| {
        scores[*b as usize]
            .total_cmp(&scores[*a as usize])
            .then(a.cmp(b))
    };
    order.select_nth_unstable_by(k - 1, better);
    order.truncate(k);
    order.sort_unstable();
    order
}

/// The scores of all atoms on each row of embeddings \[rows, D\].
pub(crate) fn scores(sae: &Sae, embeddings: &[f32]) -> Vec<Vec<f64>> {
    let (d, f) = (sae.input_dim(), sae.feature_dim());
    let of_rows = |rows: &[f32]| {
        let xs: Vec<Vec<f32>> = rows.chunks(d).map(|e| whiten(sae, e)).collect();
        let mut scores = vec![vec![0.0; f]; xs.len()];
        for (atom, weight) in sae.weight().chunks(d).enumerate() {
            for (x, scores) in xs.iter().zip(&mut scores) {
                scores[atom] = score(x, weight, sae.bias()[atom]);
            }
        }
        scores
    };
    embeddings
        .par_chunks(TOGETHER * d)
        .flat_map_iter(of_rows)
        .collect()
}

/// Firing sets \[rows, k\] of embeddings \[rows, D\].
pub(crate) fn firing_sets(sae: &Sae, embeddings: &[f32]) -> Vec<u32> {
    let (d, k) = (sae.input_dim(), sae.top_k().unwrap());
    let of_rows = |rows: &[f32]| {
        let sets = scores(sae, rows).into_iter();
        sets.flat_map(|scores| best(&scores, k))
            .collect::<Vec<u32>>()
    };
    embeddings
        .par_chunks(TOGETHER * d)
        .flat_map_iter(of_rows)
        .collect()
}
