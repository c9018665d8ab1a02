//! What a cohort's counts become: tables, the printed report, the record.

use std::path::Path;

use super::progress;
use crate::details::Details;
use crate::error::{Error, Result};
use crate::report::{csv, json, npy, text};
use crate::stats::{Findings, Options};
use crate::tally::CohortTally;
use crate::write::set::OutputSet;

/// A cohort that was counted, and what is asked of it.
pub(super) struct Counted<'a> {
    pub(super) cohort: &'a CohortTally,
    /// Its firing sets, where they are there.
    pub(super) details: Option<&'a dyn Details>,
    pub(super) statistics: Options,
    /// Whether fires.npy is wanted.
    pub(super) save_fires: bool,
}

impl Counted<'_> {
    /// Makes the tables.
    pub(super) fn findings(&self) -> Result<Findings> {
        Findings::of_cohort(self.cohort, self.details, self.statistics)
    }

    /// Writes every output but the record.
    pub(super) fn write(&self, findings: &Findings, files: &mut OutputSet) -> Result<()> {
        progress::check_interrupt()?;
        files.add("sae_feature_bias_analysis.csv", |out| {
            csv::bias(&findings.bias, out)
        })?;
        files.add("top_biased_features.json", |out| {
            json::top_biased(findings, out)
        })?;
        files.add("report.txt", |out| {
            write!(out, "{}", text::Analysis(findings))
        })?;
        // What this run does not write must not stay from an earlier one.
        if findings.has_details {
            files.add("coactivation.csv", |out| {
                csv::coactivation(&findings.coactivation, out)
            })?;
        } else {
            files.remove("coactivation.csv");
        }
        match self.details.filter(|_| self.save_fires) {
            Some(details) => self.write_fires(details, files)?,
            None => files.remove("fires.npy"),
        }
        let dropped: Vec<u64> = self.cohort.shards.dropped().collect();
        if dropped.is_empty() {
            files.remove("dropped_rows.npy");
        } else {
            files.add("dropped_rows.npy", |out| npy::rows(&dropped, out))?;
        }
        Ok(())
    }

    fn write_fires(&self, details: &dyn Details, files: &mut OutputSet) -> Result<()> {
        let shape = [self.cohort.tally.rows_where(|_| true), self.cohort.model.k];
        // What ends the reading is told as it is, and not as a file that cannot be written.
        let mut failed = None;
        let written = files.add("fires.npy", |out| {
            let mut array = npy::FiringSetsWriter::begin(shape, out)?;
            let each = details.blocks(&mut |block| {
                let path = Path::new("fires.npy");
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
