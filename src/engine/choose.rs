//! The definition of a firing set: which atoms fire on a row with these canonical scores.

use super::cuts::Cut;
use crate::sae::Activation;

/// The place of a row among batches that are cut together, with its batch's cut.
pub type RowCut = Option<(u64, Cut)>;

/// Chooses the atoms that fire, ascending, from the canonical scores of all, \[F\]. `cut` is the
/// row's, for batch top-k. `order` is scratch.
///
/// # Panics
/// If there is no cut where the activation needs one.
pub fn choose(
    activation: &Activation,
    scores: &[f64],
    cut: RowCut,
    order: &mut Vec<u32>,
    fires: &mut Vec<u32>,
) {
    let atoms = 0..scores.len() as u32;
    let score = |atom: u32| scores[atom as usize];
    fires.clear();
    match activation {
        Activation::TopK { k, relu } => {
            largest(atoms, *k, score, order);
            let all = order.iter().copied();
            fires.extend(all.filter(|&atom| !relu || score(atom) > 0.0));
        }
        Activation::AbsTopK { k } => {
            largest(atoms, *k, |atom| score(atom).abs(), order);
            fires.extend(order.iter().copied().filter(|&atom| score(atom) != 0.0));
        }
        Activation::TopKWithTies { k } => {
            largest(atoms.clone(), *k, score, order);
            let least = order.iter().map(|&atom| score(atom));
            let least = least.fold(f64::INFINITY, f64::min);
            fires.extend(atoms.filter(|&atom| score(atom) >= least));
        }
        Activation::GroupMax { groups } => {
            let size = scores.len() / groups;
            for first in atoms.step_by(size.max(1)) {
                largest(first..first + size as u32, 1, score, order);
                fires.extend(order.iter().copied().filter(|&atom| score(atom) > 0.0));
            }
        }
        Activation::Threshold { thresholds } => {
            fires.extend(atoms.filter(|&atom| score(atom) > thresholds[atom as usize]));
        }
        Activation::BatchTopK { .. } => {
            let (row, cut) = cut.expect("batch top-k comes with its cuts");
            fires.extend(atoms.filter(|&atom| cut.fires(row, atom, score(atom))));
        }
    }
    fires.sort_unstable();
}

/// The `k` atoms with the largest keys, of equal ones those with the smaller numbers; in any order.
fn largest(atoms: std::ops::Range<u32>, k: usize, key: impl Fn(u32) -> f64, order: &mut Vec<u32>) {
    order.clear();
    order.extend(atoms);
    // Canonical scores are finite, and no sum from +0 is −0: total order is numeric order.
    let better = |a: &u32, b: &u32| key(*b).total_cmp(&key(*a)).then(a.cmp(b));
    if k < order.len() {
        order.select_nth_unstable_by(k, better);
        order.truncate(k);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(activation: &Activation, scores: &[f64], cut: RowCut) -> Vec<u32> {
        let (mut order, mut fires) = (Vec::new(), Vec::new());
        choose(activation, scores, cut, &mut order, &mut fires);
        fires
    }

    const SCORES: [f64; 8] = [2.0, -5.0, 0.0, 2.0, 2.0, -1.0, 1.0, -3.0];

    #[test]
    fn choose_every_rule_breaks_ties_by_the_lowest_atom() {
        let top = |k, relu| Activation::TopK { k, relu };
        assert_eq!(chosen(&top(2, false), &SCORES, None), [0, 3]);
        assert_eq!(chosen(&top(6, false), &SCORES, None), [0, 2, 3, 4, 5, 6]);
        assert_eq!(chosen(&top(6, true), &SCORES, None), [0, 3, 4, 6]);
        let ties = |k| Activation::TopKWithTies { k };
        assert_eq!(chosen(&ties(2), &SCORES, None), [0, 3, 4]);
        assert_eq!(chosen(&ties(6), &SCORES, None), [0, 2, 3, 4, 5, 6]);
        let abs = |k| Activation::AbsTopK { k };
        assert_eq!(chosen(&abs(3), &SCORES, None), [0, 1, 7]);
        assert_eq!(chosen(&abs(8), &SCORES, None), [0, 1, 3, 4, 5, 6, 7]);
        let groups = Activation::GroupMax { groups: 4 };
        assert_eq!(chosen(&groups, &SCORES, None), [0, 3, 4, 6]);
        let thresholds = vec![
            1.0,
            -6.0,
            0.0,
            2.0,
            1.5,
            -9.0,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ];
        let above = Activation::Threshold { thresholds };
        assert_eq!(chosen(&above, &SCORES, None), [0, 1, 4, 5, 7]);
    }

    #[test]
    fn choose_batch_cuts_equal_scores_at_their_last_place() {
        let batch = Activation::BatchTopK { k: 1 };
        let cut = Cut {
            score: 2.0,
            row: 7,
            atom: 3,
        };
        for (row, expected) in [(6, vec![0, 3, 4]), (7, vec![0, 3]), (8, vec![])] {
            assert_eq!(chosen(&batch, &SCORES, Some((row, cut))), expected, "{row}");
        }
        assert_eq!(chosen(&batch, &SCORES, Some((9, Cut::ZERO))), [0, 3, 4, 6]);
    }
}
