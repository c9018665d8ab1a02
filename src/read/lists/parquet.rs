//! A column of lists in a Parquet file. It is decoded once, in pieces, into a file without a name, from
//! which rows are then read in any order: Parquet's pages can only be read in sequence.

use std::collections::HashMap;

use ::parquet::basic::{LogicalType, Repetition, Type};
use ::parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader};
use ::parquet::data_type::{DataType, FixedLenByteArray};
use ::parquet::errors::ParquetError;
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::schema::types::{ColumnDescPtr, SchemaDescriptor};

use super::{Lengths, ListColumn, choose, rows_of};
use crate::error::Result;
use crate::read::embedding_rows::EmbeddingRows;
use crate::read::metadata::parquet::{Checked, Pages, bad, check_range, in_parser_thread};
use crate::read::source::Source;
use crate::read::spill::Spill;
use crate::read::tensor::{Dtype, Tensor};
use crate::rows::{EmbeddingsChoice, TakenEmbeddings};

/// Numbers that are decoded at a time.
const AT_ONCE: usize = 1 << 16;

/// A Parquet file.
#[derive(Debug)]
pub(in crate::read) struct ParquetTable {
    pub(in crate::read) source: Source,
    /// The columns of lists of numbers, each with its place among all.
    lists: Vec<(ListColumn, usize)>,
    /// The names of all columns.
    pub(in crate::read) columns: Vec<String>,
    rows: usize,
}

impl ParquetTable {
    /// Opens a file, and looks what its footer says.
    pub(in crate::read) fn open(source: &Source) -> Result<Self> {
        in_parser_thread(source, || {
            let file = open(source)?;
            let facts = file.metadata().file_metadata();
            let schema = facts.schema_descr();
            let fields = schema.root_schema().get_fields();
            Ok(Self {
                source: source.clone(),
                lists: lists(schema),
                columns: fields.iter().map(|field| field.name().to_owned()).collect(),
                rows: usize::try_from(facts.num_rows()).unwrap_or(0),
            })
        })
    }

    /// Decodes the column that is chosen.
    pub(in crate::read) fn rows(&self, choice: &EmbeddingsChoice) -> Result<EmbeddingRows> {
        self.first_rows(choice, usize::MAX)
    }

    /// Looks what column is chosen, and how long its lists are, by the first row.
    pub(in crate::read) fn look(&self, choice: &EmbeddingsChoice) -> Result<TakenEmbeddings> {
        let first = self.first_rows(choice, 1)?;
        Ok(first.about().clone().of_rows(self.rows))
    }

    fn first_rows(&self, choice: &EmbeddingsChoice, most: usize) -> Result<EmbeddingRows> {
        let columns: Vec<_> = self
            .lists
            .iter()
            .map(|(column, _)| column.clone())
            .collect();
        let (place, taken) = choose(&self.source, &columns, &self.columns, choice)?;
        let Some((column, at)) = self.lists.get(place) else {
            // The place is that of one of them.
            return Err(crate::error::Error::Cancelled);
        };
        let tensor = in_parser_thread(&self.source, || self.decode(column, *at, most))?;
        rows_of(&[tensor], &self.source, &taken, choice)
    }

    /// Decodes the rows of a column, at most so many.
    fn decode(&self, column: &ListColumn, at: usize, most: usize) -> Result<Tensor> {
        let source = &self.source;
        let file = open(source)?;
        let place = format!("column {}", column.name);
        let failed = |error: &ParquetError| bad(source, &place, error);
        let mut decoder = Decoder {
            lengths: Lengths::new(source, column),
            spill: Spill::new()?,
            row: 0,
            open: None,
            number_may_miss: may_miss(&file, at),
        };
        for number in 0..file.num_row_groups() {
            let group = file.get_row_group(number).map_err(|e| failed(&e))?;
            let rows = usize::try_from(group.metadata().num_rows()).unwrap_or(usize::MAX);
            let rows = rows.min(most - decoder.row);
            let about = file.metadata().file_metadata().schema_descr().column(at);
            let pages = group.get_column_page_reader(at).map_err(|e| failed(&e))?;
            let pages = Box::new(Checked::new(pages, rows, true));
            match get_column_reader(about.clone(), pages) {
                ColumnReader::FloatColumnReader(reader) => {
                    decoder.group(reader, &about, rows, &failed)?;
                }
                ColumnReader::DoubleColumnReader(reader) => {
                    decoder.group(reader, &about, rows, &failed)?;
                }
                ColumnReader::FixedLenByteArrayColumnReader(reader) => {
                    decoder.group(reader, &about, rows, &failed)?;
                }
                // The column was found by its type.
                _ => {}
            }
        }
        let shape = decoder.lengths.shape(decoder.row)?;
        let storage = decoder.spill.finish(source)?;
        let there = storage.length;
        Tensor::dense(column.dtype, shape, false, storage).ok_or_else(|| {
            let text = format!("{there} bytes for {} rows", decoder.row);
            failed(&ParquetError::General(text))
        })
    }
}

/// Opens a file whose row groups have all its rows, and whose columns lie within it.
fn open(source: &Source) -> Result<SerializedFileReader<Pages>> {
    let footer = |error| bad(source, "the footer", &error);
    let file = SerializedFileReader::new(Pages(source.clone())).map_err(footer)?;
    let mut rows: i64 = 0;
    for group in file.metadata().row_groups() {
        rows = rows.saturating_add(group.num_rows().max(0));
        for column in group.columns() {
            check_range(source, column.byte_range())?;
        }
    }
    let claimed = file.metadata().file_metadata().num_rows();
    if rows == claimed {
        return Ok(file);
    }
    let text = format!("{rows} rows in all row groups, not {claimed}");
    Err(footer(ParquetError::General(text)))
}

/// Finds the columns of lists, and of lists of lists, of floating-point numbers.
fn lists(schema: &SchemaDescriptor) -> Vec<(ListColumn, usize)> {
    let root = |column: &ColumnDescPtr| column.path().parts().first().cloned();
    let mut found = Vec::new();
    let mut of_root: HashMap<Option<String>, usize> = HashMap::new();
    for column in schema.columns() {
        *of_root.entry(root(column)).or_default() += 1;
    }
    for (at, column) in schema.columns().iter().enumerate() {
        let alone = of_root.get(&root(column)) == Some(&1);
        let depth = usize::try_from(column.max_rep_level()).unwrap_or(0);
        if let (Some(dtype), Some(name), true, 1 | 2) = (number(column), root(column), alone, depth)
        {
            found.push((ListColumn { name, dtype, depth }, at));
        }
    }
    found
}

/// The type of a column's numbers; `None` if they are no floating-point numbers.
fn number(column: &ColumnDescPtr) -> Option<Dtype> {
    match column.physical_type() {
        Type::FLOAT => Some(Dtype::F32),
        Type::DOUBLE => Some(Dtype::F64),
        Type::FIXED_LEN_BYTE_ARRAY => {
            let is_half = column.logical_type_ref() == Some(&LogicalType::Float16);
            (is_half && column.type_length() == 2).then_some(Dtype::F16)
        }
        _ => None,
    }
}

/// Says whether a number of a list may be missing, by the schema.
fn may_miss(file: &SerializedFileReader<Pages>, at: usize) -> bool {
    let column = file.metadata().file_metadata().schema_descr().column(at);
    let info = column.self_type().get_basic_info();
    info.has_repetition() && info.repetition() == Repetition::OPTIONAL
}

/// A number of a column, as bytes.
trait Number: DataType {
    fn put(value: &Self::T, out: &mut Vec<u8>);
}

impl Number for ::parquet::data_type::FloatType {
    fn put(value: &f32, out: &mut Vec<u8>) {
        out.extend(value.to_le_bytes());
    }
}
impl Number for ::parquet::data_type::DoubleType {
    fn put(value: &f64, out: &mut Vec<u8>) {
        out.extend(value.to_le_bytes());
    }
}
impl Number for ::parquet::data_type::FixedLenByteArrayType {
    fn put(value: &FixedLenByteArray, out: &mut Vec<u8>) {
        out.extend(value.data());
    }
}

/// Decodes lists, and checks their lengths.
struct Decoder<'a> {
    lengths: Lengths<'a>,
    spill: Spill,
    /// The rows before the one that is under way.
    row: usize,
    /// The lists and the numbers, of the last list, of the row that is under way.
    open: Option<(usize, usize)>,
    number_may_miss: bool,
}

impl Decoder<'_> {
    /// Decodes the lists of a row group of so many rows.
    fn group<T: Number>(
        &mut self,
        mut reader: ColumnReaderImpl<T>,
        about: &ColumnDescPtr,
        rows: usize,
        failed: &dyn Fn(&ParquetError) -> crate::error::Error,
    ) -> Result<()> {
        let (mut present, mut repeats, mut values) = (Vec::new(), Vec::new(), Vec::new());
        let mut bytes = Vec::new();
        let mut left = rows;
        while left > 0 {
            present.clear();
            repeats.clear();
            values.clear();
            bytes.clear();
            let numbers = self.lengths.dim.unwrap_or(AT_ONCE) * self.lengths.tokens.unwrap_or(1);
            let most = (AT_ONCE / numbers.max(1)).clamp(1, left);
            let read =
                reader.read_records(most, Some(&mut present), Some(&mut repeats), &mut values);
            let (records, count, _) = read.map_err(|error| failed(&error))?;
            if records == 0 {
                let text = format!("{left} rows too few in a row group");
                return Err(failed(&ParquetError::General(text)));
            }
            let before = self.row;
            self.levels(&present, &repeats, about)?;
            if self.row - before != records || present.len() != count {
                let text = format!("{} lists in {records} rows", self.row - before);
                return Err(failed(&ParquetError::General(text)));
            }
            for value in &values {
                T::put(value, &mut bytes);
            }
            self.spill.write(&bytes)?;
            left = left.saturating_sub(records);
        }
        Ok(())
    }

    /// Checks the lengths that levels tell, of whole rows: a level of repetition is 0 where a row begins,
    /// and the depth within a list of numbers.
    fn levels(&mut self, present: &[i16], repeats: &[i16], about: &ColumnDescPtr) -> Result<()> {
        let depth = i16::try_from(self.lengths.depth).unwrap_or(i16::MAX);
        for (&there, &repeat) in present.iter().zip(repeats) {
            if repeat == 0 {
                self.end_row()?;
            }
            if there != about.max_def_level() {
                let is_number = self.number_may_miss && there + 1 == about.max_def_level();
                let found = match there {
                    _ if is_number => "a missing number",
                    0 => "no list: a null, or an empty one",
                    _ => "an empty list, or a null in a list of lists",
                };
                return Err(self.lengths.missing(self.row, found));
            }
            match &mut self.open {
                Some((_, numbers)) if repeat == depth => *numbers += 1,
                Some((lists, numbers)) => {
                    let length = std::mem::replace(numbers, 1);
                    *lists += 1;
                    self.lengths.numbers(self.row, length)?;
                }
                none => *none = Some((1, 1)),
            }
        }
        self.end_row()
    }

    fn end_row(&mut self) -> Result<()> {
        let Some((lists, numbers)) = self.open.take() else {
            return Ok(());
        };
        self.lengths.numbers(self.row, numbers)?;
        if self.lengths.depth == 2 {
            self.lengths.lists(self.row, lists)?;
        }
        self.row += 1;
        Ok(())
    }
}
