//! Regions of the reference that calls are compared by.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};

use crate::analysis::shards::InputFile;
use crate::cli::progress::{note, show_warnings};
use crate::control::Control;
use crate::error::{Error, Result, Warning};
use crate::read::{NamedBy, Regions};
use crate::regions::RegionRule;
use crate::stats::evidence::regions::RegionOptions;
use crate::tally::{PropertyKind, StratifyBy};

/// The regions, and when a call lies in one.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Regions")]
pub(in crate::cli) struct RegionArgs {
    /// Regions to compare calls by: BED files, plain or compressed, or lists of them
    ///
    /// A list has a name, a tab and a path in each row, as GIAB's stratifications have. Sets named notin…
    /// that are complements of others are left out. Makes regions.tsv and atom_regions.parquet, and needs
    /// firing sets
    #[arg(long, value_name = "FILE", num_args = 1..)]
    regions: Vec<PathBuf>,

    /// What makes rows one region: their file, or the name in their column 4
    #[arg(long, value_name = "BY", default_value = "file", requires = "regions")]
    regions_by: By,

    /// When a call lies in a region: any, half, both-ends, or same-region
    ///
    /// any: one base of it, or one end of a breakend. half: at least half of its bases. both-ends: its first
    /// and its last base. same-region: all of it within one row. Both bases beside an insertion must be in
    #[arg(long, value_name = "RULE", default_value_t, requires = "regions")]
    region_rule: RegionRule,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum By {
    /// One region a file, or a row of a list
    #[default]
    File,
    /// One region a name in column 4
    Name,
}

/// Regions that were read.
#[derive(Debug, Clone, Default)]
pub(in crate::cli) struct ReadRegions {
    /// The options of tables; `None` where no regions are asked for.
    pub(in crate::cli) options: Option<Arc<RegionOptions>>,
    /// The files that were read.
    pub(in crate::cli) paths: Vec<PathBuf>,
}

impl ReadRegions {
    /// The files, each once, with their digests.
    ///
    /// # Errors
    /// Those of reading; cancellation.
    pub(in crate::cli) fn files(&self, control: &Control) -> Result<Vec<InputFile>> {
        let mut paths: Vec<_> = self.paths.iter().collect();
        paths.dedup();
        let file = |path: &PathBuf| InputFile::of("regions", path, control);
        paths.into_iter().map(file).collect()
    }
}

impl RegionArgs {
    /// Reads the regions, and tells what is odd.
    ///
    /// # Errors
    /// Files that are none, and two sets of one name.
    pub(in crate::cli) fn read(&self, quiet: bool) -> Result<ReadRegions> {
        if self.regions.is_empty() {
            return Ok(ReadRegions::default());
        }
        let by = match self.regions_by {
            By::File => NamedBy::File,
            By::Name => NamedBy::Column,
        };
        let mut all = Regions::default();
        for path in &self.regions {
            all.add(Regions::read(path, by)?);
        }
        let complements = all.take_complements();
        if let Some(first) = complements.first() {
            let count = complements.len();
            let text = format!(
                "{count} sets of regions are complements of others ({first} first), and are left out: each \
                 is compared with what lies outside of it as it is"
            );
            note(quiet, &text);
        }
        all.check_names()?;
        let warnings: Vec<Warning> = all.warnings.into_iter().map(Warning::from).collect();
        show_warnings(&warnings);
        Ok(ReadRegions {
            options: Some(Arc::new(RegionOptions {
                sets: all.sets,
                rule: self.region_rule,
            })),
            paths: all.paths,
        })
    }

    /// Checks that strata name regions, as a tally needs them for nothing else.
    ///
    /// # Errors
    /// Regions that no stratum names.
    pub(in crate::cli) fn check_strata(&self, strata: &StratifyBy) -> Result<()> {
        let mut properties = strata.properties.iter();
        let is_named = properties.any(|property| property.kind == PropertyKind::Region);
        if self.regions.is_empty() || is_named {
            return Ok(());
        }
        Err(Error::Argument {
            name: "--regions",
            found: "regions that no stratum names".to_owned(),
            expected:
                "region:NAME among --strata; without it report --regions compares calls by them"
                    .to_owned(),
        })
    }

    /// Checks that what is asked for is possible.
    ///
    /// # Errors
    /// Regions without firing sets, or without the tables that tell of them.
    pub(in crate::cli) fn check(&self, has_firings: bool, are_made: bool) -> Result<()> {
        let found = match (self.regions.is_empty(), has_firings, are_made) {
            (true, ..) | (_, true, true) => return Ok(()),
            (_, _, false) => "regions with --tables notebook",
            (_, false, _) => "regions for a report without firing sets",
        };
        Err(Error::Argument {
            name: "--regions",
            found: found.to_owned(),
            expected: "--tables all, and firing sets (tally --fires writes them; leave out \
                       --without-fires)"
                .to_owned(),
        })
    }
}
