//! Simulated cohorts and SAEs whose truth is known. `simulate` and `demo` use them.
//!
//! ```
//! use atomscope::simulate::{SimulateOptions, simulate_in_memory};
//!
//! let options = SimulateOptions::new(1000, 64, 256, 8, 1);
//! let simulated = simulate_in_memory(&options)?;
//! assert_eq!(simulated.embeddings.len(), 1000 * 64);
//! assert_eq!(simulated.calls.len(), 1000);
//! println!("{} atoms are planted", simulated.truth.planted.len());
//! # Ok::<(), atomscope::error::Error>(())
//! ```

mod activation;
mod benchmark;
mod calls;
mod files;
mod form;
mod genome;
mod lens_files;
mod levels;
mod model;
mod pair;
mod pieces;
mod plan;
mod random;
mod rotation;
mod truth;
mod vcf;
mod verdict;

use serde::{Deserialize, Serialize};

pub use crate::outputs::piece_names;
pub use activation::SimulatedActivation;
pub use files::{
    CALLS, CONFIG, EMBEDDINGS, MODEL, REGIONS, TRUTH, WEIGHTS, place, simulate, simulate_pieces,
    simulate_to,
};
pub use model::Simulator;
pub use truth::{
    BenchmarkCounts, PlantedAtom, Recovery, ReportedAtom, Role, StratumShare, Tie, Truth,
};

use crate::cohort::Calls;
use crate::error::{Choice, Error, Result};
use crate::memory::filled;
use crate::sae::Sae;

/// The options of a simulation. The same options give the same bytes, on every machine and for any
/// number of threads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SimulateOptions {
    /// The number of calls.
    pub rows: usize,
    /// D, the length of an embedding.
    pub input_dim: usize,
    /// F, the number of atoms.
    pub features: usize,
    /// The number of atoms that fire on a call, at most F; on average, where calls differ.
    pub k: usize,
    /// The seed of all random streams.
    pub seed: u64,
    /// True if the share of true calls depends on SV type and size, as in real call sets. An atom
    /// that is tied to a type alone then looks biased by label.
    pub confounded: bool,
    /// The number of atoms that fire more often on true calls, without atoms that fire more often
    /// on false ones: an even number. They displace other atoms there, as top-k does. If there are
    /// any, nothing else is planted.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub one_sided: usize,
    /// The share of true calls in percent, for all types and sizes. Nothing is confounded then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub true_percent: Option<u8>,
    /// The rule for which atoms fire.
    #[serde(default, skip_serializing_if = "SimulatedActivation::is_notebooks")]
    pub activation: SimulatedActivation,
    /// True if the cohort has a caller's VCF, a benchmark's folder and regions, and atoms that are tied to
    /// regions and to the reasons why calls are false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub vcf: bool,
}

/// Says whether a count is zero.
#[allow(clippy::trivially_copy_pass_by_ref)] // as serde calls it
fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl Default for SimulateOptions {
    /// Returns `demo`'s options: seconds to make, large enough to find what is planted.
    fn default() -> Self {
        Self::new(10_000, 256, 1024, 32, 1)
    }
}

impl SimulateOptions {
    /// The most calls.
    pub const MOST_ROWS: usize = u32::MAX as usize;
    /// The greatest length of an embedding.
    pub const MOST_INPUT_DIM: usize = 1 << 20;
    /// The most atoms.
    pub const MOST_FEATURES: usize = 1 << 24;
    /// The most weights, `features · input_dim`: 64 GiB.
    pub const MOST_WEIGHTS: usize = 1 << 34;

    /// Makes options for a confounded cohort, as real ones are.
    pub fn new(rows: usize, input_dim: usize, features: usize, k: usize, seed: u64) -> Self {
        Self {
            rows,
            input_dim,
            features,
            k,
            seed,
            confounded: true,
            one_sided: 0,
            true_percent: None,
            activation: SimulatedActivation::TopK,
            vcf: false,
        }
    }

    /// Checks every option against its range.
    pub fn check(&self) -> Result<()> {
        for (choice, found, most) in [
            (Choice::SimulatedRows, self.rows, Self::MOST_ROWS),
            (Choice::InputDim, self.input_dim, Self::MOST_INPUT_DIM),
            (Choice::Features, self.features, Self::MOST_FEATURES),
            (
                Choice::Weights,
                self.features.saturating_mul(self.input_dim),
                Self::MOST_WEIGHTS,
            ),
            (Choice::TopK, self.k, self.features),
        ] {
            check_number(choice, found, most)?;
        }
        if let Some(percent) = self.true_percent {
            check_number(Choice::TruePercent, usize::from(percent), 99)?;
        }
        let most = plan::most_one_sided(self);
        if self.one_sided.is_multiple_of(2) && self.one_sided <= most {
            return Ok(());
        }
        Err(Error::choice(
            Choice::OneSided,
            self.one_sided.to_string(),
            format!("an even number up to {most}, what these shapes have room for"),
        ))
    }
}

fn check_number(choice: Choice, found: usize, most: usize) -> Result<()> {
    if (1..=most).contains(&found) {
        return Ok(());
    }
    let expected = format!("a number from 1 to {most}");
    Err(Error::choice(choice, found.to_string(), expected))
}

/// A simulated cohort in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Simulated {
    /// The SAE.
    pub sae: Sae,
    /// The embeddings, row-major \[rows, `input_dim`\].
    pub embeddings: Vec<f32>,
    /// The calls.
    pub calls: Calls,
    /// The planted atoms, and the strata.
    pub truth: Truth,
}

/// Simulates a cohort in memory: the same numbers that [`simulate`] writes.
///
/// # Errors
/// Fails with [`Error::Choice`] if an option is out of its range, and with [`Error::Memory`] if memory
/// does not suffice.
pub fn simulate_in_memory(options: &SimulateOptions) -> Result<Simulated> {
    let simulator = Simulator::new(options)?;
    let mut embeddings = filled(options.rows, options.input_dim, "the embeddings", || 0.0)?;
    simulator.embeddings(0, &mut embeddings);
    Ok(Simulated {
        embeddings,
        calls: simulator.calls(0..options.rows),
        truth: simulator.truth(),
        sae: simulator.into_sae()?,
    })
}
