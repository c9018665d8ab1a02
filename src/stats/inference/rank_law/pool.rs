//! The calls of a cohort by their ranks, as distances from the largest group of tied ones.

use super::draws::Draws;
use super::saddlepoint::Node;

/// The number of tied items, and twice their mid-rank from some origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) value: i64,
    pub(super) items: u64,
}

/// The groups on one side of the largest one, by descending value.
#[derive(Debug, Clone, Default)]
pub(super) struct Side {
    pub(super) groups: Vec<Group>,
    /// The number of items, and the sum of their values, before each group and in all.
    before: Vec<(u64, i128)>,
    /// The step of which all differences of values are multiples; 0 if there is one value.
    pub(super) step: u64,
    pub(super) nodes: Vec<Node>,
}

impl Node {
    fn of(group: &Group) -> Self {
        Self {
            value: group.value as f64,
            items: group.items as f64,
        }
    }
}

/// The number of groups above which groups are merged by their values.
const MOST_NODES: usize = 32;

impl Side {
    pub(super) fn of(groups: Vec<Group>) -> Self {
        let mut before = Vec::with_capacity(groups.len() + 1);
        before.push((0, 0_i128));
        let (mut items, mut sum, mut step) = (0, 0, 0);
        for group in &groups {
            items += group.items;
            sum += i128::from(group.value) * i128::from(group.items);
            before.push((items, sum));
            let apart = groups[0].value.abs_diff(group.value);
            // Nearly always the first attempt succeeds.
            if step == 0 || !apart.is_multiple_of(step) {
                step = gcd(step, apart);
            }
        }
        let nodes = nodes(&groups);
        Self {
            groups,
            before,
            step,
            nodes,
        }
    }

    /// Returns the number of items.
    pub(super) fn items(&self) -> u64 {
        self.before.last().map_or(0, |last| last.0)
    }

    /// Returns the sum of all values.
    pub(super) fn total(&self) -> i128 {
        self.before.last().map_or(0, |last| last.1)
    }

    /// Returns the mean value; 0 if there are no items.
    pub(super) fn mean(&self) -> f64 {
        let items = self.items().max(1);
        self.total() as f64 / items as f64
    }

    /// Returns the largest sum of so many items.
    pub(super) fn most(&self, taken: u64) -> i128 {
        let after = self.before.partition_point(|before| before.0 < taken);
        if after == 0 {
            return 0;
        }
        let (items, sum) = self.before[after - 1];
        sum + i128::from(taken - items) * i128::from(self.groups[after - 1].value)
    }

    /// Returns the smallest sum of so many items.
    pub(super) fn least(&self, taken: u64) -> i128 {
        self.total() - self.most(self.items() - taken)
    }

    /// Computes `ln` of the share of subsets of so many items that have the largest sum.
    pub(super) fn ln_share_of_most(&self, taken: u64) -> f64 {
        let ln_ways = |items, taken| -Draws::of(taken, items, taken).ln_probability(taken);
        let after = self.before.partition_point(|before| before.0 < taken);
        if after == 0 {
            return 0.0;
        }
        let free = taken - self.before[after - 1].0;
        ln_ways(self.groups[after - 1].items, free) - ln_ways(self.items(), taken)
    }

    /// Returns one node for each group, however many.
    pub(super) fn all_nodes(&self) -> Vec<Node> {
        self.groups.iter().map(Node::of).collect()
    }

    /// Returns the value of any one item; 0 if there are none.
    pub(super) fn first(&self) -> i64 {
        self.groups.first().map_or(0, |group| group.value)
    }

    /// Returns the largest absolute value.
    pub(super) fn reach(&self) -> f64 {
        let ends = [self.groups.first(), self.groups.last()];
        let largest = ends.into_iter().flatten().map(|group| group.value.abs());
        largest.max().unwrap_or(0) as f64
    }
}

/// Makes one node for each group. If there are many, the groups of each of equal parts of the range
/// become two nodes with the same first three moments.
fn nodes(groups: &[Group]) -> Vec<Node> {
    if groups.len() <= MOST_NODES {
        return groups.iter().map(Node::of).collect();
    }
    let (top, bottom) = (groups[0].value, groups[groups.len() - 1].value);
    let part = (top.abs_diff(bottom) + 1).div_ceil(MOST_NODES as u64 / 2);
    let mut nodes = Vec::with_capacity(MOST_NODES);
    let mut rest = groups;
    let mut end = part;
    while !rest.is_empty() {
        let inside = |group: &Group| top.abs_diff(group.value) < end;
        let (some, others) = rest.split_at(rest.partition_point(inside));
        two_nodes(some, &mut nodes);
        (rest, end) = (others, end + part);
    }
    nodes
}

/// Adds two nodes with the moments of these groups (Gaussian quadrature), or one node for a single
/// group.
fn two_nodes(groups: &[Group], nodes: &mut Vec<Node>) {
    if groups.len() <= 1 {
        nodes.extend(groups.iter().map(Node::of));
        return;
    }
    let origin = groups[0].value;
    let (mut items, mut sums) = (0.0, [0.0; 3]);
    for group in groups {
        let (weight, x) = (group.items as f64, (group.value - origin) as f64);
        items += weight;
        for (sum, power) in sums.iter_mut().zip([x, x * x, x * x * x]) {
            *sum += weight * power;
        }
    }
    let [mean, square, cube] = sums.map(|sum| sum / items);
    let variance = square - mean * mean;
    let third = cube - 3.0 * mean * square + 2.0 * mean * mean * mean;
    let sd = variance.sqrt();
    let half_skewness = third / (variance * sd) / 2.0;
    let root = (1.0 + half_skewness * half_skewness).sqrt();
    let (above, below) = (half_skewness + root, half_skewness - root);
    let at = |x: f64, other: f64| Node {
        value: origin as f64 + mean + sd * x,
        items: items * other.abs() / (above - below),
    };
    nodes.extend([at(above, below), at(below, above)]);
}

/// Computes the greatest common divisor.
pub(super) fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// The items from one origin: the largest group of ties, and the items above and below it. If that
/// group is left among the others, all items are above an empty base.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// The number of items in the largest group.
    pub(super) base: u64,
    /// The value of the largest group.
    pub(super) base_value: i64,
    /// Items of larger values, as distances from the base less its size.
    pub(super) above: Side,
    /// Items of smaller values, as distances from the base plus its size: negative.
    pub(super) below: Side,
}

impl Layout {
    /// Makes the layout of groups by ascending value, with the group at `base` as base.
    pub(super) fn around(groups: &[Group], base: usize) -> Self {
        let Group { value, items } = groups[base];
        let gap = items.cast_signed();
        let from = |group: &Group, gap: i64| Group {
            value: group.value - value - gap,
            items: group.items,
        };
        let above = groups[base + 1..]
            .iter()
            .rev()
            .map(|group| from(group, gap));
        let below = groups[..base].iter().rev().map(|group| from(group, -gap));
        Self {
            base: items,
            base_value: value,
            above: Side::of(above.collect()),
            below: Side::of(below.collect()),
        }
    }

    /// Makes the layout of the same groups without a base.
    pub(super) fn flat(groups: &[Group]) -> Self {
        Self {
            base: 0,
            base_value: 0,
            above: Side::of(groups.iter().rev().copied().collect()),
            below: Side::of(Vec::new()),
        }
    }

    /// Returns the number of all items.
    pub(super) fn items(&self) -> u64 {
        self.base + self.above.items() + self.below.items()
    }

    /// Returns the step: sums of a fixed count, or of fixed counts on both sides, differ by
    /// multiples of it.
    pub(super) fn step(&self) -> u64 {
        gcd(self.above.step, self.below.step)
    }
}

#[cfg(test)]
mod tests {
    use super::{Group, two_nodes};

    #[test]
    fn two_nodes_have_the_first_three_moments_of_their_groups() {
        let groups =
            [(90, 3), (81, 1), (80, 7), (44, 2)].map(|(value, items)| Group { value, items });
        let mut nodes = Vec::new();
        two_nodes(&groups, &mut nodes);
        assert_eq!(nodes.len(), 2);
        for power in 0..4 {
            let of_group = |group: &Group| group.items as f64 * (group.value as f64).powi(power);
            let expected: f64 = groups.iter().map(of_group).sum();
            let found: f64 = nodes
                .iter()
                .map(|node| node.items * node.value.powi(power))
                .sum();
            assert!(
                (found / expected - 1.0).abs() < 1e-12,
                "{power}: {found}, expected {expected}"
            );
        }
    }
}
