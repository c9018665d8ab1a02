// Atomics and loads. Threads run one at a time, so that a plain operation is atomic; before and
// after it the turn may pass to another thread, so that what only looks atomic shows its races.

#pragma once

#include "../fibers.hpp"

#define EMULATOR_ATOMIC(name, T, result)                                                       \
    inline T name(T* at, T value) {                                                            \
        emulator::maybe_yield();                                                               \
        T old = *at;                                                                           \
        *at = result;                                                                          \
        emulator::maybe_yield();                                                               \
        return old;                                                                            \
    }
#define EMULATOR_ATOMICS_OF_INTEGERS(T)                                                        \
    EMULATOR_ATOMIC(atomicMin, T, value < old ? value : old)                                   \
    EMULATOR_ATOMIC(atomicMax, T, value > old ? value : old)                                   \
    EMULATOR_ATOMIC(atomicAnd, T, old & value)                                                 \
    EMULATOR_ATOMIC(atomicOr, T, old | value)                                                  \
    EMULATOR_ATOMIC(atomicXor, T, old ^ value)
#define EMULATOR_ATOMIC_CAS(T)                                                                 \
    inline T atomicCAS(T* at, T expected, T desired) {                                         \
        emulator::maybe_yield();                                                               \
        T old = *at;                                                                           \
        if (old == expected) *at = desired;                                                    \
        emulator::maybe_yield();                                                               \
        return old;                                                                            \
    }

EMULATOR_ATOMIC(atomicAdd, int, (int)((unsigned)old + (unsigned)value))
EMULATOR_ATOMIC(atomicAdd, unsigned, old + value)
EMULATOR_ATOMIC(atomicAdd, unsigned long long, old + value)
EMULATOR_ATOMIC(atomicAdd, float, old + value)
EMULATOR_ATOMIC(atomicAdd, double, old + value)
EMULATOR_ATOMIC(atomicSub, int, (int)((unsigned)old - (unsigned)value))
EMULATOR_ATOMIC(atomicSub, unsigned, old - value)
EMULATOR_ATOMIC(atomicExch, int, value)
EMULATOR_ATOMIC(atomicExch, unsigned, value)
EMULATOR_ATOMIC(atomicExch, unsigned long long, value)
EMULATOR_ATOMIC(atomicExch, float, value)
EMULATOR_ATOMICS_OF_INTEGERS(int)
EMULATOR_ATOMICS_OF_INTEGERS(unsigned)
EMULATOR_ATOMICS_OF_INTEGERS(long long)
EMULATOR_ATOMICS_OF_INTEGERS(unsigned long long)
EMULATOR_ATOMIC_CAS(int)
EMULATOR_ATOMIC_CAS(unsigned)
EMULATOR_ATOMIC_CAS(unsigned short)
EMULATOR_ATOMIC_CAS(unsigned long long)

template <class T> inline T __ldg(const T* from) { return *from; }
template <class T> inline T __ldcs(const T* from) { return *from; }
template <class T> inline T __ldcg(const T* from) { return *from; }
template <class T> inline void __stcs(T* to, T value) { *to = value; }
template <class T> inline void __stcg(T* to, T value) { *to = value; }
