//! All pairs of atoms, counted by the CPU or by something else.

use serde::Serialize;

use super::atoms::{AllAtoms, AtomCounts};
use super::options::{ListedPairs, Options};
use crate::control::Control;
use crate::error::{Error, Result};
use crate::fires::CountPairs;
use crate::fires::FiringStore;
use crate::stats::inference::stratified::StratumCounts;
use crate::stats::pairs::{self, Listed, Pairs};

/// The counter of pairs.
pub enum PairsBy<'a> {
    /// The CPU, in bounded memory.
    Cpu,
    /// Something else, where it has room for it.
    Counter {
        /// The counter itself.
        counter: &'a mut dyn CountPairs,
        /// True if the CPU counts instead where the counter's device fails in other ways.
        or_cpu: bool,
    },
}

/// The device that counted pairs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PairsCounted {
    /// The device: `cpu`, `cuda:0`.
    pub on: String,
    /// The reason why the CPU counted, if something else was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Memory for counting pairs, by the number of firings, and at least.
const BYTES_A_FIRING: u64 = 128;
const LEAST_PAIR_BYTES: u64 = 16 << 20;

/// Counts all pairs; none where no table of them is wanted.
pub(super) fn count(
    by: PairsBy<'_>,
    details: &dyn FiringStore,
    all: &AllAtoms,
    options: &Options,
    control: &Control,
) -> Result<Option<(Pairs, PairsCounted)>> {
    let most = options.max_pairs;
    let listed = match options.pairs {
        ListedPairs::None => return Ok(None),
        ListedPairs::All => Listed::All,
        ListedPairs::Significant => Listed::Significant { most },
    };
    let on = |pick: fn(&AtomCounts) -> u64| all.atoms.iter().map(pick).collect::<Vec<_>>();
    let (tp_on, fp_on) = (on(|atom| atom.table.tp_on), on(|atom| atom.table.fp_on));
    let counts = StratumCounts {
        tp_on: &tp_on,
        fp_on: &fp_on,
        tp: all.tp,
        fp: all.fp,
    };
    // More than a small cohort has use for takes longer to be had than several passes do.
    let firings: u64 = all.fires.iter().sum();
    let enough = (BYTES_A_FIRING * firings).max(LEAST_PAIR_BYTES);
    let settings = pairs::Settings {
        min_coactivation: options.min_coactivation,
        most_pairs: pairs::MOST_PAIRS,
        listed,
        memory: options.memory.min(enough),
    };
    let on_cpu = |why: Option<String>| {
        let pairs = Pairs::count(details, &counts, &settings, control)?;
        let on = "cpu".to_owned();
        Ok(Some((pairs, PairsCounted { on, why })))
    };
    let (counter, or_cpu) = match by {
        PairsBy::Cpu => return on_cpu(None),
        PairsBy::Counter { counter, or_cpu } => (counter, or_cpu),
    };
    if !Pairs::is_countable(all.atoms.len(), options.memory) {
        let why = "the counts of all pairs do not fit at once into the memory that they may take";
        return on_cpu(Some(why.to_owned()));
    }
    match Pairs::count_by(counter, details, &counts, &settings, control) {
        Err(Error::Device {
            no_memory, reason, ..
        }) if no_memory || or_cpu => on_cpu(Some(reason)),
        counted => {
            let (on, why) = (counter.device(), None);
            counted.map(|pairs| Some((pairs, PairsCounted { on, why })))
        }
    }
}
