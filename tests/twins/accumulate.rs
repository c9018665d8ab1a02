//! Ways in which a device may add up the products of a score: what the bound has to cover.

use rand::seq::SliceRandom;

use super::numbers::random;

/// A way to add up products in binary32.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Model {
    /// Products and sums rounded to nearest, from the first on.
    Ascending,
    /// Fused multiply-adds, from the last on.
    DescendingFused,
    /// Halves of halves.
    Pairwise,
    /// Fused multiply-adds in an order of chance.
    Shuffled(u64),
    /// Tensor cores at their worst: a block of exact products and the sum so far are aligned to
    /// the largest of them, cut to 24 bits of it, added, and the sum is cut to binary32. Several
    /// parts of the depth are summed apart, and added in binary32.
    Truncated { block: usize, parts: usize },
}

impl Model {
    /// Those that the bound covers: `tensor` for binary16 operands, whose products may be added
    /// in blocks of at least `fewest` products.
    pub(crate) fn all(tensor: bool, fewest: usize, seed: u64) -> Vec<Self> {
        let mut models = vec![
            Self::Ascending,
            Self::DescendingFused,
            Self::Pairwise,
            Self::Shuffled(seed),
        ];
        if tensor {
            for block in [4, 8, 16].into_iter().filter(|&block| block >= fewest) {
                models.extend([1, 3].map(|parts| Self::Truncated { block, parts }));
            }
        }
        models
    }

    /// The score that it gives where sums begin anew every `block` numbers, and are added then.
    pub(crate) fn sum_of_blocks(self, block: usize, x: &[f32], w: &[f32]) -> f32 {
        let blocks = x.chunks(block).zip(w.chunks(block));
        let sums = blocks.map(|(x, w)| self.sum(x, w));
        sums.reduce(|sum, more| sum + more).unwrap_or(0.0)
    }

    /// The score that it gives.
    pub(crate) fn sum(self, x: &[f32], w: &[f32]) -> f32 {
        let products = || x.iter().zip(w).map(|(x, w)| x * w);
        match self {
            Self::Ascending => products().sum(),
            Self::DescendingFused => fused(x.iter().zip(w).rev()),
            Self::Pairwise => pairwise(&products().collect::<Vec<_>>()),
            Self::Shuffled(seed) => {
                let mut pairs: Vec<_> = x.iter().zip(w).collect();
                pairs.shuffle(&mut random(seed));
                fused(pairs.into_iter())
            }
            Self::Truncated { block, parts } => {
                // Exact: two binary16 numbers have 22 bits.
                let exact = x.iter().zip(w).map(|(&x, &w)| f64::from(x) * f64::from(w));
                let exact: Vec<f64> = exact.collect();
                let part = exact.len().div_ceil(parts).max(1);
                exact.chunks(part).map(|part| truncated(part, block)).sum()
            }
        }
    }
}

fn fused<'a>(pairs: impl Iterator<Item = (&'a f32, &'a f32)>) -> f32 {
    pairs.fold(0.0, |sum, (x, w)| x.mul_add(*w, sum))
}

fn pairwise(terms: &[f32]) -> f32 {
    match terms {
        [] => 0.0,
        [one] => *one,
        _ => {
            let (a, b) = terms.split_at(terms.len() / 2);
            pairwise(a) + pairwise(b)
        }
    }
}

fn truncated(products: &[f64], block: usize) -> f32 {
    let mut sum = 0.0f32;
    for products in products.chunks(block) {
        let addends = || products.iter().copied().chain([f64::from(sum)]);
        let largest = addends().fold(0.0, |largest: f64, x| largest.max(x.abs()));
        if largest == 0.0 {
            continue;
        }
        // The last of 24 bits of the largest; sums of so few of them are exact in binary64.
        let unit = 2f64.powi(libm::frexp(largest).1 - 24);
        sum = towards_zero(addends().map(|x| (x / unit).trunc() * unit).sum());
    }
    sum
}

fn towards_zero(x: f64) -> f32 {
    let nearest = x as f32;
    if f64::from(nearest).abs() <= x.abs() {
        nearest
    } else if nearest > 0.0 {
        nearest.next_down()
    } else {
        nearest.next_up()
    }
}

#[test]
fn truncation_is_what_it_is_said_to_be() {
    let one = |last: f64| truncated(&[1.0, last], 4);
    let place = 2f64.powi(-23);
    assert_eq!(f64::from(one(place)), 1.0 + place);
    assert_eq!(one(0.99 * place), 1.0);
    assert_eq!(one(-0.99 * place), 1.0);
    // Four addends of 0.99 places each are lost one by one; in blocks of two they come to a place
    // or more before they meet the 1.
    assert_eq!(truncated(&[1.0, 0.99 * place, 0.99 * place], 4), 1.0);
    assert_eq!(towards_zero(-1.0 - 0.99 * place), -1.0);
    // The sum is cut as well: 1 + (1 + place) has 25 bits.
    assert_eq!(truncated(&[1.0, 1.0 + place], 4), 2.0);
}
