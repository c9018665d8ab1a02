//! Atoms that fire together: the nearest of each, and a map of the strongest.

use kodama::{Method, linkage};
use serde_json::{Value, json};

use super::columns::Island;
use super::pack::pack;
use crate::stats::evidence::ExtendedTables;
use crate::stats::pairs::Pairs;

/// An atom that fires together with another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Neighbour {
    pub(super) atom: u32,
    /// Calls on which both fire.
    pub(super) both: u32,
    /// The correlation of their firing.
    pub(super) phi: f64,
}

/// Neighbours of an atom, and of each of more atoms than [`MANY_ATOMS`].
const NEAREST: [usize; 2] = [6, 5];
const MANY_ATOMS: usize = 16_384;

/// Atoms on the map.
const MAPPED: usize = 120;

/// The nearest of each of `atoms` atoms by φ, the nearest first; of equal ones the lower atom.
pub(super) fn nearest(pairs: &Pairs, atoms: usize) -> Vec<Vec<Neighbour>> {
    let most = NEAREST[usize::from(atoms > MANY_ATOMS)];
    let mut all = vec![Vec::<Neighbour>::with_capacity(most + 1); atoms];
    let mut add = |of: u32, neighbour: Neighbour| {
        let Some(nearest) = all.get_mut(of as usize) else {
            return;
        };
        let is_before = |other: &Neighbour| {
            other.phi > neighbour.phi || (other.phi == neighbour.phi && other.atom < neighbour.atom)
        };
        let place = nearest.partition_point(is_before);
        if place < most {
            nearest.insert(place, neighbour);
            nearest.truncate(most);
        }
    };
    pairs.each_phi(|a, b, both, phi| {
        if phi > 0.0 {
            add(a, Neighbour { atom: b, both, phi });
            add(b, Neighbour { atom: a, both, phi });
        }
    });
    all
}

/// The map of the strongest tested atoms: their order, by which atoms that fire together stand
/// together, and an island with φ of every two of them in percent plus 100, row by row; φ is 0 where they
/// hardly fire together. `None` where
/// there are fewer than three.
pub(super) fn map(tables: &ExtendedTables) -> Option<(Value, Island)> {
    let pairs = tables.pairs.as_ref()?;
    let mut atoms = tables.by_strength();
    atoms.truncate(MAPPED);
    let n = atoms.len();
    if n < 3 {
        return None;
    }
    let mut place = vec![usize::MAX; tables.atoms.len()];
    for (at, &atom) in atoms.iter().enumerate() {
        *place.get_mut(atom as usize)? = at;
    }
    let mut phi_of = vec![0.0; n * n];
    pairs.each_phi(|a, b, _, phi| {
        let [a, b] = [a, b].map(|atom| place.get(atom as usize).copied().unwrap_or(usize::MAX));
        if a < n && b < n && phi.is_finite() {
            phi_of[a * n + b] = phi;
            phi_of[b * n + a] = phi;
        }
    });
    // 1 − φ, so that atoms that exclude each other are the farthest apart.
    let above = (0..n).flat_map(|a| (a + 1..n).map(move |b| (a, b)));
    let mut distances: Vec<f64> = above.map(|(a, b)| 1.0 - phi_of[a * n + b]).collect();
    let tree = linkage(&mut distances, n, Method::Average);
    let steps: Vec<[usize; 2]> = tree
        .steps()
        .iter()
        .map(|step| [step.cluster1, step.cluster2])
        .collect();
    let order = leaves(&steps, n);
    let percent = |a: usize, b: usize| {
        let phi = if a == b { 1.0 } else { phi_of[a * n + b] };
        (phi * 100.0).round() as i32 + 100
    };
    let pairs = order
        .iter()
        .flat_map(|&a| order.iter().map(move |&b| (a, b)));
    let bytes: Vec<u8> = pairs.map(|(a, b)| percent(a, b) as u8).collect();
    let order: Vec<u32> = order.iter().map(|&at| atoms[at]).collect();
    let island = Island {
        id: "map".to_owned(),
        text: pack(&bytes),
    };
    Some((json!(order), island))
}

/// The leaves of a tree of `n` leaves in their order from left to right.
fn leaves(steps: &[[usize; 2]], n: usize) -> Vec<usize> {
    let mut order = Vec::with_capacity(n);
    let mut open = vec![n + steps.len() - 1];
    while let Some(node) = open.pop() {
        match node.checked_sub(n).and_then(|step| steps.get(step)) {
            None => order.push(node),
            Some(&[left, right]) => open.extend([right, left]),
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::leaves;

    #[test]
    fn leaves_of_a_cluster_stand_together() {
        // 0 and 2 join first (3), then 1 joins them (4).
        assert_eq!(leaves(&[[0, 2], [1, 3]], 3), [1, 0, 2]);
    }
}
