//! A cohort of an SAE whose atoms fire by thresholds, in one piece and in shards.

use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::common::case::{Case, ragged_case};
use atomscope::analysis::outputs;
use atomscope::analysis::{CountOptions, Counted, TableOptions, Tables};
use atomscope::cohort::{Call, Calls, Number};
use atomscope::control::Control;
use atomscope::digest::Digest;
use atomscope::engine::{Encoded, EngineOptions, Nonfinite};
use atomscope::fires::InMemory;
use atomscope::rows::SliceRows;
use atomscope::sae::Sae;
use atomscope::stats::evidence::{self, ListedPairs, Partition};
use atomscope::store::{Fires, Maker, write_fires, write_tally};
use atomscope::tally::{CohortTally, ModelId, Shard, StratifyBy};
use atomscope::write::whole::WholeFile;

pub(super) const DIM: usize = 12;
pub(super) const ATOMS: usize = 60;
pub(super) const ROWS: usize = 480;
/// Rows that are no numbers.
pub(super) const BAD: [usize; 3] = [0, 58, 477];

pub(super) struct Cohort {
    pub(super) case: Case,
    pub(super) thresholds: Vec<f32>,
    pub(super) calls: Calls,
    /// The atoms of each row by the definition; none of those that are no numbers.
    pub(super) sets: Vec<Vec<u32>>,
}

/// The call of a row.
pub(super) fn call_of(row: usize) -> Call<'static> {
    Call {
        chrom: Some(["chr1", "chr2", "chr3", "chr4"][row / 5 % 4]),
        pos: Number::Int((row as u64 * 900).cast_signed()),
        svtype: Some(["DEL", "INS"][row % 2]),
        svlen: Number::Float(60.0 + (row * 37 % 5000) as f64),
        truvari_class: Some(if (row * 7) % 10 + 4 * (row % 4 / 2) > 6 {
            "TP"
        } else {
            "FP"
        }),
        dataset: Some(["HG002", "HG003", "HG004"][row % 3]),
        ..Call::default()
    }
}

/// True calls have larger sets, and the first atoms lean to them.
pub(super) fn cohort() -> Cohort {
    let (mut case, thresholds) = ragged_case(21, ROWS, DIM, ATOMS);
    let sets = case.oracle_above(&thresholds);
    let calls = (0..ROWS).map(call_of).collect();
    for row in BAD {
        case.rows[row * DIM + 3] = f32::NAN;
    }
    Cohort {
        case,
        thresholds,
        calls,
        sets,
    }
}

pub(super) fn options(threads: Option<usize>, batch_rows: Option<usize>) -> CountOptions {
    CountOptions {
        engine: EngineOptions {
            threads,
            batch_rows,
            scores: true,
            nonfinite: Nonfinite::Skip,
            ..EngineOptions::default()
        },
        stratify_by: StratifyBy::ALL,
        ..CountOptions::default()
    }
}

impl Cohort {
    pub(super) fn sae(&self) -> Sae {
        self.case.sae_above(&self.thresholds)
    }

    /// The rows that are numbers, with their firing sets.
    pub(super) fn kept(&self) -> impl Iterator<Item = (usize, &[u32])> {
        let kept = (0..ROWS).filter(|row| !BAD.contains(row));
        kept.map(|row| (row, &self.sets[row][..]))
    }

    pub(super) fn counted(&self, options: &CountOptions) -> Counted {
        let rows = SliceRows::new(&self.case.rows, DIM).expect("whole rows");
        let control = Control::default();
        Counted::of_rows(&self.sae(), &rows, &self.calls, options, &control).expect("good rows")
    }

    /// Writes the tally and the firing sets of some rows, as a shard's; the tally's path.
    pub(super) fn write_shard(&self, folder: &Path, rows: Range<usize>) -> PathBuf {
        let part = SliceRows::new(&self.case.rows[rows.start * DIM..rows.end * DIM], DIM);
        let calls: Calls = rows.clone().map(call_of).collect();
        let (sae, options) = (self.sae(), options(None, None));
        let mut session =
            atomscope::analysis::Session::open(&sae, rows.len(), &options).expect("the CPU");
        let part = part.expect("whole rows");
        let encoded = session.encode(&part, &calls, 0, &Control::default());
        let Encoded { fires, tally, .. } = encoded.expect("good rows");
        let model = ModelId::of(&sae, Digest::default());
        let range = rows.start as u64..rows.end as u64;
        let shard = Shard::new("rows in memory".to_owned(), Digest::default(), range);
        let shard = shard.with_calls(&calls, fires.dropped());
        let details = InMemory {
            calls: &calls,
            sets: &fires,
        };
        let path = folder.join(format!("{}-{}.fires", rows.start, rows.end));
        let fires = Fires {
            model: &model,
            shard: &shard,
            calls: &calls,
            details: &details,
            scores: true,
        };
        let written = write_fires(&path, &fires).and_then(WholeFile::publish);
        written.expect("firing sets");
        let cohort = CohortTally::of_shard(model, StratifyBy::ALL, shard.clone(), tally);
        let cohort = cohort.with_rule(self.calls.rule.clone());
        let path = path.with_extension("tally");
        let written = write_tally(&path, &cohort, Maker::Tally).and_then(WholeFile::publish);
        written.expect("a tally");
        path
    }
}

/// All tables, with everything that needs firing sets.
pub(super) fn tables_of(counted: &Counted, memory: u64) -> Tables {
    let options = TableOptions {
        extended: Some(evidence::Options {
            permutations: 300,
            bootstrap: 50,
            min_coactivation: 3,
            pairs: ListedPairs::All,
            replicate: Some(Partition::Chrom),
            memory,
            ..evidence::Options::default()
        }),
        ..TableOptions::default()
    };
    counted
        .tables(&options, None, &Control::default())
        .expect("tables")
}

/// All that a reader sees of them.
pub(super) fn shown(found: &Tables) -> String {
    let extended = found.extended.as_ref().expect("asked for");
    let pairs = extended.pairs.as_ref().expect("counted");
    format!(
        "{:?}\n{:?}\n{:?}\n{:?}",
        found.notebook,
        outputs::tables_of(extended),
        pairs.chunk(0..pairs.len()),
        extended.permutations,
    )
}
