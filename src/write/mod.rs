//! Writing files: one or several, whole or not at all, over nothing that is a user's; and torch's
//! `.pt` container.

pub mod inputs;
pub mod pickle;
pub mod record;
mod refusal;
pub mod set;
mod stamp;
mod standing;
mod tensor;
pub mod torch;
pub mod whole;
