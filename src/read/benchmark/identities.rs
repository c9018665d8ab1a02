//! What rows of embeddings say of themselves: a VCF in their order, a table of calls, a list of IDs, or
//! what stands in the file of the embeddings.

use std::io::{BufRead, BufReader};
use std::path::Path;

use crate::cohort::{Call, Calls, ClassRule, IdColumn, Identity, Label, Number, allele_key};
use crate::error::{Error, Result};
use crate::read::budget::{Budget, CALL, TEXT};
use crate::read::calls::read_calls;
use crate::read::embeddings::File;
use crate::read::metadata::{Table, columns_and_count, texts};
use crate::read::naming::{Naming, is_header};
use crate::read::sniff;
use crate::read::source::Source;
use crate::read::vcf::{Record, Vcf};

/// The longest ID of a list of IDs.
const LONGEST: u64 = 1 << 16;

/// The identities of rows, in their order.
#[derive(Debug, Clone, Default)]
pub struct RowIdentities {
    /// What is known of each row; what is not known is missing.
    pub calls: Calls,
    /// REF and ALT of each row, if they are known.
    pub alleles: Option<[IdColumn; 2]>,
    /// True if classes are known.
    has_classes: bool,
}

/// Reads the identities of rows from a VCF whose records are in the order of the rows, a table of calls
/// (CSV, TSV, JSON lines, Parquet), a text of one ID a line, or a file of embeddings with `sv_info`, or with
/// arrays `id` or `ids`, `chrom` and `pos`, `svtype` and `svlen`, `ref` and `alt`.
///
/// # Errors
/// A file that is none of these, or that cannot be read.
pub fn read_row_identities(path: &Path) -> Result<RowIdentities> {
    let source = Source::open(path)?;
    let head = source.head(sniff::HEAD)?;
    let is_gzip = head.starts_with(b"\x1f\x8b");
    if head.starts_with(b"##fileformat")
        || head.starts_with(b"#CHROM\tPOS\tID\tREF")
        || is_gzip && Vcf::open(path).is_ok()
    {
        return of_vcf(path);
    }
    let is_control = |byte: &u8| byte.is_ascii_control() && !b"\t\r\n".contains(byte);
    let is_text = !head.is_empty() && !head.iter().any(is_control) && !head.contains(&b'{');
    let first = head.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let first = String::from_utf8_lossy(first);
    if is_text && !is_header(first.trim().as_bytes()) && !first.contains(['\t', ',']) {
        return of_ids(&source);
    }
    if head.starts_with(b"PAR1") || is_gzip || !head.iter().any(is_control) {
        return of_table(path);
    }
    of_embeddings(path)
}

fn of_vcf(path: &Path) -> Result<RowIdentities> {
    let mut vcf = Vcf::open(path)?;
    let mut found = RowIdentities::default();
    while let Some(record) = vcf.next()? {
        found.push(&record);
        found.push_alleles(&record);
        let held = held(&record);
        vcf.keep(held)?;
    }
    Ok(found)
}

/// Estimates the bytes of memory that a record takes among rows, and again where it is looked up.
fn held(record: &Record<'_>) -> usize {
    const EACH: usize = 160;
    let id = record.id().map_or(0, <[u8]>::len);
    // Of long alleles a digest is kept.
    let alleles = [record.reference(), record.alternatives()].map(|allele| allele.len().min(256));
    EACH + 2 * id + alleles.iter().sum::<usize>()
}

impl RowIdentities {
    /// Appends what a record of a VCF says of itself, but for its alleles.
    fn push(&mut self, record: &Record<'_>) {
        of_record(record, |identity| {
            let length = identity.length.unwrap_or(0);
            self.calls.push(&Call {
                chrom: identity.chrom,
                pos: Number::Int(record.pos()),
                svtype: identity.svtype,
                svlen: Number::Int(i64::try_from(length).unwrap_or(i64::MAX)),
                id: identity.id,
                ..Call::default()
            });
        });
    }

    /// Appends the rows of another file. What one of them does not say is missing there.
    pub fn append(&mut self, mut other: Self) {
        if self.is_empty() {
            *self = other;
            return;
        }
        if self.alleles.is_some() || other.alleles.is_some() {
            let (own, more) = (self.len(), other.len());
            let columns = self.alleles.get_or_insert_default().iter_mut();
            let others = other.alleles.get_or_insert_default().iter();
            for (column, other) in columns.zip(others) {
                (column.len()..own).for_each(|_| column.push(None));
                (0..more).for_each(|row| column.push(other.get(row)));
            }
        }
        // Of a file without classes all are missing, and say nothing.
        self.has_classes |= other.has_classes;
        (0..other.len()).for_each(|row| self.calls.push(&other.calls.get(row)));
    }

    fn push_alleles(&mut self, record: &Record<'_>) {
        let alleles = [record.reference(), record.alternatives()];
        let columns = self.alleles.get_or_insert_default().iter_mut();
        for (column, allele) in columns.zip(alleles) {
            column.push(Some(&allele_key(allele)));
        }
    }
}

/// Hands over what a record of a VCF says of itself, but for its alleles.
pub(crate) fn of_record(record: &Record<'_>, then: impl FnOnce(Identity<'_>)) {
    let allele = record.allele(record.carried(None));
    let chrom = String::from_utf8_lossy(record.chrom());
    let id = record.id().map(String::from_utf8_lossy);
    then(Identity {
        chrom: Some(&chrom),
        pos: Some(record.pos()),
        id: id.as_deref(),
        svtype: allele.as_ref().map(|allele| &*allele.svtype),
        length: allele.as_ref().and_then(|allele| allele.length),
        ..Identity::default()
    });
}

fn of_ids(source: &Source) -> Result<RowIdentities> {
    let mut found = RowIdentities::default();
    let budget = Budget::of(source);
    let mut text = BufReader::new(source.stream());
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        let mut rest = std::io::Read::take(&mut text, LONGEST);
        let count = rest.read_until(b'\n', &mut line);
        if count.map_err(|error| Error::reading(source.path(), error))? == 0 {
            break;
        }
        let id = String::from_utf8_lossy(line.trim_ascii());
        if id.contains(['\t', ',', ' ']) || line.len() as u64 >= LONGEST {
            let (place, found) = (format!("line {number}"), format!("{id:?}"));
            let action = "give one ID a line, in the order of the rows, or a table with a header";
            return Err(Error::input(source.name(), place, found, "one ID", action));
        }
        let held = found.calls.held(CALL, TEXT);
        budget.check(held, format_args!("line {number}"), "IDs")?;
        found.calls.push(&Call {
            id: Some(&id).filter(|id| !id.is_empty()).map(|id| &**id),
            ..Call::default()
        });
    }
    Ok(found)
}

fn of_table(path: &Path) -> Result<RowIdentities> {
    let (columns, rows) = columns_and_count(path)?;
    let rule = ClassRule::default();
    let table = Table::read_by(path, rows, "the rows", &rule, Naming::of(&rule))?;
    let [reference, alt] = ["ref", "alt"].map(|allele| column_of(&columns, allele));
    let alleles = match reference.zip(alt) {
        None => None,
        Some((reference, alt)) => Some([
            allele_column(path, reference, rows)?,
            allele_column(path, alt, rows)?,
        ]),
    };
    Ok(RowIdentities {
        calls: table.calls,
        alleles,
        has_classes: table.has_classes,
    })
}

/// Finds the column of an allele: `ref`, `REF`, or `[4]REF` as `bcftools query -H` names it.
fn column_of<'a>(columns: &'a [String], allele: &str) -> Option<&'a str> {
    let mut names = columns.iter().map(String::as_str);
    names.find(|name| {
        let plain = name.trim().trim_start_matches('#').trim_start();
        let plain = plain.rsplit_once(']').map_or(plain, |(_, plain)| plain);
        plain.eq_ignore_ascii_case(allele)
    })
}

/// Reads a column of alleles.
fn allele_column(path: &Path, column: &str, rows: usize) -> Result<IdColumn> {
    let texts = texts(path, column, rows)?;
    let mut alleles = IdColumn::default();
    for row in 0..texts.len() {
        let allele = texts.get(row).filter(|allele| !allele.is_empty());
        alleles.push(
            allele
                .map(|allele| allele_key(allele.as_bytes()))
                .as_deref(),
        );
    }
    Ok(alleles)
}

fn of_embeddings(path: &Path) -> Result<RowIdentities> {
    let file = File::open(path)?;
    if let Some((torch, info)) = file.sv_info() {
        let (calls, _) = read_calls(torch, info, None, Naming::default())?;
        let has_classes = !calls.truvari_class.values().is_empty();
        return Ok(RowIdentities {
            calls,
            alleles: None,
            has_classes,
        });
    }
    if !file.columns().is_empty() {
        return of_table(path);
    }
    of_arrays(path, &file)
}

/// Reads what an archive says of its rows, an array a field: `id` or `ids`, `chrom`, `pos`, `svtype`,
/// `svlen`, `ref` and `alt`.
fn of_arrays(path: &Path, file: &File) -> Result<RowIdentities> {
    let ids = file.ids(0)?;
    let [chrom, pos, svtype, svlen, reference, alt] =
        ["chrom", "pos", "svtype", "svlen", "ref", "alt"].map(|name| file.texts(name));
    let (chrom, pos, svtype, svlen) = (chrom?, pos?, svtype?, svlen?);
    let alleles = reference?
        .zip(alt?)
        .map(|(reference, alt)| [reference, alt]);
    let places = chrom.as_ref().zip(pos.as_ref());
    let Some(rows) = ids
        .as_ref()
        .or(places.map(|(chrom, _)| chrom))
        .map(IdColumn::len)
    else {
        return Err(Error::input(
            path.display().to_string(),
            "the file",
            "embeddings without sv_info, id, ids, or chrom and pos",
            "what says which call each row is",
            "give the VCF that was embedded, or a list of IDs in the order of the rows",
        ));
    };
    let mut calls = Calls::default();
    for row in 0..rows {
        let whole = |column: Option<&IdColumn>| text(column, row)?.trim().parse::<i64>().ok();
        calls.push(&Call {
            chrom: whole(pos.as_ref()).and_then(|_| text(chrom.as_ref(), row)),
            pos: Number::Int(whole(pos.as_ref()).unwrap_or(0)),
            svtype: text(svtype.as_ref(), row),
            svlen: Number::Int(whole(svlen.as_ref()).unwrap_or(0)),
            id: text(ids.as_ref(), row),
            ..Call::default()
        });
    }
    Ok(RowIdentities {
        calls,
        alleles,
        has_classes: false,
    })
}

/// Returns a row's text of a column that may not be there.
fn text(column: Option<&IdColumn>, row: usize) -> Option<&str> {
    column?.get(row)
}

/// Says what a call tells of itself. Labels are those of the class, if there are any.
pub(super) fn identity<'a>(
    calls: &'a Calls,
    alleles: Option<&'a [IdColumn; 2]>,
    has_classes: bool,
    row: usize,
) -> Identity<'a> {
    let call = calls.get(row);
    let allele = |which: usize| alleles?.get(which)?.get(row);
    let pos = call.pos.as_f64() as i64;
    Identity {
        chrom: call.chrom,
        // Position 0 is the telomere in a VCF; of a row that says no chromosome it is none.
        pos: call.chrom.map(|_| pos),
        id: call.id,
        reference: allele(0),
        alt: allele(1),
        svtype: call.svtype,
        length: Some(call.svlen.as_f64().abs() as u64),
        label: (has_classes && call.truvari_class.is_some())
            .then(|| Label::of_class(call.truvari_class)),
    }
}

impl RowIdentities {
    /// Returns the number of rows.
    pub fn len(&self) -> usize {
        self.calls.len()
    }

    /// Says whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Returns what a row says of itself.
    pub fn identity(&self, row: usize) -> Identity<'_> {
        identity(&self.calls, self.alleles.as_ref(), self.has_classes, row)
    }
}
