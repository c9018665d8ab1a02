//! All pairs of atoms that fire together: against a naive double loop over dense booleans with the
//! textbooks' formulas, against scipy and statsmodels, and by every way that leads there.

mod cohort;
mod elsewhere;
mod golden;
mod listed;
mod naive;
mod null;
mod refusals;
mod speed;
mod ways;
