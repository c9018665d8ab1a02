//! The canonical score, read literally: 32 lanes, five exchanges among all of them, then the bias.

/// The score of whitened row `x` with weights `w` and a bias.
pub(crate) fn score(x: &[f32], w: &[f32], bias: f32) -> f64 {
    let mut lanes = [0.0f64; 32];
    for (i, (&x, &w)) in x.iter().zip(w).enumerate() {
        lanes[i % 32] += f64::from(x) * f64::from(w);
    }
    for step in [16, 8, 4, 2, 1] {
        let old = lanes;
        for (l, lane) in lanes.iter_mut().enumerate() {
            *lane = old[l] + old[l ^ step];
        }
    }
    lanes[0] + f64::from(bias)
}
