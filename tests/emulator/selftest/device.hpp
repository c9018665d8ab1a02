// What the emulator's own test calls of the CUDA driver, and a device in the state that it needs.

#pragma once

#include "../driver_api.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

extern "C" {
CUresult cuInit(unsigned);
CUresult cuDriverGetVersion(int*);
CUresult cuDeviceGetCount(int*);
CUresult cuDevicePrimaryCtxRetain(CUcontext*, CUdevice);
CUresult cuDevicePrimaryCtxRelease_v2(CUdevice);
CUresult cuCtxSetCurrent(CUcontext);
CUresult cuCtxSynchronize();
CUresult cuMemGetInfo_v2(size_t*, size_t*);
CUresult cuMemAlloc_v2(CUdeviceptr*, size_t);
CUresult cuMemFree_v2(CUdeviceptr);
CUresult cuMemHostAlloc(void**, size_t, unsigned);
CUresult cuMemFreeHost(void*);
CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr, const void*, size_t, CUstream);
CUresult cuMemcpyDtoHAsync_v2(void*, CUdeviceptr, size_t, CUstream);
CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr, CUdeviceptr, size_t, CUstream);
CUresult cuMemsetD8Async(CUdeviceptr, unsigned char, size_t, CUstream);
CUresult cuStreamCreate(CUstream*, unsigned);
CUresult cuStreamSynchronize(CUstream);
CUresult cuStreamDestroy_v2(CUstream);
CUresult cuStreamWaitEvent(CUstream, CUevent, unsigned);
CUresult cuEventCreate(CUevent*, unsigned);
CUresult cuEventRecord(CUevent, CUstream);
CUresult cuEventQuery(CUevent);
CUresult cuEventSynchronize(CUevent);
CUresult cuEventElapsedTime_v2(float*, CUevent, CUevent);
CUresult cuEventDestroy_v2(CUevent);
CUresult cuModuleLoadData(CUmodule*, const void*);
CUresult cuModuleGetFunction(CUfunction*, CUmodule, const char*);
CUresult cuModuleUnload(CUmodule);
CUresult cuFuncSetAttribute(CUfunction, int, int);
CUresult cuLaunchKernel(CUfunction, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,
                        unsigned, CUstream, void**, void**);
CUresult cuGetErrorName(CUresult, const char**);
}

using u32 = unsigned;

// As in kernels.cu.
struct CheckArgs {
    CUdeviceptr out;
    u32 count;
    u32 unused;
};
constexpr u32 THREADS = 256;

// A call that the test needs to succeed.
inline void must(CUresult result, const char* call) {
    if (result == CUDA_SUCCESS) return;
    std::printf("%s: error %d\n", call, result);
    std::exit(1);
}
#define MUST(call) must((call), #call)

struct Device {
    CUcontext context = nullptr;
    CUstream stream = nullptr;
    CUmodule module = nullptr;

    Device() {
        MUST(cuInit(0));
        MUST(cuDevicePrimaryCtxRetain(&context, 0));
        MUST(cuCtxSetCurrent(context));
        MUST(cuStreamCreate(&stream, 1));
        MUST(cuModuleLoadData(&module, "any image"));
    }

    CUdeviceptr allocate(size_t bytes) {
        CUdeviceptr address = 0;
        MUST(cuMemAlloc_v2(&address, bytes));
        return address;
    }

    template <class T> CUdeviceptr copy_of(const std::vector<T>& values) {
        CUdeviceptr address = allocate(values.size() * sizeof(T));
        MUST(cuMemcpyHtoDAsync_v2(address, values.data(), values.size() * sizeof(T), stream));
        return address;
    }

    template <class T> std::vector<T> read(CUdeviceptr address, size_t count) {
        std::vector<T> values(count);
        MUST(cuMemcpyDtoHAsync_v2(values.data(), address, count * sizeof(T), stream));
        MUST(cuStreamSynchronize(stream));
        return values;
    }

    CUfunction kernel(const char* name) {
        CUfunction function = nullptr;
        MUST(cuModuleGetFunction(&function, module, name));
        return function;
    }

    CUresult launch(const char* name, CheckArgs args, u32 blocks = 1, u32 shared = 0) {
        void* parameters[] = {&args};
        return cuLaunchKernel(kernel(name), blocks, 1, 1, THREADS, 1, 1, shared, stream, parameters,
                              nullptr);
    }
};

// Ends the test if a claim is false; says which.
#define CHECK(claim)                                                                           \
    do {                                                                                       \
        if (claim) break;                                                                      \
        std::printf("%s:%d: not true: %s\n", __FILE__, __LINE__, #claim);                      \
        std::exit(1);                                                                          \
    } while (false)

void check_collectives();
void check_compiler();
void check_product();
void check_queues();
void check_refusals();
void check_reuse_of_pinned_memory();
void check_streams(bool with_event);
void measure();
