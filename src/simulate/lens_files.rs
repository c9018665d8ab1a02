//! The files of an SAE whose activation the notebook's file cannot say: a config and its weights.

use std::io::Write;
use std::path::Path;

use rayon::prelude::*;

use super::form::{config, divisors};
use super::{SimulateOptions, Simulator};
use crate::error::{Error, Result};
use crate::write::safetensors;
use crate::write::torch::{Element, Sink, Tensor};
use crate::write::whole::WholeFile;

/// The number of elements that are made, and written, at a time.
const BLOCK: usize = 1 << 22;

/// Writes the config.
pub(super) fn write_config(path: &Path, options: &SimulateOptions) -> Result<WholeFile> {
    let whole = WholeFile::create(path)?;
    let text = format!("{:#}\n", config(options));
    let written = whole.file().write_all(text.as_bytes());
    written.map_err(|e| Error::writing(path, e))?;
    Ok(whole)
}

/// Writes the weights: `W_enc` \[D, F\], `W_dec` \[F, D\], `b_dec` \[D\], and what the encoder has for
/// each atom.
pub(super) fn write_weights(path: &Path, simulator: &Simulator) -> Result<WholeFile> {
    let (sae, whitening) = (simulator.sae(), simulator.whitening());
    let (dim, features) = (sae.input_dim(), sae.feature_dim());
    let divisors = divisors(&whitening.std);
    let per_atom = simulator.per_atom();
    let encoder = Tensor::streamed(Element::F32, &[dim, features], |sink| {
        write_encoder(sae.weight(), &divisors, features, sink)
    });
    let decoder = Tensor::streamed(Element::F32, &[features, dim], |sink| {
        write_decoder(sae.weight(), &divisors, sink)
    });
    let mut tensors = vec![
        ("W_enc", encoder),
        ("W_dec", decoder),
        ("b_dec", Tensor::new(&[dim], &whitening.mean)),
    ];
    let each = per_atom.named().into_iter();
    tensors.extend(each.map(|(name, numbers)| (name, Tensor::new(&[features], numbers))));
    safetensors::save(path, &[], tensors)
}

/// Writes the encoder's weights, divided by the embeddings' standard deviation, a column an atom.
fn write_encoder(weight: &[f32], divisors: &[f32], features: usize, sink: &mut Sink) -> Result<()> {
    let dim = divisors.len();
    let block = (BLOCK / features).clamp(1, dim);
    let mut numbers = vec![0.0; block * features];
    for first in (0..dim).step_by(block) {
        let count = block.min(dim - first);
        let numbers = &mut numbers[..count * features];
        let rows = numbers.par_chunks_exact_mut(features).enumerate();
        rows.for_each(|(i, row)| {
            let column = weight[first + i..].iter().step_by(dim);
            for (to, weight) in row.iter_mut().zip(column) {
                *to = weight / divisors[first + i];
            }
        });
        sink.numbers(numbers)?;
    }
    Ok(())
}

/// Writes the atoms' directions among embeddings, a row an atom.
fn write_decoder(weight: &[f32], divisors: &[f32], sink: &mut Sink) -> Result<()> {
    let dim = divisors.len();
    let block = (BLOCK / dim).max(1) * dim;
    let mut numbers = Vec::new();
    for weights in weight.chunks(block) {
        numbers.clear();
        numbers.extend(
            weights
                .iter()
                .zip(divisors.iter().cycle())
                .map(|(w, d)| w * d),
        );
        sink.numbers(&numbers)?;
    }
    Ok(())
}
