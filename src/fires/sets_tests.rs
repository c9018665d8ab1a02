use crate::fires::{FiringSets, FiringSetsBuilder};

#[test]
fn iter_passes_over_dropped_rows() {
    let sets = FiringSets::uniform(2, vec![1, 2, 3, 4, 5, 6], vec![0, 2, 3]);
    let rows: Vec<_> = sets
        .iter()
        .map(|(row, atoms)| (row, atoms.to_vec()))
        .collect();
    assert_eq!(rows, [(1, vec![1, 2]), (4, vec![3, 4]), (5, vec![5, 6])]);
}

#[test]
fn ragged_sets_keep_empty_rows() {
    let mut builder = FiringSetsBuilder::default();
    let rows: [&[u32]; 5] = [&[], &[4, 7], &[], &[1], &[]];
    for row in rows {
        builder.push(row);
    }
    let sets = builder.finish(vec![1]);
    assert_eq!((sets.rows(), sets.firings()), (5, 3));
    let found: Vec<_> = sets.iter().collect();
    let numbers = [0, 2, 3, 4, 5];
    let expected: Vec<_> = numbers.into_iter().zip(rows).collect();
    assert_eq!(found, expected);
    for start in 0..=5 {
        for end in start..=5 {
            let slice = sets.all().slice(start..end);
            assert!(slice.iter().eq(rows[start..end].iter().copied()));
            // A slice of a slice.
            for from in 0..=slice.len() {
                let inner = slice.slice(from..slice.len());
                assert!(inner.iter().eq(rows[start + from..end].iter().copied()));
            }
        }
    }
    assert_eq!(sets.row(1), [4, 7]);
    assert_eq!(sets.place(3), 2..3);
}

#[test]
fn uniform_and_ragged_slices_agree() {
    let atoms: Vec<u32> = (0..12).collect();
    let uniform = FiringSets::uniform(3, atoms.clone(), vec![]);
    let ragged = FiringSets::ragged(vec![3, 6, 9, 12], atoms, vec![]);
    for start in 0..=4 {
        for end in start..=4 {
            let [a, b] = [&uniform, &ragged].map(|sets| sets.all().slice(start..end));
            assert!(a.iter().eq(b.iter()) && a.atoms() == b.atoms() && a.len() == b.len());
        }
    }
}
