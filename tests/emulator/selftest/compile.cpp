// The stand-in for NVRTC: what it accepts, and what its images are good for.

#include "device.hpp"

extern "C" {
int nvrtcVersion(int* major, int* minor);
int nvrtcGetNumSupportedArchs(int* count);
int nvrtcGetSupportedArchs(int* architectures);
int nvrtcCreateProgram(void** program, const char* source, const char* name, int headers,
                       const char* const*, const char* const*);
int nvrtcCompileProgram(void* program, int count, const char* const* options);
int nvrtcDestroyProgram(void** program);
int nvrtcGetCUBINSize(void* program, size_t* bytes);
int nvrtcGetCUBIN(void* program, char* image);
int nvrtcGetProgramLogSize(void* program, size_t* bytes);
int nvrtcGetProgramLog(void* program, char* log);
}

namespace {

struct Compiled {
    int result;
    std::string image, log;
};

Compiled compile(const char* source, const char* architecture) {
    void* program = nullptr;
    CHECK(nvrtcCreateProgram(&program, source, "kernels.cu", 0, nullptr, nullptr) == 0);
    const char* options[] = {"--fmad=false", architecture};
    Compiled compiled{nvrtcCompileProgram(program, 2, options), "", ""};
    size_t bytes = 0;
    CHECK(nvrtcGetProgramLogSize(program, &bytes) == 0 && bytes > 0);
    compiled.log.resize(bytes);
    CHECK(nvrtcGetProgramLog(program, &compiled.log[0]) == 0);
    CHECK((nvrtcGetCUBINSize(program, &bytes) == 0) == (compiled.result == 0));
    if (compiled.result == 0) {
        compiled.image.resize(bytes);
        CHECK(nvrtcGetCUBIN(program, &compiled.image[0]) == 0);
    }
    CHECK(nvrtcDestroyProgram(&program) == 0 && program == nullptr);
    return compiled;
}

} // namespace

void check_compiler() {
    int major = 0, minor = -1, count = 0;
    CHECK(nvrtcVersion(&major, &minor) == 0 && major == 13 && minor == 99);
    CHECK(nvrtcGetNumSupportedArchs(&count) == 0 && count > 1);
    std::vector<int> architectures(static_cast<size_t>(count));
    CHECK(nvrtcGetSupportedArchs(architectures.data()) == 0 && architectures[0] == 75);

    Compiled unknown = compile("source", "--gpu-architecture=sm_35");
    CHECK(unknown.result == 5 && unknown.log.find("sm_35") != std::string::npos);
    Compiled good = compile("source", "--gpu-architecture=sm_90");
    if (good.result != 0) {
        std::printf("result %d, %s", good.result, good.log.c_str());
        return;
    }
    CHECK(good.log.size() == 1); // the terminating zero
    CHECK(good.image.find("kernels.cu") != std::string::npos);
    CHECK(good.image == compile("source", "--gpu-architecture=sm_90").image);
    CHECK(good.image != compile("source", "--gpu-architecture=sm_80").image);
    CHECK(good.image != compile("another", "--gpu-architecture=sm_90").image);

    Device device;
    CUmodule module = nullptr;
    CUfunction function = nullptr;
    MUST(cuModuleLoadData(&module, good.image.c_str()));
    MUST(cuModuleGetFunction(&function, module, "reverse"));
    std::puts("right");
}
