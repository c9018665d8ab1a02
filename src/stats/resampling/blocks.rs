//! Blocks of dependent calls: neighbours on the genome, or all calls of a sample.
//!
//! Calls of one place, in one sample or in many, are often true or false together and fire the same
//! atoms: they are one observation seen several times. A resampling of calls has to keep them
//! together, or it counts them as independent evidence.

use crate::cohort::TextColumn;
use crate::error::{Error, Result};

/// A partition of calls. Calls are numbered from 0 in the cohort's order, without dropped ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Blocks {
    /// The block of each call, below [`count`](Self::count).
    pub of_call: Vec<u32>,
    /// The number of blocks, none of which is empty.
    pub count: u32,
}

impl Blocks {
    /// Makes loci by single linkage: calls of one chromosome, each within `distance` base pairs of
    /// the one before it, are one locus, whichever datasets they are from.
    ///
    /// `chrom` has the code of each call's chromosome, that of [`TextColumn`], whose code for a
    /// missing value is 2^32 − 1. `pos` has each call's position in base pairs, from 1. A call of
    /// which either is unknown is a locus of its own. (The chromosome is missing, or the position
    /// is not finite or below 1, as a missing one is read.)
    ///
    /// Loci are numbered along the genome, by chromosome's code, position and row; those of calls
    /// without a place come last, by row. Inputs of different lengths are cut to the shorter one.
    pub fn loci(chrom: &[u32], pos: &[f64], distance: u64) -> Self {
        let order = genome_order(chrom, pos);
        let mut of_call = vec![0; order.len()];
        let mut count = 0;
        let mut before: Option<usize> = None;
        for row in order.into_iter().map(|row| row as usize) {
            let joins = before.is_some_and(|before| {
                has_place(chrom[row], pos[row])
                    && chrom[row] == chrom[before]
                    && pos[row] - pos[before] <= distance as f64
            });
            count += u32::from(!joins);
            of_call[row] = count - 1;
            before = Some(row);
        }
        Self { of_call, count }
    }

    /// Makes samples: calls of one dataset, by each call's code, are a block. Blocks are numbered
    /// by code; a missing dataset is one of its own.
    pub fn samples(dataset: &[u32]) -> Self {
        let mut codes = dataset.to_vec();
        codes.sort_unstable();
        codes.dedup();
        let place = |code: &u32| codes.partition_point(|other| other < code) as u32;
        Self {
            of_call: dataset.iter().map(place).collect(),
            count: codes.len() as u32,
        }
    }

    /// Checks that these are blocks of so many calls.
    ///
    /// # Errors
    /// Fails if the blocks have another number of calls, or numbers beyond their count.
    pub(crate) fn check(&self, calls: usize) -> Result<()> {
        let differ = |found, expected| Error::Argument {
            name: "blocks",
            found,
            expected,
        };
        if self.of_call.len() != calls {
            let found = format!("blocks of {} calls", self.of_call.len());
            return Err(differ(found, format!("those of {calls} calls")));
        }
        match self.of_call.iter().max() {
            Some(&most) if most >= self.count => Err(differ(
                format!("block {most}"),
                format!("blocks below {}", self.count),
            )),
            _ => Ok(()),
        }
    }

    /// Returns the calls of each block in sequence, ascending, and the end of each block.
    pub(crate) fn members(&self) -> (Vec<u32>, Vec<usize>) {
        let mut ends = vec![0; self.count as usize];
        for &block in &self.of_call {
            ends[block as usize] += 1;
        }
        let mut next = Vec::with_capacity(ends.len());
        let mut total = 0;
        for end in &mut ends {
            next.push(total);
            total += *end;
            *end = total;
        }
        let mut rows = vec![0; total];
        for (row, &block) in (0..).zip(&self.of_call) {
            rows[next[block as usize]] = row;
            next[block as usize] += 1;
        }
        (rows, ends)
    }
}

/// Returns the calls along the genome: by chromosome's code, position, and row; those without a
/// place last, by row. Inputs are as in [`Blocks::loci`].
pub fn genome_order(chrom: &[u32], pos: &[f64]) -> Vec<u32> {
    let calls = chrom.len().min(pos.len());
    let mut order: Vec<u32> = (0..calls as u32).collect();
    order.sort_by(|&a, &b| {
        let key = |row: u32| {
            let (chrom, pos) = (chrom[row as usize], pos[row as usize]);
            // One key for all calls without a place: a stable sort keeps their order.
            has_place(chrom, pos).then_some((chrom, pos))
        };
        match (key(a), key(b)) {
            (Some((chrom, pos)), Some(other)) => chrom.cmp(&other.0).then(pos.total_cmp(&other.1)),
            (a, b) => b.is_some().cmp(&a.is_some()),
        }
    });
    order
}

fn has_place(chrom: u32, pos: f64) -> bool {
    chrom != TextColumn::MISSING && pos.is_finite() && pos >= 1.0
}

#[cfg(test)]
mod tests {
    use super::{Blocks, TextColumn, genome_order};
    use rand::{RngExt, SeedableRng};

    #[test]
    fn loci_connect_steps_of_at_most_the_distance() {
        let mut draw = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        for calls in [0, 1, 2, 60] {
            let chrom: Vec<u32> = (0..calls).map(|_| draw.random_range(0..3)).collect();
            let pos: Vec<f64> = (0..calls)
                .map(|_| draw.random_range(1..2000).into())
                .collect();
            for distance in [0, 30, 5000] {
                let blocks = Blocks::loci(&chrom, &pos, distance);
                // Near calls join, until nothing changes.
                let mut label: Vec<usize> = (0..calls).collect();
                for _ in 0..calls {
                    for a in 0..calls {
                        for b in 0..calls {
                            let near = (pos[a] - pos[b]).abs() <= distance as f64;
                            if chrom[a] == chrom[b] && near {
                                label[a] = label[a].min(label[b]);
                            }
                        }
                    }
                }
                for a in 0..calls {
                    for b in 0..calls {
                        let together = blocks.of_call[a] == blocks.of_call[b];
                        assert_eq!(together, label[a] == label[b], "{a} {b} {distance}");
                        if (chrom[a], pos[a]) < (chrom[b], pos[b]) {
                            assert!(blocks.of_call[a] <= blocks.of_call[b]);
                        }
                    }
                }
                let most = blocks.of_call.iter().max().map_or(0, |&most| most + 1);
                assert_eq!(blocks.count, most);
            }
        }
    }

    #[test]
    fn loci_of_calls_without_a_place_are_single_and_last() {
        let missing = TextColumn::MISSING;
        let chrom = [1, missing, 0, missing, 1, 1, 1, 0];
        let pos = [7.0, 7.0, 9.0, 7.0, f64::NAN, 0.0, 0.0, 8.5];
        let blocks = Blocks::loci(&chrom, &pos, 1000);
        assert_eq!(blocks.of_call, [1, 2, 0, 3, 4, 5, 6, 0]);
        assert_eq!(blocks.count, 7);
        assert_eq!(genome_order(&chrom, &pos), [7, 2, 0, 1, 3, 4, 5, 6]);
    }

    #[test]
    fn samples_are_numbered_by_code() {
        let blocks = Blocks::samples(&[7, TextColumn::MISSING, 3, 7]);
        assert_eq!((blocks.of_call, blocks.count), (vec![1, 2, 0, 1], 3));
        assert_eq!(Blocks::samples(&[]), Blocks::default());
    }

    #[test]
    fn check_refuses_blocks_of_other_calls() {
        let blocks = |count| Blocks {
            of_call: vec![1, 0],
            count,
        };
        assert!(blocks(2).check(2).is_ok());
        let of_three = blocks(2).check(3).expect_err("two calls");
        assert!(of_three.to_string().contains("those of 3 calls"));
        let beyond = blocks(1).check(2).expect_err("one block");
        assert!(beyond.to_string().contains("found block 1"));
    }

    #[test]
    fn members_are_the_calls_of_each_block() {
        let blocks = Blocks {
            of_call: vec![1, 0, 1, 2, 0],
            count: 3,
        };
        assert_eq!(blocks.members(), (vec![1, 4, 0, 2, 3], vec![2, 4, 5]));
    }
}
