//! Rows of several sources, one after another.

use std::ops::Range;

use super::{ElementType, Rows};
use crate::error::{Error, Result};

/// The rows of several sources, all of one length, one source after another.
pub struct JoinedRows {
    parts: Vec<Box<dyn Rows + Send>>,
    /// The number of the first row after each part.
    ends: Vec<usize>,
}

impl JoinedRows {
    /// Joins sources in the order in which they are given.
    ///
    /// # Errors
    /// No source; rows of several lengths.
    pub fn new(parts: Vec<Box<dyn Rows + Send>>) -> Result<Self> {
        let Some(dim) = parts.first().map(|part| part.dim()) else {
            return Err(Error::Argument {
                name: "embeddings",
                found: "no source of rows".to_owned(),
                expected: "at least one".to_owned(),
            });
        };
        if let Some(other) = parts.iter().find(|part| part.dim() != dim) {
            return Err(Error::input(
                other.name(),
                "embeddings",
                format!("rows of {} numbers", other.dim()),
                format!("{dim}, as the first source has"),
                "join embeddings of one model",
            ));
        }
        let mut end = 0;
        let ends = parts.iter().map(|part| {
            end += part.count();
            end
        });
        Ok(Self {
            ends: ends.collect(),
            parts,
        })
    }

    /// Passes each part that has some of the rows, with the range of its own rows and of those rows.
    fn each(
        &self,
        rows: Range<usize>,
        mut take: impl FnMut(&dyn Rows, Range<usize>, Range<usize>) -> Result<()>,
    ) -> Result<()> {
        let mut begin = 0;
        for (part, &end) in self.parts.iter().zip(&self.ends) {
            let (from, to) = (rows.start.max(begin), rows.end.min(end));
            if from < to {
                take(
                    &**part,
                    from - begin..to - begin,
                    from - rows.start..to - rows.start,
                )?;
            }
            begin = end;
        }
        Ok(())
    }
}

impl Rows for JoinedRows {
    fn count(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    fn dim(&self) -> usize {
        self.parts.first().map_or(0, |part| part.dim())
    }

    fn name(&self) -> String {
        match self.parts.as_slice() {
            [only] => only.name(),
            parts => {
                let first = parts.first().map(|part| part.name()).unwrap_or_default();
                format!("{first}, …")
            }
        }
    }

    fn read(&self, range: Range<usize>, out: &mut [f32]) -> Result<()> {
        let dim = self.dim();
        self.each(range, |part, rows, of_all| {
            let out = out.get_mut(of_all.start * dim..of_all.end * dim);
            part.read(rows, out.unwrap_or_default())
        })
    }

    fn element_type(&self) -> ElementType {
        let mut types = self.parts.iter().map(|part| part.element_type());
        let first = types.next().unwrap_or(ElementType::F32);
        // Numbers of several types are widened by their sources.
        if types.all(|other| other == first) {
            first
        } else {
            ElementType::F32
        }
    }

    fn read_stored(&self, range: Range<usize>, out: &mut [u8]) -> Result<()> {
        let element = self.element_type();
        if self.parts.iter().any(|part| part.element_type() != element) {
            return super::as_binary32(out, |numbers| self.read(range, numbers));
        }
        let row = self.dim() * element.bytes();
        self.each(range, |part, rows, of_all| {
            let out = out.get_mut(of_all.start * row..of_all.end * row);
            part.read_stored(rows, out.unwrap_or_default())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ElementType, Rows, SliceRows, bf16};
    use super::JoinedRows;

    static FIRST: [f32; 6] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    static SECOND: [f32; 2] = [7.0, 8.0];

    #[test]
    fn joined_rows_read_across_sources() {
        let first = SliceRows::new(&FIRST, 2).unwrap();
        let second = SliceRows::new(&SECOND, 2).unwrap();
        let joined = JoinedRows::new(vec![Box::new(first), Box::new(second)]).unwrap();
        assert_eq!((joined.count(), joined.dim()), (4, 2));
        let mut out = [0.0; 6];
        joined.read(1..4, &mut out).unwrap();
        assert_eq!(out, [3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
    }

    #[test]
    fn joined_rows_of_several_types_are_binary32() {
        let narrow: &'static [bf16] =
            Box::leak(Box::new([bf16::from_f32(7.0), bf16::from_f32(8.0)]));
        let first = SliceRows::new(&FIRST, 2).unwrap();
        let second = SliceRows::new(narrow, 2).unwrap();
        let joined = JoinedRows::new(vec![Box::new(first), Box::new(second)]).unwrap();
        assert_eq!(joined.element_type(), ElementType::F32);
        let mut out = [0; 16];
        joined.read_stored(2..4, &mut out).unwrap();
        let numbers: Vec<f32> = out
            .as_chunks()
            .0
            .iter()
            .map(|b| f32::from_le_bytes(*b))
            .collect();
        assert_eq!(numbers, [5.0, 6.0, 7.0, 8.0]);
    }

    #[test]
    fn joined_rows_refuse_other_lengths() {
        let first = SliceRows::new(&FIRST, 3).unwrap();
        let second = SliceRows::new(&SECOND, 2).unwrap();
        let error = JoinedRows::new(vec![Box::new(first), Box::new(second)]).err();
        assert!(error.unwrap().to_string().contains("rows of 2 numbers"));
    }
}
