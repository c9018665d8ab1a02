//! Compiled kernels, and their launch.

use std::ffi::{CString, c_uint, c_void};
use std::sync::Arc;

use cudarc::driver::{result, sys};

use super::{Device, Doing, Pod, Stream};
use crate::engine::cuda::fault::Fault;

/// A CUBIN on a device.
#[derive(Debug)]
pub struct Module {
    device: Arc<Device>,
    raw: sys::CUmodule,
}

// SAFETY: a module is a handle that the driver lets any thread use with the context bound.
unsafe impl Send for Module {}
// SAFETY: as above.
unsafe impl Sync for Module {}

impl Module {
    /// Loads a CUBIN.
    ///
    /// # Errors
    /// A CUBIN that the device cannot run.
    pub fn load(device: &Arc<Device>, cubin: &[u8], name: &str) -> Result<Arc<Self>, Fault> {
        device.bind()?;
        // SAFETY: NVRTC made the image, which says itself how long it is.
        let raw = unsafe { result::module::load_data(cubin.as_ptr().cast()) };
        let raw = raw.doing(&format!(
            "load the {name} kernels onto {}",
            device.info().name
        ))?;
        Ok(Arc::new(Self {
            device: device.clone(),
            raw,
        }))
    }

    /// A kernel by its name, allowed up to `shared_bytes` of dynamic shared memory.
    ///
    /// # Errors
    /// No such kernel; a device with less shared memory.
    pub fn function(
        self: &Arc<Self>,
        name: &'static str,
        shared_bytes: u32,
    ) -> Result<Function, Fault> {
        // What a block gets without asking.
        const UNASKED: u32 = 48 << 10;
        self.device.bind()?;
        // The names are this crate's own, without a NUL.
        let c_name = CString::new(name).unwrap_or_default();
        // SAFETY: the module is loaded, and held by the function.
        let raw = unsafe { result::module::get_function(self.raw, c_name) };
        let raw = raw.doing(&format!("find the kernel {name}"))?;
        if shared_bytes > UNASKED {
            let most = sys::CUfunction_attribute::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
            let bytes = i32::try_from(shared_bytes).unwrap_or(i32::MAX);
            // SAFETY: the function was just found.
            unsafe { result::function::set_function_attribute(raw, most, bytes) }.doing(
                &format!("give {name} {shared_bytes} bytes of shared memory"),
            )?;
        }
        Ok(Function {
            module: self.clone(),
            raw,
            name,
        })
    }
}

impl Drop for Module {
    fn drop(&mut self) {
        let _ = self.device.bind();
        // SAFETY: loaded in `load`, unloaded once here; functions hold the module.
        let _ = unsafe { result::module::unload(self.raw) };
    }
}

/// The shape of a launch: blocks, threads a block, bytes of dynamic shared memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Blocks, along x alone: up to 2³¹ − 1.
    pub blocks: u32,
    /// Threads a block.
    pub threads: u32,
    /// Dynamic shared memory of a block, in bytes.
    pub shared_bytes: u32,
}

/// A kernel.
#[derive(Debug, Clone)]
pub struct Function {
    module: Arc<Module>,
    raw: sys::CUfunction,
    name: &'static str,
}

// SAFETY: a function is a handle into its module, which any thread may use.
unsafe impl Send for Function {}
// SAFETY: as above.
unsafe impl Sync for Function {}

impl Function {
    /// Returns the number of blocks of `threads` threads, with `shared_bytes` of dynamic shared memory,
    /// that a multiprocessor holds at once: at least 1. Registers and shared memory decide, and
    /// devices differ.
    ///
    /// # Errors
    /// A device that fails.
    pub fn resident_blocks(&self, threads: u32, shared_bytes: u32) -> Result<u32, Fault> {
        self.module.device.bind()?;
        let threads = i32::try_from(threads).unwrap_or(i32::MAX);
        // SAFETY: the function is loaded; the driver writes one number.
        let found = unsafe {
            result::occupancy::max_active_block_per_multiprocessor(
                self.raw,
                threads,
                shared_bytes as usize,
            )
        };
        let found = found.doing(&format!(
            "ask how many blocks of {} there is room for",
            self.name
        ))?;
        Ok(u32::try_from(found).unwrap_or(0).max(1))
    }

    /// Launches it with its one argument.
    ///
    /// # Safety
    /// `args` is the kernel's own struct; the addresses in it are those of live buffers that are
    /// large enough for what the kernel's header says, and stay alive until the stream is done.
    ///
    /// # Errors
    /// A launch that the driver refuses, or a device that has failed before.
    pub unsafe fn launch<A: Pod>(
        &self,
        stream: &Stream,
        shape: Shape,
        args: &A,
    ) -> Result<(), Fault> {
        if shape.blocks == 0 {
            return Ok(());
        }
        self.module.device.bind()?;
        let one: c_uint = 1;
        let mut params = [std::ptr::from_ref(args).cast_mut().cast::<c_void>()];
        // SAFETY: the driver copies the argument before it returns; the rest is the caller's.
        unsafe {
            result::launch_kernel(
                self.raw,
                (shape.blocks, one, one),
                (shape.threads, one, one),
                shape.shared_bytes,
                stream.raw(),
                &mut params,
            )
        }
        .doing(&format!("launch {} {shape:?}", self.name))
    }
}
