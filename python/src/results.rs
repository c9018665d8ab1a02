//! The results of an analysis.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;

use atomscope::analysis::outputs::{table_named, tables_of};
use atomscope::report::html::{Genome, Settings};
use atomscope::report::table::{Column, Table as LibraryTable, Values};
use atomscope::report::{calls as report_calls, text};
use atomscope::stats::calls::Pick;
use atomscope::stats::notebook::BiasTable;
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;

use crate::calls::Calls;
use crate::errors::{InternalError, bad, warning};
use crate::firings::Firings;
use crate::run::run;
use crate::table::Table;
use crate::tallies::Tally;

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
        run(py, None, None, |_| Ok(self.names().clone()))
    }

    /// A table by its name.
    fn table(&self, py: Python<'_>, name: &str) -> PyResult<Table> {
        let notebook = &self.found.tables.notebook;
        let found = run(py, None, None, |_| {
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
        let found = found.ok_or_else(|| {
            let all = self.names().join(", ");
            PyKeyError::new_err(format!(
                "{name}: no table of this analysis; there are {all}"
            ))
        })?;
        Ok(Table::new(found))
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
        let found = run(py, None, None, |control| {
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
        let found = run(py, None, None, |control| {
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

    /// The printed report.
    fn report(&self) -> String {
        self.found.tables.report().to_string()
    }

    /// What the report begins with.
    fn short(&self) -> String {
        text::Short(&self.found.tables.summary).to_string()
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
        run(py, None, None, |_| Ok(Firings::of(&self.found.counted)))?
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
        let calls = run(py, None, None, |_| Ok(firings.calls()?.into_owned()))?;
        Ok(Calls::new(calls))
    }

    fn tally(&self) -> Tally {
        Tally {
            counted: self.found.counted.clone(),
        }
    }

    /// Writes every file into a folder.
    #[pyo3(signature = (folder, save_fires))]
    fn write(&self, py: Python<'_>, folder: PathBuf, save_fires: bool) -> PyResult<()> {
        run(py, None, None, |control| {
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
        const GENOMES: [Genome; 3] = [Genome::Hg38, Genome::Hg19, Genome::Chm13];
        let known = |name: &str| {
            let found = GENOMES.into_iter().find(|genome| genome.as_str() == name);
            let expected = GENOMES.map(Genome::as_str).join(", ");
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
        run(py, None, None, |control| {
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

/// The notebook's table of atoms, in its file's columns.
fn bias_table(bias: &BiasTable) -> LibraryTable {
    let all = &bias.atoms;
    let count = |get: fn(&atomscope::stats::notebook::AtomBias) -> u64| {
        Values::U64(all.iter().map(get).collect())
    };
    let number = |get: fn(&atomscope::stats::notebook::AtomBias) -> f64| {
        Values::F64(all.iter().map(get).collect())
    };
    let columns = [
        (
            "atom",
            "The atom.",
            Values::U32(all.iter().map(|atom| atom.atom).collect()),
        ),
        (
            "TP_on",
            "True calls on which it fires.",
            count(|atom| atom.tp_on),
        ),
        (
            "FP_on",
            "False calls on which it fires.",
            count(|atom| atom.fp_on),
        ),
        (
            "TP_off",
            "True calls on which it does not.",
            count(|atom| atom.tp_off),
        ),
        (
            "FP_off",
            "False calls on which it does not.",
            count(|atom| atom.fp_off),
        ),
        (
            "odds",
            "TP_on FP_off / max(1, FP_on TP_off), as the notebook computes it.",
            number(|atom| atom.odds),
        ),
        (
            "support",
            "Calls on which it fires.",
            count(|atom| atom.support),
        ),
        ("p", "Chi-square without correction.", number(|atom| atom.p)),
        (
            "fdr_corrected",
            "p adjusted by Benjamini and Hochberg.",
            number(|atom| atom.fdr_corrected),
        ),
        (
            "significant",
            "fdr_corrected below 0.05.",
            Values::Bool(all.iter().map(|atom| Some(atom.significant)).collect()),
        ),
    ];
    LibraryTable {
        name: "sae_feature_bias_analysis",
        about: "One row is an atom of the notebook's table.",
        columns: columns
            .map(|(name, about, values)| Column::new(name, about, values))
            .into(),
    }
}

/// The notebook's pairs of the most biased atoms.
fn coactivation_table(notebook: &atomscope::stats::notebook::NotebookTables) -> LibraryTable {
    let all = &notebook.coactivation.all;
    let columns = [
        (
            "atom_a",
            "One atom.",
            Values::U32(all.iter().map(|pair| pair.atom_a).collect()),
        ),
        (
            "atom_b",
            "The other.",
            Values::U32(all.iter().map(|pair| pair.atom_b).collect()),
        ),
        (
            "count",
            "Calls on which both fire.",
            Values::U64(all.iter().map(|pair| pair.count).collect()),
        ),
        (
            "support_a",
            "Calls on which the one fires.",
            Values::U64(all.iter().map(|pair| pair.support_a).collect()),
        ),
        (
            "support_b",
            "Calls on which the other does.",
            Values::U64(all.iter().map(|pair| pair.support_b).collect()),
        ),
    ];
    LibraryTable {
        name: "coactivation",
        about: "One row is two of the atoms with the ten highest and the ten lowest odds.",
        columns: columns
            .map(|(name, about, values)| Column::new(name, about, values))
            .into(),
    }
}
