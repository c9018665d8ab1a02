// Modules and kernels of the stand-in for the CUDA driver: every module has all kernels that this
// library was built with, or those of its family where its image says which that is.

#include "driver.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace emulator {

const Kernel* first_kernel;

Kernel::Kernel(const char* name, const char* family, usize args_bytes, usize args_align,
               u32 max_threads, void (*body)(const void*), unsigned char* shared_begin,
               unsigned char* shared_end)
    : name(name), family(family), args_bytes(args_bytes), args_align(args_align),
      max_threads(max_threads), body(body), shared_begin(shared_begin), shared_end(shared_end),
      next(first_kernel) {
    first_kernel = this;
}

namespace {

constexpr int DEFAULT_DYNAMIC_SHARED = 48 << 10;
constexpr int MOST_DYNAMIC_SHARED = 227 << 10;
// What nvrtc.cpp begins an image with; the name of the program follows.
constexpr char IMAGE_MAGIC[] = "atomscope emulated cubin\n";

// The family that an image was compiled from; empty if it is not one of nvrtc.cpp, or of none.
std::string family_of_image(const char* image) {
    if (std::strncmp(image, IMAGE_MAGIC, sizeof IMAGE_MAGIC - 1) != 0) return {};
    const char* name = image + sizeof IMAGE_MAGIC - 1;
    std::string stem(name, std::strcspn(name, ".\n"));
    for (const Kernel* kernel = first_kernel; kernel; kernel = kernel->next) {
        if (stem == kernel->family) return stem;
    }
    return {};
}

const Kernel* find_kernel(const CUmod_st& module, const char* name) {
    for (const Kernel* kernel = first_kernel; kernel; kernel = kernel->next) {
        bool of_module = module.family.empty() || module.family == kernel->family;
        if (of_module && std::strcmp(kernel->name, name) == 0) return kernel;
    }
    return nullptr;
}

CUresult check_launch(const CUfunc_st& function, Index grid, Index block, unsigned shared) {
    const char* name = function.kernel->name;
    u64 threads = static_cast<u64>(block.x) * block.y * block.z;
    bool grid_fits = grid.x - 1 < 0x7fffffffu && grid.y - 1 < 65535 && grid.z - 1 < 65535;
    if (!grid_fits) {
        return complain(CUDA_ERROR_INVALID_VALUE, "cuLaunchKernel %s: a grid of %u x %u x %u", name,
                        grid.x, grid.y, grid.z);
    }
    if (threads == 0 || block.z > 64 || threads > function.kernel->max_threads) {
        return complain(CUDA_ERROR_INVALID_VALUE,
                        "cuLaunchKernel %s: blocks of %u x %u x %u threads, at most %u are allowed",
                        name, block.x, block.y, block.z, function.kernel->max_threads);
    }
    if (shared > static_cast<unsigned>(function.max_dynamic_shared)) {
        return complain(CUDA_ERROR_INVALID_VALUE,
                        "cuLaunchKernel %s: %u bytes of dynamic shared memory, at most %d are "
                        "allowed until cuFuncSetAttribute says otherwise",
                        name, shared, function.max_dynamic_shared);
    }
    return CUDA_SUCCESS;
}

// A copy of the arguments, aligned as the struct is and not a byte longer.
std::shared_ptr<void> copy_of_arguments(const Kernel& kernel, const void* args) {
    void* copy = nullptr;
    usize align = kernel.args_align < sizeof(void*) ? sizeof(void*) : kernel.args_align;
    if (posix_memalign(&copy, align, kernel.args_bytes) != 0) return nullptr;
    std::memcpy(copy, args, kernel.args_bytes);
    return {copy, std::free};
}

CUresult run_launch(const Launch& launch, u64 number) {
    const Fault& fault = driver().fault;
    if (fault.kind == "launch" && number >= fault.number) return CUDA_ERROR_LAUNCH_FAILED;
    return run_grid(launch) ? CUDA_SUCCESS : CUDA_ERROR_LAUNCH_FAILED;
}

} // namespace

} // namespace emulator

using namespace emulator;

EMULATOR_API CUresult cuModuleLoadData(CUmodule* handle, const void* image) {
    return in_context([&](CUctx_st& context) -> CUresult {
        if (!handle || !image) return CUDA_ERROR_INVALID_VALUE;
        if (driver().fault.kind == "module") return CUDA_ERROR_NO_BINARY_FOR_GPU;
        auto module = std::make_unique<CUmod_st>();
        module->context = &context;
        module->family = family_of_image(static_cast<const char*>(image));
        *handle = module.get();
        context.modules[*handle] = std::move(module);
        return CUDA_SUCCESS;
    });
}

EMULATOR_API CUresult cuModuleGetFunction(CUfunction* handle, CUmodule module, const char* name) {
    return in_context([&](CUctx_st& context) -> CUresult {
        if (!handle || !name) return CUDA_ERROR_INVALID_VALUE;
        if (!context.modules.count(module)) return CUDA_ERROR_INVALID_HANDLE;
        const Kernel* kernel = find_kernel(*module, name);
        if (!kernel) return CUDA_ERROR_NOT_FOUND;
        CUfunc_st fresh{kernel, &context, DEFAULT_DYNAMIC_SHARED};
        *handle = &module->functions.emplace(name, fresh).first->second;
        context.functions.insert(*handle);
        return CUDA_SUCCESS;
    });
}

EMULATOR_API CUresult cuModuleUnload(CUmodule module) {
    return in_context([&](CUctx_st& context) -> CUresult {
        if (!context.modules.count(module)) return CUDA_ERROR_INVALID_HANDLE;
        drain_all();
        for (auto& entry : module->functions) context.functions.erase(&entry.second);
        context.modules.erase(module);
        return CUDA_SUCCESS;
    });
}

EMULATOR_API CUresult cuFuncSetAttribute(CUfunction function, int attribute, int value) {
    return in_context([&](CUctx_st& context) -> CUresult {
        if (!context.functions.count(function)) return CUDA_ERROR_INVALID_HANDLE;
        if (attribute == 9) return CUDA_SUCCESS; // preferred carve-out: a hint
        bool fits = attribute == 8 && value >= 0 && value <= MOST_DYNAMIC_SHARED;
        if (!fits) return CUDA_ERROR_INVALID_VALUE;
        function->max_dynamic_shared = value;
        return CUDA_SUCCESS;
    });
}

EMULATOR_API CUresult cuFuncGetAttribute(int* value, int attribute, CUfunction function) {
    return in_context([&](CUctx_st& context) -> CUresult {
        if (!context.functions.count(function)) return CUDA_ERROR_INVALID_HANDLE;
        if (!value || attribute < 0 || attribute > 17) return CUDA_ERROR_INVALID_VALUE;
        *value = attribute == 0   ? static_cast<int>(function->kernel->max_threads)
                 : attribute == 4 ? 32 // registers
                 : attribute == 5 || attribute == 6 ? driver().compute_capability
                 : attribute == 8                   ? function->max_dynamic_shared
                                                    : 0;
        return CUDA_SUCCESS;
    });
}

// As many as there are threads, blocks and shared memory for.
EMULATOR_API CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, CUfunction function,
                                                                  int threads, size_t shared) {
    return in_context([&](CUctx_st& context) -> CUresult {
        if (!context.functions.count(function)) return CUDA_ERROR_INVALID_HANDLE;
        if (!blocks || threads <= 0) return CUDA_ERROR_INVALID_VALUE;
        size_t by_threads = static_cast<size_t>(2048 / threads);
        size_t by_shared = 233472 / (shared + 1024);
        *blocks = static_cast<int>(std::min({by_threads, by_shared, size_t{32}}));
        return CUDA_SUCCESS;
    });
}

EMULATOR_API CUresult cuLaunchKernel(CUfunction function, unsigned grid_x, unsigned grid_y,
                                     unsigned grid_z, unsigned block_x, unsigned block_y,
                                     unsigned block_z, unsigned shared, CUstream handle,
                                     void** parameters, void** extra) {
    return in_context([&](CUctx_st& context) -> CUresult {
        CUstream stream = stream_of(context, handle, "cuLaunchKernel");
        if (!stream || !context.functions.count(function)) return CUDA_ERROR_INVALID_HANDLE;
        if (extra || !parameters || !parameters[0]) return CUDA_ERROR_INVALID_VALUE;
        Index grid{grid_x, grid_y, grid_z}, block{block_x, block_y, block_z};
        if (CUresult error = check_launch(*function, grid, block, shared)) return error;
        const Kernel* kernel = function->kernel;
        auto args = copy_of_arguments(*kernel, parameters[0]);
        if (!args) return CUDA_ERROR_OUT_OF_MEMORY;
        u64 number = ++driver().launches;
        u64 seed = driver().seed == 0 ? 0 : driver().seed * 0x100000001b3ull + number;
        enqueue(stream, {0, [=] {
                             return run_launch({kernel, grid, block, shared, args.get(), seed},
                                               number);
                         }, nullptr});
        return CUDA_SUCCESS;
    });
}
