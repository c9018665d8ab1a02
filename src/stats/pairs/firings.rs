//! Firing sets by label, and inverted: with one atom at a time its counts with all others stay in the
//! cache, and no two threads count for the same atom.

use std::ops::Range;

use crate::cohort::Label;
use crate::error::Result;
use crate::fires::by_atom::differ;
use crate::fires::{FiringBlock, FiringSets, FiringSetsBuilder, SetSlice};

/// Firing sets of some calls by label.
#[derive(Default)]
pub(super) struct Batch {
    tp: FiringSetsBuilder,
    fp: FiringSetsBuilder,
}

impl Batch {
    /// Takes a block's firing sets; whenever there are `most` firings or more, `full` has them, and
    /// they are forgotten.
    pub(super) fn take(
        &mut self,
        block: &FiringBlock<'_>,
        features: usize,
        most: usize,
        mut full: impl FnMut(&Self) -> Result<()>,
    ) -> Result<()> {
        let sets = block.sets;
        sets.check(features)?;
        let labels: Vec<Label> = block.calls.labels().collect();
        for (row, atoms) in sets.iter() {
            match labels.get(row) {
                None => return Err(differ()),
                Some(Label::Tp) => self.tp.push(atoms),
                Some(Label::Fp) => self.fp.push(atoms),
            }
            if self.tp.firings() + self.fp.firings() >= most {
                full(self)?;
                self.tp.clear();
                self.fp.clear();
            }
        }
        Ok(())
    }

    /// True and false calls.
    pub(super) fn calls(&self) -> [u64; 2] {
        self.rows().map(|sets| sets.len() as u64)
    }

    /// The firing sets of true and of false calls.
    pub(super) fn rows(&self) -> [SetSlice<'_>; 2] {
        [self.tp.rows(), self.fp.rows()]
    }

    /// The same, to be handed over.
    pub(super) fn sets(&self) -> [FiringSets; 2] {
        self.rows().map(FiringSets::from)
    }

    /// True and false calls' sets inverted, for a band of atoms.
    pub(super) fn inverted(&self, band: &Range<u32>) -> [Inverted<'_>; 2] {
        let [tp, fp] = self.rows();
        let (tp, fp) = rayon::join(|| Inverted::new(tp, band), || Inverted::new(fp, band));
        [tp, fp]
    }
}

/// The places of each atom of a band in the firing sets.
pub(super) struct Inverted<'a> {
    sets: &'a [u32],
    first: u32,
    /// The end of each atom's places, after a 0.
    ends: Vec<u32>,
    /// The places of each atom, ascending: each its place in the sets, and where that row ends.
    places: Vec<[u32; 2]>,
}

impl<'a> Inverted<'a> {
    /// `sets` have fewer than 2^32 firings.
    fn new(sets: SetSlice<'a>, band: &Range<u32>) -> Self {
        let firings = || {
            let mut start = 0;
            sets.iter().flat_map(move |atoms| {
                // Atoms ascend.
                let from = atoms.partition_point(|&atom| atom < band.start);
                let within = atoms[from..].iter().take_while(|&&atom| atom < band.end);
                let (place, end) = ((start + from) as u32, (start + atoms.len()) as u32);
                start += atoms.len();
                let places = (place..).map(move |place| [place, end]);
                places.zip(within.map(|&atom| (atom - band.start) as usize))
            })
        };
        let mut ends = vec![0; band.len() + 1];
        for (_, atom) in firings() {
            ends[atom + 1] += 1;
        }
        let mut total = 0;
        for end in &mut ends {
            total += *end;
            *end = total;
        }
        // Each atom's end is where its first place goes, and moves on to where its places end.
        let mut next = ends.clone();
        let mut places = vec![[0; 2]; total as usize];
        for (place, atom) in firings() {
            places[next[atom] as usize] = place;
            next[atom] += 1;
        }
        Self {
            sets: sets.atoms(),
            first: band.start,
            ends,
            places,
        }
    }

    /// Returns the places of an atom of the band.
    fn places(&self, atom: u32) -> &[[u32; 2]] {
        let atom = (atom - self.first) as usize;
        &self.places[self.ends[atom] as usize..self.ends[atom + 1] as usize]
    }

    /// Returns the number of the calls on which an atom of the band fires.
    pub(super) fn fires(&self, atom: u32) -> u64 {
        self.places(atom).len() as u64
    }

    /// Adds on how many of the calls it fires together with each atom after it.
    pub(super) fn add_to(&self, atom: u32, counts: &mut [u32]) {
        let after = atom as usize + 1;
        for &[place, end] in self.places(atom) {
            for &other in &self.sets[place as usize + 1..end as usize] {
                counts[other as usize - after] += 1;
            }
        }
    }
}
