//! Columns of single values: the fields of calls, and their IDs.

use super::super::flat::bytes_at;
use super::batch::Batch;
use super::schema::{Field, Kind, places};
use super::{ArrowTable, damaged};
use crate::error::{Error, Result};
use crate::read::plain::Scalar;
use crate::read::tensor::Dtype;

/// The buffers of texts that are in place or elsewhere.
struct Views {
    /// 16 bytes for each text.
    views: Vec<u8>,
    more: Vec<Vec<u8>>,
}

/// The values of a column in one batch.
enum Values {
    /// So many bytes for each.
    Fixed(usize, Vec<u8>),
    Bits(Vec<u8>),
    /// Offsets of so many bytes, and the text.
    Texts(usize, Vec<u8>, Vec<u8>),
    Views(Views),
    Nothing,
}

impl ArrowTable {
    /// Hands over each row's value in column `at`, `None` where it is missing.
    ///
    /// # Errors
    /// A column of another type; damaged bytes; what `take` returns.
    pub(in crate::read) fn scalars(
        &self,
        at: usize,
        take: &mut dyn FnMut(usize, Option<Scalar>) -> Result<()>,
    ) -> Result<()> {
        let Some(field) = self.fields.get(at) else {
            return Ok(());
        };
        let mut row = 0;
        for batch in self.batches.iter().filter(|batch| batch.rows > 0) {
            let places = places(&self.fields, &batch.more);
            let ends = places.and_then(|places| Some((*places.get(at)?, *places.get(at + 1)?)));
            let Some(((_, first), (_, end))) = ends else {
                return Err(self.bad(field, "no such column in a batch"));
            };
            let there = if batch.has(first) && field.kind != Kind::Null {
                Some(batch.load(&self.source, first, (batch.rows as u64).div_ceil(8))?)
            } else {
                None
            };
            let values = self.values(batch, field, first..end)?;
            for item in 0..batch.rows {
                let is_there = there.as_ref().is_none_or(|bits| bit(bits, item));
                let value = if is_there {
                    self.value(field, &values, item)?
                } else {
                    None
                };
                take(row + item, value)?;
            }
            row += batch.rows;
        }
        Ok(())
    }

    fn bad(&self, field: &Field, found: &str) -> Error {
        damaged(&self.source, &format!("column {}", field.name), found)
    }

    /// Reads the buffers of a column in a batch.
    fn values(
        &self,
        batch: &Batch,
        field: &Field,
        buffers: std::ops::Range<usize>,
    ) -> Result<Values> {
        let (source, rows) = (&self.source, batch.rows as u64);
        let too_many = || self.bad(field, "more rows than can be");
        let load = |number: usize, each: usize, count: Option<u64>| {
            let bytes = count.and_then(|count| count.checked_mul(each as u64));
            batch.load(source, buffers.start + number, bytes.ok_or_else(too_many)?)
        };
        Ok(match field.kind {
            Kind::Whole { bytes, .. } => Values::Fixed(bytes, load(1, bytes, Some(rows))?),
            Kind::Float(dtype) => Values::Fixed(dtype.size(), load(1, dtype.size(), Some(rows))?),
            Kind::Bool => Values::Bits(load(1, 1, Some(rows.div_ceil(8)))?),
            Kind::Text(size) => {
                let offsets = load(1, size, rows.checked_add(1))?;
                Values::Texts(size, offsets, batch.whole(source, buffers.start + 2)?)
            }
            Kind::TextView => {
                let views = load(1, 16, Some(rows))?;
                let more =
                    (buffers.start + 2..buffers.end).map(|number| batch.whole(source, number));
                let more = more.collect::<Result<_>>()?;
                Values::Views(Views { views, more })
            }
            Kind::Null => Values::Nothing,
            Kind::List(_) | Kind::FixedList(_) | Kind::Other => {
                return Err(Error::input(
                    source.name(),
                    format!("column {}", field.name),
                    "values that are no plain numbers or text",
                    "integers, floating-point numbers, booleans or text, as they are",
                    "convert the column (of categories: to text) and save the file again, or give the \
                     calls as a table of their own",
                ));
            }
        })
    }

    fn value(&self, field: &Field, values: &Values, item: usize) -> Result<Option<Scalar>> {
        let value = match values {
            Values::Nothing => return Ok(None),
            Values::Bits(bits) => Some(Scalar::Bool(bit(bits, item))),
            Values::Fixed(size, bytes) => {
                let part = bytes.get(item * size..).and_then(|rest| rest.get(..*size));
                part.and_then(|part| number(field.kind, part))
            }
            Values::Texts(size, offsets, text) => text_of(*size, offsets, text, item),
            Values::Views(views) => view_of(views, item),
        };
        match value {
            Some(value) => Ok(Some(value)),
            None => Err(self.bad(field, "a value that is no text, or lies elsewhere")),
        }
    }
}

fn bit(bits: &[u8], at: usize) -> bool {
    bits.get(at / 8)
        .is_some_and(|byte| byte >> (at % 8) & 1 == 1)
}

/// Reads a number of a column's type.
fn number(kind: Kind, bytes: &[u8]) -> Option<Scalar> {
    let mut wide = [0; 8];
    wide.get_mut(..bytes.len())?.copy_from_slice(bytes);
    let [a, b, c, d, ..] = wide;
    Some(match kind {
        Kind::Whole { signed, .. } => {
            let unused = 64 - 8 * bytes.len() as u32;
            let raw = u64::from_le_bytes(wide);
            match (signed, i64::try_from(raw)) {
                (true, _) => Scalar::Int((raw << unused).cast_signed() >> unused),
                (false, Ok(number)) => Scalar::Int(number),
                (false, Err(_)) => Scalar::Large(raw as f64),
            }
        }
        Kind::Float(Dtype::F16) => Scalar::Single(half::f16::from_le_bytes([a, b]).to_f32()),
        Kind::Float(Dtype::F32) => Scalar::Single(f32::from_le_bytes([a, b, c, d])),
        _ => Scalar::Float(f64::from_le_bytes(wide)),
    })
}

fn text(bytes: &[u8]) -> Option<Scalar> {
    Some(Scalar::Text(std::str::from_utf8(bytes).ok()?.to_owned()))
}

fn text_of(size: usize, offsets: &[u8], letters: &[u8], item: usize) -> Option<Scalar> {
    let offset = |at: usize| {
        let start = at.checked_mul(size)?;
        match size {
            4 => usize::try_from(i32::from_le_bytes(bytes_at(offsets, start)?)).ok(),
            _ => usize::try_from(i64::from_le_bytes(bytes_at(offsets, start)?)).ok(),
        }
    };
    text(letters.get(offset(item)?..offset(item + 1)?)?)
}

/// A text of at most 12 bytes is in its view; a longer one has four bytes there, the number of a buffer,
/// and the place in that.
fn view_of(views: &Views, item: usize) -> Option<Scalar> {
    const IN_PLACE: usize = 12;
    let view: [u8; 16] = bytes_at(&views.views, item.checked_mul(16)?)?;
    let word = |at: usize| usize::try_from(i32::from_le_bytes(bytes_at(&view, at)?)).ok();
    let length = word(0)?;
    if length <= IN_PLACE {
        return text(view.get(4..4 + length)?);
    }
    let buffer = views.more.get(word(8)?)?;
    text(buffer.get(word(12)?..)?.get(..length)?)
}

#[cfg(test)]
mod tests {
    use super::{Kind, Scalar, number};

    #[test]
    fn whole_numbers_of_any_width_keep_their_sign() {
        for width in [1_u8, 2, 4, 8] {
            let bytes = usize::from(width);
            let of =
                |signed, number_bytes: &[u8]| number(Kind::Whole { bytes, signed }, number_bytes);
            let (ones, mut least) = (vec![0xff; bytes], vec![0; bytes]);
            assert!(matches!(of(true, &ones), Some(Scalar::Int(-1))), "{bytes}");
            least[bytes - 1] = 0x80;
            let expected = i64::MIN >> (64 - 8 * bytes);
            let found = of(true, &least);
            assert!(
                matches!(found, Some(Scalar::Int(least)) if least == expected),
                "{bytes}"
            );
            let most = match of(false, &ones) {
                Some(Scalar::Int(most)) => most as f64,
                Some(Scalar::Large(most)) => most,
                _ => panic!("no number of {bytes} bytes"),
            };
            assert_eq!(
                most,
                256_f64.powi(i32::from(width)) - f64::from(bytes < 8),
                "{bytes}"
            );
        }
    }
}
