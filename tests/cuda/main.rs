//! The engine for CUDA: its kernels, its runs, and the program with it. All on a stand-in for the
//! driver, the first two on a real device where one is demanded.

#[path = "../common/mod.rs"]
mod common;
#[path = "../twins/mod.rs"]
mod twins;

mod emulator_works;
mod engine;
mod kernels;
mod program;
