//! The figures of single atoms that no table has, in chunks that a page opens when a card is asked for.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::columns::Island;
use super::directions::Alike;
use super::examples::{Example, Numbers, choose};
use super::neighbours::Neighbour;
use super::pack::{pack, sections};
use crate::cohort::Label;
use crate::control::Control;
use crate::error::Result;
use crate::fires::FiringStore;
use crate::fires::by_atom::{Carry, FiringsByAtom, groups};
use crate::stats::evidence::{CallFacts, StratumKey};
use crate::tally::{CountsByAtom, StratifyBy, Tally};

/// Atoms of a chunk.
pub(super) const CHUNK: usize = 512;

/// Bins of the histogram of an atom's scores, of each label.
pub(super) const BINS: usize = 20;

/// The calls of each stratum without its label, and which of the tally's strata it has.
pub(super) struct Strata {
    pub(super) keys: Vec<(StratumKey, [u64; 2])>,
    /// The stratum and the label, 0 for true calls, of each of the tally's strata.
    places: Vec<(u32, usize)>,
    counts: CountsByAtom,
}

impl Strata {
    pub(super) fn of(tally: &Tally) -> Self {
        let scheme = StratifyBy {
            svtype: true,
            ..tally.scheme()
        };
        let mut keys = BTreeMap::<StratumKey, ([u64; 2], [Option<usize>; 2])>::new();
        let table = tally.table().iter().zip(tally.rows());
        for (place, (stratum, &rows)) in table.enumerate() {
            let label = usize::from(stratum.label == Label::Fp);
            let (calls, places) = keys.entry(StratumKey::of(stratum, &scheme)).or_default();
            calls[label] += rows;
            places[label] = Some(place);
        }
        let mut of_tally = vec![(0, 0); tally.table().len()];
        for (number, (_, places)) in (0..).zip(keys.values()) {
            for (label, place) in places.iter().enumerate() {
                if let Some(place) = *place {
                    of_tally[place] = (number, label);
                }
            }
        }
        Self {
            keys: keys
                .into_iter()
                .map(|(key, (calls, _))| (key, calls))
                .collect(),
            places: of_tally,
            counts: tally.all_counts().by_atom(tally.feature_dim()),
        }
    }
}

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
    pub(super) strata: &'a Strata,
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
        let (neighbours, alike) = (sources.neighbours, sources.alike);
        let islands = starts.par_iter().with_max_len(1).map(|&start| {
            let chunk = start..atoms.min(start + CHUNK);
            let mut arrays = of_strata(strata, chunk.clone());
            arrays.extend(of_firings(from_firings.get(chunk.clone()), &calls));
            arrays.extend(of_neighbours(neighbours.get(chunk.clone())));
            arrays.extend(of_directions(alike, chunk));
            Island {
                id: format!("cards-{}", start / CHUNK),
                text: pack(&sections(&arrays)),
            }
        });
        Ok(Self {
            islands: islands.collect(),
            calls,
        })
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
    for &call in calls {
        let counts = chromosomes
            .entry(facts.chromosomes.category_of(call))
            .or_default();
        counts[usize::from(!is_tp(call))] += 1;
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

/// For each atom the number of strata it fires in; then for each of these its place, and on how many
/// true and false calls the atom fires there.
fn of_strata(strata: &Strata, atoms: std::ops::Range<usize>) -> Vec<Vec<u32>> {
    let mut arrays = vec![Vec::new(); 4];
    for atom in atoms {
        let mut counts = BTreeMap::<u32, [u32; 2]>::new();
        for &(place, count) in strata.counts.of(atom) {
            let (stratum, label) = strata.places[place as usize];
            counts.entry(stratum).or_default()[label] = u32::try_from(count).unwrap_or(u32::MAX);
        }
        arrays[0].push(counts.len() as u32);
        for (stratum, [tp, fp]) in counts {
            arrays[1].push(stratum);
            arrays[2].push(tp);
            arrays[3].push(fp);
        }
    }
    arrays
}

/// Chromosomes as strata; histograms; the range of scores as binary32; examples: how many, why, which
/// call among those that are examples, and the score as a share of the range in steps of 1/1023.
fn of_firings(atoms: Option<&[OfAtom]>, calls: &[u32]) -> Vec<Vec<u32>> {
    let mut arrays = vec![Vec::new(); 11];
    for atom in atoms.unwrap_or_default() {
        arrays[0].push(atom.chromosomes.len() as u32);
        for &(chromosome, [tp, fp]) in &atom.chromosomes {
            arrays[1].push(chromosome);
            arrays[2].push(tp);
            arrays[3].push(fp);
        }
        arrays[4].extend(&atom.bins);
        let [low, high] = atom.range;
        arrays[5].push((low as f32).to_bits());
        arrays[6].push((high as f32).to_bits());
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

/// Neighbours: how many, which atoms, φ in steps of 1/10000, on how many calls both fire.
pub(super) fn of_neighbours(atoms: Option<&[Vec<Neighbour>]>) -> Vec<Vec<u32>> {
    let mut arrays = vec![Vec::new(); 4];
    for neighbours in atoms.unwrap_or_default() {
        arrays[0].push(neighbours.len() as u32);
        for neighbour in neighbours {
            arrays[1].push(neighbour.atom);
            arrays[2].push((neighbour.phi * 10_000.0).round().clamp(0.0, 10_000.0) as u32);
            arrays[3].push(neighbour.both);
        }
    }
    arrays
}

/// Neighbours by direction: how many, which atoms, the cosine plus 1 in steps of 1/10000.
fn of_directions(
    alike: Option<&BTreeMap<u32, Vec<Alike>>>,
    atoms: std::ops::Range<usize>,
) -> Vec<Vec<u32>> {
    let mut arrays = vec![Vec::new(); 3];
    for atom in atoms {
        let found = alike.and_then(|alike| alike.get(&(atom as u32)));
        let found = found.map(Vec::as_slice).unwrap_or_default();
        arrays[0].push(found.len() as u32);
        for alike in found {
            arrays[1].push(alike.atom);
            arrays[2].push(((alike.cosine + 1.0) * 10_000.0).round() as u32);
        }
    }
    arrays
}
