//! Mean scores of true and of false calls, and their difference within strata.

use super::strata::LabelledCalls;
use crate::stats::inference::effect::Z_95;
use crate::stats::inference::student;

/// Means of an atom's scores, \[TP, FP\], and their difference within strata.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Means {
    /// The mean over all calls of a label; `None` if it has none.
    pub mean: [Option<f64>; 2],
    /// The difference, true less false calls, within strata.
    pub difference: Option<f64>,
    /// The ends of its 95 % interval.
    pub interval: Option<[f64; 2]>,
}

/// Buffers, reused from atom to atom.
#[derive(Debug, Default)]
pub(super) struct Averaging {
    means: Vec<[f64; 2]>,
    /// The sums of squared distances from the means.
    squares: Vec<[f64; 2]>,
}

impl Averaging {
    /// Computes the means of `scores`, one a call.
    ///
    /// The difference is Σ wₛ·dₛ / Σ wₛ over strata with calls of both labels, wₛ = m₁m₀/n: the
    /// coefficient of the label in a linear regression of the score on label and stratum. The
    /// variance of the scores is taken to be one for all strata, but another for true than for
    /// false calls, σ₁² and σ₀², each estimated within strata. The interval is that of Student's t
    /// with the degrees of freedom of Welch and Satterthwaite (Biometrics Bull. 2, 1946).
    pub(super) fn of(&mut self, scores: &[f64], calls: &LabelledCalls) -> Means {
        self.sum(scores, calls);
        let mean = [0, 1].map(|label| {
            let sum: f64 = (self.means.iter().zip(&calls.counts))
                .map(|(mean, n)| mean[label] * n[label] as f64)
                .sum();
            (calls.total[label] > 0).then(|| sum / calls.total[label] as f64)
        });
        let (mut weights, mut sum) = (0.0, 0.0);
        // For each label: the coefficient of its variance, the squares, and their degrees of
        // freedom.
        let (mut factor, mut squares, mut degrees) = ([0.0; 2], [0.0; 2], [0.0; 2]);
        for (stratum, n) in calls.telling() {
            let weight = n[0] * n[1] / (n[0] + n[1]);
            weights += weight;
            sum += weight * (self.means[stratum][0] - self.means[stratum][1]);
            for label in 0..2 {
                factor[label] += weight * weight / n[label];
                squares[label] += self.squares[stratum][label];
                degrees[label] += n[label] - 1.0;
            }
        }
        let difference = (weights > 0.0).then(|| sum / weights);
        let is_spread = degrees.iter().all(|&degrees| degrees > 0.0);
        let interval = difference.filter(|_| is_spread).map(|difference| {
            let part = [0, 1].map(|label| {
                factor[label] / (weights * weights) * (squares[label] / degrees[label])
            });
            let variance = part[0] + part[1];
            if variance == 0.0 {
                return [difference; 2];
            }
            let welch = part[0] * part[0] / degrees[0] + part[1] * part[1] / degrees[1];
            let half_width = t_95(variance * variance / welch) * variance.sqrt();
            [difference - half_width, difference + half_width]
        });
        Means {
            mean,
            difference,
            interval,
        }
    }

    /// Computes means and squares of each stratum and label, in the order of the calls.
    fn sum(&mut self, scores: &[f64], calls: &LabelledCalls) {
        let each = || {
            let of = |(&score, call): (&f64, usize)| {
                let stratum = calls.stratum[call] as usize;
                (stratum, usize::from(!calls.is_tp[call]), score)
            };
            scores.iter().zip(0..).map(of)
        };
        for sums in [&mut self.means, &mut self.squares] {
            sums.clear();
            sums.resize(calls.counts.len(), [0.0; 2]);
        }
        for (stratum, label, score) in each() {
            self.means[stratum][label] += score;
        }
        for (means, counts) in self.means.iter_mut().zip(&calls.counts) {
            for (mean, &count) in means.iter_mut().zip(counts) {
                *mean /= count.max(1) as f64;
            }
        }
        for (stratum, label, score) in each() {
            let distance = score - self.means[stratum][label];
            self.squares[stratum][label] += distance * distance;
        }
    }
}

/// Computes the 97.5 % quantile of Student's t with so many degrees of freedom.
fn t_95(degrees: f64) -> f64 {
    if degrees >= 300.0 {
        // These are the first terms of the series about the normal quantile (Abramowitz and Stegun
        // 26.7.5); the next is below 10⁻¹⁰ here.
        let (z, v) = (Z_95, degrees);
        let [z3, z5, z7] = [3, 5, 7].map(|power| z.powi(power));
        return z
            + (z3 + z) / (4.0 * v)
            + (5.0 * z5 + 16.0 * z3 + 3.0 * z) / (96.0 * v * v)
            + (3.0 * z7 + 19.0 * z5 + 17.0 * z3 - 15.0 * z) / (384.0 * v * v * v);
    }
    let ln_level = libm::log(0.05);
    let is_beyond = |t: f64| {
        let square = t * t;
        let y = square / (degrees + square);
        student::ln_two_sided(y, degrees / (degrees + square), degrees) <= ln_level
    };
    let mut low = 1.0;
    let mut high = 2.0;
    while !is_beyond(high) {
        low = high;
        high *= 2.0;
    }
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if is_beyond(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::t_95;

    #[test]
    fn t_95_matches_scipy() {
        // scipy.stats.t.ppf(0.975, df)
        for (degrees, expected) in [
            (1.0, 12.706_204_736_174_694),
            (2.5, 3.574_654_842_003_681_7),
            (30.0, 2.042_272_456_301_237_8),
            (299.0, 1.967_929_669_065_669_8),
            (300.0, 1.967_903_011_261_086_5),
            (1e6, 1.959_966_356_814_107),
        ] {
            let found = t_95(degrees);
            assert!(
                (found - expected).abs() < 1e-9 * expected,
                "{degrees}: {found}"
            );
        }
    }
}
