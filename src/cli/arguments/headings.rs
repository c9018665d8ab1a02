//! Headings of help texts.

/// The heading of what has to be given.
pub(in crate::cli) const REQUIRED: &str = "Required";
