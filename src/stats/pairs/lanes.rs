//! Exact two-sided p-values of several tests at a time, one in each lane of a vector register.
//!
//! A walk divides at each step, and a division of four numbers takes hardly longer than one of one.
//! Every lane does what [`ln_two_sided`] does, in the same order; a lane that has come to its end
//! keeps its sums until the last one has. IEEE arithmetic is the same in all lanes and on all
//! machines, and nothing is contracted, so p has the bits that it has alone.

use std::marker::PhantomData;

use pulp::{Simd, WithSimd};

use super::law::{Law, NEGLIGIBLE, Sums, TIE, UNIT, Want, ln_two_sided};
use crate::stats::vectors;

/// The most lanes of a register, of binary64.
const MOST_LANES: usize = 8;

/// A law that is given by K numbers.
pub(super) trait LaneLaw<const K: usize>: Law {
    /// The numbers that [`ratio_of`](Self::ratio_of) takes.
    fn numbers(&self) -> [f64; K];

    /// A number that is alike for tests of which walks are about as long.
    fn spread(&self, number: u64) -> f64;

    /// [`Law::ratio`] of the laws with these numbers, one in each lane.
    fn ratio_of<S: Simd>(simd: S, numbers: &[S::f64s; K], x: S::f64s) -> [S::f64s; 2];
}

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

/// A lane whose terms went beyond a unit.
const BEYOND: f64 = 1.0;
/// A lane whose p is large enough.
const ENOUGH: f64 = 2.0;

/// The walks of several tests.
struct Walk<S: Simd, L, const K: usize> {
    simd: S,
    numbers: [S::f64s; K],
    start: S::f64s,
    law: PhantomData<L>,
}

/// The sums of several tests, and where their walks stand.
struct State<S: Simd> {
    at_most: S::f64s,
    above: S::f64s,
    /// 0, [`BEYOND`] or [`ENOUGH`].
    done: S::f64s,
}

/// Where walks begin to fall.
struct Risen<S: Simd> {
    term: S::f64s,
    step: S::f64s,
}

#[allow(clippy::inline_always)]
impl<S: Simd, L: LaneLaw<K>, const K: usize> Walk<S, L, K> {
    /// Returns, of each lane, the sum over the numbers at most as probable as the observed one, that
    /// over the more probable ones, and whether it went [`BEYOND`] a unit or came to [`ENOUGH`].
    #[inline(always)]
    fn sums(&self, want: Want) -> [S::f64s; 3] {
        let simd = self.simd;
        let zero = simd.splat_f64s(0.0);
        let mut state = State {
            at_most: simd.splat_f64s(1.0),
            above: zero,
            done: zero,
        };
        let up = self.rise::<true>(&mut state);
        let down = self.rise::<false>(&mut state);
        let enough = match want {
            Want::Exact => simd.splat_f64s(f64::INFINITY),
            Want::Below(limit) => {
                let [share, room] = Sums::enough_of_above(limit);
                let part = simd.mul_f64s(state.above, simd.splat_f64s(share));
                simd.mul_f64s(part, simd.splat_f64s(room))
            }
        };
        self.fall::<true>(&mut state, &up, enough);
        self.fall::<false>(&mut state, &down, enough);
        [state.at_most, state.above, state.done]
    }

    /// The quotient of the probabilities of the number `step + 1` steps away and of that before it, as
    /// numerator and denominator.
    #[inline(always)]
    fn ratio<const UP: bool>(&self, step: S::f64s) -> [S::f64s; 2] {
        let simd = self.simd;
        if UP {
            return L::ratio_of(simd, &self.numbers, simd.add_f64s(self.start, step));
        }
        let x = simd.sub_f64s(simd.sub_f64s(self.start, step), simd.splat_f64s(1.0));
        let [up, down] = L::ratio_of(simd, &self.numbers, x);
        [down, up]
    }

    #[inline(always)]
    fn quotient<const UP: bool>(&self, step: S::f64s) -> S::f64s {
        let [up, down] = self.ratio::<UP>(step);
        self.simd.div_f64s(up, down)
    }

    /// Adds terms up to the first that is followed by smaller ones alone.
    #[inline(always)]
    fn rise<const UP: bool>(&self, state: &mut State<S>) -> Risen<S> {
        let simd = self.simd;
        let (zero, one) = (simd.splat_f64s(0.0), simd.splat_f64s(1.0));
        let (tie, unit) = (simd.splat_f64s(1.0 + TIE), simd.splat_f64s(UNIT));
        let (mut term, mut step) = (one, zero);
        // Lanes that went beyond before go nowhere.
        let mut rising = simd.equal_f64s(state.done, zero);
        while any(simd, rising) {
            let [up, down] = self.ratio::<UP>(step);
            let next = simd.mul_f64s(term, simd.div_f64s(up, down));
            term = simd.select_f64s(rising, next, term);
            step = simd.select_f64s(rising, simd.add_f64s(step, one), step);
            let now = simd.select_f64s(rising, term, zero);
            let is_above = simd.greater_than_f64s(now, tie);
            let rises = simd.greater_than_or_equal_f64s(up, down);
            let above = simd.select_f64s(is_above, now, zero);
            state.above = simd.add_f64s(state.above, above);
            let go_on = simd.and_m64s(rising, simd.or_m64s(is_above, rises));
            // What is not above, and not where the fall begins.
            let below = simd.select_f64s(is_above, zero, now);
            let below = simd.select_f64s(go_on, below, zero);
            state.at_most = simd.add_f64s(state.at_most, below);
            let beyond = simd.greater_than_f64s(now, unit);
            state.done = simd.select_f64s(beyond, simd.splat_f64s(BEYOND), state.done);
            rising = simd.and_m64s(go_on, simd.less_than_or_equal_f64s(now, unit));
        }
        Risen { term, step }
    }

    /// Adds a term from which on terms only fall, and what follows.
    #[inline(always)]
    fn fall<const UP: bool>(&self, state: &mut State<S>, from: &Risen<S>, enough: S::f64s) {
        let simd = self.simd;
        let zero = simd.splat_f64s(0.0);
        let (one, four) = (simd.splat_f64s(1.0), simd.splat_f64s(4.0));
        let (mut term, mut step) = (from.term, from.step);
        state.at_most = simd.add_f64s(state.at_most, term);
        // Of a top, p is 1; nothing is to be added.
        let mut falling = simd.and_m64s(
            simd.equal_f64s(state.done, zero),
            simd.greater_than_f64s(state.above, zero),
        );
        loop {
            let least = simd.mul_f64s(state.at_most, simd.splat_f64s(NEGLIGIBLE));
            falling = simd.and_m64s(falling, simd.greater_than_f64s(term, least));
            let is_enough = simd.greater_than_or_equal_f64s(state.at_most, enough);
            let is_enough = simd.and_m64s(falling, is_enough);
            state.done = simd.select_f64s(is_enough, simd.splat_f64s(ENOUGH), state.done);
            falling = simd.and_m64s(falling, simd.equal_f64s(state.done, zero));
            if !any(simd, falling) {
                return;
            }
            let a = self.quotient::<UP>(step);
            let at = simd.add_f64s(step, one);
            let b = self.quotient::<UP>(at);
            let at = simd.add_f64s(at, one);
            let c = self.quotient::<UP>(at);
            let d = self.quotient::<UP>(simd.add_f64s(at, one));
            let (ab, cd) = (simd.mul_f64s(a, b), simd.mul_f64s(c, d));
            let (second, fourth) = (simd.mul_f64s(term, ab), simd.mul_f64s(ab, cd));
            let first = simd.add_f64s(simd.mul_f64s(term, a), second);
            let next = simd.mul_f64s(term, fourth);
            let last = simd.add_f64s(simd.mul_f64s(second, c), next);
            let more = simd.add_f64s(first, last);
            let more = simd.select_f64s(falling, more, zero);
            state.at_most = simd.add_f64s(state.at_most, more);
            term = next;
            step = simd.add_f64s(step, four);
        }
    }
}

/// Says whether any lane is chosen.
#[allow(clippy::inline_always)]
#[inline(always)]
fn any<S: Simd>(simd: S, mask: S::m64s) -> bool {
    let (zero, one) = (simd.splat_f64s(0.0), simd.splat_f64s(1.0));
    simd.reduce_max_f64s(simd.select_f64s(mask, one, zero)) > 0.0
}

#[cfg(test)]
#[path = "lanes_tests.rs"]
mod tests;
