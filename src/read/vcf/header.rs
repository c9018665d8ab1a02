//! The header: definitions, contigs and samples. Lines that are odd are kept and otherwise passed over:
//! real files have filters with numbers, descriptions in single quotes and definitions in any order.

use super::lines::Lines;
use crate::error::{Error, Result};
use crate::read::budget::{Budget, NAME, dividers};
use crate::read::sniff;

/// The columns before the samples.
const COLUMNS: [&[u8]; 9] = [
    b"#CHROM", b"POS", b"ID", b"REF", b"ALT", b"QUAL", b"FILTER", b"INFO", b"FORMAT",
];

/// The bytes of memory that a line of the header takes besides its letters.
const LINE: u64 = 80;

/// A definition of an INFO or FORMAT key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// The key.
    pub id: String,
    /// The number of values, as it is written: `1`, `A`, `.`; empty if there is none.
    pub number: String,
    /// The type of the values, as it is written.
    pub kind: String,
}

/// The header of a VCF.
#[derive(Debug, Clone, Default)]
pub struct Header {
    /// The version, `VCFv4.2`; empty if the file does not say.
    pub version: String,
    /// The names of contigs, in their order.
    pub contigs: Vec<String>,
    /// The keys of INFO.
    pub info: Vec<Definition>,
    /// The keys of FORMAT.
    pub format: Vec<Definition>,
    /// The names of samples, in the order of their columns.
    pub samples: Vec<String>,
    /// The values of `##source` lines.
    pub sources: Vec<String>,
    /// All bytes of the header, the line of columns included.
    pub bytes: Vec<u8>,
}

impl Header {
    pub(super) fn read(lines: &mut Lines, budget: &mut Budget) -> Result<Self> {
        let mut header = Self::default();
        loop {
            if !lines.advance()? {
                let found = if lines.number() == 0 {
                    "an empty file"
                } else {
                    "the end of the file"
                };
                return Err(lines.bad(found, "a line of columns, #CHROM POS ID REF ALT …"));
            }
            let kept = 2 * lines.bytes().len() as u64 + LINE;
            budget.take(
                kept,
                format_args!("line {}", lines.number()),
                "lines of the header",
            )?;
            header.bytes.extend_from_slice(lines.bytes());
            let line = lines.text();
            let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
            if let Some(meta) = line.strip_prefix(b"##") {
                header.add(meta);
            } else if line.starts_with(b"#CHROM") {
                header.add_samples(lines, budget)?;
                return Ok(header);
            } else if !line.is_empty() {
                return Err(no_vcf(lines, line));
            }
        }
    }

    /// Says whether INFO has this key.
    pub fn has_info(&self, id: &str) -> bool {
        self.info.iter().any(|known| known.id == id)
    }

    /// Says whether FORMAT has this key.
    pub fn has_format(&self, id: &str) -> bool {
        self.format.iter().any(|known| known.id == id)
    }

    /// Returns the place of a sample among the samples.
    pub fn sample(&self, name: &str) -> Option<usize> {
        self.samples.iter().position(|known| known == name)
    }

    fn add(&mut self, meta: &[u8]) {
        let Some(at) = meta.iter().position(|&byte| byte == b'=') else {
            return;
        };
        let (key, value) = meta.split_at(at);
        let value = text(value.get(1..).unwrap_or_default());
        match key {
            b"fileformat" => self.version = value,
            b"source" => self.sources.push(value),
            b"contig" => self.contigs.extend(attribute(&value, "ID")),
            b"INFO" => self.info.extend(definition(&value)),
            b"FORMAT" => self.format.extend(definition(&value)),
            _ => {}
        }
    }

    fn add_samples(&mut self, lines: &Lines, budget: &mut Budget) -> Result<()> {
        let line = lines.text();
        let names = dividers(line, b'\t') as u64;
        budget.take(
            names * NAME,
            format_args!("line {}", lines.number()),
            &format!("{names} columns"),
        )?;
        let mut columns = line.split(|&byte| byte == b'\t');
        for (place, name) in COLUMNS.into_iter().enumerate() {
            match columns.next() {
                Some(found) if found == name || found.trim_ascii_end() == name => {}
                // A file without samples has eight columns.
                None if place == 8 => return Ok(()),
                found => {
                    let found = found.map_or("the end of the line".to_owned(), |found| {
                        format!("{:?} in column {}", text(found), place + 1)
                    });
                    return Err(lines.bad(
                        found,
                        "#CHROM POS ID REF ALT QUAL FILTER INFO FORMAT, divided by tabs",
                    ));
                }
            }
        }
        self.samples = columns.map(text).collect();
        Ok(())
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn definition(value: &str) -> Option<Definition> {
    Some(Definition {
        id: attribute(value, "ID")?,
        number: attribute(value, "Number").unwrap_or_default(),
        kind: attribute(value, "Type").unwrap_or_default(),
    })
}

/// Returns the value of a key in `<ID=…,Number=…>`. Commas within quotes divide nothing.
fn attribute(value: &str, key: &str) -> Option<String> {
    let mut rest = value.trim().strip_prefix('<')?;
    rest = rest.strip_suffix('>').unwrap_or(rest);
    let (mut quote, mut start) = (None, 0);
    let ends = rest.char_indices().filter_map(|(at, c)| match (quote, c) {
        (None, '"' | '\'') if rest.get(..at).is_some_and(|before| before.ends_with('=')) => {
            quote = Some(c);
            None
        }
        (Some(open), c) if c == open => {
            quote = None;
            None
        }
        (None, ',') => Some(at),
        _ => None,
    });
    for end in ends.chain([rest.len()]) {
        let field = rest.get(start..end).unwrap_or_default();
        start = end + 1;
        if let Some((name, value)) = field.split_once('=')
            && name.trim() == key
        {
            return Some(value.trim_matches(['"', '\'']).to_owned());
        }
    }
    None
}

#[cold]
fn no_vcf(lines: &Lines, line: &[u8]) -> Error {
    let found = if lines.number() == 1 {
        sniff::describe(line, lines.source().len())
    } else {
        format!(
            "{:?}",
            text(line.get(..line.len().min(60)).unwrap_or_default())
        )
    };
    Error::input(
        lines.source().name(),
        format!("line {}", lines.number()),
        found,
        "a VCF's header: lines that begin with ##, then #CHROM",
        "give a VCF, plain or compressed by gzip or bgzip",
    )
}

#[cfg(test)]
mod tests {
    use super::attribute;

    #[test]
    fn attribute_ignores_commas_within_quotes() {
        for (value, key, expected) in [
            (
                "<ID=A,Number=1,Type=Float,Description=\"a, ID=B\">",
                "ID",
                Some("A"),
            ),
            ("<Description=\"x,ID=B\",ID=A>", "ID", Some("A")),
            ("<ID=Q,Description='one, Number=2'>", "Number", None),
            (
                "<ID=HLA-DRB1*15:03:01:02,length=11567>",
                "ID",
                Some("HLA-DRB1*15:03:01:02"),
            ),
            ("<ID=A,Description=\"don't\",Number=.>", "Number", Some(".")),
            ("ID=A", "ID", None),
            ("<", "ID", None),
        ] {
            assert_eq!(attribute(value, key).as_deref(), expected, "{value}");
        }
    }
}
