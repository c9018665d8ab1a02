//! Streams, events, and the copies that streams do.

use std::sync::{Arc, OnceLock};

use cudarc::driver::{result, sys};

use super::{Buffer, Device, Doing, PageLocked, Pod};
use crate::engine::cuda::fault::Fault;
use crate::engine::cuda::probe;

/// Work that the device does in order.
#[derive(Debug)]
pub struct Stream {
    device: Arc<Device>,
    raw: sys::CUstream,
}

// SAFETY: the driver's stream functions may be called from any thread with the context bound.
unsafe impl Send for Stream {}
// SAFETY: as above.
unsafe impl Sync for Stream {}

impl Stream {
    /// A new stream, beside all others.
    ///
    /// # Errors
    /// A device that fails.
    pub fn new(device: &Arc<Device>) -> Result<Self, Fault> {
        device.bind()?;
        let raw = result::stream::create(result::stream::StreamKind::NonBlocking)
            .doing("make a stream")?;
        Ok(Self {
            device: device.clone(),
            raw,
        })
    }

    pub(in crate::engine::cuda) fn raw(&self) -> sys::CUstream {
        self.raw
    }

    /// The device whose work it is.
    pub fn device(&self) -> &Arc<Device> {
        &self.device
    }

    /// Copies the first `count` items of page-locked memory to item `at` of device memory.
    ///
    /// # Safety
    /// Until the stream has done it, neither buffer may be dropped, and `from` may not be written.
    ///
    /// # Errors
    /// A device that fails, or has failed before.
    ///
    /// # Panics
    /// If the items do not fit.
    pub unsafe fn copy_in<T: Pod>(
        &self,
        to: &Buffer<T>,
        at: usize,
        from: &PageLocked<T>,
        count: usize,
    ) -> Result<(), Fault> {
        assert!(count <= from.len(), "items that are there");
        // SAFETY: `count` items are there, page-locked, and stay so, says the caller.
        let items = unsafe { std::slice::from_raw_parts(from.pointer(), count) };
        // SAFETY: as the caller promises.
        unsafe { self.copy_slice_in(to, at, items) }
    }

    /// The same from any memory of the host; page-locked memory is faster.
    ///
    /// # Safety
    /// Until the stream has done it, `to` may not be dropped, nor `from` be written or freed.
    ///
    /// # Errors
    /// A device that fails, or has failed before.
    ///
    /// # Panics
    /// If the items do not fit.
    pub unsafe fn copy_slice_in<T: Pod>(
        &self,
        to: &Buffer<T>,
        at: usize,
        from: &[T],
    ) -> Result<(), Fault> {
        assert!(
            at.checked_add(from.len())
                .is_some_and(|end| end <= to.len()),
            "room for what is copied"
        );
        if from.is_empty() {
            return Ok(());
        }
        self.device.bind()?;
        // SAFETY: both ranges lie within their buffers, by the assertion; lifetimes are the
        // caller's.
        unsafe { result::memcpy_htod_async(to.at(at), from, self.raw) }.doing("copy to the device")
    }

    /// Copies the first `count` items of device memory to page-locked memory.
    ///
    /// # Safety
    /// Until the stream has done it, neither buffer may be dropped, and `to` may not be read or
    /// written.
    ///
    /// # Errors
    /// A device that fails, or has failed before.
    ///
    /// # Panics
    /// If the items do not fit.
    pub unsafe fn copy_out<T: Pod>(
        &self,
        to: &PageLocked<T>,
        from: &Buffer<T>,
        count: usize,
    ) -> Result<(), Fault> {
        assert!(
            count <= to.len() && count <= from.len(),
            "items that are there, and room for them"
        );
        if count == 0 {
            return Ok(());
        }
        self.device.bind()?;
        // SAFETY: `count` items of each are there; nobody else touches them, says the caller.
        unsafe {
            let items = std::slice::from_raw_parts_mut(to.pointer(), count);
            result::memcpy_dtoh_async(items, from.address(), self.raw)
        }
        .doing("copy from the device")
    }

    /// Sets the first `count` items to zero.
    ///
    /// # Safety
    /// The buffer may not be dropped until the stream has done it.
    ///
    /// # Errors
    /// A device that fails, or has failed before.
    ///
    /// # Panics
    /// If there are not as many.
    pub unsafe fn zero<T: Pod>(&self, buffer: &Buffer<T>, count: usize) -> Result<(), Fault> {
        assert!(count <= buffer.len(), "items that are there");
        if count == 0 {
            return Ok(());
        }
        self.device.bind()?;
        // SAFETY: within the buffer, by the assertion.
        unsafe { result::memset_d8_async(buffer.address(), 0, count * size_of::<T>(), self.raw) }
            .doing("clear device memory")
    }

    /// Waits until all that was given to the stream is done.
    ///
    /// # Errors
    /// Work that was given to the stream failed, or the device did.
    pub fn synchronize(&self) -> Result<(), Fault> {
        self.device.bind()?;
        // SAFETY: the stream is this one's own, alive until Drop.
        unsafe { result::stream::synchronize(self.raw) }.doing("finish work on the device")
    }
}

impl<T: Pod> Buffer<T> {
    /// A copy of these items on the stream's device, once the stream is done with all that came before.
    ///
    /// # Errors
    /// A device that has no room, or fails.
    pub fn copy_of(stream: &Stream, items: &[T], what: &str) -> Result<Self, Fault> {
        let buffer = Self::new(stream.device(), items.len(), what)?;
        // SAFETY: the stream is waited for before `buffer` or `items` can go.
        unsafe { stream.copy_slice_in(&buffer, 0, items) }?;
        stream.synchronize()?;
        Ok(buffer)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let _ = self.device.bind();
        // SAFETY: made in `new`, destroyed once here. What was given to it is waited for first, so
        // that whoever drops buffers after it can.
        unsafe {
            let _ = result::stream::synchronize(self.raw);
            let _ = result::stream::destroy(self.raw);
        }
    }
}

/// A moment in a stream's work.
#[derive(Debug)]
pub struct Event {
    device: Arc<Device>,
    raw: sys::CUevent,
}

// SAFETY: the driver's event functions may be called from any thread with the context bound.
unsafe impl Send for Event {}

impl Event {
    /// A new event, which tells the time.
    ///
    /// # Errors
    /// A device that fails.
    pub fn new(device: &Arc<Device>) -> Result<Self, Fault> {
        device.bind()?;
        let raw =
            result::event::create(sys::CUevent_flags::CU_EVENT_DEFAULT).doing("make an event")?;
        Ok(Self {
            device: device.clone(),
            raw,
        })
    }

    /// Marks the stream's work up to now.
    ///
    /// # Errors
    /// A device that fails, or has failed before.
    pub fn record(&self, stream: &Stream) -> Result<(), Fault> {
        self.device.bind()?;
        // SAFETY: both are alive, and of one device.
        unsafe { result::event::record(self.raw, stream.raw) }.doing("mark work on the device")
    }

    /// Milliseconds from an earlier event to this one; both were recorded, and their streams have
    /// been waited for.
    ///
    /// # Errors
    /// A device that fails, or events that are not done.
    pub fn milliseconds_since(&self, earlier: &Self) -> Result<f32, Fault> {
        self.device.bind()?;
        let mut milliseconds = 0.0;
        // SAFETY: both are alive; one number is written to where it is told.
        unsafe { elapsed()?(&raw mut milliseconds, earlier.raw, self.raw) }
            .result()
            .doing("time work on the device")?;
        Ok(milliseconds)
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        let _ = self.device.bind();
        // SAFETY: made in `new`, destroyed once here.
        let _ = unsafe { result::event::destroy(self.raw) };
    }
}

type Elapsed = unsafe extern "C" fn(*mut f32, sys::CUevent, sys::CUevent) -> sys::CUresult;

/// The driver's function for the time between two events: its newer name came with CUDA 12.8, and
/// cudarc knows that one alone.
fn elapsed() -> Result<Elapsed, Fault> {
    static FOUND: OnceLock<Result<Elapsed, Fault>> = OnceLock::new();
    // SAFETY: by either name it has this type.
    let find = || unsafe { probe::driver()?.function(&probe::ELAPSED) };
    FOUND.get_or_init(find).clone()
}
