//! Permuted labels, 512 permutations at a time.
//!
//! A stratum's calls are gone through once; of `left` calls still to come, `tp` of which must be
//! true, the next is true with probability tp / left (selection sampling: Fan, Muller and Rezucha
//! 1962; Knuth, volume 2, algorithm S). So each permutation has the stratum's number of true calls,
//! and each choice of them is equally likely, but for the rounding of 32-bit random numbers.

use rand::SeedableRng;
use rand::rand_core::Rng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::{Bits, LANES, Permutation};

/// Permutations that are drawn together: as many as a word has bits.
const TOGETHER: usize = 64;
/// Bytes of random numbers that a call takes for them.
const BYTES: usize = TOGETHER * size_of::<u32>();

/// Labels under way.
pub(super) struct Labels {
    /// The calls of each stratum, in their order.
    calls: Vec<Vec<u32>>,
    /// How many of them are true.
    tp: Vec<u32>,
    seed: u64,
    /// The labels of every call.
    bits: Vec<Bits>,
}

impl Labels {
    pub(super) fn new(permutation: &Permutation, sizes: &[(u64, u64)]) -> Self {
        let mut calls = vec![Vec::new(); sizes.len()];
        for (row, &stratum) in permutation.strata.iter().enumerate() {
            calls[usize::from(stratum)].push(row as u32);
        }
        Self {
            calls,
            tp: sizes.iter().map(|&(_, tp)| tp as u32).collect(),
            seed: permutation.seed,
            bits: vec![Bits::default(); permutation.strata.len()],
        }
    }

    /// The labels of permutations `batch · 512` and after. They depend on the seed, the batch and the
    /// stratum alone.
    pub(super) fn draw(&mut self, batch: u64) -> &[Bits] {
        let words = LANES / TOGETHER;
        let tasks: Vec<(usize, usize)> = (0..self.calls.len())
            .flat_map(|stratum| (0..words).map(move |word| (stratum, word)))
            .collect();
        let drawn: Vec<Vec<u64>> = tasks
            .par_iter()
            .map(|&(stratum, word)| {
                let mut numbers = ChaCha8Rng::seed_from_u64(self.seed);
                let stream = batch * words as u64 + word as u64;
                numbers.set_stream(stream << 16 | stratum as u64);
                select(
                    self.calls[stratum].len() as u32,
                    self.tp[stratum],
                    &mut numbers,
                )
            })
            .collect();
        for ((stratum, word), labels) in tasks.into_iter().zip(drawn) {
            for (&row, labels) in self.calls[stratum].iter().zip(labels) {
                self.bits[row as usize][word] = labels;
            }
        }
        &self.bits
    }
}

/// Labels of a stratum's calls, of which `tp` are true in each permutation.
fn select(calls: u32, tp: u32, numbers: &mut ChaCha8Rng) -> Vec<u64> {
    let mut missing = [tp; TOGETHER];
    let mut random = [0; BYTES];
    let each = (1..=calls).rev().map(|left| {
        numbers.fill_bytes(&mut random);
        choose(left, &mut missing, &random)
    });
    each.collect()
}

/// Which of 64 permutations take a call.
fn choose(left: u32, missing: &mut [u32; TOGETHER], random: &[u8; BYTES]) -> u64 {
    let mut chosen = [0u32; TOGETHER];
    let draws = random.as_chunks::<4>().0;
    for ((chosen, missing), draw) in chosen.iter_mut().zip(missing.iter_mut()).zip(draws) {
        // Uniform below `left`: of the product's 64 bits the upper 32.
        let place = (u64::from(u32::from_le_bytes(*draw)) * u64::from(left)) >> 32;
        *chosen = u32::from((place as u32) < *missing);
        *missing -= *chosen;
    }
    let mut word = 0;
    for (bit, &chosen) in chosen.iter().enumerate() {
        word |= u64::from(chosen) << bit;
    }
    word
}

#[cfg(test)]
mod tests {
    use super::super::{LANES, Permutation};
    use super::Labels;

    #[test]
    fn each_permutation_has_the_true_calls_of_its_strata() {
        let strata: Vec<u16> = (0..300).map(|row| [0, 2, 2, 3][row % 4]).collect();
        let is_tp: Vec<bool> = (0..300).map(|row| row % 7 == 0 || row % 4 == 3).collect();
        let permutation = Permutation {
            is_tp: &is_tp,
            strata: &strata,
            count: LANES,
            seed: 5,
        };
        let sizes = super::super::sizes(&permutation);
        let mut labels = Labels::new(&permutation, &sizes);
        let mut shares = vec![0; 300];
        let first = labels.draw(0).to_vec();
        for lane in 0..LANES {
            let is_tp = |row: &usize| first[*row][lane / 64] >> (lane % 64) & 1 == 1;
            for (stratum, &(_, tp)) in sizes.iter().enumerate() {
                let of = |row: &usize| usize::from(strata[*row]) == stratum;
                let count = (0..300).filter(of).filter(is_tp).count();
                assert_eq!(count as u64, tp);
            }
            (0..300).filter(is_tp).for_each(|row| shares[row] += 1);
        }
        // Every call of a stratum is as often true as any other: within five standard deviations.
        for (row, share) in shares.into_iter().enumerate() {
            let (size, tp) = sizes[usize::from(strata[row])];
            let p = tp as f64 / size as f64;
            let sd = (LANES as f64 * p * (1.0 - p)).sqrt();
            let found = f64::from(share) - LANES as f64 * p;
            assert!(found.abs() <= 5.0 * sd, "row {row}: {share}");
        }
        assert!(labels.draw(1) != first, "another batch has other labels");
        assert!(labels.draw(0) == first, "the same batch has the same");
    }
}
