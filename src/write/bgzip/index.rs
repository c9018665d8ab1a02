//! The index of a VCF in bgzip: for each contig, bins of the reference with the places of their records.
//!
//! <https://samtools.github.io/hts-specs/tabix.pdf>, <https://samtools.github.io/hts-specs/CSIv1.pdf>
//!
//! A bin's first offset, and those of a `.tbi`'s windows, are where the first record lies that reaches
//! beyond the beginning: no record before it can reach into a later region.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::{BgzipWriter, BlockStarts};

/// Bases of the smallest bins, as a power of 2.
const SMALLEST: u32 = 14;
/// Levels of bins in a `.tbi`, without the one bin of all.
const LEVELS_OF_TBI: u32 = 5;
/// The most levels that are written: bins then have numbers below 2^31.
const MOST_LEVELS: u32 = 9;
/// Columns and marks of a VCF, as tabix counts them: the format, those of contig, begin and end, the mark
/// of header lines, and lines to pass over.
const COLUMNS: [u32; 6] = [2, 1, 2, 0, b'#' as u32, 0];

/// The form of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexFormat {
    /// `.tbi`: up to 2^29 bases a contig.
    Tbi,
    /// `.csi`, with so many levels of bins.
    Csi(u32),
}

impl IndexFormat {
    /// The last base that any index can name.
    pub const MOST: u64 = 1 << (SMALLEST + 3 * MOST_LEVELS);

    /// Chooses the form for records that end at this base or before.
    pub fn for_end(end: u64) -> Self {
        let fits = |levels: &u32| end <= 1 << (SMALLEST + 3 * levels);
        match (LEVELS_OF_TBI..MOST_LEVELS).find(fits) {
            Some(LEVELS_OF_TBI) => Self::Tbi,
            levels => Self::Csi(levels.unwrap_or(MOST_LEVELS)),
        }
    }

    /// Returns the ending that is added to the file's name.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Tbi => ".tbi",
            Self::Csi(_) => ".csi",
        }
    }

    fn levels(self) -> u32 {
        match self {
            Self::Tbi => LEVELS_OF_TBI,
            Self::Csi(levels) => levels,
        }
    }
}

/// The index of a file that is being written. Records come in their order: contig by contig, by position.
#[derive(Debug)]
pub struct Index {
    format: IndexFormat,
    contigs: Vec<Contig>,
}

#[derive(Debug)]
struct Contig {
    name: Vec<u8>,
    /// The places of each bin's records in the text.
    bins: BTreeMap<u32, Vec<[u64; 2]>>,
    /// Records that reach further than all before: their ends, and their places.
    reaches: Vec<[u64; 2]>,
    /// The place of the first record, and the end of the last.
    places: [u64; 2],
    records: u64,
}

impl Index {
    /// Begins an index.
    pub fn new(format: IndexFormat) -> Self {
        Self {
            format,
            contigs: Vec::new(),
        }
    }

    /// Adds a record: its contig, its bases from 0, half open, and where it begins and ends in the text.
    pub fn add(&mut self, contig: &[u8], bases: [u64; 2], places: [u64; 2]) {
        if self.contigs.last().is_none_or(|last| last.name != contig) {
            self.contigs.push(Contig {
                name: contig.to_owned(),
                bins: BTreeMap::new(),
                reaches: Vec::new(),
                places,
                records: 0,
            });
        }
        let levels = self.format.levels();
        if let Some(contig) = self.contigs.last_mut() {
            contig.add(bases, places, levels);
        }
    }

    /// Writes the index, compressed as its format wants.
    ///
    /// # Errors
    /// A failed write.
    pub fn write<W: Write>(&self, blocks: &BlockStarts, out: W) -> io::Result<W> {
        let mut out = BgzipWriter::new(out);
        let names: Vec<u8> = self.contigs.iter().flat_map(Contig::name).collect();
        let about = COLUMNS.into_iter().chain([names.len() as u32]);
        let about: Vec<u8> = about.flat_map(u32::to_le_bytes).chain(names).collect();
        let count = (self.contigs.len() as u32).to_le_bytes();
        match self.format {
            IndexFormat::Tbi => {
                out.write_all(b"TBI\x01")?;
                out.write_all(&count)?;
                out.write_all(&about)?;
            }
            IndexFormat::Csi(levels) => {
                out.write_all(b"CSI\x01")?;
                for number in [SMALLEST, levels, about.len() as u32] {
                    out.write_all(&number.to_le_bytes())?;
                }
                out.write_all(&about)?;
                out.write_all(&count)?;
            }
        }
        for contig in &self.contigs {
            contig.write(self.format, blocks, &mut out)?;
        }
        // Records without a place, of which a VCF has none.
        out.write_all(&0_u64.to_le_bytes())?;
        Ok(out.finish()?.0)
    }
}

impl Contig {
    fn name(&self) -> impl Iterator<Item = u8> + '_ {
        self.name.iter().copied().chain([0])
    }

    fn add(&mut self, [start, end]: [u64; 2], places: [u64; 2], levels: u32) {
        let most = 1_u64 << (SMALLEST + 3 * levels);
        let start = start.min(most - 1);
        let end = end.clamp(start + 1, most);
        let chunks = self.bins.entry(bin(start, end, levels)).or_default();
        match chunks.last_mut() {
            Some(last) if last[1] == places[0] => last[1] = places[1],
            _ => chunks.push(places),
        }
        if self
            .reaches
            .last()
            .is_none_or(|[furthest, _]| *furthest < end)
        {
            self.reaches.push([end, places[0]]);
        }
        self.places[1] = places[1];
        self.records += 1;
    }

    /// The place of the first record that reaches beyond a base.
    fn first_beyond(&self, base: u64) -> u64 {
        let at = self.reaches.partition_point(|[end, _]| *end <= base);
        let first = self.reaches.get(at).or(self.reaches.last());
        first.map_or(0, |[_, place]| *place)
    }

    fn write(
        &self,
        format: IndexFormat,
        blocks: &BlockStarts,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let levels = format.levels();
        let offset = |place: u64| blocks.virtual_offset(place).to_le_bytes();
        // One more has the contig's ends and its number of records.
        out.write_all(&(self.bins.len() as u32 + 1).to_le_bytes())?;
        for (&bin, chunks) in &self.bins {
            let chunks = merged(chunks, blocks);
            out.write_all(&bin.to_le_bytes())?;
            if let IndexFormat::Csi(_) = format {
                out.write_all(&offset(self.first_beyond(first_base(bin, levels))))?;
            }
            out.write_all(&(chunks.len() as u32).to_le_bytes())?;
            for bound in chunks.iter().flatten() {
                out.write_all(&bound.to_le_bytes())?;
            }
        }
        out.write_all(&(first_of_level(levels + 1) + 1).to_le_bytes())?;
        if let IndexFormat::Csi(_) = format {
            out.write_all(&0_u64.to_le_bytes())?;
        }
        out.write_all(&2_u32.to_le_bytes())?;
        for number in [offset(self.places[0]), offset(self.places[1])] {
            out.write_all(&number)?;
        }
        for number in [self.records, 0] {
            out.write_all(&number.to_le_bytes())?;
        }
        if format == IndexFormat::Tbi {
            let furthest = self.reaches.last().map_or(0, |[end, _]| *end);
            let windows = furthest.div_ceil(1 << SMALLEST);
            out.write_all(&(windows as u32).to_le_bytes())?;
            for window in 0..windows {
                out.write_all(&offset(self.first_beyond(window << SMALLEST)))?;
            }
        }
        Ok(())
    }
}

/// Puts chunks as virtual offsets, and joins those that meet in one block: it is inflated once.
fn merged(chunks: &[[u64; 2]], blocks: &BlockStarts) -> Vec<[u64; 2]> {
    let mut all: Vec<[u64; 2]> = Vec::new();
    for chunk in chunks {
        let chunk = chunk.map(|place| blocks.virtual_offset(place));
        match all.last_mut() {
            Some(last) if last[1] >> 16 >= chunk[0] >> 16 => last[1] = chunk[1],
            _ => all.push(chunk),
        }
    }
    all
}

/// The number of a level's first bin.
fn first_of_level(level: u32) -> u32 {
    ((1_u64 << (3 * level)) / 7) as u32
}

/// The smallest bin that holds all of these bases.
fn bin(start: u64, end: u64, levels: u32) -> u32 {
    for level in (1..=levels).rev() {
        let shift = SMALLEST + 3 * (levels - level);
        if start >> shift == (end - 1) >> shift {
            return first_of_level(level) + (start >> shift) as u32;
        }
    }
    0
}

/// The first base of a bin.
fn first_base(bin: u32, levels: u32) -> u64 {
    let level = (1..=levels)
        .rev()
        .find(|&level| bin >= first_of_level(level));
    let level = level.unwrap_or(0);
    u64::from(bin - first_of_level(level)) << (SMALLEST + 3 * (levels - level))
}

#[cfg(test)]
mod tests {
    use super::{IndexFormat, bin, first_base};

    /// The function of the specification, for five levels.
    fn bin_of_specification(start: u64, end: u64) -> u64 {
        let end = end - 1;
        for (shift, first) in [(14, 4681), (17, 585), (20, 73), (23, 9), (26, 1)] {
            if start >> shift == end >> shift {
                return first + (start >> shift);
            }
        }
        0
    }

    #[test]
    fn bin_is_that_of_the_specification() {
        for start in [
            0,
            1,
            16_383,
            16_384,
            131_071,
            1 << 20,
            (1 << 26) - 1,
            (1 << 29) - 1,
        ] {
            for length in [1, 2, 16_384, 1 << 17, 1 << 23, 1 << 26] {
                let end = (start + length).min(1 << 29);
                let found = bin(start, end, 5);
                assert_eq!(u64::from(found), bin_of_specification(start, end));
                assert!(first_base(found, 5) <= start);
            }
        }
        assert_eq!(first_base(4681 + 7, 5), 7 << 14);
        assert_eq!(first_base(9 + 7, 5), 7 << 23);
    }

    #[test]
    fn format_is_csi_beyond_what_tbi_can_name() {
        assert_eq!(IndexFormat::for_end(1 << 29), IndexFormat::Tbi);
        assert_eq!(IndexFormat::for_end((1 << 29) + 1), IndexFormat::Csi(6));
        assert_eq!(IndexFormat::for_end((1 << 32) + 1), IndexFormat::Csi(7));
        assert_eq!(IndexFormat::for_end(u64::MAX), IndexFormat::Csi(9));
    }
}
