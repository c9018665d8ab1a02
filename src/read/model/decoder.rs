//! The decoder, of which encoding needs the norms alone, and its sizes.

use std::sync::Arc;

use rayon::prelude::*;

use super::candidate::Candidate;
use super::encoder::Encoder;
use super::weights::{OTHER_MODEL, Weights};
use crate::error::Result;
use crate::read::source::Source;
use crate::read::tensor::{TensorRows, shape_text};
use crate::rows::Rows;
use crate::sae::Sae;

/// The norm of each feature's row of a decoder \[F, D\], or of its column of one \[D, F\], in
/// binary64. The decoder is read in blocks, and never in memory as a whole.
pub(super) fn norms(
    weights: &Weights,
    name: &str,
    columns: bool,
    encoder: &Encoder,
) -> Result<Vec<f64>> {
    /// Numbers of a block.
    const BLOCK: usize = 1 << 20;
    let rows = weights.rows(name, columns)?;
    let (features, dim) = (encoder.features, encoder.input_dim);
    if (rows.count(), rows.dim()) != (features, dim) {
        let found = format!("{} features of {} numbers", rows.count(), rows.dim());
        let expected = format!("{features} of {dim}, as the encoder has");
        return Err(weights.bad(name, found, expected, OTHER_MODEL));
    }
    let norm = |row: &[f32]| {
        let squares = row.iter().map(|&x| f64::from(x) * f64::from(x));
        squares.sum::<f64>().sqrt()
    };
    let at_once = (BLOCK / dim.max(1)).max(1);
    let firsts = (0..features).into_par_iter().step_by(at_once);
    let blocks = firsts.map(|first| {
        let block = first..features.min(first + at_once);
        let mut numbers = vec![0.0; block.len() * dim];
        rows.read(block, &mut numbers)?;
        Ok(numbers
            .chunks_exact(dim.max(1))
            .map(norm)
            .collect::<Vec<_>>())
    });
    Ok(blocks.collect::<Result<Vec<_>>>()?.concat())
}

/// The names of decoders.
const NAMES: [&str; 5] = [
    "W_dec",
    "w_dec",
    "decoder.weight",
    "decoder_linear.weight",
    "W_D",
];

/// The directions of a model's features, \[F, D\]. They stay in the model's file, or in the caller's memory,
/// and are read when they are asked for. It is a handle.
#[derive(Debug, Clone)]
pub struct Decoder(Arc<Directions>);

#[derive(Debug)]
struct Directions {
    rows: TensorRows,
    source: Source,
}

impl Decoder {
    /// The decoder of a model; `None` of weights without one of the encoder's sizes, or with one of numbers
    /// that are not read.
    pub(super) fn of(weights: &Weights, sae: &Sae) -> Option<Self> {
        let (features, dim) = (sae.feature_dim(), sae.input_dim());
        NAMES.iter().find_map(|name| {
            let shape = weights.shape(name);
            let is_upright = shape == Some(&[features, dim]);
            let is_lying = shape == Some(&[dim, features]);
            // The weight of a layer has a column for each feature, which a square one does not show.
            let has_columns = is_lying && (!is_upright || name.ends_with(".weight"));
            let rows = (is_upright || is_lying).then(|| weights.rows(name, has_columns));
            let source = weights.source.clone();
            let rows = rows?.ok()?;
            Some(Self(Arc::new(Directions { rows, source })))
        })
    }

    /// The directions, unless their file has changed since the model was read.
    pub(crate) fn rows(&self) -> Option<&dyn Rows> {
        self.0.source.check_unchanged().ok()?;
        Some(&self.0.rows)
    }
}

/// An error for a decoder of other sizes than the encoder's: \[F, D\] or \[D, F\]. A transcoder's has
/// another length of vectors, and F features.
pub(super) fn check_sizes(of: &Candidate<'_>, encoder: &Encoder) -> Result<()> {
    let weights = of.weights;
    let (features, dim) = (encoder.features, encoder.input_dim);
    let is_transcoder = weights.has(&["W_skip"])
        || weights.has(&["b_dec_out"])
        || of.config.is_some_and(|config| {
            let kind = config.get("architecture").and_then(|kind| kind.as_str());
            kind.is_some_and(|kind| kind.contains("transcoder"))
                || config.has("d_out")
                || config.get("transcode").and_then(serde_json::Value::as_bool) == Some(true)
        });
    for name in NAMES {
        let Some(&[rows, columns]) = weights.shape(name) else {
            continue;
        };
        let fits = if is_transcoder {
            rows == features || columns == features
        } else {
            [rows, columns] == [features, dim] || [rows, columns] == [dim, features]
        };
        if !fits {
            let expected = format!("{features} features of {dim} numbers, as the encoder has");
            return Err(weights.bad(name, shape_text(&[rows, columns]), expected, OTHER_MODEL));
        }
    }
    Ok(())
}
