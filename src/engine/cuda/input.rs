//! Launches `kernels/input.cu`: the steps of a model's input behind the first that subtracts and the
//! first that divides, which whitening takes with it.

use std::sync::Arc;

use bytemuck::{Pod, Zeroable};

use super::driver::{Buffer, DeviceInfo, Function, Module, Shape, Stream};
use super::fault::Fault;
use crate::sae::{InputStep, Steps};

/// A step: `InputStep` of `kernels/input.cu`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Pod, Zeroable)]
pub struct StepRecord {
    /// \[dim\], or 0.
    pub numbers: u64,
    /// [`SUBTRACT`], [`DIVIDE`], [`STANDARDIZE`], [`SCALE_TO_NORM`] or [`SCALE`].
    pub kind: u32,
    /// ε, the norm, or the factor.
    pub first: f32,
    /// The least norm of a row.
    pub second: f32,
    /// Keeps the size a multiple of 8.
    pub unused: u32,
}

/// `x − numbers`.
pub const SUBTRACT: u32 = 0;
/// `x / numbers`.
pub const DIVIDE: u32 = 1;
/// `(x − mean) / (std + first)`.
pub const STANDARDIZE: u32 = 2;
/// `x · (first / max(‖x‖, second))`.
pub const SCALE_TO_NORM: u32 = 3;
/// `x · first`.
pub const SCALE: u32 = 4;

/// The kernel's argument: `InputArgs`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, Pod, Zeroable)]
pub struct InputArgs {
    /// \[count, dim\] in and out.
    pub x: u64,
    /// \[`step_count`\].
    pub steps: u64,
    /// The number of steps.
    pub step_count: u32,
    /// The number of rows.
    pub count: u32,
    /// Numbers a row.
    pub dim: u32,
    /// Keeps the size a multiple of 8.
    pub unused: u32,
}

const _: () = assert!(size_of::<StepRecord>() == 24);
const _: () = assert!(size_of::<InputArgs>() == 32);

/// Its name in messages.
const WHAT: &str = "the model's input";

/// The input of a model on a device.
#[derive(Debug)]
pub struct Input {
    /// Subtracted first, \[D\]; zeros where nothing is.
    pub mean: Buffer<f32>,
    /// Divisors then, \[D\]; ones where there are none.
    pub divisor: Buffer<f32>,
    /// The steps after these two.
    pub rest: Buffer<StepRecord>,
    /// The numbers of these steps, one after the other.
    numbers: Buffer<f32>,
}

impl Input {
    /// Copies the steps of rows of `dim` numbers to the stream's device.
    ///
    /// # Errors
    /// A device that has no room, or fails.
    pub fn new(stream: &Stream, steps: &[InputStep], dim: usize) -> Result<Self, Fault> {
        let steps = Steps::new(steps, dim);
        let of_steps = steps.rest.iter().flat_map(numbers_of);
        let of_steps: Vec<f32> = of_steps.copied().collect();
        let numbers = Buffer::copy_of(stream, &of_steps, WHAT)?;
        let mut next = 0;
        let record = |step: &InputStep| {
            let (kind, first, second) = kind_of(step);
            let count = numbers_of(step).len();
            next += count;
            StepRecord {
                numbers: if count > 0 {
                    numbers.at(next - count)
                } else {
                    0
                },
                kind,
                first,
                second,
                unused: 0,
            }
        };
        let records: Vec<StepRecord> = steps.rest.iter().map(record).collect();
        Ok(Self {
            mean: Buffer::copy_of(stream, &steps.mean, WHAT)?,
            divisor: Buffer::copy_of(stream, &steps.divisors, WHAT)?,
            rest: Buffer::copy_of(stream, &records, WHAT)?,
            numbers,
        })
    }

    /// Bytes of device memory that it takes.
    pub fn bytes(&self) -> u64 {
        self.mean.bytes() + self.divisor.bytes() + self.rest.bytes() + self.numbers.bytes()
    }
}

/// The numbers of a step that has one for each of a row's.
fn numbers_of(step: &InputStep) -> &[f32] {
    match step {
        InputStep::Subtract(numbers) | InputStep::Divide(numbers) => numbers,
        _ => &[],
    }
}

/// A step's kind, and its two numbers.
fn kind_of(step: &InputStep) -> (u32, f32, f32) {
    match *step {
        InputStep::Subtract(_) => (SUBTRACT, 0.0, 0.0),
        InputStep::Divide(_) => (DIVIDE, 0.0, 0.0),
        InputStep::Standardize { epsilon } => (STANDARDIZE, epsilon, 0.0),
        InputStep::ScaleToNorm { norm, least } => (SCALE_TO_NORM, norm, least),
        InputStep::Scale(factor) => (SCALE, factor, 0.0),
    }
}

/// The kernel.
#[derive(Debug)]
pub struct InputSteps {
    steps: Function,
    /// Blocks that the device holds at once.
    resident: u32,
}

impl InputSteps {
    const THREADS: u32 = 256;
    /// Rows of a block: one a warp.
    const ROWS: u32 = Self::THREADS / 32;

    /// The family's kernel, for a device.
    ///
    /// # Errors
    /// A module that lacks it.
    pub fn new(module: &Arc<Module>, device: &DeviceInfo) -> Result<Self, Fault> {
        let steps = module.function("input_steps", 0)?;
        let of_one = steps.resident_blocks(Self::THREADS, 0)?;
        Ok(Self {
            steps,
            resident: device.multiprocessors.max(1) * of_one,
        })
    }

    /// Takes all steps on the stream.
    ///
    /// # Safety
    /// As for [`Function::launch`].
    ///
    /// # Errors
    /// Those of the launch.
    pub unsafe fn launch(&self, stream: &Stream, args: &InputArgs) -> Result<(), Fault> {
        let shape = Shape {
            blocks: args.count.div_ceil(Self::ROWS).min(self.resident),
            threads: Self::THREADS,
            shared_bytes: 0,
        };
        // SAFETY: the argument is this kernel's struct; buffers are the caller's.
        unsafe { self.steps.launch(stream, shape, args) }
    }
}
