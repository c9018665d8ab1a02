//! The conditions of a minimum, on dense copies of the features.

use atomscope::stats::prediction::{
    Coefficients, Design, Path, Penalty, SparseRows, TOLERANCE, fit,
};
use proptest::prelude::*;

/// Calls with a few of the atoms each, and labels that some atoms bear on; as dense features too.
struct Data {
    rows: SparseRows,
    dense: Vec<Vec<f64>>,
    is_fp: Vec<bool>,
    folds: Vec<u32>,
}

fn data(calls: usize, atoms: usize, valued: bool, seed: u64) -> Data {
    use rand::{RngExt, SeedableRng};
    let mut draw = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    let mut data = Data {
        rows: SparseRows::default(),
        dense: Vec::new(),
        is_fp: Vec::new(),
        folds: Vec::new(),
    };
    let mut values = Vec::new();
    for call in 0..calls {
        let mut dense = vec![0.0; atoms];
        let mut eta = -0.3;
        for (atom, value) in dense.iter_mut().enumerate() {
            if draw.random_range(0..4) == 0 {
                let score: f32 = draw.random_range(-1.0..3.0);
                *value = if valued { f64::from(score) } else { 1.0 };
                data.rows.features.push(atom as u32);
                values.push(score);
                eta += if atom < 3 { 1.2 - atom as f64 } else { 0.0 };
            }
        }
        data.rows.ends.push(data.rows.features.len());
        data.dense.push(dense);
        data.is_fp
            .push(draw.random_range(0.0..1.0) < 1.0 / (1.0 + f64::exp(-eta)));
        data.folds.push((call % 3) as u32);
    }
    // One of either.
    data.is_fp[0] = true;
    data.is_fp[1] = false;
    data.rows.values = valued.then_some(values);
    if valued {
        for atom in 0..atoms {
            let squares: f64 = data.dense.iter().map(|call| call[atom] * call[atom]).sum();
            let scale = (squares / calls as f64).sqrt();
            if scale > 0.0 {
                for call in &mut data.dense {
                    call[atom] /= scale;
                }
            }
        }
    }
    data
}

/// The mean loss, its derivative by the intercept, and by each coefficient.
fn loss(data: &Data, model: &Coefficients) -> (f64, f64, Vec<f64>, Vec<f64>) {
    let n = data.is_fp.len() as f64;
    let (mut loss, mut slope, mut residuals) = (0.0, 0.0, Vec::new());
    let mut slopes = vec![0.0; model.features.len()];
    for (call, &is_fp) in data.dense.iter().zip(&data.is_fp) {
        let products = call.iter().zip(&model.features).map(|(x, b)| x * b);
        let eta: f64 = model.intercept + products.sum::<f64>();
        let y = f64::from(u8::from(is_fp));
        let p = 1.0 / (1.0 + (-eta).exp());
        loss += (1.0 + eta.exp()).ln() - y * eta;
        slope += p - y;
        residuals.push(p - y);
        for (slope, x) in slopes.iter_mut().zip(call) {
            *slope += x * (p - y) / n;
        }
    }
    (loss / n, slope / n, slopes, residuals)
}

/// The dual objective at the residuals, made feasible: no model has a smaller objective.
fn dual(data: &Data, residuals: &[f64], slopes: &[f64], weight: f64) -> f64 {
    let most = slopes
        .iter()
        .fold(0.0_f64, |most, slope| most.max(slope.abs()));
    let share = (weight / most).min(1.0);
    let entropy = |u: f64| if u > 0.0 { u * u.ln() } else { 0.0 };
    let each = residuals.iter().zip(&data.is_fp).map(|(r, &is_fp)| {
        let u = f64::from(u8::from(is_fp)) + share * r;
        entropy(u) + entropy(1.0 - u)
    });
    -each.sum::<f64>() / data.is_fp.len() as f64
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn fit_meets_the_conditions_of_the_minimum(
        calls in 12_usize..150,
        atoms in 1_usize..30,
        valued: bool,
        is_l1: bool,
        weight in 1e-4_f64..0.1,
        seed: u64,
    ) {
        let data = data(calls, atoms, valued, seed);
        let design = Design::new(&data.rows, atoms, &data.folds, 3, &data.is_fp).unwrap();
        let penalty = if is_l1 { Penalty::L1 } else { Penalty::L2 };
        let model = fit(design.part(&[0, 1, 2], 0..atoms, valued), penalty, weight, 1e-9);
        let (loss, slope, slopes, residuals) = loss(&data, &model);
        prop_assert!(slope.abs() < 1e-8, "{}", slope);
        for (slope, b) in slopes.iter().zip(&model.features) {
            let rest = match (is_l1, *b == 0.0) {
                (true, true) => (slope.abs() - weight).max(0.0),
                (true, false) => (slope + weight * b.signum()).abs(),
                (false, _) => (slope + weight * b).abs(),
            };
            prop_assert!(rest < 1e-8, "{} {} {}", rest, slope, b);
        }
        if is_l1 {
            let size: f64 = model.features.iter().map(|b| b.abs()).sum();
            let gap = loss + weight * size - dual(&data, &residuals, &slopes, weight);
            // The dual point is feasible but for the intercept, which is right to its derivative.
            let least = -(slope * model.intercept).abs() - 1e-13;
            prop_assert!((least..1e-6).contains(&gap), "{}", gap);
        }
    }

    #[test]
    fn path_discards_no_atom_that_belongs_to_the_model(seed: u64, valued: bool) {
        let data = data(120, 25, valued, seed);
        let design = Design::new(&data.rows, 25, &data.folds, 3, &data.is_fp).unwrap();
        let part = design.part(&[0, 1, 2], 0..25, valued);
        let mut path = Path::new(part, Penalty::L1, 20, TOLERANCE);
        let most = path.weight(0);
        for step in 0..20 {
            path.step();
            let (_, _, slopes, _) = loss(&data, path.model());
            let weight = path.weight(step);
            for (slope, b) in slopes.iter().zip(&path.model().features) {
                let rest = if *b == 0.0 { slope.abs() - weight } else { (slope.abs() - weight).abs() };
                prop_assert!(rest < 2.0 * TOLERANCE * most, "{} {}", step, rest);
            }
        }
        let used = path.model().features.iter().filter(|b| **b != 0.0).count();
        prop_assert!(path.entered().len() >= used && used > 0);
    }
}
