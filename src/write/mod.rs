//! Writing files: one or several, whole or not at all, and torch's `.pt` container.

pub mod pickle;
pub mod set;
pub mod torch;
pub mod whole;
