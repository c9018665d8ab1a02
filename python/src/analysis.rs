//! Runs: an analysis, a tally, activations alone.

use std::path::PathBuf;
use std::sync::Arc;

use atomscope::Analysis;
use atomscope::analysis::{self, Counted, firing_files, shards};
use atomscope::error::Choice;
use atomscope::read::{find_model, model_files, tables_beside};
use atomscope::write::inputs::Inputs;
use pyo3::prelude::*;

use crate::calls::Calls;
use crate::errors::OrRaise;
use crate::firings::Firings;
use crate::model::Sae;
use crate::options::{Analyzed, Options, Parsed};
use crate::results::Results;
use crate::rows::Rows;
use crate::run::run;
use crate::tallies::Tally;

/// Options of which the device is the one that the rows lie on, and the strata are those of the calls' levels.
fn beside(rows: &Rows, calls: &Calls, options: Options) -> PyResult<Parsed> {
    let mut options = options.parsed()?;
    options.device = rows.device(options.device)?;
    if let Some(strata) = &calls.strata {
        options.strata = Some(strata.clone());
    }
    Ok(options)
}

/// Files that were read, and those of embeddings beside which a table of calls may have been found.
#[derive(FromPyObject)]
pub(crate) struct Read(Vec<PathBuf>, Vec<PathBuf>);

impl Read {
    /// All of them, with the files of the model.
    fn with_model(self, sae: &Sae) -> Inputs {
        let mut inputs = Inputs::of(self.0);
        if let Some(path) = &sae.path {
            inputs.add([path.clone()]);
            inputs.add(model_files(path));
            inputs.add(find_model(path, &sae.answers).ok());
        }
        for embeddings in self.1 {
            inputs.add_possible(tables_beside(&embeddings));
        }
        inputs
    }
}

/// Analyzes rows that are at hand.
#[pyfunction]
#[pyo3(signature = (rows, sae, calls, files, options, progress))]
pub(crate) fn analyze_memory(
    py: Python<'_>,
    rows: &Rows,
    sae: &Sae,
    calls: &Calls,
    files: Read,
    options: Options,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Results> {
    let files = files.with_model(sae);
    let inputs = Analyzed::Memory {
        rows: rows.rows.clone(),
        sae: sae.sae.clone(),
        decoder: sae.decoder.clone(),
        calls: calls.calls.clone(),
    };
    let found = beside(rows, calls, options)?.run(py, inputs, &files, progress);
    rows.explained(py, found)
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
    let inputs = Analyzed::kept(analysis);
    options
        .parsed()?
        .run(py, inputs, &Inputs::default(), progress)
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
    let inputs = Analyzed::kept(analysis);
    options
        .parsed()?
        .run(py, inputs, &Inputs::default(), progress)
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
        let known = run(py, parsed.threads(), progress, move |control| {
            match path {
                Some(path) => known.take_model(&path, &answers, control)?,
                None => known.take_decoder(&sae, decoder)?,
            }
            Ok(known)
        })?;
        counted = Arc::new(known);
    }
    let inputs = Analyzed::kept(Analysis::of_counted(counted));
    parsed.run(py, inputs, &tally.inputs, progress)
}

/// Counts rows that are at hand. With `name` the counts are those of a shard of that name.
#[pyfunction]
#[pyo3(signature = (rows, sae, calls, files, name, options, progress))]
#[allow(clippy::too_many_arguments)]
pub(crate) fn tally(
    py: Python<'_>,
    rows: &Rows,
    sae: &Sae,
    calls: &Calls,
    files: Read,
    name: String,
    options: Options,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Tally> {
    let threads = options.threads;
    let counting = beside(rows, calls, options)?.counting();
    let files = files.with_model(sae);
    let (sae, decoder) = (sae.sae.clone(), sae.decoder.clone());
    let (shared, calls) = (rows.rows.clone(), calls.calls.clone());
    let counted = run(py, threads, progress, move |control| {
        let mut counted = Counted::of_rows(&sae, &*shared, &calls, &counting, control)?;
        counted.decoder = decoder;
        counted.as_shard(&name, &*shared, control)
    });
    Ok(Tally::new(rows.explained(py, counted)?, files))
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
    let (shared, sae) = (rows.rows.clone(), sae.sae.clone());
    // Made here: what the worker's thread allocates is not given back to other threads.
    let calls = Calls::new(Calls::unknown_of(shared.count()));
    let counting = beside(rows, &calls, options)?.counting();
    let counted = run(py, threads, progress, move |control| {
        Counted::of_rows(&sae, &*shared, &calls.calls, &counting, control)
    });
    Firings::of(&Arc::new(rows.explained(py, counted)?))
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
    let (counted, inputs) = run(py, None, progress, move |control| {
        let paths = shards::expand(Choice::Tallies, &tallies)?;
        let cohort = analysis::merge(&paths, control)?;
        let mut files = Vec::new();
        for path in &paths {
            files.extend(firing_files(path, &fires)?);
        }
        files.sort();
        files.dedup();
        let is_named = !fires.is_empty();
        let inputs = Inputs::of(paths.iter().chain(&files).cloned());
        let firings = shards::CohortFirings::of_files(files, &cohort, is_named, control)?;
        let counted = Counted {
            cohort,
            firings,
            run: None,
            model_file: None,
            decoder: None,
            warnings: Vec::new(),
        };
        Ok((counted, inputs))
    })?;
    Ok(Tally::new(counted, inputs))
}

/// Expands patterns of paths in the order in which people count.
#[pyfunction]
pub(crate) fn expand(paths: Vec<PathBuf>) -> PyResult<Vec<PathBuf>> {
    shards::expand(Choice::Embeddings, &paths).or_raise()
}
