//! Sparse features of calls, feature by feature, in groups of calls that are held out together.

use std::ops::Range;

use crate::error::{Error, Result};

/// Features of calls, row by row: the ones that are not 0.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SparseRows {
    /// The end of each call's features, \[calls\].
    pub ends: Vec<usize>,
    /// The features of each call, ascending.
    pub features: Vec<u32>,
    /// The value of each, in their order; `None` where all are 1.
    pub values: Option<Vec<f32>>,
}

/// Features of calls, feature by feature. Calls lie in groups, and a model is fitted to some of them.
#[derive(Debug, Clone)]
pub struct Design {
    pub(super) groups: Vec<Group>,
    pub(super) features: usize,
}

/// The calls of one group.
#[derive(Debug, Clone, Default)]
pub(super) struct Group {
    /// The calls, ascending.
    pub(super) calls: Vec<u32>,
    /// True for each call with the outcome 1.
    pub(super) outcomes: Vec<bool>,
    /// The end of each feature's places in `places`.
    ends: Vec<usize>,
    /// The calls that have each feature, by their place in `calls`, ascending.
    places: Vec<u32>,
    /// Their values.
    values: Option<Vec<f32>>,
}

impl Design {
    /// Sorts the features of calls by group. `group_of` has the group of each call, below `groups`;
    /// `outcomes` is true for each call with the outcome 1. Memory: 4 bytes for each feature of a call,
    /// and 4 more for its value.
    ///
    /// # Errors
    /// Rows, groups and outcomes of different lengths; features or groups beyond their number.
    pub fn new(
        rows: &SparseRows,
        features: usize,
        group_of: &[u32],
        groups: usize,
        outcomes: &[bool],
    ) -> Result<Self> {
        let fits = rows.ends.is_sorted()
            && rows.ends.len() == group_of.len()
            && rows.ends.len() == outcomes.len()
            && rows.ends.last().copied().unwrap_or(0) == rows.features.len()
            && (rows.values.as_ref()).is_none_or(|values| values.len() == rows.features.len())
            && rows.features.iter().all(|&at| (at as usize) < features)
            && group_of.iter().all(|&at| (at as usize) < groups);
        if !fits {
            return Err(Error::Argument {
                name: "features of calls",
                found: "rows, groups and labels that do not go together".to_owned(),
                expected: format!(
                    "as many of each, features below {features}, groups below {groups}"
                ),
            });
        }
        let of = |group| Group::new(rows, features, group_of, group, outcomes);
        Ok(Self {
            groups: (0..groups as u32).map(of).collect(),
            features,
        })
    }

    /// Takes the calls of some groups, and some features. With `valued` features have their values,
    /// else 1.
    pub fn part(&self, groups: &[usize], features: Range<usize>, valued: bool) -> Part<'_> {
        let groups: Vec<&Group> = groups
            .iter()
            .filter_map(|&at| self.groups.get(at))
            .collect();
        let features = features.start.min(self.features)..features.end.min(self.features);
        let calls = groups.iter().map(|group| group.calls.len()).sum();
        let mut part = Part {
            scale: vec![1.0; features.len()],
            groups,
            calls,
            features,
            valued,
        };
        if valued {
            part.scale = part.root_mean_squares();
        }
        part
    }
}

impl Group {
    fn new(
        rows: &SparseRows,
        features: usize,
        group_of: &[u32],
        group: u32,
        outcomes: &[bool],
    ) -> Self {
        let in_group = |call: &u32| group_of[*call as usize] == group;
        let calls: Vec<u32> = (0..group_of.len() as u32).filter(in_group).collect();
        let place = |call: u32| {
            let end = rows.ends[call as usize];
            (call as usize)
                .checked_sub(1)
                .map_or(0, |before| rows.ends[before])..end
        };
        let mut next = vec![0; features + 1];
        for &call in &calls {
            for &feature in &rows.features[place(call)] {
                next[feature as usize + 1] += 1;
            }
        }
        for at in 0..features {
            next[at + 1] += next[at];
        }
        let ends = next[1..].to_vec();
        let firings = ends.last().copied().unwrap_or(0);
        let mut places = vec![0; firings];
        let mut values = rows.values.is_some().then(|| vec![0.0; firings]);
        for (local, &call) in (0..).zip(&calls) {
            for at in place(call) {
                let to = &mut next[rows.features[at] as usize];
                places[*to] = local;
                if let (Some(values), Some(all)) = (&mut values, &rows.values) {
                    values[*to] = all[at];
                }
                *to += 1;
            }
        }
        Self {
            outcomes: calls.iter().map(|&call| outcomes[call as usize]).collect(),
            calls,
            ends,
            places,
            values,
        }
    }

    fn range(&self, feature: usize) -> Range<usize> {
        feature.checked_sub(1).map_or(0, |before| self.ends[before])..self.ends[feature]
    }
}

/// The calls of some groups in sequence, and some of the features, scaled.
#[derive(Debug, Clone)]
pub struct Part<'a> {
    pub(super) groups: Vec<&'a Group>,
    /// The number of calls.
    pub(super) calls: usize,
    features: Range<usize>,
    valued: bool,
    /// The factor of each feature: 1, or 1 over the root mean square of its values.
    pub(super) scale: Vec<f64>,
}

impl<'a> Part<'a> {
    /// The same features with the same factors, of the calls of other groups.
    pub(super) fn elsewhere(&self, design: &'a Design, groups: &[usize]) -> Self {
        let groups: Vec<_> = groups
            .iter()
            .filter_map(|&at| design.groups.get(at))
            .collect();
        Self {
            calls: groups.iter().map(|group| group.calls.len()).sum(),
            groups,
            ..self.clone()
        }
    }

    /// Returns the number of features.
    pub(super) fn width(&self) -> usize {
        self.features.len()
    }

    /// Says whether all values are 1.
    pub(super) fn is_binary(&self) -> bool {
        !self.valued
    }

    /// The outcome of each call, 1 or 0.
    pub(super) fn outcomes(&self) -> Vec<f64> {
        let all = self.groups.iter().flat_map(|group| &group.outcomes);
        all.map(|&outcome| f64::from(u8::from(outcome))).collect()
    }

    /// Sums a feature times a number of each call.
    pub(super) fn dot(&self, feature: usize, of_calls: &[f64]) -> f64 {
        let mut sum = 0.0;
        for (group, first, range) in self.chunks(feature) {
            let of_calls = &of_calls[first..first + group.calls.len()];
            let places = &group.places[range.clone()];
            sum += match self.values(group) {
                None => sum_at(places, of_calls),
                Some(values) => sum_times(places, &values[range], of_calls),
            };
        }
        sum * self.scale[feature]
    }

    /// Sums a feature's square times a number of each call.
    pub(super) fn dot_square(&self, feature: usize, of_calls: &[f64]) -> f64 {
        let mut sum = 0.0;
        for (group, first, range) in self.chunks(feature) {
            let of_calls = &of_calls[first..first + group.calls.len()];
            let places = &group.places[range.clone()];
            sum += match self.values(group) {
                None => sum_at(places, of_calls),
                Some(values) => {
                    let each = places.iter().zip(&values[range]);
                    let each =
                        each.map(|(&at, &v)| f64::from(v) * f64::from(v) * of_calls[at as usize]);
                    each.sum()
                }
            };
        }
        sum * self.scale[feature] * self.scale[feature]
    }

    /// Adds `step` times a feature, times each call's weight, to a number of each call.
    pub(super) fn add_weighted(&self, feature: usize, step: f64, weights: &[f64], to: &mut [f64]) {
        let step = step * self.scale[feature];
        for (group, first, range) in self.chunks(feature) {
            let (to, weights) = (&mut to[first..], &weights[first..]);
            let places = &group.places[range.clone()];
            match self.values(group) {
                None => {
                    for &at in places {
                        to[at as usize] += step * weights[at as usize];
                    }
                }
                Some(values) => {
                    for (&at, &value) in places.iter().zip(&values[range]) {
                        to[at as usize] += step * f64::from(value) * weights[at as usize];
                    }
                }
            }
        }
    }

    /// Adds `step` times a feature to a number of each call.
    pub(super) fn add(&self, feature: usize, step: f64, to: &mut [f64]) {
        let step = step * self.scale[feature];
        for (group, first, range) in self.chunks(feature) {
            let to = &mut to[first..];
            let places = &group.places[range.clone()];
            match self.values(group) {
                None => {
                    for &at in places {
                        to[at as usize] += step;
                    }
                }
                Some(values) => {
                    for (&at, &value) in places.iter().zip(&values[range]) {
                        to[at as usize] += step * f64::from(value);
                    }
                }
            }
        }
    }

    /// Each group that it has, its first call's place, and the feature's places in it.
    fn chunks(&self, feature: usize) -> impl Iterator<Item = (&'a Group, usize, Range<usize>)> {
        let feature = self.features.start + feature;
        let mut first = 0;
        self.groups.iter().map(move |group| {
            let start = first;
            first += group.calls.len();
            (*group, start, group.range(feature))
        })
    }

    fn values(&self, group: &'a Group) -> Option<&'a [f32]> {
        group.values.as_deref().filter(|_| self.valued)
    }

    /// 1 over the root mean square of each feature; 1 for a feature that is 0 everywhere.
    fn root_mean_squares(&self) -> Vec<f64> {
        let ones = vec![1.0; self.calls];
        let of = |feature| {
            let mean = self.dot_square(feature, &ones) / self.calls as f64;
            if mean > 0.0 { 1.0 / mean.sqrt() } else { 1.0 }
        };
        (0..self.width()).map(of).collect()
    }
}

/// Sums numbers at some places, in four sums that are added last: their order is fixed.
fn sum_at(places: &[u32], of: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let chunks = places.chunks_exact(4);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (sum, &at) in sums.iter_mut().zip(chunk) {
            *sum += of[at as usize];
        }
    }
    let [a, b, c, d] = sums;
    let rest = rest.iter().fold(0.0, |sum, &at| sum + of[at as usize]);
    (a + b) + (c + d) + rest
}

fn sum_times(places: &[u32], values: &[f32], of: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    for (at, value) in places.chunks(4).zip(values.chunks(4)) {
        for ((sum, &at), &value) in sums.iter_mut().zip(at).zip(value) {
            *sum += f64::from(value) * of[at as usize];
        }
    }
    let [a, b, c, d] = sums;
    (a + b) + (c + d)
}
