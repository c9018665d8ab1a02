// The emulator's own test: `selftest CASE` uses the stand-in libraries as any program would, and
// prints one line: what came of it. Which cases exist, and what must come of them, is in
// tests/cuda/emulator_works.rs.

#include "device.hpp"

#include <algorithm>
#include <numeric>

namespace {

constexpr u32 BLOCKS = 5;

// Kernels that turn each block's numbers around, well or badly.
void reverse(const char* kernel) {
    Device device;
    std::vector<u32> numbers(BLOCKS * THREADS);
    std::iota(numbers.begin(), numbers.end(), 1000u);
    CUdeviceptr memory = device.copy_of(numbers);
    MUST(device.launch(kernel, {memory, BLOCKS * THREADS, 0}, BLOCKS));
    std::vector<u32> found = device.read<u32>(memory, numbers.size());
    for (u32 block = 0; block < BLOCKS; ++block) {
        std::reverse(numbers.begin() + block * THREADS, numbers.begin() + (block + 1) * THREADS);
    }
    std::puts(found == numbers ? "right" : "wrong");
}

void lost_update() {
    Device device;
    CUdeviceptr memory = device.copy_of(std::vector<u32>(2, 0));
    MUST(device.launch("lost_update", {memory, 2, 0}));
    std::vector<u32> found = device.read<u32>(memory, 2);
    CHECK(found[1] == THREADS);
    std::puts(found[0] == THREADS ? "right" : "wrong");
}

// A launch that fails: the error comes with the next synchronisation, and stays.
void launch(const char* kernel, u32 unused) {
    Device device;
    CUdeviceptr memory = device.copy_of(std::vector<u32>(THREADS, 0));
    MUST(device.launch(kernel, {memory, THREADS, unused}, 1, 4 * THREADS));
    CUresult result = cuStreamSynchronize(device.stream);
    CUdeviceptr more = 0;
    CHECK(cuMemAlloc_v2(&more, 16) == result);
    if (result != CUDA_SUCCESS) CHECK(cuCtxSynchronize() == result);
    std::printf("result %d\n", result);
}

// The device starts as a test asked for, or does not.
void start() {
    int version = 0, devices = 0;
    CHECK(cuDriverGetVersion(&version) == CUDA_SUCCESS);
    CUresult result = cuInit(0);
    CHECK(cuDeviceGetCount(&devices) == (result ? CUDA_ERROR_NOT_INITIALIZED : CUDA_SUCCESS));
    std::printf("version %d, result %d, devices %d\n", version, result, devices);
}

} // namespace

int main(int count, char** arguments) {
    std::string test = count > 1 ? arguments[1] : "";
    if (test == "reverse" || test == "missing_barrier") reverse(test.c_str());
    else if (test == "lost_update") lost_update();
    else if (test == "collectives") check_collectives();
    else if (test == "compile") check_compiler();
    else if (test == "queues") check_queues();
    else if (test == "pinned") check_reuse_of_pinned_memory();
    else if (test == "streams") check_streams(true);
    else if (test == "streams_without_event") check_streams(false);
    else if (test == "refusals") check_refusals();
    else if (test == "product") check_product();
    else if (test == "start") start();
    else if (test == "measure") measure();
    else launch(test.c_str(), test == "out_of_shared_bounds" ? 1 : 0);
    return 0;
}
