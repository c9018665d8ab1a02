//! Atoms that fire together: the nearest of each, and a map of the strongest.

use kodama::{Method, linkage};
use serde_json::{Value, json};

use super::columns::Piece;
use crate::stats::evidence::ExtendedTables;
use crate::stats::pairs::Pairs;

/// An atom that fires together with another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbour {
    /// Its number.
    pub atom: u32,
    /// Calls on which both fire.
    pub both: u32,
    /// The correlation of their firing.
    pub phi: f64,
}

/// Neighbours of an atom, and of each of more atoms than [`MANY_ATOMS`].
const NEAREST: [usize; 2] = [6, 5];
const MANY_ATOMS: usize = 16_384;

/// Atoms on the map.
const MAPPED: usize = 120;

/// The nearest of each of `atoms` atoms by φ, the nearest first; of equal ones the lower atom.
pub(super) fn nearest(pairs: &Pairs, atoms: usize) -> Vec<Vec<Neighbour>> {
    let mut all = Nearest::new(atoms);
    pairs.each_phi(|_| true, |a, b, both, phi| all.add([a, b], both, phi));
    all.0
}

/// The nearest of each atom, of pairs that come one by one.
pub struct Nearest(pub Vec<Vec<Neighbour>>);

impl Nearest {
    /// None yet, of so many atoms.
    pub fn new(atoms: usize) -> Self {
        Self(vec![Vec::new(); atoms])
    }

    /// Takes a pair that fires together on `both` calls, with correlation `phi`.
    pub fn add(&mut self, [a, b]: [u32; 2], both: u32, phi: f64) {
        if phi > 0.0 {
            self.add_to(a, Neighbour { atom: b, both, phi });
            self.add_to(b, Neighbour { atom: a, both, phi });
        }
    }

    fn add_to(&mut self, of: u32, neighbour: Neighbour) {
        let most = NEAREST[usize::from(self.0.len() > MANY_ATOMS)];
        let Some(nearest) = self.0.get_mut(of as usize) else {
            return;
        };
        // Most pairs are nobody's nearest.
        let is_full = nearest.len() >= most;
        if is_full && nearest.last().is_some_and(|last| last.phi > neighbour.phi) {
            return;
        }
        let is_before = |other: &Neighbour| {
            other.phi > neighbour.phi || (other.phi == neighbour.phi && other.atom < neighbour.atom)
        };
        let place = nearest.partition_point(is_before);
        if place < most {
            nearest.insert(place, neighbour);
            nearest.truncate(most);
        }
    }
}

/// The map of the strongest tested atoms: their order, by which atoms that fire together stand
/// together, and a piece with φ of every two of them in percent plus 100, row by row; φ is 0 where they
/// hardly fire together. `None` where
/// there are fewer than three.
pub(super) fn map(tables: &ExtendedTables) -> Option<(Value, Piece)> {
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
    let place_of = |atom: u32| place.get(atom as usize).copied().unwrap_or(usize::MAX);
    pairs.each_phi(
        |atom| place_of(atom) < n,
        |a, b, _, phi| {
            let [a, b] = [a, b].map(place_of);
            if phi.is_finite() {
                phi_of[a * n + b] = phi;
                phi_of[b * n + a] = phi;
            }
        },
    );
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
    Some((json!(order), Piece::new("map", bytes)))
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
