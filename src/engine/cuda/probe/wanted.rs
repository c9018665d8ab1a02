//! The libraries, and every function of them that is called.

use crate::engine::cuda::fault::INSTALL_DRIVER;

const INSTALL_LIBRARIES: &str = "pip install nvidia-cuda-nvrtc nvidia-cublas (CUDA 13) into the \
    active environment, or install the CUDA 13 toolkit, or use --device cpu, which gives the same \
    answer";

/// The facts known of a library before it is looked for.
pub(super) struct Wanted {
    /// Its name to people.
    pub(super) title: &'static str,
    /// Its names to cudarc, in cudarc's order.
    pub(super) stems: &'static [&'static str],
    /// Libraries that it asks for by name, which lie beside it.
    pub(super) companions: &'static [&'static str],
    /// The functions that are called.
    pub(super) functions: &'static [&'static str],
    /// `true` if it may also be in a toolkit's folders: not the driver, which is the system's.
    pub(super) toolkit: bool,
    /// The advice where it is not there.
    pub(super) install: &'static str,
}

pub(super) static DRIVER: Wanted = Wanted {
    title: "the NVIDIA driver (libcuda)",
    stems: &["cuda", "nvcuda"],
    companions: &[],
    functions: &[
        "cuInit",
        "cuDriverGetVersion",
        "cuDeviceGetCount",
        "cuDeviceGet",
        "cuDeviceGetName",
        "cuDeviceTotalMem_v2",
        "cuDeviceGetAttribute",
        "cuDevicePrimaryCtxRetain",
        "cuDevicePrimaryCtxRelease_v2",
        "cuCtxSetCurrent",
        "cuCtxSynchronize",
        "cuMemGetInfo_v2",
        "cuMemAlloc_v2",
        "cuMemFree_v2",
        "cuMemHostAlloc",
        "cuMemFreeHost",
        "cuMemcpyHtoDAsync_v2",
        "cuMemcpyDtoHAsync_v2",
        "cuMemcpyDtoDAsync_v2",
        "cuMemsetD8Async",
        "cuStreamCreate",
        "cuStreamSynchronize",
        "cuStreamDestroy_v2",
        "cuStreamWaitEvent",
        "cuEventCreate",
        "cuEventRecord",
        "cuEventQuery",
        "cuEventSynchronize",
        "cuEventElapsedTime_v2",
        "cuEventDestroy_v2",
        "cuModuleLoadData",
        "cuModuleGetFunction",
        "cuModuleUnload",
        "cuFuncSetAttribute",
        "cuFuncGetAttribute",
        "cuLaunchKernel",
        "cuGetErrorName",
        "cuGetErrorString",
    ],
    toolkit: false,
    install: INSTALL_DRIVER,
};

pub(super) static NVRTC: Wanted = Wanted {
    title: "NVRTC (libnvrtc)",
    stems: &["nvrtc"],
    companions: &["nvrtc-builtins"],
    functions: &[
        "nvrtcVersion",
        "nvrtcGetNumSupportedArchs",
        "nvrtcGetSupportedArchs",
        "nvrtcCreateProgram",
        "nvrtcCompileProgram",
        "nvrtcDestroyProgram",
        "nvrtcGetCUBINSize",
        "nvrtcGetCUBIN",
        "nvrtcGetProgramLogSize",
        "nvrtcGetProgramLog",
    ],
    toolkit: true,
    install: INSTALL_LIBRARIES,
};

pub(super) static CUBLAS: Wanted = Wanted {
    title: "cuBLAS (libcublas)",
    stems: &["cublas"],
    companions: &["cublasLt"],
    functions: &[
        "cublasCreate_v2",
        "cublasDestroy_v2",
        "cublasSetStream_v2",
        "cublasGetVersion_v2",
        "cublasGemmEx",
    ],
    toolkit: true,
    install: INSTALL_LIBRARIES,
};
