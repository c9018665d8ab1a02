// See deadlock.hpp.

#include "deadlock.hpp"

#include <cstdio>
#include <cstring>
#include <string>

namespace emulator {

namespace {

const char* file_name(const char* path) {
    const char* slash = std::strrchr(path, '/');
    return slash ? slash + 1 : path;
}

std::string place(const Fiber& fiber) {
    if (fiber.exited) return "exited";
    if (!fiber.what) return "can go on";
    std::string place = "at " + std::string(fiber.what) + " (" + file_name(fiber.file) + ":" +
                        std::to_string(fiber.line) + ")";
    if (fiber.mask != 0) {
        char mask[32];
        std::snprintf(mask, sizeof mask, " of lanes 0x%08x", fiber.mask);
        place += mask;
    }
    return place;
}

// Threads that wait at the same place, as "thread 3 …" or "threads 0-31 …"; at most `most`.
std::string all_places(const Failure& failure, u32 most) {
    std::string all;
    u32 groups = 0;
    for (u32 first = 0; first < failure.threads;) {
        std::string here = place(failure.fibers[first]);
        u32 last = first;
        while (last + 1 < failure.threads && place(failure.fibers[last + 1]) == here) ++last;
        if (groups++ == most) return all + ", …";
        if (!all.empty()) all += ", ";
        all += first == last ? "thread " + std::to_string(first)
                             : "threads " + std::to_string(first) + "-" + std::to_string(last);
        all += " " + here;
        first = last + 1;
    }
    return all;
}

} // namespace

void report_failure(const Failure& failure) {
    std::string caller;
    const char* why = failure.why;
    if (why) {
        u32 index = static_cast<u32>(running - failure.fibers);
        caller = "thread " + std::to_string(index) + " " + place(*running) + "; ";
    } else {
        why = "deadlock, nobody can go on";
    }
    std::string places = all_places(failure, 6);
    std::fprintf(stderr, "emulated GPU: kernel %s, block (%u, %u, %u): %s: %s%s\n",
                 failure.kernel->name, block_index.x, block_index.y, block_index.z, why,
                 caller.c_str(), places.c_str());
}

} // namespace emulator
