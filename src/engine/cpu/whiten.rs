//! Whitening in place, with what the bound needs to know of a row.

use crate::engine::simd::for_each_simd;

/// What whitening learns of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct RowFacts {
    /// Whether every whitened number is finite.
    pub(super) finite: bool,
    /// The largest magnitude.
    pub(super) largest: f32,
    /// The sum of squares, in binary64.
    pub(super) squares: f64,
}

const LANES: usize = 16;

for_each_simd! {
    /// Replaces a row by `(row − mean) / divisor`, each step rounded to binary32.
    pub(super) fn whiten_row(row: &mut [f32], mean: &[f32], divisor: &[f32]) {
        for ((e, mean), divisor) in row.iter_mut().zip(mean).zip(divisor) {
            *e = (*e - mean) / divisor;
        }
    }
}

for_each_simd! {
    /// Magnitude and squares of a vector, NaN and infinities noticed.
    pub(super) fn row_facts(row: &[f32]) -> RowFacts {
        let mut largest = [0.0f32; LANES];
        let mut squares = [0.0f64; LANES];
        let mut finite = [true; LANES];
        let (chunks, tail) = row.as_chunks::<LANES>();
        for chunk in chunks {
            for l in 0..LANES {
                let size = chunk[l].abs();
                finite[l] &= size <= f32::MAX;
                largest[l] = if size > largest[l] { size } else { largest[l] };
                squares[l] += f64::from(size) * f64::from(size);
            }
        }
        let mut facts = RowFacts { finite: true, largest: 0.0, squares: 0.0 };
        for l in 0..LANES {
            facts.finite &= finite[l];
            facts.largest = facts.largest.max(largest[l]);
            facts.squares += squares[l];
        }
        for x in tail {
            facts.finite &= x.is_finite();
            facts.largest = facts.largest.max(x.abs());
            facts.squares += f64::from(*x) * f64::from(*x);
        }
        facts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::canonical::divisors;
    use crate::engine::simd::Simd;

    #[test]
    fn whitening_rounds_as_torch_does() {
        // (1 − 0.1) / (0.3 + 1e-6), each step in binary32; value from torch.
        let mut row = vec![1.0f32; 37];
        let (mean, divisor) = (vec![0.1f32; 37], divisors(&[0.3; 37]));
        for simd in Simd::all() {
            row.fill(1.0);
            whiten_row(simd, &mut row, &mean, &divisor);
            assert!(
                row.iter()
                    .all(|x| x.to_bits() == ((1.0f32 - 0.1) / (0.3f32 + 1e-6)).to_bits())
            );
        }
    }

    #[test]
    fn facts_see_every_position() {
        for simd in Simd::all() {
            for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                for at in 0..35 {
                    let mut row = vec![1.0f32; 35];
                    row[at] = bad;
                    assert!(!row_facts(simd, &row).finite, "{simd} {bad} at {at}");
                    row[at] = -3.0;
                    let facts = row_facts(simd, &row);
                    assert_eq!(
                        facts,
                        RowFacts {
                            finite: true,
                            largest: 3.0,
                            squares: 43.0
                        }
                    );
                }
            }
        }
    }
}
