//! Cases of the bound: what the device makes of a cohort and a model, and how far screened scores lie
//! from canonical ones.

use atomscope::engine::cuda::Format;
use atomscope::engine::cuda::blas::{Blas, Product};
use atomscope::engine::cuda::driver::Buffer;
use atomscope::engine::cuda::encoder::Encoder;
use atomscope::engine::cuda::screen::Screen;
use atomscope::engine::cuda::whiten::{RowFacts, WhitenArgs};
use atomscope::rows::ElementType;
use atomscope::sae::{Activation, Sae, SaeParts, whitening};
use half::f16;

use super::machine::Work;
use crate::twins::accumulate::Model;
use crate::twins::canonical;

/// Numbers of a cohort and a model; whitening divides by 1.
pub(crate) struct Case {
    pub(crate) dim: usize,
    pub(crate) features: usize,
    pub(crate) rows: Vec<f32>,
    pub(crate) weight: Vec<f32>,
    pub(crate) bias: Vec<f32>,
    /// Of each feature, or none.
    pub(crate) thresholds: Vec<f64>,
}

impl Case {
    fn sae(&self) -> Sae {
        Sae::new(SaeParts {
            name: "case".into(),
            input_dim: self.dim,
            feature_dim: self.features,
            activation: if self.thresholds.is_empty() {
                Activation::TopK { k: 1, relu: false }
            } else {
                let thresholds = self.thresholds.clone();
                Activation::Threshold { thresholds }
            },
            weight: self.weight.clone(),
            bias: self.bias.clone(),
            input: whitening(vec![0.0; self.dim], &vec![0.999_999; self.dim]),
            ..SaeParts::default()
        })
        .expect("finite numbers")
    }

    pub(crate) fn count(&self) -> usize {
        self.rows.len() / self.dim
    }

    /// A canonical score.
    pub(crate) fn score(&self, row: usize, f: usize) -> f64 {
        canonical::score(
            &self.rows[row * self.dim..(row + 1) * self.dim],
            &self.weight[f * self.dim..(f + 1) * self.dim],
            self.bias[f],
        )
    }
}

/// What the device makes of a case: all that selection would see.
pub(crate) struct Screened {
    case: Case,
    units: i32,
    depth: usize,
    /// Numbers whose products are summed up from zero.
    block: usize,
    facts: Vec<RowFacts>,
    /// Operands, \[rows, depth\] and \[features, depth\].
    rows: Vec<f32>,
    weights: Vec<f32>,
    biases: Vec<f32>,
    margins: Vec<f32>,
    /// Of shifts, and whether any of them is infinite.
    shifts: Option<(Vec<f32>, bool)>,
    largest_whole: f32,
    /// By cuBLAS, \[rows, stride\].
    scores: Vec<f32>,
    stride: usize,
    models: Vec<Model>,
}

/// The numbers of an operand.
fn numbers(bytes: &[u8], format: Format) -> Vec<f32> {
    let single = |b: &[u8]| f32::from_ne_bytes(b.try_into().expect("four bytes"));
    let half = |b: &[u8]| f16::from_ne_bytes(b.try_into().expect("two bytes")).to_f32();
    match format {
        Format::Single => bytes.chunks(4).map(single).collect(),
        _ => bytes.chunks(2).map(half).collect(),
    }
}

pub(crate) fn screen(
    work: &Work,
    case: Case,
    format: Format,
    block: Option<usize>,
    seed: u64,
) -> Screened {
    let sae = case.sae();
    let encoder = Encoder::new(&work.stream, &sae).expect("a model");
    let (device, kernels) = (&work.device, work.kernels);
    let screen = Screen::new(device, kernels, &work.stream, &encoder, &sae, format, block)
        .expect("a screen");
    let (operand, facts) = whitened(work, &case, &encoder, &screen);
    let depth = screen.padded * format.parts();
    let scores = multiplied(work, &screen, &operand, &case);
    // Blocks of four are added up on the oldest devices; elsewhere they are within the bound for
    // short sums, by what it allows for splits of the depth.
    let oldest = device.info().architecture() < 80;
    let fewest = if oldest || screen.block_depth <= 256 {
        4
    } else {
        8
    };
    Screened {
        units: screen.units.weight_exponent,
        depth,
        block: screen.block_depth,
        facts,
        rows: numbers(&work.download(&operand), format),
        weights: numbers(&work.download(&screen.operand), format),
        biases: work.download(&screen.biases),
        margins: work.download(&screen.margins),
        shifts: screen
            .shifts
            .as_ref()
            .map(|shifts| (work.download(&shifts.margins), shifts.any_infinite)),
        largest_whole: screen.units.largest_whole,
        scores,
        stride: screen.stride,
        models: Model::all(format != Format::Single, fewest, seed),
        case,
    }
}

fn whitened(
    work: &Work,
    case: &Case,
    encoder: &Encoder,
    screen: &Screen,
) -> (Buffer<u8>, Vec<RowFacts>) {
    let input = work.upload(&case.rows);
    let operand = work.upload(&vec![0xa5u8; case.count() * screen.row_bytes()]);
    let facts = work.output::<RowFacts>(case.count());
    let x = work.output::<f32>(case.rows.len());
    let args = WhitenArgs {
        rows: input.address(),
        mean: encoder.input.mean.address(),
        divisor: encoder.input.divisor.address(),
        x: x.address(),
        operand: operand.address(),
        facts: facts.address(),
        units: screen.units,
        count: case.count() as u32,
        dim: case.dim as u32,
        padded: screen.padded as u32,
        format: screen.format.code(),
        weights: 0,
        unused: 0,
    };
    let whiten = &work.kernels.whiten;
    // SAFETY: buffers are as large as the kernel's header says, and the stream is waited for
    // before they go.
    unsafe { whiten.launch(&work.stream, ElementType::F32, &args) }.expect("a launch");
    work.wait();
    assert_eq!(work.take(&x), case.rows, "a division by 1");
    (operand, work.take(&facts))
}

fn multiplied(work: &Work, screen: &Screen, operand: &Buffer<u8>, case: &Case) -> Vec<f32> {
    let scores = work.output::<f32>(case.count() * screen.stride);
    let product = Product {
        rows: operand.address(),
        weights: screen.operand.address(),
        scores: scores.address(),
        row_count: case.count(),
        features: case.features,
        depth: screen.padded * screen.format.parts(),
        block_depth: screen.block_depth,
        stride: screen.stride,
        single: screen.format == Format::Single,
    };
    let mut blas = Blas::new(&work.stream).expect("cuBLAS starts");
    // SAFETY: operands and scores are as large as the product says, and the stream is waited for
    // before they go.
    unsafe { blas.multiply(&product) }.expect("a product");
    work.wait();
    work.take(&scores)
}

impl Screened {
    /// Demands that every canonical score lies in its interval, for every way to add up. Gives the
    /// largest share of a margin that was used.
    pub(crate) fn check(&self) -> f64 {
        let (d, depth) = (self.case.dim, self.depth);
        let mut used = 0.0f64;
        for (r, facts) in self.facts.iter().enumerate() {
            assert_eq!(facts.finite, 1);
            if !self.holds(facts) {
                continue;
            }
            let unit = 2f64.powi(-(facts.exponent + self.units));
            for f in 0..self.case.features {
                // Rounded as its ends are: no rounding brings it past one of them.
                let exact = match self.case.thresholds.get(f) {
                    Some(threshold) => (self.case.score(r, f) - threshold) * unit,
                    None => self.case.score(r, f) * unit,
                };
                let row = &self.rows[r * depth..(r + 1) * depth];
                let weights = &self.weights[f * depth..(f + 1) * depth];
                let device = (None, self.scores[r * self.stride + f]);
                let models = self.models.iter();
                let scores = models
                    .map(|model| (Some(model), model.sum_of_blocks(self.block, row, weights)));
                for (model, score) in scores.chain([device]) {
                    let way = format!("row {r}, feature {f}, {model:?}, D = {d}");
                    used = used.max(self.share(facts, f, score, exact, &way));
                }
            }
        }
        used
    }

    /// Says whether the kernel takes a row's shifts for what they are.
    fn holds(&self, facts: &RowFacts) -> bool {
        let far = f64::from(facts.bias_scale) * 2f64.powi(60);
        let product = f64::from(facts.whole) * f64::from(self.largest_whole);
        self.shifts.as_ref().is_none_or(|&(_, any_infinite)| {
            let exact = facts.bias_scale >= f32::MIN_POSITIVE;
            exact && (!any_infinite || far > 4.0 * product)
        })
    }

    /// The share of the margin that one score uses, in the arithmetic of select.cu.
    fn share(&self, facts: &RowFacts, f: usize, score: f32, exact: f64, way: &str) -> f64 {
        let estimate = score + self.biases[f] * facts.bias_scale;
        let (whole, spread) = (self.margins[2 * f], self.margins[2 * f + 1]);
        let mut margin = facts.error * whole + facts.norm * spread + facts.offset;
        // What selection's own proof relies on.
        assert!(facts.coarse >= margin, "coarse, {way}");
        if let Some((margins, _)) = &self.shifts {
            margin += margins[f] * facts.bias_scale;
            if estimate.is_infinite() {
                assert!((exact > 0.0) == (estimate > 0.0), "{exact:e}, {way}");
                return 0.0;
            }
        } else {
            let least = 4.0 * estimate.abs() / 16_777_216.0;
            assert!(facts.coarse >= least, "{way}");
        }
        let (lower, upper) = (f64::from(estimate - margin), f64::from(estimate + margin));
        assert!(
            lower <= exact && exact <= upper,
            "{exact:e} outside [{lower:e}, {upper:e}], {way}"
        );
        (f64::from(estimate) - exact).abs() / f64::from(margin)
    }
}
