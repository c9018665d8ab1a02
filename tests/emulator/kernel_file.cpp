// One file of kernels for the CPU: EMULATED_SOURCE is its name, EMULATED_FAMILY its stem.
//
// The namespace gives all of it internal linkage, as each file is a program of its own on a device.

#include "cuda.hpp"

namespace {
#include EMULATED_SOURCE
}
