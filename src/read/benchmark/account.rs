//! The account of every record that was read: in which file, of which class, and what became of it.

use indexmap::IndexMap;

/// What became of a record.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Fate {
    /// It is a call with a label.
    Labelled,
    /// It is a call without a label: the file has none.
    Unlabelled,
    /// It is true, and smaller than the least size of a false call: left out.
    BelowSizemin,
    /// The same call is in the file of true and in that of false calls: left out.
    InBoth,
    /// It is a call that no row of embeddings belongs to.
    NoRow,
    /// It is in the file of all calls, and in that of calls with a label too, which is where it counts.
    Elsewhere,
    /// Its label means neither true nor false (`IGN`, `N`, `FN`): left out.
    OtherLabel(String),
    /// It has no label in a file of labels: left out.
    NoLabel,
}

impl Fate {
    /// Returns the fate in words.
    pub fn words(&self) -> String {
        match self {
            Self::Labelled => "labelled".to_owned(),
            Self::Unlabelled => "without a label".to_owned(),
            Self::BelowSizemin => "left out: below sizemin, true by construction".to_owned(),
            Self::InBoth => "left out: both true and false".to_owned(),
            Self::NoRow => "left out: no row of embeddings".to_owned(),
            Self::Elsewhere => "left out: counted in the file of its label".to_owned(),
            Self::OtherLabel(label) => format!("left out: label {label}"),
            Self::NoLabel => "left out: no label".to_owned(),
        }
    }

    /// Says whether the record is a call of the result.
    pub fn is_kept(&self) -> bool {
        matches!(self, Self::Labelled | Self::Unlabelled)
    }
}

/// Records of one file, one class and one fate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountLine {
    /// The file's name.
    pub file: String,
    /// `TP` or `FP`; `None` of a record without a label.
    pub class: Option<&'static str>,
    /// The reason, of a false call.
    pub reason: Option<&'static str>,
    /// What became of the records.
    pub fate: Fate,
    /// How many they are.
    pub records: u64,
}

/// All records that were read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// Sums by file, class, reason and fate; files in the order in which they were read.
    pub lines: Vec<AccountLine>,
    /// The number of records that were read.
    pub read: u64,
}

impl Account {
    /// Returns the number of records with such a fate and class.
    pub fn count(&self, is: impl Fn(&AccountLine) -> bool) -> u64 {
        self.lines
            .iter()
            .filter(|line| is(line))
            .map(|line| line.records)
            .sum()
    }

    /// Moves one record from the kept ones to those without a row.
    pub(super) fn take_from_kept(
        &mut self,
        file: Option<&str>,
        class: Option<&str>,
        reason: Option<&str>,
    ) {
        let is_of = |line: &AccountLine| {
            Some(line.file.as_str()) == file && line.class == class && line.reason == reason
        };
        let Some(at) = self
            .lines
            .iter()
            .position(|line| is_of(line) && line.fate.is_kept() && line.records > 0)
        else {
            return;
        };
        let mut moved = None;
        if let Some(line) = self.lines.get_mut(at) {
            line.records -= 1;
            moved = Some(AccountLine {
                fate: Fate::NoRow,
                records: 1,
                ..line.clone()
            });
        }
        let known = self
            .lines
            .iter()
            .position(|line| is_of(line) && line.fate == Fate::NoRow);
        match (known.and_then(|known| self.lines.get_mut(known)), moved) {
            (Some(line), _) => line.records += 1,
            (None, Some(moved)) => self.lines.insert(at + 1, moved),
            (None, None) => {}
        }
        self.lines.retain(|line| line.records > 0);
    }

    /// Returns the number of records of a class, whatever became of them: what the tool itself counts.
    pub fn of_class(&self, class: &str) -> u64 {
        self.count(|line| line.class == Some(class))
    }
}

/// A count of records by place and fate.
#[derive(Debug, Default)]
pub(super) struct Counting(IndexMap<Key, u64>);

type Key = (usize, Option<&'static str>, Option<&'static str>, Fate);

impl Counting {
    pub(super) fn add(&mut self, key: Key) {
        *self.0.entry(key).or_default() += 1;
    }

    pub(super) fn finish(self, files: &[String], read: u64) -> Account {
        let mut lines: Vec<_> = self.0.into_iter().collect();
        lines.sort_by_key(|((file, class, reason, _), _)| {
            (*file, *class != Some("TP"), *class, *reason)
        });
        let line = |((file, class, reason, fate), records): (Key, u64)| AccountLine {
            file: files.get(file).cloned().unwrap_or_default(),
            class,
            reason,
            fate,
            records,
        };
        Account {
            lines: lines.into_iter().map(line).collect(),
            read,
        }
    }
}
