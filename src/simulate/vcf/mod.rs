//! The files of a simulated benchmark: the caller's VCF, the regions, and a folder as Truvari writes it.
//!
//! | file | what it holds |
//! |---|---|
//! | `record` | a call, and the truth call near it, as lines of a VCF |
//! | `truvari` | the folder: what is written beside each call, thresholds, the summary |

mod record;
mod truvari;

use std::io::{self, Write};

use self::record::{Record, header};
use super::benchmark::{PERIOD, REGION};
use super::genome::CHROMOSOMES;
use super::{CALLS, REGIONS, Simulator};
use crate::control::Control;
use crate::error::Result;
use crate::write::bgzip::index::{Index, IndexFormat};
use crate::write::bgzip::{BgzipWriter, BlockStarts};
use crate::write::set::OutputSet;

/// The place of a record: the number of its chromosome, its position, and the row of its call.
type Key = (u8, u32, u32);

/// The records of a file, by their places.
#[derive(Debug, Default)]
struct Keys(Vec<Key>);

impl Keys {
    fn add(&mut self, chrom: &str, pos: i64, row: u64) {
        let place = CHROMOSOMES.iter().position(|known| known.name == chrom);
        let pos = u32::try_from(pos).unwrap_or(0);
        self.0.push((place.unwrap_or(0) as u8, pos, row as u32));
    }

    /// Returns the rows in the order of the reference.
    fn sorted(mut self) -> impl Iterator<Item = u64> {
        self.0.sort_unstable();
        self.0.into_iter().map(|(_, _, row)| u64::from(row))
    }
}

/// Writes the files of the benchmark.
///
/// # Errors
/// Files that cannot be written, and work that is cancelled.
pub(super) fn write_benchmark(
    files: &mut OutputSet,
    simulator: &Simulator,
    control: &Control,
) -> Result<()> {
    let mut all = Keys::default();
    for row in 0..simulator.options.rows as u64 {
        let draw = simulator.draw(row);
        all.add(draw.chrom, draw.pos, row);
    }
    control.check()?;
    let records = all.sorted().map(|row| Record::of_call(simulator, row));
    write_vcf(files, CALLS, &header(record::SAMPLE, &[]), records)?;
    files.add(REGIONS, write_regions)?;
    truvari::write(files, simulator, control)
}

/// Writes records, in their order, as bgzip with an index.
fn write_vcf(
    files: &mut OutputSet,
    name: &str,
    header: &str,
    records: impl Iterator<Item = Record>,
) -> Result<()> {
    let mut written = None;
    files.add(name, |out| {
        written = Some(write_records(out, header, records)?);
        Ok(())
    })?;
    let Some((index, blocks)) = written else {
        return Ok(());
    };
    let name = format!("{name}{}", FORMAT.ending());
    files.add(&name, |out| index.write(&blocks, out).map(drop))
}

/// The form of the indices: no chromosome is longer than it can name.
const FORMAT: IndexFormat = IndexFormat::Tbi;

fn write_records(
    out: &mut dyn Write,
    header: &str,
    records: impl Iterator<Item = Record>,
) -> io::Result<(Index, BlockStarts)> {
    let mut out = BgzipWriter::new(out);
    let mut index = Index::new(FORMAT);
    out.write_all(header.as_bytes())?;
    for record in records {
        let begin = out.place();
        writeln!(out, "{record}")?;
        index.add(
            record.chrom.as_bytes(),
            record.bases(),
            [begin, out.place()],
        );
    }
    let (_, blocks) = out.finish()?;
    Ok((index, blocks))
}

fn write_regions(out: &mut dyn Write) -> io::Result<()> {
    for chromosome in &CHROMOSOMES {
        let length = chromosome.length.cast_signed();
        for period in (0..length).step_by(PERIOD as usize) {
            let [start, end] = REGION.map(|base| (period + base).min(length));
            if start < end {
                writeln!(out, "{}\t{start}\t{end}", chromosome.name)?;
            }
        }
    }
    Ok(())
}
