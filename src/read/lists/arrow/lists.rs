//! The numbers of a list column, batch by batch.

use std::io::{Read, copy, sink};
use std::ops::Range;

use super::super::{Lengths, ListColumn};
use super::batch::{Batch, is_filled_up, unpacking};
use super::schema::{Kind, places};
use super::{ArrowTable, damaged};
use crate::error::Result;
use crate::read::spill::Spill;
use crate::read::tensor::Tensor;

/// The numbers of some rows: which of a buffer's.
struct Found {
    buffer: usize,
    numbers: Range<usize>,
    /// All numbers of the buffer.
    all: usize,
}

impl ArrowTable {
    /// The numbers of column `at` as tensors, one for each batch, or one for all where they are packed.
    pub(super) fn tensors(&self, at: usize, column: &ListColumn) -> Result<Vec<Tensor>> {
        let source = &self.source;
        let place = format!("column {}", column.name);
        let mut lengths = Lengths::new(source, column);
        let mut found = Vec::new();
        let mut row = 0;
        for batch in &self.batches {
            if batch.rows > 0 {
                found.push((batch, self.find(batch, at, row, &mut lengths)?));
            }
            row = batch.rows.saturating_add(row);
        }
        self.fixed_length(at, &mut lengths)?;
        let shape = lengths.shape(row)?;
        let bad = |found: &str| damaged(source, &place, found);
        let dense = |rows: usize, storage| {
            let shape = [&[rows], shape.get(1..).unwrap_or_default()].concat();
            let tensor = Tensor::dense(column.dtype, shape, false, storage);
            tensor.ok_or_else(|| bad("other numbers than lists have"))
        };
        let size = column.dtype.size() as u64;
        if found.iter().any(|(batch, _)| batch.codec.is_some()) || found.is_empty() {
            let mut spill = Spill::new()?;
            for (batch, numbers) in &found {
                self.unpack(batch, numbers, size, &mut spill)?;
            }
            return Ok(vec![dense(row, spill.finish(source)?)?]);
        }
        let tensor = |(batch, numbers): &(&Batch, Found)| {
            let (start, count) = (numbers.numbers.start as u64, numbers.numbers.len() as u64);
            self.check_length(batch, numbers, size)?;
            let bytes = start.checked_mul(size).zip(count.checked_mul(size));
            let storage = bytes
                .and_then(|(start, length)| batch.storage(source, numbers.buffer, start, length));
            dense(
                batch.rows,
                storage.ok_or_else(|| bad("fewer numbers than lists have"))?,
            )
        };
        found.iter().map(tensor).collect()
    }

    /// Takes the length of lists from the schema, where there is no row to know it by.
    fn fixed_length(&self, at: usize, lengths: &mut Lengths) -> Result<()> {
        let field = self.fields.get(at);
        if self.count() > 0 {
            return Ok(());
        }
        let inner = field.and_then(|field| field.children.first());
        match (field.map(|field| field.kind), inner.map(|inner| inner.kind)) {
            (Some(Kind::FixedList(tokens)), Some(Kind::FixedList(numbers))) => {
                lengths.lists(0, tokens)?;
                lengths.numbers(0, numbers)
            }
            (Some(Kind::FixedList(numbers)), Some(Kind::Float(_))) => lengths.numbers(0, numbers),
            _ => Ok(()),
        }
    }

    /// Finds the numbers of a batch whose first row is `row`, and checks the lengths of its lists.
    fn find(&self, batch: &Batch, at: usize, row: usize, lengths: &mut Lengths) -> Result<Found> {
        let place = format!("column {}", lengths.column);
        let bad = |found: &str| damaged(&self.source, &place, found);
        let places = places(&self.fields, &batch.more);
        let first = places.and_then(|places| places.get(at).copied());
        let Some(((mut node, mut buffer), mut field)) = first.zip(self.fields.get(at)) else {
            return Err(bad("no such column in a batch"));
        };
        let mut range = 0..batch.rows;
        for level in 1..=lengths.depth {
            let is_last = level == lengths.depth;
            let each = (range.len() / batch.rows).max(1);
            let of_row = |item: usize| row.saturating_add(item / each);
            self.check_missing(batch, (node, buffer), &range, &|item| {
                lengths.missing(of_row(item), "no list, but a null")
            })?;
            let mut length = |item: usize, length: usize| {
                if is_last {
                    lengths.numbers(of_row(item), length)
                } else {
                    lengths.lists(of_row(item), length)
                }
            };
            range = self.items(batch, field.kind, buffer, &range, &mut length)?;
            // Its marks of what is missing, and the offsets of lists that have some.
            buffer += if matches!(field.kind, Kind::List(_)) {
                2
            } else {
                1
            };
            node += 1;
            field = field.children.first().ok_or_else(|| bad("no lists"))?;
            let all = batch.nodes.get(node).map_or(0, |&(length, _)| length);
            if range.end > all {
                return Err(bad(&format!("{} values in lists, of {all}", range.end)));
            }
        }
        let each = (range.len() / batch.rows).max(1);
        self.check_missing(batch, (node, buffer), &range, &|item| {
            lengths.missing(row.saturating_add(item / each), "a missing number")
        })?;
        Ok(Found {
            buffer: buffer + 1,
            numbers: range,
            all: batch.nodes.get(node).map_or(0, |&(length, _)| length),
        })
    }

    /// The items of the lists `range` of a column whose first buffer this is. `length` hears of the
    /// length of each.
    fn items(
        &self,
        batch: &Batch,
        kind: Kind,
        buffer: usize,
        range: &Range<usize>,
        length: &mut dyn FnMut(usize, usize) -> Result<()>,
    ) -> Result<Range<usize>> {
        let bad = |found: &str| damaged(&self.source, &format!("buffer {buffer}"), found);
        match kind {
            Kind::FixedList(size) => {
                length(0, size)?;
                let place = |at: usize| at.checked_mul(size);
                let ends = place(range.start).zip(place(range.end));
                let (start, end) = ends.ok_or_else(|| bad("more numbers than can be"))?;
                Ok(start..end)
            }
            Kind::List(size) => {
                let offsets = self.offsets(batch, buffer + 1, size, range)?;
                for (item, pair) in offsets.windows(2).enumerate() {
                    let &[start, end] = pair else { continue };
                    let items = end.checked_sub(start);
                    length(item, items.ok_or_else(|| bad("offsets that fall"))?)?;
                }
                let (first, last) = (offsets.first(), offsets.last());
                Ok(first.copied().unwrap_or(0)..last.copied().unwrap_or(0))
            }
            _ => Err(bad("no lists")),
        }
    }

    /// The offsets of the lists `range`, and of the end of the last.
    fn offsets(
        &self,
        batch: &Batch,
        buffer: usize,
        size: usize,
        range: &Range<usize>,
    ) -> Result<Vec<usize>> {
        let bad = |found: &str| damaged(&self.source, &format!("buffer {buffer}"), found);
        let needed = (range.end as u64)
            .checked_add(1)
            .and_then(|n| n.checked_mul(size as u64));
        let bytes = batch.load(
            &self.source,
            buffer,
            needed.ok_or_else(|| bad("no offsets"))?,
        )?;
        let offset = |bytes: &[u8]| match *bytes {
            [a, b, c, d] => usize::try_from(i32::from_le_bytes([a, b, c, d])).ok(),
            _ => usize::try_from(i64::from_le_bytes(bytes.try_into().ok()?)).ok(),
        };
        let here = bytes.get(range.start * size..).unwrap_or_default();
        let offsets: Option<Vec<_>> = here.chunks_exact(size).map(offset).collect();
        offsets.ok_or_else(|| bad("offsets below 0"))
    }

    /// Returns the error that `missing` makes of the first item in `range` that has no value.
    fn check_missing(
        &self,
        batch: &Batch,
        (node, buffer): (usize, usize),
        range: &Range<usize>,
        missing: &dyn Fn(usize) -> crate::error::Error,
    ) -> Result<()> {
        if !batch.has(buffer) {
            return match batch.nodes.get(node) {
                Some((_, 0)) => Ok(()),
                _ => Err(damaged(
                    &self.source,
                    &format!("buffer {buffer}"),
                    "no marks of what is missing",
                )),
            };
        }
        let bits = batch.load(&self.source, buffer, (range.end as u64).div_ceil(8))?;
        let is_there = |at: usize| {
            bits.get(at / 8)
                .is_some_and(|byte| byte >> (at % 8) & 1 == 1)
        };
        match range.clone().find(|&at| !is_there(at)) {
            Some(at) => Err(missing(at - range.start)),
            None => Ok(()),
        }
    }

    /// Checks that a buffer has the bytes of its numbers, and no more than what fills it up.
    fn check_length(&self, batch: &Batch, found: &Found, size: u64) -> Result<()> {
        let (length, _) = batch.open(&self.source, found.buffer)?;
        let needed = (found.all as u64).checked_mul(size);
        match needed {
            Some(needed) if is_filled_up(needed, length) => Ok(()),
            _ => {
                let text = format!("{length} bytes for {} numbers of {size}", found.all);
                Err(damaged(
                    &self.source,
                    &format!("buffer {}", found.buffer),
                    &text,
                ))
            }
        }
    }

    /// Unpacks the numbers of a batch.
    fn unpack(&self, batch: &Batch, found: &Found, size: u64, spill: &mut Spill) -> Result<()> {
        self.check_length(batch, found, size)?;
        let failed = |error: std::io::Error| unpacking(&self.source, found.buffer, &error);
        let (_, mut bytes) = batch.open(&self.source, found.buffer)?;
        let before = found.numbers.start as u64 * size;
        let skipped = copy(&mut bytes.by_ref().take(before), &mut sink()).map_err(failed)?;
        let mut left = found.numbers.len() as u64 * size;
        let mut piece = vec![0; 1 << 16];
        while left > 0 && skipped == before {
            let most = left.min(piece.len() as u64) as usize;
            let part = piece.get_mut(..most).unwrap_or_default();
            let count = bytes.read(part).map_err(failed)?;
            if count == 0 {
                break;
            }
            spill.write(part.get(..count).unwrap_or_default())?;
            left -= count as u64;
        }
        if left == 0 {
            return Ok(());
        }
        let text = format!("{left} bytes too few");
        Err(damaged(
            &self.source,
            &format!("buffer {}", found.buffer),
            &text,
        ))
    }
}
