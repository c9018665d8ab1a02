//! The options of the engine on CUDA devices.

use std::fmt;
use std::str::FromStr;

/// The options of the engine on CUDA devices. None of them changes the answer.
#[derive(Debug, Clone, Default)]
pub struct CudaOptions {
    /// The most device memory that model, counts and batches may take together, in bytes, beside
    /// what CUDA's libraries take themselves; nine tenths of what is free where `None`.
    pub memory: Option<u64>,
    /// The screen that is asked for.
    pub screen: ScreenChoice,
    /// Rows whose scores are in memory together; what fits the cache where `None`.
    pub tile_rows: Option<usize>,
    /// Numbers of a row whose products are summed up from zero; what suits the cache where `None`.
    pub block_depth: Option<usize>,
    /// Open pairs that a batch has room for; 64 a row where `None`.
    pub pair_capacity: Option<usize>,
    /// Atoms of a row that a batch has room for, of a model of which any number fires; of one whose
    /// ties fire, room beyond k. Rows with more are scored in full. Where `None`, it is what most
    /// models need, and more where many rows have more.
    pub firing_capacity: Option<usize>,
    /// The multiply-adds of a cohort from which `auto` takes a device. Where `None`, that is the
    /// work below which the CPU is done before a device would be ready.
    pub least_work: Option<f64>,
    /// Batches that are under way at once; 3 where `None`, 1 to time stages by themselves.
    pub lanes: Option<usize>,
}

/// The numbers that the product multiplies. `cuda::margin` says how far each format can err.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Binary16, on tensor cores.
    Half,
    /// Two binary16 numbers for each, a product three times as deep, on tensor cores.
    Split,
    /// Binary32.
    Single,
}

impl Format {
    /// Parts of an operand's row, each of D numbers.
    pub fn parts(self) -> usize {
        if self == Self::Split { 3 } else { 1 }
    }

    /// Bytes a number.
    pub fn bytes(self) -> usize {
        if self == Self::Single { 4 } else { 2 }
    }

    /// Returns the number that the kernels have for it.
    pub fn code(self) -> u32 {
        match self {
            Self::Half => 0,
            Self::Split => 1,
            Self::Single => 2,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Half => "binary16",
            Self::Split => "split binary16",
            Self::Single => "binary32",
        })
    }
}

/// The screen that a run on a device asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ScreenChoice {
    /// The screen is chosen by the model's range, and by what is seen to be left open.
    #[default]
    Auto,
    /// This one.
    Fixed(Format),
}

impl FromStr for ScreenChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "half" => Ok(Self::Fixed(Format::Half)),
            "split" => Ok(Self::Fixed(Format::Split)),
            "single" => Ok(Self::Fixed(Format::Single)),
            _ => Err("expected auto, half, split, or single".to_owned()),
        }
    }
}
