// Allocations and copies of the stand-in for the CUDA driver.
//
// A block of device memory is one of malloc's, so that AddressSanitizer sees what lies beyond it.
// Copies to and from pinned memory happen when the queue is worked off; pageable memory may be
// reused as soon as the call returns, as the driver promises.

#include "driver.hpp"

#include <cstdlib>
#include <cstring>
#include <vector>

namespace emulator {

const Block* block_of(const Blocks& blocks, uintptr_t address, usize bytes) {
    auto after = blocks.upper_bound(address);
    if (after == blocks.begin()) return nullptr;
    auto found = std::prev(after);
    usize offset = address - found->first;
    bool inside = offset <= found->second.bytes && bytes <= found->second.bytes - offset;
    return inside ? &found->second : nullptr;
}

namespace {

// As nobody has written it.
constexpr int GARBAGE = 0xCB;

void* allocate(usize bytes, usize align) {
    void* memory = nullptr;
    if (posix_memalign(&memory, align, bytes) != 0) return nullptr;
    std::memset(memory, GARBAGE, bytes);
    return memory;
}

void release(Blocks& blocks, Blocks::iterator found) {
    std::free(reinterpret_cast<void*>(found->first));
    blocks.erase(found);
}

CUresult check_device(CUctx_st& context, CUdeviceptr address, usize bytes, const char* call) {
    const Block* block = block_of(driver().device_blocks, address, bytes);
    if (block && block->context == &context) return CUDA_SUCCESS;
    return complain(CUDA_ERROR_INVALID_VALUE,
                    "%s: the %zu bytes at 0x%llx do not lie in one block of this device's memory",
                    call, bytes, address);
}

// Whether host memory is pinned; an error if it begins in a pinned block and runs beyond it.
CUresult check_host(const void* host, usize bytes, bool& pinned, const char* call) {
    uintptr_t address = reinterpret_cast<uintptr_t>(host);
    pinned = block_of(driver().pinned_blocks, address, bytes) != nullptr;
    const Block* first = block_of(driver().pinned_blocks, address, 1);
    if (host && (pinned || !first)) return CUDA_SUCCESS;
    return complain(CUDA_ERROR_INVALID_VALUE,
                    "%s: the %zu bytes at %p run beyond a block of pinned memory", call, bytes,
                    host);
}

} // namespace

void release_memory(CUctx_st& context) {
    for (Blocks* blocks : {&driver().device_blocks, &driver().pinned_blocks}) {
        for (auto at = blocks->begin(); at != blocks->end();) {
            auto next = std::next(at);
            if (at->second.context == &context) release(*blocks, at);
            at = next;
        }
    }
    context.used_bytes = 0;
}

} // namespace emulator

using namespace emulator;

EMULATOR_API CUresult cuMemGetInfo_v2(size_t* free, size_t* total) {
    return in_context([&](CUctx_st& context) {
        *total = driver().memory_bytes;
        *free = *total - context.used_bytes;
        return CUDA_SUCCESS;
    });
}

EMULATOR_API CUresult cuMemAlloc_v2(CUdeviceptr* address, size_t bytes) {
    return in_context([&](CUctx_st& context) -> CUresult {
        if (!address || bytes == 0) return CUDA_ERROR_INVALID_VALUE;
        if (bytes > driver().memory_bytes - context.used_bytes) return CUDA_ERROR_OUT_OF_MEMORY;
        void* memory = allocate(bytes, 256);
        if (!memory) return CUDA_ERROR_OUT_OF_MEMORY;
        context.used_bytes += bytes;
        *address = reinterpret_cast<CUdeviceptr>(memory);
        driver().device_blocks[*address] = {bytes, &context};
        return CUDA_SUCCESS;
    });
}

// Work that is queued may still use it: as the real call does, this one waits.
EMULATOR_API CUresult cuMemFree_v2(CUdeviceptr address) {
    return in_context([&](CUctx_st&) -> CUresult {
        if (address == 0) return CUDA_SUCCESS;
        drain_all();
        auto found = driver().device_blocks.find(address);
        if (found == driver().device_blocks.end()) {
            return complain(CUDA_ERROR_INVALID_VALUE, "cuMemFree: nothing was allocated at 0x%llx",
                            address);
        }
        found->second.context->used_bytes -= found->second.bytes;
        release(driver().device_blocks, found);
        return CUDA_SUCCESS;
    });
}

EMULATOR_API CUresult cuMemHostAlloc(void** host, size_t bytes, unsigned flags) {
    return in_context([&](CUctx_st& context) -> CUresult {
        if (!host || bytes == 0 || flags > 7) return CUDA_ERROR_INVALID_VALUE;
        *host = allocate(bytes, 4096);
        if (!*host) return CUDA_ERROR_OUT_OF_MEMORY;
        driver().pinned_blocks[reinterpret_cast<uintptr_t>(*host)] = {bytes, &context};
        return CUDA_SUCCESS;
    });
}

EMULATOR_API CUresult cuMemFreeHost(void* host) {
    return in_context([&](CUctx_st&) -> CUresult {
        drain_all();
        auto found = driver().pinned_blocks.find(reinterpret_cast<uintptr_t>(host));
        if (found == driver().pinned_blocks.end()) {
            return complain(CUDA_ERROR_INVALID_VALUE, "cuMemFreeHost: nothing was allocated at %p",
                            host);
        }
        release(driver().pinned_blocks, found);
        return CUDA_SUCCESS;
    });
}

EMULATOR_API CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void* from, size_t bytes,
                                           CUstream handle) {
    return in_context([&](CUctx_st& context) -> CUresult {
        CUstream stream = stream_of(context, handle, "cuMemcpyHtoDAsync");
        if (!stream) return CUDA_ERROR_INVALID_HANDLE;
        if (bytes == 0) return CUDA_SUCCESS;
        bool pinned = false;
        if (CUresult e = check_device(context, to, bytes, "cuMemcpyHtoDAsync")) return e;
        if (CUresult e = check_host(from, bytes, pinned, "cuMemcpyHtoDAsync")) return e;
        std::shared_ptr<std::vector<char>> staged;
        if (!pinned) {
            const char* begin = static_cast<const char*>(from);
            staged = std::make_shared<std::vector<char>>(begin, begin + bytes);
        }
        enqueue(stream, {0, [=] {
                             const void* source = staged ? staged->data() : from;
                             std::memcpy(reinterpret_cast<void*>(to), source, bytes);
                             return CUDA_SUCCESS;
                         }, nullptr});
        return CUDA_SUCCESS;
    });
}

EMULATOR_API CUresult cuMemcpyDtoHAsync_v2(void* to, CUdeviceptr from, size_t bytes,
                                           CUstream handle) {
    return in_context([&](CUctx_st& context) -> CUresult {
        CUstream stream = stream_of(context, handle, "cuMemcpyDtoHAsync");
        if (!stream) return CUDA_ERROR_INVALID_HANDLE;
        if (bytes == 0) return CUDA_SUCCESS;
        bool pinned = false;
        if (CUresult e = check_device(context, from, bytes, "cuMemcpyDtoHAsync")) return e;
        if (CUresult e = check_host(to, bytes, pinned, "cuMemcpyDtoHAsync")) return e;
        enqueue(stream, {0, [=] {
                             std::memcpy(to, reinterpret_cast<const void*>(from), bytes);
                             return CUDA_SUCCESS;
                         }, nullptr});
        if (!pinned) drain([&] { return stream->queue.empty(); });
        return CUDA_SUCCESS;
    });
}

EMULATOR_API CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes,
                                           CUstream handle) {
    return in_context([&](CUctx_st& context) -> CUresult {
        CUstream stream = stream_of(context, handle, "cuMemcpyDtoDAsync");
        if (!stream) return CUDA_ERROR_INVALID_HANDLE;
        if (bytes == 0) return CUDA_SUCCESS;
        if (CUresult e = check_device(context, to, bytes, "cuMemcpyDtoDAsync")) return e;
        if (CUresult e = check_device(context, from, bytes, "cuMemcpyDtoDAsync")) return e;
        enqueue(stream, {0, [=] {
                             std::memmove(reinterpret_cast<void*>(to),
                                          reinterpret_cast<const void*>(from), bytes);
                             return CUDA_SUCCESS;
                         }, nullptr});
        return CUDA_SUCCESS;
    });
}

EMULATOR_API CUresult cuMemsetD8Async(CUdeviceptr at, unsigned char value, size_t bytes,
                                      CUstream handle) {
    return in_context([&](CUctx_st& context) -> CUresult {
        CUstream stream = stream_of(context, handle, "cuMemsetD8Async");
        if (!stream) return CUDA_ERROR_INVALID_HANDLE;
        if (bytes == 0) return CUDA_SUCCESS;
        if (CUresult e = check_device(context, at, bytes, "cuMemsetD8Async")) return e;
        enqueue(stream, {0, [=] {
                             std::memset(reinterpret_cast<void*>(at), value, bytes);
                             return CUDA_SUCCESS;
                         }, nullptr});
        return CUDA_SUCCESS;
    });
}

// For the other stand-ins: 1 if the bytes lie in one block of the current device's memory.
EMULATOR_API int atomscope_emulator_is_device_memory(const void* at, size_t bytes) {
    int answer = 0;
    in_context([&](CUctx_st& context) {
        const Block* block =
            block_of(driver().device_blocks, reinterpret_cast<uintptr_t>(at), bytes);
        answer = block && block->context == &context;
        return CUDA_SUCCESS;
    });
    return answer;
}
