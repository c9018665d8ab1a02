//! Firings of one tile of calls after another, by rank.

use std::ops::Range;

use crate::error::{Error, Result};
use crate::fires::{FiringStore, SetSlice};

/// The firings of some consecutive calls.
pub(super) struct Tile<'a> {
    /// The calls.
    pub(super) calls: Range<usize>,
    /// The end of each rank's calls.
    ends: &'a [usize],
    rows: &'a [u32],
}

impl Tile<'_> {
    /// The calls of the tile on which the atom of a rank fires, ascending.
    pub(super) fn of(&self, rank: usize) -> &[u32] {
        let start = rank.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.rows[start..self.ends[rank]]
    }
}

/// Shows every tile in turn.
pub(super) type EachTile<'a> = dyn Fn(&mut dyn FnMut(&Tile<'_>) -> Result<()>) -> Result<()> + 'a;

/// The least and the most calls of a tile: their labels fit a core's caches.
const CALLS: Range<usize> = 1 << 12..1 << 14;

/// The firings of an atom in a tile, on average, that make it worth while to look at its counts.
const FIRINGS: usize = 16;

/// The calls of a tile, where so many atoms fire so often on so many calls.
pub(super) fn size(atoms: usize, firings: u64, calls: usize) -> usize {
    let a_call = (firings as usize / calls.max(1)).max(1);
    (FIRINGS * atoms / a_call).clamp(CALLS.start, CALLS.end)
}

/// Shows tiles of so many calls out of the `calls` on which the atoms of all `ranks` fire, ascending.
pub(super) fn by_rank<'f>(
    rows: &dyn Fn(usize) -> &'f [u32],
    (ranks, calls, size): (usize, usize, usize),
    take: &mut dyn FnMut(&Tile<'_>) -> Result<()>,
) -> Result<()> {
    let mut shown = vec![0; ranks];
    let (mut of_tile, mut ends) = (Vec::new(), Vec::with_capacity(ranks));
    for first in (0..calls).step_by(size) {
        let calls = first..calls.min(first + size);
        of_tile.clear();
        ends.clear();
        for (rank, shown) in shown.iter_mut().enumerate() {
            let left = &rows(rank)[*shown..];
            let here = left.partition_point(|&row| (row as usize) < calls.end);
            of_tile.extend_from_slice(&left[..here]);
            ends.push(of_tile.len());
            *shown += here;
        }
        let (ends, rows) = (&ends, &of_tile);
        take(&Tile { calls, ends, rows })?;
    }
    Ok(())
}

/// Shows tiles of a store. `rank` \[F\] is the rank of each atom, if it has one; `fires` are the calls on
/// which the atom of each rank fires.
///
/// # Errors
/// Those of reading; firing sets other than those that were counted.
pub(super) fn of_store(
    store: &dyn FiringStore,
    rank: &[Option<u32>],
    (fires, calls, size): (&[usize], usize, usize),
    take: &mut dyn FnMut(&Tile<'_>) -> Result<()>,
) -> Result<()> {
    let mut seen = vec![0; fires.len()];
    let mut next = 0;
    let (mut rows, mut ends) = (Vec::new(), Vec::new());
    store.sets(&mut |sets| {
        let all = sets.all();
        for start in (0..all.len()).step_by(size) {
            let tile = all.slice(start..all.len().min(start + size));
            let first = next;
            next += tile.len();
            if next > calls {
                return Err(others(format!("more than {calls} calls")));
            }
            invert(tile, first, rank, &mut seen, &mut rows, &mut ends);
            take(&Tile {
                calls: first..next,
                ends: &ends,
                rows: &rows,
            })?;
        }
        Ok(())
    })?;
    if next != calls || seen != fires {
        return Err(others(format!("{next} calls, or other firings")));
    }
    Ok(())
}

/// Lists the calls of a tile by rank, and adds them to those that were seen.
fn invert(
    tile: SetSlice<'_>,
    first: usize,
    rank: &[Option<u32>],
    seen: &mut [usize],
    rows: &mut Vec<u32>,
    ends: &mut Vec<usize>,
) {
    let rank_of = |atom: &u32| rank.get(*atom as usize).copied().flatten();
    ends.clear();
    ends.resize(seen.len(), 0);
    for rank in tile.atoms().iter().filter_map(rank_of) {
        ends[rank as usize] += 1;
    }
    let mut total = 0;
    for (end, seen) in ends.iter_mut().zip(seen) {
        let count = *end;
        *end = total;
        *seen += count;
        total += count;
    }
    rows.clear();
    rows.resize(total, 0);
    for (row, atoms) in (first as u32..).zip(tile.iter()) {
        for rank in atoms.iter().filter_map(rank_of) {
            let place = &mut ends[rank as usize];
            rows[*place] = row;
            *place += 1;
        }
    }
}

fn others(found: String) -> Error {
    Error::Argument {
        name: "firing sets",
        found,
        expected: "those that were counted".to_owned(),
    }
}
