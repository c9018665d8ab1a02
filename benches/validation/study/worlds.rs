//! The worlds that cohorts are drawn from.

/// How labels come about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum World {
    /// Types and sizes have the same share of true calls.
    Plain,
    /// They do not, as in real call sets, so that an atom that is tied to a type alone goes with the
    /// label.
    Confounded,
    /// The labels of a confounded world are dealt out anew over all calls: no atom has to do with them.
    Null,
    /// The same, but each variant is called several times with one label and the same atoms: fewer
    /// observations than calls.
    Repeated,
    /// Rare atoms that have to do with nothing, 95 % true calls.
    Null95,
    /// As `Null95`, but 90 % are true calls.
    Null90,
    /// As `Null95`, but 97 % of some types are true calls and 3 % of the others: half of all.
    NullByType,
    /// As `Null95`, and atoms that are tied to the label.
    Planted95,
    /// As `Null90`, likewise.
    Planted90,
    /// As `NullByType`, likewise.
    PlantedByType,
    /// As `Planted95`, but 20,000 calls and 4,096 atoms.
    Large,
}

impl World {
    /// All of them.
    pub(crate) const ALL: [Self; 11] = [
        Self::Plain,
        Self::Confounded,
        Self::Null,
        Self::Repeated,
        Self::Null95,
        Self::Null90,
        Self::NullByType,
        Self::Planted95,
        Self::Planted90,
        Self::PlantedByType,
        Self::Large,
    ];

    /// Returns the name that the record gives to it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Confounded => "confounded",
            Self::Null => "null",
            Self::Repeated => "repeated",
            Self::Null95 => "null, 95 % true",
            Self::Null90 => "null, 90 % true",
            Self::NullByType => "null, 97 and 3 % true by type",
            Self::Planted95 => "planted, 95 % true",
            Self::Planted90 => "planted, 90 % true",
            Self::PlantedByType => "planted, 97 and 3 % true by type",
            Self::Large => "large, 95 % true",
        }
    }

    /// Says whether types have different shares of true calls, so that what is tied to a type alone
    /// goes with the label.
    pub(crate) fn is_confounded_by_type(self) -> bool {
        matches!(self, Self::NullByType | Self::PlantedByType)
    }

    /// Whether labels are dealt out at random.
    pub(crate) fn is_null(self) -> bool {
        matches!(self, Self::Null | Self::Repeated)
    }
}
