//! Statistics that a reviewer accepts, as pure functions on counts. They read no files, know no
//! names of atoms, and write no report.
//!
//! | file | contents |
//! |---|---|
//! | `table` | the 2×2 table of firing and label that the others take |
//! | `effect` | effect sizes: log odds ratio, risk difference, P(TP \| fires), each with its 95 % interval |
//! | `pearson`, `fisher` | tests of any association: chi-square test, Fisher's exact test and its mid-p |
//! | `stratified`, `homogeneity` | tests within strata: the common odds ratio, Cochran–Mantel–Haenszel, Breslow–Day–Tarone |
//! | `conditional` | the next two, for all atoms |
//! | `exact_strata` | the exact conditional test within strata, and its mid-p |
//! | `exact_homogeneity` | the test that the strata have one odds ratio, given their margins and their sum |
//! | `rank_sum` | the comparison of activations on true and on false calls: Mann–Whitney's U, AUROC |
//! | `rank_law` | the exact law of a rank sum given all ties: the p-value of `rank_sum` and `spearman` |
//! | `spearman` | the correlation of firing with a call's length |
//! | `multiplicity` | adjustment for many tests: Benjamini–Hochberg and –Yekutieli, Holm, Storey |
//! | `p_value` | a p-value by its logarithm, so that none underflows |
//! | `tails`, `student`, `hypergeometric`, `stirling` | the tails of the distributions below them, in log space |
//!
//! Two conventions hold throughout. A p-value is carried as `ln p`, from a tail that was computed
//! in log space. `None` means that a figure is undefined for this table (a margin is zero, say),
//! never that it is small; each function says when.
//!
//! Logarithms, exponentials and error functions are `libm`'s, not the system's, so that every
//! machine gives the same bits.

pub mod conditional;
pub mod effect;
pub mod exact_homogeneity;
pub mod exact_strata;
pub mod fisher;
pub(super) mod homogeneity;
pub mod hypergeometric;
pub mod multiplicity;
pub mod p_value;
pub mod pearson;
pub mod rank_law;
pub mod rank_sum;
pub mod spearman;
mod stirling;
pub mod stratified;
pub mod student;
pub mod table;
pub mod tails;

pub use effect::Estimate;
pub use p_value::{PValue, Test};
pub use table::Table2x2;

/// The level at which a false discovery rate, or the chance of any false discovery, is called
/// significant.
pub const LEVEL: f64 = 0.05;
