//! The options of the CPU engine.

use std::fmt;
use std::str::FromStr;

/// The options of the CPU engine. None of them changes the answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CpuOptions {
    /// The screen that is asked for.
    pub screen: CpuScreen,
}

/// The screen that a run on the CPU asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CpuScreen {
    /// The faster one on the run's own first rows.
    #[default]
    Auto,
    /// Binary32.
    Single,
    /// bfloat16, by the best instructions that there are.
    Bfloat16,
    /// bfloat16 by AMX tiles.
    Bfloat16Tiles,
    /// bfloat16 by AVX512-BF16.
    Bfloat16Vectors,
    /// bfloat16 by plain loops.
    Bfloat16Plain,
}

impl CpuScreen {
    /// All of them, by the names that people type.
    pub const NAMES: [(&'static str, Self); 6] = [
        ("auto", Self::Auto),
        ("single", Self::Single),
        ("bfloat16", Self::Bfloat16),
        ("bfloat16-tiles", Self::Bfloat16Tiles),
        ("bfloat16-vectors", Self::Bfloat16Vectors),
        ("bfloat16-plain", Self::Bfloat16Plain),
    ];
}

impl FromStr for CpuScreen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::NAMES.iter().find(|(name, _)| *name == text);
        known.map(|&(_, screen)| screen).ok_or_else(|| {
            let names: Vec<_> = Self::NAMES.iter().map(|(name, _)| *name).collect();
            format!("expected one of {}", names.join(", "))
        })
    }
}

impl fmt::Display for CpuScreen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = Self::NAMES.iter().find(|(_, screen)| screen == self);
        f.write_str(known.map_or("auto", |(name, _)| name))
    }
}
