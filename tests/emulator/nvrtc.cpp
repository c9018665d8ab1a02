// libnvrtc.so.13: compiles nothing. The kernels are in the stand-in for the driver already; an
// image says only which program it is of, and with which options it was made.

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>

#define EMULATOR_API extern "C" __attribute__((visibility("default")))

using Result = int;

namespace {

enum : Result {
    SUCCESS = 0,
    PROGRAM_CREATION_FAILURE = 2,
    INVALID_INPUT = 3,
    INVALID_PROGRAM = 4,
    INVALID_OPTION = 5,
    COMPILATION = 6,
};

constexpr int ARCHITECTURES[] = {75, 80, 86, 89, 90, 100, 120};

struct Program {
    std::string source, name, image, log;
    bool compiled = false;
};

bool is_supported(const char* architecture) {
    for (int known : ARCHITECTURES) {
        if (architecture == "sm_" + std::to_string(known)) return true;
    }
    return false;
}

// The value of an option, written --option=value; null if it is another option.
const char* value_of(const char* option, const char* name) {
    size_t length = std::strlen(name);
    bool is_it = std::strncmp(option, name, length) == 0 && option[length] == '=';
    return is_it ? option + length + 1 : nullptr;
}

// The same source and options give the same bytes, others give other ones (FNV-1a).
std::string digest(const std::string& text) {
    unsigned long long hash = 0xcbf29ce484222325ull;
    for (unsigned char byte : text) hash = (hash ^ byte) * 0x100000001b3ull;
    return std::to_string(hash);
}

Result compile(Program& program, int count, const char* const* options) {
    program.image = "atomscope emulated cubin\n" + program.name + "\n";
    for (int i = 0; i < count; ++i) {
        const char* architecture = value_of(options[i], "--gpu-architecture");
        if (!architecture) architecture = value_of(options[i], "-arch");
        if (architecture && !is_supported(architecture)) {
            program.log = std::string("nvrtc: error: invalid value for --gpu-architecture (") +
                          architecture + ")\n";
            return INVALID_OPTION;
        }
        program.image += std::string(options[i]) + "\n";
    }
    const char* fault = std::getenv("ATOMSCOPE_EMULATOR_FAULT");
    if (fault && std::strcmp(fault, "compile") == 0) {
        program.log = program.name + "(1): error: a fault that the test asked for\n";
        return COMPILATION;
    }
    program.image += digest(program.source) + "\n";
    program.compiled = true;
    return SUCCESS;
}

} // namespace

EMULATOR_API const char* nvrtcGetErrorString(Result result) {
    switch (result) {
    case SUCCESS: return "NVRTC_SUCCESS";
    case PROGRAM_CREATION_FAILURE: return "NVRTC_ERROR_PROGRAM_CREATION_FAILURE";
    case INVALID_INPUT: return "NVRTC_ERROR_INVALID_INPUT";
    case INVALID_PROGRAM: return "NVRTC_ERROR_INVALID_PROGRAM";
    case INVALID_OPTION: return "NVRTC_ERROR_INVALID_OPTION";
    case COMPILATION: return "NVRTC_ERROR_COMPILATION";
    default: return "NVRTC_ERROR unknown";
    }
}

EMULATOR_API Result nvrtcVersion(int* major, int* minor) {
    if (!major || !minor) return INVALID_INPUT;
    // One that no NVRTC has: what this one "compiles" must never be taken from a cache for the real
    // one's.
    *major = 13;
    *minor = 99; // no NVRTC of CUDA 13 has it
    return SUCCESS;
}

EMULATOR_API Result nvrtcGetNumSupportedArchs(int* count) {
    if (!count) return INVALID_INPUT;
    *count = static_cast<int>(sizeof ARCHITECTURES / sizeof *ARCHITECTURES);
    return SUCCESS;
}

EMULATOR_API Result nvrtcGetSupportedArchs(int* architectures) {
    if (!architectures) return INVALID_INPUT;
    std::memcpy(architectures, ARCHITECTURES, sizeof ARCHITECTURES);
    return SUCCESS;
}

EMULATOR_API Result nvrtcCreateProgram(Program** program, const char* source, const char* name,
                                       int headers, const char* const*, const char* const*) {
    if (!program || !source || headers < 0) return INVALID_INPUT;
    *program = new Program;
    (*program)->source = source;
    (*program)->name = name ? name : "default_program";
    return SUCCESS;
}

EMULATOR_API Result nvrtcCompileProgram(Program* program, int count, const char* const* options) {
    if (!program) return INVALID_PROGRAM;
    if (count < 0 || (count > 0 && !options)) return INVALID_INPUT;
    return compile(*program, count, options);
}

EMULATOR_API Result nvrtcDestroyProgram(Program** program) {
    if (!program || !*program) return INVALID_PROGRAM;
    delete *program;
    *program = nullptr;
    return SUCCESS;
}

EMULATOR_API Result nvrtcGetCUBINSize(Program* program, size_t* bytes) {
    if (!program || !program->compiled) return INVALID_PROGRAM;
    if (!bytes) return INVALID_INPUT;
    *bytes = program->image.size() + 1;
    return SUCCESS;
}

EMULATOR_API Result nvrtcGetCUBIN(Program* program, char* image) {
    if (!program || !program->compiled) return INVALID_PROGRAM;
    if (!image) return INVALID_INPUT;
    std::memcpy(image, program->image.c_str(), program->image.size() + 1);
    return SUCCESS;
}

// With the terminating zero: a program without a log has a log of one byte.
EMULATOR_API Result nvrtcGetProgramLogSize(Program* program, size_t* bytes) {
    if (!program) return INVALID_PROGRAM;
    if (!bytes) return INVALID_INPUT;
    *bytes = program->log.size() + 1;
    return SUCCESS;
}

EMULATOR_API Result nvrtcGetProgramLog(Program* program, char* log) {
    if (!program) return INVALID_PROGRAM;
    if (!log) return INVALID_INPUT;
    std::memcpy(log, program->log.c_str(), program->log.size() + 1);
    return SUCCESS;
}
