//! The distribution of Q given the sum, by its first three moments.
//!
//! The counts are independent before the sum is given. So the joint cumulants of their sum S and of
//! Q are sums over strata. With β = κ(Q,S)/κ(S,S), R = Q − β·S is uncorrelated with S, and for S at
//! its mean the joint cumulant function, expanded in S's argument about 0 and integrated, gives
//! (Daniels, Ann. Math. Statist. 25, 1954; the double saddlepoint to this order)
//!
//! ```text
//! K(t | S) = K_R(t) − ½·ln(V(t)/V(0)) + terms from t⁴ on,  V(t) = κ(S,S) + κ(R,S,S)·t + …
//! ```
//!
//! of which the first three derivatives are the moments here. The third derivative of ½·ln V is
//! taken to be the share of the third cumulant that the second one's is of the variance. The
//! distribution is a gamma one with these moments, as the chi-square distribution is.

use super::Fitted;
use crate::stats::inference::tails::gamma_upper;

/// The least skewness of the gamma distribution, below which it is all but normal.
const LEAST_SKEWNESS: f64 = 0.005;

/// Computes about the probability of a Q as large or larger; `None` if Q does not vary, or not as a
/// gamma variable can.
pub(super) fn p(fitted: &[Fitted], sum: u64, observed: f64) -> Option<f64> {
    let mut all = Joint::default();
    for one in fitted {
        all.add(one);
    }
    let fits: f64 = fitted.iter().map(|one| one.fit).sum();
    let [mean, variance, third] = all.given(sum as f64 - fits);
    let spread = variance.sqrt();
    let skewness = (third / (variance * spread)).max(LEAST_SKEWNESS);
    if !(variance > 1e-6 * all.qq && skewness < 4.0) {
        return None;
    }
    let shape = 4.0 / (skewness * skewness);
    let distance = (observed - mean) / spread;
    Some(gamma_upper(shape, shape + distance * shape.sqrt()))
}

/// Joint cumulants of Q and of S: `qqx` is κ(Q,Q,S).
#[derive(Debug, Default)]
struct Joint {
    /// The mean of S less all fits.
    x: f64,
    q: f64,
    xx: f64,
    qx: f64,
    qq: f64,
    xxx: f64,
    qxx: f64,
    qqx: f64,
    qqq: f64,
    xxxx: f64,
    qxxx: f64,
    qqxx: f64,
}

impl Joint {
    /// Adds a stratum.
    fn add(&mut self, one: &Fitted) {
        let (mean, [c2, c3, c4, c5, c6]) = central_moments(one);
        let scale = 1.0 / one.variance;
        // Q is Z + d·X but for a constant and the scale, with X = x − mean and Z = X² − c2.
        let d = 2.0 * mean;
        let (zz, zzx, zxxx) = (c4 - c2 * c2, c5 - 2.0 * c2 * c3, c5 - c2 * c3);
        let zzz = c6 - 3.0 * c2 * c4 + 2.0 * c2 * c2 * c2;
        let zzxx = c6 - 2.0 * c2 * c4 + c2 * c2 * c2;
        let qx = scale * (c3 + d * c2);
        let qq = scale * scale * (zz + d * (2.0 * c3 + d * c2));
        self.x += mean;
        self.q += scale * (c2 + mean * mean);
        self.xx += c2;
        self.qx += qx;
        self.qq += qq;
        self.xxx += c3;
        self.qxx += scale * (zz + d * c3);
        self.qqx += scale * scale * (zzx + d * (2.0 * zz + d * c3));
        self.qqq += scale * scale * scale * (zzz + d * (3.0 * zzx + d * (3.0 * zz + d * c3)));
        self.xxxx += c4 - 3.0 * c2 * c2;
        self.qxxx += scale * (zxxx + d * c4) - 3.0 * qx * c2;
        let square = scale * scale * (zzxx + d * (2.0 * zxxx + d * c4));
        self.qqxx += square - qq * c2 - 2.0 * qx * qx;
    }

    /// Computes Q's mean, variance and third cumulant given that S less all fits is `sum`.
    fn given(&self, sum: f64) -> [f64; 3] {
        let v = self.xx;
        let b = self.qx / v;
        let off = sum - self.x;
        let rxx = self.qxx - b * self.xxx;
        let rrxx = self.qqxx - b * (2.0 * self.qxxx - b * self.xxxx);
        let rr = self.qq - b * self.qx;
        let rrr = self.qqq - b * (3.0 * self.qqx - b * (3.0 * self.qxx - b * self.xxx));
        let mean = self.q + b * off - rxx / (2.0 * v) * (1.0 - off * off / v);
        let variance = rr - 0.5 * (rrxx / v - (rxx / v) * (rxx / v));
        [mean, variance, rrr * (variance / rr)]
    }
}

/// Computes a stratum's mean less its fit, and its central moments from the second to the sixth.
fn central_moments(one: &Fitted) -> (f64, [f64; 5]) {
    let from = one.first as f64 - one.fit;
    let (mut mean, mut place) = (0.0, 0.0);
    for p in one.probabilities {
        mean += p * place;
        place += 1.0;
    }
    let mut moments = [0.0; 5];
    let mut x = -mean;
    for p in one.probabilities {
        let square = x * x;
        let (two, four) = (p * square, p * square * square);
        for (moment, term) in moments
            .iter_mut()
            .zip([two, two * x, four, four * x, four * square])
        {
            *moment += term;
        }
        x += 1.0;
    }
    (from + mean, moments)
}

#[cfg(test)]
mod tests {
    use super::{Fitted, Joint};

    /// Counts 2, 3, … of two strata, with a fit and a variance that are not their means'.
    const STRATA: [(f64, f64, &[f64]); 2] = [
        (3.2, 1.7, &[0.125, 0.5, 0.25, 0.0625, 0.0625]),
        (2.9, 0.6, &[0.5, 0.125, 0.125, 0.25]),
    ];

    fn fitted() -> [Fitted<'static>; 2] {
        STRATA.map(|(fit, variance, probabilities)| Fitted::from_two(fit, variance, probabilities))
    }

    /// All pairs of counts: the probability, S less the fits, and Q.
    fn pairs() -> Vec<[f64; 3]> {
        let each = |(fit, variance, probabilities): (f64, f64, &[f64])| -> Vec<[f64; 3]> {
            let count = |(at, p): (usize, &f64)| {
                let x = at as f64 + 2.0 - fit;
                [*p, x, x * x / variance]
            };
            probabilities.iter().enumerate().map(count).collect()
        };
        let [one, other] = STRATA.map(each);
        let both = |[p, x, q]: [f64; 3]| {
            let sums = move |[r, y, s]: &[f64; 3]| [p * r, x + y, q + s];
            other.iter().map(sums).collect::<Vec<_>>()
        };
        one.into_iter().flat_map(both).collect()
    }

    /// The mean of a product of so many factors S and Q, each less its mean.
    fn moment(of_s: i32, of_q: i32) -> f64 {
        let all = pairs();
        let mean = |at: usize| all.iter().map(|pair| pair[0] * pair[at]).sum::<f64>();
        let (s, q) = (mean(1), mean(2));
        let product = |[p, x, y]: &[f64; 3]| p * (x - s).powi(of_s) * (y - q).powi(of_q);
        all.iter().map(product).sum()
    }

    #[test]
    fn cumulants_of_two_strata_are_those_of_all_pairs_of_counts() {
        let mut all = Joint::default();
        for one in &fitted() {
            all.add(one);
        }
        let mean = |at: usize| pairs().iter().map(|pair| pair[0] * pair[at]).sum::<f64>();
        let (xx, qx, qq) = (moment(2, 0), moment(1, 1), moment(0, 2));
        for (name, found, expected) in [
            ("x", all.x, mean(1)),
            ("q", all.q, mean(2)),
            ("xx", all.xx, xx),
            ("qx", all.qx, qx),
            ("qq", all.qq, qq),
            ("xxx", all.xxx, moment(3, 0)),
            ("qxx", all.qxx, moment(2, 1)),
            ("qqx", all.qqx, moment(1, 2)),
            ("qqq", all.qqq, moment(0, 3)),
            ("xxxx", all.xxxx, moment(4, 0) - 3.0 * xx * xx),
            ("qxxx", all.qxxx, moment(3, 1) - 3.0 * xx * qx),
            ("qqxx", all.qqxx, moment(2, 2) - xx * qq - 2.0 * qx * qx),
        ] {
            let close = (found - expected).abs() <= 1e-12 * (1.0 + expected.abs());
            assert!(close, "{name}: {found}, expected {expected}");
        }
    }

    #[test]
    fn moments_given_the_sum_are_derivatives_of_the_expanded_function() {
        let mut all = Joint::default();
        for one in &fitted() {
            all.add(one);
        }
        // Cumulants of R = Q − β·S and of S, by R as a variable of its own.
        let beta = moment(1, 1) / moment(2, 0);
        let mean = |at: usize| pairs().iter().map(|pair| pair[0] * pair[at]).sum::<f64>();
        let (s, q) = (mean(1), mean(2));
        let of = |of_s: i32, of_r: i32| {
            let product = |[p, x, y]: &[f64; 3]| {
                let r = y - q - beta * (x - s);
                p * (x - s).powi(of_s) * r.powi(of_r)
            };
            pairs().iter().map(product).sum::<f64>()
        };
        let (v, rr, rxx) = (of(2, 0), of(0, 2), of(2, 1));
        let rrxx = of(2, 2) - v * rr;
        for off in [0.0, 0.7, -1.3] {
            let [found, variance, third] = all.given(s + off);
            let expected = q + beta * off - 0.5 * rxx / v * (1.0 - off * off / v);
            assert!(
                (found - expected).abs() < 1e-12,
                "{found}, expected {expected}"
            );
            // The second derivative of ½·ln V at 0, with V = v + rxx·t + rrxx·t²/2.
            let expected = rr - 0.5 * (rrxx * v - rxx * rxx) / (v * v);
            assert!(
                (variance - expected).abs() < 1e-12,
                "{variance}, expected {expected}"
            );
            let expected = of(0, 3) * variance / rr;
            assert!(
                (third - expected).abs() < 1e-12,
                "{third}, expected {expected}"
            );
        }
    }
}
