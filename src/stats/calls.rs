//! The calls on which chosen atoms fire, the strongest firing first.

use rand::rand_core::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::cohort::Calls;
use crate::control::Control;
use crate::error::Result;
use crate::fires::{FiringBlock, FiringStore};

/// The choice of an atom's calls that are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pick {
    /// All of them.
    All,
    /// The given number of calls, on which it fires most strongly.
    Top(usize),
    /// The given number of calls, drawn without replacement. The draw is the same for every cut of
    /// the cohort into files.
    Random {
        /// The number of calls.
        count: usize,
        /// The seed.
        seed: u64,
    },
}

/// The calls that are listed of one atom.
#[derive(Debug, Clone, PartialEq)]
pub struct AtomCalls {
    /// The atom.
    pub atom: u32,
    /// Calls on which it fires, listed or not.
    pub support: u64,
    /// The listed calls, the highest score first; of equal scores the earlier call. Where scores are
    /// not known, in the cohort's order.
    pub listed: Vec<Listed>,
    /// The calls; each listed firing has a place in them.
    pub calls: Calls,
}

/// One call on which an atom fires.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Listed {
    /// Its row in the cohort, from 0.
    pub row: u64,
    /// The atom's canonical score on it; `None` where scores were not kept.
    pub score: Option<f64>,
    /// The place of the call in [`AtomCalls::calls`].
    pub place: usize,
}

/// Lists the calls of each atom, in the order in which atoms are named. An atom that never fires, or
/// does not exist, has none. Reads the store twice: which calls are listed, and what they are; memory
/// is that of 24 bytes a firing of these atoms, and of the calls that are listed.
///
/// # Errors
/// Those of reading the store; cancellation.
pub fn calls_of(
    atoms: &[u32],
    pick: Pick,
    store: &dyn FiringStore,
    control: &Control,
) -> Result<Vec<AtomCalls>> {
    let mut found: Vec<Vec<Listed>> = vec![Vec::new(); atoms.len()];
    store.blocks(&mut |block| {
        control.check()?;
        add_firings(atoms, &mut found, block);
        Ok(())
    })?;
    let chosen = atoms.iter().zip(found);
    let mut chosen: Vec<_> = chosen
        .map(|(&atom, firings)| AtomCalls {
            atom,
            support: firings.len() as u64,
            listed: choose(atom, pick, firings),
            calls: Calls::default(),
        })
        .collect();
    // By row: so calls are gathered as they come.
    for of_atom in &mut chosen {
        of_atom.listed.sort_unstable_by_key(|listed| listed.row);
    }
    store.blocks(&mut |block| {
        control.check()?;
        for of_atom in &mut chosen {
            of_atom.gather(block);
        }
        Ok(())
    })?;
    for of_atom in &mut chosen {
        of_atom.listed.sort_by(strongest_first);
    }
    Ok(chosen)
}

fn add_firings(atoms: &[u32], found: &mut [Vec<Listed>], block: FiringBlock<'_>) {
    let scores = block.sets.scores();
    for (number, (row, fires)) in block.sets.iter().enumerate() {
        for (atom, found) in atoms.iter().zip(&mut *found) {
            if let Ok(at) = fires.binary_search(atom) {
                let start = block.sets.place(number).start;
                found.push(Listed {
                    row: block.first + row as u64,
                    score: scores.map(|scores| scores[start + at]),
                    place: 0,
                });
            }
        }
    }
}

fn strongest_first(a: &Listed, b: &Listed) -> std::cmp::Ordering {
    let score = |listed: &Listed| listed.score.unwrap_or(0.0);
    score(b)
        .total_cmp(&score(a))
        .then_with(|| a.row.cmp(&b.row))
}

fn choose(atom: u32, pick: Pick, mut firings: Vec<Listed>) -> Vec<Listed> {
    match pick {
        Pick::All => {}
        Pick::Top(count) => {
            firings.sort_by(strongest_first);
            firings.truncate(count);
        }
        Pick::Random { count, seed } => {
            let mut generator = ChaCha8Rng::seed_from_u64(seed);
            generator.set_stream(u64::from(atom));
            // Every firing draws a lot, and the lowest lots are taken.
            let mut lots: Vec<_> = firings
                .into_iter()
                .map(|firing| (generator.next_u64(), firing))
                .collect();
            lots.sort_by_key(|(lot, firing)| (*lot, firing.row));
            lots.truncate(count);
            firings = lots.into_iter().map(|(_, firing)| firing).collect();
        }
    }
    firings
}

impl AtomCalls {
    /// No calls, of no atom.
    pub fn none() -> Self {
        Self {
            atom: 0,
            support: 0,
            listed: Vec::new(),
            calls: Calls::default(),
        }
    }

    /// Takes the listed calls that are in a block; blocks come in the cohort's order.
    fn gather(&mut self, block: FiringBlock<'_>) {
        self.calls.rule.clone_from(&block.calls.rule);
        let rows = block.first..block.first + block.calls.len() as u64;
        let from = self.listed.partition_point(|call| call.row < rows.start);
        for listed in &mut self.listed[from..] {
            if !rows.contains(&listed.row) {
                break;
            }
            listed.place = self.calls.len();
            let row = (listed.row - rows.start) as usize;
            self.calls.push(&block.calls.get(row));
        }
    }
}
