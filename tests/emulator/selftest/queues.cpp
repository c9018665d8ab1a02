// When queued work is done, in which order, and what the driver refuses.

#include "device.hpp"

#include <thread>

namespace {

constexpr size_t BYTES = 1000;

unsigned char* pinned(unsigned char value) {
    void* host = nullptr;
    MUST(cuMemHostAlloc(&host, BYTES, 0));
    std::memset(host, value, BYTES);
    return static_cast<unsigned char*>(host);
}

bool all_are(const unsigned char* bytes, unsigned char value) {
    for (size_t i = 0; i < BYTES; ++i) {
        if (bytes[i] != value) return false;
    }
    return true;
}

} // namespace

// Nothing is done before somebody synchronises; then all of it, in order.
void check_queues() {
    Device device;
    CUdeviceptr memory = device.allocate(BYTES);
    unsigned char* host = pinned(1);
    CUevent event = nullptr, start = nullptr;
    MUST(cuEventCreate(&event, 0));
    MUST(cuEventCreate(&start, 0));
    CHECK(cuEventQuery(event) == CUDA_SUCCESS); // nobody has recorded it
    MUST(cuMemcpyDtoHAsync_v2(host, memory, BYTES, device.stream));
    CHECK(all_are(host, 1));
    MUST(cuStreamSynchronize(device.stream));
    CHECK(all_are(host, 0xCB)); // what memory holds that nobody has written

    MUST(cuEventRecord(start, device.stream));
    MUST(cuMemsetD8Async(memory, 7, BYTES, device.stream));
    MUST(cuMemcpyDtoHAsync_v2(host, memory, BYTES, device.stream));
    MUST(cuEventRecord(event, device.stream));
    MUST(cuMemsetD8Async(memory, 8, BYTES, device.stream));
    CHECK(all_are(host, 0xCB));
    int queries = 0;
    for (CUresult result = CUDA_ERROR_NOT_READY; result; ++queries) {
        result = cuEventQuery(event);
        CHECK(result == CUDA_SUCCESS || result == CUDA_ERROR_NOT_READY);
        CHECK(result != CUDA_SUCCESS || all_are(host, 7));
    }
    float milliseconds = -1;
    MUST(cuEventElapsedTime_v2(&milliseconds, start, event));
    CHECK(milliseconds >= 0);
    MUST(cuEventSynchronize(event));
    MUST(cuEventDestroy_v2(event));
    MUST(cuMemFree_v2(memory));
    MUST(cuMemFreeHost(host));
    std::puts("right");
}

// A pinned buffer that is written again too early: the copy takes what is in it by then.
void check_reuse_of_pinned_memory() {
    Device device;
    CUdeviceptr memory = device.allocate(BYTES);
    unsigned char* host = pinned(1);
    MUST(cuMemcpyHtoDAsync_v2(memory, host, BYTES, device.stream));
    std::memset(host, 2, BYTES);
    CHECK(device.read<unsigned char>(memory, BYTES) == std::vector<unsigned char>(BYTES, 2));
    // Pageable memory is free as soon as the call returns.
    std::vector<unsigned char> pageable(BYTES, 3);
    MUST(cuMemcpyHtoDAsync_v2(memory, pageable.data(), BYTES, device.stream));
    pageable.assign(BYTES, 4);
    CHECK(device.read<unsigned char>(memory, BYTES) == std::vector<unsigned char>(BYTES, 3));
    std::puts("right");
}

// One stream writes, another reads; the event between them decides whether the answer holds.
void check_streams(bool with_event) {
    Device device;
    CUstream other = nullptr;
    CUevent event = nullptr;
    MUST(cuStreamCreate(&other, 1));
    MUST(cuEventCreate(&event, 2));
    CUdeviceptr memory = device.allocate(BYTES);
    unsigned char* host = pinned(0);
    MUST(cuMemsetD8Async(memory, 1, BYTES, device.stream));
    MUST(cuMemsetD8Async(memory, 2, BYTES, device.stream));
    MUST(cuEventRecord(event, device.stream));
    if (with_event) MUST(cuStreamWaitEvent(other, event, 0));
    MUST(cuMemcpyDtoHAsync_v2(host, memory, BYTES, other));
    // Another host thread may do the waiting.
    std::thread([&] {
        CHECK(cuStreamSynchronize(other) == CUDA_ERROR_INVALID_CONTEXT);
        MUST(cuCtxSetCurrent(device.context));
        MUST(cuStreamSynchronize(other));
    }).join();
    std::puts(all_are(host, 2) ? "right" : "wrong");
}

void check_refusals() {
    CUdeviceptr address = 0;
    CHECK(cuMemAlloc_v2(&address, 16) == CUDA_ERROR_NOT_INITIALIZED);
    MUST(cuInit(0));
    CHECK(cuMemAlloc_v2(&address, 16) == CUDA_ERROR_INVALID_CONTEXT);
    Device device;
    size_t free_bytes = 0, total = 0;
    CHECK(cuMemAlloc_v2(&address, 0) == CUDA_ERROR_INVALID_VALUE);
    address = device.allocate(BYTES);
    MUST(cuMemGetInfo_v2(&free_bytes, &total));
    CHECK(free_bytes == total - BYTES);
    CUdeviceptr more = 0;
    CHECK(cuMemAlloc_v2(&more, free_bytes + 1) == CUDA_ERROR_OUT_OF_MEMORY);
    CHECK(cuMemsetD8Async(address + 1, 0, BYTES, device.stream) == CUDA_ERROR_INVALID_VALUE);
    MUST(cuMemsetD8Async(address + 1, 0, BYTES - 1, device.stream));
    CHECK(cuMemFree_v2(address + 8) == CUDA_ERROR_INVALID_VALUE);
    unsigned char* host = pinned(0);
    CHECK(cuMemcpyHtoDAsync_v2(address, host + 1, BYTES, device.stream) ==
          CUDA_ERROR_INVALID_VALUE);

    CUfunction function = nullptr;
    CHECK(cuModuleGetFunction(&function, device.module, "no_such_kernel") == CUDA_ERROR_NOT_FOUND);
    function = device.kernel("reverse");
    CheckArgs args{address, 0, 0};
    void* parameters[] = {&args};
    auto launch = [&](u32 x, u32 y, u32 threads, u32 shared) {
        return cuLaunchKernel(function, x, y, 1, threads, 1, 1, shared, device.stream, parameters,
                              nullptr);
    };
    CHECK(launch(1, 1, THREADS + 32, 0) == CUDA_ERROR_INVALID_VALUE);
    CHECK(launch(0, 1, THREADS, 0) == CUDA_ERROR_INVALID_VALUE);
    CHECK(launch(1, 65536, THREADS, 0) == CUDA_ERROR_INVALID_VALUE);
    CHECK(launch(1, 1, THREADS, 49153) == CUDA_ERROR_INVALID_VALUE);
    CHECK(cuFuncSetAttribute(function, 8, 232449) == CUDA_ERROR_INVALID_VALUE);
    MUST(cuMemFree_v2(address));
    CHECK(cuMemFree_v2(address) == CUDA_ERROR_INVALID_VALUE);
    MUST(cuModuleUnload(device.module));
    CHECK(cuModuleGetFunction(&function, device.module, "reverse") == CUDA_ERROR_INVALID_HANDLE);
    MUST(cuStreamDestroy_v2(device.stream));
    CHECK(cuStreamSynchronize(device.stream) == CUDA_ERROR_INVALID_HANDLE);
    MUST(cuDevicePrimaryCtxRelease_v2(0));
    CHECK(cuMemAlloc_v2(&more, 16) == CUDA_ERROR_CONTEXT_IS_DESTROYED);
    std::puts("right");
}
