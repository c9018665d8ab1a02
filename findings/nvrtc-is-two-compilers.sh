#!/usr/bin/env bash
# nvidia-cuda-nvrtc 13.0.88
# One NVRTC is two compilers: PTX for sm_75 to sm_90 is written by NVVM 7.0.1, that for sm_100 and later by
# NVVM 20.0.0. One would guess that one library of one version is one compiler, whose PTX differs between
# architectures by what they can do. Loops are unrolled otherwise (here the same loop, of sums in
# binary64), registers are named otherwise, and what each kernel takes of a GPU jumps between sm_90 and
# sm_100. So what was tested on the PTX of one architecture says little of the other half.
# Seen: the head of PTX for 75, 80, 89 and 90 names NVVM 7.0.1, that for 100 and 120 names 20.0.0; the loop
# is the same text for 75 and 90 but for the target, and another for 100.
# Exit code 0 while that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet nvidia-cuda-nvrtc==13.0.88
env/bin/python - <<'EOP'
import ctypes
import glob
import re
import sys

folder = glob.glob("env/lib/python3*/site-packages/nvidia/*/lib")[0]
ctypes.CDLL(f"{folder}/libnvrtc-builtins.so.13.0", mode=ctypes.RTLD_GLOBAL)
nvrtc = ctypes.CDLL(f"{folder}/libnvrtc.so.13")
source = b"""extern "C" __global__ void sum(const float* a, double* out, unsigned count) {
    double sum = 0;
    for (unsigned i = threadIdx.x; i < count; i += 32) sum += (double)a[i] * a[i];
    out[threadIdx.x] = sum;
}"""


def ptx(architecture):
    program, size = ctypes.c_void_p(), ctypes.c_size_t()
    assert nvrtc.nvrtcCreateProgram(ctypes.byref(program), source, b"a.cu", 0, None, None) == 0
    options = [f"--gpu-architecture=sm_{architecture}".encode(), b"--fmad=false"]
    assert nvrtc.nvrtcCompileProgram(program, 2, (ctypes.c_char_p * 2)(*options)) == 0
    nvrtc.nvrtcGetPTXSize(program, ctypes.byref(size))
    buffer = ctypes.create_string_buffer(size.value)
    nvrtc.nvrtcGetPTX(program, buffer)
    return buffer.value.decode()


texts = {architecture: ptx(architecture) for architecture in (75, 80, 89, 90, 100, 120)}
versions, bodies = {}, {}
for architecture, text in texts.items():
    versions[architecture] = re.search(r"Based on NVVM ([\d.]+)", text)[1]
    bodies[architecture] = re.sub(r"sm_\d+", "sm", text)
    loads = len(re.findall(r"\bld\.global", text))
    print(f"sm_{architecture}: NVVM {versions[architecture]}, {loads} loads in the text")
older = {versions[a] for a in (75, 80, 89, 90)}
newer = {versions[a] for a in (100, 120)}
same = bodies[75] == bodies[90] and bodies[90] != bodies[100]
print("the same text for 75 and 90:", bodies[75] == bodies[90], "| for 90 and 100:", bodies[90] == bodies[100])
sys.exit(0 if older == {"7.0.1"} and newer == {"20.0.0"} and same else 1)
EOP
