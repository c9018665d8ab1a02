//! Models, rows and calls to measure on: made by all threads in seconds, the same for any number
//! of them.

use std::ops::Range;

use atomscope::cohort::{Call, Calls};
use atomscope::error::Result;
use atomscope::rows::{ElementType, Place, Rows};
use atomscope::sae::{Activation, Sae, SaeParts, whitening};
use atomscope::tally::Strata;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

/// What numbers are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Gaussian.
    Gaussian,
    /// Integers from −2 to 2: exact ties everywhere.
    Tied,
}

fn one(kind: Kind, random: &mut impl Rng) -> f32 {
    match kind {
        Kind::Gaussian => StandardNormal.sample(random),
        Kind::Tied => random.random_range(-2i8..=2).into(),
    }
}

/// `count` numbers, each times `scale`.
pub(crate) fn numbers(kind: Kind, seed: u64, count: usize, scale: f32) -> Vec<f32> {
    let mut numbers = vec![0.0f32; count];
    numbers
        .par_chunks_mut(1 << 16)
        .enumerate()
        .for_each(|(chunk, numbers)| {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            random.set_stream(chunk as u64);
            for number in numbers {
                *number = scale * one(kind, &mut random);
            }
        });
    numbers
}

/// A model of F x D of which `k` atoms fire.
pub(crate) fn model(kind: Kind, dim: usize, features: usize, k: usize) -> Result<Sae> {
    let (scale, mean, spread) = match kind {
        Kind::Gaussian => (1.0 / (dim as f32).sqrt(), 0.1, 0.05),
        Kind::Tied => (1.0, 0.0, 0.0),
    };
    let std = numbers(kind, 4, dim, spread).into_iter().map(|s| 1.0 + s);
    Sae::new(SaeParts {
        name: "a random model".to_owned(),
        input_dim: dim,
        feature_dim: features,
        activation: Activation::TopK { k, relu: false },
        weight: numbers(kind, 1, dim * features, scale),
        bias: numbers(kind, 2, features, mean),
        input: whitening(
            numbers(kind, 3, dim, mean),
            &std.map(|s| s.max(0.5)).collect::<Vec<_>>(),
        ),
        ..SaeParts::default()
    })
}

/// `count` embeddings of `dim` numbers.
pub(crate) fn embeddings(kind: Kind, dim: usize, count: usize) -> Vec<f32> {
    numbers(kind, 5, dim * count, 1.0)
}

/// Calls of both labels and both types, in four strata.
pub(crate) fn strata(rows: usize) -> Strata {
    let calls: Calls = (0..rows)
        .map(|row| Call {
            truvari_class: Some(if row % 3 == 0 { "TP" } else { "FP" }),
            svtype: Some(if row % 5 < 2 { "INS" } else { "DEL" }),
            ..Call::default()
        })
        .collect();
    Strata::of_calls(&calls)
}

/// The first rows of others.
pub(crate) struct First<'a> {
    pub(crate) rows: &'a dyn Rows,
    pub(crate) count: usize,
}

impl Rows for First<'_> {
    fn count(&self) -> usize {
        self.count
    }
    fn dim(&self) -> usize {
        self.rows.dim()
    }
    fn name(&self) -> String {
        self.rows.name()
    }
    fn read(&self, range: Range<usize>, out: &mut [f32]) -> Result<()> {
        self.rows.read(range, out)
    }
    fn element_type(&self) -> ElementType {
        self.rows.element_type()
    }
    fn read_stored(&self, range: Range<usize>, out: &mut [u8]) -> Result<()> {
        self.rows.read_stored(range, out)
    }
    fn place(&self) -> Place<'_> {
        self.rows.place()
    }
}
