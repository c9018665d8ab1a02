//! Rows that a device can take from where they are.

use std::ops::Range;
use std::sync::Arc;

use super::driver::{Device, PageLocked};
use super::fault::Fault;
use crate::error::{Error, Result};
use crate::rows::{Element, ElementType, Place, Rows, SliceRows};

/// Rows in page-locked memory of the host: devices copy from there at full speed.
#[derive(Debug)]
pub struct PageLockedRows<T> {
    numbers: PageLocked<T>,
    dim: usize,
}

impl<T: Element + bytemuck::Pod> PageLockedRows<T> {
    /// Copies rows of `dim` numbers to page-locked memory, which every device can use.
    ///
    /// # Errors
    /// Numbers that do not make whole rows; no driver, no device, no memory.
    pub fn copy_of(numbers: &[T], dim: usize) -> Result<Self> {
        SliceRows::new(numbers, dim)?;
        let copied = Device::open(0).and_then(|device| {
            let mut memory = PageLocked::new(&device, numbers.len(), "rows")?;
            // SAFETY: nothing was copied from or to it yet.
            unsafe { memory.as_mut_slice() }.copy_from_slice(numbers);
            Ok(memory)
        });
        Ok(Self {
            numbers: copied.map_err(|fault: Fault| fault.of_device("cuda"))?,
            dim,
        })
    }

    fn slice(&self) -> SliceRows<'_, T> {
        // SAFETY: it is only ever copied from.
        let numbers = unsafe { self.numbers.as_slice() };
        SliceRows::of_whole_rows(numbers, self.dim)
    }
}

impl<T: Element + bytemuck::Pod + Send> Rows for PageLockedRows<T> {
    fn count(&self) -> usize {
        self.slice().count()
    }
    fn dim(&self) -> usize {
        self.dim
    }
    fn name(&self) -> String {
        "rows in page-locked memory".to_owned()
    }
    fn read(&self, range: Range<usize>, out: &mut [f32]) -> Result<()> {
        self.slice().read(range, out)
    }
    fn element_type(&self) -> ElementType {
        T::TYPE
    }
    fn read_stored(&self, range: Range<usize>, out: &mut [u8]) -> Result<()> {
        self.slice().read_stored(range, out)
    }
    fn place(&self) -> Place<'_> {
        // SAFETY: it is only ever copied from.
        Place::PageLocked(bytemuck::cast_slice(unsafe { self.numbers.as_slice() }))
    }
}

/// Rows in a CUDA device's memory, as a language model on that device leaves them there.
#[derive(Debug)]
pub struct DeviceRows {
    ordinal: u32,
    address: u64,
    count: usize,
    dim: usize,
    element: ElementType,
}

impl DeviceRows {
    /// `count` rows of `dim` numbers, row-major without gaps, from `address` on (16-byte aligned)
    /// in the memory of device `ordinal`.
    ///
    /// # Safety
    /// The memory is there, all of it written, and stays so as long as this value is used.
    pub unsafe fn new(
        ordinal: u32,
        address: u64,
        count: usize,
        dim: usize,
        element: ElementType,
    ) -> Self {
        Self {
            ordinal,
            address,
            count,
            dim,
            element,
        }
    }

    /// Copies rows of `dim` numbers to a device's memory, to be used several times. Also gives what
    /// keeps them there.
    ///
    /// # Errors
    /// Numbers that do not make whole rows; no driver, no device, no memory.
    pub fn copy_of<T: Element + bytemuck::Pod>(
        ordinal: u32,
        numbers: &[T],
        dim: usize,
    ) -> Result<(Self, super::driver::Buffer<T>)> {
        let count = SliceRows::new(numbers, dim)?.count();
        let copied = Device::open(ordinal).and_then(|device: Arc<Device>| {
            let buffer = super::driver::Buffer::new(&device, numbers.len(), "rows")?;
            let stream = super::driver::Stream::new(&device)?;
            // SAFETY: the stream is waited for before `buffer` or `numbers` can go.
            unsafe { stream.copy_slice_in(&buffer, 0, numbers) }?;
            stream.synchronize()?;
            Ok(buffer)
        });
        let buffer = copied.map_err(|fault: Fault| fault.of_device(format!("cuda:{ordinal}")))?;
        let rows = Self {
            ordinal,
            address: buffer.address(),
            count,
            dim,
            element: T::TYPE,
        };
        Ok((rows, buffer))
    }
}

impl Rows for DeviceRows {
    fn count(&self) -> usize {
        self.count
    }
    fn dim(&self) -> usize {
        self.dim
    }
    fn name(&self) -> String {
        format!("rows in the memory of CUDA device {}", self.ordinal)
    }
    fn read(&self, _: Range<usize>, _: &mut [f32]) -> Result<()> {
        Err(Error::Argument {
            name: "rows",
            found: self.name(),
            expected: "rows that the CPU can read, or an engine on that device".to_owned(),
        })
    }
    fn element_type(&self) -> ElementType {
        self.element
    }
    fn place(&self) -> Place<'_> {
        Place::Device {
            ordinal: self.ordinal,
            address: self.address,
        }
    }
}
