//! Text as lines, plain or inflated, one in memory at a time.

use std::io::{BufRead, BufReader, Read};

use super::row::Wrong;
use crate::error::{Error, Result};
use crate::read::metadata::gzip::Members;
use crate::read::sniff;
use crate::read::source::Source;

/// Lines of a file.
pub(super) struct Lines {
    source: Source,
    bytes: BufReader<Box<dyn Read>>,
    line: Vec<u8>,
    number: u64,
}

/// The greatest length of a line, in bytes.
const LONGEST: u64 = 16 << 20;

impl Lines {
    pub(super) fn open(source: &Source) -> Result<Self> {
        let head = source.head(sniff::HEAD)?;
        let stream = source.stream();
        let bytes: Box<dyn Read> = if head.starts_with(b"\x1f\x8b") {
            Box::new(Members::new(BufReader::with_capacity(1 << 16, stream)))
        } else {
            Box::new(stream)
        };
        Ok(Self {
            source: source.clone(),
            bytes: BufReader::with_capacity(1 << 16, bytes),
            line: Vec::new(),
            number: 0,
        })
    }

    /// Reads the next line; `false` after the last.
    pub(super) fn advance(&mut self) -> Result<bool> {
        self.line.clear();
        let read = (&mut self.bytes)
            .take(LONGEST)
            .read_until(b'\n', &mut self.line);
        let count = read.map_err(|error| {
            let found = format!("bytes that cannot be inflated ({error})");
            let action = "the file is cut short or damaged: copy it again from where it was whole";
            let place = format!("line {}", self.number + 1);
            Error::input(self.source.name(), place, found, "text", action)
        })?;
        self.number += 1;
        if count as u64 == LONGEST && !self.line.ends_with(b"\n") {
            let found = format!("a line of more than {LONGEST} bytes");
            let place = format!("line {}", self.number);
            let action = "a region takes one short line; give a BED file";
            return Err(Error::input(
                self.source.name(),
                place,
                found,
                "a region",
                action,
            ));
        }
        Ok(count > 0)
    }

    /// Returns the line that was read last, without what ends it.
    pub(super) fn text(&self) -> &[u8] {
        let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match self.number {
            1 => line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line),
            _ => line,
        }
    }

    /// Makes the error of the line that was read last.
    pub(super) fn bad(&self, wrong: Wrong) -> Error {
        let place = format!("line {}", self.number);
        Error::input(
            self.source.name(),
            place,
            wrong.found,
            wrong.expected,
            wrong.action,
        )
    }
}
