//! Reading: rows of a torch file, a numpy array and a safetensors file, as blocks of the engine
//! ask for them.

use std::cell::LazyCell;
use std::fs::File as Written;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use atomscope::control::Control;
use atomscope::read::{EmbeddingRows, read_cohort, read_cohort_with};
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

/// The format of a file.
#[derive(Debug, Clone, Copy)]
enum Form {
    Torch,
    Npy,
    SafeTensors,
}

impl Form {
    fn name(self) -> &'static str {
        match self {
            Self::Torch => "rows",
            Self::Npy => "rows of npy",
            Self::SafeTensors => "rows of safetensors",
        }
    }

    /// The rows of a simulated cohort's folder, in this format.
    fn rows(self, folder: &Path, numbers: &[f32]) -> EmbeddingRows {
        let torch = folder.join(EMBEDDINGS);
        let header = match self {
            Self::Torch => return read_cohort(&torch).expect("a cohort").rows,
            Self::Npy => {
                let text = format!(
                    "{{'descr': '<f4', 'fortran_order': False, 'shape': ({ROWS}, {DIM}), }}\n"
                );
                let length = (text.len() as u16).to_le_bytes();
                [b"\x93NUMPY\x01\0", &length[..], text.as_bytes()].concat()
            }
            Self::SafeTensors => {
                let bytes = ROWS * ROW_BYTES;
                let text = format!(
                    "{{\"x\":{{\"dtype\":\"F32\",\"shape\":[{ROWS},{DIM}],\"data_offsets\":[0,{bytes}]}}}}"
                );
                let length = (text.len() as u64).to_le_bytes();
                [&length[..], text.as_bytes()].concat()
            }
        };
        let path = folder.join("rows");
        let mut file = BufWriter::new(Written::create(&path).expect("a file"));
        file.write_all(&header).expect("room");
        for number in numbers {
            file.write_all(&number.to_le_bytes()).expect("room");
        }
        file.flush().expect("room");
        let table = folder.join("rows.csv");
        std::fs::write(&table, format!("pos\n{}", "1\n".repeat(ROWS))).expect("room");
        let cohort = read_cohort_with(&path, Some(&table));
        cohort.expect("a cohort").rows
    }
}

/// A file in the system's cache, whose rows are those that were simulated.
struct File {
    rows: EmbeddingRows,
    /// Removed with this.
    _folder: tempfile::TempDir,
}

impl File {
    fn new(form: Form) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let options = SimulateOptions::new(ROWS, DIM, 64, 8, 1);
        simulate(folder.path(), &options, &Control::default()).expect("room for a file");
        let expected = simulate_in_memory(&options)
            .expect("a good shape")
            .embeddings;
        let rows = form.rows(folder.path(), &expected);
        let mut stored = vec![0; BLOCK * ROW_BYTES];
        for (block, expected) in expected.chunks(BLOCK * DIM).enumerate() {
            let first = block * BLOCK;
            let range = first..first + BLOCK;
            rows.read_stored(range, &mut stored).expect("rows");
            let numbers = stored.as_chunks().0.iter().copied().map(f32::from_ne_bytes);
            assert!(numbers.eq(expected.iter().copied()), "rows from {first}");
        }
        Self {
            rows,
            _folder: folder,
        }
    }

    /// Seconds of reading all rows into one block after the other.
    fn read(&self, stored: &mut [u8]) -> f64 {
        let began = Instant::now();
        for first in (0..ROWS).step_by(BLOCK) {
            let rows = first..first + BLOCK;
            self.rows.read_stored(rows, stored).expect("rows");
        }
        began.elapsed().as_secs_f64()
    }
}

pub(crate) fn bench(criterion: &mut Criterion, floors: &Floors, lines: &mut Lines) {
    for form in [Form::Torch, Form::Npy, Form::SafeTensors] {
        bench_form(form, criterion, floors, lines);
    }
}

fn bench_form(form: Form, criterion: &mut Criterion, floors: &Floors, lines: &mut Lines) {
    let file = LazyCell::new(|| File::new(form));
    let mut seconds = Vec::new();
    let mut group = group(criterion, "read");
    group.throughput(Throughput::Bytes((ROWS * ROW_BYTES) as u64));
    group.bench_function(form.name(), |bencher| {
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
            name: format!("read/{}", form.name()),
            row_seconds: fastest / ROWS as f64,
            // The system copies them from its cache.
            row_work: 2.0 * ROW_BYTES as f64,
            floor: floors.copy_in_memory,
            note: format!("rows of {DIM} in binary32, read and written"),
        });
    }
}
