//! The tail if subsets are too many to count: cell by cell, by saddlepoints.

use super::cells::{Problem, Row};
use super::draws::LnSum;
use super::pool::{Side, gcd};
use super::saddlepoint::{Class, Node, RandomSum, Tail, share};

/// The exponent of what is left out: less than e to the minus this, of a sum.
const NEGLIGIBLE: f64 = 16.0;

/// The least number of free items (items that may be taken or not) for the sum, given the
/// difference of the counts from above and below, to pass for smooth.
const FREE: f64 = 8.0;

/// The most cells that are taken one by one.
const FEW_CELLS: usize = 4;

/// The limit for a layout without a base to pass for smooth: the number of items taken from the
/// largest group must vary by so much, and that group may be this many standard deviations of the
/// other items' sum.
const FREE_OF_BASE: f64 = 12.0;
const GAP: f64 = 2.5;

impl Problem<'_> {
    /// Computes the tail over cells of either side.
    pub(super) fn approximated(&self) -> f64 {
        let rows = self.rows(NEGLIGIBLE, false);
        let both = !self.layout.above.groups.is_empty() && !self.layout.below.groups.is_empty();
        if both
            && rows.len() > 3
            && let Some(ln) = self.by_difference(&rows)
        {
            return ln.min(0.0);
        }
        let mut of_cell = |above: u64, below: u64| self.cell(above, below);
        Self::sum(&rows, NEGLIGIBLE, &mut of_cell).min(0.0)
    }

    /// Computes the tail of a layout without a base, as one smooth sum; `None` if the largest
    /// group, `base` items of that value, makes it lumpy at the threshold.
    pub(super) fn smooth(&self, base: (u64, i64)) -> Option<f64> {
        let side = &self.layout.above;
        let tail = self.cell_tail(&side.nodes, &[], [self.drawn, 0])?;
        let (items, value) = (base.0 as f64, base.1 as f64);
        let ([u, _], v) = tail.odds;
        let of_base = items * share(u + v * value).1;
        let others = tail.free[0] - of_base;
        let count = of_base * others / tail.free[0];
        let rest = side.items() as f64 - items;
        // Ranks of as many items have that variance.
        let sd = (others * rest * rest / 3.0).sqrt();
        (count >= FREE_OF_BASE && items <= GAP * sd).then_some(tail.ln.min(0.0))
    }

    /// Computes `ln` of the share of draws, with so many from above and below, that reach the
    /// threshold.
    fn cell(&self, above: u64, below: u64) -> f64 {
        let layout = self.layout;
        let slack = self.slack(above, below, layout.step());
        if slack == 0 {
            return layout.above.ln_share_of_most(above) + layout.below.ln_share_of_most(below);
        }
        let counts = [above, below];
        let tail = self
            .cell_tail(&layout.above.nodes, &layout.below.nodes, counts)
            .or_else(|| {
                // Nodes that stand for several groups do not reach the ends.
                let [a, b] = [&layout.above, &layout.below].map(Side::all_nodes);
                self.cell_tail(&a, &b, counts)
            });
        // A cell without a saddlepoint counts in full.
        tail.map_or(0.0, |tail| tail.ln)
    }

    fn cell_tail(&self, above: &[Node], below: &[Node], counts: [u64; 2]) -> Option<Tail> {
        let layout = self.layout;
        let step = layout.step();
        let largest = self.most(counts[0], counts[1]);
        let reached = largest - self.slack(counts[0], counts[1], step) * i128::from(step.max(1));
        let mut sum = reached - self.gaps(counts[0], counts[1]);
        let mut classes = Vec::with_capacity(2);
        let (mut targets, mut odds, mut scale) = ([0.0; 2], [0.0; 2], 0.0_f64);
        let sides = [(&layout.above, above), (&layout.below, below)];
        for ((side, nodes), count) in sides.into_iter().zip(counts) {
            let items = side.items();
            if count == 0 || count == items || side.step == 0 {
                sum -= side.most(count);
                continue;
            }
            let place = classes.len();
            let mut features = [0.0; 2];
            features[place] = 1.0;
            targets[place] = count as f64;
            odds[place] = libm::log(count as f64 / (items - count) as f64);
            scale = scale.max(side.reach());
            classes.push(Class {
                features,
                nodes,
                items: items as f64,
            });
        }
        let random = RandomSum {
            constraints: (classes.len(), targets),
            classes: &classes,
            odds,
            step: step as f64,
            scale,
        };
        random.upper_tail(sum as f64)
    }

    /// Computes the tail as a sum over the differences of the counts from above and below; `None`
    /// if too few items are free for the sum, given the difference, to be smooth.
    fn by_difference(&self, rows: &[Row]) -> Option<f64> {
        let share_of = |row: &Row| row.ln + row.above.ln_at_least(row.middle);
        let best = rows
            .iter()
            .max_by(|a, b| share_of(a).total_cmp(&share_of(b)))?;
        let start = best.middle.cast_signed() - best.below.cast_signed();
        let (mut total, mut from) = (LnSum::NOTHING, start);
        loop {
            let share = self.given_difference(rows, from)?;
            if -share < libm::exp(-NEGLIGIBLE) {
                break;
            }
            total.add(ln_difference(rows, from) + share);
            from += 1;
        }
        for row in rows {
            let above = (from + row.below.cast_signed()).max(0).cast_unsigned();
            total.add(row.ln + row.above.ln_at_least(above));
        }
        let (mut last, mut difference) = (f64::NEG_INFINITY, start - 1);
        loop {
            let share = self.given_difference(rows, difference)?;
            let ln = ln_difference(rows, difference) + share;
            total.add(ln);
            let is_small = ln < last && ln < total.ln() - NEGLIGIBLE;
            if is_small || ln == f64::NEG_INFINITY {
                return Some(total.ln());
            }
            (last, difference) = (ln, difference - 1);
        }
    }

    /// Computes `ln` of the share of draws with that difference that reach the threshold.
    fn given_difference(&self, rows: &[Row], difference: i64) -> Option<f64> {
        let layout = self.layout;
        let cell = |row: &Row| {
            row.with_difference(difference)
                .map(|above| (above, row.below))
        };
        let cells = || rows.iter().filter_map(cell);
        if cells().all(|(above, below)| self.least(above, below) >= self.threshold) {
            return Some(0.0);
        }
        if cells().all(|(above, below)| self.most(above, below) < self.threshold) {
            return Some(f64::NEG_INFINITY);
        }
        if cells().count() <= FEW_CELLS {
            return Some(self.cells_given(rows, difference));
        }
        let (above, below) = cells().next()?;
        let pair = layout.above.first() + layout.below.first();
        let step = gcd(layout.step(), pair.unsigned_abs());
        let largest = self.most(above, below);
        let units = (largest - self.threshold).div_euclid(i128::from(step.max(1)));
        let reached = largest - units * i128::from(step.max(1));
        let nodes = [Node {
            value: 0.0,
            items: layout.base as f64,
        }];
        let class = |features, nodes, items: u64| Class {
            features,
            nodes,
            items: items as f64,
        };
        let classes = [
            class([1.0, 0.0], &nodes, layout.base),
            class([1.0, 1.0], &layout.above.nodes, layout.above.items()),
            class([1.0, -1.0], &layout.below.nodes, layout.below.items()),
        ];
        let drawn = self.drawn as f64;
        let random = RandomSum {
            classes: &classes,
            constraints: (2, [drawn, difference as f64]),
            odds: [libm::log(drawn / (layout.items() as f64 - drawn)), 0.0],
            step: step as f64,
            scale: layout.above.reach().max(layout.below.reach()),
        };
        let sum = reached - self.gaps(above, below);
        let tail = random.upper_tail(sum as f64)?;
        (tail.free[1] + tail.free[2] >= FREE).then_some(tail.ln)
    }
}

impl Problem<'_> {
    /// Computes the same share, cell by cell.
    fn cells_given(&self, rows: &[Row], difference: i64) -> f64 {
        let mut sum = LnSum::NOTHING;
        for row in rows {
            if let Some(above) = row.with_difference(difference) {
                let share = match above {
                    _ if above >= row.high => 0.0,
                    _ if above < row.low => f64::NEG_INFINITY,
                    _ => self.cell(above, row.below),
                };
                sum.add(row.ln + row.above.ln_probability(above) + share);
            }
        }
        sum.ln() - ln_difference(rows, difference)
    }
}

impl Row {
    /// Returns the number from above that makes that difference, if it is possible.
    fn with_difference(&self, difference: i64) -> Option<u64> {
        let above = u64::try_from(difference + self.below.cast_signed()).ok()?;
        (above >= self.above.least && above <= self.above.most).then_some(above)
    }
}

/// Computes `ln P(so many more from above than from below)`.
fn ln_difference(rows: &[Row], difference: i64) -> f64 {
    let mut sum = LnSum::NOTHING;
    for row in rows {
        if let Ok(above) = u64::try_from(difference + row.below.cast_signed()) {
            sum.add(row.ln + row.above.ln_probability(above));
        }
    }
    sum.ln()
}
