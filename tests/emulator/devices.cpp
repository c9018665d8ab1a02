// Start-up, devices and contexts of the stand-in for the CUDA driver.

#include "driver.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace emulator {

thread_local CUcontext current_context;

Driver& driver() {
    static Driver* the_driver = new Driver; // never destroyed: threads may outlive the exit
    return *the_driver;
}

CUresult complain(CUresult error, const char* format, ...) {
    char line[512];
    va_list values;
    va_start(values, format);
    std::vsnprintf(line, sizeof line, format, values);
    va_end(values);
    std::fprintf(stderr, "emulated GPU: %s\n", line);
    return error;
}

CUresult ready_for_calls() {
    if (!driver().initialised) return CUDA_ERROR_NOT_INITIALIZED;
    if (!current_context) return CUDA_ERROR_INVALID_CONTEXT;
    if (current_context->users == 0) return CUDA_ERROR_CONTEXT_IS_DESTROYED;
    return current_context->failure;
}

namespace {

u64 setting(const char* name, u64 otherwise) {
    const char* text = std::getenv(name);
    return text && *text ? std::strtoull(text, nullptr, 0) : otherwise;
}

Fault fault_asked_for() {
    const char* text = std::getenv("ATOMSCOPE_EMULATOR_FAULT");
    if (!text) return {};
    const char* colon = std::strchr(text, ':');
    if (!colon) return {text, 0};
    return {std::string(text, colon), std::strtoull(colon + 1, nullptr, 10)};
}

void start() {
    Driver& d = driver();
    d.fault = fault_asked_for();
    d.seed = setting("ATOMSCOPE_EMULATOR_SEED", 1);
    d.randomness = Random(d.seed);
    d.memory_bytes = setting("ATOMSCOPE_EMULATOR_MEMORY", 8ull << 30);
    d.compute_capability = static_cast<int>(setting("ATOMSCOPE_EMULATOR_CC", 90));
    d.contexts.resize(setting("ATOMSCOPE_EMULATOR_DEVICES", 1));
    for (usize i = 0; i < d.contexts.size(); ++i) {
        d.contexts[i].device = static_cast<int>(i);
        d.contexts[i].default_stream.context = &d.contexts[i];
    }
    if (d.fault.kind == "no-device" || d.contexts.empty()) d.start_failure = CUDA_ERROR_NO_DEVICE;
    if (d.fault.kind == "init") d.start_failure = CUDA_ERROR_UNKNOWN;
    d.initialised = d.start_failure == CUDA_SUCCESS;
}

// For calls about devices, which need no context.
template <class Body> CUresult with_device(CUdevice device, Body body) {
    std::lock_guard<std::recursive_mutex> guard(driver().lock);
    if (!driver().initialised) return CUDA_ERROR_NOT_INITIALIZED;
    usize count = driver().contexts.size();
    if (device < 0 || static_cast<usize>(device) >= count) return CUDA_ERROR_INVALID_DEVICE;
    return body(driver().contexts[static_cast<usize>(device)]);
}

// By number, as in CUdevice_attribute; those that nobody has asked for yet are 0.
int attribute_value(int attribute) {
    static const std::map<int, int> known = {
        {1, 1024},        // threads per block
        {2, 1024},        // block x
        {3, 1024},        // block y
        {4, 64},          // block z
        {5, 0x7fffffff},  // grid x
        {6, 65535},       // grid y
        {7, 65535},       // grid z
        {8, 49152},       // shared memory per block
        {9, 65536},       // constant memory
        {10, 32},         // warp
        {12, 65536},      // registers per block
        {13, 1000000},    // clock, kHz
        {15, 1},          // copies beside kernels
        {16, 2},          // multiprocessors
        {19, 1},          // maps host memory
        {31, 1},          // concurrent kernels
        {36, 1000000},    // memory clock, kHz
        {37, 512},        // memory bus, bits
        {38, 1 << 20},    // L2 cache
        {39, 2048},       // threads per multiprocessor
        {40, 2},          // copy engines
        {41, 1},          // unified addresses
        {81, 233472},     // shared memory per multiprocessor
        {82, 65536},      // registers per multiprocessor
        {97, 232448},     // shared memory per block, at most
        {106, 32},        // blocks per multiprocessor
        {111, 1024},      // shared memory that the system keeps
    };
    if (attribute == 75) return driver().compute_capability / 10;
    if (attribute == 76) return driver().compute_capability % 10;
    auto found = known.find(attribute);
    return found == known.end() ? 0 : found->second;
}

void close_context(CUctx_st& context) {
    drain_all();
    discard_queues(context);
    for (CUstream stream : context.streams) delete stream;
    context.streams.clear();
    context.events.clear();
    context.functions.clear();
    context.modules.clear();
    release_memory(context);
    context.failure = CUDA_SUCCESS;
}

} // namespace

} // namespace emulator

using namespace emulator;

EMULATOR_API CUresult cuInit(unsigned flags) {
    std::lock_guard<std::recursive_mutex> guard(driver().lock);
    if (flags != 0) return CUDA_ERROR_INVALID_VALUE;
    if (!driver().initialised && driver().start_failure == CUDA_SUCCESS) start();
    return driver().start_failure;
}

// May be called before cuInit.
EMULATOR_API CUresult cuDriverGetVersion(int* version) {
    std::lock_guard<std::recursive_mutex> guard(driver().lock);
    if (!version) return CUDA_ERROR_INVALID_VALUE;
    const auto& fault = fault_asked_for().kind;
    *version = fault == "driver-too-old" ? 11080 : fault == "driver-of-12" ? 12020 : 13000;
    return CUDA_SUCCESS;
}

EMULATOR_API CUresult cuDeviceGetCount(int* count) {
    std::lock_guard<std::recursive_mutex> guard(driver().lock);
    if (!driver().initialised) return CUDA_ERROR_NOT_INITIALIZED;
    *count = static_cast<int>(driver().contexts.size());
    return CUDA_SUCCESS;
}

EMULATOR_API CUresult cuDeviceGet(CUdevice* device, int ordinal) {
    return with_device(ordinal, [&](CUctx_st&) {
        *device = ordinal;
        return CUDA_SUCCESS;
    });
}

EMULATOR_API CUresult cuDeviceGetName(char* name, int length, CUdevice device) {
    return with_device(device, [&](CUctx_st&) -> CUresult {
        if (!name || length < 1) return CUDA_ERROR_INVALID_VALUE;
        std::snprintf(name, static_cast<usize>(length), "Emulated GPU");
        return CUDA_SUCCESS;
    });
}

EMULATOR_API CUresult cuDeviceTotalMem_v2(size_t* bytes, CUdevice device) {
    return with_device(device, [&](CUctx_st&) {
        *bytes = driver().memory_bytes;
        return CUDA_SUCCESS;
    });
}

EMULATOR_API CUresult cuDeviceGetAttribute(int* value, int attribute, CUdevice device) {
    return with_device(device, [&](CUctx_st&) -> CUresult {
        if (!value || attribute < 1 || attribute > 150) return CUDA_ERROR_INVALID_VALUE;
        *value = attribute_value(attribute);
        return CUDA_SUCCESS;
    });
}

EMULATOR_API CUresult cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice device) {
    return with_device(device, [&](CUctx_st& primary) {
        primary.users += 1;
        *context = &primary;
        return CUDA_SUCCESS;
    });
}

EMULATOR_API CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) {
    return with_device(device, [&](CUctx_st& primary) -> CUresult {
        if (primary.users == 0) return CUDA_ERROR_INVALID_CONTEXT;
        if (--primary.users == 0) close_context(primary);
        return CUDA_SUCCESS;
    });
}

EMULATOR_API CUresult cuCtxSetCurrent(CUcontext context) {
    std::lock_guard<std::recursive_mutex> guard(driver().lock);
    if (!driver().initialised) return CUDA_ERROR_NOT_INITIALIZED;
    bool known = context == nullptr;
    for (CUctx_st& primary : driver().contexts) known |= context == &primary;
    if (!known) return CUDA_ERROR_INVALID_CONTEXT;
    current_context = context;
    return CUDA_SUCCESS;
}

// For the other stand-ins: is there a current context to work in?
EMULATOR_API int atomscope_emulator_ready() {
    return in_context([](CUctx_st&) { return CUDA_SUCCESS; });
}
