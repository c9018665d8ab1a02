//! The bound as a property: over hostile numbers no screened score, however its products are
//! added up, lies farther from the canonical one than its margin says.

use atomscope::engine::cuda::Format;
use atomscope::engine::cuda::blas::{Blas, Product};
use atomscope::engine::cuda::driver::Buffer;
use atomscope::engine::cuda::screen::{Encoder, Screen};
use atomscope::engine::cuda::whiten::{RowFacts, WhitenArgs};
use atomscope::rows::ElementType;
use atomscope::sae::{Activation, Sae, SaeParts, whitening};
use half::f16;
use proptest::prelude::*;
use rand::RngExt;

use super::machine::Work;
use super::whiten::FORMATS;
use crate::twins::accumulate::Model;
use crate::twins::canonical;
use crate::twins::numbers::{Kind, kinds, random, vector};

/// Numbers of a cohort and a model; whitening divides by 1.
struct Case {
    dim: usize,
    features: usize,
    rows: Vec<f32>,
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl Case {
    fn sae(&self) -> Sae {
        Sae::new(SaeParts {
            name: "case".into(),
            input_dim: self.dim,
            feature_dim: self.features,
            activation: Activation::TopK { k: 1, relu: false },
            weight: self.weight.clone(),
            bias: self.bias.clone(),
            input: whitening(vec![0.0; self.dim], &vec![0.999_999; self.dim]),
            ..SaeParts::default()
        })
        .expect("finite numbers")
    }

    fn count(&self) -> usize {
        self.rows.len() / self.dim
    }
}

/// What the device makes of a case: all that selection would see.
struct Screened {
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

fn screen(work: &Work, case: Case, format: Format, block: Option<usize>, seed: u64) -> Screened {
    let sae = case.sae();
    let encoder = Encoder::new(&work.device, &work.stream, &sae).expect("a model");
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
    fn check(&self) -> f64 {
        let (d, depth) = (self.case.dim, self.depth);
        let mut used = 0.0f64;
        for (r, facts) in self.facts.iter().enumerate() {
            assert_eq!(facts.finite, 1);
            let unit = 2f64.powi(-(facts.exponent + self.units));
            for f in 0..self.case.features {
                let exact = canonical::score(
                    &self.case.rows[r * d..(r + 1) * d],
                    &self.case.weight[f * d..(f + 1) * d],
                    self.case.bias[f],
                ) * unit;
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

    /// The share of the margin that one score uses, in the arithmetic of select.cu.
    fn share(&self, facts: &RowFacts, f: usize, score: f32, exact: f64, way: &str) -> f64 {
        let estimate = score + self.biases[f] * facts.bias_scale;
        let (whole, spread) = (self.margins[2 * f], self.margins[2 * f + 1]);
        let margin = facts.error * whole + facts.norm * spread + facts.offset;
        let (lower, upper) = (f64::from(estimate - margin), f64::from(estimate + margin));
        assert!(
            lower <= exact && exact <= upper,
            "{exact:e} outside [{lower:e}, {upper:e}], {way}"
        );
        // What selection's own proof relies on.
        assert!(facts.coarse >= margin, "coarse, {way}");
        assert!(facts.coarse >= 4.0 * estimate.abs() / 16_777_216.0, "{way}");
        (f64::from(estimate) - exact).abs() / f64::from(margin)
    }
}

proptest! {
    #![proptest_config(super::machine::cases(120))]

    #[test]
    fn no_screened_score_lies_outside_its_bound(
        seed in any::<u64>(),
        dim in prop_oneof![1usize..70, Just(257), Just(500)],
        rows in kinds(),
        weights in kinds(),
        biases in prop_oneof![Just(None), kinds().prop_map(Some)],
        scales in prop::sample::select(&[0i32, 0, 4, 30]),
        block in prop::sample::select(&[None, Some(64), Some(200)]),
    ) {
        let Some(work) = Work::new() else { return Ok(()) };
        for format in FORMATS {
            let case = hostile(seed, dim, [rows, weights], biases, scales);
            screen(&work, case, format, block, seed).check();
        }
    }
}

/// `scales`: powers of ten, up and down, by which rows, features and biases differ among each other.
fn hostile(seed: u64, dim: usize, kinds: [Kind; 2], biases: Option<Kind>, scales: i32) -> Case {
    const ROWS: usize = 4;
    const FEATURES: usize = 7;
    let mut rng = random(seed);
    let mut case = Case {
        dim,
        features: FEATURES,
        rows: vector(&mut rng, kinds[0], ROWS * dim),
        weight: vector(&mut rng, kinds[1], FEATURES * dim),
        bias: biases.map_or_else(
            || vec![0.0; FEATURES],
            |kind| vector(&mut rng, kind, FEATURES),
        ),
    };
    let groups = case.rows.chunks_mut(dim);
    let groups = groups.chain(case.weight.chunks_mut(dim));
    for numbers in groups.chain(case.bias.chunks_mut(1)) {
        let factor = 10f32.powi(rng.random_range(-scales..=scales));
        for x in numbers {
            *x = (*x * factor).clamp(-f32::MAX, f32::MAX);
        }
    }
    case
}

/// A row and a feature of the same numbers: Cauchy–Schwarz is an equality.
fn alike(numbers: Vec<f32>) -> Case {
    Case {
        dim: numbers.len(),
        features: 1,
        rows: numbers.clone(),
        weight: numbers,
        bias: vec![0.0],
    }
}

#[test]
fn the_bound_is_not_idle() {
    let Some(work) = Work::new() else { return };
    // Rounding of operands: every number loses half a place, the same way.
    let half = alike(vector(&mut random(1), Kind::HalfPlaces, 64));
    // Accumulation in binary32: after a leading 1 every square is a little more than half a place.
    let mut single = vec![f32::from_bits(0x3980_0001); 3000];
    single[0] = 1.0;
    // Truncation: after a leading 1 every square is a little less than a place, and lost.
    let mut split = vec![f16::from_f32(2f32.powf(-11.51)).to_f32(); 3000];
    split[0] = 1.0;
    let cases = [
        (Format::Half, half, 0.8),
        (Format::Single, alike(single), 0.9),
        (Format::Split, alike(split.clone()), 0.1),
        (Format::Half, alike(split), 0.3),
    ];
    for (format, case, least) in cases {
        let depth = 3 * case.dim + 24;
        let share = screen(&work, case, format, Some(depth), 1).check();
        assert!(
            share > least,
            "{format}: {share:.3} of the margin is used, expected more than {least}"
        );
    }
}
