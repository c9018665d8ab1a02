//! `report`: from a tally to every output of `analyze`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::arguments::{ForceArgs, MEMORY, PrintArgs, StatisticsArgs, TablesArgs, parse_bytes};
use super::progress::{self, note};
use crate::analysis::record::Record;
use crate::analysis::shards::{InputFile, expand};
use crate::analysis::{Counted, ResultsFolder};
use crate::error::{Error, Result};
use crate::outputs::FIRES;
use crate::report::text;
use crate::tally::StratifyBy;
use crate::write::inputs::Inputs;
use crate::write::whole::folder_of;

/// Report from a tally: every output of analyze, as one run over all rows would have written it
///
/// What is told of single atoms (investigations, examples, co-activation) is told from the shards'
/// firing sets, which tally --fires writes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    atomscope report all.tally --out results\n  \
    atomscope report all.tally --fires tallies --out results\n  \
    atomscope report all.tally --without-fires --out results")]
pub(super) struct Report {
    /// The tally, merged or of one shard
    #[arg(value_name = "TALLY")]
    tally: PathBuf,

    /// Firing sets of the shards: files, patterns, or folders with .fires files; others' among them
    /// do no harm [default: the tally's folder]
    #[arg(long, value_name = "PATH", num_args = 1.., conflicts_with = "without_fires")]
    fires: Vec<PathBuf>,

    /// Report from counts alone
    #[arg(long)]
    without_fires: bool,

    #[command(flatten)]
    statistics: StatisticsArgs,

    /// What calls are stratified by: some of what the tally was stratified by, or none [default:
    /// all of it]
    #[arg(long, value_name = "LIST")]
    strata: Option<StratifyBy>,

    #[command(flatten)]
    tables: TablesArgs,

    /// The most memory for the firings of atoms, as 8GiB or 500MB; where it is less than they take,
    /// firing sets are read several times
    #[arg(long, value_name = "SIZE", default_value = MEMORY, value_parser = parse_bytes)]
    memory: u64,

    /// The folder for the results; made where it does not exist
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// Also write fires.npy: uint32 [calls, k], the atoms that fire on each call, ascending
    #[arg(long, conflicts_with = "without_fires")]
    save_fires: bool,

    #[command(flatten)]
    print: PrintArgs,

    #[command(flatten)]
    force: ForceArgs,

    /// No notes on stderr; warnings and errors stay
    #[arg(short, long)]
    quiet: bool,
}

impl Report {
    pub(super) fn run(&self) -> Result<()> {
        let compare = self.tables.compare;
        compare.needs_embeddings("a report from a tally")?;
        let (fires, control) = (self.fires()?, progress::control());
        let inputs = fires.iter().flatten().chain([&self.tally]).cloned();
        let folder = ResultsFolder::open(&self.out, Inputs::of(inputs), self.force.force)?;
        let fires = fires.map(|paths| (paths, !self.fires.is_empty()));
        let counted = Counted::of_tally(&self.tally, fires, &control)?;
        if counted.firings.is_none() && !self.without_fires {
            let text = "no firing sets beside the tally: nothing is told of single atoms (--fires \
                        names them, tally --fires makes them)";
            note(self.quiet, text);
        }
        self.tables.check(counted.firings.is_some())?;
        let read = folder.seconds();
        let options = self
            .tables
            .table_options(self.statistics, self.strata, self.memory);
        let tables = counted.tables(&options, None, &control)?;
        progress::show_warnings(&tables.warnings);
        let describe = |record: &mut Record| {
            record.inputs = vec![InputFile::of("tally", &self.tally, &control)?];
            record.seconds.read = Some(read);
            Ok(())
        };
        let show = |report: &text::Report<'_>| progress::print(&self.print.text(report));
        let staying = folder.write(&counted, &tables, self.save_fires, &control, describe, show)?;
        progress::show_staying(&staying);
        let done = format!("results are in {}", self.out.display());
        note(self.quiet, &done);
        Ok(())
    }

    /// Files among which the firing sets are looked for: where none were named, those beside the
    /// tally. `None` where none are wanted.
    fn fires(&self) -> Result<Option<Vec<PathBuf>>> {
        if self.without_fires {
            return Ok(None);
        }
        let beside = [folder_of(&self.tally).to_owned()];
        let named = !self.fires.is_empty();
        let places = if named { &self.fires[..] } else { &beside };
        let mut paths = Vec::new();
        for place in expand("--fires", places)? {
            if place.is_dir() {
                paths.extend(in_folder(&place)?);
            } else {
                paths.push(place);
            }
        }
        Ok(Some(paths))
    }
}

/// Files of firing sets in a folder.
fn in_folder(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = |e| Error::reading(folder, e);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.to_string_lossy().ends_with(FIRES) && path.is_file() {
            found.push(path);
        }
    }
    Ok(found)
}
