//! The families of models: one a file. Each says by which keys it is known, and reads its formula.

mod bionemo;
mod bussmann;
mod calico;
mod dictionary_learning;
mod esmc;
mod gemma_scope;
mod goodfire;
mod hypothesaes;
mod interplm;
mod interprot;
mod latentsae;
mod llamascopium;
pub(super) mod notebook;
mod openai;
mod overcomplete;
pub(super) mod own;
mod plain;
mod qwen;
mod saelens;
mod sparsify;

use std::fmt::Write;

use super::candidate::Candidate;
use super::encoder::Encoder;
use crate::error::Result;

/// A family of models: files that are told by the same keys, and mean the same formulas.
pub(super) struct Family {
    /// Its name.
    pub(super) name: &'static str,
    /// The library or the place that writes such files, with the version that was looked at.
    pub(super) library: &'static str,
    /// The files.
    pub(super) files: &'static str,
    /// The keys and files by which it is known.
    pub(super) known_by: &'static str,
    /// How the encoder's matrix lies.
    pub(super) orientation: &'static str,
    /// How scores are computed from an embedding x.
    pub(super) scores: &'static str,
    /// Which atoms fire.
    pub(super) fires: &'static str,
    /// Says whether a file is of this family.
    pub(super) claims: fn(&Candidate<'_>) -> bool,
    /// Reads it.
    pub(super) read: fn(&Candidate<'_>) -> Result<Encoder>,
}

/// All families but the notebook's, which is told first. No two claim one file.
pub(super) const FAMILIES: [&Family; 19] = [
    &own::FAMILY,
    &saelens::FAMILY,
    &sparsify::FAMILY,
    &latentsae::FAMILY,
    &dictionary_learning::FAMILY,
    &openai::FAMILY,
    &gemma_scope::FAMILY,
    &goodfire::EVO_2,
    &goodfire::LLAMA,
    &bionemo::FAMILY,
    &interplm::FAMILY,
    &interprot::FAMILY,
    &esmc::FAMILY,
    &bussmann::FAMILY,
    &calico::FAMILY,
    &overcomplete::FAMILY,
    &hypothesaes::FAMILY,
    &llamascopium::FAMILY,
    &qwen::FAMILY,
];

/// The families as a table in Markdown: what docs/MODELS.md lists.
pub(super) fn markdown() -> String {
    let mut text = "| family (looked at) | files | known by | matrix | scores | fires |\n\
                    |---|---|---|---|---|---|\n"
        .to_owned();
    for family in FAMILIES.into_iter().chain([PLAIN]) {
        let cells = [
            &*format!("{} ({})", family.name, family.library),
            family.files,
            family.known_by,
            family.orientation,
            family.scores,
            family.fires,
        ];
        let cells = cells.map(|cell| cell.replace('|', "\\|"));
        // Writing to a string does not fail.
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text
}

/// The advice where no product with a matrix decides what fires, or another rule than are known here.
pub(super) const ELSEWHERE: &str =
    "encode with the library, and give the activations instead of embeddings and model";

/// The family of models that say nothing of what they are but by the names of their tensors.
pub(super) const PLAIN: &Family = &plain::FAMILY;
