//! Which call belongs to which row of embeddings: by what both sides say of themselves, and never by
//! their order alone.
//!
//! Keys are tried in turn, the surest first. A key that several have on one side joins them in their
//! order only if as many have it on the other, and only if their labels agree, so that no label can come
//! to the wrong row.

use std::collections::HashMap;
use std::hash::Hash;

use super::{Label, allele_key, plain_contig};

/// What a row of embeddings, or a call, says of itself. What it does not say is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Identity<'a> {
    /// Chromosome; `chr1` and `1` are equal, and so are `chrM`, `M` and `MT`.
    pub chrom: Option<&'a str>,
    /// Position, from 1.
    pub pos: Option<i64>,
    /// ID; `.` is none.
    pub id: Option<&'a str>,
    /// REF, or its digest ([`allele_key`]).
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
/// let rows = [call(5), call(9)];
/// let calls = [Identity { chrom: Some("1"), ..call(9) }];
/// let joined = join(&rows, &calls).expect("no two are alike");
/// assert_eq!(joined.call, [None, Some(0)]);
/// ```
///
/// # Errors
/// Several rows or calls that share a key, and differ in number or in labels.
pub fn join(rows: &[Identity<'_>], calls: &[Identity<'_>]) -> Result<Joined, Ambiguous> {
    join_or(rows, calls, &mut Err)
}

/// Joins rows to calls as [`join`] does; those that cannot be told apart stay without one another, and are
/// counted.
pub fn join_certain(rows: &[Identity<'_>], calls: &[Identity<'_>]) -> Joined {
    // Nothing fails where nothing is refused.
    join_or(rows, calls, &mut |_| Ok(())).unwrap_or_default()
}

/// Joins rows to calls; `refuse` decides about those that cannot be told apart.
fn join_or(
    rows: &[Identity<'_>],
    calls: &[Identity<'_>],
    refuse: &mut dyn FnMut(Ambiguous) -> Result<(), Ambiguous>,
) -> Result<Joined, Ambiguous> {
    let mut sides = Sides {
        rows,
        calls,
        call: vec![None; rows.len()],
        is_taken: vec![false; calls.len()],
        is_alike: vec![false; rows.len()],
    };
    let mut by = [(0, None); 3];
    let ids_repeat = repeat(rows) || repeat(calls);
    for (key, slot) in JoinKey::ALL.into_iter().zip(&mut by) {
        let count = match key {
            JoinKey::Id if ids_repeat => 0,
            JoinKey::Id => sides.by(key, &|identity| id(identity).map(str::to_owned), refuse)?,
            JoinKey::Alleles => sides.by(key, &alleles, refuse)?,
            JoinKey::Length => sides.by(key, &length, refuse)?,
        };
        *slot = (count, Some(key));
    }
    let alike = sides.call.iter().zip(&sides.is_alike);
    let alike = alike.filter(|(call, alike)| call.is_none() && **alike);
    let left = sides.is_taken.iter().enumerate();
    Ok(Joined {
        calls_left: left
            .filter(|(_, taken)| !**taken)
            .map(|(call, _)| call)
            .collect(),
        alike: alike.count(),
        call: sides.call,
        by,
        ids_repeat,
    })
}

struct Sides<'a> {
    rows: &'a [Identity<'a>],
    calls: &'a [Identity<'a>],
    call: Vec<Option<usize>>,
    is_taken: Vec<bool>,
    is_alike: Vec<bool>,
}

impl Sides<'_> {
    /// Joins what has one key on both sides, and returns how many rows that are.
    fn by<K: Hash + Eq>(
        &mut self,
        key: JoinKey,
        of: &dyn Fn(&Identity<'_>) -> Option<K>,
        refuse: &mut dyn FnMut(Ambiguous) -> Result<(), Ambiguous>,
    ) -> Result<usize, Ambiguous> {
        let mut groups: HashMap<K, (Vec<usize>, Vec<usize>)> = HashMap::new();
        for (call, identity) in self.calls.iter().enumerate() {
            if self.is_taken.get(call) == Some(&false)
                && let Some(key) = of(identity)
            {
                groups.entry(key).or_default().1.push(call);
            }
        }
        for (row, identity) in self.rows.iter().enumerate() {
            if self.call.get(row) == Some(&None)
                && let Some(group) = of(identity).and_then(|key| groups.get_mut(&key))
            {
                group.0.push(row);
            }
        }
        // In the order of the rows, so that the same two are named each time.
        let mut groups: Vec<_> = groups
            .into_values()
            .filter(|group| !group.0.is_empty())
            .collect();
        groups.sort_unstable();
        let mut count = 0;
        for (rows, calls) in groups {
            if let Err(two) = self.check(key, &rows, &calls) {
                refuse(two)?;
                for row in rows {
                    if let Some(alike) = self.is_alike.get_mut(row) {
                        *alike = true;
                    }
                }
                continue;
            }
            for (&row, call) in rows.iter().zip(calls) {
                if key == JoinKey::Id && self.contradict(row, call) {
                    continue;
                }
                if let (Some(slot), Some(taken)) =
                    (self.call.get_mut(row), self.is_taken.get_mut(call))
                {
                    *slot = Some(call);
                    *taken = true;
                    count += 1;
                }
            }
        }
        Ok(count)
    }

    /// Fails if several share a key and their order does not tell them apart.
    fn check(&self, key: JoinKey, rows: &[usize], calls: &[usize]) -> Result<(), Ambiguous> {
        if rows.len() == 1 && calls.len() == 1 {
            return Ok(());
        }
        let label =
            |side: &[Identity<'_>], at: usize| side.get(at).and_then(|identity| identity.label);
        let mut labels = calls.iter().map(|&call| label(self.calls, call));
        let first = labels.next().flatten();
        let are_one = labels.all(|label| label == first);
        let mut pairs = rows.iter().zip(calls);
        let agree = pairs.all(|(&row, &call)| {
            let (row, call) = (label(self.rows, row), label(self.calls, call));
            row.is_none() || row == call
        });
        let are_known = rows.iter().all(|&row| label(self.rows, row).is_some());
        if rows.len() == calls.len() && agree && (are_one || are_known) {
            return Ok(());
        }
        let are_rows = rows.len() > 1;
        let side = if are_rows { rows } else { calls };
        let two = [side.first(), side.get(1)].map(|at| at.copied().unwrap_or_default());
        Err(Ambiguous {
            key,
            counts: (rows.len(), calls.len()),
            two,
            are_rows,
        })
    }

    /// Says whether a row and a call of one ID are at two places.
    fn contradict(&self, row: usize, call: usize) -> bool {
        let (Some(row), Some(call)) = (self.rows.get(row), self.calls.get(call)) else {
            return true;
        };
        let differ = |a: Option<i64>, b: Option<i64>| a.zip(b).is_some_and(|(a, b)| a != b);
        let (a, b) = (row.chrom.map(plain_contig), call.chrom.map(plain_contig));
        differ(row.pos, call.pos) || a.zip(b).is_some_and(|(a, b)| a != b)
    }
}

fn id<'a>(identity: &Identity<'a>) -> Option<&'a str> {
    identity.id.filter(|id| !matches!(*id, "" | "."))
}

/// Says whether an ID is there twice.
fn repeat(side: &[Identity<'_>]) -> bool {
    let mut seen = std::collections::HashSet::new();
    side.iter().filter_map(id).any(|id| !seen.insert(id))
}

fn alleles(identity: &Identity<'_>) -> Option<(String, i64, String, String)> {
    let of = |allele: &str| allele_key(allele.as_bytes());
    Some((
        plain_contig(identity.chrom?).to_owned(),
        identity.pos?,
        of(identity.reference?),
        of(identity.alt?),
    ))
}

fn length(identity: &Identity<'_>) -> Option<(String, i64, String, u64)> {
    let svtype = identity.svtype?.to_ascii_uppercase();
    Some((
        plain_contig(identity.chrom?).to_owned(),
        identity.pos?,
        svtype.trim_matches(['<', '>']).to_owned(),
        identity.length.unwrap_or(0),
    ))
}

#[cfg(test)]
mod tests;
