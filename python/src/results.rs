//! The results of an analysis.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;

use atomscope::analysis::outputs::{table_named, tables_of};
use atomscope::report::html::{Genome, Settings};
use atomscope::report::{calls as report_calls, text};
use atomscope::stats::calls::Pick;
use pyo3::prelude::*;

use crate::calls::Calls;
use crate::errors::{InternalError, bad, warning};
use crate::firings::Firings;
use crate::notebook::{bias_table, coactivation_table};
use crate::run::run_borrowed;
use crate::table::Table;
use crate::tallies::Tally;
use crate::words::spoken;

/// Everything that an analysis found.
#[pyclass(frozen, module = "atomscope._core")]
pub(crate) struct Results {
    found: atomscope::Results<'static>,
    /// The names of the tables, once they were asked for.
    names: OnceLock<Vec<&'static str>>,
}

impl Results {
    pub(crate) fn new(found: atomscope::Results<'static>) -> Self {
        Self {
            found,
            names: OnceLock::new(),
        }
    }
}

fn json<T: serde::Serialize>(value: &T) -> PyResult<String> {
    let text = serde_json::to_string(value);
    text.map_err(|error| InternalError::new_err(error.to_string()))
}

#[pymethods]
impl Results {
    /// The names of the tables that there are.
    fn table_names(&self, py: Python<'_>) -> PyResult<Vec<&'static str>> {
        run_borrowed(py, |_| Ok(self.names().clone()))
    }

    /// A table by its name; None where there is none.
    fn table(&self, py: Python<'_>, name: &str) -> PyResult<Option<Table>> {
        let notebook = &self.found.tables.notebook;
        let found = run_borrowed(py, |_| {
            Ok(match name {
                "notebook" => Some(bias_table(&notebook.bias)),
                "coactivation" if notebook.has_firings => Some(coactivation_table(notebook)),
                _ => self
                    .found
                    .tables
                    .extended
                    .as_ref()
                    .and_then(|all| table_named(all, name)),
            })
        })?;
        Ok(found.map(Table::new))
    }

    /// The calls on which an atom fires: all, or `count` of them, strongest first.
    #[pyo3(signature = (atom, count, seed))]
    fn calls_of(
        &self,
        py: Python<'_>,
        atom: u32,
        count: Option<usize>,
        seed: Option<u64>,
    ) -> PyResult<Table> {
        let pick = match (count, seed) {
            (None, _) => Pick::All,
            (Some(count), None) => Pick::Top(count),
            (Some(count), Some(seed)) => Pick::Random { count, seed },
        };
        self.check_atom(atom)?;
        let found = run_borrowed(py, |control| {
            let found = self.found.counted.calls_of(&[atom], pick, control)?;
            Ok(found
                .first()
                .map(|calls| report_calls::table(calls, 0..calls.listed.len())))
        })?;
        found
            .map(Table::new)
            .ok_or_else(|| bad("atom", &atom.to_string(), "an atom"))
    }

    /// What the notebook prints of an atom.
    fn detail(&self, py: Python<'_>, atom: u32) -> PyResult<String> {
        self.check_atom(atom)?;
        let min_support = self.found.tables.options.notebook.min_support;
        let found = run_borrowed(py, |control| {
            self.found
                .counted
                .investigate(&[atom], min_support, control)
        })?;
        let texts = found.iter().map(|investigation| {
            text::Detail {
                investigation,
                min_support,
            }
            .to_string()
        });
        Ok(texts.collect())
    }

    /// The printed report, of which the program's names flags in place of arguments.
    fn report(&self) -> String {
        spoken(&self.found.tables.report().to_string())
    }

    /// What the report begins with.
    fn short(&self) -> String {
        spoken(&text::Short(&self.found.tables.summary).to_string())
    }

    /// Claims, strongest atoms and cautions, as JSON.
    fn summary(&self) -> PyResult<String> {
        json(&self.found.tables.summary)
    }

    /// The record of the run, as JSON.
    fn record(&self) -> PyResult<String> {
        json(&self.found.record())
    }

    fn warnings(&self) -> Vec<String> {
        let counted = self.found.counted.warnings.iter();
        counted
            .chain(&self.found.tables.warnings)
            .map(warning)
            .collect()
    }

    /// Calls that were counted, true ones, false ones.
    fn counts(&self) -> (u64, u64, u64) {
        use atomscope::cohort::Label;
        let tally = &self.found.counted.cohort.tally;
        let of = |label| tally.rows_where(|stratum| stratum.label == label);
        (tally.rows_where(|_| true), of(Label::Tp), of(Label::Fp))
    }

    #[getter]
    fn d_sae(&self) -> usize {
        self.found.counted.cohort.tally.feature_dim()
    }

    fn has_fires(&self) -> bool {
        self.found.counted.firings.is_some()
    }

    fn firings(&self, py: Python<'_>) -> PyResult<Firings> {
        run_borrowed(py, |_| Ok(Firings::of(&self.found.counted)))?
    }

    /// The calls, where they were kept with the firing sets.
    fn calls(&self, py: Python<'_>) -> PyResult<Calls> {
        let Some(firings) = &self.found.counted.firings else {
            return Err(bad(
                "calls",
                "counts alone",
                "an analysis that kept its calls",
            ));
        };
        let calls = run_borrowed(py, |_| Ok(firings.calls()?.into_owned()))?;
        Ok(Calls::new(calls))
    }

    fn tally(&self) -> Tally {
        Tally {
            counted: self.found.counted.clone(),
            inputs: self.found.inputs().clone(),
        }
    }

    /// Writes every file into a folder.
    #[pyo3(signature = (folder, save_fires))]
    fn write(&self, py: Python<'_>, folder: PathBuf, save_fires: bool) -> PyResult<()> {
        run_borrowed(py, |control| {
            self.found.write_under(&folder, save_fires, control)
        })
    }

    /// Writes the page as a file of its own.
    fn write_page(
        &self,
        py: Python<'_>,
        path: PathBuf,
        genome: Option<&str>,
        labels: BTreeMap<u32, String>,
    ) -> PyResult<()> {
        let known = |name: &str| {
            let found = Genome::ALL
                .into_iter()
                .find(|genome| genome.as_str() == name);
            let expected = Genome::ALL.map(Genome::as_str).join(", ");
            found.ok_or_else(|| {
                bad(
                    "genome",
                    &format!("{name:?}"),
                    &format!("{expected}, or None"),
                )
            })
        };
        let genome = genome.map(known).transpose()?;
        let settings = Settings { genome, labels };
        run_borrowed(py, |control| {
            self.found.write_page(&path, &settings, control)
        })
    }
}

impl Results {
    fn names(&self) -> &Vec<&'static str> {
        self.names.get_or_init(|| {
            let extended = self.found.tables.extended.as_ref();
            let tables = extended.map(tables_of).unwrap_or_default().into_iter();
            let names = tables.map(|table| table.name);
            let mut all: Vec<_> = names.filter(|name| *name != "call_atoms").collect();
            all.push("notebook");
            if self.found.tables.notebook.has_firings {
                all.push("coactivation");
            }
            all
        })
    }

    fn check_atom(&self, atom: u32) -> PyResult<()> {
        let most = self.d_sae();
        if (atom as usize) < most {
            return Ok(());
        }
        let expected = format!("a number below {most}, which is d_sae");
        Err(bad("atom", &atom.to_string(), &expected))
    }
}
