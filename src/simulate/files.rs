//! A simulated cohort as files that torch loads.

use std::ops::Range;
use std::path::Path;

use rayon::prelude::*;

use super::calls::Draw;
use super::pieces::{cut, left_over, piece_names};
use super::{SimulateOptions, Simulator, Truth};
use crate::error::Result;
use crate::sae::Sae;
use crate::write::pickle::Value;
use crate::write::set::OutputSet;
use crate::write::torch::{self, Element, Sink, Tensor};
use crate::write::whole::WholeFile;

/// The file with the embeddings and the calls.
pub const EMBEDDINGS: &str = "embeddings.pt";
/// The file with the SAE.
pub const MODEL: &str = "sae.pt";
/// The file with what is planted.
pub const TRUTH: &str = "truth.json";

/// Numbers that are made, and written, at a time.
const BLOCK: usize = 1 << 22;
/// A bound of the bytes that one call takes in a pickle.
const CALL_BYTES: u64 = 128;

/// Simulates a cohort into the folder `out`, which is made where it does not exist:
/// [`EMBEDDINGS`], [`MODEL`] and [`TRUTH`]. Memory is that of the SAE's weights and a block of
/// rows, however many rows there are.
///
/// `progress` is told how many rows are written, now and then; an error of its stops the work.
/// No file appears before all are written in full, and those of an earlier cohort in more pieces
/// are then removed.
///
/// # Errors
/// [`Error::Argument`](crate::error::Error::Argument) where an option is out of its range,
/// [`Error::Io`](crate::error::Error::Io) where a file cannot be written.
pub fn simulate(
    out: &Path,
    options: &SimulateOptions,
    progress: &dyn Fn(u64) -> Result<()>,
) -> Result<Truth> {
    simulate_pieces(out, options, 1, progress)
}

/// The same as [`simulate`], the same rows and calls, in so many files instead of
/// [`EMBEDDINGS`]: [`piece_names`] has their names. Rows are cut as evenly as can be, in order,
/// the first pieces a row longer. [`EMBEDDINGS`], and pieces of other numbers, of an earlier
/// cohort in this folder are removed.
///
/// # Errors
/// As [`simulate`], and [`Error::Argument`](crate::error::Error::Argument) where there are no
/// pieces, or more than rows.
pub fn simulate_pieces(
    out: &Path,
    options: &SimulateOptions,
    pieces: usize,
    progress: &dyn Fn(u64) -> Result<()>,
) -> Result<Truth> {
    options.check()?;
    let ranges = cut(options.rows, pieces)?;
    let names = piece_names(pieces);
    let simulator = Simulator::new(options)?;
    let truth = simulator.truth();
    let mut json = serde_json::to_string_pretty(&truth).unwrap_or_default();
    json.push('\n');
    let mut files = OutputSet::new(out)?;
    for (name, rows) in names.iter().zip(ranges) {
        let dim = options.input_dim;
        files.add_whole(write_cohort(
            &files.path(name),
            &simulator,
            dim,
            rows,
            progress,
        )?)?;
    }
    files.add_whole(write_model(&files.path(MODEL), simulator.sae())?)?;
    files.add(TRUTH, |out| out.write_all(json.as_bytes()))?;
    for name in left_over(out, &names)? {
        files.remove(&name);
    }
    files.commit()?;
    Ok(truth)
}

/// Some rows of the cohort, as a file of its own.
fn write_cohort(
    path: &Path,
    simulator: &Simulator,
    dim: usize,
    rows: Range<usize>,
    progress: &dyn Fn(u64) -> Result<()>,
) -> Result<WholeFile> {
    let (start, end, count) = (rows.start, rows.end, rows.len());
    let embeddings = Tensor::streamed(Element::F32, &[count, dim], move |sink| {
        let block = (BLOCK / dim).clamp(1, count);
        let mut numbers = vec![0.0; block * dim];
        for first in rows.step_by(block) {
            let count = block.min(end - first);
            let numbers = &mut numbers[..count * dim];
            simulator.embeddings(first, numbers);
            sink.numbers(numbers)?;
            progress((first + count) as u64)?;
        }
        Ok(())
    });
    let call = move |i| sv_info(simulator.draw(start as u64 + i));
    let package = Value::Dict(vec![
        ("embeddings", Value::Tensor(embeddings)),
        ("sv_info", Value::List(count as u64, Box::new(call))),
    ]);
    torch::save(path, package, (count as u64).saturating_mul(CALL_BYTES))
}

/// A call as the dict that the notebook reads.
fn sv_info<'a>(draw: Draw) -> Value<'a> {
    Value::Dict(vec![
        ("chrom", Value::name(draw.chrom)),
        ("pos", Value::Int(draw.pos)),
        ("svtype", Value::name(draw.svtype())),
        ("svlen", Value::Int(draw.svlen)),
        ("truvari_class", Value::name(draw.class)),
        ("dataset", Value::name(draw.dataset)),
        ("id", Value::text(draw.id)),
    ])
}

fn write_model(path: &Path, sae: &Sae) -> Result<WholeFile> {
    let (dim, features) = (sae.input_dim(), sae.feature_dim());
    let integer = |n: usize| Value::Int((n as u64).cast_signed());
    let package = Value::Dict(vec![
        (
            "config",
            Value::Dict(vec![
                ("input_dim", integer(dim)),
                ("feature_dim", integer(features)),
                ("k", integer(sae.k())),
                ("μ", Value::Tensor(Tensor::new(&[dim], sae.mean()))),
                ("σ", Value::Tensor(Tensor::new(&[dim], sae.std()))),
            ]),
        ),
        (
            "model_state_dict",
            Value::OrderedDict(vec![
                (
                    "encoder.weight",
                    Value::Tensor(Tensor::new(&[features, dim], sae.weight())),
                ),
                (
                    "encoder.bias",
                    Value::Tensor(Tensor::new(&[features], sae.bias())),
                ),
                (
                    "decoder.weight",
                    Value::Tensor(Tensor::streamed(Element::F32, &[dim, features], |sink| {
                        write_decoder(sae, sink)
                    })),
                ),
            ]),
        ),
    ]);
    torch::save(path, package, 0)
}

/// The decoder: the encoder's directions at unit norm, as columns.
fn write_decoder(sae: &Sae, sink: &mut Sink<'_>) -> Result<()> {
    let (dim, features) = (sae.input_dim(), sae.feature_dim());
    let scales: Vec<f32> = sae
        .weight()
        .par_chunks_exact(dim)
        .map(|weight| {
            1.0 / weight
                .iter()
                .map(|x| x * x)
                .sum::<f32>()
                .sqrt()
                .max(f32::MIN_POSITIVE)
        })
        .collect();
    let block = (BLOCK / features).clamp(1, dim);
    let mut numbers = vec![0.0; block * features];
    for first in (0..dim).step_by(block) {
        let count = block.min(dim - first);
        let numbers = &mut numbers[..count * features];
        numbers
            .par_chunks_exact_mut(features)
            .enumerate()
            .for_each(|(i, row)| {
                let column = sae.weight()[first + i..].iter().step_by(dim);
                for ((to, weight), scale) in row.iter_mut().zip(column).zip(&scales) {
                    *to = weight * scale;
                }
            });
        sink.numbers(numbers)?;
    }
    Ok(())
}
