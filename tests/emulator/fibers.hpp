// A block of CUDA threads as fibers on one CPU thread: what a kernel sees of the scheduler, and
// what the driver calls to run a grid. Nothing here is safe to use from two host threads at once.

#pragma once

namespace emulator {

using u32 = unsigned;
using u64 = unsigned long long;
using usize = __SIZE_TYPE__;

struct Index {
    u32 x, y, z;
};

// Where in a kernel a thread waits, and at what.
struct Site {
    const char* what;
    const char* file;
    u32 line;
};

// An entry of the table of kernels, filled in as the library is loaded.
struct Kernel {
    const char* name;
    const char* family;
    usize args_bytes;
    usize args_align;
    u32 max_threads;
    void (*body)(const void* args);
    unsigned char* shared_begin;
    unsigned char* shared_end;
    const Kernel* next;

    Kernel(const char* name, const char* family, usize args_bytes, usize args_align,
           u32 max_threads, void (*body)(const void*), unsigned char* shared_begin,
           unsigned char* shared_end);
};
extern const Kernel* first_kernel;

struct Warp;

struct alignas(64) Fiber {
    void* stack_pointer;
    Index thread;
    u32 lane;
    Warp* warp;
    // What this lane brings to a collective, and afterwards what it takes from it.
    u64 value;
    u32 source;
    // What it waits for; mask 0 is the whole block.
    u32 mask;
    const char* what;
    const char* file;
    u32 line;
    bool exited;
    unsigned char* stack;
    void* fake_stack;
};

extern Fiber* running;
extern Index block_index, block_size, grid_size;
extern unsigned char* dynamic_shared;
extern int until_yield;

// How many threads came to a barrier, and for how many of them the predicate held.
struct Votes {
    u32 holding, threads;
};
Votes barrier(bool predicate, Site site);

// vote: the mask of lanes with a value other than 0. match: the mask of lanes with the same value.
// shuffle: the value of lane `source`.
enum class Kind : u32 { vote, match, shuffle };
u64 collective(Kind kind, u32 mask, u64 value, u32 source, Site site);

u32 active_lanes();
u64 ticks();
void yield();
inline u32 lane() { return running->lane; }
inline void maybe_yield() {
    if (--until_yield <= 0) yield();
}

// One launch. With seed 0 blocks and threads run in order, without yields at atomics.
struct Launch {
    const Kernel* kernel;
    Index grid, block;
    usize dynamic_shared_bytes;
    const void* args;
    u64 seed;
};

// False if the kernel got stuck or broke a rule, of which a line on stderr tells.
bool run_grid(const Launch& launch);

} // namespace emulator
