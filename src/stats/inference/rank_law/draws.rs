//! The number of special items among those drawn.

use super::super::hypergeometric::{Hypergeometric, Side};
use super::super::table::Table2x2;

/// The count of special items among those drawn: hypergeometric, or certain.
#[derive(Debug, Clone, Copy)]
pub(super) struct Draws {
    law: Option<Hypergeometric>,
    /// The least count.
    pub(super) least: u64,
    /// The largest count.
    pub(super) most: u64,
    /// The most probable count.
    pub(super) mode: u64,
}

impl Draws {
    /// Makes the count for `special` items among `items`, of which `drawn` are drawn; neither
    /// exceeds `items`.
    pub(super) fn of(special: u64, items: u64, drawn: u64) -> Self {
        let least = (special + drawn).saturating_sub(items);
        let most = special.min(drawn);
        let table = Table2x2 {
            tp_on: least,
            fp_on: drawn - least,
            tp_off: special - least,
            fp_off: items + least - special - drawn,
        };
        let law = Hypergeometric::of_margins(&table);
        let mode = law.map_or(least, |law| law.mode().clamp(least, most));
        Self {
            law,
            least,
            most,
            mode,
        }
    }

    /// Computes `ln P(count)`.
    pub(super) fn ln_probability(&self, count: u64) -> f64 {
        match &self.law {
            Some(law) => law.ln_probability(count),
            None if count == self.least => 0.0,
            None => f64::NEG_INFINITY,
        }
    }

    /// Computes `ln P(at least count)`.
    pub(super) fn ln_at_least(&self, count: u64) -> f64 {
        if count <= self.least {
            return 0.0;
        }
        match &self.law {
            Some(law) if count <= self.most => law.ln_tail(count, Side::Upper),
            _ => f64::NEG_INFINITY,
        }
    }
}

/// A sum of probabilities by their logarithms.
#[derive(Debug, Clone, Copy)]
pub(super) struct LnSum {
    largest: f64,
    sum: f64,
}

impl LnSum {
    pub(super) const NOTHING: Self = Self {
        largest: f64::NEG_INFINITY,
        sum: 0.0,
    };

    pub(super) fn add(&mut self, ln: f64) {
        if ln == f64::NEG_INFINITY {
            return;
        }
        if ln > self.largest {
            self.sum = self.sum * libm::exp(self.largest - ln) + 1.0;
            self.largest = ln;
        } else {
            self.sum += libm::exp(ln - self.largest);
        }
    }

    /// Returns the logarithm of the sum.
    pub(super) fn ln(&self) -> f64 {
        if self.sum == 0.0 {
            return f64::NEG_INFINITY;
        }
        self.largest + libm::log(self.sum)
    }
}
