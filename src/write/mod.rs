//! Writing files: one or several, whole or not at all, never over a user's file; bgzip with its index; and
//! the containers `.pt` and `.safetensors`.

pub mod bgzip;
pub mod inputs;
pub mod lock;
pub mod pickle;
mod places;
pub mod record;
mod refusal;
pub mod safetensors;
pub mod set;
mod stamp;
mod standing;
mod tensor;
pub mod together;
pub mod torch;
pub mod verify;
pub mod whole;
