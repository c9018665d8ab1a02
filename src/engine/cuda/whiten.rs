//! Launches `kernels/whiten.cu`: rows to whitened numbers, screening operands and facts.

use bytemuck::{Pod, Zeroable};

use super::driver::{Function, Module, Shape, Stream};
use super::fault::Fault;
use crate::rows::ElementType;

/// The facts known of a row: `RowFacts` of `kernels/records.cuh`. Norms are in units of
/// `2^exponent`, rounded up.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
pub struct RowFacts {
    /// `‖x' − x̃‖`, with what a split operand leaves out.
    pub error: f32,
    /// `‖x̃‖`, at least that of the operand.
    pub norm: f32,
    /// `‖low part‖` of a split operand.
    pub low: f32,
    /// `‖x'‖`.
    pub whole: f32,
    /// `A` of the bound.
    pub offset: f32,
    /// The factor by which the model's scaled biases join the scores.
    pub bias_scale: f32,
    /// A number that is at least the margin of every feature.
    pub coarse: f32,
    /// `x' = x · 2^−exponent`.
    pub exponent: i32,
    /// 1, or 0 for a row with a NaN or an infinity.
    pub finite: u32,
    /// The largest magnitude of the row.
    pub largest: f32,
}

/// The facts of the model that rows need: `RowUnits` of `kernels/whiten.cu`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Pod, Zeroable)]
pub struct RowUnits {
    /// `B`: weights are multiplied by `2^−B`.
    pub weight_exponent: i32,
    /// `c`: biases are multiplied by `2^−c`.
    pub bias_exponent: i32,
    /// The least exponent of a row, below which biases would overflow.
    pub least_exponent: i32,
    /// The largest magnitude among the biases, unscaled.
    pub largest_bias: f32,
    /// The largest `P` of all features.
    pub largest_whole: f32,
    /// The largest `V` of all features.
    pub largest_spread: f32,
    /// The largest `‖low‖ / ‖w'‖` of all features.
    pub low_weight: f32,
    /// The exponent, where `fixed` is 1.
    pub fixed_exponent: i32,
    /// 1 where `fixed_exponent` holds for every row.
    pub fixed: u32,
    /// 1 where any bias is not 0.
    pub biased: u32,
}

/// The kernel's argument: `WhitenArgs`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, Pod, Zeroable)]
pub struct WhitenArgs {
    /// \[count, dim\], elements of the kernel's type.
    pub rows: u64,
    /// \[dim\], or 0.
    pub mean: u64,
    /// \[dim\], or 0.
    pub divisor: u64,
    /// \[count, dim\] out, or 0.
    pub x: u64,
    /// \[count, parts · padded\] out.
    pub operand: u64,
    /// \[count\] out.
    pub facts: u64,
    /// The facts of the model that rows need.
    pub units: RowUnits,
    /// The number of rows.
    pub count: u32,
    /// Numbers a row.
    pub dim: u32,
    /// Numbers of one part of an operand's row; 0 where no operand is wanted.
    pub padded: u32,
    /// [`Format`](super::Format) as the kernel numbers it.
    pub format: u32,
    /// 1 for weights, whose split operand is laid out otherwise.
    pub weights: u32,
    /// Keeps the size a multiple of 8.
    pub unused: u32,
}

const _: () = assert!(size_of::<RowFacts>() == 40);
const _: () = assert!(size_of::<RowUnits>() == 40);
const _: () = assert!(size_of::<WhitenArgs>() == 112);

/// The kernels, one for each type of element.
#[derive(Debug)]
pub struct Whiten {
    half: Function,
    bfloat: Function,
    single: Function,
    double: Function,
}

impl Whiten {
    /// Threads a block: `WHITEN_THREADS`.
    const THREADS: u32 = 256;

    /// The family's kernels.
    ///
    /// # Errors
    /// A module that lacks one.
    pub fn new(module: &std::sync::Arc<Module>) -> Result<Self, Fault> {
        Ok(Self {
            half: module.function("whiten_half", 0)?,
            bfloat: module.function("whiten_bfloat", 0)?,
            single: module.function("whiten_single", 0)?,
            double: module.function("whiten_double", 0)?,
        })
    }

    /// Whitens on the stream.
    ///
    /// # Safety
    /// As for [`Function::launch`].
    ///
    /// # Errors
    /// Those of the launch.
    pub unsafe fn launch(
        &self,
        stream: &Stream,
        element: ElementType,
        args: &WhitenArgs,
    ) -> Result<(), Fault> {
        let function = match element {
            ElementType::F16 => &self.half,
            ElementType::Bf16 => &self.bfloat,
            ElementType::F32 => &self.single,
            ElementType::F64 => &self.double,
        };
        let shape = Shape {
            blocks: args.count,
            threads: Self::THREADS,
            shared_bytes: 0,
        };
        // SAFETY: the argument is this kernel's struct; buffers are the caller's.
        unsafe { function.launch(stream, shape, args) }
    }
}
