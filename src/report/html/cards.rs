//! The figures of single atoms that no table has, in chunks that a page opens when a card is asked for.

use std::collections::BTreeMap;
use std::ops::Range;

use rayon::prelude::*;

use super::columns::Island;
use super::directions::Alike;
use super::examples::{Example, Numbers, choose};
use super::neighbours::Neighbour;
use super::pack::{pack, sections};
use crate::control::Control;
use crate::error::Result;
use crate::fires::FiringStore;
use crate::fires::by_atom::{Carry, FiringsByAtom, groups};
use crate::stats::evidence::{CallFacts, StrataCounts};
use crate::tally::Tally;

/// Atoms of a chunk.
pub(super) const CHUNK: usize = 512;

/// Bins of the histogram of an atom's scores, of each label.
pub(super) const BINS: usize = 20;

/// What firing sets tell of one atom.
#[derive(Default)]
struct OfAtom {
    /// True and false firings in each bin; empty without scores.
    bins: Vec<u32>,
    /// The least and the largest score.
    range: [f64; 2],
    /// The chromosome, and true and false firings there.
    chromosomes: Vec<(u32, [u32; 2])>,
    examples: Vec<Example>,
}

/// All cards of a page.
pub(super) struct Cards {
    pub(super) islands: Vec<Island>,
    /// The calls that are examples, ascending: numbers among the calls that have a firing set.
    pub(super) calls: Vec<u32>,
}

/// The data that cards are made from.
pub(super) struct Sources<'a> {
    pub(super) tally: &'a Tally,
    pub(super) strata: &'a StrataCounts,
    pub(super) firings: Option<(&'a dyn FiringStore, &'a CallFacts)>,
    pub(super) neighbours: &'a [Vec<Neighbour>],
    /// Neighbours by direction, where the decoder is known.
    pub(super) alike: Option<&'a BTreeMap<u32, Vec<Alike>>>,
    /// Bytes that firings may take at a time.
    pub(super) memory: u64,
}

impl Cards {
    pub(super) fn of(sources: &Sources<'_>, control: &Control) -> Result<Self> {
        let atoms = sources.tally.feature_dim();
        let from_firings = match sources.firings {
            None => Vec::new(),
            Some((store, facts)) => read(sources, store, facts, control)?,
        };
        let examples = from_firings.iter().flat_map(|of| &of.examples);
        let mut calls: Vec<u32> = examples.map(|example| example.0).collect();
        calls.sort_unstable();
        calls.dedup();
        control.check()?;
        let starts: Vec<usize> = (0..atoms).step_by(CHUNK).collect();
        let strata = sources.strata;
        let known = Known {
            firings: &from_firings,
            calls: &calls,
            neighbours: sources.neighbours,
            alike: sources.alike,
        };
        let islands = starts.par_iter().with_max_len(1).map(|&start| {
            let chunk = start..atoms.min(start + CHUNK);
            known.island(chunk, |atom| strata.of_atom(atom))
        });
        Ok(Self {
            islands: islands.collect(),
            calls,
        })
    }

    /// The cards of atoms of which counts on all calls are known, and neighbours: of each the true and the
    /// false calls on which it fires.
    pub(super) fn of_counts(fires: &[[u64; 2]], neighbours: &[Vec<Neighbour>]) -> Vec<Island> {
        let known = Known {
            firings: &[],
            calls: &[],
            neighbours,
            alike: None,
        };
        let all = |atom: usize| match fires.get(atom) {
            // One stratum: all calls.
            Some(&[tp, fp]) if tp > 0 || fp > 0 => vec![(0, [tp, fp])],
            _ => Vec::new(),
        };
        let starts = (0..fires.len()).step_by(CHUNK);
        let chunks = starts.map(|start| start..fires.len().min(start + CHUNK));
        chunks.map(|chunk| known.island(chunk, all)).collect()
    }
}

/// What is known of atoms beside their counts by stratum.
struct Known<'a> {
    /// Empty without firing sets.
    firings: &'a [OfAtom],
    calls: &'a [u32],
    /// Empty without pairs.
    neighbours: &'a [Vec<Neighbour>],
    alike: Option<&'a BTreeMap<u32, Vec<Alike>>>,
}

impl Known<'_> {
    /// The island of some atoms' cards; `strata` has the strata in which an atom fires.
    fn island(
        &self,
        atoms: Range<usize>,
        strata: impl Fn(usize) -> Vec<(u32, [u64; 2])>,
    ) -> Island {
        let mut arrays = of_strata(atoms.clone().map(strata));
        arrays.extend(of_firings(self.firings.get(atoms.clone()), self.calls));
        arrays.extend(of_neighbours(self.neighbours.get(atoms.clone())));
        let number = atoms.start / CHUNK;
        arrays.extend(of_directions(self.alike, atoms));
        Island {
            id: format!("cards-{number}"),
            text: pack(&sections(&arrays)),
        }
    }
}

fn read(
    sources: &Sources<'_>,
    store: &dyn FiringStore,
    facts: &CallFacts,
    control: &Control,
) -> Result<Vec<OfAtom>> {
    let fires = sources.tally.counts_where(|_| true);
    let numbers = Numbers::of(fires.len());
    let mut all = Vec::with_capacity(fires.len());
    for group in groups(&fires, Carry::CallsAndScores, sources.memory) {
        control.check()?;
        let firings = FiringsByAtom::gather(store, group, &fires, Carry::CallsAndScores)?;
        let atoms = firings.atoms().into_par_iter().with_min_len(64);
        let of_group = atoms.map(|atom| one(&firings, atom, facts, numbers));
        all.extend(of_group.collect::<Vec<_>>());
    }
    Ok(all)
}

fn one(firings: &FiringsByAtom, atom: u32, facts: &CallFacts, numbers: Numbers) -> OfAtom {
    let calls = firings.of(atom);
    let is_tp = |call: u32| facts.is_tp.get(call as usize).copied().unwrap_or(false);
    let mut chromosomes = BTreeMap::<u32, [u32; 2]>::new();
    // Calls mostly come by chromosome.
    let chromosome = |call: &u32| facts.chromosomes.category_of(*call);
    for run in calls.chunk_by(|a, b| chromosome(a) == chromosome(b)) {
        let tp = run.iter().filter(|&&call| is_tp(call)).count() as u32;
        let counts = chromosomes.entry(chromosome(&run[0])).or_default();
        *counts = [counts[0] + tp, counts[1] + run.len() as u32 - tp];
    }
    let chromosomes = chromosomes.into_iter().collect();
    let Some(scores) = firings.scores(atom) else {
        let none = vec![0.0; calls.len()];
        let examples = choose(atom, calls, &none, is_tp, numbers);
        return OfAtom {
            chromosomes,
            examples,
            ..OfAtom::default()
        };
    };
    let low = scores.iter().copied().fold(f64::INFINITY, f64::min);
    let high = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut bins = vec![0; 2 * BINS];
    for (&call, &score) in calls.iter().zip(scores) {
        let share = if high > low {
            (score - low) / (high - low)
        } else {
            0.5
        };
        let bin = ((share * BINS as f64) as usize).min(BINS - 1);
        bins[bin + if is_tp(call) { 0 } else { BINS }] += 1;
    }
    OfAtom {
        bins,
        range: if low <= high { [low, high] } else { [0.0, 0.0] },
        chromosomes,
        examples: choose(atom, calls, scores, is_tp, numbers),
    }
}

/// How far each of ascending numbers is from the one before it, and the first from 0: small numbers, so
/// that they compress better.
fn gaps(ascending: impl Iterator<Item = u32>) -> impl Iterator<Item = u32> {
    ascending.scan(0, |before, number| {
        Some(number - std::mem::replace(before, number))
    })
}

/// For each atom the number of strata it fires in; then for each of these the gap between its place
/// and the last one's, and on how many true and false calls the atom fires there.
fn of_strata(atoms: impl Iterator<Item = Vec<(u32, [u64; 2])>>) -> Vec<Vec<u32>> {
    let mut arrays = vec![Vec::new(); 4];
    for strata in atoms {
        arrays[0].push(strata.len() as u32);
        arrays[1].extend(gaps(strata.iter().map(|&(stratum, _)| stratum)));
        for (_, fires) in strata {
            let [tp, fp] = fires.map(|count| u32::try_from(count).unwrap_or(u32::MAX));
            arrays[2].push(tp);
            arrays[3].push(fp);
        }
    }
    arrays
}

/// Chromosomes as strata; histograms; the range of scores as the first 24 bits of binary32; examples: how
/// many, why, which call among those that are examples, and the score as a share of the range in steps of 1/1023.
fn of_firings(atoms: Option<&[OfAtom]>, calls: &[u32]) -> Vec<Vec<u32>> {
    let mut arrays = vec![Vec::new(); 11];
    for atom in atoms.unwrap_or_default() {
        arrays[0].push(atom.chromosomes.len() as u32);
        arrays[1].extend(gaps(atom.chromosomes.iter().map(|&(place, _)| place)));
        for &(_, [tp, fp]) in &atom.chromosomes {
            arrays[2].push(tp);
            arrays[3].push(fp);
        }
        arrays[4].extend(&atom.bins);
        let [low, high] = atom.range;
        arrays[5].push((low as f32).to_bits() >> 8);
        arrays[6].push((high as f32).to_bits() >> 8);
        arrays[7].push(atom.examples.len() as u32);
        for &(call, score, kind) in &atom.examples {
            let share = if high > low {
                (score - low) / (high - low)
            } else {
                0.0
            };
            arrays[8].push(kind as u32);
            arrays[9].push(calls.binary_search(&call).unwrap_or(0) as u32);
            arrays[10].push((share * 1023.0).round().clamp(0.0, 1023.0) as u32);
        }
    }
    arrays
}

/// Neighbours: how many, which atoms, φ in steps of 1/1000, on how many calls both fire.
fn of_neighbours(atoms: Option<&[Vec<Neighbour>]>) -> Vec<Vec<u32>> {
    let mut arrays = vec![Vec::new(); 4];
    for neighbours in atoms.unwrap_or_default() {
        arrays[0].push(neighbours.len() as u32);
        for neighbour in neighbours {
            arrays[1].push(neighbour.atom);
            arrays[2].push((neighbour.phi * 1000.0).round().clamp(0.0, 1000.0) as u32);
            arrays[3].push(neighbour.both);
        }
    }
    arrays
}

/// Neighbours by direction: how many, which atoms, the cosine plus 1 in steps of 1/1000.
fn of_directions(alike: Option<&BTreeMap<u32, Vec<Alike>>>, atoms: Range<usize>) -> Vec<Vec<u32>> {
    let mut arrays = vec![Vec::new(); 3];
    for atom in atoms {
        let found = alike.and_then(|alike| alike.get(&(atom as u32)));
        let found = found.map(Vec::as_slice).unwrap_or_default();
        arrays[0].push(found.len() as u32);
        for alike in found {
            arrays[1].push(alike.atom);
            arrays[2].push(((alike.cosine + 1.0) * 1000.0).round() as u32);
        }
    }
    arrays
}

#[cfg(test)]
mod tests {
    use super::gaps;

    #[test]
    fn gaps_add_up_to_the_numbers() {
        assert_eq!(
            gaps([0, 3, 4, 9].into_iter()).collect::<Vec<_>>(),
            [0, 3, 1, 5]
        );
        assert_eq!(gaps([7].into_iter()).collect::<Vec<_>>(), [7]);
    }
}
