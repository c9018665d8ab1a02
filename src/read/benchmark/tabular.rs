//! Tables of calls by tools that write no VCF of them, or one beside: read as the VCF that says the same.
//!
//! A line of the VCF is the line of the table with its number, so that messages name the right one.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use csv::{ByteRecord, Reader, ReaderBuilder};

use super::refusals::swapped;
use crate::error::{Error, Result};
use crate::read::source::{Source, Stream};
use crate::read::vcf::Vcf;

/// The tool that wrote a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// vcfdist's `query.tsv`: a row for each haplotype that has the allele, positions from 0, and neither
    /// REF nor ALT has the base before a deletion or insertion.
    Vcfdist,
    /// minda's `S_CALLER_tp.tsv` and `_fp.tsv`: a row for two breakends, each with its record's columns.
    Minda,
}

/// The longest header that is looked at.
const HEAD: u64 = 1 << 12;
/// Columns by which a table is known, and that are read.
const VCFDIST: [&str; 6] = ["CONTIG", "POS", "REF", "ALT", "QUAL", "CREDIT"];
/// The column of labels, as versions before and from 2.5 call it.
const LABELS: [&str; 2] = ["ERRTYPE", "ERR_TYPE"];
/// Columns of minda's tables, but for `_x` and `_y` behind them.
const MINDA: [&str; 6] = ["#CHROM", "POS", "ID", "ALT", "FILTER", "INFO"];
const SIDES: [&str; 2] = ["_x", "_y"];

impl Form {
    /// Says which tool's table a file is; `None` if it is none of them.
    pub(super) fn of(source: &Source) -> Result<Option<Self>> {
        let head = source.head(HEAD)?;
        let line = head.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let line = String::from_utf8_lossy(line);
        let columns: Vec<&str> = line.trim_end().split('\t').collect();
        let has = |name: &&str| columns.contains(name);
        Ok(if VCFDIST.iter().all(has) && LABELS.iter().any(has) {
            Some(Self::Vcfdist)
        } else if ["#CHROM_x", "POS_x", "ID_x", "INFO_x"].iter().all(has) {
            Some(Self::Minda)
        } else {
            None
        })
    }
}

/// Opens a VCF, or a table as one.
///
/// # Errors
/// A file that cannot be read, or that is neither.
pub(super) fn open(path: &Path) -> Result<Vcf> {
    let source = Source::open(path)?;
    let Some(form) = Form::of(&source)? else {
        return Vcf::of(source);
    };
    let failed = |error| Error::writing(path, error);
    let mut out = BufWriter::new(tempfile::tempfile().map_err(failed)?);
    let mut table = Table::open(&source)?;
    match form {
        Form::Vcfdist => table.vcfdist(&mut out)?,
        Form::Minda => table.minda(&mut out)?,
    }
    source.check_unchanged()?;
    let file = out
        .into_inner()
        .map_err(|error| failed(error.into_error()))?;
    let length = file.metadata().map_err(failed)?.len();
    Vcf::of(source.standing_in(file, length))
}

struct Table<'a> {
    source: &'a Source,
    rows: Reader<Stream>,
    columns: Vec<String>,
    row: ByteRecord,
}

/// What a row of vcfdist says of a call, but for its haplotype.
type Allele = [Vec<u8>; 5];

impl<'a> Table<'a> {
    fn open(source: &'a Source) -> Result<Self> {
        let mut reader = ReaderBuilder::new();
        reader.delimiter(b'\t').flexible(true);
        let mut table = Self {
            source,
            rows: reader.from_reader(source.stream()),
            columns: Vec::new(),
            row: ByteRecord::new(),
        };
        let columns = table.rows.byte_headers();
        let columns = columns.map(|columns| {
            let names = columns
                .iter()
                .map(|name| String::from_utf8_lossy(name).into_owned());
            names.collect()
        });
        table.columns = columns.map_err(|error| table.failed(&error))?;
        Ok(table)
    }

    /// Reads the next row; `false` after the last.
    fn advance(&mut self) -> Result<bool> {
        let read = self.rows.read_byte_record(&mut self.row);
        let is_there = read.map_err(|error| self.failed(&error))?;
        if is_there && self.row.len() != self.columns.len() {
            let found = format!("{} columns", self.row.len());
            return Err(self.bad(&found, &format!("{} columns", self.columns.len())));
        }
        Ok(is_there)
    }

    /// Returns a column's value in the row; nothing if there is no such column.
    fn value(&self, column: &str) -> &[u8] {
        let place = self.columns.iter().position(|known| known == column);
        place
            .and_then(|place| self.row.get(place))
            .unwrap_or_default()
    }

    fn vcfdist(&mut self, out: &mut BufWriter<File>) -> Result<()> {
        let name = self
            .source
            .path()
            .file_name()
            .unwrap_or_default()
            .to_string_lossy();
        if name.ends_with("truth.tsv") {
            return Err(swapped(
                self.source.path(),
                "the name",
                "vcfdist's table of the truth",
            ));
        }
        let header = b"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tQUERY\n";
        self.write(out, header)?;
        // Alleles of one place: that of both haplotypes is one call.
        let mut here: Vec<Allele> = Vec::new();
        while self.advance()? {
            let allele = self.allele()?;
            if here
                .first()
                .is_some_and(|first| first.iter().take(2).ne(allele.iter().take(2)))
            {
                here.clear();
            }
            if here.contains(&allele) {
                // As many lines as the table has.
                self.write(out, b"\n")?;
                continue;
            }
            let [contig, pos, reference, alt, label] = &allele;
            let credit: f64 = self.number("CREDIT")?;
            let kind: &[u8] = match credit {
                1.0 => b"gm",
                0.0 => b".",
                _ => b"lm",
            };
            let columns: [&[u8]; 9] = [
                contig,
                pos,
                b".",
                reference,
                alt,
                self.value("QUAL"),
                b".",
                b".",
                b"BD:BK",
            ];
            let line = [&columns.join(&b'\t')[..], b"\t", label, b":", kind, b"\n"].concat();
            self.write(out, &line)?;
            here.push(allele);
        }
        Ok(())
    }

    /// Returns contig, position, REF, ALT and label as a VCF has them. The base before an insertion or
    /// deletion is not known.
    fn allele(&self) -> Result<Allele> {
        let pos: u64 = self.number("POS")?;
        let [reference, alt] = ["REF", "ALT"].map(|column| self.value(column));
        let is_anchored = reference.is_empty() || alt.is_empty();
        // From 0, of the base behind the anchor: from 1 that is the anchor.
        let pos = if is_anchored {
            pos
        } else {
            pos.saturating_add(1)
        };
        let anchor: &[u8] = if is_anchored { b"N" } else { b"" };
        let label = LABELS.map(|column| self.value(column)).concat();
        Ok([
            self.value("CONTIG").to_vec(),
            pos.to_string().into_bytes(),
            [anchor, reference].concat(),
            [anchor, alt].concat(),
            label,
        ])
    }

    fn minda(&mut self, out: &mut BufWriter<File>) -> Result<()> {
        if !self.columns.iter().any(|column| column == "ALT_x") {
            return Err(swapped(
                self.source.path(),
                "the columns",
                "minda's table of the truth",
            ));
        }
        self.write(out, b"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n")?;
        // Second records come behind all first ones, whose lines keep their numbers.
        for side in SIDES {
            while self.advance()? {
                let is_own = side != "_x" && self.value("ID_x") == self.value("ID_y");
                if !is_own {
                    let line = self.record(side);
                    self.write(out, &line)?;
                }
            }
            *self = Self::open(self.source)?;
        }
        Ok(())
    }

    fn record(&self, side: &str) -> Vec<u8> {
        let [chrom, pos, id, alt, filter, info] = MINDA.map(|column| {
            let value = self.value(&[column, side].concat());
            if value.is_empty() { b"." } else { value }
        });
        // Positions that pandas made binary64 have a point.
        let pos = pos.strip_suffix(b".0").unwrap_or(pos);
        let columns: [&[u8]; 8] = [chrom, pos, id, b"N", alt, b".", filter, info];
        let mut line = columns.join(&b'\t');
        line.push(b'\n');
        line
    }

    fn number<N: std::str::FromStr>(&self, column: &str) -> Result<N> {
        let value = String::from_utf8_lossy(self.value(column));
        let bad = |_| self.bad(&format!("{column} {value:?}"), "a number");
        value.parse().map_err(bad)
    }

    fn write(&self, out: &mut impl Write, bytes: &[u8]) -> Result<()> {
        let written = out.write_all(bytes);
        written.map_err(|error| Error::writing(self.source.path(), error))
    }

    #[cold]
    fn bad(&self, found: &str, expected: &str) -> Error {
        let line = self.row.position().map_or(1, csv::Position::line);
        let action = "write the file again by the tool that made it";
        Error::input(
            self.source.name(),
            format!("line {line}"),
            found,
            expected,
            action,
        )
    }

    #[cold]
    fn failed(&self, error: &csv::Error) -> Error {
        self.bad(&error.to_string(), "a table of columns divided by tabs")
    }
}
