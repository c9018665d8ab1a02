"""Looks at the PTX and the machine code of all kernels for arithmetic that the definition does not allow.

PTX: floats are rounded to nearest (.rn), without .ftz, .approx, .full and .sat; there is no local memory
and no call; a fused multiply-add stands only where the source writes one.

Machine code: no local memory; FFMA, approximations (MUFU), .FTZ and other roundings only where an IEEE
division or root, or a division of integers, needs them. How that is told:

1. The assembler's own functions (their names begin with $__internal_) are such sequences as a whole.
2. Elsewhere a sequence begins with MUFU, and goes on with what is computed from its result: a register is
   marked when an instruction writes it that reads a marked one, and is no longer marked when any other
   instruction writes it. An FFMA, or an F2I.FTZ, is in a sequence if it reads a marked register.
3. A family whose PTX has neither div nor sqrt nor rem of that width has no MUFU at all."""

import re
import subprocess
import sysconfig
import tempfile
from pathlib import Path

from compiler import KERNELS, families, source

FLOATS = ("f16", "f32", "f64")
ARITHMETIC = ("add", "sub", "mul", "div", "fma", "mad", "sqrt", "rcp", "rsqrt", "ex2", "lg2", "sin", "cos", "tanh")
# Conversions that the source asks for by name.
DIRECTED = {"cvt.rm.f32.f64": "__double2float_rd", "cvt.rp.f32.f64": "__double2float_ru"}
FUSED = {"fma.rn.f64": r"__fma_rn\(", "fma.rn.f32": r"__fmaf_rn\("}
LOOSE = ("ftz", "approx", "full", "sat", "relu", "rz", "rm", "rp", "rna")


def source_of(family):
    """A family's source, without comments."""
    return re.sub(r"//.*", "", source(f"{family}.cu"))


def opcodes(ptx):
    """Each line's number and opcode."""
    for number, line in enumerate(ptx.splitlines(), 1):
        for part in line.split("//")[0].split(";"):
            match = re.match(r"\s*(?:@!?%\w+\s+)?([a-z][\w.:]*)(?:\s|$)", part)
            if match and not part.strip().endswith(":"):
                yield number, match[1]


def of_ptx(ptx, text):
    """What is wrong with a family's PTX; `text` is its source."""
    wrong = []
    for number, opcode in opcodes(ptx):
        parts = opcode.split(".")
        said = f"line {number} of the PTX: {opcode}"
        if parts[0] == "call" or "local" in parts:
            wrong.append(said)
        if parts[-1] not in FLOATS or parts[0] in ("mov", "ld", "st", "selp"):
            continue
        loose = [p for p in parts if p in LOOSE]
        if loose and DIRECTED.get(opcode, "\0") not in text:
            wrong.append(f"{said} is not rounded to nearest by IEEE's rules")
        elif parts[0] in ARITHMETIC and "rn" not in parts:
            wrong.append(f"{said} does not say how it rounds")
        if parts[0] in ("fma", "mad") and not re.search(FUSED.get(opcode, r"\0"), text):
            wrong.append(f"{said} is fused; the source has no such thing")
    return [*wrong, *([".local is declared"] if re.search(r"^\s*\.local\b", ptx, re.M) else [])]


def registers(operands):
    """Registers of operands; of 64-bit ones the upper half as well."""
    found = set()
    for number in re.findall(r"\bR(\d+)\b", operands):
        found.add(int(number))
    return found


class Sass:
    """The instructions of one function of a family's machine code."""

    WIDE = re.compile(r"^(D(ADD|MUL|FMA)|F2F\.F64|I2F\.F64|MOV\.64|IMAD\.WIDE|LD\w*\.64)")

    def __init__(self, name, lines):
        self.name, self.lines, self.marked, self.wrong = name, lines, set(), []
        self.roots = 0

    def check(self):
        internal = self.name.startswith("$__internal_")
        for at, text in self.lines:
            opcode, _, rest = text.partition(" ")
            if re.match(r"(LDL|STL)\b", opcode):
                self.fault(at, text, "local memory")
            if not internal:
                self.instruction(at, opcode, rest, text)
        return self.wrong

    def fault(self, at, text, what):
        self.wrong.append(f"{self.name}, {at}: {text}: {what}")

    def instruction(self, at, opcode, rest, text):
        operands = rest.split(",")
        stores = re.match(r"(ST|RED|BRA|CALL|EXIT|BAR|BSSY|BSYNC|RET|NOP|WARPSYNC|MEMBAR)", opcode)
        target = re.match(r"\s*R(\d+)\b", operands[0]) if operands and not stores else None
        wide = bool(self.WIDE.match(opcode))
        reads = registers(",".join(operands[1:]))
        if wide or opcode.startswith("D"):
            reads |= {r + 1 for r in reads}
        within = bool(reads & self.marked)
        begins = opcode.startswith("MUFU")
        self.roots += begins
        parts = opcode.split(".")
        if begins and parts[1] not in ("RCP", "RCP64H", "RSQ64H", "RSQ"):
            self.fault(at, text, "an approximation")
        if parts[0].startswith("FFMA") and not within:
            self.fault(at, text, "fused, and not in a division or root")
        loose = {"FTZ", "RZ", "RM", "RP"} & set(parts)
        if loose and not within and not self.may_be_loose(opcode):
            self.fault(at, text, "not rounded to nearest, and not in a division or root")
        if target:
            own = {int(target[1])} | ({int(target[1]) + 1} if wide else set())
            self.marked = self.marked | own if begins or within else self.marked - own

    @staticmethod
    def may_be_loose(opcode):
        """Conversions: of integers for a division of integers, and those that the PTX asks for by name."""
        return re.match(r"U?I2F\.\w+(\.\w+)?\.RP$|F2I\.|F2F\.F32\.F64\.R[MP]$", opcode) is not None


def functions(sass):
    """The functions of a listing by nvdisasm."""
    name, lines, found = None, [], []
    for line in sass.splitlines():
        label = re.match(r"(\$?[A-Za-z_]\w*(?:\$\w+)*):\s*$", line)
        if label and not label[1].startswith("L_"):
            name, lines = label[1], []
            found.append(Sass(name, lines))
        match = re.match(r"\s*/\*([0-9a-f]+)\*/\s+(?:@!?U?P\w+\s+)?(.*?)\s*;", line)
        if match and name:
            lines.append((match[1], re.sub(r"\s+", " ", match[2])))
    return found


def disassembled(cubin):
    """The listing of a cubin, by nvdisasm of the package nvidia-cuda-nvdisasm."""
    tools = sorted(Path(sysconfig.get_paths()["purelib"]).glob("nvidia/*/bin/nvdisasm"))
    if not tools:
        raise SystemExit("no nvdisasm found; install nvidia-cuda-nvdisasm")
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(cubin)
        file.flush()
        return subprocess.run([tools[0], "-c", file.name], check=True, capture_output=True, text=True).stdout


def of_cubin(cubin, ptx):
    """What is wrong with a family's machine code; how many instructions; how many sequences."""
    own = functions(disassembled(cubin))
    wrong = [fault for function in own for fault in function.check()]
    roots = sum(function.roots for function in own)
    divides = re.search(r"\b(div|rem|sqrt|rcp)\.", ptx)
    if roots and not divides:
        wrong.append(f"{roots} MUFU, and no division or root in the PTX")
    kernels = {re.sub(r"\(.*", "", k) for k in re.findall(r"\.entry\s+(\w+)", ptx)}
    missing = kernels - {function.name for function in own}
    wrong += [f"no machine code of {name} found" for name in sorted(missing)]
    return wrong, sum(len(function.lines) for function in own), roots


def resources(log):
    """Kernels of a log that have a stack or spill."""
    name, wrong = "?", []
    for line in log.splitlines():
        own = re.search(r"Compiling entry function '(\w+)'", line)
        name = own[1] if own else name
        used = re.search(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads", line)
        if used and any(map(int, used.groups())):
            wrong.append(f"{name}: {used[0]}")
    return wrong


def check(nvrtc, architectures):
    """Returns what is wrong with all kernels. Registers and shared memory are on record beside it, in
    kernels/RESOURCES.txt."""
    wrong, instructions, sequences = [], 0, 0
    for architecture in architectures:
        for family in families():
            compiled = nvrtc.compile(family, architecture)
            of_code, count, roots = of_cubin(compiled.cubin, compiled.ptx)
            own = of_ptx(compiled.ptx, source_of(family)) + of_code + resources(compiled.log)
            wrong += [f"kernels/{family}.cu, sm_{architecture}: {what}" for what in own]
            instructions, sequences = instructions + count, sequences + roots
    print(f"{len(families())} families for {len(architectures)} architectures: {instructions} machine "
          f"instructions, {sequences} inlined divisions and roots; {KERNELS.name}/RESOURCES.txt has the rest")
    return wrong
