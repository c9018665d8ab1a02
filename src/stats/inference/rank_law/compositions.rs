//! The tail for few values: by enumeration of the numbers of items drawn of each.

use super::cells::Problem;
use super::draws::{Draws, LnSum};
use super::pool::Group;

/// The most ways to share the draws among the values that are enumerated.
const MOST: f64 = 10_000.0;

/// The most values for which ways are enumerated.
const MOST_VALUES: usize = 32;

impl Problem<'_> {
    /// Computes the tail by enumerating the numbers of items drawn of each value but the base's;
    /// `None` if there are too many ways.
    pub(super) fn by_composition(&self) -> Option<f64> {
        let layout = self.layout;
        let gap = i128::from(layout.base);
        let sides = [(&layout.above, gap), (&layout.below, -gap)];
        let most = |group: &Group| group.items.min(self.drawn);
        let all = sides.into_iter().flat_map(|(side, _)| &side.groups);
        let (mut ways, mut shares) = (1.0, 1.0);
        for (place, group) in all.enumerate() {
            ways *= most(group) as f64 + 1.0;
            // So many values share the draws, or as many as that among so many values.
            shares *= (self.drawn as f64 + place as f64 + 1.0) / (place as f64 + 1.0);
            if place == MOST_VALUES || (ways > MOST && shares > MOST) {
                return None;
            }
        }
        let kinds = sides.into_iter().flat_map(|(side, gap)| {
            let of = move |group: &Group| Kind::of(group, gap, self.drawn);
            side.groups.iter().map(of)
        });
        let mut walk = Walk {
            kinds: kinds.collect(),
            base: Kind::of(
                &Group {
                    value: 0,
                    items: layout.base,
                },
                0,
                self.drawn,
            ),
            threshold: self.threshold,
            total: LnSum::NOTHING,
        };
        walk.from(0, self.drawn, 0, 0.0);
        let ln_all = -Draws::of(self.drawn, layout.items(), self.drawn).ln_probability(self.drawn);
        Some((walk.total.ln() - ln_all).min(0.0))
    }
}

/// The items of one value.
struct Kind {
    /// The distance from the base.
    value: i128,
    /// `ln` of the ways to take 0, 1, 2 … of them.
    ln_ways: Vec<f64>,
}

impl Kind {
    fn of(group: &Group, gap: i128, drawn: u64) -> Self {
        let mut ln_ways = vec![0.0];
        let mut ln = 0.0;
        for taken in 1..=group.items.min(drawn) {
            ln += libm::log((group.items - taken + 1) as f64 / taken as f64);
            ln_ways.push(ln);
        }
        Self {
            value: i128::from(group.value) + gap,
            ln_ways,
        }
    }
}

/// A walk through all ways.
struct Walk {
    kinds: Vec<Kind>,
    base: Kind,
    threshold: i128,
    total: LnSum,
}

impl Walk {
    /// Walks through the kinds from `place` on, of which `left` items are drawn, the base's last.
    fn from(&mut self, place: usize, left: u64, sum: i128, ln: f64) {
        if place == self.kinds.len() || left == 0 {
            if sum >= self.threshold
                && let Some(base) = self.base.ln_ways.get(left as usize)
            {
                self.total.add(ln + base);
            }
            return;
        }
        let value = self.kinds[place].value;
        let most = (self.kinds[place].ln_ways.len() as u64 - 1).min(left);
        for taken in 0..=most {
            let more = self.kinds[place].ln_ways[taken as usize];
            let sum = sum + i128::from(taken) * value;
            self.from(place + 1, left - taken, sum, ln + more);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Group, Problem};
    use crate::stats::inference::rank_law::pool::Layout;

    #[test]
    fn tail_by_enumeration_is_the_share_of_all_ways_to_draw() {
        let groups =
            [(1, 2), (7, 4), (12, 1), (15, 3)].map(|(value, items)| Group { value, items });
        let items: Vec<i64> = groups
            .iter()
            .flat_map(|group| std::iter::repeat_n(group.value, group.items as usize))
            .collect();
        for base in 0..groups.len() {
            let layout = Layout::around(&groups, base);
            let from_base = |item: &i64| i128::from(item - groups[base].value);
            for drawn in [1, 3, 4, 7] {
                let ways = (0_u32..1 << items.len()).filter(|way| way.count_ones() == drawn);
                let of_way = |way: u32| -> i128 {
                    let taken = items
                        .iter()
                        .enumerate()
                        .filter(|(at, _)| way >> at & 1 == 1);
                    taken.map(|(_, item)| from_base(item)).sum()
                };
                let sums: Vec<i128> = ways.map(of_way).collect();
                for threshold in sums.clone() {
                    let reached = sums.iter().filter(|&&sum| sum >= threshold).count();
                    let expected = (reached as f64 / sums.len() as f64).ln();
                    let problem = Problem {
                        layout: &layout,
                        drawn: u64::from(drawn),
                        threshold,
                    };
                    let found = problem.by_composition().expect("few ways");
                    assert!(
                        (found - expected).abs() < 1e-12,
                        "{base} {drawn} {threshold}: {found}, expected {expected}"
                    );
                }
            }
        }
    }
}
