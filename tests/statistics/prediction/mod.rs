//! Prediction of the label: models against scikit-learn, the conditions of their minimum, and whole
//! predictions whose truth is known.

mod cohort;
mod golden;
mod minimum;
mod whole;
