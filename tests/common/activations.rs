//! Cases of every activation, with what fires by the definition.

use atomscope::engine::Cuts;
use atomscope::sae::Activation;

use super::case::{Case, plain_case, ragged_case};
use super::rules::{batch_fires, fires};

/// An activation of a case, and what fires.
pub(crate) struct Expected {
    pub(crate) activation: Activation,
    /// Of each row, ascending.
    pub(crate) sets: Vec<Vec<u32>>,
    /// The cuts of batches, for batch top-k.
    pub(crate) cuts: Option<Cuts>,
}

impl Expected {
    /// What fires by an activation; batches are of `batch` rows.
    pub(crate) fn new(activation: Activation, scores: &[Vec<f64>], batch: usize) -> Self {
        let Activation::BatchTopK { k } = activation else {
            let sets = scores.iter().map(|scores| fires(&activation, scores));
            return Self {
                sets: sets.collect(),
                activation,
                cuts: None,
            };
        };
        let (mut sets, mut cuts) = (Vec::new(), Vec::new());
        for scores in scores.chunks(batch) {
            let (of_batch, cut) = batch_fires(k, sets.len() as u64, scores);
            sets.extend(of_batch);
            cuts.push(cut);
        }
        Self {
            activation,
            sets,
            cuts: Some(Cuts::new(batch as u64, cuts)),
        }
    }
}

/// Thresholds of all kinds, among them scores of the case themselves, and those next to them.
pub(crate) fn hostile_thresholds(scores: &[Vec<f64>]) -> Vec<f64> {
    let of_atom = |f: usize| {
        let own = scores[f % scores.len()][f];
        let largest = scores.iter().map(|row| row[f]).fold(f64::MIN, f64::max);
        match f % 11 {
            0 => own,
            1 => own.next_down(),
            2 => own.next_up(),
            3 => 0.0,
            4 => f64::INFINITY,
            5 => f64::NEG_INFINITY,
            6 => largest * 0.75,
            7 => -own.abs() - 1e-3,
            8 => [1e300, -1e300, f64::from(f32::MAX), 1e9][f / 11 % 4],
            9 => [5e-324, -5e-324, 1e-40, -1e-40][f / 11 % 4],
            _ => largest,
        }
    };
    (0..scores[0].len()).map(of_atom).collect()
}

/// A case of small whole numbers: many scores are equal, many are 0, many are thresholds.
pub(crate) fn tied_case() -> Case {
    let mut case = plain_case(5, 61, 6, 210, 9);
    for (i, x) in case.rows.iter_mut().enumerate() {
        *x = ((i * 7) % 5) as f32 - 2.0;
    }
    for (i, w) in case.weight.iter_mut().enumerate() {
        *w = ((i * 11) % 7) as f32 - 3.0;
    }
    for (f, bias) in case.bias.iter_mut().enumerate() {
        *bias = (f % 3) as f32 - 1.0;
    }
    case
}

/// A case with rows on which nothing fires that must be above 0: rows of zeros, whose scores are
/// biases, all of them below 0; and atoms without weights.
pub(crate) fn case_of_empty_sets() -> Case {
    let (mut case, _) = ragged_case(8, 40, 9, 120);
    case.k = 5;
    case.weight[..60 * 9].fill(0.0);
    case.bias[10..20].fill(0.0);
    let scores = case.all_scores();
    for activation in [Activation::relu(120), Activation::TopK { k: 5, relu: true }] {
        let expected = Expected::new(activation, &scores, 7);
        assert!(expected.sets[0].is_empty() && !expected.sets[3].is_empty());
    }
    case
}

impl Case {
    /// The canonical scores of all atoms on each row, read literally.
    pub(crate) fn all_scores(&self) -> Vec<Vec<f64>> {
        let of_row = |row: &[f32]| {
            let x = self.whitened(row);
            (0..self.f).map(|f| self.score(&x, f)).collect()
        };
        self.rows.chunks(self.d).map(of_row).collect()
    }

    /// Every activation, with the case's k.
    pub(crate) fn activations(&self, scores: &[Vec<f64>]) -> Vec<Activation> {
        let (k, f) = (self.k.min(self.f), self.f);
        let divides = |groups: &usize| f.is_multiple_of(*groups);
        let some_groups = (1..=k.max(2)).rev().find(divides).unwrap_or(1);
        let threshold = |thresholds| Activation::Threshold { thresholds };
        let median = {
            let mut all: Vec<f64> = scores.concat();
            let middle = all.len() * 9 / 10;
            *all.select_nth_unstable_by(middle, f64::total_cmp).1
        };
        vec![
            Activation::TopK { k, relu: true },
            Activation::TopK { k: f, relu: true },
            Activation::TopK { k, relu: false },
            Activation::TopKWithTies { k },
            Activation::TopKWithTies { k: f },
            Activation::AbsTopK { k },
            Activation::AbsTopK { k: f },
            Activation::GroupMax { groups: 1 },
            Activation::GroupMax {
                groups: some_groups,
            },
            Activation::GroupMax { groups: f },
            Activation::relu(f),
            Activation::thresholds(f, median),
            threshold(hostile_thresholds(scores)),
            threshold(vec![f64::INFINITY; f]),
            threshold(vec![f64::NEG_INFINITY; f]),
            Activation::BatchTopK { k },
        ]
    }
}
