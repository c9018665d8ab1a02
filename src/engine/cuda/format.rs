//! The number formats of a device's screen, and the choice of one.

use std::fmt;
use std::str::FromStr;

/// What the product multiplies. See [`margin`](super::margin) for what each can err by.
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

    /// How the kernels number it.
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

/// Which screen a run asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ScreenChoice {
    /// By the model's range, and by what is seen to be left open.
    #[default]
    Auto,
    /// This one.
    Fixed(Format),
}

impl FromStr for ScreenChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "half" => Ok(Self::Fixed(Format::Half)),
            "split" => Ok(Self::Fixed(Format::Split)),
            "single" => Ok(Self::Fixed(Format::Single)),
            _ => Err("expected auto, half, split, or single".to_owned()),
        }
    }
}
