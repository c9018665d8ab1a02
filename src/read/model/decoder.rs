//! The decoder, of which encoding needs the norms alone, and its sizes.

use std::path::Path;

use rayon::prelude::*;

use super::candidate::Candidate;
use super::encoder::Encoder;
use super::weights::{OTHER_MODEL, Weights};
use crate::error::Result;
use crate::read::source::Stamp;
use crate::read::tensor::shape_text;
use crate::rows::Rows;

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

/// Directions of features, \[F, D\], and the stamp of the file that they are read from.
pub(crate) type Directions = (Box<dyn Rows>, Option<Stamp>);

/// The directions of features in a model's file, read when they are asked for: \[F, D\], as the encoder
/// has these sizes; and the stamp of the file. `None` of a file without a decoder of these sizes.
///
/// # Errors
/// A file that cannot be read; numbers of a type that is not read.
pub(crate) fn decoder_rows(path: &Path, [features, dim]: [usize; 2]) -> Result<Option<Directions>> {
    let Some(weights) = Weights::open(path)? else {
        return Ok(None);
    };
    for name in NAMES {
        let shape = weights.shape(name);
        let is_upright = shape == Some(&[features, dim]);
        let is_lying = shape == Some(&[dim, features]);
        if is_upright || is_lying {
            // The weight of a layer has a column for each feature, which a square one does not show.
            let has_columns = is_lying && (!is_upright || name.ends_with(".weight"));
            let rows = weights.rows(name, has_columns)?;
            return Ok(Some((Box::new(rows), weights.source.stamp())));
        }
    }
    Ok(None)
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
