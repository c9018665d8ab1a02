// Barriers, shuffles and votes: where a thread waits for others, and so may lose its turn.
//
// Every one knows the line that it was called from: a thread that waits at another barrier than
// its block is then an error, though many a device would let it pass.

#pragma once

#include "../fibers.hpp"

#define EMULATOR_CALLER const char* file = __builtin_FILE(), unsigned line = __builtin_LINE()
#define EMULATOR_HERE emulator::Site{__func__, file, line}

inline void __syncthreads(EMULATOR_CALLER) { emulator::barrier(false, EMULATOR_HERE); }
inline int __syncthreads_count(int predicate, EMULATOR_CALLER) {
    return (int)emulator::barrier(predicate != 0, EMULATOR_HERE).holding;
}
inline int __syncthreads_or(int predicate, EMULATOR_CALLER) {
    return emulator::barrier(predicate != 0, EMULATOR_HERE).holding != 0;
}
inline int __syncthreads_and(int predicate, EMULATOR_CALLER) {
    emulator::Votes votes = emulator::barrier(predicate != 0, EMULATOR_HERE);
    return votes.holding == votes.threads;
}
inline void __syncwarp(unsigned mask = 0xffffffffu, EMULATOR_CALLER) {
    emulator::collective(emulator::Kind::vote, mask, 0, 0, EMULATOR_HERE);
}

namespace emulator {
inline u32 vote(u32 mask, int predicate, Site site) {
    return (u32)collective(Kind::vote, mask, predicate != 0, 0, site);
}
} // namespace emulator
inline unsigned __ballot_sync(unsigned mask, int predicate, EMULATOR_CALLER) {
    return emulator::vote(mask, predicate, EMULATOR_HERE);
}
inline int __any_sync(unsigned mask, int predicate, EMULATOR_CALLER) {
    return emulator::vote(mask, predicate, EMULATOR_HERE) != 0;
}
inline int __all_sync(unsigned mask, int predicate, EMULATOR_CALLER) {
    return emulator::vote(mask, predicate, EMULATOR_HERE) == mask;
}
inline unsigned __activemask() { return emulator::active_lanes(); }

namespace emulator {
// A value of up to eight bytes as the number that the scheduler hands from lane to lane.
template <class T> inline u64 packed(T value) {
    static_assert(sizeof(T) <= 8, "a shuffle moves at most eight bytes");
    u64 bits = 0;
    __builtin_memcpy(&bits, &value, sizeof value);
    return bits;
}
template <class T> inline T unpacked(u64 bits) {
    T value;
    __builtin_memcpy(&value, &bits, sizeof value);
    return value;
}
template <class T> inline T shuffle(u32 mask, T value, u32 source, Site site) {
    return unpacked<T>(collective(Kind::shuffle, mask, packed(value), source, site));
}
} // namespace emulator

template <class T>
inline unsigned __match_any_sync(unsigned mask, T value, EMULATOR_CALLER) {
    unsigned long long bits = emulator::packed(value);
    return (unsigned)emulator::collective(emulator::Kind::match, mask, bits, 0, EMULATOR_HERE);
}

// A source outside of the segment of `width` lanes leaves a lane its own value.
template <class T>
inline T __shfl_sync(unsigned mask, T value, int source, int width = 32, EMULATOR_CALLER) {
    unsigned last = (unsigned)width - 1, first = emulator::lane() & ~last;
    return emulator::shuffle(mask, value, first + ((unsigned)source & last), EMULATOR_HERE);
}
template <class T>
inline T __shfl_xor_sync(unsigned mask, T value, int lanes, int width = 32, EMULATOR_CALLER) {
    unsigned lane = emulator::lane(), last = lane | ((unsigned)width - 1);
    unsigned other = lane ^ (unsigned)lanes;
    return emulator::shuffle(mask, value, other <= last ? other : lane, EMULATOR_HERE);
}
template <class T>
inline T __shfl_up_sync(unsigned mask, T value, unsigned lanes, int width = 32, EMULATOR_CALLER) {
    unsigned lane = emulator::lane(), first = lane & ~((unsigned)width - 1);
    unsigned other = lane >= first + lanes ? lane - lanes : lane;
    return emulator::shuffle(mask, value, other, EMULATOR_HERE);
}
template <class T>
inline T __shfl_down_sync(unsigned mask, T value, unsigned lanes, int width = 32,
                          EMULATOR_CALLER) {
    unsigned lane = emulator::lane(), last = lane | ((unsigned)width - 1);
    unsigned other = lane + lanes <= last ? lane + lanes : lane;
    return emulator::shuffle(mask, value, other, EMULATOR_HERE);
}

// A fence orders nothing here (threads run one at a time), but the turn may pass at one.
inline void __threadfence() { emulator::maybe_yield(); }
inline void __threadfence_block() { emulator::maybe_yield(); }
inline void __threadfence_system() { emulator::maybe_yield(); }
inline void __nanosleep(unsigned) { emulator::yield(); }
inline long long clock64() { return (long long)emulator::ticks(); }
