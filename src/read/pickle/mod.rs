//! Pickles: a small machine that builds values and runs nothing.
//!
//! `opcode` names what a pickle may say, `machine` does it, `value` is the arena that comes
//! out, `allow` says which Python names have a meaning, and whose call would do harm, `walk` finds
//! where any other stands.

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
