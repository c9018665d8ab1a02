//! VCF, versions 4.1 to 4.5, read line by line: plain, or compressed by gzip or bgzip, with or without
//! an index. The bytes of a line are kept as they are, and one line is in memory at a time.
//!
//! | file | what it reads |
//! |---|---|
//! | `lines` | a file as lines |
//! | `header` | definitions, contigs and samples |
//! | `record` | the columns of a line, as slices of it |
//! | `allele` | an ALT allele's type, length, end, span and mate |
//! | `breakend` | the mate that an ALT names |

mod allele;
mod breakend;
mod header;
mod lines;
mod record;

use std::path::Path;

pub use allele::{Allele, Span};
pub use breakend::Mate;
pub use header::{Definition, Header};
pub use record::Record;

use super::budget::Budget;
use super::source::Source;
use crate::error::{Error, Result};
use lines::Lines;

/// A VCF that is read once, from its first record to its last.
///
/// ```
/// use atomscope::read::vcf::Vcf;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("calls.vcf");
/// let text = "##fileformat=VCFv4.2\n\
///             #CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n\
///             chr1\t100\tsv1\tN\t<DEL>\t.\tPASS\tSVTYPE=DEL;SVLEN=-50;END=150\n";
/// std::fs::write(&path, text)?;
/// let mut vcf = Vcf::open(&path)?;
/// let record = vcf.next()?.expect("a record");
/// let allele = record.allele(0).expect("an ALT allele");
/// assert_eq!((&*allele.svtype, allele.length, allele.end), ("DEL", Some(50), 150));
/// assert_eq!((allele.span.start, allele.span.end), (100, 150));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Vcf {
    lines: Lines,
    header: Header,
    budget: Budget,
}

impl Vcf {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// A file that cannot be read, that is BCF or no VCF, or whose header has no line of columns.
    pub fn open(path: &Path) -> Result<Self> {
        Self::of(Source::open(path)?)
    }

    pub(super) fn of(source: Source) -> Result<Self> {
        let mut budget = Budget::of(&source);
        let mut lines = Lines::open(source)?;
        let header = Header::read(&mut lines, &mut budget)?;
        Ok(Self {
            lines,
            header,
            budget,
        })
    }

    /// Counts the bytes of memory that are to be kept of the line that was read last.
    ///
    /// # Errors
    /// More than may be kept of the file.
    pub(crate) fn keep(&mut self, bytes: usize) -> Result<()> {
        let place = format_args!("line {}", self.lines.number());
        self.budget.take(bytes as u64, place, "records")
    }

    /// Returns the header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Reads the next record; `None` after the last. Blank lines are passed over.
    ///
    /// # Errors
    /// A file that is cut short or damaged, and a line that is no record.
    #[expect(
        clippy::should_implement_trait,
        reason = "a record borrows the line that is in memory"
    )]
    pub fn next(&mut self) -> Result<Option<Record<'_>>> {
        loop {
            if !self.lines.advance()? {
                return Ok(None);
            }
            if !self.lines.text().is_empty() {
                break;
            }
        }
        self.record()
    }

    /// Reads the next line, blank or not; `false` after the last.
    ///
    /// # Errors
    /// A file that is cut short or damaged.
    pub fn advance(&mut self) -> Result<bool> {
        self.lines.advance()
    }

    /// Splits the line that was read last; `None` of a blank one.
    ///
    /// # Errors
    /// A line that is no record.
    pub fn record(&self) -> Result<Option<Record<'_>>> {
        let line = self.lines.text();
        if line.is_empty() {
            return Ok(None);
        }
        let record = Record::of(line);
        record
            .map(Some)
            .map_err(|(found, expected)| self.lines.bad(found, expected))
    }

    /// Makes the error of the line that was read last.
    #[cold]
    pub fn bad_line(&self, found: impl Into<String>, expected: &str, action: &str) -> Error {
        let place = format!("line {}", self.lines.number());
        Error::input(self.lines.source().name(), place, found, expected, action)
    }

    /// Returns the number of the line that was read last, from 1.
    pub fn line_number(&self) -> u64 {
        self.lines.number()
    }

    /// Returns the bytes of the line that was read last, with what ends it.
    pub fn line(&self) -> &[u8] {
        self.lines.bytes()
    }
}
