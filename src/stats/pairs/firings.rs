//! Firing sets by label, and inverted: with one atom at a time its counts with all others stay in the
//! cache, and no two threads count for the same atom.

use std::ops::Range;

use super::chosen::Chosen;
use super::seen::Seen;
use crate::cohort::Label;
use crate::error::Result;
use crate::fires::by_atom::differ;
use crate::fires::{FiringBlock, FiringSets, FiringSetsBuilder, SetSlice};

/// Firing sets of some calls by label, of the chosen atoms in their new numbers.
#[derive(Default)]
pub(super) struct Batch {
    tp: FiringSetsBuilder,
    fp: FiringSetsBuilder,
    /// A set in new numbers.
    renumbered: Vec<u32>,
}

impl Batch {
    /// Takes a block's firing sets, which `seen` counts. Whenever there are `most` firings or more,
    /// `full` has them, and they are forgotten.
    pub(super) fn take(
        &mut self,
        block: &FiringBlock<'_>,
        chosen: &Chosen,
        seen: &mut Seen,
        most: usize,
        mut full: impl FnMut(&Self) -> Result<()>,
    ) -> Result<()> {
        let sets = block.sets;
        sets.check(seen.features())?;
        let labels: Vec<Label> = block.calls.labels().collect();
        for (row, atoms) in sets.iter() {
            let Some(&label) = labels.get(row) else {
                return Err(differ());
            };
            seen.add(label, atoms);
            self.push(label, atoms, chosen);
            if self.firings() >= most {
                full(self)?;
                self.tp.clear();
                self.fp.clear();
            }
        }
        Ok(())
    }

    fn push(&mut self, label: Label, atoms: &[u32], chosen: &Chosen) {
        let sets = match label {
            Label::Tp => &mut self.tp,
            Label::Fp => &mut self.fp,
        };
        if !chosen.renumber(atoms, &mut self.renumbered) {
            sets.push(atoms);
        } else if self.renumbered.len() > 1 {
            // One atom makes no pair.
            sets.push(&self.renumbered);
        }
    }

    /// Returns the number of firings.
    pub(super) fn firings(&self) -> usize {
        self.tp.firings() + self.fp.firings()
    }

    /// The firing sets of true and of false calls.
    fn rows(&self) -> [SetSlice<'_>; 2] {
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

    /// Returns the number of firings that [`others`](Self::others) hands over.
    pub(super) fn other_firings(&self, atom: u32) -> usize {
        let firings = |&[place, end]: &[u32; 2]| (end - place - 1) as usize;
        self.places(atom).iter().map(firings).sum()
    }

    /// The atoms after an atom of the band that fire on a call together with it, call by call.
    pub(super) fn others(&self, atom: u32) -> impl Iterator<Item = &'a [u32]> {
        let sets = self.sets;
        let others = move |&[place, end]: &[u32; 2]| &sets[place as usize + 1..end as usize];
        self.places(atom).iter().map(others)
    }

    /// Adds on how many of the calls it fires together with each atom after it.
    ///
    /// The sets of its calls lie far apart. Copying some of them first has many loads under way at a time;
    /// counts alone would wait for one set after another.
    pub(super) fn add_to(&self, atom: u32, counts: &mut [u32]) {
        /// Others that are copied at a time, and some more.
        const COPIED: usize = 2048;
        let after = atom + 1;
        let mut copied = Vec::with_capacity(2 * COPIED);
        let mut add = |copied: &mut Vec<u32>| {
            for &other in &*copied {
                counts[(other - after) as usize] += 1;
            }
            copied.clear();
        };
        for others in self.others(atom) {
            copied.extend_from_slice(others);
            if copied.len() >= COPIED {
                add(&mut copied);
            }
        }
        add(&mut copied);
    }
}
