//! One side of a join as digests: rows or calls of any number in bounded memory, since no text is held.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::LazyLock;

use super::{Identity, JoinKey};
use crate::cohort::{Label, allele_key, plain_contig};

/// The digest of a key; 0 is none. Two keys of one digest are one: of 10 million keys two have one by
/// chance in one of 10^24 runs.
type Digest = u128;

/// Each run has digests of its own, so that nobody can make a file whose keys meet. What is joined does not
/// depend on them.
static HASHERS: LazyLock<[RandomState; 2]> =
    LazyLock::new(|| [RandomState::new(), RandomState::new()]);

fn digest(value: impl Hash) -> Digest {
    let [high, low] = HASHERS.each_ref().map(|hasher| hasher.hash_one(&value));
    (u128::from(high) << 64 | u128::from(low)).max(1)
}

/// A column of digests, which takes no memory before the first one.
#[derive(Debug, Clone, Default)]
struct Digests(Vec<Digest>);

impl Digests {
    fn set(&mut self, row: usize, digest: Option<Digest>) {
        if let Some(digest) = digest {
            self.0.resize(row, 0);
            self.0.push(digest);
        }
    }

    fn get(&self, row: usize) -> Option<Digest> {
        self.0.get(row).copied().filter(|digest| *digest != 0)
    }
}

/// What rows, or calls, say of themselves: 50 to 70 bytes each, however long the texts were.
#[derive(Debug, Clone, Default)]
pub struct JoinSide {
    /// A column for each key.
    keys: [Digests; JoinKey::ALL.len()],
    /// The digest of each chromosome's name.
    chroms: Vec<u64>,
    positions: Vec<Option<i64>>,
    labels: Vec<Option<Label>>,
}

impl JoinSide {
    /// Appends one.
    pub fn push(&mut self, identity: &Identity<'_>) {
        let row = self.len();
        for (key, column) in JoinKey::ALL.into_iter().zip(&mut self.keys) {
            column.set(row, key.of(identity));
        }
        let chrom = identity.chrom.map(|chrom| digest(plain_contig(chrom)));
        self.chroms.push(chrom.unwrap_or(0) as u64);
        self.positions.push(identity.pos);
        self.labels.push(identity.label);
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Says whether there are none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    pub(super) fn label(&self, row: usize) -> Option<Label> {
        self.labels.get(row).copied().flatten()
    }

    pub(super) fn key(&self, key: JoinKey, row: usize) -> Option<Digest> {
        self.keys.get(key as usize)?.get(row)
    }

    /// Says whether an ID is there twice.
    pub(super) fn repeats_ids(&self) -> bool {
        let ids = (0..self.len()).filter_map(|row| self.key(JoinKey::Id, row));
        let mut ids: Vec<Digest> = ids.collect();
        ids.sort_unstable();
        ids.windows(2).any(|two| two.first() == two.get(1))
    }

    /// Says whether one here and one there are at two places.
    pub(super) fn contradicts(&self, row: usize, other: &Self, call: usize) -> bool {
        let chrom = |side: &Self, at| side.chroms.get(at).copied().filter(|chrom| *chrom != 0);
        let pos = |side: &Self, at| side.positions.get(at).copied().flatten();
        let chroms = chrom(self, row).zip(chrom(other, call));
        let positions = pos(self, row).zip(pos(other, call));
        chroms.is_some_and(|(a, b)| a != b) || positions.is_some_and(|(a, b)| a != b)
    }
}

impl<'a> FromIterator<Identity<'a>> for JoinSide {
    fn from_iter<I: IntoIterator<Item = Identity<'a>>>(identities: I) -> Self {
        let mut side = Self::default();
        identities
            .into_iter()
            .for_each(|identity| side.push(&identity));
        side
    }
}

impl JoinKey {
    /// Returns the digest of an identity's key; `None` if a part of it is missing.
    fn of(self, identity: &Identity<'_>) -> Option<Digest> {
        let place = || Some((plain_contig(identity.chrom?), identity.pos?));
        match self {
            Self::Id => {
                let id = identity.id.filter(|id| !matches!(*id, "" | "."));
                id.map(digest)
            }
            Self::Alleles => {
                let alleles = [identity.reference?, identity.alt?];
                Some(digest((
                    place()?,
                    alleles.map(|allele| allele_key(allele.as_bytes())),
                )))
            }
            Self::Length => {
                let svtype = identity.svtype?.to_ascii_uppercase();
                let svtype = svtype.trim_matches(['<', '>']);
                Some(digest((place()?, svtype, identity.length.unwrap_or(0))))
            }
        }
    }
}
