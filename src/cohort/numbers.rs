//! Columns of numbers as Python holds them.

use std::fmt;
use std::ops::Range;

/// A Python number, printed as Python prints it.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
#[serde(untagged)]
pub enum Number {
    /// A Python `int`.
    Int(i64),
    /// A Python `float`.
    Float(f64),
}

impl Number {
    /// Returns the number as binary64.
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Int(n) => n as f64,
            Self::Float(x) => x,
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(n) => f.pad(&n.to_string()),
            Self::Float(x) => f.pad(&crate::python::repr(*x)),
        }
    }
}

/// A column of numbers: integers, and the few floats that a cohort may have.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NumberColumn {
    integers: Vec<i64>,
    /// Rows whose value is a float, ascending by row.
    floats: Vec<(u32, f64)>,
}

impl NumberColumn {
    /// Appends a call's number.
    pub fn push(&mut self, number: Number) {
        let integer = match number {
            Number::Int(n) => n,
            Number::Float(x) => {
                self.floats.push((self.integers.len() as u32, x));
                0
            }
        };
        self.integers.push(integer);
    }

    /// Returns a call's number.
    pub fn get(&self, row: usize) -> Number {
        match self
            .floats
            .binary_search_by_key(&row, |&(at, _)| at as usize)
        {
            Ok(i) => Number::Float(self.floats[i].1),
            Err(_) => Number::Int(self.integers[row]),
        }
    }

    /// Returns the bytes that the floats take beside the integers.
    pub(crate) fn bytes_of_floats(&self) -> usize {
        size_of_val(&*self.floats)
    }

    /// Returns the numbers, with 0 for each float.
    pub(crate) fn integers(&self) -> &[i64] {
        &self.integers
    }

    /// Returns the rows whose number is a float, ascending, with that float.
    pub(crate) fn floats(&self) -> &[(u32, f64)] {
        &self.floats
    }

    /// Copies the part of the column for some calls.
    pub(super) fn slice(&self, rows: Range<usize>) -> Self {
        let at = |row: usize| self.floats.partition_point(|&(at, _)| (at as usize) < row);
        let floats = &self.floats[at(rows.start)..at(rows.end)];
        Self {
            floats: floats
                .iter()
                .map(|&(at, x)| (at - rows.start as u32, x))
                .collect(),
            integers: self.integers[rows].to_vec(),
        }
    }

    /// Returns the number of calls.
    pub fn len(&self) -> usize {
        self.integers.len()
    }

    /// Says whether the column has no calls.
    pub fn is_empty(&self) -> bool {
        self.integers.is_empty()
    }
}
