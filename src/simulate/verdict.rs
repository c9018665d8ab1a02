//! What a benchmark says of a simulated call.

/// The reason why a call is false.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Miss {
    /// No truth call is near.
    NoCandidate,
    /// Its truth call is taken by another call.
    Multi,
    /// Its size is too unlike; of breakends their positions are.
    Unlike,
}

/// What a benchmark says of a call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// True if both ends lie in regions.
    pub(super) in_region: bool,
    /// The reason; `None` of a true call.
    pub(super) miss: Option<Miss>,
    /// The chromosome and the position of a breakend's mate.
    pub(super) mate: Option<(&'static str, i64)>,
}
