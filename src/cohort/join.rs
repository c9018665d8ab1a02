//! Which call belongs to which row of embeddings: by what both sides say of themselves, and never by
//! their order alone.
//!
//! Keys are tried in turn, the surest first. A key that several have on one side joins them in their
//! order only if as many have it on the other, and only if their labels agree, so that no label can come
//! to the wrong row.

mod side;

use rayon::prelude::*;

use super::Label;
pub use side::JoinSide;

/// What a row of embeddings, or a call, says of itself. What it does not say is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Identity<'a> {
    /// Chromosome; `chr1` and `1` are equal, and so are `chrM`, `M` and `MT`.
    pub chrom: Option<&'a str>,
    /// Position, from 1.
    pub pos: Option<i64>,
    /// ID; `.` is none.
    pub id: Option<&'a str>,
    /// REF, or its digest ([`allele_key`](crate::cohort::allele_key)).
    pub reference: Option<&'a str>,
    /// ALT, or its digest.
    pub alt: Option<&'a str>,
    /// SV type.
    pub svtype: Option<&'a str>,
    /// Length, without its sign; 0 is none.
    pub length: Option<u64>,
    /// The label, if it is known.
    pub label: Option<Label>,
}

/// The key by which a row and a call are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JoinKey {
    /// The ID, where every ID is there once on both sides.
    Id,
    /// Chromosome, position and alleles.
    Alleles,
    /// Chromosome, position, type and length.
    Length,
}

impl JoinKey {
    /// All keys, the surest first.
    pub const ALL: [Self; 3] = [Self::Id, Self::Alleles, Self::Length];

    /// Returns the key in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Id => "ID",
            Self::Alleles => "chrom, pos, ref and alt",
            Self::Length => "chrom, pos, svtype and |svlen|",
        }
    }
}

/// Rows and calls, joined.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Joined {
    /// The call of each row; `None` of a row without one.
    pub call: Vec<Option<usize>>,
    /// How many rows each key joined.
    pub by: [(usize, Option<JoinKey>); 3],
    /// Calls that no row has.
    pub calls_left: Vec<usize>,
    /// True if IDs repeat on a side, so that they join nothing.
    pub ids_repeat: bool,
    /// Rows without a call that share a key with others, and cannot be told apart from these.
    pub alike: usize,
}

impl Joined {
    /// Returns the number of rows that have a call.
    pub fn joined(&self) -> usize {
        self.call.iter().flatten().count()
    }
}

/// Two that cannot be told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ambiguous {
    /// The key that they share.
    pub key: JoinKey,
    /// How many rows, and how many calls, have it.
    pub counts: (usize, usize),
    /// Two rows, or two calls, that have it.
    pub two: [usize; 2],
    /// True if `two` are rows.
    pub are_rows: bool,
}

/// Joins rows to calls.
///
/// ```
/// use atomscope::cohort::{Identity, join};
///
/// let call = |pos| Identity { chrom: Some("chr1"), pos: Some(pos), svtype: Some("DEL"), length: Some(60), ..Identity::default() };
/// let rows = [call(5), call(9)].into_iter().collect();
/// let calls = [Identity { chrom: Some("1"), ..call(9) }].into_iter().collect();
/// let joined = join(&rows, &calls).expect("no two are alike");
/// assert_eq!(joined.call, [None, Some(0)]);
/// ```
///
/// # Errors
/// Several rows or calls that share a key, and differ in number or in labels.
pub fn join(rows: &JoinSide, calls: &JoinSide) -> Result<Joined, Ambiguous> {
    let mut found = Found::new(rows, calls);
    for key in JoinKey::ALL {
        if let Some(two) = found.by(key) {
            return Err(two);
        }
    }
    Ok(found.end())
}

/// Joins rows to calls as [`join`] does; those that cannot be told apart stay without one another, and are
/// counted.
pub fn join_certain(rows: &JoinSide, calls: &JoinSide) -> Joined {
    let mut found = Found::new(rows, calls);
    for key in JoinKey::ALL {
        found.by(key);
    }
    found.end()
}

/// What was joined by now.
struct Found<'a> {
    rows: &'a JoinSide,
    calls: &'a JoinSide,
    call: Vec<Option<usize>>,
    is_taken: Vec<bool>,
    is_alike: Vec<bool>,
    ids_repeat: bool,
    counts: [usize; JoinKey::ALL.len()],
}

/// A row or a call that has a key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Keyed {
    key: u128,
    is_call: bool,
    at: usize,
}

impl<'a> Found<'a> {
    fn new(rows: &'a JoinSide, calls: &'a JoinSide) -> Self {
        Self {
            rows,
            calls,
            call: vec![None; rows.len()],
            is_taken: vec![false; calls.len()],
            is_alike: vec![false; rows.len()],
            ids_repeat: rows.repeats_ids() || calls.repeats_ids(),
            counts: [0; 3],
        }
    }

    fn end(self) -> Joined {
        let alike = self.call.iter().zip(&self.is_alike);
        let alike = alike.filter(|(call, alike)| call.is_none() && **alike);
        let left = self.is_taken.iter().enumerate();
        Joined {
            alike: alike.count(),
            calls_left: left
                .filter(|(_, taken)| !**taken)
                .map(|(call, _)| call)
                .collect(),
            call: self.call,
            by: std::array::from_fn(|at| {
                let (count, key) = (self.counts.get(at), JoinKey::ALL.get(at));
                (count.copied().unwrap_or(0), key.copied())
            }),
            ids_repeat: self.ids_repeat,
        }
    }

    /// Joins what has one key on both sides. Returns the first two, by their rows, that cannot be told apart.
    fn by(&mut self, key: JoinKey) -> Option<Ambiguous> {
        if key == JoinKey::Id && self.ids_repeat {
            return None;
        }
        let keyed = self.keyed(key);
        let mut count = 0;
        let mut first: Option<(usize, Ambiguous)> = None;
        for group in keyed.chunk_by(|a, b| a.key == b.key) {
            let (rows, calls) = group.split_at(group.partition_point(|one| !one.is_call));
            let Some(row) = rows.first().filter(|_| !calls.is_empty()) else {
                continue;
            };
            match self.check(key, rows, calls) {
                Ok(()) => count += self.join(key, rows, calls),
                Err(two) => {
                    if first.is_none_or(|(before, _)| row.at < before) {
                        first = Some((row.at, two));
                    }
                    for row in rows {
                        if let Some(alike) = self.is_alike.get_mut(row.at) {
                            *alike = true;
                        }
                    }
                }
            }
        }
        if let Some(slot) = self.counts.get_mut(key as usize) {
            *slot = count;
        }
        first.map(|(_, two)| two)
    }

    /// Lists the rows without a call and the calls without a row, by their keys.
    fn keyed(&self, key: JoinKey) -> Vec<Keyed> {
        let free_rows = self
            .call
            .iter()
            .enumerate()
            .filter(|(_, call)| call.is_none());
        let free_calls = self
            .is_taken
            .iter()
            .enumerate()
            .filter(|(_, taken)| !**taken);
        let rows = free_rows.map(|(at, _)| (self.rows, false, at));
        let calls = free_calls.map(|(at, _)| (self.calls, true, at));
        let keyed = rows.chain(calls).filter_map(|(side, is_call, at)| {
            let key = side.key(key, at)?;
            Some(Keyed { key, is_call, at })
        });
        let mut keyed: Vec<Keyed> = keyed.collect();
        keyed.par_sort_unstable();
        keyed
    }

    fn join(&mut self, key: JoinKey, rows: &[Keyed], calls: &[Keyed]) -> usize {
        let mut count = 0;
        for (row, call) in rows.iter().zip(calls) {
            if key == JoinKey::Id && self.rows.contradicts(row.at, self.calls, call.at) {
                continue;
            }
            if let (Some(slot), Some(taken)) =
                (self.call.get_mut(row.at), self.is_taken.get_mut(call.at))
            {
                *slot = Some(call.at);
                *taken = true;
                count += 1;
            }
        }
        count
    }

    /// Fails if several share a key and their order does not tell them apart.
    fn check(&self, key: JoinKey, rows: &[Keyed], calls: &[Keyed]) -> Result<(), Ambiguous> {
        if rows.len() == 1 && calls.len() == 1 {
            return Ok(());
        }
        let mut labels = calls.iter().map(|call| self.calls.label(call.at));
        let first = labels.next().flatten();
        let are_one = labels.all(|label| label == first);
        let mut pairs = rows.iter().zip(calls);
        let agree = pairs.all(|(row, call)| {
            let (row, call) = (self.rows.label(row.at), self.calls.label(call.at));
            row.is_none() || row == call
        });
        let are_known = rows.iter().all(|row| self.rows.label(row.at).is_some());
        if rows.len() == calls.len() && agree && (are_one || are_known) {
            return Ok(());
        }
        let are_rows = rows.len() > 1;
        let side = if are_rows { rows } else { calls };
        let two = [side.first(), side.get(1)].map(|one| one.map_or(0, |one| one.at));
        Err(Ambiguous {
            key,
            counts: (rows.len(), calls.len()),
            two,
            are_rows,
        })
    }
}

#[cfg(test)]
mod tests;
