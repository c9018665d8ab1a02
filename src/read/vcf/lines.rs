//! A file as lines, plain or inflated, one in memory at a time.

use std::io::{self, BufRead, BufReader, Read};

use crate::error::{Error, Result};
use crate::read::budget::Budget;
use crate::read::metadata::gzip::Members;
use crate::read::sniff;
use crate::read::source::{Source, Stream};

/// Bytes that are read, and inflated, at a time.
const BUFFER: usize = 1 << 18;
/// Capacity from which a line's memory is given back once shorter lines follow.
const LARGE: usize = 1 << 22;
/// The empty block that ends a file of bgzip.
const END_OF_BGZIP: [u8; 28] = [
    0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 6, 0, 0x42, 0x43, 2, 0, 0x1b, 0, 3, 0, 0, 0, 0, 0, 0, 0,
    0, 0,
];

/// Bytes of a file, inflated if they are compressed.
enum Bytes {
    Plain(BufReader<Stream>),
    Gzip(Box<BufReader<Members<BufReader<Stream>>>>),
}

/// Lines of a file. The bytes of a line are those of the file, what ends it included.
pub(super) struct Lines {
    source: Source,
    bytes: Bytes,
    line: Vec<u8>,
    number: u64,
    /// The most bytes of a line.
    longest: u64,
}

impl Lines {
    /// Opens a file.
    ///
    /// # Errors
    /// A file that cannot be read, BCF, and bgzip that is cut short between two blocks.
    pub(super) fn open(source: Source) -> Result<Self> {
        let head = source.head(sniff::HEAD)?;
        let longest = Budget::of(&source).left() / 2;
        let file = BufReader::with_capacity(BUFFER, source.stream());
        let bytes = if head.starts_with(b"\x1f\x8b") {
            check_end(&source, &head)?;
            Bytes::Gzip(Box::new(BufReader::with_capacity(
                BUFFER,
                Members::new(file),
            )))
        } else {
            Bytes::Plain(file)
        };
        let mut lines = Self {
            source,
            bytes,
            line: Vec::new(),
            number: 0,
            longest,
        };
        lines.refuse_others()?;
        Ok(lines)
    }

    /// Refuses BCF, and what does not begin as a VCF does: its first line may be the whole file.
    fn refuse_others(&mut self) -> Result<()> {
        let peeked = match &mut self.bytes {
            Bytes::Plain(bytes) => bytes.fill_buf(),
            Bytes::Gzip(bytes) => bytes.fill_buf(),
        };
        let head = peeked.map(|head| {
            head.get(..head.len().min(sniff::HEAD as usize))
                .unwrap_or_default()
                .to_vec()
        });
        let head = head.map_err(|error| self.failed(&error))?;
        let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head);
        let (found, action) = if head.starts_with(b"BCF") {
            (
                "BCF".to_owned(),
                "make one of it: bcftools view -Oz -o FILE.vcf.gz FILE.bcf",
            )
        } else if head.is_empty() || text.starts_with(b"#") {
            return Ok(());
        } else {
            (
                sniff::describe(&head, self.source.len()),
                "give a VCF, plain or compressed by gzip or bgzip",
            )
        };
        let expected = "a VCF's header: lines that begin with ##, then #CHROM";
        Err(Error::input(
            self.source.name(),
            "line 1",
            found,
            expected,
            action,
        ))
    }

    /// Reads the next line; `false` after the last.
    pub(super) fn advance(&mut self) -> Result<bool> {
        if self.line.capacity() > LARGE && self.line.len() < LARGE / 4 {
            self.line = Vec::new();
        }
        self.line.clear();
        let read = match &mut self.bytes {
            Bytes::Plain(bytes) => bytes.take(self.longest).read_until(b'\n', &mut self.line),
            Bytes::Gzip(bytes) => bytes.take(self.longest).read_until(b'\n', &mut self.line),
        };
        let count = read.map_err(|error| self.failed(&error))?;
        self.number += u64::from(count > 0);
        if count as u64 == self.longest && !self.line.ends_with(b"\n") {
            let found = format!("a line of more than {count} bytes");
            return Err(self.bad(found, "a line that the file's own bytes can stand for"));
        }
        Ok(count > 0)
    }

    /// Returns the line without what ends it.
    pub(super) fn text(&self) -> &[u8] {
        let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        line.strip_suffix(b"\r").unwrap_or(line)
    }

    /// Returns the line with what ends it.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.line
    }

    /// Returns the line's number, from 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    /// Makes the error of the line that was read last.
    #[cold]
    pub(super) fn bad(&self, found: impl Into<String>, expected: &str) -> Error {
        Error::input(
            self.source.name(),
            format!("line {}", self.number),
            found,
            expected,
            "write the file again by the tool that made it",
        )
    }

    #[cold]
    fn failed(&self, error: &io::Error) -> Error {
        let place = format!("after line {}", self.number);
        let (found, action) = match error.kind() {
            io::ErrorKind::UnexpectedEof => (
                "the end of the file within compressed bytes".to_owned(),
                "the file is cut short: copy it again from where it was whole",
            ),
            _ if matches!(self.bytes, Bytes::Gzip(_)) && error.raw_os_error().is_none() => (
                error.to_string(),
                "the file is damaged: copy it again from where it was whole",
            ),
            _ => {
                return Error::reading(
                    self.source.path(),
                    io::Error::new(error.kind(), error.to_string()),
                );
            }
        };
        Error::input(
            self.source.name(),
            place,
            found,
            "text compressed by gzip or bgzip",
            action,
        )
    }
}

/// Refuses bgzip without the empty block that ends it: the rest of the file is lost.
fn check_end(source: &Source, head: &[u8]) -> Result<()> {
    let is_bgzip = head.get(3) == Some(&4) && head.get(12..14) == Some(b"BC");
    if !is_bgzip {
        return Ok(());
    }
    let mut end = [0; END_OF_BGZIP.len()];
    if let Some(at) = source.len().checked_sub(end.len() as u64) {
        source.read_at(&mut end, at)?;
    }
    if end == END_OF_BGZIP || is_padded(source)? {
        return Ok(());
    }
    Err(Error::input(
        source.name(),
        format!("byte {}, the end of the file", source.len()),
        "no block that ends bgzip",
        "an empty block of 28 bytes at the end",
        "the file is cut short: copy it again, or, if it is whole, compress it again by bgzip",
    ))
}

/// Says whether nothing but zeros follow the block that ends bgzip: tapes pad files.
fn is_padded(source: &Source) -> Result<bool> {
    const LOOKED_AT: u64 = 1 << 16;
    let from = source.len().saturating_sub(LOOKED_AT);
    let mut end = Vec::new();
    let read = source.stream_from(from).read_to_end(&mut end);
    read.map_err(|error| Error::reading(source.path(), error))?;
    let zeros = end.iter().rev().take_while(|&&byte| byte == 0).count();
    // The block itself ends with nine zeros.
    let block = end.len().saturating_sub(zeros).saturating_add(9);
    Ok(zeros > 9
        && end
            .get(..block)
            .is_some_and(|end| end.ends_with(&END_OF_BGZIP)))
}
