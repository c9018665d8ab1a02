//! Tables with a column of lists of numbers: a row of embeddings for each call, all of one length; or
//! lists of lists, \[N, L, D\].
//!
//! | file | contents |
//! |---|---|
//! | `parquet` | Parquet; the column is decoded once into a file without a name |
//! | `arrow` | Arrow IPC, as a file (Feather too) or as a stream; read in place unless it is compressed |
//! | `flat` | the tables of flatbuffers, in which Arrow describes schema and batches |

mod arrow;
mod flat;
mod parquet;

use super::embedding_rows::EmbeddingRows;
use super::matrices::{Matrices, Matrix, Taken};
use super::source::Source;
use super::tensor::Dtype;
use crate::error::{Error, Result};
use crate::rows::EmbeddingsChoice;
pub(super) use arrow::{ArrowTable, is_arrow};
pub(super) use parquet::ParquetTable;

/// A column of lists of numbers.
#[derive(Debug, Clone)]
struct ListColumn {
    name: String,
    dtype: Dtype,
    /// 1 for lists of numbers, 2 for lists of such lists.
    depth: usize,
}

impl ListColumn {
    fn matrix(&self) -> Matrix {
        let number = self.dtype.name();
        Matrix {
            key: self.name.clone(),
            described: match self.depth {
                1 => format!("lists of {number}"),
                _ => format!("lists of lists of {number}"),
            },
            dimensions: self.depth + 1,
        }
    }
}

/// Chooses the column that is meant, by its place among `columns`.
fn choose(
    source: &Source,
    columns: &[ListColumn],
    others: &[String],
    choice: &EmbeddingsChoice,
) -> Result<(usize, Taken)> {
    let matrices = Matrices {
        file: source.name(),
        what: "columns",
        place: "the columns",
        expected: "a column embeddings",
        all: columns.iter().map(ListColumn::matrix).collect(),
        takes_only: true,
    };
    let taken = matrices.choose(choice)?;
    let place = taken.and_then(|taken| {
        let key = taken.key.as_deref()?;
        let place = columns.iter().position(|column| column.name == key)?;
        Some((place, taken))
    });
    place.ok_or_else(|| {
        const SHOWN: usize = 12;
        let names: Vec<_> = others.iter().take(SHOWN).map(String::as_str).collect();
        Error::input(
            source.name(),
            "the columns",
            format!("no lists of numbers among {}", names.join(", ")),
            "a column of lists of float16, float32 or float64, one list for each call",
            "give the table of calls as such, and the embeddings beside it; or save them as a column \
             of lists",
        )
    })
}

/// The lengths of lists, which all rows share.
#[derive(Debug)]
struct Lengths<'a> {
    source: &'a Source,
    column: &'a str,
    depth: usize,
    /// The numbers of a list.
    dim: Option<usize>,
    /// The lists of a row, where there are lists of lists.
    tokens: Option<usize>,
}

impl<'a> Lengths<'a> {
    fn new(source: &'a Source, column: &'a ListColumn) -> Self {
        Self {
            source,
            column: &column.name,
            depth: column.depth,
            dim: None,
            tokens: None,
        }
    }

    /// Takes note of the length of a list of numbers in a row.
    fn numbers(&mut self, row: usize, length: usize) -> Result<()> {
        let first = *self.dim.get_or_insert(length);
        if first == length {
            return Ok(());
        }
        Err(self.ragged(row, "numbers", length, first))
    }

    /// Takes note of the number of lists in a row.
    fn lists(&mut self, row: usize, length: usize) -> Result<()> {
        let first = *self.tokens.get_or_insert(length);
        if first == length {
            return Ok(());
        }
        Err(self.ragged(row, "lists", length, first))
    }

    fn ragged(&self, row: usize, what: &str, found: usize, first: usize) -> Error {
        Error::input(
            self.source.name(),
            self.place(row),
            format!("a list of {found} {what}"),
            format!("{first} {what}, as the first row has"),
            "save lists of one length: pool or pad tokens before",
        )
    }

    /// Makes the error of a row without a list, or of a list without some number.
    fn missing(&self, row: usize, found: &str) -> Error {
        Error::input(
            self.source.name(),
            self.place(row),
            found,
            "a number at each place of each list",
            "leave out such calls, here and in the table of calls",
        )
    }

    fn place(&self, row: usize) -> String {
        format!("row {row}, counted from 0, column {}", self.column)
    }

    /// The shape of so many rows.
    ///
    /// # Errors
    /// Lists without numbers, or no row to know the length by.
    fn shape(&self, rows: usize) -> Result<Vec<usize>> {
        let bad = |found: &str, expected: &str, action: &str| {
            let place = format!("column {}", self.column);
            Err(Error::input(
                self.source.name(),
                place,
                found,
                expected,
                action,
            ))
        };
        match (self.dim, self.tokens, self.depth) {
            (None, Some(0), 2) | (Some(0), _, _) => bad(
                "empty lists",
                "at least one number for each call",
                "check how the cohort was made",
            ),
            (Some(dim), _, 1) => Ok(vec![rows, dim]),
            (Some(dim), Some(tokens), _) => Ok(vec![rows, tokens, dim]),
            _ => bad(
                "no row, so that the length of a list is not known",
                "at least one row",
                "leave out this file",
            ),
        }
    }
}

/// Makes the rows of tensors that were found for a column.
fn rows_of(
    tensors: &[super::tensor::Tensor],
    source: &Source,
    taken: &Taken,
    choice: &EmbeddingsChoice,
) -> Result<EmbeddingRows> {
    let place = format!("column {}", taken.key.as_deref().unwrap_or_default());
    EmbeddingRows::of_batches(tensors, source, taken.key.clone(), &taken.decided(choice))
        .map_err(|why| why.at(source.name(), &place))
}
