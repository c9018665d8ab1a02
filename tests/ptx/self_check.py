"""Checks the checker: fused sums against whole numbers, and PTX with a fault each, which must be named."""

from fractions import Fraction

import numpy as np

import parser
from case import Case, Output, run, same
from floats import fma32, fma64
from machine import Program
from ops import function_of

HEAD = ".version 9.0\n.target sm_75\n.address_size 64\n"


def entry(body, shared=4):
    """A kernel whose argument is two addresses, `in` and `out`, of 64 numbers each."""
    return HEAD + f""".visible .entry kernel(
    .param .align 8 .b8 kernel_param_0[16]
)
.maxntid 64
{{
    .reg .pred %p<9>;
    .reg .b32 %r<9>;
    .reg .f32 %f<9>;
    .reg .b64 %rd<9>;
    .shared .align 4 .b8 space[{shared}];
    ld.param.u64 %rd1, [kernel_param_0];
    ld.param.u64 %rd2, [kernel_param_0+8];
    mov.u32 %r1, %tid.x;
    mul.wide.u32 %rd3, %r1, 4;
    add.s64 %rd4, %rd1, %rd3;
    add.s64 %rd5, %rd2, %rd3;
    mov.u64 %rd6, space;
    add.s64 %rd7, %rd6, %rd3;
    setp.gt.u32 %p1, %r1, 30;
    setp.gt.u32 %p2, %r1, 31;
{body}
    ret;
}}
"""


COPY = "ld.global.u32 %r2, [%rd4];\nst.global.u32 [%rd5], %r2;"
# Name: (what the message has, body, bytes of shared memory).
FAULTS = {
    "nothing": ("", COPY, 4),
    "a write past the end": ("out of bounds", "st.global.u32 [%rd5+4], %r1;", 4),
    "a read past the end": ("out of bounds", "ld.global.u32 %r2, [%rd4+4];", 4),
    "a write past shared memory": ("out of bounds", "st.shared.u32 [%rd7], %r1;", 252),
    "an address that is not aligned": ("not aligned", "ld.global.u64 %rd8, [%rd4];", 4),
    "a read of what nobody wrote": ("nobody wrote", "ld.global.u32 %r2, [%rd5];", 4),
    "a read of shared memory that nobody wrote": ("nobody wrote", "ld.shared.u32 %r2, [%rd7];", 256),
    "a register that nobody wrote": ("register %r3", "st.global.u32 [%rd5], %r3;", 4),
    "a register that some threads wrote": (
        "register %r3", "@%p1 bra $L;\nmov.u32 %r3, 1;\n$L:\nst.global.u32 [%rd5], %r3;", 4),
    "a write to what is read": ("only read", "st.global.u32 [%rd4], %r1;", 4),
    "two threads that write one word": ("a race", "st.shared.u32 [%rd6], %r1;", 256),
    "a read of another thread's word": (
        "a race", "st.shared.u32 [%rd7], %r1;\nxor.b32 %r2, %r1, 33;\nmul.wide.u32 %rd8, %r2, 4;\n"
        "add.s64 %rd8, %rd6, %rd8;\nld.shared.u32 %r3, [%rd8];\nst.global.u32 [%rd5], %r3;", 256),
    "a word that is read behind a barrier": (
        "", "st.shared.u32 [%rd7], %r1;\nbar.sync 0;\nxor.b32 %r2, %r1, 33;\nmul.wide.u32 %rd8, %r2, 4;\n"
        "add.s64 %rd8, %rd6, %rd8;\nld.shared.u32 %r3, [%rd8];\nshr.u32 %r3, %r3, 8;\n" + COPY, 256),
    "an atomic beside a write": (
        "a race", "@%p1 bra $L;\nst.shared.u32 [%rd6], 0;\n$L:\natom.shared.add.u32 %r2, [%rd6], 1;", 4),
    "blocks that write one word": ("a race", "@%p1 bra $L;\nst.global.u32 [%rd5], 1;\n$L:\n", 4),
    "a barrier that some threads leave out": ("a deadlock", "@%p1 bra $L;\nbar.sync 0;\n$L:\n", 4),
    "two barriers": ("different barriers", "@%p2 bra $L;\nbar.sync 0;\nret;\n$L:\nbar.sync 0;\n", 4),
    "a shuffle that a lane leaves out": (
        "lanes [31]", "@%p1 bra $L;\nshfl.sync.bfly.b32 %r2|%p3, %r1, 1, 31, -1;\n$L:\n", 4),
    "a mask without a lane": ("a mask", "shfl.sync.bfly.b32 %r2|%p3, %r1, 1, 31, 65535;", 4),
    "a loop without an end": ("does not end", "$L:\nbra.uni $L;", 4),
    "a read by ld.global.nc of what is written": ("ld.global.nc", "st.global.u32 [%rd5], 1;\n"
                                                  "ld.global.nc.u32 %r2, [%rd5];", 4),
    "a division by 0": ("division", "mov.u32 %r3, 0;\ndiv.u32 %r2, %r1, %r3;\nst.global.u32 [%rd5], %r2;", 4),
}


def faults():
    """Returns what is not named as it should be."""
    wrong, numbers = [], np.arange(64, dtype=np.uint32)
    for name, (message, body, shared) in FAULTS.items():
        program = Program(parser.parse(entry(body, shared))["kernel"])
        blocks = 2 if "blocks" in name else 1
        case = Case(name, "", "kernel", blocks, 64, 0, {"in": numbers}, {"out": Output(np.uint32, 64)},
                    lambda at: at("in").to_bytes(8, "little") + at("out").to_bytes(8, "little"),
                    lambda found: same("out", found("out"), numbers))
        for seed in range(3):
            said = " ".join(run(case, program, seed)[0])
            if (message not in said) if message else said:
                wrong.append(f"{name}: {said or 'nothing was said'}")
    return wrong


def nearest(exact, kind):
    """The number of a type nearest to a fraction, by a search among its neighbours."""
    near = kind(exact.numerator / exact.denominator)
    around = [near, np.nextafter(near, kind(np.inf)), np.nextafter(near, kind(-np.inf))]
    least = min(abs(Fraction(float(x)) - exact) for x in around)
    best = [x for x in around if abs(Fraction(float(x)) - exact) == least]
    unsigned = np.uint32 if kind is np.float32 else np.uint64
    return min(best, key=lambda x: int(x.view(unsigned)) & 1)


def fused():
    """Returns where a fused multiply-add is not the nearest number."""
    rng, wrong = np.random.default_rng(1), []
    for kind, function, places in ((np.float64, fma64, 53), (np.float32, fma32, 24)):
        a, b = (rng.uniform(0.5, 2, 3000).astype(kind) for _ in range(2))
        # Sums that cancel, that end halfway, and that are far apart.
        far = 2.0 ** rng.integers(-places - 3, 4, 3000)
        c = np.where(rng.integers(0, 2, 3000), -a * b * (1 + kind(2**-20)), rng.uniform(-2, 2, 3000) / far)
        c = c.astype(kind)
        half = kind(2.0 ** (-places // 2))
        a[:500], b[:500] = kind(1) + half, kind(1) + half * rng.integers(1, 9, 500).astype(kind)
        found = function(a, b, c)
        for x, y, z, own in zip(a, b, c, found):
            exact = Fraction(float(x)) * Fraction(float(y)) + Fraction(float(z))
            if own != (nearest(exact, kind) if exact else 0):
                wrong.append(f"fma of {x!r}, {y!r}, {z!r} is {own!r}")
    return wrong


# Opcode, operands (bits), result: corners that PTX's documents state.
CORNERS = [
    ("max.f32", (0x80000000, 0), 0), ("max.f32", (0, 0x80000000), 0),
    ("max.f32", (0x7FC00001, 0x3F800000), 0x3F800000), ("max.f32", (0xFFC00001, 0x7FC00005), 0x7FFFFFFF),
    ("shl.b32", (1, 31), 0x80000000), ("shl.b32", (1, 32), 0), ("shr.u32", (0x80000000, 32), 0),
    ("shr.s32", (0x80000000, 99), 0xFFFFFFFF), ("setp.ne.f32", (0x7FC00000, 0), False),
    ("setp.neu.f32", (0x7FC00000, 0), True), ("setp.ltu.f32", (0x7FC00000, 0), True),
    ("setp.ge.f32", (0x7FC00000, 0), False), ("setp.eq.f32", (0x80000000, 0), True),
    ("clz.b32", (0,), 32), ("clz.b32", (1,), 31), ("clz.b32", (0xFFFFFFFF,), 0), ("popc.b32", (0xFF01,), 9),
    ("cvt.rn.f16.f32", (0x477FF000,), 0x7C00), ("cvt.rn.f16.f32", (0x477FEFFF,), 0x7BFF),
    ("cvt.rn.f16.f32", (0x33000000,), 0), ("cvt.rn.f16.f32", (0x33000001,), 1),
    ("cvt.f32.f16", (1,), 0x33800000), ("cvt.s64.s32", (0xFFFFFFFF,), 0xFFFFFFFFFFFFFFFF),
    ("mul.wide.u32", (0xFFFFFFFF, 0xFFFFFFFF), 0xFFFFFFFE00000001),
    ("cvt.rm.f32.f64", (0x3FF0000000000001,), 0x3F800000), ("cvt.rp.f32.f64", (0x3FF0000000000001,), 0x3F800001),
    ("cvt.rn.f32.f64", (0x36A0000000000000,), 1), ("cvt.rn.f32.f64", (0x3690000000000000,), 0),
    ("mul.rn.f32", (0x00800000, 0x3F000000), 0x00400000), ("mul.rz.f32", (0x3F800001, 0x3F800001), 0x3F800002),
]


def corners():
    """Returns which instruction gives another result than PTX's documents state."""
    wrong = []
    for opcode, operands, expected in CORNERS:
        kinds = [np.uint16 if opcode.endswith("f16") else np.uint64 if opcode.endswith("64") else np.uint32]
        arrays = [np.array([x] * 2, kinds[0]) for x in operands]
        if opcode.startswith("sh"):
            arrays[1] = arrays[1].astype(np.uint32)
        with np.errstate(all="ignore"):
            found = function_of(opcode)(*arrays)
        if int(np.atleast_1d(found)[0]) != int(expected):
            wrong.append(f"{opcode} of {[hex(x) for x in operands]} is {hex(int(found[0]))}")
    return wrong


def check():
    return faults() + fused() + corners()
