//! `report`: from a tally to every output of `analyze`.

use clap::Args;

use super::arguments::{OutputArgs, StatisticsArgs, TablesArgs, TallyInputArgs};
use super::from_tally::FromTally;
use super::progress::{self, note};
use crate::analysis::outputs::Save;
use crate::analysis::record::Record;
use crate::analysis::shards::InputFile;
use crate::error::Result;
use crate::report::text;

/// Report from a tally: every output of analyze, as one run over all rows would have written it
///
/// What is told of single atoms (investigations, examples, co-activation) is told from the shards'
/// firing sets, which tally --fires writes.
#[derive(Debug, Args)]
#[command(mut_arg("save_fires", |save| save.conflicts_with("without_fires")), after_help = "Examples:\n  \
    atomscope report all.tally --out results\n  \
    atomscope report all.tally --fires tallies --out results\n  \
    atomscope report all.tally --without-fires --out results")]
pub(super) struct Report {
    #[command(flatten)]
    from: TallyInputArgs,
    #[command(flatten)]
    statistics: StatisticsArgs,
    #[command(flatten)]
    tables: TablesArgs,
    #[command(flatten)]
    output: OutputArgs,
}

impl Report {
    pub(super) fn run(&self) -> Result<()> {
        let compare = self.tables.compare;
        compare.needs_embeddings("a report from a tally")?;
        let control = progress::control();
        let page = &self.output.page;
        self.output.check(self.tables.are_made())?;
        let from = FromTally::open(&self.from, self.statistics, &self.tables, page)?;
        let folder = self.output.open(from.inputs())?;
        let counted = from.count(&control)?;
        if counted.firings.is_none() && !self.from.without_fires {
            let text = "no firing sets beside the tally: nothing is told of single atoms (--fires \
                        names them, tally --fires makes them)";
            note(self.from.quiet, text);
        }
        let read = folder.spent();
        let tables = from.tables(&counted, &control)?;
        let describe = |record: &mut Record| {
            record.inputs = vec![InputFile::of("tally", &self.from.tally, &control)?];
            record.inputs.extend(counted.model_file.clone());
            record.inputs.extend(from.regions.files(&control)?);
            record.seconds.read = Some(read.wall);
            record.cpu_seconds.read = Some(read.cpu);
            Ok(())
        };
        let show = |report: &text::Report<'_>| progress::print(&self.output.print.text(report));
        let staying = folder.write(
            &counted,
            &tables,
            Save {
                html: self.output.html.into(),
                ..Save::all(self.output.save_fires)
            },
            &control,
            describe,
            show,
        )?;
        progress::show_staying(&staying);
        self.output.note(self.from.quiet);
        Ok(())
    }
}
