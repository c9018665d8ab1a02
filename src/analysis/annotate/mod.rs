//! A caller's VCF with what an analysis says of its records: their bytes stay as they are, but for keys that
//! are added to INFO, and the lines that define these in the header.
//!
//! | file | what it does |
//! |---|---|
//! | `known` | reads the calls of a folder of results |
//! | `keys` | the keys: header lines and values |
//! | `scan` | the first pass: identities, order, reach |
//! | `output` | the file, plain or bgzip with an index |

mod keys;
mod known;
mod output;
mod scan;

use std::fmt::Write;
use std::path::Path;

use super::outputs;
use crate::cohort::{JoinSide, Joined, join_certain};
use crate::control::Control;
use crate::error::{Error, Result};
use crate::read::vcf::Vcf;
use crate::write::bgzip::index::IndexFormat;
use crate::write::inputs::Inputs;
use known::KnownCalls;
pub use output::AnnotatedFile;
use output::Sink;
use scan::{PIECE, Scan};

/// The counts of annotated records.
#[derive(Debug, Clone, PartialEq)]
pub struct Annotated {
    /// Records of the VCF.
    pub records: usize,
    /// Calls of the results.
    pub calls: usize,
    /// How records were joined to calls: the records are its rows.
    pub joined: Joined,
    /// Records whose INFO is empty, where not even `.` stands. They keep their bytes.
    pub without_info: usize,
}

impl Annotated {
    /// Says how many records were joined by which key, and how many were not.
    pub fn words(&self) -> String {
        let by = self.joined.by.iter().filter(|(count, _)| *count > 0);
        let by = by.map(|(count, key)| format!("{count} by {}", key.map_or("", |key| key.words())));
        let by = by.collect::<Vec<_>>().join(", ");
        let by = if by.is_empty() {
            by
        } else {
            format!(" ({by})")
        };
        let mut text = format!(
            "of {} records {} have a call of the results{by}, and {} have none and stay as they are; {} of {} \
             calls have no record",
            self.records,
            self.joined.joined(),
            self.records - self.joined.joined(),
            self.joined.calls_left.len(),
            self.calls,
        );
        if self.joined.alike > 0 {
            let alike = self.joined.alike;
            let _ = write!(
                text,
                "; {alike} of the records cannot be told apart from others"
            );
        }
        if self.joined.ids_repeat {
            text += "; IDs repeat, and join nothing";
        }
        if self.without_info > 0 {
            let count = self.without_info;
            let _ = write!(text, "; {count} have an empty INFO, and stay as they are");
        }
        text
    }
}

/// The files that an annotation reads: they are never written to.
pub fn annotation_inputs(results: &Path, vcf: &Path) -> Inputs {
    let names = outputs::names().into_iter();
    Inputs::of(names.map(|name| results.join(name)).chain([vcf.to_owned()]))
}

/// Adds to the records of a VCF what a folder of results says of their calls: label, reason, the confirmed
/// atoms that fire, their log odds ratios within strata and, where it was predicted, the chance that the call
/// is false.
///
/// # Errors
/// Results without each call's atoms; a VCF that cannot be read, that has one of the keys already, or of
/// which no record is a call; records in no order for an index; files that cannot be written; cancellation.
pub fn annotate(
    results: &Path,
    vcf: &Path,
    out: &AnnotatedFile,
    control: &Control,
) -> Result<Annotated> {
    let (known, scan) = rayon::join(|| KnownCalls::read(results), || Scan::of(vcf, control));
    let mut known = known?;
    let Scan {
        side,
        furthest,
        disorder,
    } = scan?;
    if let Some(disorder) = disorder.filter(|_| out.is_bgzip) {
        return Err(disorder);
    }
    let joined = join_certain(&side, &known.side);
    let mut found = Annotated {
        records: side.len(),
        calls: known.side.len(),
        joined,
        without_info: 0,
    };
    drop(side);
    known.side = JoinSide::default();
    if found.joined.joined() == 0 && found.records > 0 {
        return Err(Error::input(
            vcf.display().to_string(),
            "the records",
            found.words(),
            "calls that are in the results",
            "give the VCF whose calls were embedded, of the same reference",
        ));
    }
    let format = IndexFormat::for_end(furthest);
    out.write(format, |sink| {
        let mut vcf = Vcf::open(vcf)?;
        let mut records = Records {
            known: &mut known,
            found: &mut found,
            sink,
        };
        records.add_header(&vcf.header().bytes)?;
        records.add_all(&mut vcf, control)
    })?;
    Ok(found)
}

/// The second pass.
struct Records<'a, 'b> {
    known: &'a mut KnownCalls,
    found: &'a mut Annotated,
    sink: &'a mut Sink<'b>,
}

impl Records<'_, '_> {
    fn add_header(&mut self, header: &[u8]) -> Result<()> {
        let (before, after) = header.split_at(place_of_lines(header));
        self.sink.add(before)?;
        let end = if before.ends_with(b"\r\n") || before.is_empty() && header.ends_with(b"\r\n") {
            "\r\n"
        } else {
            "\n"
        };
        self.sink
            .add(self.known.used.header_lines(end).as_bytes())?;
        self.sink.add(after)
    }

    fn add_all(&mut self, vcf: &mut Vcf, control: &Control) -> Result<()> {
        let mut row = 0;
        while vcf.advance()? {
            if vcf.line_number().is_multiple_of(PIECE) {
                control.check()?;
            }
            let began = self.sink.place();
            let Some(record) = vcf.record()? else {
                self.sink.add(vcf.line())?;
                continue;
            };
            let (info, end) = (record.info_column(), record.info_end());
            let call = self.found.joined.call.get(row).copied().flatten();
            let keys = match call {
                Some(call) => self.known.keys(call)?,
                None => &[],
            };
            if keys.is_empty() || info.is_empty() {
                self.found.without_info += usize::from(!keys.is_empty());
                self.sink.add(vcf.line())?;
            } else {
                let is_missing = info == b".";
                let (before, after) = vcf.line().split_at(end);
                let kept = if is_missing {
                    before.len() - 1
                } else {
                    before.len()
                };
                self.sink.add(before.get(..kept).unwrap_or_default())?;
                self.sink.add(if is_missing { b"" } else { b";" })?;
                self.sink.add(keys)?;
                self.sink.add(after)?;
            }
            self.sink.index(record.chrom(), scan::bases(&record), began);
            row += 1;
        }
        self.known.check_unchanged()?;
        if row == self.found.records {
            return Ok(());
        }
        let expected = format!("{} records, as before", self.found.records);
        let action = "it changed while it was read: wait until it is written, and run again";
        Err(vcf.bad_line(format!("the end after {row} records"), &expected, action))
    }
}

/// Returns where lines of INFO are added: behind the last one, else before the line of columns.
fn place_of_lines(header: &[u8]) -> usize {
    const MARK: &[u8] = b"\xef\xbb\xbf";
    let (mut at, mut behind, mut columns) = (0, None, 0);
    for line in header.split_inclusive(|&byte| byte == b'\n') {
        let mark = if at == 0 && line.starts_with(MARK) {
            MARK.len()
        } else {
            0
        };
        let text = line.get(mark..).unwrap_or_default();
        if text.starts_with(b"#CHROM") {
            columns = at + mark;
        }
        at += line.len();
        if text.starts_with(b"##INFO=") {
            behind = Some(at);
        }
    }
    behind.unwrap_or(columns)
}

#[cfg(test)]
mod tests {
    use super::place_of_lines;

    #[test]
    fn place_of_lines_is_behind_the_last_info() {
        for (header, before) in [
            (
                "##a\n##INFO=<ID=A>\n##FORMAT\n##INFO=<ID=B>\n##b\n#CHROM\n",
                "##a\n##INFO=<ID=A>\n##FORMAT\n##INFO=<ID=B>\n",
            ),
            ("##a\r\n#CHROM\r\n", "##a\r\n"),
            ("#CHROM", ""),
            ("\u{feff}#CHROM\n", "\u{feff}"),
            ("\u{feff}##INFO=<ID=A>\n#CHROM\n", "\u{feff}##INFO=<ID=A>\n"),
        ] {
            assert_eq!(
                place_of_lines(header.as_bytes()),
                before.len(),
                "{header:?}"
            );
        }
    }
}
