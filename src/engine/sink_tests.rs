use super::{Sink, Slot, Values};

/// Rows of a block, with their numbers, and whether each is dropped.
fn filled(width: Option<usize>, scored: bool, dropped: &[usize]) -> crate::fires::FiringSets {
    let rows = 7;
    let of_row = |row: usize| -> Vec<u32> {
        let length = width.unwrap_or([0, 3, 0, 1, 5, 0, 2][row]);
        (0..length).map(|i| (row * 10 + i) as u32).collect()
    };
    let mut sink = Sink::new(rows, width, scored).expect("small");
    let mut first = 0;
    for slot in sink.slots(rows, 3).expect("small") {
        let end = rows.min(first + 3);
        match slot {
            Slot::InPlace(mut places) => {
                for row in first..end {
                    let atoms = of_row(row);
                    places.row(row - first).copy_from_slice(&atoms);
                    let scores = places.scores.chunks_mut(atoms.len()).nth(row - first);
                    for (score, atom) in scores.into_iter().flatten().zip(atoms) {
                        *score = f64::from(atom) / 2.0;
                    }
                }
            }
            Slot::Block { block, scored } => {
                for row in (first..end).filter(|row| !dropped.contains(row)) {
                    let atoms = of_row(row);
                    let scores = atoms.iter().map(|&atom| f64::from(atom) / 2.0);
                    let scores: Vec<f64> = scores.filter(|_| scored).collect();
                    block.push(&atoms, &scores).expect("small");
                }
            }
        }
        first = end;
    }
    sink.finish(dropped.to_vec(), &Values::Score)
        .expect("small")
}

#[test]
fn finish_joins_blocks_in_order_without_dropped_rows() {
    for (width, scored) in [
        (Some(2), false),
        (Some(2), true),
        (None, false),
        (None, true),
    ] {
        for dropped in [&[][..], &[0], &[2, 3], &[6], &[0, 1, 2, 3, 4, 5, 6]] {
            let sets = filled(width, scored, dropped);
            let expected = (0..7_usize)
                .filter(|row| !dropped.contains(row))
                .map(|row| {
                    let length = width.unwrap_or([0, 3, 0, 1, 5, 0, 2][row]);
                    let atoms = (0..length).map(|i| (row * 10 + i) as u32);
                    (row, atoms.collect::<Vec<_>>())
                });
            let found = sets.iter().map(|(row, atoms)| (row, atoms.to_vec()));
            assert!(
                found.eq(expected),
                "{width:?} {scored} {dropped:?}: {sets:?}"
            );
            assert_eq!(sets.uniform_size(), width);
            let halves = sets.atoms().iter().map(|&atom| f64::from(atom) / 2.0);
            let halves = scored.then(|| halves.collect::<Vec<_>>());
            assert_eq!(sets.scores(), halves.as_deref());
        }
    }
}
