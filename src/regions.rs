//! Regions of the reference, and whether a call lies in them.
//!
//! A set has any number of intervals, which may overlap and nest, as those of `RepeatMasker` do. Two views
//! answer every question in the logarithm of their number: intervals merged, with the bases that the
//! earlier ones cover; and intervals as they were given, by their starts, with the furthest end so far.
//!
//! Positions are from 0 and half open, as in BED. `chr1` and `1` are one contig, and so are `chrM` and
//! `MT`.

mod rule;

use std::collections::HashMap;
use std::ops::Range;

use crate::cohort::plain_contig;
use crate::digest::Digest;

pub use rule::{Place, RegionRule};

/// A set of regions that has a name: a file, or the rows of one name in a file.
#[derive(Debug, Clone, Default)]
pub struct RegionSet {
    /// Its name.
    pub name: String,
    contigs: HashMap<String, OnContig>,
}

/// The regions of one contig.
#[derive(Debug, Clone, Default)]
struct OnContig {
    /// Disjoint, ascending, and not touching.
    merged: Vec<Range<u64>>,
    /// The bases that all before one of `merged` cover.
    covered_before: Vec<u64>,
    /// The starts of the regions as given, ascending.
    starts: Vec<u64>,
    /// The furthest end of a region and all before it.
    furthest_ends: Vec<u64>,
}

impl RegionSet {
    /// Makes a set of regions, each on a contig, in any order. Empty ones cover nothing.
    pub fn new<C: AsRef<str>>(
        name: impl Into<String>,
        regions: impl IntoIterator<Item = (C, Range<u64>)>,
    ) -> Self {
        let mut by_contig: HashMap<String, Vec<Range<u64>>> = HashMap::new();
        for (contig, region) in regions {
            let contig = plain_contig(contig.as_ref());
            match by_contig.get_mut(contig) {
                Some(regions) => regions.push(region),
                None => {
                    by_contig.insert(contig.to_owned(), vec![region]);
                }
            }
        }
        let contigs = by_contig.into_iter();
        Self {
            name: name.into(),
            contigs: contigs
                .map(|(contig, regions)| (contig, OnContig::new(regions)))
                .collect(),
        }
    }

    /// The number of regions, as they were given, but for empty ones.
    pub fn len(&self) -> usize {
        self.contigs.values().map(|on| on.starts.len()).sum()
    }

    /// Says whether there is no region.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the digest of the regions, as far as they decide which calls lie in them.
    pub fn digest(&self) -> Digest {
        let mut bytes = Vec::new();
        for contig in self.contigs() {
            bytes.extend_from_slice(contig.as_bytes());
            bytes.push(0);
            if let Some(on) = self.contigs.get(contig) {
                let ends = on.starts.iter().zip(&on.furthest_ends);
                for (start, end) in ends {
                    bytes.extend_from_slice(&start.to_le_bytes());
                    bytes.extend_from_slice(&end.to_le_bytes());
                }
                bytes.extend_from_slice(&u64::MAX.to_le_bytes());
            }
        }
        Digest::of(&bytes)
    }

    /// The number of bases that are in a region; of contigs longer than can be, the largest number.
    pub fn bases(&self) -> u64 {
        let bases = self.contigs.values().map(OnContig::bases);
        bases.fold(0, u64::saturating_add)
    }

    /// The contigs that have regions, by their plain names, ascending.
    pub fn contigs(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.contigs.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    /// Says whether a contig has regions.
    pub fn has_contig(&self, contig: &str) -> bool {
        self.contigs.contains_key(plain_contig(contig))
    }

    /// Says whether a call lies in the regions by a rule.
    pub fn holds(&self, place: &Place<'_>, rule: RegionRule) -> bool {
        rule.holds(self, place)
    }

    /// The number of bases of a range that are in a region.
    fn covered(&self, contig: &str, range: &Range<u64>) -> u64 {
        self.on(contig).map_or(0, |on| on.covered(range))
    }

    /// Says whether one region as given has all bases of a range.
    fn in_one(&self, contig: &str, range: &Range<u64>) -> bool {
        self.on(contig).is_some_and(|on| on.in_one(range))
    }

    fn on(&self, contig: &str) -> Option<&OnContig> {
        self.contigs.get(plain_contig(contig))
    }
}

impl OnContig {
    fn new(mut regions: Vec<Range<u64>>) -> Self {
        regions.retain(|region| region.start < region.end);
        regions.sort_unstable_by_key(|region| (region.start, region.end));
        let mut on = Self::default();
        let (mut covered, mut furthest) = (0, 0);
        for region in &regions {
            furthest = furthest.max(region.end);
            on.starts.push(region.start);
            on.furthest_ends.push(furthest);
            match on.merged.last_mut() {
                Some(last) if region.start <= last.end => {
                    covered += region.end.saturating_sub(last.end);
                    last.end = last.end.max(region.end);
                }
                _ => {
                    on.covered_before.push(covered);
                    on.merged.push(region.clone());
                    covered += region.end - region.start;
                }
            }
        }
        on
    }

    fn bases(&self) -> u64 {
        self.merged
            .iter()
            .map(|region| region.end - region.start)
            .sum()
    }

    /// The bases below `end` that are in a region.
    fn below(&self, end: u64) -> u64 {
        let after = self.merged.partition_point(|region| region.start < end);
        let Some(last) = after.checked_sub(1) else {
            return 0;
        };
        let region = &self.merged[last];
        self.covered_before[last] + (end.min(region.end) - region.start)
    }

    fn covered(&self, range: &Range<u64>) -> u64 {
        self.below(range.end) - self.below(range.start.min(range.end))
    }

    fn in_one(&self, range: &Range<u64>) -> bool {
        let after = self.starts.partition_point(|&start| start <= range.start);
        let furthest = after
            .checked_sub(1)
            .map_or(0, |last| self.furthest_ends[last]);
        furthest >= range.end && range.start < range.end
    }
}

#[cfg(test)]
#[path = "regions/tests.rs"]
mod tests;
