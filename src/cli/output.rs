//! What a cohort's counts become: tables, the printed report, the record.

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::progress;
use super::record::{self, Record};
use crate::cohort::classes::{Labels, classes};
use crate::error::{Error, Result};
use crate::fires::FiringStore;
use crate::outputs::{self, BIAS, COACTIVATION, DROPPED_ROWS, FIRING_SETS, REPORT, TOP_BIASED};
use crate::report::{csv, json, npy, text};
use crate::stats::evidence::{self, ExtendedTables, PairsBy};
use crate::stats::notebook::{NotebookTables, Options};
use crate::stats::score_comparison::ScoreComparison;
use crate::tally::CohortTally;
use crate::write::inputs::Inputs;
use crate::write::set::{OutputSet, Place};

/// A cohort that was counted, and what is asked of it.
pub(super) struct Counted<'a> {
    pub(super) cohort: &'a CohortTally,
    /// Its firing sets, where they are there.
    pub(super) details: Option<&'a dyn FiringStore>,
    pub(super) statistics: Options,
    /// What is asked beside the notebook's tables; `None` for nothing.
    pub(super) evidence: Option<evidence::Options>,
    /// Atoms compared by their scores, where that was asked for.
    pub(super) scores: Option<ScoreComparison>,
    /// Whether fires.npy is wanted.
    pub(super) save_fires: bool,
}

/// The folder of an analysis, an earlier one's files in which are replaced.
pub(super) fn place(folder: &Path, inputs: Inputs, force: bool) -> Place {
    Place {
        folder: folder.to_owned(),
        names: outputs::ANALYSIS.map(str::to_owned).into(),
        record: outputs::RECORD,
        inputs,
        force,
    }
}

/// Where and when results go.
pub(super) struct Results {
    began: Instant,
    files: OutputSet,
}

impl Results {
    /// Makes the folder: one that cannot be written, or in which a user's files would be replaced,
    /// is better known before the work than after it.
    pub(super) fn new(began: Instant, place: Place) -> Result<Self> {
        let files = OutputSet::new(place)?;
        Ok(Self { began, files })
    }

    /// Seconds since then.
    pub(super) fn seconds(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    /// Makes the tables, with pairs of atoms by `pairs`, and writes all files. `known` adds to the
    /// record what counts do not tell; `show` prints the findings before files are put in their place: a report that cannot be
    /// printed leaves none.
    pub(super) fn write(
        mut self,
        counted: &Counted,
        pairs: PairsBy<'_>,
        known: impl FnOnce(&mut Record) -> Result<()>,
        show: impl FnOnce(&text::Report) -> Result<()>,
    ) -> Result<()> {
        let began = Instant::now();
        let cohort = counted.cohort;
        let seen = || cohort.shards.kinds(|shard| &shard.classes);
        Labels::of(seen()).check(&named(cohort), &cohort.rule)?;
        let findings = NotebookTables::of_cohort(cohort, counted.details, counted.statistics)?;
        let statistics = began.elapsed().as_secs_f64();
        let evidence = counted.evidence(pairs)?;
        let classes = classes(seen(), &cohort.rule);
        let warnings = record::warnings(cohort, &classes);
        progress::show_warnings(&warnings);
        let report = text::Report {
            findings: &findings,
            evidence: evidence.as_ref(),
        };
        let writing = counted.write(&report, &mut self.files)?;
        let mut record = Record::new(cohort, &findings, counted.statistics, classes);
        known(&mut record)?;
        record.warnings.extend(warnings);
        let nothing = findings.bias.why_empty();
        let nothing = nothing.map(|_| text::Nothing(&findings.bias).to_string());
        record.warnings.extend(nothing);
        record.seconds.statistics = statistics;
        record.tables(evidence.as_ref(), writing);
        record.seconds.total = self.seconds();
        record.note_memory();
        let read = record.inputs.iter().map(|file| PathBuf::from(&file.path));
        self.files.settle_inputs(read);
        let ready = self.files.seal(&record)?;
        show(&report)?;
        let done = ready.commit()?;
        progress::show_warnings(staying(&done.staying).as_slice());
        Ok(())
    }
}

/// A sentence on a user's files that have the name of an output which was not written.
pub(super) fn staying(names: &[String]) -> Option<String> {
    let named = (!names.is_empty()).then(|| names.join(", "));
    named.map(|names| format!("{names}: not of this run, and left as it was"))
}

/// What messages call the files of a cohort.
fn named(cohort: &CohortTally) -> String {
    let mut shards = cohort.shards.iter();
    let first = shards.next().map_or("", |shard| &shard.name);
    match shards.len() {
        0 => first.to_owned(),
        more => format!("{first} and {more} more"),
    }
}

impl Counted<'_> {
    /// What is asked for beside the notebook's tables.
    fn evidence(&self, pairs: PairsBy<'_>) -> Result<Option<ExtendedTables>> {
        let of = |options| {
            let (tally, go_on) = (&self.cohort.tally, progress::check_interrupt);
            ExtendedTables::with_pairs_by(pairs, tally, self.details, options, &go_on)
        };
        let mut evidence = self.evidence.as_ref().map(of).transpose()?;
        if let Some(evidence) = &mut evidence {
            evidence.scores.clone_from(&self.scores);
        }
        Ok(evidence)
    }

    /// Writes every output but the record; the seconds that the tables took which are not the
    /// notebook's.
    fn write(&self, report: &text::Report, files: &mut OutputSet) -> Result<f64> {
        progress::check_interrupt()?;
        let findings = report.findings;
        files.add(BIAS, |out| csv::bias(&findings.bias, out))?;
        files.add(TOP_BIASED, |out| json::top_biased(findings, out))?;
        files.add(REPORT, |out| write!(out, "{report}"))?;
        if findings.has_details {
            files.add(COACTIVATION, |out| {
                csv::coactivation(&findings.coactivation, out)
            })?;
        }
        if let Some(details) = self.details.filter(|_| self.save_fires) {
            self.write_fires(details, files)?;
        }
        let dropped: Vec<u64> = self.cohort.shards.dropped().collect();
        if !dropped.is_empty() {
            files.add(DROPPED_ROWS, |out| npy::rows(&dropped, out))?;
        }
        let began = Instant::now();
        super::tables::write(report.evidence, files)?;
        Ok(began.elapsed().as_secs_f64())
    }

    fn write_fires(&self, details: &dyn FiringStore, files: &mut OutputSet) -> Result<()> {
        let shape = [self.cohort.tally.rows_where(|_| true), self.cohort.model.k];
        // What ends the reading is told as it is, and not as a file that cannot be written.
        let mut failed = None;
        let written = files.add(FIRING_SETS, |out| {
            let mut array = npy::FiringSetsWriter::begin(shape, out)?;
            let each = details.blocks(&mut |block| {
                let path = Path::new(FIRING_SETS);
                let written = array.add(block.sets);
                written.map_err(|e| Error::writing(path, e))
            });
            if let Err(error) = each {
                failed = Some(error);
                return Err(std::io::ErrorKind::Other.into());
            }
            array.finish()
        });
        failed.map_or(written, Err)
    }
}
