//! An atom under the null hypothesis: how surprising each number of true calls is.
//!
//! Atoms are compared by `−ln p` of their own two-sided p-value, so that none sets the maximum for
//! all others: a rare atom's |a − E| / √V has a far heavier tail than a frequent one's. Validity
//! does not rest on this. Any function of an atom's count, the same for all permutations, gives a
//! valid test.

use super::law::{Floor, Law};
use crate::stats::inference::tails::ln_normal_two_sided;

/// The distribution of an atom's number of true calls, as far as it is known.
#[derive(Debug, Clone)]
pub(super) enum Null {
    /// A known distribution over few numbers.
    Exact(Law),
    /// The distribution of single calls over many numbers: normal but for its skewness.
    Skewed { mean: f64, sd: f64, skewness: f64 },
    /// The distribution of calls that are kept together: normal.
    Scaled { mean: f64, sd: f64 },
}

/// The variance below which the distribution is computed: at ten and a half standard deviations
/// either way, it has about a hundred numbers.
const SPREAD: f64 = 25.0;

/// The number of standard deviations within which nearly all permutations lie.
const USUAL: f64 = 6.5;

/// `−ln p` at which an exact distribution ends.
const MOST: f64 = 650.0;

/// Mean, variance and third central moment.
#[derive(Default)]
struct Sums {
    mean: f64,
    variance: f64,
    third: f64,
}

impl Sums {
    /// Adds the hypergeometric number of a stratum.
    fn add(&mut self, fires: u64, (size, tp): (u64, u64)) {
        let [m, n, t] = [fires, size, tp].map(|count| count as f64);
        if size > 0 {
            self.mean += m * t / n;
        }
        if size > 1 {
            let variance = m * t * (n - m) * (n - t) / (n * n * (n - 1.0));
            self.variance += variance;
            if size > 2 {
                self.third += variance * ((n - 2.0 * t) / n) * ((n - 2.0 * m) / (n - 2.0));
            }
        }
    }
}

impl Null {
    /// Makes the distribution of an atom that fires on so many calls of each stratum, whose size
    /// and true calls are `strata`, and on `observed` true calls in all; `None` if nothing can
    /// change.
    pub(super) fn of_calls(fires: &[u64], strata: &[(u64, u64)], observed: u32) -> Option<Self> {
        let mut sums = Sums::default();
        for (&fires, &stratum) in fires.iter().zip(strata) {
            sums.add(fires, stratum);
        }
        let Sums {
            mean,
            variance,
            third,
        } = sums;
        if variance <= 0.0 {
            return None;
        }
        if variance < SPREAD {
            let law = Law::of(fires, strata, Floor::MET);
            // The same numbers, and more of them.
            let holds = law.get(observed).is_some();
            return Some(Self::Exact(if holds {
                law
            } else {
                Law::of(fires, strata, Floor::ALL)
            }));
        }
        let sd = variance.sqrt();
        let skewness = third / (variance * sd);
        Some(Self::Skewed { mean, sd, skewness })
    }

    /// Makes the distribution of an atom whose calls are kept together; `None` without variance.
    pub(super) fn of_moments(mean: f64, variance: f64) -> Option<Self> {
        let sd = variance.sqrt();
        (variance > 0.0).then_some(Self::Scaled { mean, sd })
    }

    /// Computes `−ln p` of that many true calls. It is comparable across permutations to the last
    /// bit: it depends on a count and nothing else, and is rounded to 31 bits. Counts as far above
    /// the mean as below it are therefore ties, whatever the rounding of the mean.
    pub(super) fn statistic(&self, tp: u32) -> f64 {
        rounded(match self {
            Self::Exact(law) => law.get(tp).unwrap_or(MOST),
            Self::Skewed { .. } | Self::Scaled { .. } => -ln_normal_two_sided(self.score(tp)),
        })
    }

    /// Returns the number of standard deviations that has that p-value under a normal distribution.
    pub(super) fn z(&self, tp: u32) -> f64 {
        rounded(match self {
            Self::Exact(law) => normal_score(law.get(tp).unwrap_or(MOST)),
            Self::Skewed { .. } | Self::Scaled { .. } => self.score(tp).abs(),
        })
    }

    /// Computes the standard deviations from the mean. If the distribution is skewed, this is the
    /// normal score of a shifted gamma distribution with its three moments, by Wilson and
    /// Hilferty's cube root (Proc. Natl. Acad. Sci. 17, 1931), with a half subtracted from the
    /// distance for continuity.
    fn score(&self, tp: u32) -> f64 {
        match *self {
            Self::Exact(_) => f64::NAN,
            Self::Scaled { mean, sd } => (f64::from(tp) - mean) / sd,
            Self::Skewed { mean, sd, skewness } => {
                let apart = f64::from(tp) - mean;
                let z = (apart.abs() - 0.5).max(0.0).copysign(apart) / sd;
                // 6/g·(∛(1 + g·z/2) − 1) + g/6, without a difference of two that are nearly equal.
                let root = libm::cbrt((1.0 + skewness * z / 2.0).max(0.0));
                3.0 * z / (root * root + root + 1.0) + skewness / 6.0
            }
        }
    }

    /// Returns the numbers that nearly all permutations have, for an atom that fires on so many
    /// calls.
    pub(super) fn usual(&self, fires: u32) -> std::ops::Range<u32> {
        match *self {
            Self::Exact(ref law) => law.first..law.first + law.neg_ln_p.len() as u32,
            Self::Skewed { mean, sd, .. } | Self::Scaled { mean, sd } => {
                let first = (mean - USUAL * sd).max(0.0) as u32;
                let last = (mean + USUAL * sd).min(f64::from(fires)) as u32;
                first..(last + 1).max(first)
            }
        }
    }
}

/// Rounds to 31 bits.
fn rounded(exact: f64) -> f64 {
    const KEPT: u32 = 30;
    let dropped = f64::MANTISSA_DIGITS - 1 - KEPT;
    let half = 1_u64 << (dropped - 1);
    f64::from_bits((exact.to_bits() + half) >> dropped << dropped)
}

/// Finds z of `−ln P(|Z| > z)` by Newton's method. The logarithm of a normal tail is concave, so
/// every step but the first comes from above and none goes too far.
fn normal_score(neg_ln_p: f64) -> f64 {
    const LN_ROOT_HALF_PI: f64 = 0.225_791_352_644_727_43;
    if neg_ln_p <= 0.0 {
        return 0.0;
    }
    // Near 0 the density of |Z| is √(2/π), far away the tail is below exp(−z²/2).
    let mut z = f64::min(1.25 * neg_ln_p, f64::sqrt(2.0 * neg_ln_p));
    for _ in 0..50 {
        let ln_p = ln_normal_two_sided(z);
        // This is ln of the density of |Z| over its tail.
        let ln_hazard = -z * z / 2.0 - LN_ROOT_HALF_PI - ln_p;
        let step = (ln_p + neg_ln_p) / libm::exp(ln_hazard);
        z += step;
        if step.abs() <= 1e-15 * z {
            break;
        }
    }
    z
}

#[cfg(test)]
mod tests {
    use super::super::law::{Floor, Law};
    use super::{Null, SPREAD, Sums, ln_normal_two_sided, normal_score};

    /// Checks that counts as far above the mean as below it are ties, though the mean's sum is
    /// rounded.
    #[test]
    fn statistic_ties_both_sides_of_the_mean() {
        for strata in [3, 10, 40, 999] {
            // A tenth of a true call is expected in each.
            let mut sums = Sums::default();
            (0..strata).for_each(|_| sums.add(4, (40, 1)));
            let null = Null::of_moments(sums.mean, sums.variance).expect("a variance");
            let twice = (2.0 * sums.mean).round();
            let whole = (2.0 * strata as f64 / 10.0 - twice).abs() < 1e-9;
            for below in (0..strata as u32).filter(|_| whole) {
                let above = twice - f64::from(below);
                if above >= 0.0 {
                    let [low, high] = [below, above as u32].map(|tp| null.statistic(tp));
                    assert_eq!(low.to_bits(), high.to_bits(), "{strata}: {below}, {above}");
                }
            }
            let exact = |tp: f64| (tp - sums.mean).abs() / sums.variance.sqrt();
            for tp in [0, 7] {
                let apart = (null.z(tp) / exact(f64::from(tp)) - 1.0).abs();
                assert!(apart < 1e-9, "{apart}");
            }
        }
    }

    #[test]
    fn sums_match_moments_of_the_probabilities() {
        let (fires, strata) = ([7, 3, 12], [(40, 33), (9, 2), (300, 280)]);
        let mut sums = Sums::default();
        for (fires, stratum) in fires.into_iter().zip(strata) {
            sums.add(fires, stratum);
        }
        // By Vandermonde's identity from binomial coefficients of real numbers.
        let choose = |n: u64, k: u64| {
            (0..k)
                .map(|i| (n - i) as f64 / (i + 1) as f64)
                .product::<f64>()
        };
        let (mut mean, mut variance, mut third) = (0.0, 0.0, 0.0);
        for (m, (n, t)) in fires.into_iter().zip(strata) {
            let numbers = (m + t).saturating_sub(n)..=m.min(t);
            let p = |x: u64| choose(t, x) * choose(n - t, m - x) / choose(n, m);
            let of_mean: f64 = numbers.clone().map(|x| x as f64 * p(x)).sum();
            let moment = |power: i32| -> f64 {
                numbers
                    .clone()
                    .map(|x| (x as f64 - of_mean).powi(power) * p(x))
                    .sum()
            };
            mean += of_mean;
            variance += moment(2);
            third += moment(3);
        }
        assert!((sums.mean - mean).abs() < 1e-12 && (sums.variance - variance).abs() < 1e-12);
        assert!((sums.third - third).abs() < 1e-12, "{} {third}", sums.third);
    }

    /// Checks that the skewed distribution, at its limit, nearly equals the exact one: a tail by
    /// each side, twice as much of it as two-sided.
    #[test]
    fn skewed_distribution_is_near_the_exact_one() {
        let (fires, strata) = ([600, 240], [(20_000, 19_000), (3_000, 2_850)]);
        let null = Null::of_calls(&fires, &strata, 800).expect("a variance");
        assert!(matches!(null, Null::Skewed { .. }));
        let law = Law::of(&fires, &strata, Floor::MET);
        for tp in 757..=835 {
            let exact = law.get(tp).expect("met");
            let apart = null.statistic(tp) - exact;
            // A factor of two, for the other side, and a tenth of the logarithm.
            let most = 0.75 + 0.1 * exact;
            assert!(exact > 18.0 || apart.abs() < most, "{tp}: {apart}, {exact}");
        }
        let mut sums = Sums::default();
        sums.add(600, strata[0]);
        assert!(sums.variance > SPREAD);
    }

    #[test]
    fn skewed_score_is_wilson_and_hilferty_s() {
        for skewness in [-0.3, 0.01, 0.2] {
            let null = Null::Skewed {
                mean: 100.25,
                sd: 8.0,
                skewness,
            };
            for tp in [60_u32, 80, 99, 110, 150] {
                let apart = f64::from(tp) - 100.25;
                let z = (apart - 0.5 * apart.signum()) / 8.0;
                let root = (1.0 + skewness * z / 2.0).powf(1.0 / 3.0);
                let score = 6.0 / skewness * (root - 1.0) + skewness / 6.0;
                let found = null.z(tp);
                assert!(
                    (found - score.abs()).abs() < 1e-8 * score.abs(),
                    "{tp}: {found}, {score}"
                );
            }
        }
    }

    #[test]
    fn normal_score_inverts_the_tail() {
        for neg_ln_p in [1e-12, 0.001, 0.3, 1.0, 3.0, 20.0, 300.0, 650.0] {
            let z = normal_score(neg_ln_p);
            let back = -ln_normal_two_sided(z);
            assert!(
                (back / neg_ln_p - 1.0).abs() < 1e-11,
                "{neg_ln_p}: {z}, {back}"
            );
        }
        assert!((normal_score(-f64::ln(0.05)) - 1.959_963_984_540_054).abs() < 1e-12);
        assert_eq!(normal_score(0.0), 0.0);
    }
}
