//! Mean and variance of an atom's number of true calls under an exchange that keeps calls together.
//!
//! Within a group of L loci of `each` calls, every locus has the labels of a locus drawn without
//! replacement. Let w be the calls of a locus on which the atom fires and v its labels, both
//! vectors of `each` numbers. The number of true calls is Σ w·v over loci, and has the mean Σ w·v̄
//! and the variance `1/(L − 1) · Σ (w − w̄)ᵀ S (w − w̄)`, with S = Σ (v − v̄)(v − v̄)ᵀ (Hoeffding,
//! Ann. Math. Statist. 22, 1951). Labels that rotate along the genome have that mean; their
//! variance is taken to be that of free calls, `each` = 1.

use super::groups::{Group, Manner};

/// The most calls of a locus that are not taken as single calls. Any mean and variance give a valid
/// test, and S has the square of so many numbers.
const MOST_TOGETHER: usize = 64;

/// The moments of each group, and the place of each call.
pub(super) struct Moments {
    /// The group of each call and its place there; [`FIXED`] if the label stays.
    places: Vec<(u32, u32)>,
    groups: Vec<OfGroup>,
}

/// The mark of a call without a group.
const FIXED: u32 = u32::MAX;

struct OfGroup {
    each: usize,
    loci: f64,
    /// v̄, \[each\].
    mean: Vec<f64>,
    /// S, \[each, each\].
    scatter: Vec<f64>,
}

impl Moments {
    /// Computes the moments of all calls.
    pub(super) fn of(groups: &[Group], is_tp: &[bool]) -> Self {
        let mut places = vec![(FIXED, 0); is_tp.len()];
        for (number, group) in (0..).zip(groups) {
            for (place, &call) in (0..).zip(&group.calls) {
                places[call as usize] = (number, place);
            }
        }
        Self {
            places,
            groups: groups
                .iter()
                .map(|group| OfGroup::of(group, is_tp))
                .collect(),
        }
    }

    /// Computes mean and variance of the number of true calls among these.
    pub(super) fn of_atom(&self, calls: &[u32], is_tp: &[bool]) -> (f64, f64) {
        let mut places: Vec<(u32, u32)> = calls
            .iter()
            .map(|&call| self.places[call as usize])
            .collect();
        let fixed = calls
            .iter()
            .zip(&places)
            .filter(|(_, place)| place.0 == FIXED);
        let mut mean = fixed.filter(|(call, _)| is_tp[**call as usize]).count() as f64;
        places.retain(|place| place.0 != FIXED);
        places.sort_unstable();
        let mut variance = 0.0;
        for of_group in places.chunk_by(|a, b| a.0 == b.0) {
            let group = &self.groups[of_group[0].0 as usize];
            let (of_mean, of_variance) = group.of_calls(of_group);
            mean += of_mean;
            variance += of_variance;
        }
        (mean, variance)
    }
}

impl OfGroup {
    fn of(group: &Group, is_tp: &[bool]) -> Self {
        let each = match &group.manner {
            Manner::Draw { each, .. } if *each <= MOST_TOGETHER => *each,
            Manner::Draw { .. } | Manner::Select { .. } | Manner::Turn { .. } => 1,
        };
        let labels: Vec<f64> = group
            .calls
            .iter()
            .map(|&call| f64::from(u8::from(is_tp[call as usize])))
            .collect();
        let loci = (labels.len() / each) as f64;
        let (mut mean, mut scatter) = (vec![0.0; each], vec![0.0; each * each]);
        for locus in labels.chunks_exact(each) {
            for (slot, label) in locus.iter().enumerate() {
                mean[slot] += label;
                for (other, label_there) in locus.iter().enumerate() {
                    scatter[slot * each + other] += label * label_there;
                }
            }
        }
        // Sums of whole numbers until here.
        for slot in 0..each {
            for other in 0..each {
                scatter[slot * each + other] -= mean[slot] * mean[other] / loci;
            }
        }
        for mean in &mut mean {
            *mean /= loci;
        }
        Self {
            each,
            loci,
            mean,
            scatter,
        }
    }

    /// Computes mean and variance for the calls of this group on which an atom fires, by their
    /// places, ascending.
    fn of_calls(&self, places: &[(u32, u32)]) -> (f64, f64) {
        let locus = |place: &(u32, u32)| place.1 as usize / self.each;
        let slot = |place: &(u32, u32)| place.1 as usize % self.each;
        let (mut mean, mut own) = (0.0, 0.0);
        let mut fires = vec![0.0; self.each];
        for of_locus in places.chunk_by(|a, b| locus(a) == locus(b)) {
            for a in of_locus {
                mean += self.mean[slot(a)];
                fires[slot(a)] += 1.0;
                let row = &self.scatter[slot(a) * self.each..][..self.each];
                own += of_locus.iter().map(|b| row[slot(b)]).sum::<f64>();
            }
        }
        let rows = self.scatter.chunks_exact(self.each).zip(&fires);
        let together: f64 = rows
            .map(|(row, fires_here)| {
                let of_row = row.iter().zip(&fires).map(|(s, fires)| s * fires);
                fires_here * of_row.sum::<f64>()
            })
            .sum();
        let variance = (own - together / self.loci) / (self.loci - 1.0);
        // A smaller variance is rounding.
        let is_some = variance > 1e-12 * (1.0 + own);
        (mean, if is_some { variance } else { 0.0 })
    }
}

#[cfg(test)]
mod tests {
    use rand::seq::SliceRandom;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::{Group, Manner, Moments};

    /// Lists all orders of so many things.
    fn orders(n: usize) -> Vec<Vec<usize>> {
        if n == 0 {
            return vec![vec![]];
        }
        let shorter = orders(n - 1);
        let insert = |order: &Vec<usize>, at: usize| {
            let mut order = order.clone();
            order.insert(at, n - 1);
            order
        };
        let all = shorter
            .iter()
            .flat_map(|order| (0..n).map(move |at| insert(order, at)));
        all.collect()
    }

    /// Compares with every arrangement of a group's loci, while some other calls keep their labels.
    #[test]
    fn moments_match_all_arrangements() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        for (loci, each) in [(2, 1), (5, 1), (4, 2), (5, 3), (3, 4)] {
            let n = loci * each;
            let mut calls: Vec<u32> = (0..n as u32 + 3).collect();
            calls.shuffle(&mut random);
            let is_tp: Vec<bool> = (0..n + 3).map(|_| random.random_bool(0.6)).collect();
            let fixed = calls.split_off(n);
            let label = |call: &u32| is_tp[*call as usize];
            let group = Group {
                number: 0,
                manner: Manner::Draw {
                    each,
                    labels: calls.iter().map(label).collect(),
                },
                calls: calls.clone(),
            };
            let moments = Moments::of(&[group], &is_tp);
            let fires: Vec<u32> = (0..n as u32 + 3)
                .filter(|_| random.random_bool(0.5))
                .collect();
            let always = fixed
                .iter()
                .filter(|call| fires.contains(call) && label(call))
                .count();
            let counts = orders(loci).into_iter().map(|order| {
                let of = |place: usize| label(&calls[order[place / each] * each + place % each]);
                let moved = (0..n).filter(|&place| fires.contains(&calls[place]) && of(place));
                (always + moved.count()) as f64
            });
            let counts: Vec<f64> = counts.collect();
            let mean = counts.iter().sum::<f64>() / counts.len() as f64;
            let squares = counts.iter().map(|count| (count - mean).powi(2));
            let variance = squares.sum::<f64>() / counts.len() as f64;
            let (found, of_variance) = moments.of_atom(&fires, &is_tp);
            assert!((found - mean).abs() < 1e-12, "{found}, expected {mean}");
            assert!(
                (of_variance - variance).abs() < 1e-12,
                "{of_variance}, expected {variance}"
            );
        }
    }
}
