//! Memory of the device, and page-locked memory of the host.

use std::ffi::c_void;
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::Arc;

use cudarc::driver::result;

use super::{Device, Doing};
use crate::engine::cuda::fault::Fault;

/// Plain numbers and structs of them, as kernels take and give them: any bytes are a value.
pub trait Pod: bytemuck::Pod {}
impl<T: bytemuck::Pod> Pod for T {}

/// `count` items of device memory; their content is undefined until it is written.
#[derive(Debug)]
pub struct Buffer<T> {
    device: Arc<Device>,
    address: u64,
    count: usize,
    items: PhantomData<T>,
}

impl<T: Pod> Buffer<T> {
    /// Room for `count` items, at least one.
    ///
    /// # Errors
    /// [`NoMemory`](crate::engine::cuda::fault::FaultKind::NoMemory) where the device has no room.
    pub fn new(device: &Arc<Device>, count: usize, what: &str) -> Result<Self, Fault> {
        device.bind()?;
        let bytes = count.max(1).checked_mul(size_of::<T>());
        let bytes = bytes.unwrap_or(usize::MAX);
        // SAFETY: plain memory; freed once, in Drop.
        let address = unsafe { result::malloc_sync(bytes) };
        let address = address.doing(&format!("get {bytes} bytes of device memory for {what}"))?;
        Ok(Self {
            device: device.clone(),
            address,
            count,
            items: PhantomData,
        })
    }

    /// Returns the address where it begins, for a kernel's arguments.
    pub fn address(&self) -> u64 {
        self.address
    }

    /// Returns the address of item `index`, which may be one past the last.
    ///
    /// # Panics
    /// If it is beyond that.
    pub fn at(&self, index: usize) -> u64 {
        assert!(index <= self.count, "an item of this buffer");
        self.address + (index * size_of::<T>()) as u64
    }

    /// Returns the number of items that there is room for.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Says whether there is room for no items.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes of device memory that it takes.
    pub fn bytes(&self) -> u64 {
        (self.count.max(1) * size_of::<T>()) as u64
    }
}

impl<T> Drop for Buffer<T> {
    fn drop(&mut self) {
        let _ = self.device.bind();
        // SAFETY: allocated in `new`, freed once here. The driver waits for work that still uses
        // it. An error has nobody to go to.
        let _ = unsafe { result::free_sync(self.address) };
    }
}

/// Page-locked memory of the host, which the device copies from and to at full speed and while
/// others compute.
#[derive(Debug)]
pub struct PageLocked<T> {
    device: Arc<Device>,
    pointer: NonNull<T>,
    count: usize,
}

// SAFETY: it owns plain memory that no thread is bound to.
unsafe impl<T: Send> Send for PageLocked<T> {}
// SAFETY: shared access only reads.
unsafe impl<T: Sync> Sync for PageLocked<T> {}

impl<T: Pod> PageLocked<T> {
    /// Room for `count` items, zero.
    ///
    /// # Errors
    /// [`NoMemory`](crate::engine::cuda::fault::FaultKind::NoMemory) where the host has no room.
    pub fn new(device: &Arc<Device>, count: usize, what: &str) -> Result<Self, Fault> {
        // Usable from every device's context; not write-combined, as it is read as well.
        const PORTABLE: u32 = 1;
        device.bind()?;
        let bytes = count.max(1).checked_mul(size_of::<T>());
        let bytes = bytes.unwrap_or(usize::MAX);
        let doing = format!("get {bytes} bytes of page-locked host memory for {what}");
        // SAFETY: plain memory; freed once, in Drop.
        let pointer = unsafe { result::malloc_host(bytes, PORTABLE) }.doing(&doing)?;
        let pointer = NonNull::new(pointer.cast::<T>())
            .ok_or_else(|| Fault::failed(format!("cannot {doing}"), super::DEVICE_ACTION))?;
        // SAFETY: `bytes` bytes were just given; all zeros is a value of every Pod type. The
        // driver aligns to pages, more than any T.
        unsafe { pointer.as_ptr().cast::<u8>().write_bytes(0, bytes) };
        Ok(Self {
            device: device.clone(),
            pointer,
            count,
        })
    }

    /// The items.
    ///
    /// # Safety
    /// No copy to this memory may be under way.
    pub unsafe fn as_slice(&self) -> &[T] {
        // SAFETY: `count` items that `new` initialised; nobody writes them meanwhile, says the
        // caller.
        unsafe { std::slice::from_raw_parts(self.pointer.as_ptr(), self.count) }
    }

    /// The items, to be written.
    ///
    /// # Safety
    /// No copy from or to this memory may be under way.
    pub unsafe fn as_mut_slice(&mut self) -> &mut [T] {
        // SAFETY: as above, and the borrow is exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.pointer.as_ptr(), self.count) }
    }

    pub(super) fn pointer(&self) -> *mut T {
        self.pointer.as_ptr()
    }

    /// Returns the number of items.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Says whether there are no items.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

impl<T> Drop for PageLocked<T> {
    fn drop(&mut self) {
        let _ = self.device.bind();
        // SAFETY: allocated in `new`, freed once here.
        let _ = unsafe { result::free_host(self.pointer.as_ptr().cast::<c_void>()) };
    }
}
