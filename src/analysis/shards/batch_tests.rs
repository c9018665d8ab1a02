//! Batch top-k over a cohort in files: however it is cut and kept, the bytes of one piece.

use std::fs;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

use super::{Checkpoints, KeepFirings, Output, Plan, ShardInput};
use crate::analysis::{BatchTopK, CountOptions, Counted};
use crate::control::Control;
use crate::engine::{EngineOptions, Nonfinite};
use crate::error::{Error, Result};
use crate::fires::FiringStore;
use crate::read::{LoadedModel, read_model};
use crate::rows::{Rows, SliceRows};
use crate::sae::{Activation, Sae, SaeParts};
use crate::simulate::{SimulateOptions, Simulated, simulate, simulate_in_memory};
use crate::store::{Maker, write_tally};
use crate::tally::{CohortTally, Merger, StratifyBy};

const DIM: usize = 12;
const ROWS: usize = 300;
const K: usize = 3;

/// A simulated cohort whose model is taken for one of batch top-k.
struct Cohort {
    folder: tempfile::TempDir,
    data: Simulated,
}

impl Cohort {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = SimulateOptions::new(ROWS, DIM, 40, K, 5);
        simulate(folder.path(), &options, &Control::default()).unwrap();
        let mut data = simulate_in_memory(&options).unwrap();
        for row in [0, 101, 102, 299] {
            data.embeddings[row * DIM + row % DIM] = f32::NAN;
        }
        Self { folder, data }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn model(&self) -> Result<LoadedModel> {
        let loaded = read_model(&self.path("sae.pt"))?;
        Ok(LoadedModel {
            sae: of_batches(loaded.sae),
            ..loaded
        })
    }

    /// The rows in files that end at these rows, with a table of their calls beside each.
    fn cut(&self, ends: &[usize]) -> Vec<ShardInput> {
        let folder = self.path(&format!("cut-{}", ends.len()));
        fs::create_dir_all(&folder).unwrap();
        let mut start = 0;
        let shard = |(number, &end): (usize, &usize)| {
            let embeddings = folder.join(format!("s{number}.npy"));
            write_npy(
                &embeddings,
                &self.data.embeddings[start * DIM..end * DIM],
                end - start,
            );
            let metadata = embeddings.with_extension("csv");
            let mut table = "truvari_class,svtype\n".to_owned();
            for row in start..end {
                let calls = &self.data.calls;
                let class = calls.truvari_class.get(row).unwrap_or_default();
                let svtype = calls.svtype.get(row).unwrap_or_default();
                table.extend([class, ",", svtype, "\n"]);
            }
            fs::write(&metadata, table).unwrap();
            start = end;
            ShardInput {
                name: format!("s{number}.npy"),
                embeddings,
                metadata: Some(metadata),
                rows: None,
            }
        };
        ends.iter().enumerate().map(shard).collect()
    }

    fn count(&self, plan: &Plan) -> Result<Counted> {
        plan.count_by(|| self.model(), &Control::default())
    }

    /// The whole cohort in memory.
    fn in_memory(&self, options: &CountOptions) -> Counted {
        let rows = SliceRows::new(&self.data.embeddings, DIM).unwrap();
        let sae = of_batches(self.data.sae.clone());
        let calls = &self.data.calls;
        Counted::of_rows(&sae, &rows, calls, options, &Control::default()).unwrap()
    }
}

/// The same model, as one of batch top-k.
fn of_batches(sae: Sae) -> Sae {
    let activation = Activation::BatchTopK { k: K };
    let parts = sae.into_parts();
    Sae::new(SaeParts {
        activation,
        ..parts
    })
    .unwrap()
}

/// An .npy file of version 1.0.
fn write_npy(path: &Path, numbers: &[f32], rows: usize) {
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {DIM}), }}");
    let header = format!("{header:<117}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.bytes());
    bytes.extend(numbers.iter().flat_map(|x| x.to_le_bytes()));
    fs::write(path, bytes).unwrap();
}

fn options(rows: Option<u64>) -> CountOptions {
    CountOptions {
        engine: EngineOptions {
            nonfinite: Nonfinite::Skip,
            scores: true,
            ..EngineOptions::default()
        },
        batch_topk: BatchTopK {
            rows: rows.and_then(NonZeroU64::new),
            ..BatchTopK::default()
        },
        stratify_by: StratifyBy::TYPE,
        ..CountOptions::default()
    }
}

/// Every firing set with its scores, row after row.
fn firings(counted: &Counted) -> Vec<(Vec<u32>, Vec<f64>)> {
    let mut all = Vec::new();
    let store = counted.firings.as_ref().unwrap();
    let mut take = |block: crate::fires::FiringBlock<'_>| {
        let scores = block.sets.scores().unwrap();
        for row in 0..block.sets.rows() {
            let place = block.sets.place(row);
            all.push((block.sets.row(row).to_vec(), scores[place].to_vec()));
        }
        Ok(())
    };
    store.blocks(&mut take).unwrap();
    all
}

#[test]
fn batches_across_files_parts_and_memory_are_those_of_one_piece() {
    let cohort = Cohort::new();
    for rows in [None, Some(1), Some(37), Some(100), Some(150), Some(1000)] {
        let options = options(rows);
        let whole = cohort.in_memory(&options);
        let expected = firings(&whole);
        assert!(rows == Some(1) || expected.iter().any(|(set, _)| set.len() != K));
        for ends in [&[300][..], &[150, 300], &[1, 1, 120, 120, 299, 300]] {
            let inputs = cohort.cut(ends);
            for (part_rows, memory) in [(7, None), (1 << 20, Some(1)), (64, Some(4000))] {
                let mut options = options.clone();
                options.batch_topk.memory = memory;
                let model = cohort.path("sae.pt");
                let plan = Plan {
                    part_rows,
                    firings: Some(KeepFirings {
                        memory: 1 << 20,
                        folder: cohort.folder.path(),
                    }),
                    ..Plan::new(&inputs, &model, &options)
                };
                let found = cohort.count(&plan).unwrap();
                assert_eq!(
                    found.cohort.tally.all_counts(),
                    whole.cohort.tally.all_counts()
                );
                assert_eq!(found.cohort.tally.rows(), whole.cohort.tally.rows());
                assert!(firings(&found) == expected, "{rows:?} {ends:?} {part_rows}");
                let batches = found.cohort.model.batches.unwrap().to_string();
                let is_whole =
                    rows.is_some_and(|n| ends.iter().all(|&end| (end as u64).is_multiple_of(n)));
                assert_eq!(!batches.contains("(cut "), is_whole, "{batches}");
            }
        }
    }
}

/// The tally of one file, as it is read from disk.
fn tally_of(cohort: &Cohort, input: &ShardInput, options: &CountOptions) -> CohortTally {
    let inputs = [input.clone()];
    let model = cohort.path("sae.pt");
    let found = cohort.count(&Plan::new(&inputs, &model, options)).unwrap();
    let path = cohort.path("one.tally");
    let written = write_tally(&path, &found.cohort, Maker::Tally).unwrap();
    written.publish().unwrap();
    crate::store::read_tally(&path).unwrap()
}

#[test]
fn tallies_merge_only_if_their_batches_are_whole_or_the_same() {
    let cohort = Cohort::new();
    let inputs = cohort.cut(&[120, 240, 300]);
    let merged = |options: &CountOptions| {
        let mut merger = Merger::default();
        for input in &inputs {
            merger.add(tally_of(&cohort, input, options), &input.name)?;
        }
        Ok::<_, Error>(merger.finish().unwrap())
    };
    // 60 divides the rows of every file: each is made of whole batches.
    let options = options(Some(60));
    let whole = cohort.count(&Plan::new(&inputs, &cohort.path("sae.pt"), &options));
    assert!(merged(&options).unwrap() == whole.unwrap().cohort);
    for rows in [None, Some(120), Some(7)] {
        let refused = merged(&self::options(rows)).unwrap_err().to_string();
        let expected = ["s2.npy", "s1.npy"].map(ToOwned::to_owned);
        assert!(
            expected.iter().any(|name| refused.starts_with(name)),
            "{refused}"
        );
        assert!(
            refused.contains("batch_topk") && refused.contains("in one run"),
            "{refused}"
        );
    }
    // A threshold that was estimated from one file is not the other's.
    let mut estimated = self::options(Some(20));
    estimated.batch_topk.threshold = true;
    let refused = merged(&estimated).unwrap_err().to_string();
    assert!(
        refused.contains("estimated from the batch top-k"),
        "{refused}"
    );
}

#[test]
fn finished_parts_and_outputs_are_those_of_the_same_batches() {
    let cohort = Cohort::new();
    let inputs = cohort.cut(&[100, 300]);
    let model = cohort.path("sae.pt");
    let folder = cohort.path("parts");
    let run = |inputs: &[ShardInput], rows| {
        let checkpoints = Checkpoints::open(&folder).unwrap();
        let options = options(rows);
        let plan = Plan {
            part_rows: 50,
            checkpoints: Some(&checkpoints),
            ..Plan::new(inputs, &model, &options)
        };
        let found = cohort.count(&plan).unwrap();
        (found.run.unwrap().resumed_rows, found.cohort)
    };
    let (resumed, first) = run(&inputs, None);
    assert_eq!(resumed, 0);
    let (resumed, again) = run(&inputs, None);
    assert!(resumed == 300 && again == first);
    // The first file alone is another cohort, and another number of rows other batches.
    assert_eq!(run(&inputs[..1], None).0, 0);
    let (resumed, by_hundred) = run(&inputs, Some(100));
    assert_eq!(resumed, 0);
    let (resumed, again) = run(&inputs, Some(100));
    assert!(resumed == 300 && again == by_hundred);
    let output = cohort.path("out.tally");
    for (rows, was_there) in [(100, false), (100, true), (50, false)] {
        let options = options(Some(rows));
        let plan = Plan {
            output: Some(Output {
                tally: &output,
                fires: None,
            }),
            ..Plan::new(&inputs[..1], &model, &options)
        };
        let found = cohort.count(&plan).unwrap();
        assert_eq!(found.run.as_ref().unwrap().was_there, was_there, "{rows}");
        found.write_tally(&output, None, false).unwrap();
    }
}

#[test]
fn rows_of_a_file_are_a_cohort_of_their_own() {
    let cohort = Cohort::new();
    let mut inputs = cohort.cut(&[300]);
    inputs[0].rows = Some(30..130);
    let options = options(Some(40));
    let model = cohort.path("sae.pt");
    let plan = Plan {
        part_rows: 9,
        ..Plan::new(&inputs, &model, &options)
    };
    let found = cohort.count(&plan).unwrap();
    let rows = SliceRows::new(&cohort.data.embeddings[30 * DIM..130 * DIM], DIM).unwrap();
    assert_eq!(rows.count(), 100);
    let calls = cohort.data.calls.slice(30..130);
    let sae = of_batches(cohort.data.sae.clone());
    let alone = Counted::of_rows(&sae, &rows, &calls, &options, &Control::default()).unwrap();
    let (found, alone) = (found.cohort.tally, alone.cohort.tally);
    assert_eq!(found.all_counts(), alone.all_counts());
    // Rows that may not be dropped are named as the file's, wherever a pass has come to.
    let mut options = self::options(None);
    options.engine.nonfinite = Nonfinite::Error;
    options.batch_topk.memory = Some(1);
    let refused = cohort.count(&Plan::new(&inputs, &model, &options));
    assert!(matches!(refused, Err(Error::NonFinite { rows, .. }) if rows == [101, 102]));
}
