//! A dense orthogonal map that costs `D · log D`: random signs and Hadamard transforms.

use super::random::{Purpose, Stream};

/// A rotation in four steps: signs, a Hadamard transform of the first 2^m coordinates, signs, one
/// of the last 2^m, with 2^m the largest power of two up to D. Each step is orthogonal, so the
/// whole is.
pub(super) struct Rotation {
    signs: [Vec<f32>; 2],
    block: usize,
}

impl Rotation {
    pub(super) fn new(seed: u64, dim: usize) -> Self {
        let signs = [0, 1].map(|step| {
            let mut stream = Stream::new(seed, Purpose::Rotation, step);
            (0..dim)
                .map(|_| if stream.unit() < 0.5 { -1.0 } else { 1.0 })
                .collect()
        });
        Self {
            signs,
            block: 1 << dim.ilog2(),
        }
    }

    /// Rotates a vector in place.
    pub(super) fn apply(&self, vector: &mut [f32]) {
        let last = vector.len() - self.block;
        for (signs, start) in self.signs.iter().zip([0, last]) {
            for (x, sign) in vector.iter_mut().zip(signs) {
                *x *= sign;
            }
            hadamard(&mut vector[start..start + self.block]);
        }
    }
}

/// Applies the orthonormal Walsh–Hadamard transform to 2^m numbers.
fn hadamard(numbers: &mut [f32]) {
    let mut half = 1;
    while half < numbers.len() {
        for pair in numbers.chunks_exact_mut(2 * half) {
            let (left, right) = pair.split_at_mut(half);
            for (a, b) in left.iter_mut().zip(right) {
                (*a, *b) = (*a + *b, *a - *b);
            }
        }
        half *= 2;
    }
    let scale = 1.0 / (numbers.len() as f32).sqrt();
    for x in numbers {
        *x *= scale;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotation_keeps_unit_vectors_orthonormal_and_makes_them_dense() {
        for dim in [1_usize, 2, 3, 7, 12, 33] {
            let rotation = Rotation::new(5, dim);
            let columns: Vec<Vec<f32>> = (0..dim)
                .map(|i| {
                    let mut unit = vec![0.0; dim];
                    unit[i] = 1.0;
                    rotation.apply(&mut unit);
                    unit
                })
                .collect();
            for (i, a) in columns.iter().enumerate() {
                for (j, b) in columns.iter().enumerate() {
                    let product: f32 = a.iter().zip(b).map(|(x, y)| x * y).sum();
                    let expected = f32::from(u8::from(i == j));
                    assert!(
                        (product - expected).abs() < 1e-5,
                        "{dim}: {i}, {j}: {product}"
                    );
                }
            }
        }
    }
}
