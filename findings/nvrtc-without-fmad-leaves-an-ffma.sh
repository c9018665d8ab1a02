#!/usr/bin/env bash
# nvidia-cuda-nvrtc 13.0.88, nvidia-cuda-nvdisasm 13.5.37, sm_75, sm_90 and sm_120
# A kernel of one division in binary64, compiled with --fmad=false, has an FFMA, a fused multiply-add in
# binary32, in its machine code. One would guess that such a kernel has no arithmetic in binary32, and that
# --fmad=false leaves no fused one but in the steps of the division, which are DFMA. It is a test of the
# quotient's upper word: 0 times a word of the divisor, plus a word of the quotient, compared with a
# constant near 2^-129. The quotient is IEEE's all the same. So a check that finds fused arithmetic by the
# name of the instruction must know what belongs to a division.
# Seen: PTX has div.rn.f64 and no fma; the machine code has one FFMA outside of the assembler's own
# functions, with RZ as a factor, and no other instruction in binary32 but the comparisons beside it.
# Exit code 0 while that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet nvidia-cuda-nvrtc==13.0.88 nvidia-cuda-nvdisasm==13.5.37
env/bin/python - <<'EOP'
import ctypes
import glob
import re
import subprocess
import sys

folder = glob.glob("env/lib/python3*/site-packages/nvidia/*/lib")[0]
ctypes.CDLL(f"{folder}/libnvrtc-builtins.so.13.0", mode=ctypes.RTLD_GLOBAL)
nvrtc = ctypes.CDLL(f"{folder}/libnvrtc.so.13")
tool = glob.glob("env/lib/python3*/site-packages/nvidia/*/bin/nvdisasm")[0]
source = b'extern "C" __global__ void divide(double* a, double* b) { a[threadIdx.x] /= b[threadIdx.x]; }'


def compiled(architecture):
    program = ctypes.c_void_p()
    assert nvrtc.nvrtcCreateProgram(ctypes.byref(program), source, b"a.cu", 0, None, None) == 0
    options = [f"--gpu-architecture=sm_{architecture}".encode(), b"--fmad=false"]
    assert nvrtc.nvrtcCompileProgram(program, 2, (ctypes.c_char_p * 2)(*options)) == 0
    found = []
    for what in ("PTX", "CUBIN"):
        size = ctypes.c_size_t()
        getattr(nvrtc, f"nvrtcGet{what}Size")(program, ctypes.byref(size))
        buffer = ctypes.create_string_buffer(size.value)
        getattr(nvrtc, f"nvrtcGet{what}")(program, buffer)
        found.append(buffer.raw)
    return found


same = True
for architecture in (75, 90, 120):
    ptx, cubin = compiled(architecture)
    open("a.cubin", "wb").write(cubin)
    listing = subprocess.run([tool, "-c", "a.cubin"], check=True, capture_output=True, text=True).stdout
    own = re.split(r"\n\$__internal_\w+\$*\w*:", listing.split("\ndivide:", 1)[1])[0]
    fused = re.findall(r"\bFFMA\b[^;]*", own)
    print(f"sm_{architecture}: PTX has div.rn.f64: {b'div.rn.f64' in ptx}, fma: {b'fma.' in ptx};"
          f" machine code: {fused}")
    same &= b"div.rn.f64" in ptx and b"fma." not in ptx and len(fused) == 1 and "RZ" in fused[0]
sys.exit(0 if same else 1)
EOP
