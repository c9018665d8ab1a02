//! The device with its kernels, and memory that shows what is written beyond its end.

use std::sync::{Arc, OnceLock};

use atomscope::engine::cuda::driver::{Buffer, Device, PageLocked, Pod, Stream};
use atomscope::engine::cuda::kernels::Kernels;

use crate::common::gpu;

/// What output memory is filled with before a kernel runs.
const FILLING: u8 = 0xa5;
/// An item of [`FILLING`] alone.
pub(crate) const UNTOUCHED: u32 = u32::from_ne_bytes([FILLING; 4]);
/// Items behind the end of an output.
const GUARD: usize = 64;

/// A stream of a device, with all kernels.
pub(crate) struct Work {
    pub(crate) device: Arc<Device>,
    pub(crate) kernels: &'static Kernels,
    pub(crate) stream: Stream,
}

/// Memory that a kernel writes, with a guard behind its end.
pub(crate) struct Output<T> {
    buffer: Buffer<T>,
    count: usize,
}

impl<T: Pod> Output<T> {
    pub(crate) fn address(&self) -> u64 {
        self.buffer.address()
    }
}

impl Work {
    /// `None` where there is no device, which has been said.
    pub(crate) fn new() -> Option<Self> {
        static KERNELS: OnceLock<Kernels> = OnceLock::new();
        let device = gpu::device()?;
        let kernels = KERNELS.get_or_init(|| Kernels::load(&device).expect("the kernels load"));
        let stream = Stream::new(&device).expect("a stream");
        Some(Self {
            device,
            kernels,
            stream,
        })
    }

    pub(crate) fn wait(&self) {
        self.stream.synchronize().expect("the kernels run");
    }

    /// A copy of these items on the device.
    pub(crate) fn upload<T: Pod>(&self, items: &[T]) -> Buffer<T> {
        let buffer = Buffer::new(&self.device, items.len(), "a test").expect("device memory");
        // SAFETY: the stream is waited for before either can go.
        unsafe { self.stream.copy_slice_in(&buffer, 0, items) }.expect("a copy");
        self.wait();
        buffer
    }

    /// Room for `count` items, filled with garbage.
    pub(crate) fn output<T: Pod>(&self, count: usize) -> Output<T> {
        self.output_from(&[], count)
    }

    /// The same, with these items at its beginning.
    pub(crate) fn output_from<T: Pod>(&self, first: &[T], count: usize) -> Output<T> {
        let mut items = vec![T::zeroed(); count + GUARD];
        bytemuck::cast_slice_mut::<T, u8>(&mut items).fill(FILLING);
        items[..first.len()].copy_from_slice(first);
        Output {
            buffer: self.upload(&items),
            count,
        }
    }

    /// What is in an output, once the stream is done and nothing was written beyond the end.
    pub(crate) fn take<T: Pod>(&self, output: &Output<T>) -> Vec<T> {
        let mut items = self.download(&output.buffer);
        let guard: &[u8] = bytemuck::cast_slice(&items[output.count..]);
        assert!(
            guard.iter().all(|&byte| byte == FILLING),
            "written beyond the end of {} items",
            output.count
        );
        items.truncate(output.count);
        items
    }

    /// What is in a buffer, once the stream is done.
    pub(crate) fn download<T: Pod>(&self, buffer: &Buffer<T>) -> Vec<T> {
        let count = buffer.len();
        let to = PageLocked::new(&self.device, count, "a test").expect("host memory");
        // SAFETY: the stream is waited for before either can go.
        unsafe { self.stream.copy_out(&to, buffer, count) }.expect("a copy");
        self.wait();
        // SAFETY: the copy is done.
        unsafe { to.as_slice() }.to_vec()
    }
}

/// So many cases of a property, or as many as `PROPTEST_CASES` says; what fails is not kept beside
/// the sources.
pub(crate) fn cases(usual: u32) -> proptest::prelude::ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok();
    proptest::prelude::ProptestConfig {
        cases: asked.and_then(|n| n.parse().ok()).unwrap_or(usual),
        failure_persistence: None,
        ..Default::default()
    }
}
