// The parts of the stand-in for the CUDA driver, and what they share. One lock guards all of it.
//
// devices.cpp: start-up, devices, contexts. memory.cpp: allocations and copies. queues.cpp: the
// queues of the streams, and when they are worked off. streams.cpp: streams and events.
// launch.cpp: modules and kernels. errors.cpp: names of errors.

#pragma once

#include "driver_api.hpp"
#include "fibers.hpp"
#include "random.hpp"

#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

struct CUctx_st;

struct CUevent_st {
    CUctx_st* context = nullptr;
    bool timed = true;
    // How often it was recorded, and which of these records has been reached.
    uint64_t recorded = 0, reached = 0;
    double milliseconds = 0; // when it was last reached
};
using Event = std::shared_ptr<CUevent_st>;

namespace emulator {

struct Operation {
    u64 serial;                    // order of the calls, over all streams
    std::function<CUresult()> run; // null for a wait
    Event event;                   // of a record or a wait
    u64 version = 0;               // which record of it
};

// Where in memory a block ends, and whose it is.
struct Block {
    usize bytes;
    CUctx_st* context;
};
using Blocks = std::map<uintptr_t, Block>;

// A fault that a test asked for: "launch:3" is kind "launch", number 3.
struct Fault {
    std::string kind;
    u64 number = 0;
};

} // namespace emulator

struct CUstream_st {
    CUctx_st* context = nullptr;
    bool blocking = true; // waits for the default stream, and it for this one
    std::deque<emulator::Operation> queue;
};

struct CUfunc_st {
    const emulator::Kernel* kernel;
    CUctx_st* context;
    int max_dynamic_shared;
};

struct CUmod_st {
    CUctx_st* context = nullptr;
    std::string family; // empty where the image does not say
    std::map<std::string, CUfunc_st> functions;
};

// The primary context of a device; it lives as long as the library, `users` says whether in use.
struct CUctx_st {
    int device = 0;
    uint64_t users = 0;
    size_t used_bytes = 0;
    CUresult failure = CUDA_SUCCESS; // sticky, as on a device
    CUstream_st default_stream;
    std::set<CUstream> streams;
    std::map<CUevent, Event> events;
    std::map<CUmodule, std::unique_ptr<CUmod_st>> modules;
    std::set<CUfunction> functions;
};

namespace emulator {

struct Driver {
    std::recursive_mutex lock;
    bool initialised = false;
    CUresult start_failure = CUDA_SUCCESS;
    Fault fault;
    u64 seed = 1;
    Random randomness;
    usize memory_bytes = 0;
    int compute_capability = 90;
    std::deque<CUctx_st> contexts; // one a device
    Blocks device_blocks, pinned_blocks;
    u64 launches = 0, synchronisations = 0, serial = 0;
};
Driver& driver();
extern thread_local CUcontext current_context;

// CUDA_SUCCESS, or why a call that needs a context cannot go on.
CUresult ready_for_calls();

// Says on stderr what a caller did wrong; gives back `error`.
CUresult complain(CUresult error, const char* format, ...) __attribute__((format(printf, 2, 3)));

// What every call that needs a context goes through: lock, check, run; then the sticky error.
template <class Body> CUresult in_context(Body body) {
    std::lock_guard<std::recursive_mutex> guard(driver().lock);
    if (CUresult error = ready_for_calls()) return error;
    CUctx_st& context = *current_context;
    CUresult result = body(context);
    return result == CUDA_SUCCESS ? context.failure : result;
}

// The stream that a handle stands for; null, and a line on stderr, if it is none of this context.
CUstream stream_of(CUctx_st& context, CUstream handle, const char* call);
void enqueue(CUstream stream, Operation operation);
// Runs queued work, of any stream, in random order, until `done` or until nothing can run.
void drain(const std::function<bool()>& done);
void drain_all();
// One operation that can run, if any can.
bool run_one();
void discard_queues(CUctx_st& context);
void release_memory(CUctx_st& context);

// The block that [address, address + bytes) lies in whole; null if it does in none.
const Block* block_of(const Blocks& blocks, uintptr_t address, usize bytes);

} // namespace emulator
