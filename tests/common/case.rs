//! Cohorts and models with a naive oracle that shares no code with any engine.

use atomscope::cohort::{Call, Calls};
use atomscope::engine::Encoded;
use atomscope::fires::FiringSets;
use atomscope::sae::{Activation, Sae, SaeParts, whitening};
use atomscope::tally::Strata;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A cohort and a model, small enough to be scored naively.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) d: usize,
    pub(crate) f: usize,
    pub(crate) k: usize,
    pub(crate) rows: Vec<f32>,
    pub(crate) weight: Vec<f32>,
    pub(crate) bias: Vec<f32>,
    pub(crate) mean: Vec<f32>,
    pub(crate) std: Vec<f32>,
}

impl Case {
    /// Rounds all numbers to so many levels between whole ones, and leaves whitening out: many scores
    /// are equal.
    pub(crate) fn round_to(&mut self, levels: u32) {
        let levels = levels as f32;
        for numbers in [&mut self.rows, &mut self.weight, &mut self.bias] {
            for n in numbers {
                *n = (*n * levels).round() / levels;
            }
        }
        self.mean.fill(0.0);
        self.std.fill(0.999_999);
    }

    pub(crate) fn sae(&self) -> Sae {
        self.sae_of(Activation::TopK {
            k: self.k,
            relu: false,
        })
    }

    /// The same weights, with atoms that fire where their score is above their threshold.
    pub(crate) fn sae_above(&self, thresholds: &[f32]) -> Sae {
        let thresholds = thresholds.iter().map(|&t| f64::from(t)).collect();
        self.sae_of(Activation::Threshold { thresholds })
    }

    /// The same weights, for a model of batch top-k.
    pub(crate) fn sae_of_batches(&self) -> Sae {
        self.sae_of(Activation::BatchTopK { k: self.k })
    }

    pub(crate) fn sae_of(&self, activation: Activation) -> Sae {
        Sae::new(SaeParts {
            name: "case".into(),
            input_dim: self.d,
            feature_dim: self.f,
            activation,
            weight: self.weight.clone(),
            bias: self.bias.clone(),
            input: whitening(self.mean.clone(), &self.std),
            ..SaeParts::default()
        })
        .unwrap()
    }

    pub(crate) fn count(&self) -> usize {
        self.rows.len() / self.d
    }

    pub(super) fn whitened(&self, row: &[f32]) -> Vec<f32> {
        let number = |i| {
            let centred: f32 = row[i] - self.mean[i];
            centred / (self.std[i] + 1e-6f32)
        };
        (0..self.d).map(number).collect()
    }

    /// The canonical score, read literally.
    pub(super) fn score(&self, x: &[f32], f: usize) -> f64 {
        let mut lanes = [0.0f64; 32];
        for i in 0..self.d {
            lanes[i % 32] += x[i] as f64 * self.weight[f * self.d + i] as f64;
        }
        for step in [16, 8, 4, 2, 1] {
            let old = lanes;
            for l in 0..32 {
                lanes[l] = old[l] + old[l ^ step];
            }
        }
        lanes[0] + self.bias[f] as f64
    }

    /// The definition, read literally.
    pub(crate) fn oracle(&self) -> Vec<u32> {
        let k = self.k.min(self.f);
        let mut sets = Vec::new();
        for row in self.rows.chunks(self.d) {
            let x = self.whitened(row);
            let mut scored: Vec<(f64, usize)> =
                (0..self.f).map(|f| (self.score(&x, f), f)).collect();
            scored.sort_by(|a, b| b.0.partial_cmp(&a.0).unwrap().then(a.1.cmp(&b.1)));
            let mut set: Vec<u32> = scored[..k].iter().map(|s| s.1 as u32).collect();
            set.sort_unstable();
            sets.extend(set);
        }
        sets
    }

    /// The atoms of each row whose score is above their threshold, read literally.
    pub(crate) fn oracle_above(&self, thresholds: &[f32]) -> Vec<Vec<u32>> {
        let of_row = |row: &[f32]| {
            let x = self.whitened(row);
            let fires = |&f: &usize| self.score(&x, f) > thresholds[f] as f64;
            (0..self.f).filter(fires).map(|f| f as u32).collect()
        };
        self.rows.chunks(self.d).map(of_row).collect()
    }

    /// Of each batch of `batch` rows the atoms with the k · N largest scores of its N rows that are not
    /// `dropped`, as far as they are above 0: all scores, sorted. With each batch's least score that
    /// fires, if any does.
    pub(crate) fn oracle_of_batches(
        &self,
        batch: usize,
        dropped: &[usize],
    ) -> (Vec<Vec<u32>>, Vec<Option<f64>>) {
        let mut sets = vec![Vec::new(); self.count()];
        let mut least = Vec::new();
        for first in (0..self.count()).step_by(batch) {
            let mut scored = Vec::new();
            let mut kept = 0;
            for row in (first..self.count().min(first + batch)).filter(|r| !dropped.contains(r)) {
                kept += 1;
                let x = self.whitened(&self.rows[row * self.d..(row + 1) * self.d]);
                scored.extend((0..self.f).map(|f| (self.score(&x, f), row, f)));
            }
            scored.sort_by(|a, b| b.0.partial_cmp(&a.0).unwrap());
            scored.truncate(self.k.min(self.f) * kept);
            scored.retain(|&(score, ..)| score > 0.0);
            least.push(scored.last().map(|&(score, ..)| score));
            for (_, row, f) in scored {
                sets[row].push(f as u32);
            }
        }
        for set in &mut sets {
            set.sort_unstable();
        }
        (sets, least)
    }

    /// Three strata, unevenly.
    pub(crate) fn strata(&self) -> Strata {
        let calls: Calls = (0..self.count())
            .map(|i| Call {
                truvari_class: Some(if i % 3 == 0 { "TP" } else { "FP" }),
                svtype: [Some("INS"), Some("DEL"), None][i % 3],
                ..Call::default()
            })
            .collect();
        Strata::of_calls(&calls)
    }

    /// Demands scores, the oracle's to the bit.
    pub(crate) fn assert_scored(&self, fires: &FiringSets, way: &str) {
        let Some(scores) = fires.scores() else {
            panic!("no scores, {way}");
        };
        for (i, (row, atoms)) in fires.iter().enumerate() {
            let scores = &scores[fires.place(i)];
            let x = self.whitened(&self.rows[row * self.d..(row + 1) * self.d]);
            for (&atom, &score) in atoms.iter().zip(scores) {
                let expected = self.score(&x, atom as usize);
                let same = score.to_bits() == expected.to_bits();
                assert!(
                    same,
                    "row {row}, atom {atom}: {score:e}, {expected:e}, {way}"
                );
            }
        }
    }

    /// Demands the oracle's sets, and the counts that follow from them.
    pub(crate) fn assert_exact(&self, expected: &[u32], found: &Encoded, way: &str) {
        let k = self.k.min(self.f);
        let expected: Vec<_> = expected.chunks(k).map(<[u32]>::to_vec).collect();
        self.assert_sets(&expected, found, way);
    }

    /// The same of sets of any size.
    pub(crate) fn assert_sets(&self, expected: &[Vec<u32>], found: &Encoded, way: &str) {
        assert_eq!(found.fires.rows(), self.count(), "{way}");
        let pairs = found.fires.all().iter().zip(expected);
        for (i, (got, want)) in pairs.enumerate() {
            assert_eq!(got, want, "row {i}, {way}");
        }
        let strata = self.strata();
        for (s, _) in strata.table().iter().enumerate() {
            let mut naive = vec![0u64; self.f];
            let mut rows = 0;
            for (row, set) in expected.iter().enumerate() {
                if strata.of_row()[row] as usize == s {
                    rows += 1;
                    for &atom in set {
                        naive[atom as usize] += 1;
                    }
                }
            }
            assert_eq!(found.tally.counts(s), naive, "stratum {s}, {way}");
            assert_eq!(found.tally.rows()[s], rows, "stratum {s}, {way}");
        }
    }
}

fn gaussian(rng: &mut impl Rng) -> f32 {
    let u: f64 = rng.random_range(f64::MIN_POSITIVE..1.0);
    let v: f64 = rng.random_range(0.0..std::f64::consts::TAU);
    ((-2.0 * u.ln()).sqrt() * v.cos()) as f32
}

pub(crate) fn random_case(seed: u64, count: usize, d: usize, f: usize, k: usize) -> Case {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut normal = |n: usize| (0..n).map(|_| gaussian(&mut rng)).collect::<Vec<_>>();
    Case {
        d,
        f,
        k,
        rows: normal(count * d),
        weight: normal(f * d),
        bias: normal(f).iter().map(|b| b * 0.1).collect(),
        mean: normal(d),
        std: normal(d).iter().map(|s| s.abs() + 0.1).collect(),
    }
}

/// A case whose whitening does nothing but divide by 1 (0.999999 + 1e-6 rounds to 1).
pub(crate) fn plain_case(seed: u64, count: usize, d: usize, f: usize, k: usize) -> Case {
    let mut case = random_case(seed, count, d, f, k);
    case.mean.fill(0.0);
    case.std.fill(0.999_999);
    assert_eq!(case.std[0] + 1e-6, 1.0);
    case
}

/// A case and thresholds: no atom fires on each fourth row, and of the others on some a few and on
/// some most of them.
pub(crate) fn ragged_case(seed: u64, count: usize, d: usize, f: usize) -> (Case, Vec<f32>) {
    let mut case = plain_case(seed, count, d, f, 1);
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0xabcd);
    for (i, row) in case.rows.chunks_mut(d).enumerate() {
        let scale = [0.0, 0.3, 1.0, 4.0][i % 4] / (d as f32).sqrt();
        for x in row.iter_mut() {
            *x *= scale;
        }
    }
    for bias in &mut case.bias {
        *bias = -bias.abs();
    }
    let thresholds = (0..f).map(|_| rng.random_range(0.0_f32..1.5)).collect();
    (case, thresholds)
}
