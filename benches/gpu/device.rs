//! What the benchmarks do on the device beside the engine, each call safe: it waits for its work.

use std::sync::Arc;
use std::time::Instant;

use atomscope::engine::cuda::Fault;
use atomscope::engine::cuda::blas::{Blas, Product};
use atomscope::engine::cuda::driver::{Buffer, Device, Event, PageLocked, Pod, Stream};
use cudarc::driver::result;

/// The device's memory, filled from `numbers`.
pub(crate) fn upload<T: Pod>(
    device: &Arc<Device>,
    stream: &Stream,
    numbers: &[T],
) -> Result<Buffer<T>, Fault> {
    let buffer = Buffer::new(device, numbers.len(), "numbers")?;
    repeat(stream, &buffer, numbers)?;
    Ok(buffer)
}

/// Fills a buffer with `numbers` over and over.
pub(crate) fn repeat<T: Pod>(
    stream: &Stream,
    buffer: &Buffer<T>,
    numbers: &[T],
) -> Result<(), Fault> {
    for at in (0..buffer.len()).step_by(numbers.len().max(1)) {
        let count = numbers.len().min(buffer.len() - at);
        // SAFETY: both are borrowed until the stream has been waited for.
        unsafe { stream.copy_slice_in(buffer, at, &numbers[..count]) }?;
    }
    stream.synchronize()
}

/// The device's memory, copied back.
pub(crate) fn download<T: Pod>(
    device: &Arc<Device>,
    stream: &Stream,
    buffer: &Buffer<T>,
) -> Result<Vec<T>, Fault> {
    let host = PageLocked::new(device, buffer.len(), "numbers")?;
    // SAFETY: both are held until the stream has been waited for.
    unsafe { stream.copy_out(&host, buffer, buffer.len()) }?;
    stream.synchronize()?;
    // SAFETY: the copy is done.
    Ok(unsafe { host.as_slice() }.to_vec())
}

/// Scores \[rows, features\] of operands \[rows, depth\] and \[features, depth\], block by block of
/// the depth: binary16, or binary32 where `single`.
pub(crate) fn multiply<T: Pod>(
    device: &Arc<Device>,
    [rows, weights]: [&[T]; 2],
    depth: usize,
    block_depth: usize,
    single: bool,
) -> Result<Vec<f32>, Fault> {
    let stream = Stream::new(device)?;
    let (row_count, features) = (rows.len() / depth, weights.len() / depth);
    let stride = features.next_multiple_of(4);
    let rows = upload(device, &stream, rows)?;
    let weights = upload(device, &stream, weights)?;
    let scores = Buffer::<f32>::new(device, row_count * stride, "scores")?;
    let product = Product {
        rows: rows.address(),
        weights: weights.address(),
        scores: scores.address(),
        row_count,
        features,
        depth,
        block_depth,
        stride,
        single,
    };
    let mut blas = Blas::new(&stream)?;
    // SAFETY: the buffers are as large as the product says, and held until the stream is done.
    unsafe { blas.multiply(&product) }?;
    let padded = download(device, &stream, &scores)?;
    let rows = padded.chunks(stride).flat_map(|row| &row[..features]);
    Ok(rows.copied().collect())
}

/// Seconds of one copy of all of `host` to the device (`back`: from it), as the device tells.
pub(crate) fn copy_seconds(
    device: &Arc<Device>,
    stream: &Stream,
    buffer: &Buffer<u8>,
    host: &PageLocked<u8>,
    back: bool,
) -> Result<f64, Fault> {
    let (began, ended) = (Event::new(device)?, Event::new(device)?);
    began.record(stream)?;
    // SAFETY: both are borrowed until the stream has been waited for, and nobody reads `host`.
    unsafe {
        if back {
            stream.copy_out(host, buffer, host.len())
        } else {
            stream.copy_in(buffer, 0, host, host.len())
        }
    }?;
    ended.record(stream)?;
    stream.synchronize()?;
    Ok(f64::from(ended.milliseconds_since(&began)?) * 1e-3)
}

/// Seconds of `times` copies from one buffer to another of the same size.
pub(crate) fn device_copy_seconds(
    device: &Arc<Device>,
    to: &Buffer<u8>,
    from: &Buffer<u8>,
    times: u32,
) -> Result<f64, Box<dyn std::error::Error>> {
    device.bind()?;
    result::ctx::synchronize()?;
    let began = Instant::now();
    let bytes = from.len().min(to.len());
    for _ in 0..times {
        // SAFETY: both buffers are that large, and borrowed until the context was waited for; the
        // null stream is the context's own.
        unsafe {
            result::memcpy_dtod_async(to.address(), from.address(), bytes, std::ptr::null_mut())
        }?;
    }
    result::ctx::synchronize()?;
    Ok(began.elapsed().as_secs_f64())
}
