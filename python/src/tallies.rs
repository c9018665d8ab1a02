//! Counts from Python: tallies, which merge.

use std::path::PathBuf;
use std::sync::Arc;

use atomscope::analysis::shards::CohortFirings;
use atomscope::analysis::{Counted, TallyFiles};
use atomscope::store::{Maker, write_tally};
use atomscope::write::inputs::Inputs;
use pyo3::prelude::*;

use crate::firings::Firings;
use crate::run::run_borrowed;

/// Counts of a cohort, or of a part of one.
#[pyclass(frozen, module = "atomscope._core")]
pub(crate) struct Tally {
    pub(crate) counted: Arc<Counted>,
    /// The files that were read for it, which are never replaced.
    pub(crate) inputs: Inputs,
}

impl Tally {
    pub(crate) fn new(counted: Counted, inputs: Inputs) -> Self {
        Self {
            counted: Arc::new(counted),
            inputs,
        }
    }
}

#[pymethods]
impl Tally {
    /// Writes the tally and, where a path is given, its firing sets.
    #[pyo3(signature = (tally, fires, force))]
    fn save(
        &self,
        py: Python<'_>,
        tally: PathBuf,
        fires: Option<PathBuf>,
        force: bool,
    ) -> PyResult<()> {
        run_borrowed(py, |_| {
            let scores = self
                .counted
                .firings
                .as_ref()
                .is_some_and(CohortFirings::has_scores);
            let files = TallyFiles {
                tally,
                fires,
                scores,
                force,
            };
            let _lock = files.open(&self.inputs)?;
            if self.counted.run.is_none() {
                return write_tally(&files.tally, &self.counted.cohort, Maker::Merge)?.publish();
            }
            self.counted
                .write_tally(&files.tally, files.fires.as_deref(), scores)
        })
    }

    /// Calls, dropped ones counted.
    fn __len__(&self) -> usize {
        self.counted.cohort.shards.rows() as usize
    }

    /// The names of its shards, with their first row and the last one left out.
    #[getter]
    fn shards(&self) -> Vec<(String, u64, u64)> {
        let shards = self.counted.cohort.shards.iter();
        let each = shards.map(|shard| (shard.name.clone(), shard.rows.start, shard.rows.end));
        each.collect()
    }

    #[getter]
    fn d_sae(&self) -> usize {
        self.counted.cohort.tally.feature_dim()
    }

    /// True if it has firing sets, and not counts alone.
    #[getter]
    fn has_fires(&self) -> bool {
        self.counted.firings.is_some()
    }

    /// The firing sets, where they were kept.
    fn firings(&self, py: Python<'_>) -> PyResult<Firings> {
        run_borrowed(py, |_| Ok(Firings::of(&self.counted)))?
    }
}
