// One line that says why a block cannot go on, and what each of its threads waits for.

#pragma once

#include "fibers.hpp"

namespace emulator {

struct Failure {
    const Kernel* kernel;
    const Fiber* fibers;
    u32 threads;
    const char* why; // null: nobody can go on
};

void report_failure(const Failure& failure);

} // namespace emulator
