//! Intervals from a statistic's replicates.

use std::ops::RangeInclusive;

use crate::stats::notebook::describe::{median, quantile};

/// Computes the 2.5 % and the 97.5 % quantile of a statistic's replicates (Efron and Tibshirani
/// 1993, chapter 13), interpolated as by numpy (Hyndman and Fan's type 7). Sorts the replicates.
/// NaN if there are none, or if one is NaN: a statistic that is undefined in some has no interval.
pub fn percentile_interval(replicates: &mut [f64]) -> (f64, f64) {
    if replicates.iter().any(|value| value.is_nan()) {
        return (f64::NAN, f64::NAN);
    }
    replicates.sort_unstable_by(f64::total_cmp);
    (quantile(replicates, 0.025), quantile(replicates, 0.975))
}

/// Computes the percentile interval, moved so that the replicates' median is the estimate, and cut
/// at the `range` of the statistic. NaN in the same cases, and without an estimate.
///
/// This is for statistics that noise pulls one way, such as the agreement of two samples. A
/// replicate has the noise of sampling twice, the cohort's and its own. So all replicates lie lower
/// than the estimate, and their percentile interval need not even contain it. They still show the
/// spread of the statistic.
pub fn centred_interval(
    replicates: &mut [f64],
    estimate: Option<f64>,
    range: RangeInclusive<f64>,
) -> (f64, f64) {
    let (low, high) = percentile_interval(replicates);
    let Some(estimate) = estimate.filter(|_| !low.is_nan()) else {
        return (f64::NAN, f64::NAN);
    };
    let moved =
        |end: f64| (end + (estimate - median(replicates))).clamp(*range.start(), *range.end());
    (moved(low), moved(high))
}
