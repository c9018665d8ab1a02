//! Effects, tests and adjusted p-values against scipy, statsmodels, scikit-learn and mpmath, by
//! golden files that `tests/golden/make_tests.py` and `make_exact_strata.py` made, and against enumeration.
//!
//! A p-value is compared by its logarithm: at 10⁻¹⁰ of p itself where that is above 10⁻³⁰⁰, and of
//! `ln p` beyond. With `--nocapture` each test prints the largest distance that it found.

#[path = "statistics_inference/exact_homogeneity.rs"]
mod exact_homogeneity;
#[path = "statistics_inference/exact_strata.rs"]
mod exact_strata;
#[path = "statistics_inference/golden.rs"]
mod golden;
#[path = "statistics_inference/multiplicity.rs"]
mod multiplicity;
#[path = "statistics_inference/properties.rs"]
mod properties;
#[path = "statistics_inference/ranks.rs"]
mod ranks;
#[path = "statistics_inference/speed.rs"]
mod speed;
#[path = "statistics_inference/speed_resampling.rs"]
mod speed_resampling;
#[path = "statistics_inference/strata.rs"]
mod strata;
#[path = "statistics_inference/tables.rs"]
mod tables;
#[path = "statistics_inference/tails.rs"]
mod tails;
