//! The pairs that fire together often enough, and no more of them than can be kept.

use std::cmp::Reverse;

use super::Settings;

/// Two atoms, a < b, and on how many true and false calls both fire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) a: u32,
    pub(super) b: u32,
    pub(super) tp: u32,
    pub(super) fp: u32,
}

impl Pair {
    /// Returns the number of calls on which both fire. There are fewer than 2^32 calls.
    pub(super) fn count(&self) -> u32 {
        self.tp + self.fp
    }
}

/// The pairs that were kept.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    /// The pairs, by descending count, then ascending atoms.
    pub(super) pairs: Vec<Pair>,
    pub(super) threshold: u64,
    pub(super) at_asked: u64,
}

/// Keeps pairs as they are found.
///
/// It holds all pairs found so far whose count reaches its threshold, which it raises only when
/// those are too many already. What is found later makes them no fewer, so it never is above the
/// threshold that all pairs together want.
pub(super) struct Keeper {
    asked: u64,
    threshold: u64,
    most: usize,
    at_asked: u64,
    pairs: Vec<Pair>,
}

/// Some pairs, found by one thread.
pub(super) struct Found {
    pub(super) asked: u64,
    threshold: u64,
    at_asked: u64,
    pairs: Vec<Pair>,
}

impl Found {
    /// Takes a pair, if it fires together often enough.
    pub(super) fn take(&mut self, pair: Pair) {
        let count = u64::from(pair.count());
        self.at_asked += u64::from(count >= self.asked);
        if count >= self.threshold {
            self.pairs.push(pair);
        }
    }
}

impl Keeper {
    pub(super) fn new(settings: &Settings) -> Self {
        // Pairs that never fire together are no pairs.
        let asked = settings.min_coactivation.max(1);
        Self {
            asked,
            threshold: asked,
            most: settings.most_pairs,
            at_asked: 0,
            pairs: Vec::new(),
        }
    }

    /// The fewest calls on which both atoms of a pair fire; 1 at least.
    pub(super) fn asked(&self) -> u64 {
        self.asked
    }

    /// Room for pairs that are found from now on.
    pub(super) fn found(&self) -> Found {
        Found {
            asked: self.asked,
            threshold: self.threshold,
            at_asked: 0,
            pairs: Vec::new(),
        }
    }

    /// Takes what was found.
    pub(super) fn take(&mut self, found: impl IntoIterator<Item = Found>) {
        for mut found in found {
            self.at_asked += found.at_asked;
            if found.threshold < self.threshold {
                let threshold = self.threshold;
                found
                    .pairs
                    .retain(|pair| u64::from(pair.count()) >= threshold);
            }
            self.pairs.append(&mut found.pairs);
            // Half as many more, so that raising is rare.
            if self.pairs.len() > self.most.saturating_add(self.most / 2) {
                self.raise();
            }
        }
    }

    /// Raises the threshold to the smallest that leaves no more than can be kept.
    fn raise(&mut self) {
        if self.pairs.len() <= self.most {
            return;
        }
        let mut counts: Vec<u32> = self.pairs.iter().map(Pair::count).collect();
        // With this count one too many would be kept, or more.
        let (_, &mut too_small, _) =
            counts.select_nth_unstable_by_key(self.most, |&count| Reverse(count));
        self.threshold = u64::from(too_small) + 1;
        self.pairs.retain(|pair| pair.count() > too_small);
    }

    /// All that are kept, in order, if they were taken by ascending atoms.
    pub(super) fn finish(mut self) -> Kept {
        self.raise();
        self.pairs.shrink_to_fit();
        Kept {
            pairs: by_descending_count(self.pairs),
            threshold: self.threshold,
            at_asked: self.at_asked,
        }
    }
}

/// Sorts pairs by descending count; equal ones stay as they stand. It sorts digit by digit of the
/// count, the last one first. For millions of pairs this is several times as fast as comparing
/// them.
fn by_descending_count(mut pairs: Vec<Pair>) -> Vec<Pair> {
    const BITS: u32 = 11;
    let most = pairs.iter().map(Pair::count).max().unwrap_or(0);
    let mut sorted = pairs.clone();
    let mut shift = 0;
    while shift < u32::BITS && most >> shift > 0 {
        let digit = |pair: &Pair| (!pair.count() >> shift) as usize % (1 << BITS);
        let mut next = [0; 1 << BITS];
        for pair in &pairs {
            next[digit(pair)] += 1;
        }
        let mut before = 0;
        for next in &mut next {
            before += std::mem::replace(next, before);
        }
        for pair in &pairs {
            let place = &mut next[digit(pair)];
            sorted[*place] = *pair;
            *place += 1;
        }
        std::mem::swap(&mut pairs, &mut sorted);
        shift += BITS;
    }
    pairs
}
