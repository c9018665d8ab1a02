//! Firing sets by their definition, read literally: the oracle of what is timed.

use atomscope::sae::Sae;

/// The firing set of the embedding `e`, ascending.
pub(crate) fn firing_set(sae: &Sae, e: &[f32]) -> Vec<u32> {
    let d = sae.input_dim();
    let x: Vec<f32> = (0..d)
        .map(|i| (e[i] - sae.mean()[i]) / (sae.std()[i] + 1e-6))
        .collect();
    let mut scored: Vec<(f64, u32)> = (0..sae.feature_dim())
        .map(|f| {
            let weight = &sae.weight()[f * d..(f + 1) * d];
            (score(&x, weight, sae.bias()[f]), f as u32)
        })
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut fires: Vec<u32> = scored[..sae.k()].iter().map(|s| s.1).collect();
    fires.sort_unstable();
    fires
}

fn score(x: &[f32], weight: &[f32], bias: f32) -> f64 {
    let mut lanes = [0.0f64; 32];
    for i in 0..x.len() {
        lanes[i % 32] += f64::from(x[i]) * f64::from(weight[i]);
    }
    for step in [16, 8, 4, 2, 1] {
        let before = lanes;
        for l in 0..32 {
            lanes[l] = before[l] + before[l ^ step];
        }
    }
    lanes[0] + f64::from(bias)
}
