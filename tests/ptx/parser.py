"""Reads PTX as NVRTC writes it: entries, their memory, and basic blocks of instructions.

Follows "PTX ISA", chapters 4 (syntax) and 5 (state spaces). What is not known is refused by name."""

import re
from dataclasses import dataclass, field

SIZES = {"b8": 1, "u8": 1, "s8": 1, "b16": 2, "u16": 2, "s16": 2, "f16": 2, "b32": 4, "u32": 4,
         "s32": 4, "f32": 4, "b64": 8, "u64": 8, "s64": 8, "f64": 8, "pred": 0}


class Unknown(Exception):
    """Something in the PTX that this interpreter does not know."""


@dataclass
class Instruction:
    opcode: str
    operands: list
    guard: str | None = None
    negated: bool = False
    line: int = 0

    @property
    def parts(self):
        return self.opcode.split(".")


@dataclass
class Block:
    """Instructions that are executed together. `end`: fall, jump, branch, barrier or exit."""

    number: int
    instructions: list = field(default_factory=list)
    end: str = "fall"
    target: str | int | None = None

    @property
    def line(self):
        return self.instructions[0].line if self.instructions else 0


@dataclass
class Entry:
    """A kernel: registers by name with their types, shared variables with offsets, and blocks."""

    name: str
    parameter: str = ""
    parameter_bytes: int = 0
    threads: int = 0
    registers: dict = field(default_factory=dict)
    families: list = field(default_factory=list)
    shared: dict = field(default_factory=dict)  # name: (alignment, bytes), in order
    dynamic: set = field(default_factory=set)   # names of shared memory that the launch sizes
    items: list = field(default_factory=list)   # labels (texts) and instructions
    blocks: list = field(default_factory=list)

    def type_of(self, register):
        """The declared type of a register."""
        if register in self.registers:
            return self.registers[register]
        prefix = re.match(r"(%[A-Za-z_]+)\d+$", register)
        for name, kind in self.families:
            if prefix and prefix[1] == name:
                return kind
        raise Unknown(f"{self.name}: register {register} is not declared")


def split_operands(text):
    """Splits at commas that stand in no bracket."""
    operands, depth, own = [], 0, ""
    for letter in text:
        depth += (letter in "{[") - (letter in "}]")
        if letter == "," and depth == 0:
            operands.append(own.strip())
            own = ""
        else:
            own += letter
    return operands + [own.strip()] if own.strip() else operands


def instruction(text, line, scopes):
    match = re.match(r"(?:@(!?)(%\w+)\s+)?([\w.:]+)\s*(.*)$", text, re.S)
    if not match:
        raise Unknown(f"line {line}: {text}")
    negated, guard, opcode, rest = match.groups()

    def rename(found):
        for scope, names in reversed(scopes):
            if found[0] in names:
                return f"{found[0]}_{scope}_"
        return found[0]

    operands = [re.sub(r"%[A-Za-z_]+\d+", rename, o) for o in split_operands(rest)]
    guard = re.sub(r"%\w+", rename, guard) if guard else None
    return Instruction(opcode, operands, guard, negated == "!", line)


def declare(entry, text, scopes):
    """A .reg declaration: a family of registers, or a few by name."""
    match = re.match(r"\.reg\s+\.(\w+)\s+(.*)$", text)
    for name in split_operands(match[2]):
        family = re.match(r"(%\w+?)<\d+>$", name)
        if family and not scopes:
            entry.families.append((family[1], match[1]))
        elif not family and scopes:
            scopes[-1][1].add(name)
            entry.registers[f"{name}_{scopes[-1][0]}_"] = match[1]
        else:
            entry.registers[name] = match[1]


def shared_variable(text):
    match = re.match(r"(?:\.extern\s+)?\.shared\s+\.align\s+(\d+)\s+\.(\w+)\s+(\w+)(?:\[(\d*)\])?$", text)
    if not match:
        raise Unknown(text)
    count = 1 if match[4] is None else int(match[4] or 0)
    return match[3], int(match[1]), SIZES[match[2]] * count


def parse(ptx):
    """The entries of a PTX text, by name."""
    entries, entry, scopes, dynamic, opened = {}, None, [], {}, 0
    text = re.sub(r"/\*.*?\*/", "", ptx, flags=re.S)
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.split("//")[0].strip()
        if not line:
            continue
        if entry is None:
            found = re.match(r"\.visible\s+\.entry\s+(\w+)\(", line)
            if found:
                entry = Entry(found[1], shared=dict(dynamic), dynamic=set(dynamic))
            elif line.startswith(".extern .shared"):
                name, alignment, size = shared_variable(line.rstrip(";"))
                dynamic[name] = (alignment, size)
            elif not line.startswith((".version", ".target", ".address_size", ".global")):
                raise Unknown(f"line {number}: {line}")
            continue
        if opened == 0:
            parameter = re.match(r"\.param\s+\.align\s+\d+\s+\.b8\s+(\w+)\[(\d+)\]", line)
            threads = re.match(r"\.maxntid\s+(\d+)", line)
            if parameter:
                entry.parameter, entry.parameter_bytes = parameter[1], int(parameter[2])
            if threads:
                entry.threads = int(threads[1])
            opened = 1 if line == "{" else 0
            continue
        if line == "{":
            opened += 1
            scopes.append((number, set()))
        elif line == "}":
            opened -= 1
            if opened:
                scopes.pop()
            else:
                entry.blocks = basic_blocks(entry)
                entries[entry.name] = entry
                entry = None
        else:
            statement(entry, line, number, scopes)
    return entries


def statement(entry, line, number, scopes):
    label = re.match(r"(\$?\w+):$", line)
    if label:
        entry.items.append(label[1])
        return
    for text in filter(None, (part.strip() for part in line.split(";"))):
        if text.startswith(".reg"):
            declare(entry, text, scopes)
        elif text.startswith(".shared"):
            name, alignment, size = shared_variable(text)
            entry.shared[name] = (alignment, size)
        elif not text.startswith(".pragma"):
            entry.items.append(instruction(text, number, scopes))


def basic_blocks(entry):
    """Cuts an entry's items into blocks; labels become numbers of blocks."""
    blocks, labels = [Block(0)], {}

    def begin():
        if blocks[-1].instructions or blocks[-1].end != "fall":
            blocks.append(Block(len(blocks)))

    for item in entry.items:
        if isinstance(item, str):
            begin()
            labels[item] = blocks[-1].number
            continue
        own = blocks[-1]
        if item.opcode in ("bra", "bra.uni"):
            own.instructions.append(item)
            own.end, own.target = "branch" if item.guard else "jump", item.operands[0]
        elif item.guard:
            raise Unknown(f"{entry.name}, line {item.line}: a guard on {item.opcode}")
        elif item.opcode in ("ret", "exit"):
            own.instructions.append(item)
            own.end = "exit"
        elif item.opcode.startswith(("bar.", "barrier.")):
            own.instructions.append(item)
            own.end = "barrier"
        else:
            own.instructions.append(item)
            continue
        begin()
    if not blocks[-1].instructions:
        blocks.pop()
    for block in blocks:
        if isinstance(block.target, str):
            block.target = labels[block.target]
    return blocks
