//! Pickles: a small machine that builds values and runs nothing.
//!
//! `opcode` names the opcodes, `machine` follows them, and `value` is the arena of the result.
//! `allow` lists the Python names that have a meaning, and those whose call would do harm. `walk`
//! finds the places of all other names.

mod allow;
mod chain;
mod literals;
mod machine;
mod memo;
mod objects;
mod opcode;
mod remember;
mod scan;
#[cfg(test)]
mod tests;
mod value;
mod walk;

pub(crate) use chain::Id;
pub(crate) use machine::load;
pub(crate) use value::{Document, Global, Object, Value};
pub(crate) use walk::{Foreign, foreign_globals, harmful_call};
