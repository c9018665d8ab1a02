//! What the file says of itself: types, encodings, and what the columns mean.

use std::io;
use std::sync::Arc;

use ::parquet::basic::{Compression, LogicalType, Repetition, Type as Physical, ZstdLevel};
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
        Values::F64(_) => (Physical::DOUBLE, None),
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
    Type::primitive_type_builder(column.name, physical)
        .with_logical_type(logical)
        .with_repetition(repetition)
        .build()
}

/// How columns are encoded, and the file's metadata.
pub(super) fn properties(table: &Table) -> io::Result<WriterProperties> {
    let level = ZstdLevel::try_new(1).map_err(io::Error::other)?;
    let how = std::env::var("HOW").unwrap_or_default();
    let compression = match how.split('-').next().unwrap_or("") {
        "lz4" => Compression::LZ4_RAW,
        "none" => Compression::UNCOMPRESSED,
        "snappy" => Compression::SNAPPY,
        _ => Compression::ZSTD(level),
    };
    let all = WriterProperties::builder()
        .set_compression(compression)
        .set_data_page_row_count_limit(GROUP)
        .set_write_batch_size(1 << 13)
        .set_max_row_group_row_count(Some(GROUP))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .set_key_value_metadata(Some(metadata(table)));
    let each = |all, column| encoding(all, column);
    Ok(table.columns.iter().fold(all, each).build())
}

fn encoding(all: WriterPropertiesBuilder, column: &Column) -> WriterPropertiesBuilder {
    let path = ColumnPath::from(column.name);
    let how = std::env::var("HOW").unwrap_or_default();
    match column.values {
        Values::U32(_) | Values::U64(_) if how.contains("delta") => all
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path, ::parquet::basic::Encoding::DELTA_BINARY_PACKED),
        Values::U32(_) | Values::U64(_) => {
            all.set_column_dictionary_enabled(path, how.contains("dict"))
        }
        Values::F64(_) if how.contains("bss") => all
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path.clone(), ::parquet::basic::Encoding::BYTE_STREAM_SPLIT)
            .set_column_statistics_enabled(path, EnabledStatistics::None),
        Values::F64(_) => all
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_statistics_enabled(path, EnabledStatistics::None),
        _ => all,
    }
}

fn metadata(table: &Table) -> Vec<KeyValue> {
    let about = |column: &Column| (column.name.to_owned(), Value::from(column.about));
    let columns: Map<_, _> = table.columns.iter().map(about).collect();
    let pair = |key: &str, value: String| KeyValue::new(key.to_owned(), value);
    vec![
        pair(ABOUT, table.about.to_owned()),
        pair(COLUMNS, Value::Object(columns).to_string()),
        pair(VERSION, env!("CARGO_PKG_VERSION").to_owned()),
        pair(DEFINITION, CohortTally::DEFINITION.to_string()),
    ]
}
