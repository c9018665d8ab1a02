//! The first pass over a VCF: what its records say of themselves, and whether they can be indexed.

use std::collections::HashSet;
use std::path::Path;

use super::keys::Keys;
use crate::cohort::JoinSide;
use crate::control::Control;
use crate::error::{Error, Result};
use crate::read::benchmark::of_record;
use crate::read::vcf::{Record, Vcf};
use crate::write::bgzip::index::IndexFormat;

/// Records that are read before it is asked again whether the work is cancelled.
pub(super) const PIECE: u64 = 1 << 12;

/// The bytes of memory that are kept of a record, besides its ID.
const KEPT: usize = 160;

/// A VCF that was read once.
#[derive(Default)]
pub(super) struct Scan {
    /// What each record says of itself.
    pub(super) side: JoinSide,
    /// The furthest base to which a record reaches.
    pub(super) furthest: u64,
    /// The first record that is not in the order of an index.
    pub(super) disorder: Option<Error>,
}

impl Scan {
    /// Reads a file.
    ///
    /// # Errors
    /// Those of reading; a key of INFO that is to be added, and is there.
    pub(super) fn of(path: &Path, control: &Control) -> Result<Self> {
        let mut vcf = Vcf::open(path)?;
        if let Some(key) = vcf
            .header()
            .info
            .iter()
            .find_map(|key| Keys::named(key.id.as_bytes()))
        {
            return Err(is_there(&vcf, "the header", key));
        }
        let mut scan = Self::default();
        let mut order = Order::default();
        while vcf.advance()? {
            if vcf.line_number().is_multiple_of(PIECE) {
                control.check()?;
            }
            let Some(record) = vcf.record()? else {
                continue;
            };
            if let Some(key) = record.info().find_map(|(key, _)| Keys::named(key)) {
                return Err(is_there(&vcf, "INFO", key));
            }
            of_record(&record, |identity| scan.side.push(&identity));
            let held = KEPT + 2 * record.id().map_or(0, <[u8]>::len);
            scan.furthest = scan.furthest.max(bases(&record)[1]);
            if scan.disorder.is_none()
                && let Some(found) = order.fault(&record)
            {
                let expected = "records in the order of an index: contig by contig, by position";
                let action =
                    "sort it (bcftools sort), or write a plain file, whose name ends in .vcf";
                scan.disorder = Some(vcf.bad_line(found, expected, action));
            }
            vcf.keep(held)?;
        }
        Ok(scan)
    }
}

fn is_there(vcf: &Vcf, place: &str, key: &str) -> Error {
    let keys = "AS_LABEL,INFO/AS_REASON,INFO/AS_ATOMS,INFO/AS_LOR,INFO/AS_PFALSE";
    vcf.bad_line(
        format!("{key} in {place}: the file is annotated already"),
        "none of the keys that are added",
        &format!(
            "give the file as it was before, or take them out: bcftools annotate -x INFO/{keys}"
        ),
    )
}

/// The order of records.
#[derive(Default)]
struct Order {
    seen: HashSet<Vec<u8>>,
    contig: Vec<u8>,
    pos: i64,
}

impl Order {
    /// Says what is wrong with a record's place.
    fn fault(&mut self, record: &Record<'_>) -> Option<String> {
        let (contig, pos) = (record.chrom(), record.pos());
        let name = || String::from_utf8_lossy(contig).into_owned();
        let before = std::mem::replace(&mut self.pos, pos);
        if contig == self.contig && !self.seen.is_empty() {
            return (pos < before).then(|| format!("{}:{pos} after {}:{before}", name(), name()));
        }
        contig.clone_into(&mut self.contig);
        let is_new = self.seen.insert(contig.to_owned());
        (!is_new).then(|| format!("{}:{pos}, whose contig had other records before", name()))
    }
}

/// Returns the bases that a record may be found by, from 0, half open. Programs differ in how far a record
/// reaches, so this is as far as any takes it: REF, END, and the length of an allele without sequence.
pub(super) fn bases(record: &Record<'_>) -> [u64; 2] {
    let start = u64::try_from(record.pos() - 1).unwrap_or(0);
    let mut end = start + record.reference().len().max(1) as u64;
    let is_symbol = |alt: &[u8]| alt.starts_with(b"<") && !alt.starts_with(b"<INS");
    let has_length = record.alts().any(is_symbol);
    for (key, value) in record.info() {
        let reach = match key {
            b"END" => number(value),
            b"SVLEN" if has_length => {
                let lengths = value.split(|&byte| byte == b',').filter_map(number);
                lengths
                    .max()
                    .map(|length| (start + 1).saturating_add(length))
            }
            _ => continue,
        };
        end = end.max(reach.unwrap_or(0));
    }
    [start, end.min(IndexFormat::MOST.max(start + 1))]
}

/// Reads a whole number without its sign.
fn number(text: &[u8]) -> Option<u64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    std::str::from_utf8(digits).ok()?.parse().ok()
}
