//! The arguments of `analyze` that annotate a VCF with its results.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::analysis::{AnnotatedFile, annotate, outputs};
use crate::cli::progress::{self, note};
use crate::error::{Error, Result};
use crate::read::vcf::Vcf;
use crate::write::inputs::Inputs;

/// A VCF that is annotated once the results are there.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Output")]
pub(in crate::cli) struct AnnotateArgs {
    /// Also write this VCF: the records of --vcf with each call's label, reason and confirmed atoms (see
    /// atomscope annotate)
    #[arg(long, value_name = "OUT", requires = "vcf")]
    annotate: Option<PathBuf>,

    /// The VCF that --annotate takes its records from
    #[arg(long, value_name = "FILE", requires = "annotate")]
    vcf: Option<PathBuf>,
}

/// A VCF, and where it is annotated.
pub(in crate::cli) struct ToAnnotate<'a> {
    pub(in crate::cli) vcf: &'a Path,
    pub(in crate::cli) out: AnnotatedFile,
}

impl AnnotateArgs {
    /// Says whether a VCF is annotated.
    pub(in crate::cli) fn is_asked(&self) -> bool {
        self.annotate.is_some()
    }

    /// The files that are read.
    pub(in crate::cli) fn inputs(&self) -> impl Iterator<Item = PathBuf> + '_ {
        self.vcf.iter().cloned()
    }

    /// Looks at the files before the work.
    ///
    /// # Errors
    /// A VCF that cannot be read; a file that would be lost; tables that are not made.
    pub(in crate::cli) fn open(
        &self,
        (results, mut inputs): (&Path, Inputs),
        are_made: bool,
        force: bool,
    ) -> Result<Option<ToAnnotate<'_>>> {
        let Some((vcf, out)) = self.vcf.as_deref().zip(self.annotate.as_deref()) else {
            return Ok(None);
        };
        if !are_made {
            return Err(Error::Argument {
                name: "--annotate",
                found: "annotation with --tables notebook".to_owned(),
                expected: "--tables all".to_owned(),
            });
        }
        Vcf::open(vcf)?;
        inputs.add(outputs::names().iter().map(|name| results.join(name)));
        let out = AnnotatedFile::open(out, &inputs, force)?;
        Ok(Some(ToAnnotate { vcf, out }))
    }
}

impl ToAnnotate<'_> {
    /// Annotates the VCF with these results.
    ///
    /// # Errors
    /// Those of [`annotate`].
    pub(in crate::cli) fn run(&self, results: &Path, quiet: bool) -> Result<()> {
        let found = annotate(results, self.vcf, &self.out, &progress::control())?;
        note(quiet, &found.words());
        let path = self.out.path().display();
        note(quiet, &format!("the annotated VCF is {path}"));
        Ok(())
    }
}
