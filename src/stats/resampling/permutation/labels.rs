//! Permuted labels, 64 permutations to a word and a few words at a time, for one tile of calls after
//! another: so labels take a cache's memory, however many calls there are.
//!
//! *Single calls.* A stratum's calls are visited once. If `left` calls are still to come, `tp` of
//! which must be true, the next is true with probability tp / left (selection sampling: Fan, Muller
//! and Rezucha 1962; Knuth, volume 2, algorithm S). From tile to tile only `left` and `tp` are kept.
//!
//! *Loci.* Each locus in turn takes one of the remaining label vectors, each with the same
//! probability, from an urn that has every locus' own once (Fisher and Yates; Durstenfeld 1964).
//! For vectors of one label that is selection sampling, by more work. Unlike a search among
//! distinct vectors, a draw costs the same however many there are.
//!
//! *Samples.* Labels rotate by an offset.
//!
//! Labels of loci and of samples are drawn ahead for all of their calls, and so are those of strata of
//! few calls. Each arrangement of a group is equally likely, but for the rounding of 32-bit random
//! numbers.

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

/// The most calls of a group whose labels take no more memory than the state of drawing them.
const FEW: usize = 64;

/// The places of calls whose labels stay.
const TRUE: u32 = u32::MAX;
const FALSE: u32 = u32::MAX - 1;

/// A source of permuted labels.
pub(super) struct Labels {
    groups: Vec<Group>,
    numbers: Numbers,
    /// Groups that are drawn call by call.
    streamed: Vec<usize>,
    /// Groups that are drawn ahead, each with the place of its first call among theirs.
    ahead: Vec<(usize, usize)>,
    /// Calls of groups that are drawn ahead.
    ahead_calls: usize,
    /// The place of every call: the number of its group among those drawn call by call; behind these,
    /// its place among the calls that are drawn ahead; [`TRUE`] or [`FALSE`].
    places: Vec<u32>,
}

/// The labels of one batch of permutations, as far as they are drawn.
pub(super) struct Drawn<const WORDS: usize> {
    /// One a word.
    words: Vec<Word>,
    ahead: Vec<Bits<WORDS>>,
    /// The labels of a tile's calls.
    labels: Vec<Bits<WORDS>>,
}

/// The permutations of a word: each group that is drawn call by call, and a tile's labels.
struct Word {
    groups: Vec<Selection>,
    labels: Vec<u64>,
}

impl Labels {
    pub(super) fn new(permutation: &Permutation) -> Self {
        let groups = groups::of(permutation);
        let is_streamed = |group: &Group| {
            let is_single = matches!(group.manner, Manner::Select { .. });
            is_single && group.calls.len() > FEW && group.calls.is_sorted()
        };
        let (mut streamed, mut ahead, mut ahead_calls) = (Vec::new(), Vec::new(), 0);
        for (number, group) in groups.iter().enumerate() {
            if is_streamed(group) {
                streamed.push(number);
            } else {
                ahead.push((number, ahead_calls));
                ahead_calls += group.calls.len();
            }
        }
        let as_it_is = |&is_tp: &bool| if is_tp { TRUE } else { FALSE };
        let mut places: Vec<u32> = permutation.is_tp.iter().map(as_it_is).collect();
        for (place, &group) in (0..).zip(&streamed) {
            for &row in &groups[group].calls {
                places[row as usize] = place;
            }
        }
        for &(group, first) in &ahead {
            for (place, &row) in (streamed.len() + first..).zip(&groups[group].calls) {
                places[row as usize] = place as u32;
            }
        }
        Self {
            numbers: Numbers::of(permutation),
            groups,
            streamed,
            ahead,
            ahead_calls,
            places,
        }
    }

    /// Returns the groups within which labels change places.
    pub(super) fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The bytes that a word of permutations takes beside its tile.
    pub(super) fn bytes_a_word(&self) -> usize {
        self.streamed.len() * size_of::<Selection>() + self.ahead_calls * size_of::<u64>()
    }

    /// Begins the permutations from `batch · 64 · WORDS`. Each word's labels depend on the seed, the
    /// word's number and the groups alone, so the number drawn together makes no difference.
    pub(super) fn begin<const WORDS: usize>(&self, batch: u64) -> Drawn<WORDS> {
        let stream = |word: usize| batch * WORDS as u64 + word as u64;
        let begin = |word: usize| Word {
            groups: (self.streamed.iter())
                .map(|&group| Selection::of(&self.groups[group], &self.numbers, stream(word)))
                .collect(),
            labels: Vec::new(),
        };
        let mut ahead = vec![[0; WORDS]; self.ahead_calls];
        // Drawn labels take 8 bytes a call and word until they are in their place.
        let together = rayon::current_num_threads().clamp(1, WORDS);
        for first in (0..WORDS).step_by(together) {
            let words = first..WORDS.min(first + together);
            let both = |&(group, place): &(usize, usize)| {
                words.clone().map(move |word| (group, place, word))
            };
            let tasks: Vec<_> = self.ahead.iter().flat_map(both).collect();
            let drawn = tasks.par_iter().map(|&(group, _, word)| {
                let group = &self.groups[group];
                arrange(group, &mut self.numbers.stream(stream(word), group.number))
            });
            let drawn: Vec<Vec<u64>> = drawn.collect();
            for ((_, place, word), labels) in tasks.into_iter().zip(drawn) {
                for (bits, labels) in ahead[place..].iter_mut().zip(labels) {
                    bits[word] = labels;
                }
            }
        }
        Drawn {
            words: (0..WORDS).map(begin).collect(),
            ahead,
            labels: Vec::new(),
        }
    }

    /// The calls of a tile that are drawn call by call: group by group, each with its place in the tile.
    pub(super) fn order(&self, calls: Range<usize>) -> Vec<(u32, u32)> {
        let places = self.places[calls].iter().copied().zip(0..);
        let mut order: Vec<(u32, u32)> = places
            .filter(|&(place, _)| (place as usize) < self.streamed.len())
            .collect();
        order.sort_unstable();
        order
    }
}

impl<const WORDS: usize> Drawn<WORDS> {
    /// Draws the labels of a tile of calls, whose [`order`](Labels::order) is given. Tiles follow one
    /// another.
    pub(super) fn draw(
        &mut self,
        of: &Labels,
        calls: Range<usize>,
        order: &[(u32, u32)],
    ) -> &[Bits<WORDS>] {
        let words = self.words.par_iter_mut();
        words.for_each(|word| word.draw(calls.len(), order));
        let streamed = of.streamed.len();
        let label = |(row, &place): (usize, &u32)| match place {
            TRUE => [u64::MAX; WORDS],
            FALSE => [0; WORDS],
            _ => match (place as usize).checked_sub(streamed) {
                Some(place) => self.ahead[place],
                None => std::array::from_fn(|word| self.words[word].labels[row]),
            },
        };
        self.labels.clear();
        self.labels
            .extend(of.places[calls].iter().enumerate().map(label));
        &self.labels
    }
}

impl Word {
    fn draw(&mut self, calls: usize, order: &[(u32, u32)]) {
        self.labels.resize(calls, 0);
        for of_group in order.chunk_by(|a, b| a.0 == b.0) {
            let group = &mut self.groups[of_group[0].0 as usize];
            for &(_, row) in of_group {
                self.labels[row as usize] = group.next();
            }
        }
    }
}

/// The source of random numbers: a stream for each word of 64 permutations and each group.
enum Numbers {
    /// Groups are strata, at most 2^16 of them.
    Strata(ChaCha8Rng),
    /// Groups have 32 bits, and so have words: 2^38 permutations.
    Groups(ChaCha8Rng),
}

impl Numbers {
    fn of(permutation: &Permutation) -> Self {
        let seed = permutation.seed;
        match permutation.exchange {
            Exchange::Calls => {
                let most = permutation.strata.iter().max().copied().unwrap_or(0);
                let all = ChaCha8Rng::seed_from_u64(seed);
                if most <= u16::MAX.into() {
                    Self::Strata(all)
                } else {
                    Self::Groups(all)
                }
            }
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

/// Selection sampling of a group's calls, of which so many are true in each permutation.
struct Selection {
    numbers: ChaCha8Rng,
    missing: [u32; LANES],
    left: u32,
}

impl Selection {
    fn new(calls: u32, tp: u32, numbers: ChaCha8Rng) -> Self {
        Self {
            numbers,
            missing: [tp; LANES],
            left: calls,
        }
    }

    fn of(group: &Group, numbers: &Numbers, stream: u64) -> Self {
        let tp = match group.manner {
            Manner::Select { tp } => tp,
            Manner::Draw { .. } | Manner::Turn { .. } => 0,
        };
        let numbers = numbers.stream(stream, group.number);
        Self::new(group.calls.len() as u32, tp, numbers)
    }

    /// Says on which permutations the next call is true.
    fn next(&mut self) -> u64 {
        let mut random = [0; BYTES];
        self.numbers.fill_bytes(&mut random);
        let chosen = choose(self.left, &mut self.missing, &random);
        self.left -= 1;
        chosen
    }
}

/// Draws the labels of a stratum's calls, of which `tp` are true in each permutation.
fn select(calls: u32, tp: u32, numbers: &ChaCha8Rng) -> Vec<u64> {
    let mut selection = Selection::new(calls, tp, numbers.clone());
    (0..calls).map(|_| selection.next()).collect()
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
impl Labels {
    /// Draws the labels of all calls, some at a time.
    pub(super) fn draw<const WORDS: usize>(&self, batch: u64) -> Vec<Bits<WORDS>> {
        const TILE: usize = 70;
        let mut drawn = self.begin(batch);
        let tile = |first: usize| {
            let calls = first..self.places.len().min(first + TILE);
            let order = self.order(calls.clone());
            drawn.draw(self, calls, &order).to_vec()
        };
        let firsts = (0..self.places.len()).step_by(TILE);
        firsts.flat_map(tile).collect()
    }
}

#[cfg(test)]
#[path = "labels_tests.rs"]
mod tests;
