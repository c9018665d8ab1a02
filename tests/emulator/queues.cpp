// The queues of the streams: everything asynchronous waits here until somebody synchronises.
//
// Then streams take turns at random, each in its own order and after the events that it waits
// for: whatever a program relies on beyond that will sooner or later not hold.

#include "driver.hpp"

#include <vector>

namespace emulator {

namespace {

// The first operation of a stream must not overtake what the default stream orders before it.
bool ordered_by_default_stream(CUstream stream) {
    CUctx_st& context = *stream->context;
    u64 serial = stream->queue.front().serial;
    const auto earlier = [&](CUstream other) {
        return !other->queue.empty() && other->queue.front().serial < serial;
    };
    if (stream != &context.default_stream) {
        return !stream->blocking || !earlier(&context.default_stream);
    }
    for (CUstream other : context.streams) {
        if (other->blocking && earlier(other)) return false;
    }
    return true;
}

bool can_run(CUstream stream) {
    if (stream->queue.empty() || !ordered_by_default_stream(stream)) return false;
    const Operation& first = stream->queue.front();
    bool is_wait = !first.run && first.event;
    return !is_wait || first.event->reached >= first.version;
}

std::vector<CUstream> runnable_streams() {
    std::vector<CUstream> found;
    for (CUctx_st& context : driver().contexts) {
        if (can_run(&context.default_stream)) found.push_back(&context.default_stream);
        for (CUstream stream : context.streams) {
            if (can_run(stream)) found.push_back(stream);
        }
    }
    return found;
}

void discard(CUstream stream) {
    for (Operation& operation : stream->queue) {
        // Nobody, in whichever context, may wait for a record that is never reached.
        bool is_record = operation.run && operation.event;
        if (is_record) operation.event->reached = operation.version;
    }
    stream->queue.clear();
}

} // namespace

CUstream stream_of(CUctx_st& context, CUstream handle, const char* call) {
    // 1 is the handle of the default stream by another name.
    if (!handle || reinterpret_cast<uintptr_t>(handle) == 1) return &context.default_stream;
    if (context.streams.count(handle)) return handle;
    complain(0, "%s: %p is no stream of the current context", call, static_cast<void*>(handle));
    return nullptr;
}

void enqueue(CUstream stream, Operation operation) {
    operation.serial = ++driver().serial;
    stream->queue.push_back(std::move(operation));
}

bool run_one() {
    std::vector<CUstream> streams = runnable_streams();
    if (streams.empty()) return false;
    CUstream chosen = streams[driver().randomness.below(static_cast<u32>(streams.size()))];
    if (driver().seed == 0) {
        for (CUstream stream : streams) {
            if (stream->queue.front().serial < chosen->queue.front().serial) chosen = stream;
        }
    }
    Operation operation = std::move(chosen->queue.front());
    chosen->queue.pop_front();
    CUresult result = operation.run ? operation.run() : CUDA_SUCCESS;
    if (result != CUDA_SUCCESS) {
        chosen->context->failure = result;
        discard_queues(*chosen->context);
    }
    return true;
}

void drain(const std::function<bool()>& done) {
    while (!done() && run_one()) {
    }
}

void drain_all() {
    drain([] { return false; });
}

void discard_queues(CUctx_st& context) {
    discard(&context.default_stream);
    for (CUstream stream : context.streams) discard(stream);
}

} // namespace emulator

using namespace emulator;

// For the other stand-ins: queues `run(data)` on a stream; `drop(data)` follows, run or not.
EMULATOR_API CUresult atomscope_emulator_enqueue(CUstream handle, CUresult (*run)(void*),
                                                 void (*drop)(void*), void* data) {
    std::shared_ptr<void> owned(data, drop);
    return in_context([&](CUctx_st& context) -> CUresult {
        CUstream stream = stream_of(context, handle, "cuBLAS");
        if (!stream) return CUDA_ERROR_INVALID_HANDLE;
        enqueue(stream, {0, [=] { return run(owned.get()); }, nullptr});
        return CUDA_SUCCESS;
    });
}

// For the other stand-ins: a number that differs from call to call, the same for the same seed.
EMULATOR_API unsigned atomscope_emulator_random() {
    std::lock_guard<std::recursive_mutex> guard(driver().lock);
    return driver().seed == 0 ? 0 : driver().randomness.next();
}
