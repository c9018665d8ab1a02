//! Firing sets turned round: with one atom at a time its counts with all others stay in the cache,
//! and no two threads count for the same atom.

use std::ops::Range;

use crate::cohort::Label;
use crate::engine::coactivation::check_sets;
use crate::error::Result;
use crate::fires::FiringBlock;
use crate::fires::FiringSets;
use crate::fires::by_atom::differ;

/// Firing sets of some calls by label, row-major \[calls, k\].
#[derive(Default)]
pub(super) struct Batch {
    k: usize,
    tp: Vec<u32>,
    fp: Vec<u32>,
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
        check_sets(sets, features)?;
        if sets.rows() == 0 {
            return Ok(());
        }
        if self.k != sets.k() && self.k != 0 {
            return Err(differ());
        }
        self.k = sets.k();
        for (row, atoms) in sets.iter() {
            if row >= block.calls.len() {
                return Err(differ());
            }
            match block.calls.label(row) {
                Label::Tp => self.tp.extend_from_slice(atoms),
                Label::Fp => self.fp.extend_from_slice(atoms),
            }
            if self.tp.len() + self.fp.len() >= most {
                full(self)?;
                self.tp.clear();
                self.fp.clear();
            }
        }
        Ok(())
    }

    /// True and false calls.
    pub(super) fn calls(&self) -> [u64; 2] {
        [&self.tp, &self.fp].map(|sets| (sets.len() / self.k.max(1)) as u64)
    }

    /// The firing sets of true and of false calls.
    pub(super) fn sets(&self) -> [FiringSets; 2] {
        [&self.tp, &self.fp].map(|sets| FiringSets::new(self.k.max(1), sets.clone(), vec![]))
    }

    /// The atoms that fire on true and on false calls, one after another.
    pub(super) fn atoms(&self) -> [&[u32]; 2] {
        [&self.tp, &self.fp]
    }

    /// True and false calls' sets turned round, for a band of atoms.
    pub(super) fn turned(&self, band: &Range<u32>) -> [Turned<'_>; 2] {
        let (tp, fp) = rayon::join(
            || Turned::new(&self.tp, self.k, band),
            || Turned::new(&self.fp, self.k, band),
        );
        [tp, fp]
    }
}

/// Where in the firing sets each atom of a band is.
pub(super) struct Turned<'a> {
    sets: &'a [u32],
    k: usize,
    first: u32,
    /// Where each atom's places end, after a 0.
    ends: Vec<u32>,
    /// Places in the sets, ascending for each atom.
    places: Vec<u32>,
}

impl<'a> Turned<'a> {
    /// `sets` are fewer than 2^32 numbers.
    fn new(sets: &'a [u32], k: usize, band: &Range<u32>) -> Self {
        let k = k.max(1);
        let firings = || {
            let rows = sets.chunks_exact(k).enumerate();
            rows.flat_map(move |(row, atoms)| {
                // Atoms ascend.
                let from = atoms.partition_point(|&atom| atom < band.start);
                let within = atoms[from..].iter().take_while(|&&atom| atom < band.end);
                let place = row * k + from;
                (place as u32..).zip(within.map(|&atom| (atom - band.start) as usize))
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
        let mut places = vec![0; total as usize];
        for (place, atom) in firings() {
            places[next[atom] as usize] = place;
            next[atom] += 1;
        }
        Self {
            sets,
            k,
            first: band.start,
            ends,
            places,
        }
    }

    /// Where an atom of the band is.
    fn places(&self, atom: u32) -> &[u32] {
        let atom = (atom - self.first) as usize;
        &self.places[self.ends[atom] as usize..self.ends[atom + 1] as usize]
    }

    /// On how many of the calls an atom of the band fires.
    pub(super) fn fires(&self, atom: u32) -> u64 {
        self.places(atom).len() as u64
    }

    /// Adds on how many of the calls it fires together with each atom after it.
    pub(super) fn add_to(&self, atom: u32, counts: &mut [u32]) {
        let after = atom as usize + 1;
        for &place in self.places(atom) {
            let place = place as usize;
            let end = place - place % self.k + self.k;
            for &other in &self.sets[place + 1..end] {
                counts[other as usize - after] += 1;
            }
        }
    }
}
