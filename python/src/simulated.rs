//! Simulated cohorts, whose truth is known.

use atomscope::simulate::{SimulateOptions, simulate_in_memory};
use pyo3::prelude::*;

use crate::calls::Calls;
use crate::errors::InternalError;
use crate::model::Sae;
use crate::numbers::Numbers;
use crate::run::run;

/// Simulates embeddings, a model, calls, and the truth as JSON.
#[pyfunction]
#[pyo3(signature = (rows, d_in, d_sae, k, seed, confounded))]
pub(crate) fn simulate(
    py: Python<'_>,
    rows: usize,
    d_in: usize,
    d_sae: usize,
    k: usize,
    seed: u64,
    confounded: bool,
) -> PyResult<(Numbers, Sae, Calls, String)> {
    let options = SimulateOptions {
        confounded,
        ..SimulateOptions::new(rows, d_in, d_sae, k, seed)
    };
    let made = run(py, None, None, move |_| simulate_in_memory(&options))?;
    let truth = serde_json::to_string(&made.truth);
    let truth = truth.map_err(|error| InternalError::new_err(error.to_string()))?;
    let embeddings = Numbers::shaped(made.embeddings, "<f4", vec![rows, d_in]);
    Ok((
        embeddings,
        Sae::simulated(made.sae),
        Calls::new(made.calls),
        truth,
    ))
}
