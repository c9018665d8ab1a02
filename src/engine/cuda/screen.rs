//! The model on a device: weights as the screen multiplies them, with the margins of its bound.

use std::sync::Arc;

use super::driver::{Buffer, Device, DeviceInfo, PageLocked, Stream};
use super::encoder::{Encoder, thresholds};
use super::fault::Fault;
use super::kernels::Kernels;
use super::margin;
use super::rule::Rule;
use super::whiten::{RowFacts, RowUnits, WhitenArgs};
use crate::engine::bound::Shifts;
use crate::engine::cuda_options::Format;
use crate::rows::ElementType;
use crate::sae::Sae;

/// The weights of a screen.
#[derive(Debug)]
pub struct Screen {
    /// The numbers that the product multiplies.
    pub format: Format,
    /// \[F, parts · padded\], of the format's numbers.
    pub operand: Buffer<u8>,
    /// Biases times `2^−c`, \[stride\]; of atoms with thresholds, their scaled [`Shifts`].
    pub biases: Buffer<f32>,
    /// What is known of shifts, where atoms have thresholds.
    pub shifts: Option<ShiftMargins>,
    /// P and V of each feature, \[F, 2\].
    pub margins: Buffer<f32>,
    /// The facts of the model that rows need.
    pub units: RowUnits,
    /// Numbers of one part of an operand's row: D, to a multiple of 8.
    pub padded: usize,
    /// Numbers from one row of scores to the next: F, to a multiple of 4.
    pub stride: usize,
    /// Numbers of an operand's row whose products are summed up from zero.
    pub block_depth: usize,
    /// The share of features whose weights, not all zero, lose more than 2⁻⁹ of their norm in the
    /// format.
    pub coarse_share: f64,
}

/// The margins that shifts add to those of their features: see [`Shifts`].
#[derive(Debug)]
pub struct ShiftMargins {
    /// `M` of each feature, \[F\].
    pub margins: Buffer<f32>,
    /// The largest of them.
    pub largest: f32,
    /// `true` if a shift, or its margin, is infinite.
    pub any_infinite: bool,
}

/// What joins the scores of features in a row's units: biases or shifts.
struct Addends {
    scaled: Vec<f32>,
    shift_margins: Option<Vec<f32>>,
    any_infinite: bool,
    /// The parts of the units that depend on it.
    units: RowUnits,
}

impl Addends {
    /// The addends of a model whose weights have these facts.
    fn new(encoder: &Encoder, sae: &Sae, facts: &[RowFacts], weight_exponent: i32) -> Self {
        if encoder.rule == Rule::Thresholds {
            // A norm of zeros is rounded up; the largest number is not.
            let norm = |facts: &RowFacts| match facts.largest {
                0.0 => 0.0,
                _ => f64::from(facts.whole),
            };
            let shifts = Shifts::new(sae.bias(), thresholds(sae), facts.iter().map(norm));
            // Each shift has its own margin, and none is that of a bias.
            let units = RowUnits {
                bias_exponent: shifts.exponent,
                least_exponent: shifts.least_row_exponent(weight_exponent),
                biased: 1,
                ..RowUnits::default()
            };
            return Self {
                scaled: shifts.scaled,
                shift_margins: Some(shifts.margins),
                any_infinite: shifts.any_infinite,
                units,
            };
        }
        let bias_exponent = exponent_of(encoder.largest_bias);
        Self {
            scaled: crate::engine::bound::scaled(sae.bias(), bias_exponent).collect(),
            shift_margins: None,
            any_infinite: false,
            units: RowUnits {
                bias_exponent,
                // Biases stay below 2^60 in a row's units: see engine::bound::row_exponent.
                least_exponent: bias_exponent - weight_exponent - 60,
                largest_bias: encoder.largest_bias,
                biased: u32::from(encoder.largest_bias > 0.0),
                ..RowUnits::default()
            },
        }
    }
}

/// C's frexp: the exponent e such that `|x| = m·2^e`, m in \[1/2, 1); 0 for 0.
fn exponent_of(x: f32) -> i32 {
    if x == 0.0 { 0 } else { libm::frexpf(x).1 }
}

impl Screen {
    /// Makes the weights of a screen, on the device.
    ///
    /// # Errors
    /// A device that has no room, or fails.
    pub fn new(
        device: &Arc<Device>,
        kernels: &Kernels,
        stream: &Stream,
        encoder: &Encoder,
        sae: &Sae,
        format: Format,
        block_depth: Option<usize>,
    ) -> Result<Self, Fault> {
        let (dim, features) = (encoder.dim, encoder.features);
        let padded = dim.next_multiple_of(8);
        let stride = features.next_multiple_of(4);
        let depth = padded * format.parts();
        let block_depth = block_depth
            .unwrap_or_else(|| usual_block_depth(device.info(), format, stride))
            .next_multiple_of(8)
            .clamp(8, depth);
        let row_bytes = padded * format.parts() * format.bytes();
        let operand = Buffer::new(device, features * row_bytes, "the screen's weights")?;
        let facts = Buffer::<RowFacts>::new(device, features, "the weights' norms")?;
        // The largest weight lies in [2^14, 2^15), as a row's largest number does.
        let weight_exponent = exponent_of(encoder.largest_weight) - 15;
        let args = WhitenArgs {
            rows: encoder.weight.address(),
            operand: operand.address(),
            facts: facts.address(),
            units: RowUnits {
                fixed: 1,
                fixed_exponent: weight_exponent,
                ..RowUnits::default()
            },
            count: features as u32,
            dim: dim as u32,
            padded: padded as u32,
            format: format.code(),
            weights: 1,
            ..WhitenArgs::default()
        };
        let found = PageLocked::<RowFacts>::new(device, features, "the weights' norms")?;
        // SAFETY: the buffers are as large as the kernel's header says, and the stream is waited
        // for before any of them can go.
        unsafe {
            kernels.whiten.launch(stream, ElementType::F32, &args)?;
            stream.copy_out(&found, &facts, features)?;
        }
        stream.synchronize()?;
        // SAFETY: the copy is done.
        let found = unsafe { found.as_slice() };
        let margins = Margins::new(
            found,
            dim,
            margin::accumulation(format, depth, block_depth, device.info().architecture()),
        );
        let addends = Addends::new(encoder, sae, found, weight_exponent);
        let mut scaled = addends.scaled;
        scaled.resize(stride, 0.0);
        let shifts = addends.shift_margins.map(|of_shifts| -> Result<_, Fault> {
            Ok(ShiftMargins {
                largest: of_shifts.iter().copied().fold(0.0, f32::max),
                any_infinite: addends.any_infinite,
                margins: Buffer::copy_of(stream, &of_shifts, "the margins")?,
            })
        });
        Ok(Self {
            format,
            operand,
            biases: Buffer::copy_of(stream, &scaled, "the screen's biases")?,
            shifts: shifts.transpose()?,
            margins: Buffer::copy_of(stream, &margins.of_feature, "the margins")?,
            units: RowUnits {
                weight_exponent,
                largest_whole: margins.largest_whole,
                largest_spread: margins.largest_spread,
                low_weight: margins.low_weight,
                fixed_exponent: 0,
                fixed: 0,
                ..addends.units
            },
            padded,
            stride,
            block_depth,
            coarse_share: margins.coarse_share,
        })
    }

    /// Bytes of device memory that it takes.
    pub fn bytes(&self) -> u64 {
        let of_shifts = self
            .shifts
            .as_ref()
            .map_or(0, |shifts| shifts.margins.bytes());
        self.operand.bytes() + self.biases.bytes() + self.margins.bytes() + of_shifts
    }

    /// Bytes of a row's operand.
    pub fn row_bytes(&self) -> usize {
        self.padded * self.format.parts() * self.format.bytes()
    }
}

/// The depth of a block of the product. Each block but the first reads and writes a tile's scores
/// once more, and a block half as deep halves the error of accumulation, which is most of the bound
/// in binary16. Where a tile of scores stays in the second-level cache this costs less than the
/// atoms that the bound would leave open; elsewhere the blocks are twice as deep. Binary32 errs
/// little as it is.
fn usual_block_depth(device: &DeviceInfo, format: Format, stride: usize) -> usize {
    const CACHED_ROWS: u64 = 512;
    let cached = CACHED_ROWS * stride as u64 * 4 <= device.l2_bytes / 2;
    match format {
        Format::Single => usize::MAX / 16,
        _ if cached => 1024,
        _ => 2048,
    }
}

/// Above the norm of zeros (2⁻¹²⁰), far below that of any number whose scaling is exact.
const ZERO_NORM: f32 = 1e-32;

/// The margins of all features, and their largest.
struct Margins {
    of_feature: Vec<f32>,
    largest_whole: f32,
    largest_spread: f32,
    low_weight: f32,
    coarse_share: f64,
}

impl Margins {
    fn new(facts: &[RowFacts], dim: usize, gamma: f64) -> Self {
        let mut margins = Self {
            of_feature: Vec::with_capacity(2 * facts.len()),
            largest_whole: 0.0,
            largest_spread: 0.0,
            low_weight: 0.0,
            coarse_share: 0.0,
        };
        for facts in facts {
            let [whole, spread] = margin::feature_margin(facts, dim, gamma);
            margins.of_feature.extend([whole, spread]);
            margins.largest_whole = margins.largest_whole.max(whole);
            margins.largest_spread = margins.largest_spread.max(spread);
            let low = f64::from(facts.low) / f64::from(facts.whole);
            margins.low_weight = margins.low_weight.max(crate::engine::bound::round_up(low));
        }
        // A dead feature, whose weights are zero, has nothing to lose.
        let alive = |facts: &RowFacts| facts.whole > ZERO_NORM;
        let lost = |facts: &&RowFacts| alive(facts) && facts.error > facts.whole / 512.0;
        let coarse = facts.iter().filter(lost).count();
        margins.coarse_share = coarse as f64 / facts.len().max(1) as f64;
        margins
    }
}
