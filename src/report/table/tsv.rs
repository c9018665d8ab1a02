//! Tab-separated text: a header, then one line a row, each ended by a line feed.
//!
//! A missing value is `NA`, an infinity `inf` or `-inf`, a yes or no `true` or `false`. A real
//! number has the fewest digits that read back to the same bits, with an exponent where that is
//! shorter (`0.05`, `1e-300`). Nothing is quoted: tabs and line ends within text become spaces,
//! and a reader is told to take quotes as they are (pandas: `quoting=3`). Text that is `NA` itself
//! cannot be told from a missing one; the Parquet file can.

use std::io::{self, Write};
use std::ops::Range;

use rayon::prelude::*;
use serde::Serialize;

use super::{Table, Values};

/// Rows that one thread writes at a time.
const CHUNK: usize = 1 << 10;
/// Chunks that are in memory at once.
const AHEAD: usize = 64;

/// The whole table.
///
/// # Errors
/// A table that fails its [check](Table::check), or a failed write.
///
/// ```
/// use atomscope::report::table::{Column, Table, Values, tsv};
///
/// let values = Values::F64(vec![0.25, f64::NAN]);
/// let table = Table {
///     name: "atoms",
///     about: "One row is an atom.",
///     columns: vec![Column::new("share", "Of all calls.", values)],
/// };
/// let mut text = Vec::new();
/// tsv::write(&table, &mut text)?;
/// assert_eq!(text, b"share\n0.25\nNA\n");
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn write(table: &Table, out: &mut dyn Write) -> io::Result<()> {
    table.check()?;
    header(table, out)?;
    rows(table, out)
}

/// The header alone, for a table that is written piece by piece.
///
/// # Errors
/// A failed write.
pub fn header(table: &Table, out: &mut dyn Write) -> io::Result<()> {
    let names: Vec<_> = table.columns.iter().map(|column| &*column.name).collect();
    writeln!(out, "{}", names.join("\t"))
}

/// The rows alone.
///
/// # Errors
/// A table that fails its [check](Table::check), or a failed write.
pub fn rows(table: &Table, out: &mut dyn Write) -> io::Result<()> {
    table.check()?;
    let rows = table.rows();
    let starts: Vec<_> = (0..rows).step_by(CHUNK).collect();
    for some in starts.chunks(AHEAD) {
        let chunk = |&start: &usize| lines(table, start..rows.min(start + CHUNK));
        let written = some.par_iter().map(chunk);
        for text in written.collect::<io::Result<Vec<_>>>()? {
            out.write_all(&text)?;
        }
    }
    Ok(())
}

fn lines(table: &Table, rows: Range<usize>) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let mut scratch = Vec::new();
    for row in rows {
        for (place, column) in table.columns.iter().enumerate() {
            if place > 0 {
                text.push(b'\t');
            }
            value(&column.values, row, &mut text, &mut scratch)?;
        }
        text.push(b'\n');
    }
    Ok(text)
}

fn value(values: &Values, row: usize, text: &mut Vec<u8>, scratch: &mut Vec<u8>) -> io::Result<()> {
    match values {
        Values::U32(values) => write!(text, "{}", values[row])?,
        Values::U64(values) => write!(text, "{}", values[row])?,
        Values::I64(values) => match values[row] {
            None => text.extend_from_slice(b"NA"),
            Some(value) => write!(text, "{value}")?,
        },
        Values::F64(values) => float(values[row], values[row], text, scratch)?,
        Values::F32(values) => float(f64::from(values[row]), values[row], text, scratch)?,
        Values::Bool(values) => text.extend_from_slice(match values[row] {
            None => b"NA",
            Some(true) => b"true",
            Some(false) => b"false",
        }),
        Values::Text(values) => match &values[row] {
            None => text.extend_from_slice(b"NA"),
            Some(value) => plain(value, text),
        },
        Values::Category { codes, names } => plain(&names[codes[row] as usize], text),
    }
    Ok(())
}

/// Text within one field of one line.
fn plain(value: &str, text: &mut Vec<u8>) {
    let space = |byte| match byte {
        b'\t' | b'\n' | b'\r' => b' ',
        other => other,
    };
    text.extend(value.bytes().map(space));
}

/// Writes a number x; `exact` is the same in its own precision, of which the fewest digits are taken.
fn float(
    x: f64,
    exact: impl Serialize,
    text: &mut Vec<u8>,
    scratch: &mut Vec<u8>,
) -> io::Result<()> {
    if x.is_nan() {
        text.extend_from_slice(b"NA");
        return Ok(());
    }
    if x < 0.0 || x.to_bits() == (-0.0_f64).to_bits() {
        text.push(b'-');
    }
    if x.is_infinite() {
        text.extend_from_slice(b"inf");
        return Ok(());
    }
    scratch.clear();
    serde_json::to_writer(&mut *scratch, &exact)?;
    if scratch.first() == Some(&b'-') {
        scratch.remove(0);
    }
    decimal(scratch, text)
}

/// Writes a number, given with the fewest digits but in any form (`0.5`, `1.0`, `12e-20`), in the
/// shortest form there is.
fn decimal(number: &mut Vec<u8>, text: &mut Vec<u8>) -> io::Result<()> {
    let mut power = 0_i32;
    if let Some(e) = number.iter().rposition(|&byte| byte == b'e') {
        let exponent = std::str::from_utf8(&number[e + 1..]).map_err(io::Error::other)?;
        power = exponent.parse().map_err(io::Error::other)?;
        number.truncate(e);
    }
    let point = number.iter().position(|&byte| byte == b'.');
    let whole = point.unwrap_or(number.len());
    if point.is_some() {
        number.remove(whole);
    }
    let zeros = number.iter().take_while(|&&digit| digit == b'0').count();
    let end = number.iter().rposition(|&digit| digit != b'0');
    let Some(end) = end else {
        text.push(b'0');
        return Ok(());
    };
    // The number is d.ddd times ten to this.
    let signed = |places: usize| i32::try_from(places).map_err(io::Error::other);
    power += signed(whole)? - signed(zeros)? - 1;
    layout(&number[zeros..=end], power, text)
}

/// Writes `d.ddd·10^power`, without exponent unless that is shorter.
fn layout(digits: &[u8], power: i32, text: &mut Vec<u8>) -> io::Result<()> {
    let count = digits.len();
    let dot = usize::from(count > 1);
    let before = usize::try_from(power + 1).unwrap_or(0);
    let zeros = usize::try_from(-power).unwrap_or(0);
    let fixed = if zeros == 0 && before >= count {
        before
    } else {
        count + 1 + zeros
    };
    let exponent = count + dot + 1 + usize::from(power < 0) + decimals(power.unsigned_abs());
    if fixed > exponent {
        text.push(digits[0]);
        if dot > 0 {
            text.push(b'.');
        }
        text.extend_from_slice(&digits[1..]);
        return write!(text, "e{power}");
    }
    if zeros > 0 {
        text.extend_from_slice(b"0.");
        text.extend(std::iter::repeat_n(b'0', zeros - 1));
        text.extend_from_slice(digits);
    } else if before < count {
        text.extend_from_slice(&digits[..before]);
        text.push(b'.');
        text.extend_from_slice(&digits[before..]);
    } else {
        text.extend_from_slice(digits);
        text.extend(std::iter::repeat_n(b'0', before - count));
    }
    Ok(())
}

/// Returns the number of decimal digits of a number.
fn decimals(x: u32) -> usize {
    x.checked_ilog10().map_or(1, |most| most as usize + 1)
}
