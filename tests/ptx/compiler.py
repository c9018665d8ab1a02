"""Compiles the kernels by NVRTC, as the program does: the same texts, the same options."""

import ctypes
import re
import sysconfig
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KERNELS = ROOT / "kernels"


def families():
    """The names of the families of kernels, as build.rs lists them."""
    text = (ROOT / "build.rs").read_text()
    return re.findall(r'"(\w+)"', re.search(r"const FAMILIES[^=]*= \[(.*?)\];", text, re.S)[1])


def options():
    """The options that the program compiles with, as src/engine/cuda/nvrtc.rs lists them."""
    text = (ROOT / "src/engine/cuda/nvrtc.rs").read_text()
    return re.findall(r'"(--[^"]+)"', re.search(r"const OPTIONS[^=]*= \[(.*?)\];", text, re.S)[1])


def source(file, included=None, texts=None):
    """The text of a file with each header in the place of its #include, once, as build.rs has it.
    `texts` has other texts for some files."""
    included = set() if included is None else included
    text = (texts or {}).get(file) or (KERNELS / file).read_text()
    whole = [f'#line 1 "{file}"']
    for number, line in enumerate(text.splitlines()):
        header = re.match(r'\s*#include "([^"]+)"\s*$', line)
        if header:
            if header[1] not in included:
                included.add(header[1])
                whole.append(source(header[1], included, texts).rstrip("\n"))
            whole.append(f'#line {number + 2} "{file}"')
        else:
            whole.append("" if line.strip() == "#pragma once" else line)
    return "\n".join(whole) + "\n"


@dataclass
class Compiled:
    """A family, compiled for an architecture."""

    ptx: str
    cubin: bytes
    log: str


class Nvrtc:
    """NVRTC, from the package nvidia-cuda-nvrtc of this Python."""

    def __init__(self):
        folder = Path(sysconfig.get_paths()["purelib"]) / "nvidia"
        builtins = sorted(folder.glob("*/lib/libnvrtc-builtins.so*"))
        libraries = [p for p in sorted(folder.glob("*/lib/libnvrtc.so*")) if ".alt" not in p.name]
        if not builtins or not libraries:
            raise SystemExit(f"{folder}: no NVRTC found; install nvidia-cuda-nvrtc")
        ctypes.CDLL(str(builtins[0]), mode=ctypes.RTLD_GLOBAL)
        self.library = ctypes.CDLL(str(libraries[0]))

    def version(self):
        major, minor = ctypes.c_int(), ctypes.c_int()
        self._call("nvrtcVersion", ctypes.byref(major), ctypes.byref(minor))
        return major.value, minor.value

    def compile(self, family, architecture, texts=None, more=()):
        """Compiles a family. Raises ValueError, with NVRTC's messages, where it does not compile."""
        program = ctypes.c_void_p()
        text = source(f"{family}.cu", texts=texts).encode()
        name = f"{family}.cu".encode()
        self._call("nvrtcCreateProgram", ctypes.byref(program), text, name, 0, None, None)
        try:
            given = [f"--gpu-architecture=sm_{architecture}", *options(), *more]
            array = (ctypes.c_char_p * len(given))(*[option.encode() for option in given])
            result = self.library.nvrtcCompileProgram(program, len(given), array)
            log = self._bytes(program, "ProgramLog").rstrip(b"\0").decode()
            if result != 0:
                raise ValueError(f"{family}.cu for sm_{architecture}: {log}")
            ptx = self._bytes(program, "PTX").rstrip(b"\0").decode()
            return Compiled(ptx, self._bytes(program, "CUBIN"), log)
        finally:
            self._call("nvrtcDestroyProgram", ctypes.byref(program))

    def _bytes(self, program, what):
        size = ctypes.c_size_t()
        self._call(f"nvrtcGet{what}Size", program, ctypes.byref(size))
        buffer = ctypes.create_string_buffer(size.value)
        self._call(f"nvrtcGet{what}", program, buffer)
        return buffer.raw

    def _call(self, function, *arguments):
        result = getattr(self.library, function)(*arguments)
        if result != 0:
            raise RuntimeError(f"{function}: NVRTC's error {result}")
