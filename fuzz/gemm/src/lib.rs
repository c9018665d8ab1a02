//! A stand-in for the crate of this name, which takes most of the time of an instrumented build. The
//! engine calls it, and no fuzzing target calls the engine.

/// The number of threads.
pub enum Parallelism {
    /// One.
    None,
}

/// Never called.
///
/// # Safety
/// It does nothing with its arguments.
#[expect(
    clippy::too_many_arguments,
    clippy::fn_params_excessive_bools,
    reason = "those of the crate"
)]
pub unsafe fn gemm<T>(
    _: usize,
    _: usize,
    _: usize,
    _: *mut T,
    _: isize,
    _: isize,
    _: bool,
    _: *const T,
    _: isize,
    _: isize,
    _: *const T,
    _: isize,
    _: isize,
    _: T,
    _: T,
    _: bool,
    _: bool,
    _: bool,
    _: Parallelism,
) {
    unimplemented!("no fuzzing target computes a product");
}
