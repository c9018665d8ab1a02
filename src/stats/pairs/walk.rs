//! The walks of several tests at a time: each lane takes the steps of [`ln_two_sided`](super::law::ln_two_sided).

use std::marker::PhantomData;

use pulp::Simd;

use super::law::{Law, NEGLIGIBLE, Sums, TIE, UNIT, Want};

/// A law that is given by K numbers.
pub(super) trait LaneLaw<const K: usize>: Law {
    /// The numbers that [`ratio_of`](Self::ratio_of) takes.
    fn numbers(&self) -> [f64; K];

    /// A number that is alike for tests of which walks are about as long.
    fn spread(&self, number: u64) -> f64;

    /// [`Law::ratio`] of the laws with these numbers, one in each lane.
    fn ratio_of<S: Simd>(simd: S, numbers: &[S::f64s; K], x: S::f64s) -> [S::f64s; 2];
}

/// A lane whose terms went beyond a unit.
pub(super) const BEYOND: f64 = 1.0;
/// A lane whose p is large enough.
pub(super) const ENOUGH: f64 = 2.0;

/// The walks of several tests.
pub(super) struct Walk<S: Simd, L, const K: usize> {
    pub(super) simd: S,
    pub(super) numbers: [S::f64s; K],
    pub(super) start: S::f64s,
    pub(super) law: PhantomData<L>,
}

/// The sums of several tests, and where their walks stand.
struct State<S: Simd> {
    at_most: S::f64s,
    above: S::f64s,
    /// 0, [`BEYOND`] or [`ENOUGH`].
    done: S::f64s,
}

/// Where walks stand, and at the end of their rise where they begin to fall.
struct Risen<S: Simd> {
    term: S::f64s,
    step: S::f64s,
}

#[allow(clippy::inline_always)]
impl<S: Simd, L: LaneLaw<K>, const K: usize> Walk<S, L, K> {
    /// Returns, of each lane, the sum over the numbers at most as probable as the observed one, that
    /// over the more probable ones, and whether it went [`BEYOND`] a unit or came to [`ENOUGH`].
    #[inline(always)]
    pub(super) fn sums(&self, want: Want) -> [S::f64s; 3] {
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
        self.fall(&mut state, [up, down], enough);
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

    /// The four terms after one, as the scalar walk has them.
    #[inline(always)]
    fn four<const UP: bool>(&self, term: S::f64s, step: S::f64s) -> [S::f64s; 4] {
        let simd = self.simd;
        let one = simd.splat_f64s(1.0);
        let quotient = |step| {
            let [up, down] = self.ratio::<UP>(step);
            simd.div_f64s(up, down)
        };
        let a = quotient(step);
        let at = simd.add_f64s(step, one);
        let b = quotient(at);
        let at = simd.add_f64s(at, one);
        let c = quotient(at);
        let d = quotient(simd.add_f64s(at, one));
        let (ab, cd) = (simd.mul_f64s(a, b), simd.mul_f64s(c, d));
        let second = simd.mul_f64s(term, ab);
        let fourth = simd.mul_f64s(term, simd.mul_f64s(ab, cd));
        [
            simd.mul_f64s(term, a),
            second,
            simd.mul_f64s(second, c),
            fourth,
        ]
    }

    #[inline(always)]
    fn sum_of_four(&self, [first, second, third, fourth]: [S::f64s; 4]) -> S::f64s {
        let simd = self.simd;
        simd.add_f64s(simd.add_f64s(first, second), simd.add_f64s(third, fourth))
    }

    /// Adds terms up to the first that is followed by smaller ones alone: the first of them, then four
    /// at a time while they are above, then one by one.
    #[inline(always)]
    fn rise<const UP: bool>(&self, state: &mut State<S>) -> Risen<S> {
        let simd = self.simd;
        let (zero, one) = (simd.splat_f64s(0.0), simd.splat_f64s(1.0));
        let mut at = Risen {
            term: one,
            step: zero,
        };
        // Lanes that went beyond before go nowhere.
        let mut rising = simd.equal_f64s(state.done, zero);
        rising = self.rise_one::<UP>(state, &mut at, rising);
        self.rise_by_fours::<UP>(state, &mut at, rising);
        while any(simd, rising) {
            rising = self.rise_one::<UP>(state, &mut at, rising);
        }
        at
    }

    /// Adds a term of each lane that rises; returns the lanes that still do.
    #[inline(always)]
    fn rise_one<const UP: bool>(
        &self,
        state: &mut State<S>,
        at: &mut Risen<S>,
        rising: S::m64s,
    ) -> S::m64s {
        let simd = self.simd;
        let (zero, one) = (simd.splat_f64s(0.0), simd.splat_f64s(1.0));
        let (tie, unit) = (simd.splat_f64s(1.0 + TIE), simd.splat_f64s(UNIT));
        let [up, down] = self.ratio::<UP>(at.step);
        let next = simd.mul_f64s(at.term, simd.div_f64s(up, down));
        at.term = simd.select_f64s(rising, next, at.term);
        at.step = simd.select_f64s(rising, simd.add_f64s(at.step, one), at.step);
        let now = simd.select_f64s(rising, at.term, zero);
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
        simd.and_m64s(go_on, simd.less_than_or_equal_f64s(now, unit))
    }

    /// Adds four terms at a time while all are above the observed number's, and none above a unit.
    #[inline(always)]
    fn rise_by_fours<const UP: bool>(
        &self,
        state: &mut State<S>,
        at: &mut Risen<S>,
        mut rising: S::m64s,
    ) {
        let simd = self.simd;
        let (tie, unit) = (simd.splat_f64s(1.0 + TIE), simd.splat_f64s(UNIT));
        let (zero, four) = (simd.splat_f64s(0.0), simd.splat_f64s(4.0));
        while any(simd, rising) {
            let terms = self.four::<UP>(at.term, at.step);
            let [first, second, third, fourth] = terms;
            let ends = simd.min_f64s(first, fourth);
            let most = simd.max_f64s(simd.max_f64s(first, second), simd.max_f64s(third, fourth));
            let is_above = simd.and_m64s(
                simd.greater_than_f64s(ends, tie),
                simd.less_than_or_equal_f64s(most, unit),
            );
            rising = simd.and_m64s(rising, is_above);
            let sum = simd.select_f64s(rising, self.sum_of_four(terms), zero);
            state.above = simd.add_f64s(state.above, sum);
            at.term = simd.select_f64s(rising, fourth, at.term);
            at.step = simd.select_f64s(rising, simd.add_f64s(at.step, four), at.step);
        }
    }

    /// Adds terms from which on either walk only falls, and what follows.
    #[inline(always)]
    fn fall(&self, state: &mut State<S>, [mut above, mut below]: [Risen<S>; 2], enough: S::f64s) {
        let simd = self.simd;
        let zero = simd.splat_f64s(0.0);
        let first = simd.add_f64s(above.term, below.term);
        state.at_most = simd.add_f64s(state.at_most, first);
        // Of a top, p is 1; nothing is to be added.
        let mut open = simd.and_m64s(
            simd.equal_f64s(state.done, zero),
            simd.greater_than_f64s(state.above, zero),
        );
        loop {
            let least = simd.mul_f64s(state.at_most, simd.splat_f64s(NEGLIGIBLE));
            let falling = [above.term, below.term].map(|term| simd.greater_than_f64s(term, least));
            open = simd.and_m64s(open, simd.or_m64s(falling[0], falling[1]));
            let is_enough = simd.greater_than_or_equal_f64s(state.at_most, enough);
            let is_enough = simd.and_m64s(open, is_enough);
            state.done = simd.select_f64s(is_enough, simd.splat_f64s(ENOUGH), state.done);
            open = simd.and_m64s(open, simd.equal_f64s(state.done, zero));
            if !any(simd, open) {
                return;
            }
            let of_above = self.fall_by_four::<true>(&mut above, falling[0]);
            let of_below = self.fall_by_four::<false>(&mut below, falling[1]);
            let more = simd.select_f64s(open, simd.add_f64s(of_above, of_below), zero);
            state.at_most = simd.add_f64s(state.at_most, more);
        }
    }

    /// Goes on by four terms, and returns their sum for lanes that still fall, 0 for others.
    #[inline(always)]
    fn fall_by_four<const UP: bool>(&self, at: &mut Risen<S>, falling: S::m64s) -> S::f64s {
        let simd = self.simd;
        let terms = self.four::<UP>(at.term, at.step);
        at.term = terms[3];
        at.step = simd.add_f64s(at.step, simd.splat_f64s(4.0));
        simd.select_f64s(falling, self.sum_of_four(terms), simd.splat_f64s(0.0))
    }
}

/// Says whether any lane is chosen.
#[allow(clippy::inline_always)]
#[inline(always)]
fn any<S: Simd>(simd: S, mask: S::m64s) -> bool {
    let (zero, one) = (simd.splat_f64s(0.0), simd.splat_f64s(1.0));
    simd.reduce_max_f64s(simd.select_f64s(mask, one, zero)) > 0.0
}
