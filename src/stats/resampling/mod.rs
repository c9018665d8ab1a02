//! Resampling of labels and calls.
//!
//! | folder | contents |
//! |---|---|
//! | `blocks` | blocks of dependent calls: loci, datasets |
//! | `permutation` | p-values adjusted for all atoms at once by permuting labels |
//! | `bootstrap` | the variation of a figure had other blocks of calls been drawn |

pub mod blocks;
pub mod bootstrap;
pub mod permutation;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::error::{Error, Result};
use crate::fires::by_atom::FiringsByAtom;

/// Makes random numbers of a seed and a purpose, so that two purposes have no number in common.
pub(super) fn keyed(seed: u64, purpose: &[u8; 16]) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[16..].copy_from_slice(purpose);
    ChaCha8Rng::from_seed(key)
}

/// Draws uniformly below `most`, from 32 random bits: the upper 32 of the product's 64.
pub(super) fn below(most: u32, random: u32) -> u32 {
    ((u64::from(random) * u64::from(most)) >> 32) as u32
}

/// Checks that firings are on existing calls.
///
/// # Errors
/// Fails if one is not.
pub(super) fn check_calls(firings: &FiringsByAtom, calls: usize) -> Result<()> {
    // An atom's calls ascend.
    let last = |atom: u32| firings.of(atom).last().copied();
    match firings.atoms().filter_map(last).max() {
        Some(row) if row as usize >= calls => Err(Error::Argument {
            name: "firing sets",
            found: format!("a firing on call {row}, counted from 0"),
            expected: format!("firings on {calls} calls, one for each label"),
        }),
        _ => Ok(()),
    }
}
