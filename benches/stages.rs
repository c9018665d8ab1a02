//! The stages of a run, each with its rate; every answer is asserted before it is timed.
//!
//! ```sh
//! cargo bench --bench stages            # all
//! cargo bench --bench stages -- encode  # one
//! ```

use std::hint::black_box;
use std::time::Duration;

use atomscope::engine::{Control, CpuEngine, Encoded, Engine, EngineOptions, Simd};
use atomscope::fires::FiringSets;
use atomscope::rows::SliceRows;
use atomscope::sae::Sae;
use atomscope::simulate::{SimulateOptions, Simulated, simulate_in_memory};
use atomscope::stats::{Findings, Options};
use atomscope::tally::Strata;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// Calls, D, F, k.
const SHAPES: [(usize, usize, usize, usize); 3] = [
    (4000, 768, 3072, 32),
    (1000, 4096, 4096, 64),
    (20_000, 64, 512, 8),
];

fn simulated((rows, d, f, k): (usize, usize, usize, usize)) -> Simulated {
    simulate_in_memory(&SimulateOptions::new(rows, d, f, k, 1)).expect("a good shape")
}

fn encode(cohort: &Simulated, options: &EngineOptions) -> Encoded {
    let rows = SliceRows::new(&cohort.embeddings, cohort.sae.input_dim()).expect("whole rows");
    let strata = Strata::of_calls(&cohort.calls);
    let mut engine = CpuEngine::new(&cohort.sae, options).expect("an engine");
    engine
        .encode(&rows, &strata, &Control::default())
        .expect("finite rows")
}

/// The first rows' sets, by the definition read literally.
fn assert_exact(cohort: &Simulated, fires: &FiringSets) {
    let sae: &Sae = &cohort.sae;
    let d = sae.input_dim();
    for (row, atoms) in fires.iter().take(8) {
        let e = &cohort.embeddings[row * d..(row + 1) * d];
        let x: Vec<f32> = (0..d)
            .map(|i| (e[i] - sae.mean()[i]) / (sae.std()[i] + 1e-6))
            .collect();
        let mut scored: Vec<(f64, u32)> = (0..sae.feature_dim())
            .map(|f| {
                let mut lanes = [0.0f64; 32];
                for i in 0..d {
                    lanes[i % 32] += f64::from(x[i]) * f64::from(sae.weight()[f * d + i]);
                }
                for step in [16, 8, 4, 2, 1] {
                    let before = lanes;
                    for l in 0..32 {
                        lanes[l] = before[l] + before[l ^ step];
                    }
                }
                (lanes[0] + f64::from(sae.bias()[f]), f as u32)
            })
            .collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut expected: Vec<u32> = scored[..sae.k()].iter().map(|s| s.1).collect();
        expected.sort_unstable();
        assert_eq!(atoms, expected, "row {row}");
    }
}

/// Encoding, selecting and counting: elements are multiply-adds, so that "Gelem/s" is half the
/// GFLOP/s of the product that a run contains.
fn bench_encode(c: &mut Criterion) {
    let mut group = c.benchmark_group("encode");
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500));
    for shape in SHAPES {
        let cohort = simulated(shape);
        let (rows, d, f, k) = shape;
        group.throughput(Throughput::Elements((rows * d * f) as u64));
        for simd in Simd::all()
            .into_iter()
            .filter(|simd| simd.to_string() != "portable")
        {
            let options = EngineOptions {
                simd: Some(simd),
                ..EngineOptions::default()
            };
            let encoded = encode(&cohort, &options);
            assert_exact(&cohort, &encoded.fires);
            let s = encoded.seconds.threads;
            println!(
                "{rows}x{d} -> {f}, k = {k}, {simd}: selecting, rescoring and counting take {:.1} % of the product's time",
                100.0 * (s.select + s.settle) / s.product
            );
            let id = BenchmarkId::new(simd.to_string(), format!("{rows}x{d}->{f}"));
            group.bench_function(id, |b| b.iter(|| encode(black_box(&cohort), &options)));
        }
    }
    group.finish();
}

/// All tables from counts and firing sets.
fn bench_statistics(c: &mut Criterion) {
    let mut group = c.benchmark_group("statistics");
    group.sample_size(20);
    let cohort = simulated(SHAPES[0]);
    let encoded = encode(&cohort, &EngineOptions::default());
    let compute = || {
        Findings::compute(
            &encoded.tally,
            &cohort.calls,
            &encoded.fires,
            Options::default(),
        )
        .expect("one cohort")
    };
    let fired: u64 = compute().bias.atoms.iter().map(|atom| atom.support).sum();
    assert!(fired > 0 && fired <= encoded.fires.atoms().len() as u64);
    group.throughput(Throughput::Elements(encoded.fires.rows() as u64));
    group.bench_function("findings", |b| b.iter(compute));
    group.finish();
}

criterion_group!(benches, bench_encode, bench_statistics);
criterion_main!(benches);
