//! Writing files: whole or not at all, and torch's `.pt` container.

pub mod pickle;
pub mod torch;
pub mod whole;
