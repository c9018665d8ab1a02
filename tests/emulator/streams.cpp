// Streams and events of the stand-in for the CUDA driver.

#include "driver.hpp"

#include <chrono>

using namespace emulator;

namespace {

double now_in_milliseconds() {
    auto since_start = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration<double, std::milli>(since_start).count();
}

// The event that a handle stands for, of any context; null if there is none.
Event event_of(CUevent handle, const char* call) {
    for (CUctx_st& context : driver().contexts) {
        auto found = context.events.find(handle);
        if (found != context.events.end()) return found->second;
    }
    complain(0, "%s: %p is no event", call, static_cast<void*>(handle));
    return nullptr;
}

// A synchronisation that the test wants to fail.
void lose_device_if_asked(CUctx_st& context) {
    Driver& d = driver();
    if (d.fault.kind != "lost" || ++d.synchronisations < d.fault.number) return;
    discard_queues(context);
    context.failure = CUDA_ERROR_ILLEGAL_ADDRESS;
}

} // namespace

EMULATOR_API CUresult cuCtxSynchronize() {
    return in_context([](CUctx_st& context) {
        drain([&] {
            bool empty = context.default_stream.queue.empty();
            for (CUstream stream : context.streams) empty &= stream->queue.empty();
            return empty;
        });
        return CUDA_SUCCESS;
    });
}

EMULATOR_API CUresult cuStreamCreate(CUstream* handle, unsigned flags) {
    return in_context([&](CUctx_st& context) -> CUresult {
        if (!handle || flags > 1) return CUDA_ERROR_INVALID_VALUE;
        CUstream stream = new CUstream_st;
        stream->context = &context;
        stream->blocking = flags == 0;
        context.streams.insert(stream);
        *handle = stream;
        return CUDA_SUCCESS;
    });
}

EMULATOR_API CUresult cuStreamSynchronize(CUstream handle) {
    return in_context([&](CUctx_st& context) -> CUresult {
        CUstream stream = stream_of(context, handle, "cuStreamSynchronize");
        if (!stream) return CUDA_ERROR_INVALID_HANDLE;
        lose_device_if_asked(context);
        drain([&] { return stream->queue.empty(); });
        return CUDA_SUCCESS;
    });
}

EMULATOR_API CUresult cuStreamDestroy_v2(CUstream handle) {
    return in_context([&](CUctx_st& context) -> CUresult {
        CUstream stream = stream_of(context, handle, "cuStreamDestroy");
        if (!stream || stream == &context.default_stream) return CUDA_ERROR_INVALID_HANDLE;
        drain([&] { return stream->queue.empty(); });
        context.streams.erase(stream);
        delete stream;
        return CUDA_SUCCESS;
    });
}

// Waits for the last record before this call, if there was one.
EMULATOR_API CUresult cuStreamWaitEvent(CUstream handle, CUevent event_handle, unsigned flags) {
    return in_context([&](CUctx_st& context) -> CUresult {
        CUstream stream = stream_of(context, handle, "cuStreamWaitEvent");
        Event event = event_of(event_handle, "cuStreamWaitEvent");
        if (!stream || !event) return CUDA_ERROR_INVALID_HANDLE;
        if (flags != 0) return CUDA_ERROR_INVALID_VALUE;
        if (event->recorded > 0) enqueue(stream, {0, nullptr, event, event->recorded});
        return CUDA_SUCCESS;
    });
}

EMULATOR_API CUresult cuEventCreate(CUevent* handle, unsigned flags) {
    return in_context([&](CUctx_st& context) -> CUresult {
        if (!handle || flags > 7) return CUDA_ERROR_INVALID_VALUE;
        Event event = std::make_shared<CUevent_st>();
        event->context = &context;
        event->timed = !(flags & 2);
        context.events[event.get()] = event;
        *handle = event.get();
        return CUDA_SUCCESS;
    });
}

EMULATOR_API CUresult cuEventRecord(CUevent event_handle, CUstream handle) {
    return in_context([&](CUctx_st& context) -> CUresult {
        CUstream stream = stream_of(context, handle, "cuEventRecord");
        Event event = event_of(event_handle, "cuEventRecord");
        if (!stream || !event || event->context != &context) return CUDA_ERROR_INVALID_HANDLE;
        u64 version = ++event->recorded;
        enqueue(stream, {0, [=] {
                             event->reached = version;
                             event->milliseconds = now_in_milliseconds();
                             return CUDA_SUCCESS;
                         }, event, version});
        return CUDA_SUCCESS;
    });
}

// A program that polls sees work go on, a random bit at a time.
EMULATOR_API CUresult cuEventQuery(CUevent handle) {
    return in_context([&](CUctx_st& context) -> CUresult {
        Event event = event_of(handle, "cuEventQuery");
        if (!event) return CUDA_ERROR_INVALID_HANDLE;
        u32 operations = driver().seed == 0 ? 1 : driver().randomness.below(4);
        while (operations-- > 0 && run_one()) {
        }
        if (context.failure) return context.failure;
        return event->reached >= event->recorded ? CUDA_SUCCESS : CUDA_ERROR_NOT_READY;
    });
}

EMULATOR_API CUresult cuEventSynchronize(CUevent handle) {
    return in_context([&](CUctx_st& context) -> CUresult {
        Event event = event_of(handle, "cuEventSynchronize");
        if (!event) return CUDA_ERROR_INVALID_HANDLE;
        u64 version = event->recorded;
        drain([&] { return event->reached >= version; });
        return context.failure;
    });
}

EMULATOR_API CUresult cuEventElapsedTime_v2(float* milliseconds, CUevent start, CUevent end) {
    return in_context([&](CUctx_st&) -> CUresult {
        Event from = event_of(start, "cuEventElapsedTime");
        Event to = event_of(end, "cuEventElapsedTime");
        if (!milliseconds) return CUDA_ERROR_INVALID_VALUE;
        if (!from || !to || !from->timed || !to->timed) return CUDA_ERROR_INVALID_HANDLE;
        if (!from->recorded || !to->recorded) return CUDA_ERROR_INVALID_HANDLE;
        bool reached = from->reached >= from->recorded && to->reached >= to->recorded;
        if (!reached) return CUDA_ERROR_NOT_READY;
        *milliseconds = static_cast<float>(to->milliseconds - from->milliseconds);
        return CUDA_SUCCESS;
    });
}

// Streams that wait for it still do: they hold it.
EMULATOR_API CUresult cuEventDestroy_v2(CUevent handle) {
    return in_context([&](CUctx_st&) -> CUresult {
        Event event = event_of(handle, "cuEventDestroy");
        if (!event) return CUDA_ERROR_INVALID_HANDLE;
        event->context->events.erase(handle);
        return CUDA_SUCCESS;
    });
}
