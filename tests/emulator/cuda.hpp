// Plays the part of the CUDA language for a C++17 compiler, so that the kernels run on the CPU.
//
// Included before each .cu file (kernel_file.cpp). A CUDA thread is a fiber (fibers.hpp); the
// threads of a block take turns in random order, and blocks run one after the other. A kernel
// that spins on memory without any atomic, fence or barrier in the loop would hang.

#pragma once

#include "language/types.hpp"

#include "language/atomics.hpp"
#include "language/math.hpp"
#include "language/warp.hpp"

#define threadIdx (emulator::running->thread)
#define blockIdx (emulator::block_index)
#define blockDim (emulator::block_size)
#define gridDim (emulator::grid_size)
#define warpSize 32

// The bounds of the section of shared arrays; a family that has none has no such section either.
#define EMULATOR_SHARED_BEGIN EMULATOR_JOIN(__start_shared_, EMULATED_FAMILY)
#define EMULATOR_SHARED_END EMULATOR_JOIN(__stop_shared_, EMULATED_FAMILY)
extern "C" {
extern __attribute__((weak)) unsigned char EMULATOR_SHARED_BEGIN[];
extern __attribute__((weak)) unsigned char EMULATOR_SHARED_END[];
}

// Defines a kernel and enters it into the table that cuModuleGetFunction looks in.
#define KERNEL(name, Args, threads)                                                            \
    static void name(const Args& args);                                                        \
    static emulator::Kernel name##_kernel(                                                     \
        #name, EMULATOR_TEXT(EMULATED_FAMILY), sizeof(Args), alignof(Args), threads,           \
        [](const void* args) { name(*static_cast<const Args*>(args)); },                       \
        EMULATOR_SHARED_BEGIN, EMULATOR_SHARED_END);                                           \
    static void name(const Args& args)

// Shared memory of exactly the size that the launch asked for.
#define DYNAMIC_SHARED(name) unsigned char* const name = emulator::dynamic_shared
