//! Counts of true calls, for hundreds of permutations at once. Counters are bit-sliced, one plane
//! for each binary digit, and carry-save adders reduce sixteen calls to one carry into the plane of
//! sixteens (Harley and Seal; Muła, Kurz and Lemire 2018).

use super::{Bits, LANES};

/// The number of calls that are added before a carry leaves the first planes.
const GROUP: usize = 16;

/// Counts of up to 2^32 − 1 for each permutation.
struct Counter<const WORDS: usize> {
    /// Binary digits of the counts, the lowest first.
    planes: [Bits<WORDS>; 32],
    /// Calls that wait until a group is full.
    waiting: [Bits<WORDS>; GROUP],
    waits: usize,
}

impl<const WORDS: usize> Default for Counter<WORDS> {
    fn default() -> Self {
        Self {
            planes: [[0; WORDS]; 32],
            waiting: [[0; WORDS]; GROUP],
            waits: 0,
        }
    }
}

/// Returns sum and carry of three bits, for every bit position.
#[allow(clippy::inline_always)]
#[inline(always)]
fn add<const WORDS: usize>(
    a: &Bits<WORDS>,
    b: &Bits<WORDS>,
    c: &Bits<WORDS>,
) -> (Bits<WORDS>, Bits<WORDS>) {
    let mut sum = [0; WORDS];
    let mut carry = [0; WORDS];
    for i in 0..sum.len() {
        let either = a[i] ^ b[i];
        sum[i] = either ^ c[i];
        carry[i] = (a[i] & b[i]) | (either & c[i]);
    }
    (sum, carry)
}

impl<const WORDS: usize> Counter<WORDS> {
    /// Counts a call's labels.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    fn add(&mut self, labels: &Bits<WORDS>) {
        self.waiting[self.waits] = *labels;
        self.waits += 1;
        if self.waits == GROUP {
            self.take_group();
        }
    }

    /// Adds the sixteen waiting calls.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    fn take_group(&mut self) {
        let w = &self.waiting;
        let [ones, twos, fours, eights, ..] = &mut self.planes;
        let mut carries = [[0; WORDS]; 8];
        for (pair, carry) in w.chunks_exact(2).zip(&mut carries) {
            (*ones, *carry) = add(ones, &pair[0], &pair[1]);
        }
        let mut upper = [[0; WORDS]; 4];
        for (pair, carry) in carries.chunks_exact(2).zip(&mut upper) {
            (*twos, *carry) = add(twos, &pair[0], &pair[1]);
        }
        let (sum, first) = add(fours, &upper[0], &upper[1]);
        let (sum, second) = add(&sum, &upper[2], &upper[3]);
        *fours = sum;
        let (sum, carry) = add(eights, &first, &second);
        *eights = sum;
        self.waits = 0;
        self.carry(carry, 4);
    }

    /// Adds one bit for each permutation to a plane and those above it.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    fn carry(&mut self, mut bits: Bits<WORDS>, from: usize) {
        for plane in &mut self.planes[from..] {
            if bits == [0; WORDS] {
                return;
            }
            for (digit, bit) in plane.iter_mut().zip(&mut bits) {
                (*digit, *bit) = (*digit ^ *bit, *digit & *bit);
            }
        }
    }

    /// Adds the counts to those of `planes`, which have room for the sums.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    fn add_to(mut self, planes: &mut [Bits<WORDS>]) {
        for i in 0..self.waits {
            let labels = self.waiting[i];
            self.carry(labels, 0);
        }
        let mut carry = [0; WORDS];
        for (sum, plane) in planes.iter_mut().zip(&self.planes) {
            (*sum, carry) = add(sum, plane, &carry);
        }
    }
}

/// The count of an atom on each permutation, as binary digits, the lowest first: as many as the calls on
/// which it fires have.
pub(super) struct Count<const WORDS: usize>(Vec<Bits<WORDS>>);

impl<const WORDS: usize> Count<WORDS> {
    /// Makes counts of 0 that have room for so many calls.
    pub(super) fn new(calls: usize) -> Self {
        Self(vec![
            [0; WORDS];
            (usize::BITS - calls.leading_zeros()) as usize
        ])
    }

    /// Counts the labels of some calls: the first of `labels` is that of call `first`.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    pub(super) fn add(&mut self, rows: &[u32], first: usize, labels: &[Bits<WORDS>]) {
        let labels = rows.iter().map(|&row| &labels[row as usize - first]);
        if rows.len() >= GROUP {
            let mut counter = Counter::default();
            labels.for_each(|labels| counter.add(labels));
            return counter.add_to(&mut self.0);
        }
        for labels in labels {
            let mut bits = *labels;
            for plane in &mut self.0 {
                if bits == [0; WORDS] {
                    break;
                }
                for (digit, bit) in plane.iter_mut().zip(&mut bits) {
                    (*digit, *bit) = (*digit ^ *bit, *digit & *bit);
                }
            }
        }
    }

    /// Returns the count of each permutation.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    pub(super) fn counts(&self) -> [[u32; LANES]; WORDS] {
        let mut counts = [[0; LANES]; WORDS];
        for (digit, plane) in self.0.iter().enumerate() {
            for (word, counts) in plane.iter().zip(&mut counts) {
                for (bit, count) in counts.iter_mut().enumerate() {
                    *count |= ((word >> bit) as u32 & 1) << digit;
                }
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::super::Bits;
    use super::{Count, LANES};
    use rand::{RngExt, SeedableRng};

    /// Counts calls in tiles of so many.
    fn check<const WORDS: usize>(calls: usize, tile: usize) {
        let mut draw = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let labels: Vec<Bits<WORDS>> = (0..calls)
            .map(|_| std::array::from_fn(|_| draw.random()))
            .collect();
        let rows: Vec<u32> = (0..calls as u32).filter(|row| row % 5 != 3).collect();
        let mut count = Count::new(rows.len());
        for first in (0..calls).step_by(tile) {
            let last = calls.min(first + tile);
            let is_in = |row: &&u32| (first..last).contains(&(**row as usize));
            let of_tile: Vec<u32> = rows.iter().filter(is_in).copied().collect();
            count.add(&of_tile, first, &labels[first..last]);
        }
        for (word, counts) in count.counts().iter().enumerate() {
            for (lane, &count) in (0..LANES).zip(counts) {
                let bit = |row: &&u32| labels[**row as usize][word] >> lane & 1 == 1;
                assert_eq!(count as usize, rows.iter().filter(bit).count());
            }
        }
    }

    #[test]
    fn count_matches_counting_one_by_one_whatever_the_tiles() {
        for calls in [0, 1, 15, 16, 17, 31, 257, 1000] {
            for tile in [1, 9, 40, 1000] {
                check::<8>(calls, tile);
                check::<2>(calls, tile);
            }
        }
    }
}
