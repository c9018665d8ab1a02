//! The prediction of the label from the atoms that fire.

use clap::{Args, ValueEnum};

use crate::error::{Error, Result};
use crate::stats::prediction::PredictBy;

/// Whether the label is predicted, and what is held out together.
#[derive(Debug, Clone, Copy, Default, Args)]
#[command(next_help_heading = "Statistics")]
pub(in crate::cli) struct PredictArgs {
    /// Predict the label from the atoms that fire, by models that have not seen the call
    ///
    /// Penalised logistic models (L1, L2), held out by chromosome, against type, size and dataset alone, and
    /// what --regions and --describe name. Makes prediction.tsv, call_predictions.parquet (each call's chance
    /// of being false) and prediction_atoms.parquet, and needs firing sets (docs/PREDICTION.md)
    #[arg(long)]
    predict: bool,

    /// What is held out together: chromosomes, or loci [default: chrom; loci of fewer than 5 chromosomes]
    #[arg(long, value_name = "BY", requires = "predict", hide_short_help = true)]
    predict_by: Option<By>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum By {
    Chrom,
    Locus,
}

impl PredictArgs {
    /// What is held out together; `None` for no prediction.
    pub(in crate::cli) fn by(self) -> Option<PredictBy> {
        self.predict.then_some(match self.predict_by {
            None | Some(By::Chrom) => PredictBy::Chrom,
            Some(By::Locus) => PredictBy::Locus,
        })
    }

    /// Checks that what is asked for is possible.
    ///
    /// # Errors
    /// A prediction without firing sets, or without the tables that tell of it.
    pub(in crate::cli) fn check(self, has_firings: bool, are_made: bool) -> Result<()> {
        let found = match (self.predict, has_firings, are_made) {
            (false, ..) | (_, true, true) => return Ok(()),
            (_, _, false) => "prediction with --tables notebook",
            (_, false, _) => "prediction for a report without firing sets",
        };
        Err(Error::Argument {
            name: "--predict",
            found: found.to_owned(),
            expected: "--tables all, and firing sets (tally --fires writes them; leave out \
                       --without-fires)"
                .to_owned(),
        })
    }
}
