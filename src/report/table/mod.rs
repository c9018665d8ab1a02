//! Tables that programs read: columns with what they mean beside them, written as Parquet and as
//! tab-separated text, and described in Markdown from the same words.
//!
//! | file | what it writes |
//! |---|---|
//! | `parquet` | Parquet, group by group of rows |
//! | `tsv` | tab-separated text |
//! | `docs` | what tables and columns mean |

pub mod docs;
#[cfg(feature = "parquet")]
pub mod parquet;
pub mod tsv;

use std::borrow::Cow;
use std::collections::HashSet;
use std::io;
#[cfg(feature = "parquet")]
use std::ops::Range;

/// A table of columns that all have one length.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The table's name: its file's name without the ending.
    pub name: &'static str,
    /// The content of the table, and the meaning of one row, in one to three sentences.
    pub about: &'static str,
    /// Its columns, in the order in which they are written.
    pub columns: Vec<Column>,
}

/// One column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// The column's name, unique in its table.
    pub name: Cow<'static, str>,
    /// Formula, unit, source: one or two sentences.
    pub about: &'static str,
    /// One value a row.
    pub values: Values,
}

/// The values of a column, one a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Counts and numbers of things, never missing.
    U32(Vec<u32>),
    /// The same, where they may be larger.
    U64(Vec<u64>),
    /// Whole numbers of either sign, or missing.
    I64(Vec<Option<i64>>),
    /// Real numbers; NaN is a missing one, infinities are values.
    F64(Vec<f64>),
    /// The same in half the space, of figures that describe: seven digits.
    F32(Vec<f32>),
    /// Yes or no, or missing.
    Bool(Vec<Option<bool>>),
    /// Text, or missing.
    Text(Vec<Option<String>>),
    /// One of a few texts, never missing.
    Category {
        /// For each row the place of its text in `names`.
        codes: Vec<u32>,
        /// The texts.
        names: Vec<String>,
    },
}

impl Column {
    /// A column of these values.
    pub fn new(name: impl Into<Cow<'static, str>>, about: &'static str, values: Values) -> Self {
        Self {
            name: name.into(),
            about,
            values,
        }
    }
}

impl Table {
    /// Returns the number of rows.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |column| column.values.len())
    }

    /// Returns the column of this name, where there is one.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Returns a column's numbers, missing ones as NaN; none where there is no such column, or one of
    /// something else.
    pub fn numbers(&self, name: &str) -> Vec<f64> {
        match self.column(name).map(|column| &column.values) {
            Some(Values::F64(values)) => values.clone(),
            Some(Values::U64(values)) => values.iter().map(|&value| value as f64).collect(),
            Some(Values::U32(values)) => values.iter().map(|&value| f64::from(value)).collect(),
            _ => Vec::new(),
        }
    }

    /// Checks that all columns have the same length, that names are unique and that codes have a
    /// text.
    ///
    /// # Errors
    /// The first column that does not fit.
    pub fn check(&self) -> io::Result<()> {
        let mut names = HashSet::new();
        for Column { name, values, .. } in &self.columns {
            let wrong =
                |what: String| Err(io::Error::other(format!("{}.{name}: {what}", self.name)));
            if values.len() != self.rows() {
                let (found, rows) = (values.len(), self.rows());
                return wrong(format!("found {found} values, expected {rows}, one a row"));
            }
            if !names.insert(name) {
                return wrong("found two columns of this name, expected one".to_owned());
            }
            if let Values::Category { codes, names } = values
                && let Some(code) = codes.iter().find(|&&code| code as usize >= names.len())
            {
                let most = names.len();
                return wrong(format!("found code {code}, expected codes below {most}"));
            }
        }
        Ok(())
    }
}

impl Values {
    /// Returns the number of values.
    pub fn len(&self) -> usize {
        match self {
            Self::U32(values) => values.len(),
            Self::U64(values) => values.len(),
            Self::I64(values) => values.len(),
            Self::F64(values) => values.len(),
            Self::F32(values) => values.len(),
            Self::Bool(values) => values.len(),
            Self::Text(values) => values.len(),
            Self::Category { codes, .. } => codes.len(),
        }
    }

    /// Says whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the name that a reader of the table gives to the values' type.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::U32(_) => "uint32",
            Self::U64(_) => "uint64",
            Self::I64(_) => "int64",
            Self::F64(_) => "double",
            Self::F32(_) => "float",
            Self::Bool(_) => "boolean",
            Self::Text(_) | Self::Category { .. } => "text",
        }
    }

    /// Says whether a value may be missing.
    pub fn may_miss(&self) -> bool {
        matches!(
            self,
            Self::I64(_) | Self::F64(_) | Self::F32(_) | Self::Bool(_) | Self::Text(_)
        )
    }

    /// Returns an empty column of the same kind.
    #[cfg(feature = "parquet")]
    fn none(&self) -> Self {
        match self {
            Self::U32(_) => Self::U32(Vec::new()),
            Self::U64(_) => Self::U64(Vec::new()),
            Self::I64(_) => Self::I64(Vec::new()),
            Self::F64(_) => Self::F64(Vec::new()),
            Self::F32(_) => Self::F32(Vec::new()),
            Self::Bool(_) => Self::Bool(Vec::new()),
            Self::Text(_) => Self::Text(Vec::new()),
            Self::Category { .. } => Self::Category {
                codes: Vec::new(),
                names: Vec::new(),
            },
        }
    }

    /// Appends some of another column's values; nothing if that is of another kind.
    #[cfg(feature = "parquet")]
    fn append(&mut self, more: &Self, rows: Range<usize>) {
        match (self, more) {
            (Self::U32(own), Self::U32(more)) => own.extend_from_slice(&more[rows]),
            (Self::U64(own), Self::U64(more)) => own.extend_from_slice(&more[rows]),
            (Self::I64(own), Self::I64(more)) => own.extend_from_slice(&more[rows]),
            (Self::F64(own), Self::F64(more)) => own.extend_from_slice(&more[rows]),
            (Self::F32(own), Self::F32(more)) => own.extend_from_slice(&more[rows]),
            (Self::Bool(own), Self::Bool(more)) => own.extend_from_slice(&more[rows]),
            (Self::Text(own), Self::Text(more)) => own.extend_from_slice(&more[rows]),
            (
                Self::Category { codes, names },
                Self::Category {
                    codes: more,
                    names: texts,
                },
            ) => {
                if names != texts {
                    let first = names.len() as u32;
                    names.extend_from_slice(texts);
                    codes.extend(more[rows].iter().map(|code| first + code));
                    return;
                }
                codes.extend_from_slice(&more[rows]);
            }
            _ => {}
        }
    }
}
