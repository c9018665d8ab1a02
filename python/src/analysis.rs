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
use crate::options::Options;
use crate::results::Results;
use crate::rows::Rows;
use crate::run::run;
use crate::tallies::Tally;

/// Analyzes rows that are at hand.
#[pyfunction]
#[pyo3(signature = (rows, sae, calls, options, progress))]
pub(crate) fn analyze_memory(
    py: Python<'_>,
    rows: &Rows,
    sae: &Sae,
    calls: &Calls,
    mut options: Options,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Results> {
    let device = rows.device(options.parsed()?.device)?;
    options.device = device.to_string();
    let analysis = Analysis::of(&sae.sae, &*rows.rows, &calls.calls);
    options.run(py, analysis, progress)
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
    options.run(py, analysis, progress)
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
    options.run(py, analysis, progress)
}

/// Makes the tables of what was counted before.
#[pyfunction]
#[pyo3(signature = (tally, options, progress))]
pub(crate) fn analyze_tally(
    py: Python<'_>,
    tally: &Tally,
    options: Options,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Results> {
    options.run(py, Analysis::of_counted(tally.counted.clone()), progress)
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
    let mut counting = options.count_options(true)?;
    counting.device = rows.device(counting.device)?;
    let counted = run(py, options.threads, progress, |control| {
        let counted = Counted::of_rows(&sae.sae, &*rows.rows, &calls.calls, &counting, control)?;
        counted.as_shard(&name, &*rows.rows, control)
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
    let mut counting = options.count_options(true)?;
    counting.device = rows.device(counting.device)?;
    let calls = Calls::unknown_of(rows.rows.count());
    let counted = run(py, options.threads, progress, |control| {
        Counted::of_rows(&sae.sae, &*rows.rows, &calls, &counting, control)
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
    let counted = run(py, None, progress, |control| {
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
