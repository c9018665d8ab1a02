//! The simulated world: an SAE's weights and whitening, and the embeddings.
//!
//! In a latent space the first coordinates belong to the planted atoms, one each. The rest belong
//! to all other atoms, with variances that fall off as those of real embeddings do. A rotation
//! makes everything dense; it keeps all products, so planted atoms stay orthogonal to the others.
//! An embedding is the sum of latent noise, the planted atoms' levels, and a few other atoms'
//! directions with random strengths. The sum is rotated, scaled and shifted per dimension.

use std::ops::Range;

use rayon::prelude::*;

use super::benchmark::Counts;
use super::calls::{Caller, Draw};
use super::levels::{Levels, Places};
use super::pair::{Pair, Properties};
use super::plan::Plan;
use super::random::{Purpose, Stream};
use super::rotation::Rotation;
use super::truth::Truth;
use super::{SimulateOptions, SimulatedActivation};
use crate::cohort::Calls;
use crate::error::Result;
use crate::memory::filled;
use crate::sae::{Activation, Sae, SaeParts, Values, whitening};

/// The simulated cohort and SAE. Rows and calls are drawn from them in any order.
pub struct Simulator {
    pub(super) options: SimulateOptions,
    caller: Caller,
    pub(super) plan: Plan,
    /// The SAE by the whitening, with the notebook's activation.
    pub(super) sae: Sae,
    pub(super) whitening: Whitening,
    rotation: Rotation,
    /// The standard deviation of each latent coordinate; 0 for those of planted atoms.
    spread: Vec<f32>,
    /// The length of each pair's weights.
    lengths: Vec<[f32; 2]>,
    pub(super) levels: Levels,
}

impl Simulator {
    /// Draws the SAE. Takes memory for its weights, `features · input_dim` numbers.
    ///
    /// # Errors
    /// Fails with [`Error::Choice`](crate::error::Error::Choice) if an option is out of its range.
    pub fn new(options: &SimulateOptions) -> Result<Self> {
        options.check()?;
        let plan = Plan::new(options);
        let rotation = Rotation::new(options.seed, options.input_dim);
        let whitening = Whitening::draw(options);
        let sae = Sae::new(sae_parts(options, &plan, &rotation, &whitening)?)?;
        let mut simulator = Self {
            options: options.clone(),
            caller: Caller::new(options),
            spread: spread(options.input_dim, 2 * plan.pairs.len()),
            lengths: (plan.pairs.iter())
                .map(|pair| pair.atoms.map(|atom| length(options.seed, atom)))
                .collect(),
            plan,
            sae,
            whitening,
            rotation,
            levels: Levels::default(),
        };
        simulator.levels = simulator.levels();
        Ok(simulator)
    }

    /// Returns the SAE that embeddings are drawn by: whitened, and with the notebook's activation.
    pub(super) fn sae(&self) -> &Sae {
        &self.sae
    }

    /// Returns the mean and the standard deviation by which embeddings are whitened.
    pub(super) fn whitening(&self) -> &Whitening {
        &self.whitening
    }

    /// Describes what is planted.
    pub fn truth(&self) -> Truth {
        let counts = self.options.vcf.then(|| self.counts());
        self.plan
            .truth(&self.options, &self.caller, counts.as_ref())
    }

    /// Counts all calls by what the benchmark says of them.
    fn counts(&self) -> Counts {
        let rows = (0..self.options.rows as u64).into_par_iter();
        rows.fold(Counts::default, |counts, row| counts.add(&self.draw(row)))
            .reduce(Counts::default, |a, b| a.plus(&b))
    }

    /// Draws the calls of some rows.
    pub fn calls(&self, rows: Range<usize>) -> Calls {
        rows.map(|row| self.draw(row as u64))
            .fold(Calls::default(), |mut calls, draw| {
                calls.push(&draw.call());
                calls
            })
    }

    pub(super) fn draw(&self, row: u64) -> Draw {
        let draw = self.caller.draw(row);
        if self.options.vcf {
            draw.benchmarked(self.options.seed, row)
        } else {
            draw
        }
    }

    /// Writes the embeddings of the rows from `first` on, as many as `out` has room for, in
    /// parallel.
    ///
    /// # Panics
    /// Panics if `out` is not made of whole rows.
    pub fn embeddings(&self, first: usize, out: &mut [f32]) {
        let dim = self.options.input_dim;
        assert!(out.len().is_multiple_of(dim), "room for whole rows");
        let Whitening { mean, std } = &self.whitening;
        out.par_chunks_exact_mut(dim)
            .enumerate()
            .for_each(|(i, out)| {
                let row = (first + i) as u64;
                let mut stream = Stream::new(self.options.seed, Purpose::Rows, row);
                let draw = self.draw(row);
                self.whitened(&mut stream, Some(Properties::of(&draw)), out);
                for ((x, mean), std) in out.iter_mut().zip(mean).zip(std) {
                    *x = mean + (std + 1e-6) * *x;
                }
            });
    }

    /// Draws a row before scale and shift. Without a call it has no planted atoms.
    fn whitened(&self, stream: &mut Stream, call: Option<Properties>, out: &mut [f32]) {
        stream.fill_normal(out);
        for (x, spread) in out.iter_mut().zip(&self.spread) {
            *x *= spread;
        }
        if let Some(call) = call {
            self.plant(stream, call, out);
        }
        self.rotation.apply(out);
        for _ in 0..self.options.k.div_ceil(2) {
            // Some atoms are far more frequent than others, as in trained SAEs.
            let nulls = self.plan.null.len();
            let unit = stream.unit();
            let place = unit * unit * unit * nulls as f64;
            let atom = self.plan.null[(place as usize).min(nulls - 1)];
            let strength = 2.5 + 0.8 * stream.normal().abs();
            for (x, weight) in out.iter_mut().zip(self.weights(atom)) {
                *x += strength * weight;
            }
        }
    }

    /// Sets the planted atoms' latent coordinates to their planned scores.
    fn plant(&self, stream: &mut Stream, call: Properties, latent: &mut [f32]) {
        let is_signed = self.options.activation == SimulatedActivation::AbsTopK;
        let pairs = self.plan.pairs.iter().zip(&self.lengths);
        for ((pair, lengths), latent) in pairs.zip(latent.chunks_exact_mut(2)) {
            let fires = pair.fires(call, stream.unit());
            for (which, (x, &atom)) in latent.iter_mut().zip(&pair.atoms).enumerate() {
                let noise = stream.normal();
                let score = if fires[which] {
                    let score = self.levels.on + 0.7 * noise.abs();
                    if is_signed && which == 1 {
                        -score
                    } else {
                        score
                    }
                } else {
                    self.levels.off + self.levels.noise * noise
                };
                *x = (score - self.sae.bias()[atom as usize]) / lengths[which];
            }
        }
    }

    fn weights(&self, atom: u32) -> &[f32] {
        let dim = self.options.input_dim;
        &self.sae.weight()[atom as usize * dim..][..dim]
    }

    /// Finds the levels at which planted atoms surely fire and surely do not, from the scores of
    /// the others on a few rows.
    fn levels(&self) -> Levels {
        let activation = self.options.activation;
        let most: usize = self.plan.pairs.iter().map(Pair::most).sum();
        if most == 0 && !activation.has_threshold() {
            return Levels::default();
        }
        let products = self.options.features * self.options.input_dim;
        let count = ((1 << 28) / products).clamp(4, 64);
        let rows = (0..count as u64).into_par_iter();
        let rows: Vec<_> = rows.map(|row| self.scores_of_others(row)).collect();
        let k = self.options.k;
        Levels::of(activation, Places { k, most }, &rows)
    }

    /// The scores that decide, of the atoms that are not planted, on a row without a call; the largest
    /// first.
    fn scores_of_others(&self, row: u64) -> Vec<f32> {
        let is_signed = self.options.activation == SimulatedActivation::AbsTopK;
        let mut stream = Stream::new(self.options.seed, Purpose::Calibration, row);
        let mut x = vec![0.0; self.options.input_dim];
        self.whitened(&mut stream, None, &mut x);
        let score = |&atom: &u32| {
            let score = dot(self.weights(atom), &x) + self.sae.bias()[atom as usize];
            if is_signed { score.abs() } else { score }
        };
        let mut scores: Vec<f32> = self.plan.null.iter().map(score).collect();
        scores.sort_unstable_by(|a, b| b.total_cmp(a));
        scores
    }
}

/// Returns the standard deviations of the latent coordinates: variance ∝ 1 / (1 + i/τ), mean 1.
fn spread(dim: usize, planted: usize) -> Vec<f32> {
    let others = dim - planted;
    let knee = 1.0 + others as f64 / 16.0;
    let variance = |i: usize| 1.0 / (1.0 + i as f64 / knee);
    let mean = (0..others).map(variance).sum::<f64>() / others as f64;
    let others = (0..others).map(|i| (variance(i) / mean).sqrt() as f32);
    std::iter::repeat_n(0.0, planted).chain(others).collect()
}

/// Draws the length of an atom's weights: near 1, as training with a decoder of unit norm leaves
/// it.
fn length(seed: u64, atom: u32) -> f32 {
    (1.0 + 0.05 * Stream::new(seed, Purpose::Weights, u64::from(atom)).normal()).max(0.5)
}

/// The mean and the standard deviation by which embeddings are whitened, \[D\].
pub(super) struct Whitening {
    pub(super) mean: Vec<f32>,
    pub(super) std: Vec<f32>,
}

impl Whitening {
    fn draw(options: &SimulateOptions) -> Self {
        let mut stream = Stream::new(options.seed, Purpose::Whitening, 0);
        let std: Vec<f32> = (0..options.input_dim)
            .map(|_| libm::expf(1.2 * stream.normal()))
            .collect();
        let mean = std.iter().map(|std| 2.0 * std * stream.normal()).collect();
        Self { mean, std }
    }
}

fn sae_parts(
    options: &SimulateOptions,
    plan: &Plan,
    rotation: &Rotation,
    of: &Whitening,
) -> Result<SaeParts> {
    let (weight, bias) = encoder(options, plan, rotation)?;
    Ok(SaeParts {
        name: "simulated SAE".to_owned(),
        input_dim: options.input_dim,
        feature_dim: options.features,
        activation: Activation::TopK {
            k: options.k,
            relu: false,
        },
        weight,
        bias,
        input: whitening(of.mean.clone(), &of.std),
        values: Values::Score,
        most: None,
    })
}

/// Draws the encoder's weight and bias. A planted atom's direction is a latent coordinate of its
/// own; the others' are random in the remaining coordinates. Then all are rotated.
fn encoder(
    options: &SimulateOptions,
    plan: &Plan,
    rotation: &Rotation,
) -> Result<(Vec<f32>, Vec<f32>)> {
    let &SimulateOptions {
        input_dim: dim,
        features,
        seed,
        ..
    } = options;
    let mut coordinate = vec![None; features];
    for (i, &atom) in plan.pairs.iter().flat_map(|pair| &pair.atoms).enumerate() {
        coordinate[atom as usize] = Some(i);
    }
    let planted = 2 * plan.pairs.len();
    let mut weight = filled(features, dim, "the weights", || 0.0)?;
    let mut bias = vec![0.0; features];
    let atoms = weight.par_chunks_exact_mut(dim).zip(&mut bias).enumerate();
    atoms.for_each(|(atom, (weight, bias))| {
        // The first draw is the length: see `length`.
        let mut stream = Stream::new(seed, Purpose::Weights, atom as u64);
        let _ = stream.normal();
        *bias = -0.2 + 0.25 * stream.normal();
        if let Some(i) = coordinate[atom] {
            weight[i] = 1.0;
        } else {
            stream.fill_normal(&mut weight[planted..]);
        }
        let scale = length(seed, atom as u32) / dot(weight, weight).sqrt().max(f32::MIN_POSITIVE);
        for x in &mut *weight {
            *x *= scale;
        }
        rotation.apply(weight);
    });
    Ok((weight, bias))
}

/// Computes a product of vectors in one fixed order: sixteen running sums, then their sum.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0; 16];
    for (a, b) in a.chunks(16).zip(b.chunks(16)) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    sums.iter().sum()
}
