//! The tail as a sum over the numbers of items drawn from above and from below the base.

use super::draws::{Draws, LnSum};
use super::pool::Layout;

/// A tail to compute: `P(sum of the values of the drawn items ≥ threshold)`, with values from the
/// base.
#[derive(Debug, Clone, Copy)]
pub(super) struct Problem<'a> {
    pub(super) layout: &'a Layout,
    pub(super) drawn: u64,
    pub(super) threshold: i128,
}

/// The draws that take a given number of items from below. Draws that take fewer than `low` from
/// above do not reach the threshold; draws that take `high` or more do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) below: u64,
    /// `ln P(so many from below)`.
    pub(super) ln: f64,
    /// The number drawn from above, given that.
    pub(super) above: Draws,
    pub(super) low: u64,
    pub(super) high: u64,
    /// The number from above from which a sum with the mean rank reaches the threshold.
    pub(super) middle: u64,
}

impl Problem<'_> {
    /// Returns the largest sum of draws that take so many from above and from below.
    pub(super) fn most(&self, above: u64, below: u64) -> i128 {
        let layout = self.layout;
        self.gaps(above, below) + layout.above.most(above) + layout.below.most(below)
    }

    /// Returns the smallest such sum.
    pub(super) fn least(&self, above: u64, below: u64) -> i128 {
        let layout = self.layout;
        self.gaps(above, below) + layout.above.least(above) + layout.below.least(below)
    }

    /// Returns the part of the sum that comes from the base's size.
    pub(super) fn gaps(&self, above: u64, below: u64) -> i128 {
        i128::from(self.layout.base) * (i128::from(above) - i128::from(below))
    }

    fn row(&self, below: u64, ln: f64) -> Row {
        let layout = self.layout;
        let (items, drawn) = (layout.items() - layout.below.items(), self.drawn - below);
        let above = Draws::of(layout.above.items(), items, drawn);
        let first = |reaches: &dyn Fn(u64) -> bool| {
            let (mut from, mut to) = (above.least, above.most + 1);
            while from < to {
                let middle = from.midpoint(to);
                if reaches(middle) {
                    to = middle;
                } else {
                    from = middle + 1;
                }
            }
            from
        };
        let low = first(&|above| self.most(above, below) >= self.threshold);
        let high = first(&|above| self.least(above, below) >= self.threshold);
        let base = layout.base as f64;
        let missing = self.threshold as f64 - below as f64 * (layout.below.mean() - base);
        let middle = (missing / (base + layout.above.mean())).ceil().max(0.0) as u64;
        Row {
            below,
            ln,
            above,
            low,
            high,
            middle: middle.clamp(low, high),
        }
    }

    /// Returns the row of the most probable number from below.
    pub(super) fn probable_row(&self) -> Row {
        let layout = self.layout;
        let below = Draws::of(layout.below.items(), layout.items(), self.drawn);
        self.row(below.mode, below.ln_probability(below.mode))
    }

    /// Returns the rows that matter: outwards from the most probable one, until a row can add only
    /// a `negligible` share of what the largest surely adds. A row can add the draws that reach its
    /// `low`, or its `middle` if the sum is not to be exact.
    pub(super) fn rows(&self, negligible: f64, exact: bool) -> Vec<Row> {
        let layout = self.layout;
        let below = Draws::of(layout.below.items(), layout.items(), self.drawn);
        let mut rows: Vec<Row> = Vec::new();
        let mut surely = f64::NEG_INFINITY;
        let mut walk = |rows: &mut Vec<Row>, counts: &mut dyn Iterator<Item = u64>| {
            let mut last = f64::NEG_INFINITY;
            for count in counts {
                let row = self.row(count, below.ln_probability(count));
                let sure = row.ln + row.above.ln_at_least(row.middle);
                let can = if exact && row.low < row.middle {
                    row.ln + row.above.ln_at_least(row.low)
                } else {
                    sure
                };
                surely = surely.max(if exact {
                    row.ln + row.above.ln_at_least(row.high)
                } else {
                    sure
                });
                if can < last && can < surely - negligible {
                    break;
                }
                last = can;
                rows.push(row);
            }
        };
        walk(&mut rows, &mut (below.least..=below.mode).rev());
        rows.reverse();
        walk(&mut rows, &mut (below.mode + 1..=below.most));
        rows
    }

    /// Sums over rows, with the probabilities of each row's open cells from `of_cell`: `ln` of the
    /// share of draws, with so many from above and from below, that reach the threshold. Cells that
    /// are `negligible` are left out.
    pub(super) fn sum(
        rows: &[Row],
        negligible: f64,
        of_cell: &mut dyn FnMut(u64, u64) -> f64,
    ) -> f64 {
        let mut total = LnSum::NOTHING;
        for row in rows {
            let mut open = |count: u64| {
                let ln = row.ln + row.above.ln_probability(count);
                let share = if ln < total.ln() - negligible - 4.0 {
                    0.0
                } else {
                    of_cell(count, row.below)
                };
                (ln + share, share)
            };
            let mut cells = LnSum::NOTHING;
            // Upwards, until all draws reach the threshold.
            let mut from = row.middle;
            while from < row.high {
                let (ln, share) = open(from);
                cells.add(ln);
                from += 1;
                if -share < libm::exp(-negligible) {
                    break;
                }
            }
            cells.add(row.ln + row.above.ln_at_least(from));
            // Downwards, until cells add nothing.
            let mut last = f64::NEG_INFINITY;
            for count in (row.low..row.middle).rev() {
                let (ln, _) = open(count);
                cells.add(ln);
                if ln < last && ln < cells.ln() - negligible {
                    break;
                }
                last = ln;
            }
            total.add(cells.ln());
        }
        total.ln()
    }
}
