//! All pairs of atoms that fire together: against a naive double loop over dense booleans with the
//! textbooks' formulas, against scipy and statsmodels, and by every way that leads there.

#[path = "coactivation_pairs/cohort.rs"]
mod cohort;
#[path = "coactivation_pairs/elsewhere.rs"]
mod elsewhere;
#[path = "coactivation_pairs/golden.rs"]
mod golden;
#[path = "coactivation_pairs/naive.rs"]
mod naive;
#[path = "coactivation_pairs/null.rs"]
mod null;
#[path = "coactivation_pairs/refusals.rs"]
mod refusals;
#[path = "coactivation_pairs/speed.rs"]
mod speed;
#[path = "coactivation_pairs/ways.rs"]
mod ways;
