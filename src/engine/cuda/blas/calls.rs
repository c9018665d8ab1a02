//! cuBLAS's functions, at the addresses that the library which was found has them.

use std::ffi::{c_int, c_void};
use std::sync::OnceLock;

use cudarc::cublas::sys::{
    cublasComputeType_t, cublasGemmAlgo_t, cublasHandle_t, cublasOperation_t, cublasStatus_t,
    cudaDataType,
};

use crate::engine::cuda::fault::Fault;
use crate::engine::cuda::probe;

/// The functions, with the types of cuBLAS's header. `gemm` takes sides of 64 bits: with those of 32
/// a matrix of more than 2³¹ numbers is beyond what cuBLAS promises.
pub(super) struct Calls {
    pub(super) create: unsafe extern "C" fn(*mut cublasHandle_t) -> cublasStatus_t,
    pub(super) destroy: unsafe extern "C" fn(cublasHandle_t) -> cublasStatus_t,
    pub(super) set_stream: unsafe extern "C" fn(cublasHandle_t, *mut c_void) -> cublasStatus_t,
    pub(super) version: unsafe extern "C" fn(cublasHandle_t, *mut c_int) -> cublasStatus_t,
    property: unsafe extern "C" fn(c_int, *mut c_int) -> cublasStatus_t,
    pub(super) gemm: unsafe extern "C" fn(
        cublasHandle_t,
        cublasOperation_t,
        cublasOperation_t,
        i64,
        i64,
        i64,
        *const c_void,
        *const c_void,
        cudaDataType,
        i64,
        *const c_void,
        cudaDataType,
        i64,
        *const c_void,
        *mut c_void,
        cudaDataType,
        i64,
        cublasComputeType_t,
        cublasGemmAlgo_t,
    ) -> cublasStatus_t,
}

impl Calls {
    /// The major version of CUDA that the library is of; 0 where it does not say.
    pub(super) fn major_version(&self) -> i32 {
        // `MAJOR_VERSION` of CUDA's `libraryPropertyType`.
        const MAJOR: c_int = 0;
        let mut major = 0;
        // SAFETY: one integer is written to where it is told; no handle or device is needed.
        let status = unsafe { (self.property)(MAJOR, &raw mut major) };
        if status == cublasStatus_t::CUBLAS_STATUS_SUCCESS {
            major
        } else {
            0
        }
    }
}

/// The functions of the cuBLAS that was found.
///
/// # Errors
/// cuBLAS is missing.
pub(super) fn calls() -> Result<&'static Calls, Fault> {
    static CALLS: OnceLock<Result<Calls, Fault>> = OnceLock::new();
    CALLS.get_or_init(find).as_ref().map_err(Clone::clone)
}

fn find() -> Result<Calls, Fault> {
    let library = probe::cublas()?;
    // SAFETY: the types are those of cuBLAS's header.
    unsafe {
        Ok(Calls {
            create: library.function(&["cublasCreate_v2"])?,
            destroy: library.function(&["cublasDestroy_v2"])?,
            set_stream: library.function(&["cublasSetStream_v2"])?,
            version: library.function(&["cublasGetVersion_v2"])?,
            property: library.function(&["cublasGetProperty"])?,
            gemm: library.function(&["cublasGemmEx_64"])?,
        })
    }
}
