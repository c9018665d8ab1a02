//! Arguments that several commands take.
//!
//! | file | what it asks |
//! |---|---|
//! | `analysis` | what `analyze` asks |
//! | `batch_topk` | the batches of a model of batch top-k |
//! | `benchmark` | a benchmark's calls |
//! | `calls` | which atoms are looked at, and which of their calls are shown |
//! | `cohort` | which cohort and model, and what is kept of a run |
//! | `model` | which model, and what its files leave open |
//! | `engine` | how rows are encoded |
//! | `statistics` | which tables are made, and how |
//! | `tally` | what a tally keeps, and which firing sets a report reads |
//! | `regions` | regions that calls are compared by |
//! | `predict` | whether the label is predicted |
//! | `shape` | what is simulated |
//! | `output` | where results go |
//! | `size` | bytes |
//! | `headings` | headings of help texts |

mod analysis;
mod annotate;
mod batch_topk;
mod benchmark;
mod calls;
mod cohort;
mod engine;
mod headings;
mod model;
mod output;
mod page;
mod predict;
mod regions;
mod shape;
mod size;
mod statistics;
mod strata;
mod tally;

pub(super) use analysis::AnalysisArgs;
pub(super) use annotate::{AnnotateArgs, ToAnnotate};
pub(super) use batch_topk::BatchTopKArgs;
pub(super) use benchmark::BenchmarkArgs;
use benchmark::LabelledArgs;
pub(super) use calls::{AtomArgs, CallsArgs};
use cohort::CohortArgs;
pub(super) use cohort::{KeepArgs, LabelArgs, MatrixArgs, RunArgs};
pub(super) use engine::EngineArgs;
pub(super) use headings::REQUIRED;
pub(super) use model::AnswerArgs;
use model::ModelArgs;
pub(super) use output::{ForceArgs, OutputArgs};
pub(super) use page::{HtmlArg, PageArgs};
use predict::PredictArgs;
pub(super) use regions::{ReadRegions, RegionArgs};
pub(super) use shape::{PlantArgs, Shape};
pub(super) use size::{MEMORY, parse_bytes};
pub(super) use statistics::{Compare, PrintArgs, StatisticsArgs, TablesArgs};
pub(super) use strata::StrataArgs;
pub(super) use tally::{TallyArgs, TallyInputArgs};
