//! The libraries, and every function of them that is called.

use crate::engine::cuda::fault::INSTALL_DRIVER;

const INSTALL_LIBRARIES: &str = "pip install 'nvidia-cuda-nvrtc<14' 'nvidia-cublas<14' (CUDA 13) into \
    the active environment, or install the CUDA 13 toolkit, or use --device cpu, which gives the same \
    answer";

/// The advice where a library has not all that is called.
pub(super) const UPDATE_LIBRARIES: &str =
    "install that library of CUDA 12 or 13 anew, or use --device cpu, which gives the same answer";

/// The facts known of a library before it is looked for.
pub(super) struct Wanted {
    /// Its name to people.
    pub(super) title: &'static str,
    /// Its names, as cudarc would try them.
    pub(super) stems: &'static [&'static str],
    /// Libraries that it asks for by name, which lie beside it.
    pub(super) companions: &'static [&'static str],
    /// The functions that are called.
    pub(super) functions: &'static [&'static str],
    /// Functions of several names, of which one is called.
    pub(super) either: &'static [&'static [&'static str]],
    /// `true` if cudarc calls it, which takes what the loader gives.
    pub(super) by_cudarc: bool,
    /// `true` if it may also be in a toolkit's folders: not the driver, which is the system's.
    pub(super) toolkit: bool,
    /// The advice where it is not there.
    pub(super) install: &'static str,
}

/// The time between two events: by CUDA 12.8's name, and by the one that drivers before it know.
pub(in crate::engine::cuda) const ELAPSED: [&str; 2] =
    ["cuEventElapsedTime_v2", "cuEventElapsedTime"];

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
        "cuEventDestroy_v2",
        "cuModuleLoadData",
        "cuModuleGetFunction",
        "cuModuleUnload",
        "cuFuncSetAttribute",
        "cuFuncGetAttribute",
        "cuOccupancyMaxActiveBlocksPerMultiprocessor",
        "cuLaunchKernel",
        "cuGetErrorName",
        "cuGetErrorString",
    ],
    either: &[&ELAPSED],
    by_cudarc: true,
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
    either: &[],
    by_cudarc: false,
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
        "cublasGetProperty",
        "cublasGemmEx_64",
    ],
    either: &[],
    by_cudarc: false,
    toolkit: true,
    install: INSTALL_LIBRARIES,
};
