//! Exact two-sided p-values of several tests at a time, one in each lane of a vector register.
//!
//! A walk divides at each step, and a division of four numbers takes hardly longer than one of one.
//! Every lane does what [`ln_two_sided`] does, in the same order; a lane that has come to its end
//! keeps its sums until the last one has. IEEE arithmetic is the same in all lanes and on all
//! machines, and nothing is contracted, so p has the bits that it has alone.

use std::marker::PhantomData;

use pulp::{Simd, WithSimd};

use super::law::{Sums, Want, ln_two_sided};
use super::walk::{BEYOND, ENOUGH, LaneLaw, Walk};
use crate::stats::vectors;

/// The most lanes of a register, of binary64.
const MOST_LANES: usize = 8;

/// A law, and the number that was observed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Observed<L> {
    pub(super) law: L,
    pub(super) number: u64,
}

/// Computes `ln p` of each item's test, NaN where it has none; `ln_p` has a place for each item.
pub(super) fn test_each<T, L: LaneLaw<K>, const K: usize>(
    items: &[T],
    test: impl Fn(&T) -> Option<Observed<L>>,
    want: Want,
    ln_p: &mut [f64],
) {
    /// Tests among which those of like length are looked for.
    const SORTED: usize = 512;
    let mut tests: Vec<Option<Observed<L>>> = Vec::with_capacity(SORTED.min(items.len()));
    let mut order = Vec::with_capacity(SORTED.min(items.len()));
    for (items, ln_p) in items.chunks(SORTED).zip(ln_p.chunks_mut(SORTED)) {
        tests.clear();
        tests.extend(items.iter().map(&test));
        // Sorted are places, since tests are long. The bits of numbers without a sign ascend with the size.
        let key = |(place, test): (u32, &Option<Observed<L>>)| {
            let spread = test.as_ref()?.spread() as f32;
            Some(u64::from(spread.to_bits()) << 32 | u64::from(place))
        };
        order.clear();
        order.extend((0..).zip(&tests).filter_map(key));
        order.sort_unstable();
        ln_p.fill(f64::NAN);
        vectors::dispatch(Each {
            tests: &tests,
            order: &order,
            want,
            ln_p,
        });
    }
}

impl<L> Observed<L> {
    fn spread<const K: usize>(&self) -> f64
    where
        L: LaneLaw<K>,
    {
        self.law.spread(self.number)
    }
}

/// Computes [`ln_two_sided`] of each test, with the same bits.
struct Each<'a, L, const K: usize> {
    tests: &'a [Option<Observed<L>>],
    /// The places of the tests that are made, in the lower half of each number.
    order: &'a [u64],
    want: Want,
    ln_p: &'a mut [f64],
}

impl<L: LaneLaw<K>, const K: usize> WithSimd for Each<'_, L, K> {
    type Output = ();

    #[allow(clippy::inline_always)]
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self {
            tests,
            order,
            want,
            ln_p,
        } = self;
        let lanes = S::F64_LANES.min(MOST_LANES);
        for order in order.chunks(lanes) {
            // Lanes without a test of their own repeat the first one.
            let place = |lane: usize| *order.get(lane).unwrap_or(&order[0]) as u32 as usize;
            let mut numbers = [[0.0; MOST_LANES]; K];
            let mut start = [0.0; MOST_LANES];
            for lane in 0..lanes {
                let Some(test) = &tests[place(lane)] else {
                    continue;
                };
                for (numbers, number) in numbers.iter_mut().zip(test.law.numbers()) {
                    numbers[lane] = number;
                }
                start[lane] = test.number as f64;
            }
            let mut of_lanes = [simd.splat_f64s(0.0); K];
            for (of_lanes, numbers) in of_lanes.iter_mut().zip(&numbers) {
                *of_lanes = S::as_simd_f64s(numbers).0[0];
            }
            let walk = Walk::<S, L, K> {
                simd,
                numbers: of_lanes,
                start: S::as_simd_f64s(&start).0[0],
                law: PhantomData,
            };
            let mut sums = [[0.0; MOST_LANES]; 3];
            for (sums, of_lanes) in sums.iter_mut().zip(walk.sums(want)) {
                S::as_mut_simd_f64s(sums).0[0] = of_lanes;
            }
            let [at_most, above, done] = sums;
            for lane in 0..order.len() {
                let Some(test) = &tests[place(lane)] else {
                    continue;
                };
                ln_p[place(lane)] = if done[lane] == BEYOND {
                    ln_two_sided(&test.law, test.number, want)
                } else if done[lane] == ENOUGH || above[lane] == 0.0 {
                    0.0
                } else {
                    Sums::ln_p_of(at_most[lane], above[lane])
                };
            }
        }
    }
}

#[cfg(test)]
#[path = "lanes_tests.rs"]
mod tests;
