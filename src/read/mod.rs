//! Reading files: bytes in, [`Sae`](crate::sae::Sae) or [`Cohort`] out.
//!
//! The layers, each of which knows only those before it: `source` (a file read at offsets),
//! `tensor` (matrices in files, whatever the format), `spill` (bytes that are decoded once), `zipped`
//! (archives), `pickle` (values in an arena; nothing is executed), `torch`, `npy`, `npz` and
//! `safetensors` (formats of tensors), `plain` (numbers and text in the forms that Python, numpy and
//! torch keep them), `fields` (what a call has), `calls` and `metadata` (calls in `sv_info` and in
//! tables), `lists` (tables with a column of lists), `matrices`, `pooled` and `embedding_rows` (which of
//! several matrices is meant, and its rows), and `activations` (which atoms fire, as others computed
//! it). On top are [`read_model`], [`read_cohort`], [`read_activations`] and [`inspect()`]. No bytes make
//! any of it panic. Memory is bounded by the bytes that are really there.

mod activations;
mod bed;
pub mod benchmark;
mod budget;
#[cfg(test)]
mod budget_tests;
mod calls;
mod class_columns;
mod cohort;
mod embedding_rows;
mod embeddings;
mod fields;
mod folders;
mod inspect;
mod layer_name;
#[cfg(feature = "parquet")]
mod lists;
mod matrices;
mod metadata;
mod model;
mod naming;
mod npy;
mod npz;
mod order;
mod pickle;
mod plain;
mod pooled;
mod safetensors;
mod sniff;
mod source;
mod spill;
mod tables_beside;
mod tensor;
mod torch;
mod tree;
pub mod vcf;
mod words;
mod zipped;

pub use crate::sae::ModelAbout;
pub use activations::{Activations, ActiveAtoms};
pub use bed::{NamedBy, Regions};
pub use class_columns::class_columns;
pub use cohort::{
    Cohort, read_activations, read_cohort, read_cohort_by, read_cohort_choosing, read_cohort_with,
};
pub use embedding_rows::EmbeddingRows;
pub use embeddings::read_rows;
pub use inspect::{
    CallSummary, ForeignName, Inspection, inspect, inspect_by, inspect_embeddings, inspect_model,
};
pub use metadata::{
    CallTable, CallValue, PARSER_THREAD, ReadCalls, read_call_file, read_call_table,
};
#[cfg(feature = "parquet")]
pub(crate) use metadata::{column, columns_and_count, file_texts};
pub use model::{
    Decoder, Identity, LoadedModel, ModelAnswers, NamedTensor, Orientation, TensorModel,
    families_markdown, find_model, model_files, read_model, read_model_alone, read_model_tensors,
    read_model_with,
};
pub(crate) use safetensors::{Entry, LONGEST_HEADER, SafeTensors, is_safetensors};
pub(crate) use sniff::{HEAD, describe};
pub(crate) use source::{Source, Stamp, check_same};
pub use tables_beside::tables_beside;
pub use tree::Node;
pub(crate) use zipped::digest;
