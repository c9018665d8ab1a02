//! Calls from Python: lists of dicts, columns, Arrow tables, files.

use std::path::PathBuf;
use std::sync::Arc;

use atomscope::analysis::shards::{add_levels, no_column};
use atomscope::cohort::{ClassRule, Label, Number};
use atomscope::read::{
    CallTable, ReadCalls, read_call_file, read_call_table, read_cohort_choosing,
};
use atomscope::report::table::{Column, Table, Values};
use atomscope::tally::{CallProperty, PropertyKind, StratifyBy};
use atomscope::{Call, Calls as LibraryCalls};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::arrow::batches_of;
use crate::arrow_calls::Batches;
use crate::call_tables::{Columns, Dicts};
use crate::errors::OrRaise;
use crate::options::{self, strata_of};
use crate::run::{guard, run};
use crate::table;

/// The calls of a cohort, in the order of the embeddings' rows.
#[pyclass(frozen, module = "atomscope._core")]
pub(crate) struct Calls {
    pub(crate) calls: Arc<LibraryCalls>,
    /// True if there is a column of classes.
    #[pyo3(get)]
    has_classes: bool,
    /// Sentences on what is odd about the calls.
    #[pyo3(get)]
    warnings: Vec<String>,
    /// The scheme that they are stratified by, where they have levels of their own for it.
    pub(crate) strata: Option<StratifyBy>,
}

impl Calls {
    pub(crate) fn new(calls: LibraryCalls) -> Self {
        Self {
            calls: Arc::new(calls),
            has_classes: true,
            warnings: Vec::new(),
            strata: None,
        }
    }

    /// Calls of which nothing is known.
    pub(crate) fn unknown_of(rows: usize) -> LibraryCalls {
        (0..rows).map(|_| Call::default()).collect()
    }

    fn of(read: ReadCalls) -> Self {
        Self {
            calls: Arc::new(read.calls),
            has_classes: read.has_classes,
            warnings: read.warnings,
            strata: None,
        }
    }
}

/// The rule of which classes are true calls.
pub(crate) fn rule(class_column: Option<&str>, true_class: &[String]) -> ClassRule {
    ClassRule::new(class_column, true_class)
}

#[pymethods]
impl Calls {
    /// Reads columns: `column` gives the list of each that is needed, by its place among the names. None
    /// and NaN are missing values.
    #[staticmethod]
    #[pyo3(signature = (names, column, rows, class_column, true_class))]
    fn of_columns(
        py: Python<'_>,
        names: Vec<String>,
        column: Bound<'_, PyAny>,
        rows: usize,
        class_column: Option<&str>,
        true_class: Vec<String>,
    ) -> PyResult<Self> {
        let table = Columns {
            names,
            column,
            rows,
        };
        read(py, &table, &rule(class_column, &true_class))
    }

    /// Reads a list of dicts, as the notebook's sv_info. None is a value, as there.
    #[staticmethod]
    #[pyo3(signature = (calls, class_column, true_class))]
    fn of_dicts(
        py: Python<'_>,
        calls: &Bound<'_, PyList>,
        class_column: Option<&str>,
        true_class: Vec<String>,
    ) -> PyResult<Self> {
        let table = Dicts::new(calls)?;
        read(py, &table, &rule(class_column, &true_class))
    }

    /// Reads a table that has `__arrow_c_stream__`.
    #[staticmethod]
    #[pyo3(signature = (table, class_column, true_class))]
    fn of_arrow(
        py: Python<'_>,
        table: &Bound<'_, PyAny>,
        class_column: Option<&str>,
        true_class: Vec<String>,
    ) -> PyResult<Self> {
        let (batches, schema) = guard(|| batches_of(table, "calls"))?;
        let table = Batches { batches, schema };
        read(py, &table, &rule(class_column, &true_class))
    }

    /// Reads a file of calls, one for each of `rows` rows.
    #[staticmethod]
    #[pyo3(signature = (path, rows, embeddings, class_column, true_class))]
    fn of_file(
        py: Python<'_>,
        path: PathBuf,
        rows: usize,
        embeddings: String,
        class_column: Option<&str>,
        true_class: Vec<String>,
    ) -> PyResult<Self> {
        let rule = rule(class_column, &true_class);
        run(py, None, None, move |_| {
            read_call_file(&path, rows, &embeddings, &rule).map(Self::of)
        })
    }

    /// Reads the calls that are in files of embeddings, or beside them.
    #[staticmethod]
    #[pyo3(signature = (paths, metadata, choice, class_column, true_class))]
    fn of_cohort(
        py: Python<'_>,
        paths: Vec<PathBuf>,
        metadata: Vec<PathBuf>,
        choice: (Option<String>, Option<String>, Option<String>),
        class_column: Option<&str>,
        true_class: Vec<String>,
    ) -> PyResult<Self> {
        let rule = rule(class_column, &true_class);
        let choice = crate::rows::choice(choice.0, choice.1, choice.2.as_deref())?;
        run(py, None, None, move |_| {
            let mut all = LibraryCalls::default();
            let (mut has_classes, mut warnings) = (false, Vec::new());
            for (number, path) in paths.iter().enumerate() {
                let table = metadata.get(number).map(PathBuf::as_path);
                let cohort = read_cohort_choosing(path, table, &rule, &choice)?;
                (0..cohort.calls.len()).for_each(|row| all.push(&cohort.calls.get(row)));
                has_classes |= cohort.has_classes;
                warnings.extend(cohort.warnings);
            }
            all.rule = rule.clone();
            Ok(Self {
                calls: Arc::new(all),
                has_classes,
                warnings,
                strata: None,
            })
        })
    }

    /// The same calls, with levels for what they are stratified by: of columns, each with its name and its
    /// values as the classes of other calls, and of files of regions. `is_whole` if they are a whole cohort.
    fn with_levels(
        &self,
        py: Python<'_>,
        strata: &str,
        columns: Vec<(String, PyRef<'_, Self>)>,
        regions: Vec<PathBuf>,
        is_whole: bool,
    ) -> PyResult<Self> {
        let scheme = strata_of(strata)?;
        let columns: Vec<_> = columns
            .into_iter()
            .map(|(name, of)| (name, of.calls.clone()))
            .collect();
        let mut calls = LibraryCalls::clone(&self.calls);
        let (mut warnings, has_classes) = (self.warnings.clone(), self.has_classes);
        run(py, None, None, move |_| {
            let regions = options::regions(&regions)?;
            let values = |property: &CallProperty| {
                let name = property.column();
                let mut known = columns.iter();
                let found = known.find(|(column, _)| *column == name);
                let found = found.map(|(_, of)| of.truvari_class.clone());
                found.ok_or_else(|| no_column(property, "calls"))
            };
            let (regions, calls_named) = (regions.as_ref(), "calls");
            let (strata, missing) =
                add_levels(&mut calls, &scheme, regions, is_whole, calls_named, &values)?;
            warnings.extend(missing);
            Ok(Self {
                calls: Arc::new(calls),
                has_classes,
                warnings,
                strata: Some(strata),
            })
        })
    }

    fn __len__(&self) -> usize {
        self.calls.len()
    }

    /// The calls as a table.
    fn table(&self) -> table::Table {
        table::Table::new(calls_table(&self.calls))
    }

    /// True calls, and false ones.
    fn counts(&self) -> (usize, usize) {
        let tp = self
            .calls
            .labels()
            .filter(|label| *label == Label::Tp)
            .count();
        (tp, self.calls.len() - tp)
    }
}

/// The columns that have the values of what calls are stratified by.
#[pyfunction]
pub(crate) fn strata_columns(strata: &str) -> PyResult<Vec<String>> {
    let scheme = strata_of(strata)?;
    let of_column = |property: &&CallProperty| property.kind != PropertyKind::Region;
    let properties = scheme.properties.iter().filter(of_column);
    Ok(properties.map(CallProperty::column).collect())
}

fn read(py: Python<'_>, table: &dyn CallTable, rule: &ClassRule) -> PyResult<Calls> {
    let read = guard(|| read_call_table(table, rule).map(Calls::of).or_raise());
    // What Python raised meanwhile says more.
    PyErr::take(py).map_or(read, Err)
}

/// The calls as a table: what was read, with the label that the rule gives.
fn calls_table(calls: &LibraryCalls) -> Table {
    let rows = 0..calls.len();
    let text = |get: &dyn Fn(Call<'_>) -> Option<String>| {
        Values::Text(rows.clone().map(|row| get(calls.get(row))).collect())
    };
    let number = |get: &dyn Fn(Call<'_>) -> Number| {
        let whole = |number| match number {
            Number::Int(number) => Some(number),
            Number::Float(x) => (x.fract() == 0.0 && x.abs() < 9e15).then_some(x as i64),
        };
        Values::I64(rows.clone().map(|row| whole(get(calls.get(row)))).collect())
    };
    let owned = |value: Option<&str>| value.map(str::to_owned);
    let labels = calls
        .labels()
        .map(|label| u32::from(label == Label::Fp))
        .collect();
    let columns = [
        ("chrom", "Chromosome.", text(&|call| owned(call.chrom))),
        (
            "pos",
            "Position, from 1; 0 where there is none.",
            number(&|call| call.pos),
        ),
        ("svtype", "SV type.", text(&|call| owned(call.svtype))),
        (
            "svlen",
            "Length in base pairs, with its sign; 0 where there is none.",
            number(&|call| call.svlen),
        ),
        (
            "label",
            "TP or FP: what the class counts as.",
            Values::Category {
                codes: labels,
                names: vec!["TP".to_owned(), "FP".to_owned()],
            },
        ),
        (
            "truvari_class",
            "The benchmark's own class.",
            text(&|call| owned(call.truvari_class)),
        ),
        ("dataset", "The dataset.", text(&|call| owned(call.dataset))),
        ("id", "The ID.", text(&|call| owned(call.id))),
    ];
    Table {
        name: "calls",
        about: "One row is a call, in the order of the embeddings.",
        columns: columns
            .map(|(name, about, values)| Column::new(name, about, values))
            .into(),
    }
}
