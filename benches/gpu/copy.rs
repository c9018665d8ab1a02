//! Bandwidths that other measurements are set against.

use atomscope::engine::cuda::driver::{Buffer, Device, PageLocked, Stream};
use serde_json::json;

use crate::device::{copy_seconds, device_copy_seconds};
use crate::{Outcome, say};

/// The middle of several numbers.
pub(crate) fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

pub(crate) fn run(small: bool) -> Outcome {
    let (host_bytes, device_bytes, times) = if small {
        (1 << 16, 1 << 16, 2)
    } else {
        (1 << 30, 2 << 30, 10)
    };
    let device = Device::open(0)?;
    let stream = Stream::new(&device)?;
    let host = PageLocked::<u8>::new(&device, host_bytes, "a copy")?;
    let from = Buffer::<u8>::new(&device, device_bytes, "a copy")?;
    let to = Buffer::<u8>::new(&device, device_bytes, "a copy")?;
    // SAFETY: the stream is waited for below, before the buffer can go.
    unsafe { stream.zero(&from, from.len()) }?;
    stream.synchronize()?;
    let rate = |back: bool| -> Result<f64, Box<dyn std::error::Error>> {
        copy_seconds(&device, &stream, &from, &host, back)?;
        let runs = (0..5).map(|_| copy_seconds(&device, &stream, &from, &host, back));
        let seconds = runs.collect::<Result<Vec<_>, _>>()?;
        Ok(host_bytes as f64 / median(seconds))
    };
    let (in_rate, out_rate) = (rate(false)?, rate(true)?);
    device_copy_seconds(&device, &to, &from, 1)?;
    let runs = (0..5).map(|_| device_copy_seconds(&device, &to, &from, times));
    let seconds = median(runs.collect::<Result<Vec<_>, _>>()?);
    // A copy reads and writes each byte.
    let moved = 2.0 * device_bytes as f64 * f64::from(times);
    say(
        "copy",
        json!({
            "host_to_device_bytes_per_second": in_rate,
            "device_to_host_bytes_per_second": out_rate,
            "device_copy_bytes_per_second": moved / seconds,
            "host_bytes": host_bytes,
            "device_bytes": device_bytes,
        }),
    );
    Ok(true)
}
