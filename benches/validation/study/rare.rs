//! Cohorts of which most atoms fire rarely and nearly all calls have one label, or nearly all of a type:
//! firing sets are drawn, not encoded.
//!
//! A call has a few *places*, in each of which one of a few planted atoms fires, with chances that depend on
//! its label or its type alone. The atoms of all other places are drawn without replacement, by weights that
//! span three orders of magnitude, and have to do with nothing exactly: the planted ones take as many places
//! of every call.

use atomscope::cohort::{Call, Calls, Number};
use atomscope::fires::FiringSets;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::truth::{Kind, Parameters, free};

/// The shape of a cohort, and what is true of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rare {
    pub(crate) calls: usize,
    pub(crate) features: usize,
    pub(crate) k: usize,
    /// The share of true calls among the types that come first, and among the others.
    pub(crate) share: [f64; 2],
    /// Whether atoms are tied to the label.
    pub(crate) planted: bool,
}

/// SV types and their shares; the first and the last two have one share of true calls, the others the
/// other.
const TYPES: [(&str, f64); 4] = [("DEL", 0.45), ("INS", 0.45), ("DUP", 0.05), ("INV", 0.05)];

/// Places that are planted.
const PLACES: usize = 5;
/// Atoms of a place that is tied to the label: chance to fire on a call with the label that it does not
/// lean to, and odds ratio. What is left of the place is another atom's.
const TIED: [(f64, f64); 3] = [(0.15, 1.6), (0.04, 2.5), (0.01, 5.0)];
/// Chances of a place's first atom by its type, where it is tied to that alone.
const BY_TYPE: [f64; 2] = [0.7, 0.3];

/// What is drawn.
pub(crate) struct Drawn {
    pub(crate) calls: Calls,
    pub(crate) sets: FiringSets,
    pub(crate) truth: Vec<Parameters>,
}

impl Rare {
    pub(crate) fn draw(&self, seed: u64) -> Drawn {
        // Permutations of the cohort's labels are drawn from the seed itself.
        let mut random = ChaCha8Rng::seed_from_u64(seed ^ (1 << 40));
        let mut calls = Calls::default();
        let mut sets = Vec::with_capacity(self.calls * self.k);
        let weights = Weights::new(self.features - self.planted_atoms().len());
        for row in 0..self.calls {
            let kind = pick(&mut random, TYPES.iter().map(|kind| kind.1));
            let group = usize::from(kind % 2 == 1);
            let is_tp = random.random_bool(self.share[group]);
            let set = self.set(&mut random, &weights, group, is_tp);
            sets.extend(set);
            let size = 50.0 + (6.0 + 1.7 * normal(&mut random)).exp().min(1e6).floor();
            calls.push(&Call {
                truvari_class: Some(if is_tp { "TP" } else { "FP" }),
                svtype: Some(TYPES[kind].0),
                svlen: Number::Float(size),
                dataset: Some(["a", "b"][random.random_range(0..2)]),
                chrom: Some(["chr1", "chr2", "chr3"][row % 3]),
                pos: Number::Float(f64::from(random.random_range(0..200_000_000_u32))),
                ..Call::default()
            });
        }
        let scores = sets.iter().map(|_| 1.0 + random.random::<f64>()).collect();
        let mut truth = vec![free(); self.features];
        let first = self.features - self.planted_atoms().len();
        for (truth, kind) in truth[first..].iter_mut().zip(self.planted_atoms()) {
            *truth = kind;
        }
        Drawn {
            calls,
            sets: FiringSets::uniform(self.k, sets, vec![]).with_scores(scores),
            truth,
        }
    }

    /// What is true of the planted atoms, which are the last ones: of each place's.
    fn planted_atoms(&self) -> Vec<Parameters> {
        let mut atoms = vec![tied(Kind::Type, 1.0); 2];
        if self.planted {
            for _ in 1..PLACES {
                atoms.extend(TIED.iter().map(|&(_, odds)| tied(Kind::Label, odds)));
                // The last atom of a place has what is left, and the odds ratio that goes with it.
                atoms.push(tied(Kind::Label, rest_odds()));
            }
        }
        atoms
    }

    /// The atoms that fire on a call, ascending.
    fn set(
        &self,
        random: &mut ChaCha8Rng,
        weights: &Weights,
        group: usize,
        is_tp: bool,
    ) -> Vec<u32> {
        let first = self.features - self.planted_atoms().len();
        let mut set = vec![(first + usize::from(!random.random_bool(BY_TYPE[group]))) as u32];
        if self.planted {
            for place in 1..PLACES {
                // Every other place leans to false calls.
                let leans = is_tp == (place % 2 == 0);
                let atom = pick(random, chances(leans).into_iter());
                set.push((first + 2 + (place - 1) * (TIED.len() + 1) + atom) as u32);
            }
        }
        while set.len() < self.k {
            let atom = weights.draw(random);
            if !set.contains(&atom) {
                set.push(atom);
            }
        }
        set.sort_unstable();
        set
    }
}

/// Chances of a place's atoms, on calls with the label that they lean to or with the other.
fn chances(leans: bool) -> [f64; TIED.len() + 1] {
    let mut chances = [0.0; TIED.len() + 1];
    for (chance, &(rate, odds)) in chances.iter_mut().zip(&TIED) {
        let raised = rate / (1.0 - rate) * odds;
        *chance = if leans { raised / (1.0 + raised) } else { rate };
    }
    chances[TIED.len()] = 1.0 - chances.iter().sum::<f64>();
    chances
}

fn tied(kind: Kind, odds: f64) -> Parameters {
    Parameters {
        kind,
        log_odds_within: odds.ln(),
        ..free()
    }
}

fn rest_odds() -> f64 {
    let [on, off] = [true, false].map(|leans| chances(leans)[TIED.len()]);
    (off / (1.0 - off)) / (on / (1.0 - on))
}

fn pick(random: &mut ChaCha8Rng, chances: impl Iterator<Item = f64>) -> usize {
    let mut left = random.random::<f64>();
    let mut last = 0;
    for (place, chance) in chances.enumerate() {
        last = place;
        left -= chance;
        if left < 0.0 {
            break;
        }
    }
    last
}

/// A standard normal number, by Box and Muller.
fn normal(random: &mut ChaCha8Rng) -> f64 {
    let [u, v] = [(); 2].map(|()| random.random::<f64>());
    (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

/// Weights of the atoms that are not planted, from 1 to e^−7, summed up.
struct Weights(Vec<f64>);

impl Weights {
    fn new(atoms: usize) -> Self {
        let mut sum = 0.0;
        let up_to = |atom: usize| {
            sum += (-7.0 * atom as f64 / atoms as f64).exp();
            sum
        };
        Self((0..atoms).map(up_to).collect())
    }

    fn draw(&self, random: &mut ChaCha8Rng) -> u32 {
        let most = self.0.last().copied().unwrap_or(0.0);
        let at = random.random::<f64>() * most;
        let place = self.0.partition_point(|&sum| sum <= at);
        place.min(self.0.len() - 1) as u32
    }
}
