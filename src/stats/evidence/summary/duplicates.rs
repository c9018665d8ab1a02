//! Groups of atoms that fire on nearly the same calls: a model that splits one feature into several
//! would otherwise make several findings of one.

use std::collections::HashMap;

use serde::Serialize;

use super::called::{is_called_within, is_significant};
use crate::stats::evidence::ExtendedTables;

/// Atoms are near-duplicates where the correlation φ of their firing on all calls is at least this.
pub const ALIKE: f64 = 0.9;

/// Groups of near-duplicates among the atoms that a procedure calls, within strata or on all calls. Two
/// atoms are in one group where a chain of near-duplicates leads from one to the other. Only pairs that
/// are in the table of pairs are looked at: those that fire together on `min_coactivation` calls.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NearDuplicates {
    /// Each group's atoms, the strongest first; groups by their strongest atom. Two atoms at least.
    pub groups: Vec<Vec<u32>>,
    /// The fewest calls on which two atoms that are looked at fire together.
    pub min_coactivation: u64,
    #[serde(skip)]
    group_of: HashMap<u32, usize>,
}

impl NearDuplicates {
    /// `None` where pairs were not counted. `order` has the tested atoms, the strongest first.
    pub(super) fn of(tables: &ExtendedTables, order: &[u32]) -> Option<Self> {
        let pairs = tables.pairs.as_ref()?;
        let is_called = |atom: u32| {
            let (bh, within) = (&tables.fisher.bh, &tables.cmh.bh);
            let either = [bh, within].map(|bh| is_significant(bh[atom as usize]));
            either.contains(&true) || is_called_within(tables, atom)
        };
        let mut called = vec![false; tables.atoms.len()];
        for &atom in order {
            called[atom as usize] = is_called(atom);
        }
        let alike = pairs.alike(ALIKE, |atom| called[atom as usize]);
        Some(Self::of_pairs(&alike, order, pairs.threshold_used()))
    }

    /// The groups that these pairs make.
    pub(super) fn of_pairs(alike: &[(u32, u32)], order: &[u32], min_coactivation: u64) -> Self {
        let mut neighbours: HashMap<u32, Vec<u32>> = HashMap::new();
        for &(a, b) in alike {
            neighbours.entry(a).or_default().push(b);
            neighbours.entry(b).or_default().push(a);
        }
        let mut group_of: HashMap<u32, usize> = HashMap::new();
        let mut count = 0;
        for &atom in order.iter().filter(|atom| neighbours.contains_key(atom)) {
            if group_of.contains_key(&atom) {
                continue;
            }
            let mut open = vec![atom];
            while let Some(next) = open.pop() {
                if group_of.insert(next, count).is_none() {
                    open.extend(&neighbours[&next]);
                }
            }
            count += 1;
        }
        let mut groups = vec![Vec::new(); count];
        for atom in order {
            if let Some(&group) = group_of.get(atom) {
                groups[group].push(*atom);
            }
        }
        Self {
            groups,
            min_coactivation,
            group_of,
        }
    }

    /// Counts these atoms, with each group counted once.
    pub fn distinct(&self, atoms: &[u32]) -> usize {
        let mut is_counted = vec![false; self.groups.len()];
        let counts = atoms.iter().filter(|atom| match self.group_of.get(atom) {
            None => true,
            Some(&group) => !std::mem::replace(&mut is_counted[group], true),
        });
        counts.count()
    }

    /// The other atoms of an atom's group.
    pub fn others(&self, atom: u32) -> Vec<u32> {
        let group = self.group_of.get(&atom).map(|&group| &self.groups[group]);
        let atoms = group.into_iter().flatten().copied();
        atoms.filter(|&other| other != atom).collect()
    }
}
