//! The arguments that describe the simulated data.

use clap::Args;

use crate::simulate::{SimulateOptions, SimulatedActivation};

/// What to simulate.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Cohort")]
pub(in crate::cli) struct Shape {
    /// Calls
    #[arg(long, value_name = "N", default_value_t = SimulateOptions::default().rows)]
    rows: usize,

    /// D, the length of an embedding
    #[arg(long, value_name = "D", default_value_t = SimulateOptions::default().input_dim)]
    input_dim: usize,

    /// F, the number of atoms
    #[arg(long, value_name = "F", default_value_t = SimulateOptions::default().features)]
    features: usize,

    /// Atoms that fire on a call
    #[arg(long, value_name = "K", default_value_t = SimulateOptions::default().k)]
    k: usize,

    /// The same seed gives the same files
    #[arg(long, value_name = "SEED", default_value_t = SimulateOptions::default().seed)]
    seed: u64,
}

impl Shape {
    pub(in crate::cli) fn options(&self) -> SimulateOptions {
        SimulateOptions::new(self.rows, self.input_dim, self.features, self.k, self.seed)
    }
}

/// What else a cohort may be that is simulated for its own sake.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Cohort")]
pub(in crate::cli) struct PlantArgs {
    /// Plant this many atoms (an even number) that all fire more often on true calls, instead of
    /// atoms in pairs that make up for each other: then others have fewer places on true calls,
    /// and lean to false ones (docs/DISPLACEMENT.md)
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    one_sided: usize,

    /// What fires: topk, topk-relu, abstopk, relu, jumprelu, gated or batchtopk; about k atoms a call
    /// where calls differ. All but topk are written as SAELens writes them: cfg.json and
    /// sae_weights.safetensors instead of sae.pt
    #[arg(long, value_name = "NAME", default_value_t = SimulatedActivation::TopK)]
    activation: SimulatedActivation,

    /// The share of true calls in percent, whatever their type and size [default: depends on
    /// both, about 70]
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(1..=99))]
    true_percent: Option<u8>,

    /// Also write the caller's VCF (calls.vcf.gz), a benchmark's folder as Truvari writes it (truvari),
    /// and regions (regions.bed); some atoms then fire on false calls in the regions, and some on false
    /// calls of one reason
    #[arg(long)]
    vcf: bool,
}

impl PlantArgs {
    pub(in crate::cli) fn of(&self, shape: &Shape) -> SimulateOptions {
        SimulateOptions {
            one_sided: self.one_sided,
            true_percent: self.true_percent,
            activation: self.activation,
            vcf: self.vcf,
            ..shape.options()
        }
    }
}
