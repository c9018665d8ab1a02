// See fiber_stacks.hpp.

#include "fiber_stacks.hpp"

#include "stack_switch.hpp"

#include <cstdio>
#include <cstring>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ADDRESS_SANITIZER 1
#endif
#endif

#ifdef WITH_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace emulator {

namespace {

#ifdef WITH_ADDRESS_SANITIZER
constexpr usize STACK_BYTES = 256 << 10;
#else
constexpr usize STACK_BYTES = 64 << 10;
#endif
constexpr usize GUARD_BYTES = 64 << 10; // whole pages on every machine

unsigned char* region;

unsigned char* stack_of(u32 index) {
    return region + index * (STACK_BYTES + GUARD_BYTES) + GUARD_BYTES;
}

} // namespace

bool prepare_stacks(Fiber& host, u32 threads) {
    host.stack_pointer = context_of_host();
    if (region) return true;
    usize bytes = threads * (STACK_BYTES + GUARD_BYTES);
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void* mapped = mmap(nullptr, bytes, PROT_NONE, flags, -1, 0);
    if (mapped == MAP_FAILED) {
        std::fprintf(stderr, "emulated GPU: no memory for the stacks of %u threads\n", threads);
        return false;
    }
    region = static_cast<unsigned char*>(mapped);
    for (u32 i = 0; i < threads; ++i) mprotect(stack_of(i), STACK_BYTES, PROT_READ | PROT_WRITE);
    return true;
}

void prepare_fiber(Fiber& fiber, u32 index, void (*entry)()) {
    fiber.stack = stack_of(index);
#ifdef WITH_ADDRESS_SANITIZER
    // What an earlier block left when it failed or exited.
    __asan_unpoison_memory_region(fiber.stack, STACK_BYTES);
    fiber.fake_stack = nullptr;
#endif
    // Tops that are a whole number of pages apart would all fall into the same few cache lines.
    unsigned char* top = fiber.stack + STACK_BYTES - index % 64 * 64;
    fiber.stack_pointer = fresh_stack(nullptr, top, fiber.stack, entry);
}

#ifdef WITH_ADDRESS_SANITIZER

namespace {
// Where the host's own stack lies: learned on the first fiber that it switches to.
const void* host_bottom;
usize host_bytes;
bool came_from_host;

void announce(Fiber& from, const Fiber& to) {
    came_from_host = from.stack == nullptr;
    const void* bottom = to.stack ? to.stack : host_bottom;
    usize bytes = to.stack ? STACK_BYTES : host_bytes;
    // A thread that has exited has no more use for its fake stack.
    __sanitizer_start_switch_fiber(from.exited ? nullptr : &from.fake_stack, bottom, bytes);
}

void arrive(void* fake_stack) {
    const void* bottom;
    usize bytes;
    __sanitizer_finish_switch_fiber(fake_stack, &bottom, &bytes);
    if (came_from_host) {
        host_bottom = bottom;
        host_bytes = bytes;
    }
}
} // namespace

void switch_fiber(Fiber& from, Fiber& to) {
    announce(from, to);
    switch_stack(&from.stack_pointer, to.stack_pointer);
    arrive(from.fake_stack);
}

void arrive_on_fiber() { arrive(nullptr); }

#else

void switch_fiber(Fiber& from, Fiber& to) {
    switch_stack(&from.stack_pointer, to.stack_pointer);
}

void arrive_on_fiber() {}

#endif

// Not memset: between shared arrays lie red zones, which may be written but not by an
// instrumented function.
__attribute__((no_sanitize_address)) void fill_with_garbage(unsigned char* begin,
                                                            unsigned char* end) {
    using Word = u64 __attribute__((may_alias, aligned(1)));
    unsigned char* at = begin;
    for (; end - at >= 8; at += 8) *reinterpret_cast<Word*>(at) = 0xa5a5a5a5a5a5a5a5ull;
    for (; at < end; ++at) *at = 0xa5;
}

} // namespace emulator
