//! Atoms whose directions in the decoder are alike.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::control::Control;
use crate::error::Result;
use crate::rows::Rows;
use crate::stats::vectors;

/// An atom whose direction is near another's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Alike {
    pub(super) atom: u32,
    /// The cosine of the angle between both directions.
    pub(super) cosine: f64,
}

/// Neighbours of an atom.
const NEAREST: usize = 6;

/// Multiplications for each atom of the model. So many of the strongest atoms have neighbours that
/// these do, and the time is a small part of what encoding takes.
const WORK: usize = 1 << 15;

/// The fewest atoms that have neighbours, however long directions are.
const FEWEST: usize = 8;

/// The most atoms that have neighbours.
const MOST: usize = 256;

/// Numbers that are read at a time.
const BLOCK: usize = 1 << 18;

/// Lanes of a sum: a fixed order of additions, whatever the machine.
const LANES: usize = 8;

/// The atoms nearest by direction to each of the first of `strongest`, as many as [`WORK`] allows.
/// `decoder` has the direction of every atom, \[F, D\].
///
/// Products of binary32 numbers are exact in binary64, and each sum has one order, so the same decoder
/// gives the same cosines on any machine and by any number of threads. Of equal ones the lower atom
/// comes first. An atom without a direction is near none.
pub(super) fn nearest(
    decoder: &dyn Rows,
    strongest: &[u32],
    control: &Control,
) -> Result<BTreeMap<u32, Vec<Alike>>> {
    let (atoms, dim) = (decoder.count(), decoder.dim());
    let most = (WORK / dim.max(1)).clamp(FEWEST, MOST);
    let mut chosen = Vec::new();
    for &atom in strongest.iter().take(most) {
        let row = atom as usize;
        let mut direction = vec![0.0; dim];
        decoder.read(row..row + 1, &mut direction)?;
        chosen.push((atom, direction));
    }
    let at_once = (BLOCK / dim.max(1)).max(1);
    let firsts = (0..atoms).into_par_iter().step_by(at_once);
    let blocks = firsts.map(|first| {
        control.check()?;
        let block = first..atoms.min(first + at_once);
        let mut numbers = vec![0.0; block.len() * dim];
        decoder.read(block, &mut numbers)?;
        Ok(vectors::dispatch(|| of_block(first, &numbers, &chosen)))
    });
    let blocks = blocks.collect::<Result<Vec<_>>>()?;
    let of_chosen = chosen.iter().enumerate().map(|(at, (atom, _))| {
        let all = blocks.iter().filter_map(|block| block.get(at)).flatten();
        (*atom, first_of(all.copied().collect()))
    });
    Ok(of_chosen.collect())
}

/// The nearest of a block's atoms to each of the chosen ones.
#[allow(clippy::inline_always)]
#[inline(always)]
fn of_block(first: usize, numbers: &[f32], chosen: &[(u32, Vec<f32>)]) -> Vec<Vec<Alike>> {
    let dim = chosen.first().map_or(1, |(_, direction)| direction.len());
    let rows = numbers.chunks_exact(dim.max(1));
    let rows: Vec<_> = rows.map(|row| (row, dot(row, row).sqrt())).collect();
    let of_one = |(atom, direction): &(u32, Vec<f32>)| {
        let norm = dot(direction, direction).sqrt();
        let all = (first as u32..).zip(&rows);
        let others =
            all.filter(|(other, (_, length))| other != atom && *length > 0.0 && norm > 0.0);
        let alike = others.map(|(other, (row, length))| Alike {
            atom: other,
            cosine: (dot(direction, row) / (norm * length)).clamp(-1.0, 1.0),
        });
        first_of(alike.filter(|alike| alike.cosine.is_finite()).collect())
    };
    chosen.iter().map(of_one).collect()
}

/// The nearest of all.
fn first_of(mut all: Vec<Alike>) -> Vec<Alike> {
    let order = |a: &Alike, b: &Alike| b.cosine.total_cmp(&a.cosine).then(a.atom.cmp(&b.atom));
    if all.len() > NEAREST {
        all.select_nth_unstable_by(NEAREST - 1, order);
        all.truncate(NEAREST);
    }
    all.sort_unstable_by(order);
    all
}

#[allow(clippy::inline_always)]
#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f64 {
    let mut lanes = [0.0; LANES];
    let ([a, b], [a_end, b_end]) = {
        let (a, a_end) = a.as_chunks::<LANES>();
        let (b, b_end) = b.as_chunks::<LANES>();
        ([a, b], [a_end, b_end])
    };
    for (a, b) in a.iter().zip(b) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += f64::from(*a) * f64::from(*b);
        }
    }
    let end: f64 = a_end
        .iter()
        .zip(b_end)
        .map(|(a, b)| f64::from(*a) * f64::from(*b))
        .sum();
    lanes.iter().sum::<f64>() + end
}

#[cfg(test)]
mod tests {
    use super::{Alike, nearest};
    use crate::control::Control;
    use crate::rows::SliceRows;

    #[test]
    fn nearest_are_those_of_whole_numbers() {
        // Directions in the plane and one that is none: cosines known without a sum.
        let numbers = [3.0, 4.0, 6.0, 8.0, -4.0, 3.0, 0.0, 0.0, 4.0, 3.0_f32];
        let rows = SliceRows::new(&numbers, 2).expect("rows");
        let found = nearest(&rows, &[0, 3], &Control::default()).expect("neighbours");
        let alike = |atom, cosine| Alike { atom, cosine };
        let expected = [alike(1, 1.0), alike(4, 24.0 / 25.0), alike(2, 0.0)];
        assert_eq!(found[&0], expected);
        assert_eq!(found[&3], [], "an atom without a direction is near none");
    }
}
