//! A safe, thin layer over the CUDA driver: devices, memory, streams, events, kernels.
//!
//! Call this layer only after [`probe`] has found the driver with every function that is used: a
//! missing one would end the process. The layer frees all that it allocates. A function that runs
//! asynchronously is marked `unsafe` where the caller must keep memory alive for it.

mod kernel;
mod memory;
mod stream;

use std::sync::Arc;

use cudarc::driver::{result, sys};

pub use kernel::{Function, Module, Shape};
pub use memory::{Buffer, PageLocked, Pod};
pub use stream::{Event, Stream};

use super::fault::{Fault, FaultKind};
use super::probe;

/// The version of CUDA that the driver must know: 12.0 brought cuBLAS's sides of 64 bits. It must
/// also know the version that NVRTC and cuBLAS are of, which `CudaEngine::check` asks for.
pub const NEEDED: (u32, u32) = (12, 0);

pub use super::fault::INSTALL_DRIVER as INSTALL;

/// The advice where a device fails.
pub(super) const DEVICE_ACTION: &str =
    "see to it with nvidia-smi and run again, or use --device cpu, which gives the same answer";

/// The advice where memory runs out.
const MEMORY_ACTION: &str = "free some of the device's (or, for page-locked memory, the host's), or use --device cpu, which \
     gives the same answer";

/// The driver's error as a fault.
fn fault(doing: &str, error: result::DriverError) -> Fault {
    let text = |found: std::result::Result<&std::ffi::CStr, _>| {
        found.map_or_else(
            |_| format!("{:?}", error.0),
            |s| s.to_string_lossy().into_owned(),
        )
    };
    let what = format!(
        "cannot {doing}: the CUDA driver says {} ({})",
        text(error.error_name()),
        text(error.error_string())
    );
    if error.0 == sys::CUresult::CUDA_ERROR_OUT_OF_MEMORY {
        Fault {
            kind: FaultKind::NoMemory,
            what,
            action: MEMORY_ACTION,
        }
    } else {
        Fault::failed(what, DEVICE_ACTION)
    }
}

/// Adds what was attempted to an error of the driver.
trait Doing<T> {
    fn doing(self, what: &str) -> Result<T, Fault>;
}

impl<T> Doing<T> for Result<T, result::DriverError> {
    fn doing(self, what: &str) -> Result<T, Fault> {
        self.map_err(|error| fault(what, error))
    }
}

/// The facts known of a device.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct DeviceInfo {
    /// Its number, as in `cuda:0`.
    pub ordinal: u32,
    /// Its name, as the driver has it.
    pub name: String,
    /// Its compute capability: (9, 0) is an H100 or H200.
    pub compute_capability: (u32, u32),
    /// Its memory, in bytes.
    pub total_memory: u64,
    /// The part of it that is free, in bytes; `None` where the driver could not say.
    pub free_memory: Option<u64>,
    /// Streaming multiprocessors.
    pub multiprocessors: u32,
    /// Its second-level cache, in bytes.
    pub l2_bytes: u64,
    /// The most shared memory that a block can ask for, in bytes.
    pub shared_bytes: u32,
}

impl DeviceInfo {
    /// The architecture to compile for: 90 for compute capability 9.0.
    pub fn architecture(&self) -> u32 {
        self.compute_capability.0 * 10 + self.compute_capability.1
    }
}

/// Starts the driver; where it has started, it only says so.
fn initialize() -> Result<(), Fault> {
    probe::driver()?;
    match result::init() {
        Err(error) if error.0 == sys::CUresult::CUDA_ERROR_NO_DEVICE => Err(no_device()),
        other => other.doing("start the CUDA driver"),
    }
}

fn no_device() -> Fault {
    Fault::missing(
        "the CUDA driver finds no device",
        "use --device cpu, which gives the same answer, or a machine with an NVIDIA GPU",
    )
}

/// The driver's CUDA version: (13, 0) is 13.0.
///
/// # Errors
/// A driver that is missing or broken.
pub fn driver_version() -> Result<(u32, u32), Fault> {
    probe::driver()?;
    let mut version = 0;
    // SAFETY: the probe found the function; it writes one integer to where it is told.
    unsafe { sys::cuDriverGetVersion(&raw mut version) }
        .result()
        .doing("ask for the driver's version")?;
    let version = u32::try_from(version).unwrap_or(0);
    Ok((version / 1000, version % 1000 / 10))
}

/// All devices, with what is free of their memory.
///
/// # Errors
/// No driver, no device, or a driver that fails.
pub fn devices() -> Result<Vec<DeviceInfo>, Fault> {
    let count = count()?;
    (0..count)
        .map(|ordinal| {
            let mut info = info(ordinal)?;
            let free = Device::open(ordinal).and_then(|device| device.memory());
            info.free_memory = free.ok().map(|(free, _)| free);
            Ok(info)
        })
        .collect()
}

/// Counts the devices: at least 1.
///
/// # Errors
/// No driver, no device, or a driver that fails.
pub fn count() -> Result<u32, Fault> {
    initialize()?;
    let count = result::device::get_count().doing("count the CUDA devices")?;
    match u32::try_from(count) {
        Ok(0) | Err(_) => Err(no_device()),
        Ok(count) => Ok(count),
    }
}

fn handle(ordinal: u32) -> Result<sys::CUdevice, Fault> {
    let count = count()?;
    if ordinal >= count {
        return Err(Fault::missing(
            format!("there is no CUDA device {ordinal}: the driver finds {count}"),
            "choose a device from 0 on, as `atomscope doctor` lists them",
        ));
    }
    result::device::get(i32::try_from(ordinal).unwrap_or(i32::MAX)).doing("open the CUDA device")
}

/// Returns the facts known of one device, except its free memory.
///
/// # Errors
/// No driver, no such device, or a driver that fails.
pub fn info(ordinal: u32) -> Result<DeviceInfo, Fault> {
    use sys::CUdevice_attribute as A;
    let handle = handle(ordinal)?;
    let attribute = |which: A| -> Result<u32, Fault> {
        // SAFETY: `handle` is a device of this driver.
        let value = unsafe { result::device::get_attribute(handle, which) };
        value
            .doing("ask what the CUDA device is")
            .map(|value| u32::try_from(value).unwrap_or(0))
    };
    // SAFETY: `handle` is a device of this driver.
    let total = unsafe { result::device::total_mem(handle) };
    Ok(DeviceInfo {
        ordinal,
        name: result::device::get_name(handle).doing("ask for the CUDA device's name")?,
        compute_capability: (
            attribute(A::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?,
            attribute(A::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?,
        ),
        total_memory: total.doing("ask for the CUDA device's memory")? as u64,
        free_memory: None,
        multiprocessors: attribute(A::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)?,
        l2_bytes: u64::from(attribute(A::CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE)?),
        shared_bytes: attribute(A::CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN)?,
    })
}

/// A device in use: its primary context, held as long as anything of it is.
#[derive(Debug)]
pub struct Device {
    info: DeviceInfo,
    handle: sys::CUdevice,
    context: sys::CUcontext,
}

// SAFETY: a context may be made current on any thread, and the driver's functions that take it are
// safe to call from several threads at once.
unsafe impl Send for Device {}
// SAFETY: as above.
unsafe impl Sync for Device {}

impl Device {
    /// Takes a device into use on this thread.
    ///
    /// # Errors
    /// No driver, no such device, a device that cannot be used.
    pub fn open(ordinal: u32) -> Result<Arc<Self>, Fault> {
        let (info, handle) = (info(ordinal)?, handle(ordinal)?);
        // SAFETY: `handle` is a device of this driver; Drop releases what is retained here.
        let context = unsafe { result::primary_ctx::retain(handle) };
        let context = context.doing(&format!("use CUDA device {ordinal} ({})", info.name))?;
        let device = Self {
            info,
            handle,
            context,
        };
        device.bind()?;
        Ok(Arc::new(device))
    }

    /// Returns the facts known of the device.
    pub fn info(&self) -> &DeviceInfo {
        &self.info
    }

    /// Makes it the one that this thread's calls go to.
    ///
    /// # Errors
    /// A device that fails.
    pub fn bind(&self) -> Result<(), Fault> {
        // SAFETY: the context is retained until Drop.
        unsafe { result::ctx::set_current(self.context) }.doing("use the CUDA device")
    }

    /// Free and total memory, in bytes.
    ///
    /// # Errors
    /// A device that fails.
    pub fn memory(&self) -> Result<(u64, u64), Fault> {
        self.bind()?;
        let (free, total) = result::mem_get_info().doing("ask for the device's free memory")?;
        Ok((free as u64, total as u64))
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        // SAFETY: retained once in `open`, released once here; all that lives in the context holds
        // an Arc of this device, and so is gone. An error has nobody to go to.
        let _ = unsafe { result::primary_ctx::release(self.handle) };
    }
}
