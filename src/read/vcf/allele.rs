//! An ALT allele's type, length, end, span and mate.
//!
//! The order in which sources are asked matters, since callers disagree: SVLEN is negative in some files,
//! absent in others, and END of a breakend may be a position on another chromosome.

use std::borrow::Cow;

use super::breakend::{self, Mate};
use super::record::Record;

/// An interval of the reference: from 0, half open. An insertion's is empty: it lies between the bases
/// `start - 1` and `start`, and is in a region if both are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first base.
    pub start: i64,
    /// The base after the last.
    pub end: i64,
}

/// What an ALT allele is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allele<'a> {
    /// The type, in upper case: DEL, INS, DUP, INV, BND, …; `UNK` if nothing says it.
    pub svtype: Cow<'a, str>,
    /// The length in bases, never negative; `None` of a breakend, and where nothing says it.
    pub length: Option<u64>,
    /// The last base on the reference, from 1.
    pub end: i64,
    /// The interval that regions are compared with.
    pub span: Span,
    /// The other end of a breakend or a translocation.
    pub mate: Option<Mate<'a>>,
    /// The ID of the record of the other end.
    pub mate_id: Option<&'a [u8]>,
}

/// The form of an ALT allele.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Sequence,
    Symbol,
    Breakend,
    /// Neither bases nor a symbol: `SV`, `*`.
    Other,
}

/// The keys of INFO that describe alleles; each is empty if it is missing.
#[derive(Default)]
struct Info<'a> {
    svtype: &'a [u8],
    svlen: &'a [u8],
    end: &'a [u8],
    chr2: &'a [u8],
    pos2: &'a [u8],
    mate_id: &'a [u8],
}

impl<'a> Info<'a> {
    fn of(record: &Record<'a>) -> Self {
        let mut found = Self::default();
        for (key, value) in record.info() {
            let slot = match key {
                b"SVTYPE" => &mut found.svtype,
                b"SVLEN" => &mut found.svlen,
                b"END" => &mut found.end,
                b"CHR2" => &mut found.chr2,
                b"POS2" => &mut found.pos2,
                b"MATEID" | b"MATE_ID" => &mut found.mate_id,
                _ => continue,
            };
            if slot.is_empty() {
                *slot = value;
            }
        }
        found
    }
}

impl<'a> Record<'a> {
    /// Describes an ALT allele, counted from 0; `None` if there is no such allele.
    pub fn allele(&self, index: usize) -> Option<Allele<'a>> {
        describe(self, index)
    }
}

fn describe<'a>(record: &Record<'a>, index: usize) -> Option<Allele<'a>> {
    let alt = record.alts().nth(index)?;
    let info = Info::of(record);
    let form = form(alt);
    let svtype = svtype(record.reference(), alt, form, of_allele(info.svtype, index));
    let is_far = matches!(&*svtype, "BND" | "TRA" | "CTX");
    let stated = number(of_allele(info.svlen, index))
        .map(i64::unsigned_abs)
        .filter(|&n| n > 0);
    let pos = record.pos();
    // END is of the first allele in files that list several.
    let stated_end = number(of_allele(info.end, index)).filter(|&end| end >= pos && !is_far);
    let length = stated.or_else(|| match form {
        Form::Sequence => Some(difference(record.reference(), alt)),
        _ => stated_end.map(|end| end.abs_diff(pos)).filter(|&n| n > 0),
    });
    let length = length.filter(|_| !is_far);
    let end = match form {
        Form::Sequence => {
            pos + i64::try_from(record.reference().len()).map_or(0, |bases| (bases - 1).max(0))
        }
        _ if is_far || svtype == "INS" => pos,
        _ => stated_end.unwrap_or_else(|| pos + length.map_or(0, |n| n.min(1 << 53).cast_signed())),
    };
    let mate = match form {
        Form::Breakend => breakend::mate(alt),
        _ if is_far => stated_mate(&info),
        _ => None,
    };
    Some(Allele {
        span: span(record, alt, form, &svtype, end),
        svtype,
        length,
        end,
        mate,
        mate_id: Some(info.mate_id).filter(|id| !matches!(*id, b"" | b".")),
    })
}

fn form(alt: &[u8]) -> Form {
    let is_base = |byte: &u8| b"ACGTNURYSWKMBDHV".contains(&byte.to_ascii_uppercase());
    if alt.starts_with(b"<") && alt.ends_with(b">") {
        Form::Symbol
    } else if !alt.is_empty() && alt != b"SV" && alt.iter().all(is_base) {
        Form::Sequence
    } else if breakend::is_breakend(alt) {
        Form::Breakend
    } else {
        Form::Other
    }
}

fn svtype<'a>(reference: &[u8], alt: &'a [u8], form: Form, stated: &'a [u8]) -> Cow<'a, str> {
    let symbol = alt.get(1..alt.len().saturating_sub(1)).unwrap_or_default();
    let symbol = symbol
        .split(|&byte| byte == b':')
        .next()
        .unwrap_or_default();
    let is_stated = !matches!(stated, b"" | b".");
    match form {
        Form::Breakend => Cow::Borrowed("BND"),
        Form::Symbol => match symbol.strip_prefix(b"CN") {
            Some(b"0") => Cow::Borrowed("DEL"),
            Some(n) if !n.is_empty() && n.iter().all(u8::is_ascii_digit) => Cow::Borrowed("CNV"),
            _ => upper(symbol),
        },
        // A breakend has brackets: the word alone makes none of a sequence.
        Form::Sequence if is_stated && !stated.eq_ignore_ascii_case(b"BND") => upper(stated),
        Form::Other if is_stated => upper(stated),
        Form::Other => Cow::Borrowed("UNK"),
        Form::Sequence => Cow::Borrowed(match alt.len().cmp(&reference.len()) {
            std::cmp::Ordering::Greater => "INS",
            std::cmp::Ordering::Less => "DEL",
            std::cmp::Ordering::Equal if alt.len() == 1 => "SNV",
            std::cmp::Ordering::Equal => "SUB",
        }),
    }
}

fn upper(word: &[u8]) -> Cow<'_, str> {
    match String::from_utf8_lossy(word) {
        Cow::Borrowed(word) if !word.bytes().any(|byte| byte.is_ascii_lowercase()) => {
            Cow::Borrowed(word)
        }
        word => Cow::Owned(word.to_ascii_uppercase()),
    }
}

/// Returns the value of an allele in a list, and the only value of a list of one.
fn of_allele(values: &[u8], index: usize) -> &[u8] {
    let mut each = values.split(|&byte| byte == b',');
    let first = each.next().unwrap_or_default();
    match index.checked_sub(1) {
        Some(more) => each
            .nth(more)
            .unwrap_or(if values.contains(&b',') { b"" } else { first }),
        None => first,
    }
}

/// Reads a whole number; one that is written as a float is cut.
fn number(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    let number = text.parse::<i64>().ok();
    let float = || {
        text.parse::<f64>()
            .ok()
            .filter(|x| x.is_finite())
            .map(|x| x as i64)
    };
    number
        .or_else(float)
        .filter(|n| n.unsigned_abs() <= 1 << 53)
}

/// Returns by how much two sequences differ in length; their length if they do not.
fn difference(reference: &[u8], alt: &[u8]) -> u64 {
    match reference.len().abs_diff(alt.len()) {
        0 => alt.len() as u64,
        n => n as u64,
    }
}

fn span(record: &Record<'_>, alt: &[u8], form: Form, svtype: &str, end: i64) -> Span {
    let pos = record.pos();
    let is_same_length = form == Form::Sequence && alt.len() == record.reference().len();
    let is_point = matches!(svtype, "BND" | "TRA" | "CTX");
    let start = if is_point || is_same_length {
        (pos - 1).max(0)
    } else {
        pos
    };
    let end = match svtype {
        "INS" => start,
        _ if is_point => pos,
        _ => end.max(start),
    };
    Span { start, end }
}

/// The other end of a translocation whose ALT allele names none.
fn stated_mate<'a>(info: &Info<'a>) -> Option<Mate<'a>> {
    let chrom = Some(info.chr2).filter(|chrom| !matches!(*chrom, b"" | b"."))?;
    let pos = number(info.pos2).or_else(|| number(info.end))?;
    Some(Mate { chrom, pos }).filter(|mate| mate.pos >= 0)
}
