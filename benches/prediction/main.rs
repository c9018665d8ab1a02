//! Logistic models of a label on the atoms that fire: seconds, beside scikit-learn's.
//!
//! ```sh
//! cargo bench --bench prediction                           # 100,000 calls, 4,096 atoms, k = 64
//! cargo bench --bench prediction -- --python PROGRAM       # and LogisticRegressionCV (saga), in the same run
//! ```
//!
//! Both fit five folds along the same 20 penalties of L1, judge them by log loss on what is held out, and
//! fit all calls under the best. `--calls`, `--atoms` and `--k` change the sizes. PROGRAM is a Python with
//! numpy, scipy and scikit-learn.

use std::path::Path as FilePath;
use std::process::Command;
use std::time::Instant;

use atomscope::control::Control;
use atomscope::stats::prediction::{
    Design, Nested, Path, Penalty, SparseRows, Spec, TOLERANCE, linear,
};
use rand::{RngExt, SeedableRng};
use rayon::prelude::*;

const FOLDS: usize = 5;
const PENALTIES: usize = 20;
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/prediction/scikit.py");

struct Data {
    rows: SparseRows,
    is_fp: Vec<bool>,
    folds: Vec<u32>,
    atoms: usize,
}

/// Calls on which k atoms fire, some atoms far more often than others; one atom in ten bears on the label.
fn data(calls: usize, atoms: usize, k: usize) -> Data {
    let mut draw = rand_chacha::ChaCha8Rng::seed_from_u64(1);
    let effects: Vec<f64> = (0..atoms)
        .map(|_| match draw.random_range(0..10) {
            0 => draw.random_range(-1.0..1.0),
            _ => 0.0,
        })
        .collect();
    let mut data = Data {
        rows: SparseRows::default(),
        is_fp: Vec::new(),
        folds: (0..calls).map(|call| (call % FOLDS) as u32).collect(),
        atoms,
    };
    for _ in 0..calls {
        let mut set = Vec::new();
        while set.len() < k {
            let place: f64 = draw.random_range(0.0..1.0);
            set.push((place * place * atoms as f64) as u32);
            set.sort_unstable();
            set.dedup();
        }
        let eta: f64 = set.iter().map(|&atom| effects[atom as usize]).sum();
        data.is_fp
            .push(draw.random_range(0.0..1.0) < 1.0 / (1.0 + f64::exp(0.5 - eta)));
        data.rows.features.extend(set);
        data.rows.ends.push(data.rows.features.len());
    }
    data
}

/// Fits five folds along the path, and all calls under the best penalty. Returns the path's weights for
/// all calls, the mean log loss of each on what is held out, and the objective of the last model.
fn cross_validate(data: &Data, design: &Design) -> (Vec<f64>, Vec<f64>, f64) {
    let fold = |held: usize| -> Vec<f64> {
        let kept: Vec<usize> = (0..FOLDS).filter(|&fold| fold != held).collect();
        let part = design.part(&kept, 0..data.atoms, false);
        let mut path = Path::new(part, Penalty::L1, PENALTIES, TOLERANCE);
        let of_held = design.part(&[held], 0..data.atoms, false);
        let outcomes = (0..data.folds.len()).filter(|&call| data.folds[call] as usize == held);
        let outcomes: Vec<bool> = outcomes.map(|call| data.is_fp[call]).collect();
        let step = |_| {
            path.step();
            let each = linear(&of_held, path.model());
            let loss = |(eta, &is_fp): (f64, &bool)| (if is_fp { -eta } else { eta }).exp().ln_1p();
            each.into_iter().zip(&outcomes).map(loss).sum()
        };
        (0..PENALTIES).map(step).collect()
    };
    let of_folds: Vec<Vec<f64>> = (0..FOLDS)
        .into_par_iter()
        .with_max_len(1)
        .map(fold)
        .collect();
    let calls = data.is_fp.len() as f64;
    let losses = (0..PENALTIES).map(|at| of_folds.iter().map(|fold| fold[at]).sum::<f64>() / calls);
    let losses: Vec<f64> = losses.collect();
    let best = (0..PENALTIES)
        .min_by(|&a, &b| losses[a].total_cmp(&losses[b]))
        .unwrap_or(0);
    let all: Vec<usize> = (0..FOLDS).collect();
    let part = design.part(&all, 0..data.atoms, false);
    let mut path = Path::new(part, Penalty::L1, PENALTIES, TOLERANCE);
    while path.done() <= best {
        path.step();
    }
    let weights = (0..PENALTIES).map(|at| path.weight(at)).collect();
    (weights, losses, path.objective().unwrap_or(f64::NAN))
}

/// Runs scikit-learn on the same calls, folds and penalties, and prints what it says.
fn scikit(python: &str, data: &Data, weights: &[f64]) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, bytes: &[u8]| {
        std::fs::write(FilePath::join(folder.path(), name), bytes).expect("room on the disk");
    };
    let ends: Vec<u64> = data.rows.ends.iter().map(|&end| end as u64).collect();
    let labels: Vec<u8> = data.is_fp.iter().map(|&is_fp| u8::from(is_fp)).collect();
    write("ends", bytemuck::cast_slice(&ends));
    write("atoms", bytemuck::cast_slice(&data.rows.features));
    write("labels", &labels);
    write("folds", bytemuck::cast_slice(&data.folds));
    write("weights", bytemuck::cast_slice(weights));
    let status = Command::new(python)
        .args([SCRIPT.as_ref(), folder.path().as_os_str()])
        .arg(data.atoms.to_string())
        .status();
    assert!(status.expect("a Python").success(), "scikit-learn");
}

/// Seconds, and seconds of all cores together: the latter do not depend on what else the machine does.
struct Clock {
    began: Instant,
    cores: f64,
}

impl Clock {
    fn start() -> Self {
        Self {
            began: Instant::now(),
            cores: core_seconds(),
        }
    }

    fn read(&self) -> String {
        let (seconds, cores) = (self.began.elapsed(), core_seconds() - self.cores);
        format!("{:.2} s ({cores:.2} s of cores)", seconds.as_secs_f64())
    }
}

/// Seconds that this process has computed, where Linux tells.
fn core_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = text.rsplit(')').next().unwrap_or_default();
    let fields: Vec<f64> = after
        .split(' ')
        .filter_map(|field| field.parse().ok())
        .collect();
    // Behind the process's state: user time is the 11th number, system time the 12th, in hundredths.
    fields
        .get(10..12)
        .map_or(f64::NAN, |times| times.iter().sum::<f64>() / 100.0)
}

/// What stands behind an option's name.
fn text<'a>(arguments: &'a [String], name: &str) -> Option<&'a String> {
    let place = arguments.iter().position(|argument| argument == name)?;
    arguments.get(place + 1)
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |name: &str, default: usize| {
        text(&arguments, name).map_or(default, |text| text.parse().expect("a whole number"))
    };
    let (calls, atoms, k) = (
        number("--calls", 100_000),
        number("--atoms", 4096),
        number("--k", 64),
    );
    let data = data(calls, atoms, k);
    let threads = rayon::current_num_threads();
    println!("{calls} calls, {atoms} atoms, k = {k}; {threads} threads");
    let clock = Clock::start();
    let design = Design::new(&data.rows, atoms, &data.folds, FOLDS, &data.is_fp).expect("a design");
    println!("sorting firings: {}", clock.read());
    let clock = Clock::start();
    let (weights, losses, objective) = cross_validate(&data, &design);
    let least = losses.iter().copied().fold(f64::INFINITY, f64::min);
    println!(
        "atomscope: {} for 5 folds x 20 penalties and all calls; log loss {least:.6}, objective \
         {objective:.9}",
        clock.read()
    );
    let spec = Spec {
        features: 0..atoms,
        valued: false,
        penalty: Penalty::L1,
        entries: 0,
    };
    let clock = Clock::start();
    let nested = Nested::of(&design, &spec, calls, &Control::default()).expect("a model");
    println!(
        "atomscope: {} with penalties chosen and recalibrated without each fold: {:?}",
        clock.read(),
        nested.chosen
    );
    if let Some(python) = text(&arguments, "--python") {
        scikit(python, &data, &weights);
    }
}
