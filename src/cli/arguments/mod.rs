//! Arguments that several commands take.
//!
//! | file | what it asks |
//! |---|---|
//! | `cohort` | which cohort and model, and what is kept of a run |
//! | `engine` | how rows are encoded |
//! | `statistics` | which tables are made, and how |
//! | `size` | bytes |

mod cohort;
mod engine;
mod size;
mod statistics;

pub(super) use cohort::{CohortArgs, ForceArgs, KeepArgs, LabelArgs, RunArgs};
pub(super) use engine::EngineArgs;
pub(super) use size::{MEMORY, parse_bytes};
pub(super) use statistics::{Compare, PrintArgs, StatisticsArgs, StrataArgs, TablesArgs};
