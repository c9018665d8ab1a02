// The stacks of the fibers: where they lie, how one starts and how the turn passes, with what
// AddressSanitizer wants to know about either.

#pragma once

#include "fibers.hpp"

namespace emulator {

// Maps the stacks once; false (and a line on stderr) without memory for them.
bool prepare_stacks(Fiber& host, u32 threads);

// Makes a fiber start at `entry` when it is switched to next, on stack number `index`.
void prepare_fiber(Fiber& fiber, u32 index, void (*entry)());

// Goes on with `to`. A fiber that has exited, or the host, may be switched away from for good.
void switch_fiber(Fiber& from, Fiber& to);

// To be called first by what a fiber starts with.
void arrive_on_fiber();

// Fills memory as if nobody had initialised it.
void fill_with_garbage(unsigned char* begin, unsigned char* end);

} // namespace emulator
