//! Statistics against a truth that is known: simulated cohorts, what is called on them, and what the
//! intervals cover.
//!
//! | file | what it does |
//! |---|---|
//! | `world` | what is simulated: which atoms are tied to what, how labels and calls depend |
//! | `worlds` | the worlds that cohorts are drawn from |
//! | `rare` | cohorts of rare atoms and of labels of which nearly all are one |
//! | `truth` | every atom's parameters in a world |
//! | `seed` | one cohort: everything that the program computes, against the truth |
//! | `errors` | false discoveries and power of each procedure, over cohorts |
//! | `coverage` | how often each interval has the true value |
//! | `check` | what must hold, up to what chance explains |

pub(crate) mod check;
pub(crate) mod coverage;
pub(crate) mod errors;
pub(crate) mod rare;
pub(crate) mod seed;
pub(crate) mod truth;
pub(crate) mod world;
pub(crate) mod worlds;

use std::collections::BTreeMap;

use coverage::Coverage;
use errors::Errors;
use seed::Seed;
use worlds::World;

/// How cohorts are judged. Other values than the default ones are mistakes, made on purpose to see
/// that they are found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Judgement {
    /// Adjusted p-values up to this one are called significant.
    pub(crate) level: f64,
    /// What half-widths of intervals are multiplied by.
    pub(crate) width: f64,
}

impl Default for Judgement {
    fn default() -> Self {
        Self {
            level: LEVEL,
            width: 1.0,
        }
    }
}

/// The nominal level of every procedure.
pub(crate) const LEVEL: f64 = 0.05;

/// What many cohorts of a world say.
#[derive(Debug, Clone, Default)]
pub(crate) struct Study {
    /// By procedure.
    pub(crate) errors: BTreeMap<&'static str, Errors>,
    /// By interval and kind of atom.
    pub(crate) coverage: BTreeMap<(&'static str, &'static str), Coverage>,
    /// Tests of homogeneity with p at most 0.05, of atoms whose odds ratio is one in all strata, by
    /// what the strata tell apart
    /// and kind of atom.
    pub(crate) homogeneity: BTreeMap<(&'static str, &'static str), Coverage>,
}

impl Study {
    /// Simulates cohorts of seeds `first` and after.
    pub(crate) fn run(world: World, first: u64, seeds: u64, judgement: Judgement) -> Self {
        let of_seed = |seed| {
            let mut study = Self::default();
            Seed::draw(world, seed).judge(judgement, &mut study);
            (seed, study)
        };
        // A pool of one thread each: a pool of several would take up one seed while it waits for another,
        // and another while it waits for that.
        let threads = rayon::current_num_threads() as u64;
        let some = |thread: u64| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
            let pool = pool.expect("a thread can be started");
            let seeds = (first + thread..first + seeds).step_by(threads as usize);
            pool.install(|| seeds.map(of_seed).collect::<Vec<_>>())
        };
        let mut each: Vec<(u64, Self)> = std::thread::scope(|scope| {
            let started: Vec<_> = (0..threads)
                .map(|it| scope.spawn(move || some(it)))
                .collect();
            let done = started
                .into_iter()
                .map(|thread| thread.join().expect("no panic"));
            done.flatten().collect()
        });
        each.sort_by_key(|(seed, _)| *seed);
        // In the order of seeds, so that sums are the same for any number of threads.
        let mut all = Self::default();
        for (_, study) in &each {
            all.merge(study);
        }
        all
    }

    fn merge(&mut self, other: &Self) {
        for (name, errors) in &other.errors {
            self.errors.entry(name).or_default().merge(errors);
        }
        for (&name, coverage) in &other.coverage {
            self.coverage.entry(name).or_default().merge(coverage);
        }
        for (&name, coverage) in &other.homogeneity {
            self.homogeneity.entry(name).or_default().merge(coverage);
        }
    }
}
