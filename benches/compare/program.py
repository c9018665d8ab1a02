"""What the Python programs that are compared have in common: arguments, a watch, their report."""

import argparse
import hashlib
import json
import pathlib
import sys
import time


def parser(description):
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--embeddings", required=True)
    options.add_argument("--model", required=True, help="sae.pt")
    options.add_argument("--out", required=True, type=pathlib.Path, help="folder for results")
    options.add_argument("--device", default="auto", help="auto, cpu or cuda")
    options.add_argument("--check", action="store_true", help="also write fires.npy and counts.npy")
    options.add_argument("--started", type=float, default=time.monotonic(),
                         help="when this process was started, on the monotonic clock")
    return options


def device_named(torch, name):
    """The device; products of binary32 are never rounded to TF32 on it."""
    torch.set_float32_matmul_precision("highest")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


class Watch:
    """Seconds from stage to stage; the first is from the start of the process."""

    def __init__(self, started, synchronize=lambda: None):
        self.last, self.seconds, self.synchronize = started, {}, synchronize

    def lap(self, name):
        self.synchronize()
        now = time.monotonic()
        self.seconds[name] = now - self.last
        self.last = now
        return self.seconds[name]


def watch_for(torch, device, started):
    return Watch(started, torch.cuda.synchronize if device.type == "cuda" else lambda: None)


def whitening(torch, config):
    """Mean and divisor [1, D], in binary32, by the notebook's keys."""
    mean = config.get("μ", config.get("mu"))
    std = config.get("σ", config.get("std"))
    mean = mean if isinstance(mean, torch.Tensor) else torch.tensor(mean)
    std = std if isinstance(std, torch.Tensor) else torch.tensor(std)
    return mean.view(1, -1).float(), std.view(1, -1).float() + 1e-6


def counts_digest(counts):
    return hashlib.sha256(counts.astype("<i8").tobytes()).hexdigest()


def write_check(numpy, out, acts, counts):
    """What is compared atom by atom and row by row: counts int64 [2, F], true calls first, and the
    firing sets uint32 [N, k], ascending."""
    numpy.save(out / "counts.npy", counts)
    numpy.save(out / "fires.npy", numpy.sort(acts.astype(numpy.uint32), axis=1))


def write_report(torch, out, device, **more):
    """What the measuring program reads."""
    report = {"torch": torch.__version__, "threads": torch.get_num_threads(), "device": str(device)}
    if device.type == "cuda":
        report["device_peak_bytes"] = torch.cuda.max_memory_allocated()
    (out / "report.json").write_text(json.dumps({**report, **more}))


if __name__ == "__main__":
    sys.exit("this is no program: see run.py")
