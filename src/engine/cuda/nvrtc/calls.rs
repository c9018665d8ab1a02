//! NVRTC's functions, at the addresses that the library which was found has them.

use std::ffi::{c_char, c_int};
use std::sync::OnceLock;

use cudarc::nvrtc::sys::{nvrtcProgram, nvrtcResult};

use crate::engine::cuda::fault::Fault;
use crate::engine::cuda::probe;

/// Writes the size of something of a program's.
pub(super) type Size = unsafe extern "C" fn(nvrtcProgram, *mut usize) -> nvrtcResult;
/// Writes as many bytes as its size says.
pub(super) type Write = unsafe extern "C" fn(nvrtcProgram, *mut c_char) -> nvrtcResult;

/// The functions, with the types of NVRTC's header.
pub(super) struct Calls {
    pub(super) version: unsafe extern "C" fn(*mut c_int, *mut c_int) -> nvrtcResult,
    pub(super) count_architectures: unsafe extern "C" fn(*mut c_int) -> nvrtcResult,
    pub(super) architectures: unsafe extern "C" fn(*mut c_int) -> nvrtcResult,
    pub(super) create: unsafe extern "C" fn(
        *mut nvrtcProgram,
        *const c_char,
        *const c_char,
        c_int,
        *const *const c_char,
        *const *const c_char,
    ) -> nvrtcResult,
    pub(super) compile:
        unsafe extern "C" fn(nvrtcProgram, c_int, *const *const c_char) -> nvrtcResult,
    pub(super) destroy: unsafe extern "C" fn(*mut nvrtcProgram) -> nvrtcResult,
    pub(super) cubin_size: Size,
    pub(super) cubin: Write,
    pub(super) log_size: Size,
    pub(super) log: Write,
}

/// The functions of the NVRTC that was found.
///
/// # Errors
/// NVRTC is missing.
pub(super) fn calls() -> Result<&'static Calls, Fault> {
    static CALLS: OnceLock<Result<Calls, Fault>> = OnceLock::new();
    CALLS.get_or_init(find).as_ref().map_err(Clone::clone)
}

fn find() -> Result<Calls, Fault> {
    let library = probe::nvrtc()?;
    // SAFETY: the types are those of NVRTC's header.
    unsafe {
        Ok(Calls {
            version: library.function(&["nvrtcVersion"])?,
            count_architectures: library.function(&["nvrtcGetNumSupportedArchs"])?,
            architectures: library.function(&["nvrtcGetSupportedArchs"])?,
            create: library.function(&["nvrtcCreateProgram"])?,
            compile: library.function(&["nvrtcCompileProgram"])?,
            destroy: library.function(&["nvrtcDestroyProgram"])?,
            cubin_size: library.function(&["nvrtcGetCUBINSize"])?,
            cubin: library.function(&["nvrtcGetCUBIN"])?,
            log_size: library.function(&["nvrtcGetProgramLogSize"])?,
            log: library.function(&["nvrtcGetProgramLog"])?,
        })
    }
}
