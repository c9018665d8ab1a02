//! The description of the file within the file: types, encodings, and the meaning of the columns.

use std::io;
use std::sync::Arc;

use ::parquet::basic::{
    Compression, Encoding, LogicalType, Repetition, Type as Physical, ZstdLevel,
};
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::KeyValue;
use ::parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use ::parquet::schema::types::{ColumnPath, Type};
use serde_json::{Map, Value};

use super::super::{Column, Table, Values};
use super::GROUP;
use crate::tally::CohortTally;

/// The key of what the table holds, and what one row is.
pub const ABOUT: &str = "atomscope.about";
/// The key of what each column means: a JSON object of text by name.
pub const COLUMNS: &str = "atomscope.columns";
/// The key of the version of the program that wrote the file.
pub const VERSION: &str = "atomscope.version";
/// The key of the version of the definition of the answer.
pub const DEFINITION: &str = "atomscope.definition";

/// The key of how many pairs of atoms there were and were told apart, in `atom_pairs`: a JSON object.
pub const PAIRS: &str = "atomscope.pairs";

/// Rows of a page: what is encoded and compressed stays near the core.
const PAGE: usize = 1 << 14;
/// Values that the encoder takes at a time.
const BATCH: usize = 1 << 12;

/// The columns, a root over leaves.
pub(super) fn of(table: &Table) -> Result<Type, ParquetError> {
    let leaves = table
        .columns
        .iter()
        .map(|column| leaf(column).map(Arc::new));
    let leaves = leaves.collect::<Result<_, _>>()?;
    Type::group_type_builder(table.name)
        .with_fields(leaves)
        .build()
}

fn leaf(column: &Column) -> Result<Type, ParquetError> {
    let (physical, logical) = match column.values {
        Values::U32(_) => (Physical::INT32, Some(LogicalType::integer(32, false))),
        Values::U64(_) => (Physical::INT64, Some(LogicalType::integer(64, false))),
        Values::I64(_) => (Physical::INT64, Some(LogicalType::integer(64, true))),
        Values::F64(_) => (Physical::DOUBLE, None),
        Values::F32(_) => (Physical::FLOAT, None),
        Values::Bool(_) => (Physical::BOOLEAN, None),
        Values::Text(_) | Values::Category { .. } => {
            (Physical::BYTE_ARRAY, Some(LogicalType::String))
        }
    };
    let repetition = if column.values.may_miss() {
        Repetition::OPTIONAL
    } else {
        Repetition::REQUIRED
    };
    Type::primitive_type_builder(&column.name, physical)
        .with_logical_type(logical)
        .with_repetition(repetition)
        .build()
}

/// Returns the way in which columns are encoded, and the file's metadata.
pub(super) fn properties(table: &Table) -> io::Result<WriterProperties> {
    let level = ZstdLevel::try_new(1).map_err(io::Error::other)?;
    let all = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_data_page_row_count_limit(PAGE)
        .set_write_batch_size(BATCH)
        .set_max_row_group_row_count(Some(GROUP))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .set_key_value_metadata(Some(metadata(table)));
    Ok(table.columns.iter().fold(all, encoding).build())
}

/// Counts differ little from row to row. Real numbers hardly repeat, and nobody looks for a range of
/// them. Doubles are as they are in memory: adjusted p-values, which repeat, take the least space so.
/// Of floats the first bytes stand together, then the second ones, since signs and exponents repeat.
/// Texts repeat, and are numbered.
fn encoding(all: WriterPropertiesBuilder, column: &Column) -> WriterPropertiesBuilder {
    let path = ColumnPath::from(&*column.name);
    match column.values {
        Values::U32(_) | Values::U64(_) | Values::I64(_) => all
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED),
        Values::F64(_) => all
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_statistics_enabled(path, EnabledStatistics::None),
        Values::F32(_) => all
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path.clone(), Encoding::BYTE_STREAM_SPLIT)
            .set_column_statistics_enabled(path, EnabledStatistics::None),
        Values::Bool(_) | Values::Text(_) | Values::Category { .. } => all,
    }
}

fn metadata(table: &Table) -> Vec<KeyValue> {
    let about = |column: &Column| (column.name.to_string(), Value::from(column.about));
    let columns: Map<_, _> = table.columns.iter().map(about).collect();
    let pair = |key: &str, value: String| KeyValue::new(key.to_owned(), value);
    vec![
        pair(ABOUT, table.about.to_owned()),
        pair(COLUMNS, Value::Object(columns).to_string()),
        pair(VERSION, env!("CARGO_PKG_VERSION").to_owned()),
        pair(DEFINITION, CohortTally::DEFINITION.to_string()),
    ]
}
