//! One line as columns: slices of the line, which nothing copies.

/// The columns that every record has.
const FIXED: usize = 8;

/// A record: slices of its line.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    line: &'a [u8],
    /// The end of each column up to INFO.
    ends: [usize; FIXED],
    pos: i64,
}

impl<'a> Record<'a> {
    /// Splits a line; an error is what was found, and what was expected.
    pub(super) fn of(line: &'a [u8]) -> Result<Self, (String, &'static str)> {
        let mut ends = [line.len(); FIXED];
        let mut start = 0;
        for (place, end) in ends.iter_mut().enumerate() {
            if start > line.len() {
                let found = format!("{place} columns");
                return Err((found, "a record of at least 8 columns, divided by tabs"));
            }
            let rest = line.get(start..).unwrap_or_default();
            let length = rest.iter().position(|&byte| byte == b'\t');
            *end = length.map_or(line.len(), |length| start + length);
            start = *end + 1;
        }
        let mut record = Self { line, ends, pos: 0 };
        let pos = std::str::from_utf8(record.column(1)).ok();
        let pos = pos.and_then(|pos| pos.parse().ok());
        let Some(pos) = pos.filter(|pos| (0..=MOST).contains(pos)) else {
            let found = format!("POS {:?}", String::from_utf8_lossy(record.column(1)));
            return Err((found, "a whole number from 0 on"));
        };
        record.pos = pos;
        Ok(record)
    }

    fn column(&self, place: usize) -> &'a [u8] {
        let start = place
            .checked_sub(1)
            .and_then(|before| self.ends.get(before));
        let start = start.map_or(0, |end| end + 1);
        let end = self.ends.get(place).copied().unwrap_or_default();
        self.line.get(start..end).unwrap_or_default()
    }

    /// Returns CHROM.
    pub fn chrom(&self) -> &'a [u8] {
        self.column(0)
    }

    /// Returns POS, from 1; 0 is the telomere before the first base.
    pub fn pos(&self) -> i64 {
        self.pos
    }

    /// Returns ID; `None` if it is missing.
    pub fn id(&self) -> Option<&'a [u8]> {
        Some(self.column(2)).filter(|id| !matches!(*id, b"." | b""))
    }

    /// Returns REF.
    pub fn reference(&self) -> &'a [u8] {
        self.column(3)
    }

    /// Returns the column ALT, all alleles of it.
    pub fn alternatives(&self) -> &'a [u8] {
        self.column(4)
    }

    /// Returns the ALT alleles; none if the column is `.`.
    pub fn alts(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let column = self.alternatives();
        let alleles = column.split(|&byte| byte == b',');
        alleles.filter(move |_| !matches!(column, b"." | b""))
    }

    /// Returns QUAL.
    pub fn qual(&self) -> &'a [u8] {
        self.column(5)
    }

    /// Returns FILTER.
    pub fn filter(&self) -> &'a [u8] {
        self.column(6)
    }

    /// Returns the column INFO.
    pub fn info_column(&self) -> &'a [u8] {
        self.column(7)
    }

    /// Returns where the column INFO ends in the line.
    pub fn info_end(&self) -> usize {
        self.ends.last().copied().unwrap_or_default()
    }

    /// Returns the keys of INFO with their values; the value of a flag is empty.
    pub fn info(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let fields = self.column(7).split(|&byte| byte == b';');
        fields
            .filter(|field| !matches!(*field, b"" | b"."))
            .map(|field| match field.iter().position(|&byte| byte == b'=') {
                Some(at) => (
                    field.get(..at).unwrap_or_default(),
                    field.get(at + 1..).unwrap_or_default(),
                ),
                None => (field, &[][..]),
            })
    }

    /// Returns the value of a key of INFO, the first if it is there twice; of a flag it is empty.
    pub fn info_value(&self, key: &str) -> Option<&'a [u8]> {
        self.info()
            .find(|(name, _)| *name == key.as_bytes())
            .map(|(_, value)| value)
    }

    /// Returns FORMAT and the samples: all columns after INFO.
    fn genotypes(&self) -> &'a [u8] {
        let start = self.ends.last().map_or(0, |end| end + 1);
        self.line.get(start..).unwrap_or_default()
    }

    /// Returns the value of a FORMAT key in a sample, counted from 0; `None` if the key or the sample is
    /// not there, or the value is missing.
    pub fn sample_value(&self, sample: usize, key: &str) -> Option<&'a [u8]> {
        let mut columns = self.genotypes().split(|&byte| byte == b'\t');
        let mut keys = columns.next()?.split(|&byte| byte == b':');
        let place = keys.position(|name| name == key.as_bytes())?;
        let value = columns
            .nth(sample)?
            .split(|&byte| byte == b':')
            .nth(place)?;
        Some(value).filter(|value| !matches!(*value, b"." | b""))
    }

    /// Returns the ALT allele, counted from 0, that the genotype of a sample names first; the first ALT
    /// allele if it names none.
    pub fn carried(&self, sample: Option<usize>) -> usize {
        let alleles = self.alts().count();
        let genotype = sample.filter(|_| alleles > 1);
        let genotype = genotype.and_then(|sample| self.sample_value(sample, "GT"));
        let named = genotype
            .unwrap_or_default()
            .split(|byte| b"/|".contains(byte));
        let mut named =
            named.filter_map(|allele| std::str::from_utf8(allele).ok()?.parse::<usize>().ok());
        let carried = named.find(|&allele| (1..=alleles).contains(&allele));
        carried.map_or(0, |allele| allele - 1)
    }
}

/// The greatest position that is read: sums with lengths stay far from overflow.
const MOST: i64 = 1 << 53;
