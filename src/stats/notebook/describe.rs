//! Descriptive figures as pandas and numpy compute them.

use std::borrow::Borrow;

/// Computes the `q`-quantile by linear interpolation between the two nearest of the sorted values,
/// as numpy and pandas do by default: at position `q·(n − 1)`, from the nearer neighbour. NaN if
/// there are no values.
pub fn quantile(sorted: &[f64], q: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return f64::NAN;
    };
    let position = q * last as f64;
    let below = (position as usize).min(last);
    let (a, b) = (sorted[below], sorted[(below + 1).min(last)]);
    let t = position - below as f64;
    // The end from which numpy starts decides the last bit.
    if t >= 0.5 {
        b - (b - a) * (1.0 - t)
    } else {
        a + (b - a) * t
    }
}

/// Computes the mean of whole numbers: their exact sum divided by their number. NaN if there are
/// none.
pub fn mean_of_counts<T: Borrow<u64>>(values: impl ExactSizeIterator<Item = T>) -> f64 {
    let n = values.len() as f64;
    let sum: u128 = values.map(|value| u128::from(*value.borrow())).sum();
    sum as f64 / n
}

/// Computes the mean as numpy's `mean` does, over a pairwise sum. NaN if there are no values.
pub fn mean(values: &[f64]) -> f64 {
    pairwise_sum(values) / values.len() as f64
}

/// Computes the median of sorted values; of an even number, the mean of the two in the middle. NaN
/// if there are none.
pub fn median(sorted: &[f64]) -> f64 {
    let n = sorted.len();
    match n {
        0 => f64::NAN,
        _ if n % 2 == 1 => sorted[n / 2],
        _ => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
    }
}

/// Sums as numpy does: up to 128 values in eight interleaved running sums, more by halves whose
/// first is a multiple of eight. The error grows with the logarithm of the length only.
fn pairwise_sum(values: &[f64]) -> f64 {
    const BLOCK: usize = 128;
    let n = values.len();
    if n < 8 {
        return values.iter().sum();
    }
    if n > BLOCK {
        let middle = n / 2 - n / 2 % 8;
        let (left, right) = values.split_at(middle);
        return pairwise_sum(left) + pairwise_sum(right);
    }
    let mut lanes = [0.0; 8];
    let chunks = values.chunks_exact(8);
    let rest = chunks.remainder();
    for (i, chunk) in chunks.enumerate() {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane = if i == 0 { *value } else { *lane + value };
        }
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    let sum = ((a + b) + (c + d)) + ((e + f) + (g + h));
    rest.iter().fold(sum, |sum, value| sum + value)
}

#[cfg(test)]
mod tests {
    use super::{mean, mean_of_counts, median, quantile};

    #[test]
    fn figures_of_no_values_are_nan() {
        assert!(quantile(&[], 0.5).is_nan());
        assert!(median(&[]).is_nan());
        assert!(mean(&[]).is_nan());
        assert!(mean_of_counts([0_u64; 0].iter()).is_nan());
    }

    #[test]
    fn quartiles_of_four_match_numpy() {
        let values = [1.0, 2.0, 4.0, 8.0];
        assert_eq!(quantile(&values, 0.75), 5.0);
        assert_eq!(quantile(&values, 0.5), median(&values));
        assert_eq!(quantile(&values, 1.0), 8.0);
        assert_eq!(mean_of_counts([1_u64, 2, 4, 8].iter()), 3.75);
    }
}
