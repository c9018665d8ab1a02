// Small, fast and seeded: xorshift64*, behind one round of splitmix64 so that seeds 1, 2, 3, …
// have nothing in common.

#pragma once

namespace emulator {

struct Random {
    unsigned long long state;

    explicit Random(unsigned long long seed = 0) {
        unsigned long long z = seed + 0x9e3779b97f4a7c15ull;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
        state = (z ^ (z >> 31)) | 1;
    }

    unsigned next() {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        return (unsigned)((state * 0x2545f4914f6cdd1dull) >> 32);
    }

    // 0 ..= bound − 1.
    unsigned below(unsigned bound) {
        return (unsigned)(((unsigned long long)next() * bound) >> 32);
    }
};

} // namespace emulator
