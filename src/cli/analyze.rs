//! `analyze`: the notebook's whole answer, from files to files: `tally`, `merge` and `report` in one.

use clap::Args;

use super::arguments::{AnalysisArgs, AnnotateArgs, OutputArgs};
use super::counting::Cohort;
use super::progress;
use crate::analysis::outputs::{self, Save};
use crate::analysis::record::Record;
use crate::analysis::shards::KeepFirings;
use crate::error::{Choice, Result};
use crate::outputs::ANALYSIS_CHECKPOINTS;
use crate::report::text;

/// Which atoms fire on true and on false calls, and what these calls are
///
/// Prints the report, and writes it and its tables to the output folder: all of them, or none. A run
/// that was killed goes on where it was when it is started again. Files of an earlier run are replaced,
/// as run.json knows them; no others are.
#[derive(Debug, Args)]
#[command(after_long_help = outputs::help(), after_help = "Examples:\n  \
    atomscope analyze --embeddings sae_sv_embeddings.pt --model sae.pt --out results\n  \
    atomscope analyze --embeddings 'shards/*.npy' --model sae.pt --out results\n  \
    atomscope analyze --embeddings calls.pt --model models/BEST_MODEL.json --out results \\\n      \
    --save-fires --nonfinite skip --threads 8\n  \
    atomscope analyze --embeddings calls.pt --model sae.pt --out results \\\n      \
    --permutations 10000 --block locus --replicate chrom\n  \
    atomscope analyze --embeddings calls.pt --model sae.pt --out results --predict\n  \
    atomscope analyze --embeddings calls.pt --model sae.pt --out results --compare scores\n  \
    atomscope analyze --embeddings calls.npy --model sae.pt --out results \\\n      \
    --calls truvari-out --rows-are embedded.vcf.gz\n  \
    atomscope analyze --embeddings calls.npy --model sae.pt --out results \\\n      \
    --calls truvari-out --rows-are caller.vcf.gz --annotate annotated.vcf.gz --vcf caller.vcf.gz\n  \
    atomscope analyze --activations acts.npz --metadata calls.csv --out results")]
pub(super) struct Analyze {
    #[command(flatten)]
    pub(super) analysis: AnalysisArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    #[command(flatten)]
    pub(super) annotate: AnnotateArgs,
}

impl Analyze {
    pub(super) fn run(&self) -> Result<()> {
        self.files(|report| progress::print(&self.output.print.text(report)))?;
        self.output.note(self.analysis.run.engine.quiet);
        Ok(())
    }

    /// The whole job; `show` prints the tables.
    pub(super) fn files(&self, show: impl FnOnce(&text::Report) -> Result<()>) -> Result<()> {
        let asked = &self.analysis;
        asked.tables.compares_scores()?;
        asked.tables.check(true)?;
        asked.strata.check()?;
        if asked.run.cohort.choice() == Choice::Activations {
            asked.tables.compare.needs_embeddings("activations")?;
        }
        let extended = asked.tables.are_made();
        self.output.check(extended)?;
        let run = asked.run.with_labels(
            &self.output.out,
            self.output.force.force,
            &asked.strata.keys(),
        )?;
        let mut cohort = Cohort::new(&run, &asked.keep, asked.strata.strata.clone(), extended)?;
        cohort.options.batch_topk = asked.batches.options(asked.keep.memory);
        asked.tables.check(true)?;
        let regions = asked.tables.regions.read(asked.run.engine.quiet)?;
        cohort.options.describe.clone_from(&asked.strata.describe);
        cohort.options.regions.clone_from(&regions.options);
        cohort.resolve_strata(cohort.inputs.len() == 1)?;
        let page = self.output.page.settings()?;
        let mut inputs = cohort.reads(&|name| outputs::names().contains(name));
        inputs.add(self.output.page.inputs());
        inputs.add(regions.paths.iter().cloned());
        inputs.add(self.annotate.inputs());
        let (out, force) = (&*self.output.out, self.output.force.force);
        let annotated = self.annotate.open((out, inputs.clone()), extended, force)?;
        let folder = self.output.open(inputs)?;
        let checkpoints = cohort.checkpoints(&self.output.out.join(ANALYSIS_CHECKPOINTS))?;
        // The tables are to have the other half.
        let memory = asked.keep.memory / if extended { 2 } else { 1 };
        let firings = KeepFirings {
            memory,
            folder: &self.output.out,
        };
        let counted = cohort.count(checkpoints.as_ref(), Some(firings), None)?;
        let mut made = cohort.tables(&counted, asked, regions.options.clone(), memory)?;
        made.options.page = page;
        let control = progress::control();
        let describe = |record: &mut Record| {
            record.inputs.extend(regions.files(&control)?);
            Ok(())
        };
        let staying = folder.write(
            &counted,
            &made,
            Save {
                firings: self.output.save_fires,
                calls: self.output.save_fires || self.annotate.is_asked(),
                html: self.output.html.into(),
            },
            &control,
            describe,
            show,
        )?;
        progress::show_staying(&staying);
        if let Some(checkpoints) = checkpoints {
            checkpoints.remove();
        }
        annotated.map_or(Ok(()), |annotated| annotated.run(out, run.engine.quiet))
    }
}
