//! `analyze`: the notebook's whole answer from its two files.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;

use super::digest;
use super::options::RunArgs;
use super::progress::{self, note, rows_bar, warn};
use super::record::{self, Record};
use crate::analysis::{Analysis, AnalyzeOptions, Encoding};
use crate::engine::Control;
use crate::error::Result;
use crate::fires::FiringSets;
use crate::read::{Cohort, LoadedModel, find_model, read_cohort_with, read_model};
use crate::report::{csv, json, npy, text};
use crate::rows::Rows;
use crate::stats::Findings;
use crate::stats::classes::{ClassCount, classes};
use crate::write::set::OutputSet;

/// Which atoms fire on true and on false calls, and what these calls are
///
/// Prints the report, and writes sae_feature_bias_analysis.csv, top_biased_features.json,
/// coactivation.csv, report.txt and run.json to the output folder: all of them, or none.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    atomscope analyze --embeddings sae_sv_embeddings.pt --model sae.pt --out results\n  \
    atomscope analyze --embeddings calls.pt --model models/BEST_MODEL.json --out results \\\n      \
    --save-fires --nonfinite skip --threads 8")]
pub(super) struct Analyze {
    #[command(flatten)]
    run: RunArgs,

    /// The folder for the results; made where it does not exist
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// Also write fires.npy: uint32 [calls, k], the atoms that fire on each call, ascending
    #[arg(long)]
    save_fires: bool,
}

impl Analyze {
    pub(super) fn run(&self) -> Result<()> {
        analyze_files(&self.run, &self.out, self.save_fires, |findings| {
            progress::print(&text::Analysis(findings).to_string())
        })?;
        note(
            self.run.engine.quiet,
            &format!("results are in {}", self.out.display()),
        );
        Ok(())
    }
}

/// The whole job, from files to files. `show` prints the findings before files are put in their
/// place: a report that cannot be printed leaves none.
pub(super) fn analyze_files(
    run: &RunArgs,
    out: &Path,
    save_fires: bool,
    show: impl FnOnce(&Findings) -> Result<()>,
) -> Result<()> {
    let began = Instant::now();
    // Before the work: a folder that cannot be written is better known now than after it.
    let mut files = OutputSet::new(out)?;
    run.engine.check()?;
    let options = run.engine.analyze_options(run.min_support)?;
    let model = find_model(&run.model)?;
    let mut inputs = vec![("embeddings", &*run.embeddings), ("model", &*model)];
    inputs.extend(run.metadata.as_deref().map(|path| ("metadata", path)));
    let beside = rayon::current_num_threads() > 1;
    digest::beside(&inputs, beside, |digests| {
        let loaded = Loaded::read(&run.embeddings, run.metadata.as_deref(), &model)?;
        let read_seconds = began.elapsed().as_secs_f64();
        let encoding = loaded.encode(&options, run.engine.quiet)?;
        let analysis = encoding.analysis(&loaded.cohort.calls, options.statistics)?;
        let classes = classes(&loaded.cohort.calls, &analysis.fires);
        let mut warnings = loaded.warnings(&classes, &analysis.fires);
        let nothing = analysis.findings.bias.why_empty();
        warnings.extend(nothing.map(|_| text::Nothing(&analysis.findings.bias).to_string()));
        let (sae, calls) = (&loaded.model.sae, &loaded.cohort.calls);
        let mut record = Record::new(sae, calls, &analysis, &options, classes, warnings);
        progress::check_interrupt()?;
        write_files(&mut files, &analysis, save_fires)?;
        record.inputs = digests.wait()?;
        record.seconds.read = read_seconds;
        record.seconds.total = began.elapsed().as_secs_f64();
        files.add("run.json", |out| record.write(out))?;
        show(&analysis.findings)?;
        files.commit().map(drop)
    })
}

fn write_files(files: &mut OutputSet, analysis: &Analysis, save_fires: bool) -> Result<()> {
    let findings = &analysis.findings;
    files.add("sae_feature_bias_analysis.csv", |out| {
        csv::bias(&findings.bias, out)
    })?;
    files.add("top_biased_features.json", |out| {
        json::top_biased(findings, out)
    })?;
    files.add("coactivation.csv", |out| {
        csv::coactivation(&findings.coactivation, out)
    })?;
    files.add("report.txt", |out| {
        write!(out, "{}", text::Analysis(findings))
    })?;
    // What this run does not write must not stay from an earlier one.
    if save_fires {
        files.add("fires.npy", |out| npy::firing_sets(&analysis.fires, out))?;
    } else {
        files.remove("fires.npy");
    }
    if analysis.fires.dropped().is_empty() {
        files.remove("dropped_rows.npy");
    } else {
        files.add("dropped_rows.npy", |out| {
            npy::dropped_rows(&analysis.fires, out)
        })?;
    }
    Ok(())
}

/// A run's inputs.
pub(super) struct Loaded {
    pub(super) model: LoadedModel,
    pub(super) cohort: Cohort,
}

impl Loaded {
    /// Reads model and calls, beside each other.
    pub(super) fn read(embeddings: &Path, metadata: Option<&Path>, model: &Path) -> Result<Self> {
        let cohort = || read_cohort_with(embeddings, metadata);
        let (model, cohort) = rayon::join(|| read_model(model), cohort);
        Ok(Self {
            model: model?,
            cohort: cohort?,
        })
    }

    /// Encodes every row, with progress, stopped by Ctrl-C.
    pub(super) fn encode(&self, options: &AnalyzeOptions, quiet: bool) -> Result<Encoding> {
        let rows = &self.cohort.rows;
        let bar = rows_bar(rows.count() as u64, "encoding", quiet);
        let show = |done: u64| bar.update(|state| state.set_pos(state.pos().max(done)));
        let control = Control {
            cancel: Some(&progress::INTERRUPTED),
            progress: Some(&show),
        };
        let encoding =
            crate::analysis::encode(&self.model.sae, rows, &self.cohort.calls, options, &control);
        bar.finish_and_clear();
        let encoding = encoding?;
        rows.check_unchanged()?;
        let encoder = &encoding.encoder;
        let used = format!(
            "device {} ({}; {}); {} threads",
            encoder.device, encoder.chosen, encoder.code_path, encoder.threads
        );
        note(quiet, &used);
        Ok(encoding)
    }

    /// All that is odd about the inputs; shown, and returned for the record.
    pub(super) fn warnings(&self, classes: &[ClassCount], fires: &FiringSets) -> Vec<String> {
        let mut warnings = [self.model.warnings.clone(), self.cohort.warnings.clone()].concat();
        warnings.extend(record::class_warnings(classes));
        let dropped = fires.dropped();
        if let Some(first) = dropped.first() {
            warnings.push(format!(
                "{} of {} calls were dropped for a NaN or an infinity in their embedding (the first is row \
                 {first}): they are in no count and no table; dropped_rows.npy lists them",
                dropped.len(),
                self.cohort.rows.count()
            ));
        }
        for warning in &warnings {
            warn(warning);
        }
        warnings
    }
}
