//! How fast the engine is, and where its time goes. Every answer is checked before it is timed.

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use atomscope::control::Control;
use atomscope::engine::cuda::driver::{Buffer, Device, Stream};
use atomscope::engine::cuda::{DeviceRows, PageLockedRows};
use atomscope::engine::{CudaEngine, CudaOptions, Encoded, Engine, EngineOptions};
use atomscope::rows::{ElementType, Rows};
use atomscope::sae::Sae;
use atomscope::tally::Strata;
use rayon::prelude::*;
use serde_json::{Value, json};

use crate::copy::median;
use crate::data::{self, First, Kind};
use crate::{Outcome, definition, device, say};

/// Times that a run is repeated, of which the middle one counts.
const RUNS: usize = 5;
/// Rows whose answer is checked.
const CHECKED: usize = 8;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    dim: usize,
    k: usize,
    /// Distinct rows, which are repeated to make up the rest.
    block: usize,
    resident: usize,
    pinned: usize,
}

const FULL: Sizes = Sizes {
    dim: 4096,
    k: 64,
    block: 1 << 17,
    resident: 1 << 20,
    pinned: 1 << 19,
};
const SMALL: Sizes = Sizes {
    dim: 64,
    k: 8,
    block: 64,
    resident: 256,
    pinned: 128,
};
const SMALL_FEATURES: usize = 256;

/// The models to measure, made when they are first asked for.
pub(crate) struct Models {
    features: Vec<usize>,
    rows: Vec<usize>,
    sizes: Sizes,
    made: Vec<Model>,
}

/// A model, and embeddings for it.
pub(crate) struct Model {
    sae: Sae,
    sizes: Sizes,
    rows: Vec<usize>,
    block: Arc<Vec<f32>>,
    /// The firing sets of the first rows, by the definition.
    first_sets: Vec<u32>,
    resident: Buffer<f32>,
}

impl Models {
    pub(crate) fn new(features: &[usize], rows: &[usize], small: bool) -> Self {
        let sizes = if small { SMALL } else { FULL };
        let most = if small { SMALL_FEATURES } else { usize::MAX };
        let mut features: Vec<usize> = features.iter().map(|&f| f.min(most)).collect();
        features.dedup();
        Self {
            features,
            rows: rows.iter().map(|&n| n.min(sizes.resident)).collect(),
            sizes,
            made: Vec::new(),
        }
    }

    /// Measures each model.
    pub(crate) fn each(&mut self, measure: impl Fn(&Model) -> Outcome) -> Outcome {
        if self.made.is_empty() {
            self.make()?;
        }
        let mut good = true;
        for model in &self.made {
            good &= measure(model)?;
        }
        Ok(good)
    }

    fn make(&mut self) -> Result<(), Box<dyn Error>> {
        let sizes = self.sizes;
        let block = data::embeddings(Kind::Gaussian, sizes.dim, sizes.block);
        let block = Arc::new(block);
        let device = Device::open(0)?;
        let stream = Stream::new(&device)?;
        for &features in &self.features {
            let sae = data::model(Kind::Gaussian, sizes.dim, features, sizes.k)?;
            let first_sets = definition::firing_sets(&sae, &block[..CHECKED * sizes.dim]);
            let resident = Buffer::new(&device, sizes.resident * sizes.dim, "embeddings")?;
            device::repeat(&stream, &resident, &block)?;
            self.made.push(Model {
                sae,
                sizes,
                rows: self.rows.clone(),
                block: block.clone(),
                first_sets,
                resident,
            });
        }
        Ok(())
    }
}

impl Model {
    /// The first rows on the device.
    fn resident_rows(&self, count: usize) -> DeviceRows {
        assert!(count <= self.sizes.resident, "rows that are on the device");
        // SAFETY: that many rows were written there, and `self` holds them; callers keep the rows
        // no longer than `self`.
        unsafe {
            DeviceRows::new(
                0,
                self.resident.address(),
                count,
                self.sizes.dim,
                ElementType::F32,
            )
        }
    }

    /// A line's beginning: what was measured.
    fn line(&self, rows: usize) -> Value {
        json!({
            "features": self.sae.feature_dim(), "dim": self.sizes.dim, "k": self.sizes.k,
            "rows": rows,
        })
    }
}

/// What a run took: the middle one of several.
struct Timed {
    seconds: f64,
    /// Copy, whiten, product, select, resolve.
    stages: [f64; 5],
    last: Encoded,
    code_path: String,
}

/// Encodes rows once to warm up and to check the answer, then `runs` times on the clock.
fn time(
    model: &Model,
    rows: &dyn Rows,
    options: CudaOptions,
    runs: usize,
) -> Result<Timed, Box<dyn Error>> {
    let options = EngineOptions {
        cuda: options,
        ..EngineOptions::default()
    };
    let strata: Strata = data::strata(rows.count());
    let control = Control::default();
    let mut engine = CudaEngine::new(&[0], &model.sae, &options)?;
    let mut last = engine.encode(rows, &strata, &control)?;
    let expected = &model.first_sets[..];
    if !last.fires.atoms().starts_with(expected) {
        return Err(format!("the first {CHECKED} rows differ from their definition").into());
    }
    let (mut seconds, mut stages) = (Vec::new(), vec![Vec::new(); 5]);
    for _ in 0..runs {
        let began = Instant::now();
        last = engine.encode(rows, &strata, &control)?;
        seconds.push(began.elapsed().as_secs_f64());
        let s = last.seconds.threads;
        let of_run = [s.copy, s.whiten, s.product, s.select, s.resolve];
        for (all, one) in stages.iter_mut().zip(of_run) {
            all.push(one);
        }
    }
    Ok(Timed {
        seconds: median(seconds),
        stages: std::array::from_fn(|i| median(std::mem::take(&mut stages[i]))),
        last,
        code_path: engine.code_path(),
    })
}

/// One lane, so that stages do not overlap.
fn alone() -> CudaOptions {
    CudaOptions {
        lanes: Some(1),
        ..CudaOptions::default()
    }
}

/// Adds what stages took to a line, a row each.
fn add_stages(line: &mut Value, model: &Model, rows: usize, timed: &Timed) {
    let [copy, whiten, product, select, resolve] = timed.stages.map(|s| s / rows as f64);
    let all = copy + whiten + product + select + resolve;
    let stride = model.sae.feature_dim().next_multiple_of(4);
    let operations = 2.0 * (model.sizes.dim * model.sae.feature_dim()) as f64;
    line["seconds_a_row"] = json!({
        "copy": copy, "whiten": whiten, "product": product, "select": select, "resolve": resolve,
    });
    line["product_share"] = json!(product / all);
    line["product_operations_per_second"] = json!(operations / product);
    line["score_bytes_per_second"] = json!(4.0 * stride as f64 / select);
}

/// Seconds of each stage.
pub(crate) fn stages(model: &Model) -> Outcome {
    let count = model.sizes.resident / 4;
    let timed = time(model, &model.resident_rows(count), alone(), RUNS)?;
    let mut line = model.line(count);
    add_stages(&mut line, model, count, &timed);
    line["code_path"] = json!(timed.code_path);
    line["certificate"] = json!(timed.last.tally.certificate());
    say("stages", line);
    Ok(true)
}

/// Rows a second at several sizes, the last of which also tells the rate beyond a run's own
/// beginning and end.
fn rates(mode: &str, model: &Model, rows: &dyn Rows, counts: &[usize]) -> Outcome {
    let mut before: Option<(usize, f64)> = None;
    for &count in counts {
        let first = First { rows, count };
        let timed = time(model, &first, CudaOptions::default(), RUNS)?;
        let mut line = model.line(count);
        line["seconds"] = json!(timed.seconds);
        line["rows_per_second"] = json!(count as f64 / timed.seconds);
        if let Some((less, seconds)) = before.filter(|(less, _)| *less < count) {
            let more = (count - less) as f64;
            line["marginal_rows_per_second"] = json!(more / (timed.seconds - seconds));
        }
        say(mode, line);
        before = Some((count, timed.seconds));
    }
    Ok(true)
}

/// Rows a second, rows on the device.
pub(crate) fn resident(model: &Model) -> Outcome {
    let all = model.sizes.resident;
    let mut counts = model.rows.clone();
    counts.extend([all / 2, all]);
    rates("resident", model, &model.resident_rows(all), &counts)
}

/// Rows a second, rows in page-locked memory.
pub(crate) fn pinned(model: &Model) -> Outcome {
    let (count, dim) = (model.sizes.pinned, model.sizes.dim);
    let mut numbers = vec![0.0f32; count * dim];
    numbers
        .par_chunks_mut(model.block.len())
        .flat_map(|numbers| numbers.par_chunks_mut(1 << 20).enumerate())
        .for_each(|(piece, numbers)| {
            let from = &model.block[piece << 20..];
            numbers.copy_from_slice(&from[..numbers.len()]);
        });
    let rows = PageLockedRows::copy_of(&numbers, dim)?;
    drop(numbers);
    rates("pinned", model, &rows, &[count / 2, count])
}

/// Stages and rows a second by the number of rows a tile, by the depth of the product's blocks, and
/// by the number of lanes.
pub(crate) fn tiles(model: &Model) -> Outcome {
    let count = model.sizes.resident / 4;
    let rows = model.resident_rows(count);
    let stages_of = |name: &str, value: usize, options: CudaOptions| -> Outcome {
        let alone = CudaOptions {
            lanes: Some(1),
            ..options.clone()
        };
        let mut line = model.line(count);
        line[name] = json!(value);
        let timed = time(model, &rows, alone, 2)?;
        add_stages(&mut line, model, count, &timed);
        line["certificate"] = json!(timed.last.tally.certificate());
        let timed = time(model, &rows, options, 2)?;
        line["rows_per_second"] = json!(count as f64 / timed.seconds);
        say("tiles", line);
        Ok(true)
    };
    for tile in [512, 1024, 2048, 4096, 8192] {
        let options = CudaOptions {
            tile_rows: Some(tile),
            ..CudaOptions::default()
        };
        stages_of("tile_rows", tile, options)?;
    }
    for depth in [512, 1024, 2048, 4096] {
        let options = CudaOptions {
            block_depth: Some(depth),
            ..CudaOptions::default()
        };
        stages_of("block_depth", depth, options)?;
    }
    for lanes in [1, 2, 3, 4] {
        let options = CudaOptions {
            lanes: Some(lanes),
            ..CudaOptions::default()
        };
        let timed = time(model, &rows, options, 2)?;
        let mut line = model.line(count);
        line["lanes"] = json!(lanes);
        line["rows_per_second"] = json!(count as f64 / timed.seconds);
        say("tiles", line);
    }
    Ok(true)
}
