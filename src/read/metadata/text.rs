//! Text, compressed or not, as a stream that is never in memory as a whole.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};
use std::rc::Rc;

use super::super::budget::dividers;
use super::super::naming::is_header;
use super::super::sniff;
use super::super::source::{Source, Stream};
use super::foreign;
use super::gzip::Members;
use crate::error::{Error, Result};

/// The greatest length of a line or record, in bytes. A longer one is an open quote, not a call.
pub(super) const LONGEST: u64 = 16 << 20;

/// The length from which the fields of a record are counted, and the most of them.
const LONG: u64 = 1 << 20;
const MOST_FIELDS: usize = 2 << 20;

/// An open text file.
pub(super) struct Text {
    /// The first line that is neither blank nor a comment, and the number of lines before it.
    pub(super) first_line: Vec<u8>,
    pub(super) lines_before: usize,
    source: Source,
    rest: Bytes,
}

/// A file's bytes, inflated if they are compressed.
enum Bytes {
    Plain(BufReader<Stream>),
    Gzip(Box<BufReader<Members<BufReader<Stream>>>>),
}

impl Read for Bytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(bytes) => bytes.read(buffer),
            Self::Gzip(bytes) => bytes.read(buffer),
        }
    }
}

impl BufRead for Bytes {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self {
            Self::Plain(bytes) => bytes.fill_buf(),
            Self::Gzip(bytes) => bytes.fill_buf(),
        }
    }

    fn consume(&mut self, count: usize) {
        match self {
            Self::Plain(bytes) => bytes.consume(count),
            Self::Gzip(bytes) => bytes.consume(count),
        }
    }
}

/// Says whether a file, compressed or not, holds nothing but white space.
pub(super) fn is_blank(source: &Source) -> Result<bool> {
    const LOOKED_AT: u64 = 1 << 16;
    let head = source.head(sniff::HEAD)?;
    let mut bytes = Vec::new();
    let stream = source.stream();
    let read = if head.starts_with(b"\x1f\x8b") {
        let inflated = Members::new(BufReader::new(stream));
        inflated.take(LOOKED_AT).read_to_end(&mut bytes)
    } else {
        stream.take(LOOKED_AT).read_to_end(&mut bytes)
    };
    // The later reader reports a file that cannot be inflated.
    Ok(read.is_ok() && bytes.len() < LOOKED_AT as usize && bytes.trim_ascii().is_empty())
}

impl Text {
    /// Opens a text file that begins with `head`, or refuses a file that is not text.
    pub(super) fn open(source: &Source, head: &[u8]) -> Result<Self> {
        const BUFFER: usize = 1 << 16;
        let file = BufReader::with_capacity(BUFFER, source.stream());
        let rest = if head.starts_with(b"\x1f\x8b") {
            let inflated = Members::new(file);
            Bytes::Gzip(Box::new(BufReader::with_capacity(BUFFER, inflated)))
        } else {
            Bytes::Plain(file)
        };
        let mut text = Self {
            first_line: Vec::new(),
            lines_before: 0,
            source: source.clone(),
            rest,
        };
        while text.first_line.trim_ascii().is_empty() || is_comment(&text.first_line) {
            text.first_line.clear();
            text.lines_before += 1;
            let mut line = (&mut text.rest).take(LONGEST);
            let read = line.read_until(b'\n', &mut text.first_line);
            if read.map_err(|e| text.failed(text.lines_before, &e))? == 0 {
                break;
            }
            if text.lines_before == 1 && text.first_line.starts_with(b"\xef\xbb\xbf") {
                text.first_line.drain(..3);
            }
            foreign::refuse(source, &text.first_line)?;
        }
        text.lines_before -= 1;
        text.check(head)?;
        Ok(text)
    }

    fn check(&self, head: &[u8]) -> Result<()> {
        let found = match self.first_line.as_slice() {
            [] => "no line with anything in it".to_owned(),
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "text in UTF-16".to_owned(),
            line if line.len() as u64 >= LONGEST => {
                format!("a first line of more than {LONGEST} bytes")
            }
            line if line.contains(&0) || std::str::from_utf8(line).is_err() => {
                sniff::describe(head, self.source.len())
            }
            _ => return Ok(()),
        };
        Err(Error::input(
            self.source.name(),
            "the file's beginning",
            found,
            foreign::EXPECTED,
            "save the calls in one of these forms",
        ))
    }

    /// Makes the error of a stream that broke off.
    pub(super) fn failed(&self, line: usize, error: &io::Error) -> Error {
        broken(&self.source, line, error)
    }

    /// Returns the text from the first line that is not blank.
    pub(super) fn into_parts(self) -> (Source, Chain<Cursor<Vec<u8>>, impl BufRead>) {
        (self.source, Cursor::new(self.first_line).chain(self.rest))
    }
}

/// Says whether a line before the header is a comment. A comment begins with `#`; so do some tools'
/// lines of column names, which are not comments.
fn is_comment(line: &[u8]) -> bool {
    line.starts_with(b"#") && (line.starts_with(b"##") || !is_header(line))
}

/// Makes the error of a stream that broke off at a line.
pub(super) fn broken(source: &Source, line: usize, error: &io::Error) -> Error {
    Error::input(
        source.name(),
        format!("line {line}"),
        error.to_string(),
        "text that goes on, or bytes that gzip can inflate",
        "the file is cut short or damaged: copy it again from where it was whole",
    )
}

/// A reader that allows only so many bytes before a record must have ended.
pub(super) struct Limited<R> {
    pub(super) bytes: R,
    pub(super) left: Rc<Cell<u64>>,
    pub(super) delimiter: u8,
    /// The fields of a long record, as far as it is read.
    pub(super) fields: usize,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read(buffer)?;
        let Some(left) = self.left.get().checked_sub(count as u64) else {
            let text = format!("a call of more than {LONGEST} bytes: is a quote left open?");
            return Err(io::Error::other(text));
        };
        self.left.set(left);
        // The parser keeps 8 bytes for each field.
        if left > LONGEST - LONG {
            self.fields = 0;
        } else {
            let part = buffer.get(..count).unwrap_or_default();
            self.fields += dividers(part, self.delimiter);
        }
        if self.fields > MOST_FIELDS {
            let text = format!("a call of more than {MOST_FIELDS} fields: is a quote left open?");
            return Err(io::Error::other(text));
        }
        Ok(count)
    }
}
