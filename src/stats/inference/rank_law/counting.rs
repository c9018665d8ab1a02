//! The tail by counting subsets.

use super::cells::{Problem, Row};
use super::pool::Side;

/// The most items that are counted: the number of their subsets is within binary64.
const MOST_ITEMS: u64 = 1000;

/// Returns the additions that counting may take: about the cost of a saddlepoint.
fn budget(items: u64) -> f64 {
    32_768.0 + 256.0 * items as f64
}

/// The number of subsets of one side's items with each sum, by size: `\[size\]\[shortfall\]`. The
/// shortfall is measured in steps from the size's largest sum.
struct Subsets(Vec<Vec<f64>>);

impl Subsets {
    fn of(side: &Side, most_taken: u64, most_short: usize, step: i128) -> Self {
        let taken = most_taken as usize;
        let values: Vec<i64> = side
            .groups
            .iter()
            .flat_map(|group| std::iter::repeat_n(group.value, group.items as usize))
            .collect();
        let mut counts: Vec<Vec<f64>> = vec![vec![1.0]];
        let length = |size: u64| {
            let range = ((side.most(size) - side.least(size)) / step) as usize;
            range.min(most_short) + 1
        };
        counts.extend((1..=most_taken).map(|size| vec![0.0; length(size)]));
        for (place, &value) in values.iter().enumerate() {
            // An item as the last of `size`: the largest sum has the item of place `size − 1`
            // there.
            for size in (1..=taken.min(place + 1)).rev() {
                let short = (i128::from(values[size - 1] - value) / step) as usize;
                let [smaller, larger] = &mut counts[size - 1..=size] else {
                    continue;
                };
                if short < larger.len() {
                    for (to, from) in larger[short..].iter_mut().zip(smaller.iter()) {
                        *to += from;
                    }
                }
            }
        }
        Self(counts)
    }
}

impl Problem<'_> {
    /// Returns by how many steps the cell's largest sum exceeds the threshold.
    pub(super) fn slack(&self, above: u64, below: u64, step: u64) -> i128 {
        (self.most(above, below) - self.threshold) / i128::from(step.max(1))
    }

    /// Computes the tail by counting the subsets in every open cell, within 10⁻¹⁰; `None` if that
    /// costs too much. The cost depends on the groups and counts alone.
    pub(super) fn counted(&self) -> Option<f64> {
        let layout = self.layout;
        let items = layout.above.items() + layout.below.items();
        if items > MOST_ITEMS {
            return None;
        }
        let limit = budget(items);
        let probable = [self.probable_row()];
        self.size(&probable, limit)?;
        let rows = self.rows(NEGLIGIBLE, true);
        let (taken, short) = self.size(&rows, limit)?;
        Some(self.count(&rows, taken, short))
    }

    /// Returns the most items that are taken from either side in the open cells, and the most steps
    /// short of the largest sum; `None` if counting them costs more than the limit.
    fn size(&self, rows: &[Row], limit: f64) -> Option<([u64; 2], usize)> {
        let layout = self.layout;
        let step = layout.step();
        let (mut above, mut below, mut short) = (0_u64, 0_u64, 0_i128);
        let mut cells = 0.0;
        for row in rows.iter().filter(|row| row.low < row.high) {
            above = above.max(row.high - 1);
            below = below.max(row.below);
            for count in row.low..row.high {
                let slack = self.slack(count, row.below, step);
                short = short.max(slack);
                // Each is visited once if both sides have items.
                let both = !layout.below.groups.is_empty();
                cells += if both { slack as f64 + 50.0 } else { 1.0 };
                if cells > limit {
                    return None;
                }
            }
        }
        let cost = |side: &Side, taken: u64| {
            let sizes = (1..=taken).map(|size| {
                let range = (side.most(size) - side.least(size)) / i128::from(step.max(1));
                range.min(short) as f64 + 8.0
            });
            sizes.sum::<f64>() * side.items() as f64 / 2.0
        };
        let cost = cells + cost(&layout.above, above) + cost(&layout.below, below);
        (cost <= limit).then_some(([above, below], short as usize))
    }

    fn count(&self, rows: &[Row], [above, below]: [u64; 2], short: usize) -> f64 {
        let layout = self.layout;
        let step = layout.step().max(1);
        let [of_above, of_below] = [(&layout.above, above), (&layout.below, below)]
            .map(|(side, taken)| Subsets::of(side, taken, short, i128::from(step)).0);
        let up_to: Vec<Vec<f64>> = of_below.iter().map(|counts| running(counts)).collect();
        let sides = [layout.above.items(), layout.below.items()];
        let mut of_cell = |above: u64, below: u64| {
            let slack = self.slack(above, below, step) as usize;
            let lesser = &up_to[below as usize];
            let enough = of_above[above as usize].iter().take(slack + 1).enumerate();
            let ways = enough.map(|(x, ways)| ways * lesser[(slack - x).min(lesser.len() - 1)]);
            let ways = ways.sum::<f64>();
            let all = ln_choose(sides[0], above) + ln_choose(sides[1], below);
            (libm::log(ways) - all).min(0.0)
        };
        Self::sum(rows, NEGLIGIBLE, &mut of_cell)
    }
}

/// The exponent of what does not matter to ten digits: less than e to the minus this, of a sum.
const NEGLIGIBLE: f64 = 32.0;

fn running(counts: &[f64]) -> Vec<f64> {
    let add = |sum: &mut f64, count: &f64| {
        *sum += count;
        Some(*sum)
    };
    counts.iter().scan(0.0, add).collect()
}

/// Computes `ln C(items, taken)`, for at most a thousand items.
pub(super) fn ln_choose(items: u64, taken: u64) -> f64 {
    let taken = taken.min(items - taken);
    let next = |product: f64, i: u64| product * (items - taken + i) as f64 / i as f64;
    libm::log((1..=taken).fold(1.0, next))
}
