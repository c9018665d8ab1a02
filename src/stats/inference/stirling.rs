//! The remainder of Stirling's series for logarithmic factorials.
//!
//! A probability of counts near a million is a difference of logarithmic factorials near 10⁷, which
//! rounding spoils in the ninth digit. Loader (*Fast and accurate computation of binomial
//! probabilities*, 2000) splits `ln n! = n·ln n − n + ½·ln(2πn) + δ(n)`. The first two terms of all
//! the factorials make [`deviance`]s, which are small, positive and have no cancellation. The rest
//! is small to begin with.

/// The least n from which [`error`] is a series, good to the last bit.
const SERIES_FROM: f64 = 16.0;

/// δ(n) for n = 1 to 15, by mpmath.
const SMALL: [f64; 16] = [
    0.0,
    0.081_061_466_795_327_26,
    0.041_340_695_955_409_3,
    0.027_677_925_684_998_34,
    0.020_790_672_103_765_093,
    0.016_644_691_189_821_193,
    0.013_876_128_823_070_748,
    0.011_896_709_945_891_77,
    0.010_411_265_261_972_096,
    0.009_255_462_182_712_733,
    0.008_330_563_433_362_87,
    0.007_573_675_487_951_841,
    0.006_942_840_107_209_53,
    0.006_408_994_188_004_207,
    0.005_951_370_112_758_847_5,
    0.005_554_733_551_962_801,
];

/// Computes δ(n) = `ln n! − (n·ln n − n + ½·ln(2πn))`, about 1/12n; 0 for n = 0, where callers
/// leave the other terms out. `n` is a whole number, or at least 16.
pub(super) fn error(n: f64) -> f64 {
    if n < SERIES_FROM {
        return SMALL[n as usize];
    }
    let inverse = 1.0 / n;
    let square = inverse * inverse;
    let series = [
        1.0 / 12.0,
        -1.0 / 360.0,
        1.0 / 1260.0,
        -1.0 / 1680.0,
        1.0 / 1188.0,
        -691.0 / 360_360.0,
    ];
    let sum = series
        .into_iter()
        .rev()
        .fold(0.0, |sum, c| sum * square + c);
    sum * inverse
}

/// Computes `x·ln(x/m) − (x − m)`, at least 0: the distance of a count x from its expectation m >
/// 0, half of its share of the likelihood-ratio statistic. `difference` is x − m, which the caller
/// knows more exactly than a subtraction would give it.
///
/// Near m, where the two terms nearly cancel, `ln(x/m) = 2·artanh v` with `v = (x−m)/(x+m)` gives
/// `(x−m)·v + 2x·(v³/3 + v⁵/5 + …)`.
pub(super) fn deviance(x: f64, m: f64, difference: f64) -> f64 {
    if x == 0.0 {
        return m;
    }
    let v = difference / (x + m);
    if v.abs() > 0.1 {
        return x * libm::log(x / m) - difference;
    }
    let square = v * v;
    // The tenth term is below 10⁻¹⁷ of the first.
    let series = [3.0, 5.0, 7.0, 9.0, 11.0, 13.0, 15.0, 17.0];
    let sum = series
        .into_iter()
        .rev()
        .fold(0.0, |sum, odd| sum * square + 1.0 / odd);
    difference * v + 2.0 * x * v * square * sum
}

#[cfg(test)]
mod tests {
    use super::{deviance, error};

    #[test]
    fn error_series_matches_mpmath_where_it_begins() {
        for (n, expected) in [
            (16.0, 0.005_207_655_919_609_640_4),
            (17.0, 0.004_901_395_948_434_738),
            (40.0, 0.002_083_289_938_302_421_8),
        ] {
            let distance: f64 = error(n) / expected - 1.0;
            assert!(distance.abs() < 5e-16, "{n}: {distance:e}");
        }
    }

    #[test]
    fn deviance_forms_agree_where_they_meet() {
        // v is 0.1 at x = 11/9·m; both forms are a tenth of their terms there.
        let of = |x: f64| deviance(x, 900.0, x - 900.0);
        let (below, above) = (of(1100.0 - 1e-9), of(1100.0 + 1e-9));
        let slope = libm::log(11.0 / 9.0) * 2e-9;
        assert!((above - below - slope).abs() < 1e-12);
        assert_eq!(of(0.0), 900.0);
        assert_eq!(of(900.0), 0.0);
    }
}
