//! The rows of a file of embeddings, whatever its format: of one tensor, or of the batches of a table,
//! as they are or pooled.

use std::ops::Range;

use super::pooled::{PooledRows, token};
use super::source::{Source, Stamp};
use super::tensor::{Tensor, TensorRows, shape_text};
use crate::error::{Choice, Error, Proposal, Result};
use crate::rows::{ElementType, EmbeddingsChoice, Pool, Rows, TakenEmbeddings, as_binary32};

/// The embeddings of a file: N rows of D numbers. They stay in the file, and several threads can read
/// at once.
#[derive(Debug, Clone)]
pub struct EmbeddingRows {
    /// The file, which the numbers may have been taken out of.
    source: Source,
    /// Consecutive rows, each part with the number of its first one.
    parts: Vec<(usize, Part)>,
    rows: usize,
    dim: usize,
    element: ElementType,
    about: TakenEmbeddings,
}

/// Some consecutive rows.
#[derive(Debug, Clone)]
enum Part {
    Stored(TensorRows),
    Pooled(PooledRows),
}

/// The reason why a tensor has no rows: what was found, what was expected, what to do, and what would
/// help.
#[derive(Debug)]
pub(super) struct NoRows {
    pub(super) found: String,
    pub(super) expected: &'static str,
    pub(super) action: &'static str,
    pub(super) choice: Option<Choice>,
}

impl NoRows {
    /// The error, about a place in a file.
    pub(super) fn at(self, file: String, place: &str) -> Error {
        let error = Error::input(file, place, self.found, self.expected, self.action);
        error.proposing(self.choice.map(Proposal::of))
    }
}

const MATRIX: &str = "a two-dimensional tensor, one row for each call";

impl Part {
    /// Makes the rows of a tensor, which may be none. Messages name the shape of all such tensors
    /// together.
    fn new(
        tensor: &Tensor,
        pool: Option<Pool>,
        shape: &[usize],
    ) -> std::result::Result<Self, NoRows> {
        let shape = shape_text(shape);
        let bad = |expected, action, choice| NoRows {
            found: format!("{} of shape {shape}", tensor.dtype.name()),
            expected,
            action,
            choice,
        };
        let no_matrix = || bad(MATRIX, "save the embeddings as a matrix", None);
        let (tokens, dim) = match (tensor.shape.as_slice(), pool) {
            (&[_, dim], None) => (1, dim),
            (&[_, tokens, dim], Some(_)) => (tokens, dim),
            (&[_, _, _], None) => {
                let action = "say how the tokens of a call become one row";
                return Err(bad(MATRIX, action, Some(Choice::Pool)));
            }
            (&[_, _], Some(_)) => {
                let expected = "three dimensions, calls, tokens and numbers, to pool over tokens";
                return Err(bad(
                    expected,
                    "leave out the pooling: a call has one row already",
                    None,
                ));
            }
            _ => return Err(no_matrix()),
        };
        if dim == 0 {
            let expected = "at least one number a row, of no rows too: shape [0, D]";
            return Err(bad(expected, "check how the cohort was made", None));
        }
        if tokens == 0 {
            return Err(bad(
                "at least one token a call",
                "check how the cohort was made",
                None,
            ));
        }
        let rows = match pool {
            None => TensorRows::new(tensor).map(Self::Stored),
            Some(pool @ (Pool::Mean | Pool::Max)) => {
                PooledRows::new(tensor, pool).map(Self::Pooled)
            }
            Some(pool) => {
                let Some(at) = pool.token(tokens) else {
                    let expected = "a token that every call has";
                    return Err(bad(
                        expected,
                        "name a token from 0 on, or from the end as -1",
                        Some(Choice::Pool),
                    ));
                };
                let one = token(tensor, at);
                one.as_ref().and_then(TensorRows::new).map(Self::Stored)
            }
        };
        rows.ok_or_else(no_matrix)
    }

    fn count(&self) -> usize {
        match self {
            Self::Stored(rows) => rows.count(),
            Self::Pooled(rows) => rows.count(),
        }
    }

    fn element_type(&self) -> ElementType {
        match self {
            Self::Stored(rows) => rows.element_type(),
            Self::Pooled(_) => ElementType::F32,
        }
    }

    fn read(&self, range: Range<usize>, out: &mut [f32]) -> Result<()> {
        match self {
            Self::Stored(rows) => rows.read(range, out),
            Self::Pooled(rows) => rows.read(range, out),
        }
    }

    fn read_stored(&self, range: Range<usize>, out: &mut [u8]) -> Result<()> {
        match self {
            Self::Stored(rows) => rows.read_stored(range, out),
            Self::Pooled(rows) => as_binary32(out, |numbers| rows.read(range, numbers)),
        }
    }
}

impl EmbeddingRows {
    /// Makes the rows of a tensor. `key` is its key, and `decided` what was chosen.
    pub(super) fn new(
        tensor: &Tensor,
        source: &Source,
        key: Option<String>,
        decided: &EmbeddingsChoice,
    ) -> std::result::Result<Self, NoRows> {
        Self::of_batches(std::slice::from_ref(tensor), source, key, decided)
    }

    /// Makes the rows of tensors that follow one another: of one type, and of one shape but for the
    /// number of rows. There is at least one.
    pub(super) fn of_batches(
        tensors: &[Tensor],
        source: &Source,
        key: Option<String>,
        decided: &EmbeddingsChoice,
    ) -> std::result::Result<Self, NoRows> {
        let first = tensors.first();
        let mut shape = first.map(|tensor| tensor.shape.clone()).unwrap_or_default();
        let counts = tensors.iter().filter_map(|tensor| tensor.shape.first());
        let rows = counts.fold(0_usize, |sum, &count| sum.saturating_add(count));
        if let Some(count) = shape.first_mut() {
            *count = rows;
        }
        let mut parts = Vec::with_capacity(tensors.len());
        let mut next: usize = 0;
        for tensor in tensors {
            let part = Part::new(tensor, decided.pool, &shape)?;
            let first = next;
            next = next.saturating_add(part.count());
            parts.push((first, part));
        }
        let mut elements = parts.iter().map(|(_, part)| part.element_type());
        let element = elements.next().unwrap_or(ElementType::F32);
        let is_one = elements.all(|other| other == element);
        Ok(Self {
            source: source.clone(),
            parts,
            rows,
            dim: shape.last().copied().unwrap_or(0),
            element: if is_one { element } else { ElementType::F32 },
            about: TakenEmbeddings {
                key,
                layer: decided.layer.clone(),
                dtype: first.map_or("float32", |tensor| tensor.dtype.name()),
                shape,
                pool: decided.pool,
                choice: decided.clone(),
            },
        })
    }

    /// Returns the file.
    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    /// Returns what was taken from the file: key, shape, pooling.
    pub fn about(&self) -> &TakenEmbeddings {
        &self.about
    }

    /// Returns the element type in the file, in torch's words: `float32`, `bfloat16`, …
    pub fn dtype(&self) -> &'static str {
        self.about.dtype
    }

    /// Returns an error if the file is no longer the one that was opened: replaced, grown or
    /// rewritten. Rows read from such a file may be of either version.
    pub fn check_unchanged(&self) -> Result<()> {
        self.source.check_unchanged()
    }

    /// Returns the file's stamp when it was opened.
    pub(crate) fn stamp(&self) -> Option<Stamp> {
        self.source.stamp()
    }

    /// Hands over the parts that have some of the rows `range`, each with its own numbers of them.
    fn each(
        &self,
        range: &Range<usize>,
        mut take: impl FnMut(&Part, Range<usize>) -> Result<()>,
    ) -> Result<()> {
        let after = self
            .parts
            .partition_point(|(first, _)| *first <= range.start);
        for (first, part) in self
            .parts
            .get(after.saturating_sub(1)..)
            .unwrap_or_default()
        {
            let (start, end) = (range.start.max(*first), range.end.min(first + part.count()));
            if *first >= range.end {
                break;
            }
            if start < end {
                take(part, start - first..end - first)?;
            }
        }
        Ok(())
    }

    fn check_room(&self, range: &Range<usize>, room: usize) -> Result<()> {
        if range.end <= self.rows && range.len().checked_mul(self.dim) == Some(room) {
            return Ok(());
        }
        Err(Error::Argument {
            name: "rows",
            found: format!("rows {range:?} into room for {room} numbers"),
            expected: format!(
                "rows of {} and room for exactly them",
                shape_text(&[self.rows, self.dim])
            ),
        })
    }
}

impl Rows for EmbeddingRows {
    fn count(&self) -> usize {
        self.rows
    }

    fn dim(&self) -> usize {
        self.dim
    }

    fn name(&self) -> String {
        self.source.name()
    }

    fn read(&self, range: Range<usize>, out: &mut [f32]) -> Result<()> {
        self.check_room(&range, out.len())?;
        let mut rest = out;
        self.each(&range, |part, rows| {
            let room = rows.len() * self.dim;
            let (here, more) = std::mem::take(&mut rest).split_at_mut(room);
            rest = more;
            part.read(rows, here)
        })
    }

    fn element_type(&self) -> ElementType {
        self.element
    }

    fn read_stored(&self, range: Range<usize>, out: &mut [u8]) -> Result<()> {
        let bytes = self.element.bytes();
        self.check_room(&range, out.len() / bytes)?;
        if self
            .parts
            .iter()
            .any(|(_, part)| part.element_type() != self.element)
        {
            return as_binary32(out, |numbers| self.read(range, numbers));
        }
        let mut rest = out;
        self.each(&range, |part, rows| {
            let room = rows.len() * self.dim * bytes;
            let (here, more) = std::mem::take(&mut rest).split_at_mut(room);
            rest = more;
            part.read_stored(rows, here)
        })
    }
}
