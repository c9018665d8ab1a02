//! What is simulated.

use atomscope::analysis::{CountOptions, Session};
use atomscope::cohort::{Call, Calls, Label, Number};
use atomscope::control::Control;
use atomscope::fires::FiringSets;
use atomscope::rows::SliceRows;
use atomscope::simulate::{SimulateOptions, simulate_in_memory};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::rare::{Drawn, Rare};
use super::truth::{Parameters, parameters};
use super::worlds::World;

/// Calls of a cohort, and the shape of its SAE: 16 planted atoms of 1,024, of which 12 are tied to the
/// label (odds ratios of 1.5 to 20) and 4 to SV types alone.
pub(crate) const CALLS: usize = 4_000;
/// Calls of the confounded world: types differ by little in their share of true calls, as real ones do,
/// so that it takes many to be misled.
pub(crate) const CONFOUNDED_CALLS: usize = 12_000;
/// D.
pub(crate) const INPUT_DIM: usize = 64;
/// F.
pub(crate) const FEATURES: usize = 1_024;
/// Atoms that fire on a call.
pub(crate) const K: usize = 16;
/// Calls of a variant where it is seen several times.
pub(crate) const COPIES: usize = 4;

impl World {
    /// The shape of a cohort of rare atoms; `None` of one that `simulate` makes.
    pub(crate) fn rare(self) -> Option<Rare> {
        let (share, planted) = match self {
            Self::Plain | Self::Confounded | Self::Null | Self::Repeated => return None,
            Self::Null95 => ([0.95; 2], false),
            Self::Null90 => ([0.90; 2], false),
            Self::NullByType => ([0.97, 0.03], false),
            Self::Planted95 | Self::Large => ([0.95; 2], true),
            Self::Planted90 => ([0.90; 2], true),
            Self::PlantedByType => ([0.97, 0.03], true),
        };
        let (calls, features, k) = match self {
            Self::Large => (20_000, 4_096, 32),
            _ => (CALLS, FEATURES, K),
        };
        Some(Rare {
            calls,
            features,
            k,
            share,
            planted,
        })
    }
}

/// A cohort of a world.
pub(crate) struct Cohort {
    /// Its calls.
    pub(crate) calls: Calls,
    /// The atoms that fire on each, with their scores.
    pub(crate) sets: FiringSets,
    /// What is true of each atom.
    pub(crate) truth: Vec<Parameters>,
    /// The atoms that `simulate` planted.
    pub(crate) planted: Vec<u32>,
}

impl Cohort {
    /// Draws firing sets, or simulates embeddings and encodes them by the program's own engine.
    pub(crate) fn draw(world: World, seed: u64) -> Self {
        if let Some(rare) = world.rare() {
            let Drawn { calls, sets, truth } = rare.draw(seed);
            let planted = Vec::new();
            return Self {
                calls,
                sets,
                truth,
                planted,
            };
        }
        Self::simulate(world, seed)
    }

    fn simulate(world: World, seed: u64) -> Self {
        let rows = match world {
            World::Repeated => CALLS / COPIES,
            World::Confounded => CONFOUNDED_CALLS,
            _ => CALLS,
        };
        let options = SimulateOptions {
            confounded: world != World::Plain,
            ..SimulateOptions::new(rows, INPUT_DIM, FEATURES, K, seed)
        };
        let simulated = simulate_in_memory(&options).expect("a cohort of that shape");
        let embeddings = SliceRows::new(&simulated.embeddings, INPUT_DIM).expect("whole rows");
        let mut options = CountOptions::default();
        options.engine.scores = true;
        let control = Control::default();
        let mut session = Session::open(&simulated.sae, rows, &options).expect("an engine");
        let encoded = session.encode(&embeddings, &simulated.calls, 0, &control);
        let mut cohort = Self {
            sets: encoded.expect("finite rows").fires,
            calls: simulated.calls,
            truth: parameters(world, &simulated.truth, FEATURES),
            planted: simulated.truth.planted.iter().map(|it| it.atom).collect(),
        };
        if world.is_null() {
            cohort.deal_labels(seed);
        }
        if world == World::Repeated {
            cohort.repeat(seed);
        }
        cohort
    }

    /// Deals the labels out anew.
    fn deal_labels(&mut self, seed: u64) {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let rows = self.calls.len();
        let mut classes: Vec<&str> = (0..rows)
            .map(|row| match self.calls.label(row) {
                Label::Tp => "TP",
                Label::Fp => "FP",
            })
            .collect();
        classes.shuffle(&mut random);
        let call = |row: usize| Call {
            truvari_class: Some(classes[row]),
            ..self.calls.get(row)
        };
        self.calls = (0..rows).map(call).collect();
    }

    /// Calls every variant several times, ten base pairs apart, each time in one of the datasets.
    fn repeat(&mut self, seed: u64) {
        let mut random = ChaCha8Rng::seed_from_u64(seed ^ 1);
        let (mut calls, mut atoms, mut scores) = (Calls::default(), vec![], vec![]);
        let of_rows = self.sets.scores().expect("scores").chunks_exact(K);
        for ((row, set), of_row) in self.sets.iter().zip(of_rows) {
            let call = self.calls.get(row);
            for copy in 0..COPIES {
                let shift = 10 * copy + random.random_range(0..10);
                let pos = Number::Float(call.pos.as_f64() + shift as f64);
                calls.push(&Call { pos, ..call });
                atoms.extend_from_slice(set);
                scores.extend_from_slice(of_row);
            }
        }
        self.calls = calls;
        self.sets = FiringSets::uniform(K, atoms, vec![]).with_scores(scores);
    }
}
