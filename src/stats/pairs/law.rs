//! Exact two-sided p-values of a count whose probabilities are known by the ratios of neighbours.

/// A tail ends where a term is below this part of the sum: a thousand standard deviations wide, what
/// follows is still below 10⁻¹² of it.
pub(super) const NEGLIGIBLE: f64 = 1e-15;

/// Probabilities this close, relatively, are equal ones. Rounding keeps ties within a tenth of it for
/// tens of thousands of steps, and one that is taken for a tie can but make p larger by its share.
pub(super) const TIE: f64 = 1e-11;

/// Terms are counted in units of a power of this, so that none overflows. A power of 2: nothing is
/// rounded.
pub(super) const UNIT: f64 = f64::from_bits((1023 + 600) << 52);

/// A law of whole numbers whose probabilities rise to one top and fall from there (log-concave).
pub(super) trait Law {
    /// `P(x + 1)/P(x)`, as numerator and denominator. Both are above 0 with two exceptions: the
    /// numerator of the largest x is 0, and so is the denominator of the one below the smallest.
    /// Farther out both are finite.
    fn ratio(&self, x: f64) -> [f64; 2];
}

/// Sums of probabilities in units of the observed number's.
pub(super) struct Sums {
    /// The sum over the numbers at most as probable as the observed one, which is among them.
    at_most: f64,
    /// The sum over the more probable ones, in units of [`UNIT`] to the power of `units`.
    above: f64,
    units: i32,
}

/// What is asked of a p-value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Want {
    /// `ln p`.
    Exact,
    /// `ln p`; or 0 where p is found to be at least this number, which is below 1, before p is known.
    Below(f64),
}

/// `ln p` of an observed number: the probability of all that are at most as probable, as Fisher's test
/// has it; 0 of a top.
///
/// One walk each way from the observed number, with `P(x)/P(observed)` as a product of ratios: as many
/// steps as there are from it to the top, and some ten standard deviations more. Both walks first rise
/// to where they fall for good, since what is above is complete then: it says how much is enough
/// of the tails to know that p is large. Then they fall side by side: neither waits for the other.
pub(super) fn ln_two_sided(law: &impl Law, observed: u64, want: Want) -> f64 {
    let start = observed as f64;
    let up = |step: f64| law.ratio(start + step);
    let down = |step: f64| {
        let [up, down] = law.ratio(start - step - 1.0);
        [down, up]
    };
    let mut sums = Sums {
        at_most: 1.0,
        above: 0.0,
        units: 0,
    };
    let (of_up, of_down) = (sums.rise(up), sums.rise(down));
    if sums.above == 0.0 {
        return 0.0;
    }
    let enough = sums.enough(want);
    if sums.fall([of_up, of_down], enough, (up, down)) {
        return 0.0;
    }
    if sums.units == 0 {
        return Sums::ln_p_of(sums.at_most, sums.above);
    }
    // What is at most as probable is nothing beside a unit.
    libm::log(sums.at_most) - libm::log(sums.above) - f64::from(sums.units) * libm::log(UNIT)
}

/// Where a walk begins to fall: a term at most as probable as the observed number, and its step.
#[derive(Clone, Copy)]
struct Risen {
    term: f64,
    step: f64,
}

impl Sums {
    /// Adds terms up to the first that is followed by smaller ones alone, which it returns; each from
    /// the one before by a ratio of two numbers.
    ///
    /// The first step alone shows most walks that only fall. After it, four terms at a time are taken
    /// while they are above the observed number's; what remains is taken one by one.
    fn rise(&mut self, ratio: impl Fn(f64) -> [f64; 2]) -> Risen {
        let (mut term, mut units) = (1.0, 0);
        let mut step = 0.0;
        loop {
            let [up, down] = ratio(step);
            term *= up / down;
            step += 1.0;
            if term > UNIT {
                term /= UNIT;
                units += 1;
            } else if units > 0 && term * UNIT <= 1.0 + TIE {
                term *= UNIT;
                units -= 1;
            }
            if units == 0 && term <= 1.0 + TIE {
                if up < down {
                    return Risen { term, step };
                }
                self.at_most += term;
            } else if units == self.units {
                self.above += term;
            } else if units > self.units {
                self.above = self.above / UNIT + term;
                self.units = units;
            }
            if step == 1.0 && self.units == 0 {
                while let Some(four) = Four::above(term, step, &ratio) {
                    self.above += four.sum();
                    term = four.terms[3];
                    step += 4.0;
                }
            }
        }
    }

    /// The sum that is at most as probable from which on p is at least what is asked; with room for
    /// rounding, which is within some 10⁻¹² of either sum.
    fn enough(&self, want: Want) -> f64 {
        match want {
            Want::Below(limit) if self.units == 0 => {
                let [share, room] = Self::enough_of_above(limit);
                self.above * share * room
            }
            _ => f64::INFINITY,
        }
    }

    /// The two factors of what is above that make what is enough for a p of `limit`, below 1.
    pub(super) fn enough_of_above(limit: f64) -> [f64; 2] {
        [limit / (1.0 - limit), 1.0 + 1e-9]
    }

    /// `ln p` where both sums are in units of the observed number's probability.
    pub(super) fn ln_p_of(at_most: f64, above: f64) -> f64 {
        libm::log(at_most / (at_most + above))
    }

    /// Adds terms from which on either walk only falls, and what follows, so that many at a time are
    /// looked at. Past the last they are 0. Returns true, and stops, where there is enough.
    fn fall(
        &mut self,
        [mut above, mut below]: [Risen; 2],
        enough: f64,
        (up, down): (impl Fn(f64) -> [f64; 2], impl Fn(f64) -> [f64; 2]),
    ) -> bool {
        self.at_most += above.term + below.term;
        loop {
            let least = self.at_most * NEGLIGIBLE;
            let falling = [above.term > least, below.term > least];
            if falling == [false; 2] {
                return false;
            }
            if self.at_most >= enough {
                return true;
            }
            let of_above = above.fall(falling[0], &up);
            let of_below = below.fall(falling[1], &down);
            self.at_most += of_above + of_below;
        }
    }
}

impl Risen {
    /// Goes on by four terms, if it still falls, and returns their sum.
    fn fall(&mut self, is_falling: bool, ratio: impl Fn(f64) -> [f64; 2]) -> f64 {
        if !is_falling {
            return 0.0;
        }
        let four = Four::after(self.term, self.step, ratio);
        self.term = four.terms[3];
        self.step += 4.0;
        four.sum()
    }
}

/// Four terms that follow each other.
struct Four {
    terms: [f64; 4],
}

impl Four {
    /// The terms after one. Quotients do not wait for each other, and products in pairs wait less.
    fn after(term: f64, step: f64, ratio: impl Fn(f64) -> [f64; 2]) -> Self {
        let [a, b, c, d] = [0.0, 1.0, 2.0, 3.0].map(|ahead| {
            let [up, down] = ratio(step + ahead);
            up / down
        });
        let second = term * (a * b);
        let terms = [term * a, second, second * c, term * ((a * b) * (c * d))];
        Self { terms }
    }

    /// The same, if all are more probable than the observed number, and none is above a unit. Terms rise to
    /// one top and fall from there: between two that are more probable, all are.
    fn above(term: f64, step: f64, ratio: impl Fn(f64) -> [f64; 2]) -> Option<Self> {
        let four = Self::after(term, step, ratio);
        let [first, second, third, fourth] = four.terms;
        let is_above = first > 1.0 + TIE && fourth > 1.0 + TIE;
        let most = first.max(second).max(third.max(fourth));
        (is_above && most <= UNIT).then_some(four)
    }

    fn sum(&self) -> f64 {
        let [first, second, third, fourth] = self.terms;
        (first + second) + (third + fourth)
    }
}

#[cfg(test)]
#[path = "law_tests.rs"]
mod tests;
