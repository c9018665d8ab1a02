//! Tables written as Parquet and tab-separated text, read back by libraries.

use std::error::Error;

use atomscope::report::table::{Column, Table, Values, docs, parquet, tsv};
use bytes::Bytes;
use parquet_reader::basic::{LogicalType, Repetition, Type as Physical};
use parquet_reader::file::reader::{FileReader, SerializedFileReader};
use parquet_reader::record::Field;
use proptest::prelude::*;

extern crate parquet as parquet_reader;

type Done = Result<(), Box<dyn Error>>;

const FLOATS: [f64; 12] = [
    0.0,
    -0.0,
    1.5,
    -1e-300,
    5e-324,
    f64::MAX,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    1000.0,
    0.001,
    123_456_789.25,
];

/// Every kind of column, whose values differ from row to row with periods of their own.
fn table(rows: usize) -> Table {
    let u32s = (0..rows).map(|i| u32::MAX - (i as u32 * 7 % 100_003));
    let u64s = (0..rows).map(|i| u64::MAX - i as u64 * 3);
    let truth = [None, Some(true), Some(false), Some(true), Some(true)];
    let text = |i: usize| match i % 7 {
        3 => None,
        4 => Some(String::new()),
        _ => Some(format!("Größe {}", i % 1009)),
    };
    let names = ["INS", "DEL", "chr\tX\n", "unused"]
        .map(str::to_owned)
        .to_vec();
    let columns = vec![
        Column::new("count", "Calls.", Values::U32(u32s.collect())),
        Column::new("total", "All | calls.", Values::U64(u64s.collect())),
        Column::new(
            "length",
            "bp, with a sign.",
            Values::I64(
                (0..rows)
                    .map(|i| (i % 5 != 2).then_some(3 - (i as u64).cast_signed() * 11))
                    .collect(),
            ),
        ),
        Column::new(
            "effect",
            "ln(ad/bc).",
            Values::F64((0..rows).map(float).collect()),
        ),
        Column::new(
            "flag",
            "Yes.",
            Values::Bool((0..rows).map(|i| truth[i % 5]).collect()),
        ),
        Column::new("text", "Any.", Values::Text((0..rows).map(text).collect())),
        Column::new(
            "kind",
            "Type.",
            Values::Category {
                codes: (0..rows).map(|i| (i % 11 % 3) as u32).collect(),
                names,
            },
        ),
        Column::new(
            "share",
            "Of all.",
            Values::F32((0..rows).map(|i| float(i + 5) as f32).collect()),
        ),
    ];
    Table {
        name: "things",
        about: "One row is a thing.",
        columns,
    }
}

fn float(i: usize) -> f64 {
    let far = i / FLOATS.len();
    if far.is_multiple_of(2) {
        FLOATS[i % FLOATS.len()]
    } else {
        (i as f64).sqrt()
    }
}

/// Rows of a table, `from` to `to`, as a table.
fn part(whole: &Table, from: usize, to: usize) -> Table {
    let cut = |values: &Values| match values {
        Values::U32(v) => Values::U32(v[from..to].to_vec()),
        Values::U64(v) => Values::U64(v[from..to].to_vec()),
        Values::I64(v) => Values::I64(v[from..to].to_vec()),
        Values::F64(v) => Values::F64(v[from..to].to_vec()),
        Values::F32(v) => Values::F32(v[from..to].to_vec()),
        Values::Bool(v) => Values::Bool(v[from..to].to_vec()),
        Values::Text(v) => Values::Text(v[from..to].to_vec()),
        // The texts in another order, as another block would have met them.
        Values::Category { codes, names } => Values::Category {
            codes: codes[from..to]
                .iter()
                .map(|&code| names.len() as u32 - 1 - code)
                .collect(),
            names: names.iter().rev().cloned().collect(),
        },
    };
    let columns = whole.columns.iter();
    let columns = columns.map(|c| Column::new(c.name.clone(), c.about, cut(&c.values)));
    Table {
        columns: columns.collect(),
        ..*whole
    }
}

fn written(table: &Table) -> Result<Bytes, Box<dyn Error>> {
    let mut bytes = Vec::new();
    parquet::write(table, &mut bytes)?;
    Ok(Bytes::from(bytes))
}

/// What a reader should see of a value.
fn expected(values: &Values, row: usize) -> Field {
    let or_null = |field: Option<Field>| field.unwrap_or(Field::Null);
    match values {
        Values::U32(v) => Field::UInt(v[row]),
        Values::U64(v) => Field::ULong(v[row]),
        Values::I64(v) => or_null(v[row].map(Field::Long)),
        Values::F64(v) if v[row].is_nan() => Field::Null,
        Values::F64(v) => Field::Double(v[row]),
        Values::F32(v) if v[row].is_nan() => Field::Null,
        Values::F32(v) => Field::Float(v[row]),
        Values::Bool(v) => or_null(v[row].map(Field::Bool)),
        Values::Text(v) => or_null(v[row].clone().map(Field::Str)),
        Values::Category { codes, names } => Field::Str(names[codes[row] as usize].clone()),
    }
}

fn same(found: &Field, expected: &Field) -> bool {
    match (found, expected) {
        (Field::Double(x), Field::Double(y)) => x.to_bits() == y.to_bits(),
        (Field::Float(x), Field::Float(y)) => x.to_bits() == y.to_bits(),
        (x, y) => x == y,
    }
}

fn check_rows(bytes: Bytes, table: &Table) -> Done {
    let file = SerializedFileReader::new(bytes)?;
    let mut row = 0;
    for found in file.get_row_iter(None)? {
        let found = found?;
        assert_eq!(found.len(), table.columns.len());
        for ((name, field), column) in found.get_column_iter().zip(&table.columns) {
            assert_eq!(*name, column.name);
            let expected = expected(&column.values, row);
            assert!(same(field, &expected), "{name} {row}: {field} {expected}");
        }
        row += 1;
    }
    assert_eq!(row, table.rows());
    Ok(())
}

#[test]
fn parquet_reads_back_whole() -> Done {
    for rows in [0, 1, 12, 1000] {
        let table = table(rows);
        check_rows(written(&table)?, &table)?;
    }
    Ok(())
}

#[test]
fn parquet_of_several_groups_does_not_depend_on_pieces_or_threads() -> Done {
    let rows = 2 * parquet::GROUP + 4321;
    let table = table(rows);
    let bytes = written(&table)?;
    let file = SerializedFileReader::new(bytes.clone())?;
    let groups: Vec<_> = file.metadata().row_groups().iter().collect();
    let sizes: Vec<_> = groups.iter().map(|group| group.num_rows()).collect();
    assert_eq!(sizes, [1 << 17, 1 << 17, 4321]);
    check_rows(bytes.clone(), &table)?;

    for (threads, cuts) in [
        (1, vec![0, rows]),
        (3, vec![0, 0, 1, 1000, 150_000, 150_001, rows, rows]),
        (2, vec![0, parquet::GROUP, rows - 1, rows]),
    ] {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()?;
        let mut pieces = Vec::new();
        pool.install(|| {
            let mut writer = parquet::Writer::begin(&part(&table, 0, 0), &mut pieces)?;
            for cut in cuts.windows(2) {
                writer.add(&part(&table, cut[0], cut[1]))?;
            }
            writer.finish()
        })?;
        assert!(pieces == bytes, "{threads} threads, {cuts:?}");
    }
    Ok(())
}

#[test]
fn parquet_says_types_and_meaning() -> Done {
    let file = SerializedFileReader::new(written(&table(0))?)?;
    let facts = file.metadata().file_metadata();
    let columns: Vec<_> = facts.schema_descr().columns().iter().collect();
    let types: Vec<_> = columns
        .iter()
        .map(|c| c.logical_type_ref().cloned())
        .collect();
    let text = Some(LogicalType::String);
    assert_eq!(types[0], Some(LogicalType::integer(32, false)));
    assert_eq!(types[1], Some(LogicalType::integer(64, false)));
    assert_eq!(types[2], Some(LogicalType::integer(64, true)));
    assert_eq!(types[3..], [None, None, text.clone(), text, None]);
    assert_eq!(columns[7].physical_type(), Physical::FLOAT);
    let optional: Vec<_> = columns
        .iter()
        .map(|c| c.self_type().get_basic_info().repetition() == Repetition::OPTIONAL)
        .collect();
    assert_eq!(
        optional,
        [false, false, true, true, true, true, false, true]
    );

    let pairs = facts.key_value_metadata().ok_or("no metadata")?;
    let get = |key: &str| {
        let pair = pairs.iter().find(|pair| pair.key == key);
        pair.and_then(|pair| pair.value.clone())
            .ok_or(key.to_owned())
    };
    assert_eq!(get("atomscope.about")?, "One row is a thing.");
    assert_eq!(get("atomscope.version")?, env!("CARGO_PKG_VERSION"));
    assert_eq!(get("atomscope.definition")?, "2");
    let meaning: serde_json::Value = serde_json::from_str(&get("atomscope.columns")?)?;
    assert_eq!(meaning["total"], "All | calls.");
    assert_eq!(meaning.as_object().map(serde_json::Map::len), Some(8));
    Ok(())
}

#[test]
fn tables_that_do_not_fit_are_refused() -> Done {
    let mut short = table(5);
    short.columns[4].values = Values::Bool(vec![None; 4]);
    let mut twice = table(5);
    twice.columns[1].name = "count".into();
    let mut code = table(5);
    code.columns[6].values = Values::Category {
        codes: vec![0, 1, 2, 4, 0],
        names: vec![String::new(); 4],
    };
    for (table, text) in [
        (short, "things.flag: found 4 values, expected 5, one a row"),
        (
            twice,
            "things.count: found two columns of this name, expected one",
        ),
        (code, "things.kind: found code 4, expected codes below 4"),
    ] {
        let mut out = Vec::new();
        let error = parquet::write(&table, &mut out).expect_err("refused");
        assert_eq!(error.to_string(), text);
        let error = tsv::write(&table, &mut out).expect_err("refused");
        assert_eq!(error.to_string(), text);
        assert!(out.is_empty());
    }
    let (mut other, mut out) = (table(5), Vec::new());
    other.columns[0].values = Values::U64(vec![0; 5]);
    let mut writer = parquet::Writer::begin(&table(5), &mut out)?;
    let error = writer.add(&other).expect_err("refused");
    assert!(error.to_string().starts_with("things: found other columns"));
    Ok(())
}

#[test]
fn text_reads_back_whole() -> Done {
    for rows in [0, 1, 3000, 70_001] {
        let table = table(rows);
        let mut text = Vec::new();
        tsv::write(&table, &mut text)?;
        let one = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
        let mut again = Vec::new();
        one.install(|| tsv::write(&table, &mut again))?;
        assert!(text == again);

        let mut reader = csv::ReaderBuilder::new();
        let reader = reader.delimiter(b'\t').quoting(false);
        let mut reader = reader.from_reader(text.as_slice());
        let names: Vec<_> = table.columns.iter().map(|column| &*column.name).collect();
        assert_eq!(reader.headers()?.iter().collect::<Vec<_>>(), names);
        let mut row = 0;
        for record in reader.records() {
            for (found, column) in record?.iter().zip(&table.columns) {
                let expected = match expected(&column.values, row) {
                    Field::Null => "NA".to_owned(),
                    Field::Double(x) => {
                        assert_eq!(found.parse::<f64>()?.to_bits(), x.to_bits());
                        continue;
                    }
                    Field::Float(x) => {
                        assert_eq!(found.parse::<f32>()?.to_bits(), x.to_bits());
                        assert!(found.len() <= 14, "{found} has more digits than it needs");
                        continue;
                    }
                    Field::Str(text) => text.replace(['\t', '\n'], " "),
                    other => other.to_string(),
                };
                assert_eq!(found, expected);
            }
            row += 1;
        }
        assert_eq!(row, rows);
    }
    Ok(())
}

fn shown(x: f64) -> String {
    let table = Table {
        name: "x",
        about: "",
        columns: vec![Column::new("x", "", Values::F64(vec![x]))],
    };
    let mut text = Vec::new();
    tsv::write(&table, &mut text).expect("memory takes it");
    let text = String::from_utf8(text).expect("ASCII");
    text.trim_start_matches("x\n").trim_end().to_owned()
}

#[test]
fn numbers_are_as_short_as_can_be() {
    let shown = FLOATS.map(shown);
    let expected = [
        "0",
        "-0",
        "1.5",
        "-1e-300",
        "5e-324",
        "1.7976931348623157e308",
        "inf",
        "-inf",
        "NA",
        "1e3",
        "1e-3",
        "123456789.25",
    ];
    assert_eq!(shown, expected);
}

proptest! {
    #[test]
    fn any_number_reads_back_and_no_form_is_shorter(bits in any::<u64>(), near in any::<bool>()) {
        let x = if near { bits.cast_signed() as f64 / 1e15 } else { f64::from_bits(bits) };
        prop_assume!(x.is_finite());
        let text = shown(x);
        prop_assert_eq!(text.parse::<f64>().map(f64::to_bits), Ok(x.to_bits()));
        prop_assert_eq!(text.len(), format!("{x}").len().min(format!("{x:e}").len()));
    }
}

#[test]
fn meaning_in_markdown() {
    let text = docs::markdown(&[table(0), table(3)]);
    let section = "## `things`\n\nOne row is a thing.\n\n\
        | column | type | meaning |\n|---|---|---|\n\
        | `count` | uint32 | Calls. |\n\
        | `total` | uint64 | All \\| calls. |\n\
        | `length` | int64, or missing | bp, with a sign. |\n\
        | `effect` | double, or missing | ln(ad/bc). |\n\
        | `flag` | boolean, or missing | Yes. |\n\
        | `text` | text, or missing | Any. |\n\
        | `kind` | text | Type. |\n\
        | `share` | float, or missing | Of all. |\n";
    assert_eq!(text, format!("{section}\n{section}"));
}
