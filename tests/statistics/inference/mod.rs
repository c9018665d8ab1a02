//! Effects, tests and adjusted p-values against scipy, statsmodels, scikit-learn and mpmath, by
//! golden files that `tests/golden/make_tests.py` and `make_exact_strata.py` made, and against enumeration.
//!
//! A p-value is compared by its logarithm: at 10⁻¹⁰ of p itself where that is above 10⁻³⁰⁰, and of
//! `ln p` beyond. With `--nocapture` each test prints the largest distance that it found.

mod exact_homogeneity;
mod exact_strata;
mod golden;
mod multiplicity;
mod properties;
mod rank_law;
mod ranks;
mod speed;
mod speed_resampling;
mod strata;
mod tables;
mod tails;
