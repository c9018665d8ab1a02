//! The encoder's product by cuBLAS.

mod calls;

use std::ffi::c_void;
use std::sync::Arc;

use cudarc::cublas::sys::{self, cublasStatus_t as Status};

use super::driver::{DEVICE_ACTION, Device, Stream};
use super::fault::{Fault, FaultKind};
use calls::{Calls, calls};

/// A cuBLAS handle that works on one stream.
pub struct Blas {
    raw: sys::cublasHandle_t,
    device: Arc<Device>,
    calls: &'static Calls,
}

// SAFETY: a handle may move between threads; it is used by one at a time, as `&mut` demands.
unsafe impl Send for Blas {}

/// `scores[r, f] = Σ_i rows[r, i] · weights[f, i]`, all row-major.
#[derive(Debug, Clone, Copy)]
pub struct Product {
    /// Address of the rows, \[rows, depth\].
    pub rows: u64,
    /// Address of the weights, \[features, depth\].
    pub weights: u64,
    /// Address of the scores, binary32 \[rows, stride\].
    pub scores: u64,
    /// The number of rows.
    pub row_count: usize,
    /// The number of features.
    pub features: usize,
    /// Numbers a row.
    pub depth: usize,
    /// Numbers that are summed up from zero; such sums are then added in binary32. `depth` where
    /// there is but one.
    pub block_depth: usize,
    /// Numbers from one row of scores to the next.
    pub stride: usize,
    /// `true` if operands are binary32; else they are binary16, accumulated in binary32.
    pub single: bool,
}

fn fault(doing: &str, status: Status) -> Fault {
    Fault {
        kind: if status == Status::CUBLAS_STATUS_ALLOC_FAILED {
            FaultKind::NoMemory
        } else {
            FaultKind::Failed
        },
        what: format!("cannot {doing}: cuBLAS says {status:?}"),
        action: DEVICE_ACTION,
    }
}

fn succeeded(doing: &str, status: Status) -> Result<(), Fault> {
    match status {
        Status::CUBLAS_STATUS_SUCCESS => Ok(()),
        other => Err(fault(doing, other)),
    }
}

/// The major version of CUDA that cuBLAS is of; 0 where it does not say. No device is needed.
///
/// # Errors
/// cuBLAS is missing.
pub fn major_version() -> Result<i32, Fault> {
    Ok(calls()?.major_version())
}

impl Blas {
    /// A handle for a stream; the stream must outlive it.
    ///
    /// # Errors
    /// cuBLAS is missing or cannot start.
    pub fn new(stream: &Stream) -> Result<Self, Fault> {
        let (calls, device) = (calls()?, stream.device());
        device.bind()?;
        let mut raw = std::ptr::null_mut();
        // SAFETY: the handle is written to where it is told.
        let status = unsafe { (calls.create)(&raw mut raw) };
        if status != Status::CUBLAS_STATUS_SUCCESS {
            return Err(start_fault(device, status));
        }
        let blas = Self {
            raw,
            device: device.clone(),
            calls,
        };
        // SAFETY: both are alive; a stream is one pointer to the driver and to cuBLAS.
        let status = unsafe { (calls.set_stream)(raw, stream.raw().cast()) };
        succeeded("give cuBLAS its stream", status)?;
        Ok(blas)
    }

    /// cuBLAS's version, as its own integer: 130000 is 13.0.0.
    ///
    /// # Errors
    /// cuBLAS is missing or cannot start.
    pub fn version(device: &Arc<Device>) -> Result<i32, Fault> {
        let stream = Stream::new(device)?;
        let blas = Self::new(&stream)?;
        let mut version = 0;
        // SAFETY: the handle is alive; one integer is written to where it is told.
        let status = unsafe { (blas.calls.version)(blas.raw, &raw mut version) };
        succeeded("ask for cuBLAS's version", status)?;
        Ok(version)
    }

    /// Multiplies on the stream, block by block of the depth.
    ///
    /// # Safety
    /// The addresses are those of live buffers as large as the product says, which stay alive until
    /// the stream is done.
    ///
    /// # Errors
    /// A product that cuBLAS refuses, or a device that has failed before.
    pub unsafe fn multiply(&mut self, product: &Product) -> Result<(), Fault> {
        self.device.bind()?;
        let block = product.block_depth.clamp(1, product.depth.max(1));
        for first in (0..product.depth).step_by(block) {
            // SAFETY: as the caller promises.
            unsafe { self.add_block(product, first, block.min(product.depth - first)) }?;
        }
        Ok(())
    }

    /// Adds the products of numbers `first..first + depth` of each row; the first block replaces
    /// what was there.
    unsafe fn add_block(
        &mut self,
        product: &Product,
        first: usize,
        depth: usize,
    ) -> Result<(), Fault> {
        use sys::cublasComputeType_t as Compute;
        use sys::cublasOperation_t as Operation;
        use sys::cudaDataType as Type;
        let size = |n: usize| {
            i64::try_from(n)
                .map_err(|_| Fault::failed(format!("a matrix side of {n}"), "use --device cpu"))
        };
        // Types are explicit: by default cuBLAS may take TF32 for binary32, whose error the bound
        // does not cover; pedantic forbids it.
        let (operand, bytes, compute) = if product.single {
            (Type::CUDA_R_32F, 4, Compute::CUBLAS_COMPUTE_32F_PEDANTIC)
        } else {
            (Type::CUDA_R_16F, 2, Compute::CUBLAS_COMPUTE_32F)
        };
        let (alpha, beta) = (1.0f32, if first == 0 { 0.0f32 } else { 1.0 });
        let offset = (first * bytes) as u64;
        // cuBLAS is column-major: row-major scores are features × rows to it, and row-major
        // operands are transposed.
        // SAFETY: alpha and beta are read before the call returns; the rest is the caller's.
        let status = unsafe {
            (self.calls.gemm)(
                self.raw,
                Operation::CUBLAS_OP_T,
                Operation::CUBLAS_OP_N,
                size(product.features)?,
                size(product.row_count)?,
                size(depth)?,
                (&raw const alpha).cast::<c_void>(),
                (product.weights + offset) as *const c_void,
                operand,
                size(product.depth)?,
                (product.rows + offset) as *const c_void,
                operand,
                size(product.depth)?,
                (&raw const beta).cast::<c_void>(),
                product.scores as *mut c_void,
                Type::CUDA_R_32F,
                size(product.stride)?,
                compute,
                sys::cublasGemmAlgo_t::CUBLAS_GEMM_DEFAULT,
            )
        };
        succeeded("multiply on the device", status)
    }
}

impl Drop for Blas {
    fn drop(&mut self) {
        let _ = self.device.bind();
        // SAFETY: made in `new`, destroyed once here.
        let _ = unsafe { (self.calls.destroy)(self.raw) };
    }
}

/// Free memory of a device, in bytes, below which a handle's workspace may have had no room.
const SCARCE: u64 = 256 << 20;

/// The fault of a handle that could not be made. Where its workspace has no room cuBLAS often says
/// that it is not initialised, as it does where it and the driver do not go together: less work
/// helps in the former case alone.
fn start_fault(device: &Device, status: Status) -> Fault {
    let fault = fault("start cuBLAS", status);
    if status != Status::CUBLAS_STATUS_NOT_INITIALIZED {
        return fault;
    }
    match device.memory() {
        Ok((free, _)) if free >= SCARCE => Fault {
            what: format!(
                "{}, with {} MiB of the device's memory free",
                fault.what,
                free >> 20
            ),
            ..fault
        },
        _ => Fault {
            kind: FaultKind::NoMemory,
            ..fault
        },
    }
}
