//! A simulated cohort as files that torch loads.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;
use std::{fs, io};

use rayon::prelude::*;

use super::calls::Draw;
use super::lens_files::{write_config, write_weights};
use super::pieces::cut;
use super::vcf::write_benchmark;
use super::{SimulateOptions, Simulator, Truth};
use crate::control::{Control, Progress, Stage};
use crate::error::{Error, Result};
use crate::outputs::{self, is_embeddings, piece_names};
pub use crate::outputs::{CALLS, CONFIG, EMBEDDINGS, MODEL, REGIONS, TRUTH, WEIGHTS};
use crate::sae::Sae;
use crate::write::inputs::Inputs;
use crate::write::pickle::Value;
use crate::write::set::{OutputSet, Place};
use crate::write::torch::{self, Element, Sink, Tensor};
use crate::write::whole::WholeFile;

/// The number of elements that are made, and written, at a time.
const BLOCK: usize = 1 << 22;
/// An upper bound of the bytes that one call takes in a pickle.
const CALL_BYTES: u64 = 128;

/// Simulates a cohort into the folder `out`, which is made if it does not exist: [`EMBEDDINGS`],
/// [`MODEL`] and [`TRUTH`]; for another activation than the notebook's [`CONFIG`] and [`WEIGHTS`]
/// instead of [`MODEL`]. Memory holds the SAE's weights and a block of rows, however many rows
/// there are. With [`SimulateOptions::vcf`] the files of [`BENCHMARK`](crate::outputs::BENCHMARK) come
/// with them, and memory holds 16 bytes more for each call.
///
/// `control` learns how many rows are written, and can cancel the work. No file appears before all
/// are written in full. Then the pieces that the [`TRUTH`] of an earlier cohort lists, and that
/// this one lacks, are removed. The new [`TRUTH`] lists the files that were written, with their
/// digests.
///
/// Fails with [`Error::Choice`](crate::error::Error::Choice) if an option is out of its range,
/// with [`Error::Io`](crate::error::Error::Io) if a file cannot be written, and with
/// [`Error::Input`](crate::error::Error::Input) if a user's file has the name of an output.
pub fn simulate(out: &Path, options: &SimulateOptions, control: &Control) -> Result<Truth> {
    simulate_pieces(out, options, 1, control)
}

/// Simulates the rows and calls of [`simulate`] into so many files instead of [`EMBEDDINGS`].
/// [`piece_names`] has their names. Rows are cut as evenly as possible, in order, the first pieces
/// a row longer. [`EMBEDDINGS`], and pieces of other numbers, of an earlier cohort in this folder
/// are removed.
///
/// # Errors
/// Fails as [`simulate`] does, and with [`Error::Choice`](crate::error::Error::Choice) if there
/// are no pieces, or more than rows.
pub fn simulate_pieces(
    out: &Path,
    options: &SimulateOptions,
    pieces: usize,
    control: &Control,
) -> Result<Truth> {
    simulate_to(place(out, options, pieces)?, options, pieces, control).map(|(truth, _)| truth)
}

/// Describes the folder that [`simulate_pieces`] writes to. A user's files in it are not replaced.
///
/// # Errors
/// Fails if options are out of their range, if the number of pieces makes no sense, or if the
/// folder cannot be read.
pub fn place(out: &Path, options: &SimulateOptions, pieces: usize) -> Result<Place> {
    options.check()?;
    cut(options.rows, pieces).map(drop)?;
    let mut names: BTreeSet<String> = outputs::SIMULATION.map(str::to_owned).into();
    names.insert(outputs::PLACING.to_owned());
    names.extend(outputs::BENCHMARK.map(str::to_owned));
    // A reader of all names that look like pieces would take those of an earlier cohort for parts
    // of the new one.
    names.extend(embeddings_in(out)?);
    names.extend(piece_names(pieces));
    Ok(Place {
        folder: out.to_owned(),
        names,
        record: TRUTH,
        inputs: Inputs::default(),
        force: false,
    })
}

fn embeddings_in(folder: &Path) -> Result<Vec<String>> {
    let reading = |e| Error::reading(folder, e);
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        // Making the folder later reports what it is instead.
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Ok(Vec::new()),
        entries => entries.map_err(reading)?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let name = entry.map_err(reading)?.file_name();
        found.extend(
            name.to_str()
                .filter(|name| is_embeddings(name))
                .map(str::to_owned),
        );
    }
    Ok(found)
}

/// Simulates as [`simulate_pieces`] does, to a [place] that says what may be replaced. Returns the
/// truth, and the names of a user's files that stay in the folder.
///
/// # Errors
/// Fails as [`simulate_pieces`] does.
pub fn simulate_to(
    place: Place,
    options: &SimulateOptions,
    pieces: usize,
    control: &Control,
) -> Result<(Truth, Vec<String>)> {
    options.check()?;
    let ranges = cut(options.rows, pieces)?;
    let names = piece_names(pieces);
    let mut files = OutputSet::new(place)?;
    let simulator = Simulator::new(options)?;
    let truth = simulator.truth();
    let control = &control.from(Progress {
        stage: Stage::Simulating,
        done: 0,
        total: options.rows as u64,
    });
    for (name, rows) in names.iter().zip(ranges) {
        let (path, dim) = (files.path(name), options.input_dim);
        files.add_whole(name, write_cohort(&path, &simulator, dim, rows, control)?)?;
    }
    if options.activation.is_notebooks() {
        let model = write_model(&files.path(MODEL), &simulator, options.k)?;
        files.add_whole(MODEL, model)?;
    } else {
        files.add_whole(WEIGHTS, write_weights(&files.path(WEIGHTS), &simulator)?)?;
        files.add_whole(CONFIG, write_config(&files.path(CONFIG), options)?)?;
    }
    if options.vcf {
        write_benchmark(&mut files, &simulator, control)?;
    }
    let done = files.seal(&truth)?.commit()?;
    Ok((truth, done.staying))
}

/// Writes some rows of the cohort to a file of their own.
fn write_cohort(
    path: &Path,
    simulator: &Simulator,
    dim: usize,
    rows: Range<usize>,
    control: &Control,
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
            control.check()?;
            control.report((first + count) as u64);
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

/// Returns a call as the dict that the notebook reads.
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

fn write_model(path: &Path, simulator: &Simulator, k: usize) -> Result<WholeFile> {
    let (sae, whitening) = (simulator.sae(), simulator.whitening());
    let (dim, features) = (sae.input_dim(), sae.feature_dim());
    let integer = |n: usize| Value::Int((n as u64).cast_signed());
    let package = Value::Dict(vec![
        (
            "config",
            Value::Dict(vec![
                ("input_dim", integer(dim)),
                ("feature_dim", integer(features)),
                ("k", integer(k)),
                ("μ", Value::Tensor(Tensor::new(&[dim], &whitening.mean))),
                ("σ", Value::Tensor(Tensor::new(&[dim], &whitening.std))),
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

/// Writes the decoder: the encoder's directions at unit norm, as columns.
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
