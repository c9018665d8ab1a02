//! Activations below 0 beside calls on which nothing fires: a silent atom's 0 is not its least value.

use super::MEMORY;
use super::cohort::{ATOMS, Cohort, ROWS, cohort, options, tables_of};

/// A third of the atoms fire below 0 too; on a fourth of the calls none fires.
fn below_zero() -> Cohort {
    let mut cohort = cohort();
    cohort.case.bias.fill(-1.0);
    for threshold in cohort.thresholds.iter_mut().step_by(3) {
        *threshold = -0.6;
    }
    cohort.sets = cohort.case.oracle_above(&cohort.thresholds);
    cohort
}

/// The share of pairs of a true and a false call in which the true one has the larger activation, equal
/// ones counted half: every pair looked at.
fn auroc(values: &[f64], is_tp: &[bool]) -> f64 {
    let of = |label: bool| {
        let pairs = values.iter().zip(is_tp);
        pairs.filter(move |(_, tp)| **tp == label).map(|(x, _)| *x)
    };
    let (mut won, mut pairs) = (0.0, 0.0);
    for a in of(true) {
        for b in of(false) {
            pairs += 1.0;
            won += f64::from(u8::from(a > b)) + 0.5 * f64::from(u8::from(a == b));
        }
    }
    won / pairs
}

#[test]
fn activations_of_ragged_sets_are_those_of_every_call() {
    let cohort = below_zero();
    let counted = cohort.counted(&options(Some(2), Some(33)));
    let sets = counted.firings.as_ref().and_then(|firings| firings.sets());
    let sets = sets.expect("in memory");
    assert!(sets.iter().eq(cohort.kept()));
    let empty = cohort.kept().filter(|(_, set)| set.is_empty()).count();
    assert!(empty > ROWS / 5);
    let scores = sets.scores().expect("kept");
    let (below, above) = scores
        .iter()
        .partition::<Vec<f64>, _>(|score| **score < 0.0);
    assert!(below.len() > 100 && above.len() > 100);

    let tables = tables_of(&counted, MEMORY);
    let extended = tables.extended.as_ref().expect("asked for");
    let is_tp: Vec<bool> = sets
        .iter()
        .map(|(row, _)| cohort.calls.label(row) == atomscope::cohort::Label::Tp)
        .collect();
    assert_eq!((extended.tp + extended.fp) as usize, is_tp.len());
    assert_eq!(extended.tp as usize, is_tp.iter().filter(|tp| **tp).count());
    let firings = extended.firings.as_ref().expect("kept");
    let mut compared = 0;
    for atom in 0..ATOMS as u32 {
        let on = |row: usize| sets.row(row).binary_search(&atom).ok();
        let score = |row: usize| on(row).map(|place| scores[sets.place(row).start + place]);
        let rows = 0..is_tp.len();
        let found = firings.atoms[atom as usize].activation.expect("scored");
        for (label, mean) in [(true, found.mean_tp), (false, found.mean_fp)] {
            let of_label = rows.clone().filter(|&row| is_tp[row] == label);
            let fired: Vec<f64> = of_label.filter_map(score).collect();
            let sum: f64 = fired.iter().sum();
            let expected = (!fired.is_empty()).then(|| sum / fired.len() as f64);
            assert_eq!(mean, expected, "atom {atom}");
        }
        let values: Vec<f64> = rows.map(|row| score(row).unwrap_or(0.0)).collect();
        let expected = auroc(&values, &is_tp);
        let area = found.rank_sum.expect("both labels").auroc;
        assert!((area - expected).abs() < 1e-12, "{atom}: {area} {expected}");
        compared += usize::from(values.iter().any(|x| *x < 0.0) && (area - 0.5).abs() > 0.01);
        let counts = &extended.atoms[atom as usize].table;
        let fired = |label: bool| {
            let rows = is_tp.iter().enumerate().filter(|(_, tp)| **tp == label);
            rows.filter(|(row, _)| on(*row).is_some()).count() as u64
        };
        assert_eq!((counts.tp_on, counts.fp_on), (fired(true), fired(false)));
        assert_eq!(counts.tp_on + counts.tp_off, extended.tp);
        assert_eq!(counts.fp_on + counts.fp_off, extended.fp);
    }
    assert!(
        compared > 5,
        "{compared} atoms below 0 that tell labels apart"
    );
}
