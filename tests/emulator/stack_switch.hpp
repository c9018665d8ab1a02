// Leaves one stack and goes on on another.
//
// x86-64: a call that saves what the ABI says a callee must preserve. Its return address is the
// same for every fiber, so that the processor predicts it. Elsewhere: ucontext, which is slower.

#pragma once

#if !defined(__x86_64__) || defined(EMULATOR_UCONTEXT)
#include <cstdint>
#include <ucontext.h>
#endif

namespace emulator {

#if defined(__x86_64__) && !defined(EMULATOR_UCONTEXT)

extern "C" void emulator_switch_stack(void** from, void* to);
asm(R"(
.text
.p2align 4
.hidden emulator_switch_stack
.globl emulator_switch_stack
.type emulator_switch_stack,@function
emulator_switch_stack:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
.size emulator_switch_stack,.-emulator_switch_stack
)");

inline void switch_stack(void** from, void* to) { emulator_switch_stack(from, to); }

// What to switch to so that `entry` starts on the stack that ends at `top` (16-byte aligned).
inline void* fresh_stack(void* /*context*/, unsigned char* top, unsigned char*, void (*entry)()) {
    void** frame = reinterpret_cast<void**>(top);
    *--frame = nullptr; // where entry would return to: it never does
    *--frame = reinterpret_cast<void*>(entry);
    for (int preserved = 0; preserved < 6; ++preserved) *--frame = nullptr;
    return frame;
}
inline void* context_of_host() { return nullptr; }

#else

// The "stack pointer" is the address of a context, which lies at the bottom of the stack.
inline void switch_stack(void** from, void* to) {
    swapcontext(static_cast<ucontext_t*>(*from), static_cast<ucontext_t*>(to));
}
inline void* fresh_stack(void*, unsigned char* top, unsigned char* bottom, void (*entry)()) {
    ucontext_t* context = reinterpret_cast<ucontext_t*>(bottom);
    unsigned char* stack = bottom + (sizeof(ucontext_t) + 63) / 64 * 64;
    getcontext(context);
    context->uc_stack.ss_sp = stack;
    context->uc_stack.ss_size = static_cast<std::size_t>(top - stack);
    context->uc_link = nullptr;
    makecontext(context, entry, 0);
    return context;
}
inline void* context_of_host() {
    static ucontext_t host;
    return &host;
}

#endif

} // namespace emulator
