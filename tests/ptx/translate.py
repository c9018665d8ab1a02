"""Basic blocks of PTX as Python functions: each instruction is a line, for all threads at once.

A function takes the machine and a selection of threads (a slice, or ascending numbers), reads the
registers that it needs of them, computes, and writes back those that other blocks read. A block that
ends in a branch gives the condition."""

import re

import numpy as np

from ops import UNSIGNED, function_of, number_type
from parser import SIZES, Unknown

SPECIAL = {"%tid.x": "m.tid[s]", "%ctaid.x": "m.ctaid[s]", "%ntid.x": "m.ntid", "%nctaid.x": "m.nctaid",
           "%laneid": "m.lane[s]"}
# Whose result may be the memory of an operand.
ALIASES = ("mov", "cvta", "cvt", "bar")


def sources_and_results(instruction):
    """The operands that an instruction reads, and the registers that it writes."""
    name, operands = instruction.parts[0], instruction.operands
    if name in ("st", "bra", "ret", "exit", "red") or instruction.opcode in ("bar.sync", "barrier.sync"):
        return operands, []
    results = [r.strip() for r in re.split(r"[|,]", operands[0].strip("{}"))]
    return operands[1:], results


def registers_of(text):
    return [r for r in re.findall(r"%[A-Za-z_]+\d+\w*", text)]


def upward_exposed(block):
    """The registers that a block reads before it writes them."""
    written, exposed = set(), set()
    for instruction in block.instructions:
        sources, results = sources_and_results(instruction)
        read = {r for operand in sources for r in registers_of(operand)}
        read |= {instruction.guard} if instruction.guard else set()
        exposed |= read - written
        written |= set(results)
    return exposed, written


def successors(blocks, block):
    following = {"jump": [block.target], "branch": [block.target, block.number + 1], "exit": []}
    return following.get(block.end, [block.number + 1])


def never_in_doubt(blocks, written):
    """For each block the registers that are written on every way to it."""
    everything = set().union(*written.values())
    known = {b.number: everything for b in blocks}
    known[0], todo = set(), [b.number for b in reversed(blocks)]
    while todo:
        number = todo.pop()
        after = known[number] | written[number]
        for other in successors(blocks, blocks[number]):
            if not known[other] <= after:
                known[other] = known[other] & after
                todo.append(other)
    return known


class Translator:
    """Translates the blocks of an entry, when they are first run."""

    def __init__(self, entry):
        self.entry = entry
        sets = {b.number: upward_exposed(b) for b in entry.blocks}
        exposed = {n: s[0] for n, s in sets.items()}
        written = {n: s[1] for n, s in sets.items()}
        known = never_in_doubt(entry.blocks, written)
        self.stored = set().union(*exposed.values())
        self.doubtful = set().union(*(exposed[n] - known[n] for n in exposed))
        self.in_doubt = {n: exposed[n] - known[n] for n in exposed}
        read = [r for b in entry.blocks for i in b.instructions
                for o in sources_and_results(i)[0] for r in registers_of(o)]
        self.read = set(read) | {i.guard for b in entry.blocks for i in b.instructions if i.guard}
        self.names = sorted(self.stored)
        self.index = {name: i for i, name in enumerate(self.names)}
        self.functions = {}
        # Barriers that count votes: by the number of the block that they end, where the answer goes.
        self.votes = {}

    def width(self, register):
        return SIZES[self.entry.type_of(register)]

    def empty(self, threads):
        """A register file that nobody has written."""
        kinds = [UNSIGNED.get(self.width(name), np.bool_) for name in self.names]
        return [np.zeros(threads, kind) for kind in kinds]

    def function(self, number):
        if number not in self.functions:
            self.functions[number] = BlockWriter(self, self.entry.blocks[number]).function()
        return self.functions[number]


class BlockWriter:
    """Writes the function of one block."""

    def __init__(self, translator, block):
        self.of, self.block = translator, block
        self.lines, self.loaded, self.written, self.scope, self.fresh = [], {}, {}, {}, 0

    def name(self):
        self.fresh += 1
        return f"v{self.fresh}"

    def constant(self, value):
        name = f"c{len(self.scope)}"
        self.scope[name] = value
        return name

    def read(self, register):
        if register in self.written:
            return self.written[register]
        if register not in self.loaded:
            local = self.name()
            index = self.of.index[register]
            if register in self.of.in_doubt[self.block.number]:
                self.lines.append(f"m.demand({index}, s)")
            self.lines.append(f"{local} = R[{index}][s]")
            self.loaded[register] = local
        return self.loaded[register]

    def operand(self, text, width):
        """A Python expression for an operand; immediates have the given width."""
        if text in SPECIAL:
            return SPECIAL[text]
        if re.match(r"%[A-Za-z_]+\d", text):
            return self.read(text)
        if re.match(r"0[fF][0-9A-Fa-f]{8}$", text):
            return self.constant(np.uint32(int(text[2:], 16)))
        if re.match(r"0[dD][0-9A-Fa-f]{16}$", text):
            return self.constant(np.uint64(int(text[2:], 16)))
        if re.match(r"-?(0x[0-9A-Fa-f]+|\d+)U?$", text):
            value = int(text.rstrip("U"), 0)
            return self.constant(UNSIGNED[width](value & (1 << 8 * width) - 1) if width else np.bool_(value))
        if text == self.of.entry.parameter:
            return self.constant(np.uint64(0))
        if text in self.of.entry.shared:
            return f"m.shared_offset[{text!r}]"
        raise Unknown(f"line {self.block.line}: operand {text}")

    def write(self, register, expression):
        local = self.name()
        self.lines.append(f"{local} = {expression}")
        self.written[register] = local

    def address(self, text):
        match = re.match(r"\[([^\]+]+?)(?:\+(-?\d+))?\]$", text.replace(" ", ""))
        base = self.operand(match[1], 8)
        offset = int(match[2] or 0)
        return f"{base} + {self.constant(np.uint64(offset % (1 << 64)))}" if offset else base

    def function(self):
        number = self.block.number
        for instruction in self.block.instructions:
            self.lines.append(f"m.line = {instruction.line}")
            self.instruction(instruction)
        end = self.lines.pop() if self.lines and self.lines[-1].startswith("return") else None
        for register, local in self.written.items():
            if register in self.of.stored:
                index = self.of.index[register]
                self.lines.append(f"R[{index}][s] = {local}")
                if register in self.of.doubtful:
                    self.lines.append(f"m.defined({index}, s)")
        body = ["R = m.registers", *self.lines, *([end] if end else [])]
        text = f"def block_{number}(m, s):\n" + "".join(f"    {line}\n" for line in body)
        exec(compile(text, f"{self.of.entry.name}:{number}", "exec"), self.scope)
        return self.scope[f"block_{number}"]

    def instruction(self, instruction):
        name = instruction.parts[0]
        writer = getattr(self, f"write_{name}", None)
        if writer:
            writer(instruction)
        else:
            self.compute(instruction)

    def compute(self, instruction):
        """An instruction that reads registers and writes one."""
        parts, operands = instruction.parts, instruction.operands
        width = SIZES[parts[-1]]
        widths = [width] * (len(operands) - 1)
        if parts[0] in ("shl", "shr"):
            widths[1] = 4
        elif parts[0] == "selp":
            widths[2] = 0
        sources = [self.operand(o, w) for o, w in zip(operands[1:], widths)]
        function = self.constant(function_of(instruction.opcode))
        self.write(operands[0], f"{function}({', '.join(sources)})" + self.copied(parts[0]))

    @staticmethod
    def copied(name):
        return ".copy()" if name in ALIASES else ""

    def write_mov(self, instruction):
        to, source = instruction.operands
        if to.startswith("{"):
            halves = [r.strip() for r in to.strip("{}").split(",")]
            whole, bits = self.operand(source, 8), 8 * self.of.width(halves[0])
            kind = self.constant(UNSIGNED[bits // 8])
            for place, half in enumerate(halves):
                self.write(half, f"({whole} >> {self.constant(np.uint64(bits * place))}).astype({kind})")
        elif source.startswith("{"):
            halves = [self.operand(r.strip(), 4) for r in source.strip("{}").split(",")]
            kind = self.constant(UNSIGNED[self.of.width(to)])
            bits = 8 * self.of.width(to) // len(halves)
            shifted = [f"({h}.astype({kind}) << {self.constant(UNSIGNED[self.of.width(to)](bits * i))})"
                       for i, h in enumerate(halves)]
            self.write(to, " | ".join(shifted))
        else:
            self.compute(instruction)

    def write_cvta(self, instruction):
        window = "m.shared_window" if "shared" in instruction.parts and "to" not in instruction.parts else 0
        if "shared" in instruction.parts and not window:
            raise Unknown(instruction.opcode)
        source = self.operand(instruction.operands[1], 8)
        self.write(instruction.operands[0], f"{source} + {window}" if window else f"{source}.copy()")

    def write_ld(self, instruction):
        parts = [p for p in instruction.parts if "::" not in p]
        space = parts[1] if parts[1] in ("param", "global", "shared", "local") else "generic"
        kind = parts[-1]
        size = SIZES[kind]
        results = [r.strip() for r in instruction.operands[0].strip("{}").split(",")]
        address = self.address(instruction.operands[1])
        local = self.name()
        unchanging = "nc" in parts
        self.lines.append(f"{local} = m.load({space!r}, s, {address}, {size}, {len(results)}, {unchanging})")
        for place, register in enumerate(results):
            value = f"{local}[{place}]"
            width = self.of.width(register)
            if width > size:
                signed = number_type(kind if kind[0] == "s" else f"u{8 * size}")
                wide = number_type(("s" if kind[0] == "s" else "u") + str(8 * width))
                names = [self.constant(k) for k in (signed, wide, UNSIGNED[width])]
                value = "{}.view({}).astype({}).view({})".format(value, *names)
            self.write(register, value)

    def write_st(self, instruction):
        parts = instruction.parts
        space = parts[1] if parts[1] in ("global", "shared", "local") else "generic"
        size = SIZES[parts[-1]]
        values = [self.operand(r.strip(), size) for r in instruction.operands[1].strip("{}").split(",")]
        address = self.address(instruction.operands[0])
        self.lines.append(f"m.store({space!r}, s, {address}, {size}, [{', '.join(values)}])")

    def write_atom(self, instruction):
        parts, operands = instruction.parts, instruction.operands
        space = parts[1] if parts[1] in ("global", "shared") else "generic"
        address, (name, kind) = self.address(operands[1]), parts[-2:]
        value = self.operand(operands[2], SIZES[kind])
        wanted = operands[0] in self.of.read
        self.write(operands[0], f"m.atomic({space!r}, s, {address}, {name!r}, {kind!r}, {value}, {wanted})")

    def write_red(self, instruction):
        parts, operands = instruction.parts, instruction.operands
        space = parts[1] if parts[1] in ("global", "shared") else "generic"
        address, (name, kind) = self.address(operands[0]), parts[-2:]
        value = self.operand(operands[1], SIZES[kind])
        self.lines.append(f"m.atomic({space!r}, s, {address}, {name!r}, {kind!r}, {value}, False)")

    def write_shfl(self, instruction):
        if instruction.parts[1] != "sync" or instruction.parts[-1] != "b32":
            raise Unknown(instruction.opcode)
        to = [r.strip() for r in instruction.operands[0].split("|")]
        sources = [self.operand(o, 4) for o in instruction.operands[1:]]
        local = self.name()
        self.lines.append(f"{local} = m.shuffle(s, {instruction.parts[2]!r}, {', '.join(sources)})")
        for place, register in enumerate(to):
            self.write(register, f"{local}[{place}]")

    def write_vote(self, instruction):
        if instruction.opcode != "vote.sync.ballot.b32":
            raise Unknown(instruction.opcode)
        vote, mask = (self.operand(o, w) for o, w in zip(instruction.operands[1:], (0, 4)))
        self.write(instruction.operands[0], f"m.ballot(s, {vote}, {mask})")

    def write_bar(self, instruction):
        operands = instruction.operands
        if instruction.opcode == "bar.red.and.pred" and operands[1] == "0":
            self.of.votes[self.block.number] = self.of.index[operands[0]]
            self.lines.append(f"m.votes[s] = {self.operand(operands[2], 0)}")
        elif instruction.opcode != "bar.sync" or operands != ["0"]:
            raise Unknown(f"{instruction.opcode} {', '.join(operands)}")

    def write_bra(self, instruction):
        if instruction.guard:
            guard = self.read(instruction.guard)
            self.lines.append(f"return ~{guard}" if instruction.negated else f"return {guard}")

    def write_ret(self, instruction):
        pass

    write_exit = write_ret
