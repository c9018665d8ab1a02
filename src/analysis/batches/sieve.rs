//! The m-th largest of more scores than memory holds, exactly.
//!
//! Scores above 0 are in the order of their bits. A sieve takes those of a [`Window`] of bits. It
//! keeps them, or only the largest that can matter, while they fit its memory. Where they do not, it
//! counts them in bins of equal width, and the bin that holds the m-th largest is the window of the
//! next sieve. Each narrows the window 2¹⁶ times, so that four bring it to a single number.

use std::cmp::Ordering;

/// The bins in which scores are counted.
const BINS: u64 = 1 << 16;

/// An atom that may fire on a row of the cohort.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Firing {
    pub(super) score: f64,
    pub(super) row: u64,
    pub(super) atom: u32,
}

impl Firing {
    /// The largest scores come first; of equal ones those of earlier rows, then of smaller atoms.
    fn order(&self, other: &Self) -> Ordering {
        let place = |firing: &Self| (firing.row, firing.atom);
        let by_score = other.score.total_cmp(&self.score);
        by_score.then_with(|| place(self).cmp(&place(other)))
    }
}

/// Scores above 0, by their bits, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    low: u64,
    high: u64,
}

impl Window {
    /// All scores above a threshold of at least 0.
    pub(super) fn above(threshold: f64) -> Self {
        Self {
            low: threshold.max(0.0).to_bits() + 1,
            high: f64::MAX.to_bits(),
        }
    }

    /// The number that all of its scores are above.
    pub(super) fn threshold(self) -> f64 {
        f64::from_bits(self.low - 1)
    }

    /// Says whether all scores above 0 are in it.
    pub(super) fn is_all(self) -> bool {
        self == Self::above(0.0)
    }
}

/// Scores of a window on their way to the m-th largest.
pub(super) struct Sieve {
    window: Window,
    /// The largest m that may be asked for.
    most: u64,
    /// The most firings that are kept.
    capacity: usize,
    seen: u64,
    /// The least score that was seen, by its bits.
    least: u64,
    kept: Kept,
}

enum Kept {
    Firings(Vec<Firing>),
    Bins {
        width: u64,
        counts: Vec<u64>,
    },
    /// All scores of the window are equal: the `most`-th of them in order.
    Equal(Option<Firing>),
}

/// The result of a sieve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Sieved {
    /// The m-th largest.
    Found(Firing),
    /// The m-th largest is that many places down in this window.
    Within(Window, u64),
    /// The window has fewer scores; the least of them.
    Short(Option<f64>),
}

impl Sieve {
    /// A sieve of scores in a window, of which at most the `most` largest matter, and exactly these
    /// if the window is a single number.
    pub(super) fn new(window: Window, most: u64, capacity: usize) -> Self {
        let kept = if window.low == window.high {
            Kept::Equal(None)
        } else {
            Kept::Firings(Vec::new())
        };
        Self {
            window,
            most,
            capacity,
            seen: 0,
            least: u64::MAX,
            kept,
        }
    }

    /// Takes the next score, in the order of rows and atoms.
    pub(super) fn add(&mut self, firing: Firing) {
        // The bits of numbers below 0 are beyond every window's.
        let bits = firing.score.to_bits();
        if bits < self.window.low || bits > self.window.high {
            return;
        }
        self.seen += 1;
        self.least = self.least.min(bits);
        match &mut self.kept {
            Kept::Firings(firings) => {
                firings.push(firing);
                if firings.len() >= self.capacity {
                    self.thin();
                }
            }
            Kept::Bins { width, counts } => {
                counts[((bits - self.window.low) / *width) as usize] += 1;
            }
            Kept::Equal(place) => {
                if self.seen == self.most {
                    *place = Some(firing);
                }
            }
        }
    }

    /// Leaves the largest that can matter, if these are half of what fits at most; counts otherwise.
    fn thin(&mut self) {
        let Kept::Firings(firings) = &mut self.kept else {
            return;
        };
        let most = usize::try_from(self.most).unwrap_or(usize::MAX);
        if most <= self.capacity / 2 {
            firings.select_nth_unstable_by(most - 1, Firing::order);
            firings.truncate(most);
            return;
        }
        let Window { low, high } = self.window;
        let width = (high - low) / BINS + 1;
        let mut counts = vec![0; BINS as usize];
        for firing in firings {
            counts[((firing.score.to_bits() - low) / width) as usize] += 1;
        }
        self.kept = Kept::Bins { width, counts };
    }

    /// The m-th largest of what was taken.
    ///
    /// # Panics
    /// If `m` is 0, or more than the most that may be asked for.
    pub(super) fn finish(self, m: u64) -> Sieved {
        assert!((1..=self.most).contains(&m), "a place that may matter");
        if self.seen < m {
            return Sieved::Short((self.seen > 0).then(|| f64::from_bits(self.least)));
        }
        match self.kept {
            Kept::Firings(mut firings) => {
                let nth = (m - 1) as usize;
                Sieved::Found(*firings.select_nth_unstable_by(nth, Firing::order).1)
            }
            Kept::Bins { width, counts } => within(self.window, width, &counts, m),
            Kept::Equal(Some(firing)) => Sieved::Found(firing),
            Kept::Equal(None) => unreachable!("as many were seen"),
        }
    }
}

/// The bin that holds the m-th largest, of which there are as many.
fn within(window: Window, width: u64, counts: &[u64], m: u64) -> Sieved {
    let mut left = m;
    let mut bin = counts.len() - 1;
    while counts[bin] < left {
        left -= counts[bin];
        bin -= 1;
    }
    let low = window.low + bin as u64 * width;
    let high = window.high.min(low + (width - 1));
    Sieved::Within(Window { low, high }, left)
}

#[cfg(test)]
#[path = "sieve_tests.rs"]
mod tests;
