//! All tables from counts and firing sets.

use std::cell::LazyCell;

use atomscope::control::Control;
use atomscope::engine::{CpuEngine, Encoded, Engine, EngineOptions};
use atomscope::rows::SliceRows;
use atomscope::simulate::Simulated;
use atomscope::stats::notebook::{NotebookTables, Options};
use atomscope::tally::Strata;
use criterion::{Criterion, Throughput};

use crate::group;
use crate::shapes::SHAPES;

struct Counted {
    cohort: Simulated,
    encoded: Encoded,
}

impl Counted {
    /// Firing sets and counts of the first shape, whose tables were looked at.
    fn new() -> Self {
        let cohort = SHAPES[0].simulate();
        let rows = SliceRows::new(&cohort.embeddings, cohort.sae.input_dim()).expect("whole rows");
        let strata = Strata::of_calls(&cohort.calls);
        let encoded = CpuEngine::new(&cohort.sae, &EngineOptions::default())
            .and_then(|mut engine| engine.encode(&rows, &strata, &Control::default()))
            .expect("finite rows");
        let counted = Self { cohort, encoded };
        let found = counted.findings();
        let fired: u64 = found.bias.atoms.iter().map(|atom| atom.support).sum();
        assert!(fired > 0 && fired <= counted.encoded.fires.atoms().len() as u64);
        counted
    }

    fn findings(&self) -> NotebookTables {
        let Encoded { tally, fires, .. } = &self.encoded;
        NotebookTables::compute(tally, &self.cohort.calls, fires, Options::default())
            .expect("one cohort")
    }
}

pub(crate) fn bench(criterion: &mut Criterion) {
    let counted = LazyCell::new(Counted::new);
    let mut group = group(criterion, "statistics");
    group.throughput(Throughput::Elements(SHAPES[0].rows as u64));
    group.bench_function("findings", |bencher| {
        let counted = LazyCell::force(&counted);
        bencher.iter(|| counted.findings());
    });
    group.finish();
}
