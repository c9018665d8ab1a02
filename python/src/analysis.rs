//! Runs: an analysis, a tally, activations alone.

use std::path::PathBuf;
use std::sync::Arc;

use atomscope::Analysis;
use atomscope::analysis::{self, Counted, firing_files, shards};
use atomscope::error::Choice;
use pyo3::prelude::*;

use crate::calls::Calls;
use crate::errors::OrRaise;
use crate::firings::Firings;
use crate::model::Sae;
use crate::options::{Inputs, Options, Parsed};
use crate::results::Results;
use crate::rows::Rows;
use crate::run::run;
use crate::tallies::Tally;

/// Options of which the device is the one that the rows lie on.
fn beside(rows: &Rows, options: Options) -> PyResult<Parsed> {
    let mut options = options.parsed()?;
    options.device = rows.device(options.device)?;
    Ok(options)
}

/// Analyzes rows that are at hand.
#[pyfunction]
#[pyo3(signature = (rows, sae, calls, options, progress))]
pub(crate) fn analyze_memory(
    py: Python<'_>,
    rows: &Rows,
    sae: &Sae,
    calls: &Calls,
    options: Options,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Results> {
    let inputs = Inputs::Memory {
        rows: rows.rows.clone(),
        sae: sae.sae.clone(),
        decoder: sae.decoder.clone(),
        calls: calls.calls.clone(),
    };
    beside(rows, options)?.run(py, inputs, progress)
}

/// Analyzes files, shard by shard.
#[pyfunction]
#[pyo3(signature = (paths, metadata, sae, options, progress))]
pub(crate) fn analyze_files(
    py: Python<'_>,
    paths: Vec<PathBuf>,
    metadata: Vec<PathBuf>,
    sae: &Sae,
    options: Options,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Results> {
    let model = sae.path.clone().unwrap_or_default();
    let analysis = Analysis::of_files(paths, model)
        .metadata(metadata)
        .model_answers(sae.answers.clone());
    options.parsed()?.run(py, Inputs::kept(analysis), progress)
}

/// Analyzes activations that were computed elsewhere.
#[pyfunction]
#[pyo3(signature = (paths, metadata, atoms, options, progress))]
pub(crate) fn analyze_activations(
    py: Python<'_>,
    paths: Vec<PathBuf>,
    metadata: Vec<PathBuf>,
    atoms: Option<u64>,
    options: Options,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Results> {
    let mut analysis = Analysis::of_activations(paths).metadata(metadata);
    if let Some(atoms) = atoms {
        analysis = analysis.atoms(atoms);
    }
    options.parsed()?.run(py, Inputs::kept(analysis), progress)
}

/// Makes the tables of what was counted before. The model, where it is given, must be the one that was
/// counted by.
#[pyfunction]
#[pyo3(signature = (tally, sae, options, progress))]
pub(crate) fn analyze_tally(
    py: Python<'_>,
    tally: &Tally,
    sae: Option<&Sae>,
    options: Options,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Results> {
    let parsed = options.parsed()?;
    let mut counted = tally.counted.clone();
    if let Some(sae) = sae {
        let mut known = (*counted).clone();
        let (path, answers) = (sae.path.clone(), sae.answers.clone());
        let (sae, decoder) = (sae.sae.clone(), sae.decoder.clone());
        let known = run(py, parsed.threads(), None, move |control| {
            match path {
                Some(path) => known.take_model(&path, &answers, control)?,
                None => known.take_decoder(&sae, decoder)?,
            }
            Ok(known)
        })?;
        counted = Arc::new(known);
    }
    let inputs = Inputs::kept(Analysis::of_counted(counted));
    parsed.run(py, inputs, progress)
}

/// Counts rows that are at hand. With `name` the counts are those of a shard of that name.
#[pyfunction]
#[pyo3(signature = (rows, sae, calls, name, options, progress))]
pub(crate) fn tally(
    py: Python<'_>,
    rows: &Rows,
    sae: &Sae,
    calls: &Calls,
    name: String,
    options: Options,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Tally> {
    let threads = options.threads;
    let counting = beside(rows, options)?.counting();
    let (sae, decoder) = (sae.sae.clone(), sae.decoder.clone());
    let (rows, calls) = (rows.rows.clone(), calls.calls.clone());
    let counted = run(py, threads, progress, move |control| {
        let mut counted = Counted::of_rows(&sae, &*rows, &calls, &counting, control)?;
        counted.decoder = decoder;
        counted.as_shard(&name, &*rows, control)
    })?;
    Ok(Tally::new(counted))
}

/// Finds the atoms that fire on each row, and their activations.
#[pyfunction]
#[pyo3(signature = (rows, sae, options, progress))]
pub(crate) fn encode(
    py: Python<'_>,
    rows: &Rows,
    sae: &Sae,
    options: Options,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Firings> {
    let threads = options.threads;
    let counting = beside(rows, options)?.counting();
    let (rows, sae) = (rows.rows.clone(), sae.sae.clone());
    // Made here: what the worker's thread allocates is not given back to other threads.
    let calls = Calls::unknown_of(rows.count());
    let counted = run(py, threads, progress, move |control| {
        Counted::of_rows(&sae, &*rows, &calls, &counting, control)
    })?;
    Firings::of(&Arc::new(counted))
}

/// Merges tallies in files, and finds their firing sets in `fires`, or beside the tallies.
#[pyfunction]
#[pyo3(signature = (tallies, fires, progress))]
pub(crate) fn merge(
    py: Python<'_>,
    tallies: Vec<PathBuf>,
    fires: Vec<PathBuf>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Tally> {
    let counted = run(py, None, progress, move |control| {
        let paths = shards::expand(Choice::Tallies, &tallies)?;
        let cohort = analysis::merge(&paths, control)?;
        let mut files = Vec::new();
        for path in &paths {
            files.extend(firing_files(path, &fires)?);
        }
        files.sort();
        files.dedup();
        let is_named = !fires.is_empty();
        let firings = shards::CohortFirings::of_files(files, &cohort, is_named, control)?;
        Ok(Counted {
            cohort,
            firings,
            run: None,
            model_file: None,
            decoder: None,
            warnings: Vec::new(),
        })
    })?;
    Ok(Tally::new(counted))
}

/// Expands patterns of paths in the order in which people count.
#[pyfunction]
pub(crate) fn expand(paths: Vec<PathBuf>) -> PyResult<Vec<PathBuf>> {
    shards::expand(Choice::Embeddings, &paths).or_raise()
}
