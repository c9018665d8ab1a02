//! The firing sets, which say which atoms fire on which call, wherever they are kept, and two ways
//! to look at them.
//!
//! | file | what it holds |
//! |---|---|
//! | `sets` | [`FiringSets`]: the atoms that fire on each row, with their scores |
//! | `slice` | [`SetSlice`]: consecutive rows of them |
//! | `builder` | [`FiringSetsBuilder`]: makes them row by row |
//! | `store` | [`FiringStore`]: the firing sets and calls of a whole cohort, in memory or in files |
//! | `by_atom` | [`by_atom::FiringsByAtom`]: the calls on which each atom fires |
//! | `pairs` | on how many rows each two atoms fire together |
//! | `scan` | one pass for a few atoms: their rows, and how often they fire together |

mod builder;
pub mod by_atom;
pub mod pairs;
pub mod scan;
mod sets;
mod slice;
mod store;

pub use builder::FiringSetsBuilder;
pub use pairs::{CountPairs, PairCounts};
pub use sets::FiringSets;
pub use slice::{SetIter, SetSlice};
pub use store::{FiringBlock, FiringStore, InMemory};
