//! The choices of a caller, by names that are no flags of a program, and the proposals of a
//! message.

use std::fmt;

use serde::{Serialize, Serializer};

use super::one_line;

/// One of the things that a caller chooses. A program maps each to its own flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Choice {
    /// The files of embeddings.
    Embeddings,
    /// The files of activations that were computed elsewhere.
    Activations,
    /// The number of atoms of the model that made activations.
    Atoms,
    /// The tables of calls beside the embeddings.
    Metadata,
    /// A file of true calls.
    TrueCalls,
    /// A file of false calls.
    FalseCalls,
    /// The sample whose labels are read.
    Sample,
    /// The treatment of calls below the benchmark's least size.
    BelowSizemin,
    /// The least share of rows that must have a call.
    MinJoined,
    /// The rows of an embeddings file that are meant.
    Rows,
    /// The model's file.
    Model,
    /// The one threshold of a model's atoms.
    Threshold,
    /// Whether a model's decoder bias is subtracted from embeddings.
    SubtractDecoderBias,
    /// The orientation of a model's matrix.
    Orientation,
    /// The layer of a model, or of embeddings.
    Layer,
    /// The key of the embeddings in their file.
    Key,
    /// The way in which the tokens of a call become one row.
    Pool,
    /// The column of the truth benchmark's classes.
    ClassColumn,
    /// The classes that are true calls.
    TrueClass,
    /// The treatment of rows with a NaN or an infinity.
    Nonfinite,
    /// The way in which a batch's largest scores are found.
    BatchTopK,
    /// The rows of a batch.
    BatchRows,
    /// The properties by which calls are stratified.
    Strata,
    /// The property that parts a cohort, to discover in one part and confirm in the other.
    Replicate,
    /// The device that encodes.
    Device,
    /// The threads that work.
    Threads,
    /// The way in which scores are screened.
    Screen,
    /// The vector instructions.
    Simd,
    /// The atoms that are looked at.
    Atom,
    /// The tallies that are merged.
    Tallies,
    /// The files of firing sets.
    Fires,
    /// The decision to save firing sets beside the tables.
    SaveFires,
    /// The decision to do without firing sets.
    WithoutFires,
    /// The place where results are written.
    Out,
    /// The decision to replace files that no earlier run wrote.
    Force,
    /// The decision to let files be that no record lists.
    AllowOthers,
    /// The number of simulated calls.
    SimulatedRows,
    /// The length of a simulated embedding.
    InputDim,
    /// The number of atoms of a simulated model.
    Features,
    /// The weights of a simulated model: its atoms times the length of an embedding.
    Weights,
    /// The number of atoms that fire on a simulated call.
    TopK,
    /// The number of files a simulated cohort is cut into.
    Pieces,
    /// The number of planted atoms that all fire more often on true calls.
    OneSided,
    /// The share of true calls in a simulated cohort.
    TruePercent,
}

impl fmt::Display for Choice {
    /// A name in words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Embeddings => "embeddings",
            Self::Activations => "activations",
            Self::Atoms => "atoms",
            Self::Metadata => "tables of calls",
            Self::TrueCalls => "file of true calls",
            Self::FalseCalls => "file of false calls",
            Self::Sample => "sample",
            Self::BelowSizemin => "calls below sizemin",
            Self::MinJoined => "least share of joined rows",
            Self::Rows | Self::SimulatedRows => "rows",
            Self::Model => "model",
            Self::Threshold => "threshold",
            Self::SubtractDecoderBias => "subtracting the decoder's bias",
            Self::Orientation => "orientation",
            Self::Layer => "layer",
            Self::Key => "key",
            Self::Pool => "pooling",
            Self::ClassColumn => "column of classes",
            Self::TrueClass => "true classes",
            Self::Nonfinite => "rows with NaN or infinity",
            Self::BatchTopK => "batch top-k",
            Self::BatchRows => "rows of a batch",
            Self::Strata => "strata",
            Self::Replicate => "replication",
            Self::Device => "device",
            Self::Threads => "threads",
            Self::Screen => "screen",
            Self::Simd => "vector instructions",
            Self::Atom => "atom",
            Self::Tallies => "tallies",
            Self::Fires => "files of firing sets",
            Self::SaveFires => "saving firing sets",
            Self::WithoutFires => "no firing sets",
            Self::Out => "output",
            Self::Force => "replacing files",
            Self::AllowOthers => "other files",
            Self::InputDim => "input_dim",
            Self::Features => "features",
            Self::Weights => "features x input_dim",
            Self::TopK => "k",
            Self::Pieces => "pieces",
            Self::OneSided => "one_sided",
            Self::TruePercent => "true_percent",
        })
    }
}

/// A choice that a message proposes: what would make sense of the data, or let the run go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The choice to make.
    pub choice: Choice,
    /// The values, where they are known.
    pub values: Vec<String>,
}

impl Proposal {
    /// A choice without a value, or one whose value the caller knows.
    pub fn of(choice: Choice) -> Self {
        Self {
            choice,
            values: Vec::new(),
        }
    }

    /// A choice of these values.
    pub fn new<V: Into<String>>(choice: Choice, values: impl IntoIterator<Item = V>) -> Self {
        Self {
            choice,
            values: values.into_iter().map(Into::into).collect(),
        }
    }
}

impl fmt::Display for Proposal {
    /// The choice and its values, in words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values: Vec<_> = self.values.iter().map(|value| quoted(value)).collect();
        write!(f, "{} {}", self.choice, values.join(", "))
    }
}

/// Puts into words those proposals whose values are known, with what divides them from the text
/// before.
pub(super) fn in_words(proposals: &[Proposal]) -> String {
    let known = proposals
        .iter()
        .filter(|proposal| !proposal.values.is_empty());
    let words: Vec<_> = known.map(ToString::to_string).collect();
    if words.is_empty() {
        return String::new();
    }
    format!(": {}", words.join(", "))
}

/// A value as a shell takes it, in one line.
pub(crate) fn quoted(value: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "_-.:/+".contains(c);
    if !value.is_empty() && value.chars().all(is_plain) {
        return value.to_owned();
    }
    one_line(&format!("'{}'", value.replace('\'', "'\\''")))
}

/// A sentence on something that is odd and no error, and what is proposed about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The sentence.
    pub text: String,
    /// Choices that would change it.
    pub proposals: Vec<Proposal>,
}

impl From<String> for Warning {
    fn from(text: String) -> Self {
        Self {
            text,
            proposals: Vec::new(),
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.text, in_words(&self.proposals))
    }
}

impl Serialize for Warning {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_string().serialize(serializer)
    }
}
