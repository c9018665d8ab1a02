//! Tensors to be written, whose numbers are handed over when their turn comes.

use std::io::{self, Write};
use std::path::Path;

use bytemuck::NoUninit;
use half::{bf16, f16};

use crate::error::{Error, Result};

/// What a tensor's numbers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// binary16.
    F16,
    /// bfloat16.
    Bf16,
    /// binary32.
    F32,
    /// binary64.
    F64,
}

impl Element {
    /// Bytes of one number.
    pub fn size(self) -> u64 {
        match self {
            Self::F16 | Self::Bf16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    /// The storage's class, module and name as a pickle has them.
    pub(super) fn storage_class(self) -> &'static str {
        match self {
            Self::F16 => "torch\nHalfStorage",
            Self::Bf16 => "torch\nBFloat16Storage",
            Self::F32 => "torch\nFloatStorage",
            Self::F64 => "torch\nDoubleStorage",
        }
    }
}

/// A number that a tensor can hold.
pub trait Number: NoUninit {
    /// Its type as torch knows it.
    const ELEMENT: Element;
}
impl Number for f16 {
    const ELEMENT: Element = Element::F16;
}
impl Number for bf16 {
    const ELEMENT: Element = Element::Bf16;
}
impl Number for f32 {
    const ELEMENT: Element = Element::F32;
}
impl Number for f64 {
    const ELEMENT: Element = Element::F64;
}

type Fill<'a> = Box<dyn FnOnce(&mut Sink<'_>) -> Result<()> + 'a>;

/// A contiguous, row-major tensor whose numbers are handed over when their turn comes.
pub struct Tensor<'a> {
    element: Element,
    shape: Vec<u64>,
    fill: Fill<'a>,
}

impl<'a> Tensor<'a> {
    /// A tensor of numbers in memory; `numbers` must have as many as the shape says.
    pub fn new<T: Number>(shape: &[usize], numbers: &'a [T]) -> Self {
        Self::streamed(T::ELEMENT, shape, move |sink| sink.numbers(numbers))
    }

    /// A tensor whose numbers `fill` writes, block after block.
    pub fn streamed(
        element: Element,
        shape: &[usize],
        fill: impl FnOnce(&mut Sink<'_>) -> Result<()> + 'a,
    ) -> Self {
        Self {
            element,
            shape: shape.iter().map(|&n| n as u64).collect(),
            fill: Box::new(fill),
        }
    }

    /// What the numbers are.
    pub fn element(&self) -> Element {
        self.element
    }

    /// The shape.
    pub fn shape(&self) -> &[u64] {
        &self.shape
    }

    pub(super) fn bytes(&self) -> u64 {
        self.shape.iter().product::<u64>() * self.element.size()
    }

    pub(super) fn write(self, number: usize, out: &mut dyn Write, path: &Path) -> Result<()> {
        let bytes = self.bytes();
        let mut sink = Sink {
            out,
            path,
            written: 0,
        };
        (self.fill)(&mut sink)?;
        if sink.written == bytes {
            return Ok(());
        }
        let message = format!(
            "tensor {number} has {} bytes of numbers where its shape has {bytes}",
            sink.written
        );
        Err(Error::writing(path, io::Error::other(message)))
    }
}

/// Where a streamed tensor's numbers go.
pub struct Sink<'z> {
    out: &'z mut dyn Write,
    path: &'z Path,
    written: u64,
}

impl Sink<'_> {
    /// Writes the next numbers.
    pub fn numbers<T: Number>(&mut self, numbers: &[T]) -> Result<()> {
        let bytes: &[u8] = bytemuck::cast_slice(numbers);
        self.written += bytes.len() as u64;
        self.out
            .write_all(bytes)
            .map_err(|e| Error::writing(self.path, e))
    }
}
