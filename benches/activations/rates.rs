//! Rows a second of encoding, selecting and counting, by activation.

use atomscope::control::Control;
use atomscope::engine::{CpuEngine, Cuts, Encoded, Engine, EngineOptions};
use atomscope::rows::SliceRows;
use atomscope::sae::{Activation, InputStep, Sae};
use atomscope::simulate::{SimulateOptions, simulate_in_memory};
use atomscope::tally::Strata;

use crate::definition::scores;
use crate::model::{activations, cuts, thresholds, with};
use crate::torch::Torch;

const DIM: usize = 4096;
const FEATURES: usize = 32_768;
const K: usize = 64;
/// Rows that thresholds are taken from.
const SAMPLE: usize = 64;

/// A model and rows that need no step before the product, so that torch and the engine do the same.
struct Problem {
    sae: Sae,
    rows: Vec<f32>,
    thresholds: Vec<f64>,
    cuts: Cuts,
}

impl Problem {
    fn new(count: usize) -> Self {
        let options = SimulateOptions::new(count, DIM, FEATURES, K, 1);
        let cohort = simulate_in_memory(&options).expect("a good shape");
        let [InputStep::Subtract(mean), InputStep::Divide(divisors)] = cohort.sae.input() else {
            panic!("a whitened model");
        };
        let mut rows = cohort.embeddings;
        for row in rows.chunks_mut(DIM) {
            for (x, (mean, divisor)) in row.iter_mut().zip(mean.iter().zip(divisors)) {
                *x = (*x - mean) / divisor;
            }
        }
        let mut parts = cohort.sae.clone().into_parts();
        // Nothing is taken off, and all is divided by 1: the definition's code asks for both.
        parts.input = vec![
            InputStep::Subtract(vec![0.0; DIM]),
            InputStep::Divide(vec![1.0; DIM]),
        ];
        let sae = Sae::new(parts).expect("a good model");
        let sample = scores(&sae, &rows[..SAMPLE.min(count) * DIM]);
        // As torch has them.
        let thresholds = thresholds(&sample, K)
            .into_iter()
            .map(|t| f64::from(t as f32));
        Self {
            thresholds: thresholds.collect(),
            cuts: cuts(&sample, K),
            sae,
            rows,
        }
    }

    fn encode(&self, engine: &mut CpuEngine, activation: &Activation) -> Encoded {
        let rows = SliceRows::new(&self.rows, DIM).expect("whole rows");
        let cuts = matches!(activation, Activation::BatchTopK { .. }).then_some(&self.cuts);
        let strata = Strata::single(self.rows.len() / DIM);
        let found = engine.encode_cut(&rows, &strata, cuts, &Control::default());
        found.expect("finite rows")
    }
}

/// Seconds of each round.
struct Timed {
    name: String,
    seconds: Vec<f64>,
    note: String,
}

impl Timed {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            seconds: Vec::new(),
            note: String::new(),
        }
    }

    fn median(&self) -> f64 {
        let mut sorted = self.seconds.clone();
        sorted.sort_by(f64::total_cmp);
        sorted[sorted.len() / 2]
    }

    fn print(&self, rows: usize, first: &Self) {
        let rates = self.seconds.iter().map(|s| rows as f64 / s);
        let (least, most) = rates.fold((f64::MAX, 0.0f64), |(a, b), r| (a.min(r), b.max(r)));
        println!(
            "{:<16} {:>7.0} rows/s ± {:<5.0} {:.2} of {}; {}",
            self.name,
            rows as f64 / self.median(),
            (most - least) / 2.0,
            first.median() / self.median(),
            first.name,
            self.note
        );
    }
}

/// Times each activation, and torch where it is asked for.
pub(crate) fn measure(count: usize, rounds: usize, python: Option<&String>) {
    let problem = Problem::new(count);
    let activations = activations(K, problem.thresholds.clone());
    let engine = |activation| {
        let options = EngineOptions::default();
        CpuEngine::new(&with(&problem.sae, activation), &options).expect("any CPU")
    };
    let mut engines: Vec<_> = activations.iter().map(|(_, rule)| engine(rule)).collect();
    let mut timed: Vec<_> = activations
        .iter()
        .map(|(name, _)| Timed::new(name))
        .collect();
    let mut torch =
        python.map(|python| Torch::start(python, &problem.sae, &problem.rows, &problem.thresholds));
    let mut of_torch = Timed::new("torch jumprelu");
    for round in 0..=rounds {
        for (((_, rule), engine), timed) in activations.iter().zip(&mut engines).zip(&mut timed) {
            let found = problem.encode(engine, rule);
            // The first round warms up.
            if round > 0 {
                timed.seconds.push(found.seconds.encode);
            }
            let certificate = found.tally.certificate();
            timed.note = format!(
                "{:.1} fire, {:.1} open; {:?}",
                found.fires.firings() as f64 / count as f64,
                certificate.ambiguous_atoms as f64 / count as f64,
                found.seconds.threads
            );
        }
        if let Some(torch) = &mut torch {
            let (seconds, firings) = torch.pass();
            if round > 0 {
                of_torch.seconds.push(seconds);
            }
            of_torch.note = format!("{:.1} fire", firings as f64 / count as f64);
        }
    }
    println!(
        "{DIM} -> {FEATURES}, {count} rows, {rounds} rounds; {}",
        engines[0].code_path()
    );
    for one in &timed {
        one.print(count, &timed[0]);
    }
    if torch.is_some() {
        of_torch.print(count, &timed[0]);
        let times = of_torch.median() / timed[1].median();
        println!("jumprelu: {times:.2} times torch");
    }
}
