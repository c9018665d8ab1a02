//! Permuted labels, 64 permutations to a word and a few words at a time.
//!
//! *Single calls.* A stratum's calls are visited once. If `left` calls are still to come, `tp` of
//! which must be true, the next is true with probability tp / left (selection sampling: Fan, Muller
//! and Rezucha 1962; Knuth, volume 2, algorithm S).
//!
//! *Loci.* Each locus in turn takes one of the remaining label vectors, each with the same
//! probability, from an urn that has every locus' own once (Fisher and Yates; Durstenfeld 1964).
//! For vectors of one label that is selection sampling, by more work. Unlike a search among
//! distinct vectors, a draw costs the same however many there are.
//!
//! *Samples.* Labels rotate by an offset.
//!
//! Each arrangement of a group is equally likely, but for the rounding of 32-bit random numbers.

use std::ops::Range;

use rand::SeedableRng;
use rand::rand_core::Rng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::groups::{self, Group, Manner};
use super::{Bits, Exchange, LANES, Permutation};
use crate::stats::resampling::{below, keyed};

/// The bytes of random numbers that a call takes for the permutations of a word.
const BYTES: usize = LANES * size_of::<u32>();

/// A source of permuted labels.
pub(super) struct Labels<const WORDS: usize> {
    groups: Vec<Group>,
    numbers: Numbers,
    /// The labels of every call.
    bits: Vec<Bits<WORDS>>,
}

impl<const WORDS: usize> Labels<WORDS> {
    pub(super) fn new(permutation: &Permutation) -> Self {
        let as_they_are = |&is_tp: &bool| [u64::from(is_tp).wrapping_neg(); WORDS];
        Self {
            groups: groups::of(permutation),
            numbers: Numbers::of(permutation),
            bits: permutation.is_tp.iter().map(as_they_are).collect(),
        }
    }

    /// Returns the groups within which labels change places.
    pub(super) fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// Draws the labels of the permutations from `batch · 64 · WORDS`. Each word's labels depend on
    /// the seed, the word's number and the groups alone, so the number drawn together makes no
    /// difference.
    pub(super) fn draw(&mut self, batch: u64) -> &[Bits<WORDS>] {
        // Drawn labels take 8 bytes a call and word until they are in their place.
        let together = rayon::current_num_threads().clamp(1, WORDS);
        for first in (0..WORDS).step_by(together) {
            let words = first..WORDS.min(first + together);
            self.draw_words(batch, words);
        }
        &self.bits
    }

    fn draw_words(&mut self, batch: u64, words: Range<usize>) {
        let tasks: Vec<(&Group, usize)> = self
            .groups
            .iter()
            .flat_map(|group| words.clone().map(move |word| (group, word)))
            .collect();
        let drawn: Vec<Vec<u64>> = tasks
            .par_iter()
            .map(|&(group, word)| {
                let stream = batch * WORDS as u64 + word as u64;
                let mut numbers = self.numbers.stream(stream, group.number);
                arrange(group, &mut numbers)
            })
            .collect();
        for ((group, word), labels) in tasks.into_iter().zip(drawn) {
            for (&row, labels) in group.calls.iter().zip(labels) {
                self.bits[row as usize][word] = labels;
            }
        }
    }
}

/// The source of random numbers: a stream for each word of 64 permutations and each group.
enum Numbers {
    /// Groups are strata, whose numbers have 16 bits.
    Strata(ChaCha8Rng),
    /// Groups have 32 bits, and so have words: 2^38 permutations.
    Groups(ChaCha8Rng),
}

impl Numbers {
    fn of(permutation: &Permutation) -> Self {
        let seed = permutation.seed;
        match permutation.exchange {
            Exchange::Calls => Self::Strata(ChaCha8Rng::seed_from_u64(seed)),
            Exchange::Loci(_) | Exchange::Copies { .. } => {
                Self::Groups(keyed(seed, b"exchange of loci"))
            }
            Exchange::Samples { .. } => Self::Groups(keyed(seed, b"turn of a sample")),
        }
    }

    fn stream(&self, word: u64, group: u32) -> ChaCha8Rng {
        let (Self::Strata(all) | Self::Groups(all)) = self;
        let mut numbers = all.clone();
        numbers.set_stream(match self {
            Self::Strata(_) => word << 16 | u64::from(group),
            Self::Groups(_) => word << 32 | u64::from(group),
        });
        numbers
    }
}

/// Draws the labels of a group's calls, for 64 permutations.
fn arrange(group: &Group, numbers: &mut ChaCha8Rng) -> Vec<u64> {
    match &group.manner {
        &Manner::Select { tp } => select(group.calls.len() as u32, tp, numbers),
        Manner::Draw { each, labels } => draw(*each, labels, numbers),
        Manner::Turn { labels } => turn(labels, numbers),
    }
}

/// Draws the labels of a stratum's calls, of which `tp` are true in each permutation.
fn select(calls: u32, tp: u32, numbers: &mut ChaCha8Rng) -> Vec<u64> {
    let mut missing = [tp; LANES];
    let mut random = [0; BYTES];
    let each = (1..=calls).rev().map(|left| {
        numbers.fill_bytes(&mut random);
        choose(left, &mut missing, &random)
    });
    each.collect()
}

/// Says which of 64 permutations take a call.
fn choose(left: u32, missing: &mut [u32; LANES], random: &[u8; BYTES]) -> u64 {
    let mut chosen = [0u32; LANES];
    let draws = random.as_chunks::<4>().0;
    for ((chosen, missing), draw) in chosen.iter_mut().zip(missing.iter_mut()).zip(draws) {
        *chosen = u32::from(below(left, u32::from_le_bytes(*draw)) < *missing);
        *missing -= *chosen;
    }
    let mut word = 0;
    for (bit, &chosen) in chosen.iter().enumerate() {
        word |= u64::from(chosen) << bit;
    }
    word
}

/// Draws the labels of loci of `each` calls. Every locus gets those of one, without replacement.
fn draw(each: usize, labels: &[bool], numbers: &mut ChaCha8Rng) -> Vec<u64> {
    let mut words = vec![0; labels.len()];
    // The urn is never refilled: a shuffle of any order is as good as one of the first.
    let mut urn: Vec<u32> = (0..(labels.len() / each) as u32).collect();
    for bit in 0..LANES {
        for (left, words) in (1..=urn.len()).rev().zip(words.chunks_exact_mut(each)) {
            urn.swap(below(left as u32, numbers.next_u32()) as usize, left - 1);
            let drawn = &labels[urn[left - 1] as usize * each..][..each];
            for (word, &is_tp) in words.iter_mut().zip(drawn) {
                *word |= u64::from(is_tp) << bit;
            }
        }
    }
    words
}

/// Rotates labels by an offset.
fn turn(labels: &[bool], numbers: &mut ChaCha8Rng) -> Vec<u64> {
    let mut words = vec![0; labels.len()];
    for bit in 0..LANES {
        let offset = below(labels.len() as u32, numbers.next_u32()) as usize;
        let (end, start) = labels.split_at(offset);
        let (first, last) = words.split_at_mut(start.len());
        for (words, labels) in [(first, start), (last, end)] {
            for (word, &is_tp) in words.iter_mut().zip(labels) {
                *word |= u64::from(is_tp) << bit;
            }
        }
    }
    words
}

#[cfg(test)]
#[path = "labels_tests.rs"]
mod tests;
