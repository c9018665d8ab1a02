//! Plain twins of the kernels: written from what these are to give, not from how they do it.

pub(crate) mod accumulate;
pub(crate) mod canonical;
pub(crate) mod input;
pub(crate) mod numbers;
pub(crate) mod select;
pub(crate) mod tally;
pub(crate) mod whiten;
