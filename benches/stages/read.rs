//! Reading: rows of a torch file, as blocks of the engine ask for them.

use std::cell::LazyCell;
use std::time::Instant;

use atomscope::read::{Cohort, read_cohort};
use atomscope::rows::Rows;
use atomscope::simulate::{EMBEDDINGS, SimulateOptions, simulate, simulate_in_memory};
use criterion::{Criterion, Throughput};

use crate::floors::Floors;
use crate::group;
use crate::lines::{Line, Lines, sum};

/// 128 MiB, more than an L2 cache or a share of a last one; the model is as small as can be.
const ROWS: usize = 32_768;
const DIM: usize = 1024;
/// 16 MiB.
const BLOCK: usize = 4096;
const ROW_BYTES: usize = DIM * size_of::<f32>();

/// A file in the system's cache, whose rows are those that were simulated.
struct File {
    cohort: Cohort,
    /// Removed with this.
    _folder: tempfile::TempDir,
}

impl File {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let options = SimulateOptions::new(ROWS, DIM, 64, 8, 1);
        simulate(folder.path(), &options, &|_| Ok(())).expect("room for a file");
        let cohort = read_cohort(&folder.path().join(EMBEDDINGS)).expect("a cohort");
        let expected = simulate_in_memory(&options)
            .expect("a good shape")
            .embeddings;
        let mut stored = vec![0; BLOCK * ROW_BYTES];
        for (block, expected) in expected.chunks(BLOCK * DIM).enumerate() {
            let first = block * BLOCK;
            let rows = first..first + BLOCK;
            cohort.rows.read_stored(rows, &mut stored).expect("rows");
            let numbers = stored.as_chunks().0.iter().copied().map(f32::from_ne_bytes);
            assert!(numbers.eq(expected.iter().copied()), "rows from {first}");
        }
        Self {
            cohort,
            _folder: folder,
        }
    }

    /// Seconds of reading all rows into one block after the other.
    fn read(&self, stored: &mut [u8]) -> f64 {
        let began = Instant::now();
        for first in (0..ROWS).step_by(BLOCK) {
            let rows = first..first + BLOCK;
            self.cohort.rows.read_stored(rows, stored).expect("rows");
        }
        began.elapsed().as_secs_f64()
    }
}

pub(crate) fn bench(criterion: &mut Criterion, floors: &Floors, lines: &mut Lines) {
    let file = LazyCell::new(File::new);
    let mut seconds = Vec::new();
    let mut group = group(criterion, "read");
    group.throughput(Throughput::Bytes((ROWS * ROW_BYTES) as u64));
    group.bench_function("rows", |bencher| {
        let file = LazyCell::force(&file);
        let mut stored = vec![0; BLOCK * ROW_BYTES];
        bencher.iter_custom(|times| {
            let first = seconds.len();
            seconds.extend((0..times).map(|_| file.read(&mut stored)));
            sum(seconds[first..].iter().copied())
        });
    });
    group.finish();
    if let Some(fastest) = seconds.into_iter().min_by(f64::total_cmp) {
        lines.add(&Line {
            name: "read/rows".to_owned(),
            row_seconds: fastest / ROWS as f64,
            // The system copies them from its cache.
            row_work: 2.0 * ROW_BYTES as f64,
            floor: floors.copy_in_memory,
            note: format!("rows of {DIM} in binary32, read and written"),
        });
    }
}
