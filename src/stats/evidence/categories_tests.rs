use super::{Category, Counts, Enrichment, PValue};

/// Categories of so many calls, all of them true, and on how many calls of each every atom fires.
fn enrichment(sizes: &[u64], atoms: &[&[u64]], min_support: u64) -> Enrichment {
    let category = |(place, &tp): (usize, &u64)| Category {
        name: format!("chr{place}"),
        tp,
        fp: 0,
    };
    let categories = sizes.iter().enumerate().map(category).collect();
    let mut counts = Counts::new(categories, atoms.len());
    for place in 0..sizes.len() {
        let of_category = (0..).zip(atoms.iter().map(|atom| atom[place]));
        counts.add(place, 0, of_category);
    }
    let fires: Vec<u64> = atoms.iter().map(|atom| atom.iter().sum()).collect();
    Enrichment::of(&counts, &fires, |_| true, min_support)
}

/// Benjamini and Hochberg's of the largest p-value: itself.
fn largest_fdr(found: &Enrichment) -> [f64; 2] {
    let tested = found.rows.iter().filter(|row| row.fdr.is_some());
    let of = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, f64::max);
    [
        of(&mut tested.clone().filter_map(|row| Some(row.p?.p()))),
        of(&mut tested.filter_map(|row| Some(row.fdr?.p()))),
    ]
}

#[test]
fn what_nothing_can_be_compared_with_has_no_row() {
    // Atom 0 fires on every call, atom 1 on none.
    let atoms: [&[u64]; 4] = [&[40, 60], &[0, 0], &[30, 20], &[1, 2]];
    let found = enrichment(&[40, 60], &atoms, 5);
    let rows: Vec<_> = found
        .rows
        .iter()
        .map(|row| (row.atom, row.category))
        .collect();
    assert_eq!(rows, [(1, 0), (1, 1), (2, 0), (2, 1), (3, 0), (3, 1)]);
    let there: Vec<_> = found
        .rows
        .iter()
        .map(|row| (row.log_odds.is_some(), row.p.is_some(), row.fdr.is_some()))
        .collect();
    let (none, few, tested) = (
        (false, false, false),
        (true, true, false),
        (true, true, true),
    );
    assert_eq!(there, [none, none, tested, tested, few, few]);
    let one = enrichment(&[40, 0], &[&[40, 0], &[30, 0], &[0, 0]], 5);
    assert!(
        one.rows
            .iter()
            .all(|row| row.category == 1 && row.p.is_none())
    );
}

#[test]
fn contigs_of_few_calls_do_not_change_what_chromosomes_tell() {
    let atoms: [&[u64]; 3] = [&[30, 20, 50], &[10, 40, 9], &[9, 8, 41]];
    let alone = enrichment(&[100, 110, 120], &atoms, 5);
    // A hundred contigs of one call each, on which no atom fires.
    let mut sizes = vec![100, 110, 20];
    sizes.extend([1; 100]);
    let with_contigs = atoms.map(|atom| {
        let mut counts = atom.to_vec();
        counts[2] = atom[2].min(20);
        counts.resize(sizes.len(), 0);
        counts
    });
    let with_contigs: Vec<&[u64]> = with_contigs.iter().map(Vec::as_slice).collect();
    let found = enrichment(&sizes, &with_contigs, 5);
    assert_eq!(found.rows.len(), 3 * 103);
    let in_family = found.rows.iter().filter(|row| row.fdr.is_some()).count();
    assert_eq!(in_family, alone.rows.len());
    for row in &found.rows {
        assert_eq!(row.fdr.is_some(), row.category < 3);
        assert!(row.p.is_some());
    }
    for found in [&alone, &found] {
        let [p, fdr] = largest_fdr(found);
        assert_eq!(p.to_bits(), fdr.to_bits());
        let smallest = found.rows.iter().filter(|row| row.fdr.is_some());
        let smallest = smallest
            .min_by(|a, b| {
                a.p.map(PValue::ln)
                    .partial_cmp(&b.p.map(PValue::ln))
                    .expect("p")
            })
            .expect("a test");
        let (p, fdr) = (smallest.p.expect("p").p(), smallest.fdr.expect("fdr").p());
        assert!(fdr <= p * 9.0 * (1.0 + 1e-12) && fdr >= p, "{p} {fdr}");
    }
}
