//! Firing sets turned round, from blocks and in memory.

use super::{Carry, FiringsByAtom, groups};
use crate::cohort::{Call, Calls};
use crate::error::Result;
use crate::fires::FiringSets;
use crate::fires::{FiringBlock, FiringStore};

/// Two blocks, of which the second has a dropped call.
struct Two(FiringSets, FiringSets);

impl FiringStore for Two {
    fn blocks(&self, take: &mut dyn FnMut(FiringBlock<'_>) -> Result<()>) -> Result<()> {
        for (first, sets) in [(0, &self.0), (3, &self.1)] {
            let rows = sets.rows() + sets.dropped().len();
            let calls: Calls = (0..rows).map(|_| Call::default()).collect();
            take(FiringBlock {
                first,
                calls: &calls,
                sets,
            })?;
        }
        Ok(())
    }
}

fn sets(atoms: &[u32], scores: bool, dropped: Vec<usize>) -> FiringSets {
    let sets = FiringSets::uniform(2, atoms.to_vec(), dropped);
    if !scores {
        return sets;
    }
    sets.with_scores(atoms.iter().map(|&atom| f64::from(atom) + 0.5).collect())
}

#[test]
fn groups_of_atoms_are_gathered_from_blocks() {
    let fires = [2, 2, 1, 3, 0];
    let two = Two(
        sets(&[0, 1, 1, 3, 0, 3], true, vec![]),
        sets(&[2, 3], true, vec![0]),
    );
    for bytes in [1, 30, 60, 1000] {
        let mut calls = Vec::new();
        for group in groups(&fires, Carry::CallsAndScores, bytes) {
            let rows = FiringsByAtom::gather(&two, group.clone(), &fires, Carry::CallsAndScores)
                .expect("one cohort");
            assert_eq!(rows.atoms(), group);
            for atom in group {
                calls.push(rows.of(atom).to_vec());
                let expected = vec![f64::from(atom) + 0.5; rows.of(atom).len()];
                assert_eq!(rows.scores(atom), Some(&expected[..]));
            }
        }
        assert_eq!(
            calls,
            [vec![0, 2], vec![0, 1], vec![3], vec![1, 2, 3], vec![]]
        );
    }
    assert_eq!(groups(&fires, Carry::CallsAndScores, 1).len(), 5);
    assert_eq!(groups(&fires, Carry::CallsAndScores, 1000), vec![0..5]);
    assert!(groups(&[], Carry::Calls, 10).is_empty());
}

#[test]
fn calls_alone_take_a_third_of_the_memory() {
    let fires = [2, 2, 1, 3, 0];
    let two = Two(
        sets(&[0, 1, 1, 3, 0, 3], true, vec![]),
        sets(&[2, 3], true, vec![0]),
    );
    assert_eq!(
        groups(&fires, Carry::CallsAndScores, 36),
        vec![0..1, 1..3, 3..5]
    );
    assert_eq!(groups(&fires, Carry::Calls, 36), vec![0..5]);
    let rows = FiringsByAtom::gather(&two, 0..5, &fires, Carry::Calls).expect("one cohort");
    assert_eq!(rows.of(3), [1, 2, 3]);
    assert_eq!(rows.scores(3), None);
}

#[test]
fn scores_of_some_blocks_are_none() {
    let two = Two(sets(&[0, 1], true, vec![]), sets(&[0, 1], false, vec![]));
    let rows =
        FiringsByAtom::gather(&two, 0..2, &[2, 2], Carry::CallsAndScores).expect("one cohort");
    assert_eq!(rows.of(0), [0, 1]);
    assert_eq!(rows.scores(0), None);
}

#[test]
fn other_counts_are_refused() {
    let two = Two(sets(&[0, 1], true, vec![]), sets(&[0, 1], true, vec![]));
    for fires in [[1, 2], [2, 3]] {
        let error =
            FiringsByAtom::gather(&two, 0..2, &fires, Carry::Calls).expect_err("another tally");
        assert!(error.to_string().contains("firing sets"), "{error}");
    }
}

#[test]
fn sets_in_memory_are_turned_round() {
    let rows = FiringsByAtom::new(FiringSets::uniform(2, vec![0, 2, 1, 2], vec![]).all(), 4);
    let found: Vec<_> = rows.atoms().map(|atom| rows.of(atom).to_vec()).collect();
    assert_eq!(found, [vec![0], vec![1], vec![0, 1], vec![]]);
}
