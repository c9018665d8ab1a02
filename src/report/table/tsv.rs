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
    let names: Vec<_> = table.columns.iter().map(|column| column.name).collect();
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
        Values::F64(values) => float(values[row], text, scratch)?,
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

fn float(x: f64, text: &mut Vec<u8>, scratch: &mut Vec<u8>) -> io::Result<()> {
    if x.is_nan() {
        text.extend_from_slice(b"NA");
        return Ok(());
    }
    if x.is_infinite() {
        text.extend_from_slice(if x > 0.0 { b"inf" } else { b"-inf" });
        return Ok(());
    }
    scratch.clear();
    write!(scratch, "{x:e}")?;
    if !fixed(scratch, text) {
        text.extend_from_slice(scratch);
    }
    Ok(())
}

/// Writes a number without exponent, if that is no longer; it is given with one, as `-1.25e-7`.
fn fixed(scientific: &[u8], text: &mut Vec<u8>) -> bool {
    let Some(e) = scientific.iter().rposition(|&byte| byte == b'e') else {
        return false;
    };
    let (mantissa, power) = (&scientific[..e], &scientific[e + 1..]);
    let Some(power) = std::str::from_utf8(power)
        .ok()
        .and_then(|p| p.parse::<i32>().ok())
    else {
        return false;
    };
    let (sign, mantissa) = match mantissa {
        [b'-', rest @ ..] => (&b"-"[..], rest),
        rest => (&b""[..], rest),
    };
    let digits = mantissa.iter().filter(|&&byte| byte != b'.').copied();
    let count = mantissa.len() - usize::from(mantissa.len() > 1);
    let before = usize::try_from(power + 1).unwrap_or(0);
    let zeros = usize::try_from(-power).unwrap_or(0);
    let length = match (zeros, before) {
        (0, before) if before >= count => before,
        (zeros, _) => count + 1 + zeros,
    };
    if length > scientific.len() - sign.len() {
        return false;
    }
    text.extend_from_slice(sign);
    if zeros > 0 {
        text.extend_from_slice(b"0.");
        text.extend(std::iter::repeat_n(b'0', zeros - 1));
        text.extend(digits);
        return true;
    }
    for (place, digit) in digits.enumerate() {
        if place == before {
            text.push(b'.');
        }
        text.push(digit);
    }
    text.extend(std::iter::repeat_n(b'0', before.saturating_sub(count)));
    true
}
