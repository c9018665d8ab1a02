//! The encoder's product by cuBLAS.

use std::ffi::{c_int, c_void};

use cudarc::cublas::{result, sys};

use super::driver::{DEVICE_ACTION, Device, Stream};
use super::fault::{Fault, FaultKind};
use super::probe;

/// A cuBLAS handle that works on one stream.
#[derive(Debug)]
pub struct Blas {
    raw: sys::cublasHandle_t,
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

fn fault(doing: &str, error: result::CublasError) -> Fault {
    Fault {
        kind: if error.0 == sys::cublasStatus_t::CUBLAS_STATUS_ALLOC_FAILED {
            FaultKind::NoMemory
        } else {
            FaultKind::Failed
        },
        what: format!("cannot {doing}: cuBLAS says {:?}", error.0),
        action: DEVICE_ACTION,
    }
}

impl Blas {
    /// A handle for a stream; the stream must outlive it.
    ///
    /// # Errors
    /// cuBLAS is missing or cannot start.
    pub fn new(stream: &Stream) -> Result<Self, Fault> {
        probe::cublas()?;
        stream.device().bind()?;
        let raw = result::create_handle().map_err(|error| {
            // Where its workspace has no room it often says just this.
            let unready = error.0 == sys::cublasStatus_t::CUBLAS_STATUS_NOT_INITIALIZED;
            let fault = fault("start cuBLAS", error);
            let kind = if unready {
                FaultKind::NoMemory
            } else {
                fault.kind
            };
            Fault { kind, ..fault }
        })?;
        let blas = Self { raw };
        // SAFETY: both are alive; the two crates' stream types are one pointer.
        unsafe { result::set_stream(raw, stream.raw().cast()) }
            .map_err(|error| fault("give cuBLAS its stream", error))?;
        Ok(blas)
    }

    /// cuBLAS's version, as its own integer: 130000 is 13.0.0.
    ///
    /// # Errors
    /// cuBLAS is missing or cannot start.
    pub fn version(device: &std::sync::Arc<Device>) -> Result<i32, Fault> {
        let stream = Stream::new(device)?;
        let blas = Self::new(&stream)?;
        let mut version = 0;
        // SAFETY: the handle is alive; one integer is written to where it is told.
        unsafe { sys::cublasGetVersion_v2(blas.raw, &raw mut version) }
            .result()
            .map_err(|error| fault("ask for cuBLAS's version", error))?;
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
            c_int::try_from(n)
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
        unsafe {
            result::gemm_ex(
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
        }
        .map_err(|error| fault("multiply on the device", error))
    }
}

impl Drop for Blas {
    fn drop(&mut self) {
        // SAFETY: made in `new`, destroyed once here.
        let _ = unsafe { result::destroy_handle(self.raw) };
    }
}
