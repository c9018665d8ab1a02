//! One column of one row group, encoded into memory.

use std::borrow::Cow;
use std::ops::Range;

use ::parquet::column::writer::{
    ColumnCloseResult, ColumnWriter, get_column_writer, get_typed_column_writer_mut,
};
use ::parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FloatType, Int32Type, Int64Type,
};
use ::parquet::errors::ParquetError;
use ::parquet::file::properties::WriterPropertiesPtr;
use ::parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use ::parquet::schema::types::ColumnDescPtr;
use bytes::Bytes;

use super::super::Values;

/// The pages of these rows of a column, and what the footer will say of them.
pub(super) fn chunk(
    values: &Values,
    rows: Range<usize>,
    column: &ColumnDescPtr,
    properties: &WriterPropertiesPtr,
) -> Result<(Bytes, ColumnCloseResult), ParquetError> {
    let mut sink = TrackedWrite::new(Vec::with_capacity(8 * rows.len()));
    let pages = Box::new(SerializedPageWriter::new(&mut sink));
    let mut writer = get_column_writer(column.clone(), properties.clone(), pages);
    match values {
        Values::U32(values) => {
            let bits: &[i32] = bytemuck::cast_slice(&values[rows]);
            put::<Int32Type>(&mut writer, bits, None)?;
        }
        Values::U64(values) => {
            let bits: &[i64] = bytemuck::cast_slice(&values[rows]);
            put::<Int64Type>(&mut writer, bits, None)?;
        }
        Values::I64(values) => {
            optional::<Int64Type>(&mut writer, values[rows].iter().copied())?;
        }
        Values::F64(values) => {
            let (there, levels) = numbers(&values[rows], f64::is_nan);
            put::<DoubleType>(&mut writer, &there, Some(&levels))?;
        }
        Values::F32(values) => {
            let (there, levels) = numbers(&values[rows], f32::is_nan);
            put::<FloatType>(&mut writer, &there, Some(&levels))?;
        }
        Values::Bool(values) => {
            optional::<BoolType>(&mut writer, values[rows].iter().copied())?;
        }
        Values::Text(values) => {
            let text = |text: &Option<String>| text.as_deref().map(ByteArray::from);
            optional::<ByteArrayType>(&mut writer, values[rows].iter().map(text))?;
        }
        Values::Category { codes, names } => {
            let names: Vec<_> = names.iter().map(|n| ByteArray::from(n.as_str())).collect();
            let texts = codes[rows].iter().map(|&code| names[code as usize].clone());
            put::<ByteArrayType>(&mut writer, &texts.collect::<Vec<_>>(), None)?;
        }
    }
    let closed = writer.close()?;
    Ok((Bytes::from(sink.into_inner()?), closed))
}

/// Does as [`optional`] for many numbers. It has no branch, because the branch could not be
/// predicted.
fn numbers<T: Copy + Default>(
    values: &[T],
    is_missing: impl Fn(T) -> bool,
) -> (Cow<'_, [T]>, Vec<i16>) {
    let level = |&x: &T| i16::from(!is_missing(x));
    let levels: Vec<_> = values.iter().map(level).collect();
    if !levels.contains(&0) {
        return (Cow::Borrowed(values), levels);
    }
    let mut there = vec![T::default(); values.len()];
    let mut count = 0;
    for &x in values {
        there[count] = x;
        count += usize::from(!is_missing(x));
    }
    there.truncate(count);
    (Cow::Owned(there), levels)
}

/// Values of which some are missing: those that are there, and for each row whether it is.
fn optional<T: DataType>(
    writer: &mut ColumnWriter<'_>,
    rows: impl ExactSizeIterator<Item = Option<T::T>>,
) -> Result<(), ParquetError> {
    let mut levels = Vec::with_capacity(rows.len());
    let mut there = Vec::with_capacity(rows.len());
    for value in rows {
        levels.push(i16::from(value.is_some()));
        there.extend(value);
    }
    put::<T>(writer, &there, Some(&levels))
}

fn put<T: DataType>(
    writer: &mut ColumnWriter<'_>,
    values: &[T::T],
    levels: Option<&[i16]>,
) -> Result<(), ParquetError> {
    let writer = get_typed_column_writer_mut::<T>(writer);
    writer.write_batch(values, levels, None).map(drop)
}
