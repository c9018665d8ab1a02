//! The device that tests of kernels and of the CUDA engine run on.

use std::sync::{Arc, OnceLock};

use atomscope::engine::cuda::driver::Device;
use atomscope::engine::cuda::probe;

use super::emulator;

/// Whether tests demand a real device (`ATOMSCOPE_REQUIRE_GPU=1`).
pub(crate) fn is_real() -> bool {
    std::env::var_os("ATOMSCOPE_REQUIRE_GPU").is_some_and(|value| value == "1")
}

/// The real device where one is demanded (a missing one is a failure), else the stand-in; `None`
/// where that cannot be built, which is said.
pub(crate) fn device() -> Option<Arc<Device>> {
    static DEVICE: OnceLock<Option<Arc<Device>>> = OnceLock::new();
    DEVICE
        .get_or_init(|| {
            // A test that runs itself again says which libraries it is to be.
            if !is_real() && std::env::var_os(probe::FOLDERS_VARIABLE).is_none() {
                probe::use_libraries(emulator::libraries()?);
            }
            Some(Device::open(0).unwrap_or_else(|fault| panic!("a device is demanded: {fault}")))
        })
        .clone()
}
