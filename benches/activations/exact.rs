//! Rows whose firing sets are not those of the definition, by activation.

use atomscope::control::Control;
use atomscope::engine::{CpuEngine, Cuts, Engine, EngineOptions};
use atomscope::rows::SliceRows;
use atomscope::sae::{Activation, Sae};
use atomscope::simulate::{SimulateOptions, simulate_in_memory};
use atomscope::tally::{Certificate, Strata};
use rayon::prelude::*;

use crate::definition::scores;
use crate::model::{activations, thresholds, with};
use crate::rules::{batch_fires, fires};

const DIM: usize = 256;
const FEATURES: usize = 2048;
const K: usize = 16;
/// Rows that are scored at once, and rows of a batch.
const BATCH: usize = 1000;
/// Rows that thresholds are taken from.
const SAMPLE: usize = 100;

/// Prints how many of `rows` rows are unlike the definition, and demands that none is.
pub(crate) fn check(rows: usize) {
    let options = SimulateOptions::new(rows, DIM, FEATURES, K, 5);
    let cohort = simulate_in_memory(&options).expect("a good shape");
    let sample = scores(&cohort.sae, &cohort.embeddings[..SAMPLE * DIM]);
    let mut least = thresholds(&sample, K);
    // The scores of some rows are thresholds themselves.
    for (f, threshold) in least.iter_mut().enumerate().step_by(7) {
        *threshold = threshold.max(sample[f % SAMPLE][f]);
    }
    let mut rules: Vec<_> = activations(K, least)
        .into_iter()
        .map(|(name, activation)| Rule::new(name, &cohort.sae, activation))
        .collect();
    for embeddings in cohort.embeddings.chunks(BATCH * DIM) {
        let scores = scores(&cohort.sae, embeddings);
        for rule in &mut rules {
            rule.compare(embeddings, &scores);
        }
    }
    println!("{DIM} -> {FEATURES}, {rows} rows of each activation");
    for rule in &rules {
        println!(
            "{:<16} {} unlike the definition; {:.1} atoms a row; {:?}",
            rule.name,
            rule.unlike,
            rule.firings as f64 / rows as f64,
            rule.certificate
        );
    }
    assert!(rules.iter().all(|rule| rule.unlike == 0));
}

/// An activation, and what was found of it so far.
struct Rule {
    name: &'static str,
    activation: Activation,
    engine: CpuEngine,
    unlike: usize,
    firings: usize,
    certificate: Certificate,
}

impl Rule {
    fn new(name: &'static str, sae: &Sae, activation: Activation) -> Self {
        let sae = with(sae, &activation);
        Self {
            name,
            activation,
            engine: CpuEngine::new(&sae, &EngineOptions::default()).expect("any CPU"),
            unlike: 0,
            firings: 0,
            certificate: Certificate::default(),
        }
    }

    fn compare(&mut self, embeddings: &[f32], scores: &[Vec<f64>]) {
        let (expected, cuts) = if let Activation::BatchTopK { k } = self.activation {
            let (sets, cut) = batch_fires(k, 0, scores);
            (sets, Some(Cuts::new(BATCH as u64, vec![cut])))
        } else {
            let sets = scores.par_iter().map(|row| fires(&self.activation, row));
            (sets.collect(), None)
        };
        let rows = SliceRows::new(embeddings, DIM).expect("whole rows");
        let strata = Strata::single(scores.len());
        let control = Control::default();
        let found = self
            .engine
            .encode_cut(&rows, &strata, cuts.as_ref(), &control);
        let found = found.expect("finite rows");
        let unlike = |((_, found), expected): &((usize, &[u32]), &Vec<u32>)| found != expected;
        self.unlike += found.fires.iter().zip(&expected).filter(unlike).count();
        self.firings += found.fires.firings();
        self.certificate = self.certificate.merge(found.tally.certificate());
    }
}
