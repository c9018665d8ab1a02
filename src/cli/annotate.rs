//! `annotate`: a caller's VCF with what an analysis says of its records.

use std::path::PathBuf;

use clap::Args;

use super::arguments::{ForceArgs, ToAnnotate};
use crate::analysis::{AnnotatedFile, annotation_inputs};
use crate::error::Result;

/// A caller's VCF with each call's label, reason, confirmed atoms and chance of being false
///
/// Records keep their bytes, but for keys that are added to INFO: AS_LABEL, AS_REASON, AS_ATOMS (the atoms that
/// fire among those that the strictest claim within strata confirms, at most 10, the strongest first), AS_LOR
/// (each one's log odds ratio within strata) and AS_PFALSE (with --predict). Records are joined to calls by ID;
/// else by chrom, pos, svtype and the length. Those without a call stay as they are, and are counted.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    atomscope analyze --embeddings calls.npy --model sae.pt --calls truvari-out --out results --save-fires\n  \
    atomscope annotate --results results --vcf caller.vcf.gz --out annotated.vcf.gz")]
pub(super) struct Annotate {
    /// The folder of an analysis, made with --save-fires
    #[arg(long, value_name = "DIR", help_heading = super::arguments::REQUIRED)]
    results: PathBuf,

    /// The VCF: plain, gzip or bgzip
    #[arg(long, value_name = "FILE", help_heading = super::arguments::REQUIRED)]
    vcf: PathBuf,

    /// The annotated VCF: OUT.vcf.gz is bgzip with an index (.tbi; .csi where a contig is longer than 2^29
    /// bases), OUT.vcf is plain
    #[arg(long, value_name = "FILE", help_heading = super::arguments::REQUIRED)]
    out: PathBuf,

    #[command(flatten)]
    force: ForceArgs,

    /// No notes on stderr; warnings and errors stay
    #[arg(short, long, help_heading = "Output")]
    quiet: bool,
}

impl Annotate {
    pub(super) fn run(&self) -> Result<()> {
        let inputs = annotation_inputs(&self.results, &self.vcf);
        let out = AnnotatedFile::open(&self.out, &inputs, self.force.force)?;
        let vcf = &*self.vcf;
        ToAnnotate { vcf, out }.run(&self.results, self.quiet)
    }
}
