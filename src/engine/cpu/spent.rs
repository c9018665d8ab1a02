//! The time that a block takes, by which a screen is judged.

/// The time that a block took, and the pairs that it left open.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Spent {
    /// Seconds of the product, of selection behind it, of settling rows.
    pub(super) product: f64,
    pub(super) select: f64,
    pub(super) resolve: f64,
    /// Pairs that the screen left open.
    pub(super) open: u64,
}
