// The scheduler: which thread of the block has its turn, what it waits for, and when nobody can
// go on. See fibers.hpp.

#include "fibers.hpp"

#include "deadlock.hpp"
#include "fiber_stacks.hpp"
#include "random.hpp"

#include <cstdlib>
#include <cstring>

namespace emulator {

constexpr u32 MAX_THREADS = 1024;
constexpr u32 LANES = 32;

Fiber* running;
Index block_index, block_size, grid_size;
unsigned char* dynamic_shared;
int until_yield;

namespace {

struct Collective {
    Kind kind;
    u32 mask, line, arrived;
    u64 values_of_voters;
};

} // namespace

struct Warp {
    Fiber* fibers; // of lane 0
    u32 live;      // lanes that have not exited
    u32 pending_count;
    Collective pending[LANES];
};

namespace {

const Launch* launch;
Random randomness;
bool in_order;
u64 tick;

Fiber fibers[MAX_THREADS];
Warp warps[MAX_THREADS / LANES];
// The stack that runs the grid: switched to when a block is done, or stuck.
Fiber host;
bool failed;

// A warp that lags behind until the next barrier, as one may on a device, so that others run far
// ahead of it; half of the times none.
u32 slow_warp = ~0u;

// The threads that can go on, in no order. In-order runs take the last, and so put the first last.
unsigned short ready[MAX_THREADS];
// How many there are, and how many of them are of the slow warp.
u32 ready_count, slow_ready_count;
u32 threads, live_count;

struct Barrier {
    u32 arrived, holding;
    Votes votes; // of the last barrier that was passed
    Site site;
} block_barrier;

u32 index_of(const Fiber* fiber) { return static_cast<u32>(fiber - fibers); }

void make_ready(u32 fiber) {
    ready[ready_count++] = static_cast<unsigned short>(fiber);
    slow_ready_count += fiber / LANES == slow_warp;
}

void none_is_ready() { ready_count = slow_ready_count = 0; }

u32 take_ready(u32 chosen) {
    u32 fiber = ready[chosen];
    ready[chosen] = ready[--ready_count];
    slow_ready_count -= fiber / LANES == slow_warp;
    return fiber;
}

void set_next_yield() {
    until_yield = in_order ? 0x7fffffff : 1 + static_cast<int>(randomness.below(16));
}

[[noreturn]] void fail(const char* why) {
    report_failure({launch->kernel, fibers, threads, why});
    failed = true;
    Fiber* self = running;
    running = &host;
    switch_fiber(*self, host);
    std::abort(); // nobody switches back
}

u32 choose() {
    if (in_order) return ready_count - 1;
    u32 chosen = randomness.below(ready_count);
    if (slow_ready_count == ready_count) return chosen; // nobody else to draw
    for (int tries = 0; tries < 64 && ready[chosen] / LANES == slow_warp; ++tries) {
        chosen = randomness.below(ready_count);
    }
    return chosen;
}

// Passes the turn to a ready thread, perhaps to the caller itself; comes back when it is its own.
void suspend() {
    if (ready_count == 0) fail(nullptr);
    Fiber* next = &fibers[take_ready(choose())];
    Fiber* self = running;
    if (next == self) return;
    running = next;
    switch_fiber(*self, *next);
}

void pass_barrier() {
    block_barrier.votes = {block_barrier.holding, block_barrier.arrived};
    block_barrier.arrived = block_barrier.holding = 0;
    none_is_ready();
    if (!in_order) slow_warp = randomness.below(2 * ((threads + LANES - 1) / LANES));
    for (u32 i = threads; i-- > 0;) {
        if (fibers[i].exited) continue;
        fibers[i].what = nullptr;
        make_ready(i);
    }
}

bool same_place(const Site& a, const Site& b) {
    return a.line == b.line && (a.file == b.file || std::strcmp(a.file, b.file) == 0);
}

void wait_for(Fiber& fiber, u32 mask, const Site& site) {
    fiber.mask = mask;
    fiber.what = site.what;
    fiber.file = site.file;
    fiber.line = site.line;
}

// The thread that has its turn is done. Never comes back.
[[noreturn]] void exit_thread() {
    Fiber* self = running;
    self->exited = true;
    self->warp->live &= ~(1u << self->lane);
    if (--live_count > 0) {
        // As on a device, a barrier does not wait for threads that have exited.
        if (block_barrier.arrived == live_count) pass_barrier();
        suspend();
    }
    running = &host;
    switch_fiber(*self, host);
    std::abort();
}

void thread_entry() {
    arrive_on_fiber();
    launch->kernel->body(launch->args);
    exit_thread();
}

void complete(Warp& warp, const Collective& done) {
    u64 taken[LANES];
    for (u32 rest = done.mask; rest != 0; rest &= rest - 1) {
        u32 lane = static_cast<u32>(__builtin_ctz(rest));
        const Fiber& fiber = warp.fibers[lane];
        if (done.kind == Kind::vote) {
            taken[lane] = done.values_of_voters;
        } else if (done.kind == Kind::match) {
            u64 same = 0;
            for (u32 other = 0; other < LANES; ++other) {
                if (!(done.mask >> other & 1)) continue;
                same |= static_cast<u64>(warp.fibers[other].value == fiber.value) << other;
            }
            taken[lane] = same;
        } else {
            if (!(done.mask >> fiber.source & 1)) {
                fail("a lane of a shuffle reads from a lane that is not in the mask");
            }
            taken[lane] = warp.fibers[fiber.source].value;
        }
    }
    for (u32 lane = LANES; lane-- > 0;) {
        if (!(done.mask >> lane & 1)) continue;
        warp.fibers[lane].value = taken[lane];
        warp.fibers[lane].what = nullptr;
        make_ready(index_of(&warp.fibers[lane]));
    }
}

// The collective that the caller takes part in: one that others of the mask wait at, or a new one.
Collective& find_collective(Warp& warp, Kind kind, u32 mask, u32 line) {
    for (u32 i = 0; i < warp.pending_count; ++i) {
        Collective& known = warp.pending[i];
        if (known.mask == mask && known.line == line && known.kind == kind) return known;
    }
    Collective& fresh = warp.pending[warp.pending_count++];
    fresh = {kind, mask, line, 0, 0};
    return fresh;
}

void start_block(Index block) {
    block_index = block;
    const Kernel& kernel = *launch->kernel;
    fill_with_garbage(kernel.shared_begin, kernel.shared_end);
    fill_with_garbage(dynamic_shared, dynamic_shared + launch->dynamic_shared_bytes);
    block_barrier = {};
    threads = live_count = block_size.x * block_size.y * block_size.z;
    none_is_ready();
    for (u32 i = threads; i-- > 0;) {
        Fiber& fiber = fibers[i];
        u32 row = i / block_size.x;
        fiber.thread = {i % block_size.x, row % block_size.y, row / block_size.y};
        fiber.lane = i % LANES;
        fiber.warp = &warps[i / LANES];
        fiber.what = nullptr;
        fiber.exited = false;
        prepare_fiber(fiber, i, thread_entry);
        make_ready(i);
    }
    for (u32 first = 0; first < threads; first += LANES) {
        u32 lanes = threads - first < LANES ? threads - first : LANES;
        Warp& warp = warps[first / LANES];
        warp.fibers = &fibers[first];
        warp.live = lanes == LANES ? ~0u : (1u << lanes) - 1;
        warp.pending_count = 0;
    }
}

void run_block(Index block) {
    start_block(block);
    running = &host;
    suspend();
}

u64 greatest_common_divisor(u64 a, u64 b) { return b == 0 ? a : greatest_common_divisor(b, a % b); }

} // namespace

Votes barrier(bool predicate, Site site) {
    Fiber& self = *running;
    wait_for(self, 0, site);
    if (block_barrier.arrived == 0) {
        block_barrier.site = site;
    } else if (!same_place(block_barrier.site, site)) {
        fail("threads of a block wait at different barriers");
    }
    block_barrier.arrived += 1;
    block_barrier.holding += predicate;
    if (block_barrier.arrived == live_count) pass_barrier();
    suspend();
    return block_barrier.votes;
}

u64 collective(Kind kind, u32 mask, u64 value, u32 source, Site site) {
    Fiber& self = *running;
    Warp& warp = *self.warp;
    u32 self_bit = 1u << self.lane;
    wait_for(self, mask, site);
    if (!(mask & self_bit)) fail("a lane is not in the mask that it gives");
    if (mask & ~warp.live) fail("a mask has lanes that have exited or do not exist");
    self.value = value;
    self.source = source;
    Collective& joined = find_collective(warp, kind, mask, site.line);
    joined.arrived |= self_bit;
    if (kind == Kind::vote && value != 0) joined.values_of_voters |= self_bit;
    if (joined.arrived == mask) {
        Collective done = joined;
        joined = warp.pending[--warp.pending_count];
        complete(warp, done);
    }
    suspend();
    return self.value;
}

// Which lanes run side by side is the device's affair: the least that it may say is the caller.
u32 active_lanes() { return in_order ? running->warp->live : 1u << running->lane; }

u64 ticks() {
    maybe_yield();
    return ++tick;
}

void yield() {
    set_next_yield();
    make_ready(index_of(running));
    suspend();
}

bool run_grid(const Launch& what) {
    launch = &what;
    in_order = what.seed == 0;
    randomness = Random(what.seed);
    failed = false;
    grid_size = what.grid;
    block_size = what.block;
    if (!prepare_stacks(host, MAX_THREADS)) return false;
    void* shared = nullptr;
    if (posix_memalign(&shared, 16, what.dynamic_shared_bytes) != 0) return false;
    dynamic_shared = static_cast<unsigned char*>(shared);
    set_next_yield();

    // Blocks in the order start, start + stride, … modulo their number.
    u64 blocks = static_cast<u64>(what.grid.x) * what.grid.y * what.grid.z;
    u64 stride = 1, block = 0;
    if (!in_order && blocks > 2) {
        block = (static_cast<u64>(randomness.next()) << 32 | randomness.next()) % blocks;
        do stride = 1 + (static_cast<u64>(randomness.next()) << 16) % (blocks - 1);
        while (greatest_common_divisor(stride, blocks) != 1);
    }
    for (u64 run = 0; run < blocks && !failed; ++run) {
        u64 row = block / what.grid.x;
        run_block({static_cast<u32>(block % what.grid.x), static_cast<u32>(row % what.grid.y),
                   static_cast<u32>(row / what.grid.y)});
        block = (block + stride) % blocks;
    }
    std::free(shared);
    return !failed;
}

} // namespace emulator
