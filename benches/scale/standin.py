#!/usr/bin/env python3
"""A stand-in for the program, for the selftest: it takes the same arguments, its rows are numbers, and
its answer is a digest of them. ATOMSCOPE_STANDIN_FAULT names what it does wrong."""

import argparse
import glob
import hashlib
import json
import os
import pathlib
import time

FAULT = os.environ.get("ATOMSCOPE_STANDIN_FAULT")
CHUNKS = 10


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("command")
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--embeddings")
    parser.add_argument("--rows", type=int)
    parser.add_argument("--pieces", type=int, default=1)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--checkpoint-rows", type=int)
    parser.add_argument("--fires", nargs="*", type=pathlib.Path)
    parser.add_argument("--quiet", action="store_true")
    for other in ("model", "metadata", "input-dim", "features", "k", "threads", "screen", "simd", "batch-rows",
                  "tables"):
        parser.add_argument(f"--{other}", help="changes nothing here")
    return parser.parse_intermixed_args()


def publish(path, text):
    """The file, whole or not at all."""
    temporary = path.with_name(f"{path.name}-new")
    temporary.write_text(text)
    temporary.rename(path)


def simulate(options):
    options.out.mkdir(parents=True, exist_ok=True)
    width = len(str(options.pieces))
    for piece in range(options.pieces):
        name = f"embeddings-{piece + 1:0{width}}.pt" if options.pieces > 1 else "embeddings.pt"
        start, end = (options.rows * number // options.pieces for number in (piece, piece + 1))
        (options.out / name).write_text(json.dumps(list(range(start, end))))
    truth = {"options": {"rows": options.rows}, "strata": [{"share": 1.0}]}
    (options.out / "truth.json").write_text(json.dumps(truth))


def count(options, folder):
    """The rows of all files, counted chunk by chunk; goes on where an earlier run was ended."""
    paths = sorted(glob.glob(options.embeddings))
    rows = [row for path in paths for row in json.loads(pathlib.Path(path).read_text())]
    if FAULT == "files" and len(paths) > 70:
        rows = rows[1:]
    if not options.checkpoint_rows:
        return rows
    checkpoint = folder / "checkpoint"
    resumed = checkpoint.exists()
    done = json.loads(checkpoint.read_text()) if resumed else {"chunk": 0, "rows": []}
    if FAULT == "twice" and resumed:
        done["rows"] = done["rows"][:1] + done["rows"]
    for chunk in range(done["chunk"], CHUNKS):
        start, end = (len(rows) * number // CHUNKS for number in (chunk, chunk + 1))
        done = {"chunk": chunk + 1, "rows": done["rows"] + rows[start:end]}
        time.sleep(0.01)
        publish(checkpoint, json.dumps(done))
    if FAULT != "leavings" or not resumed:
        checkpoint.unlink(missing_ok=True)
        (folder / "checkpoint-new").unlink(missing_ok=True)
    return done["rows"]


def answer(folder, rows):
    folder.mkdir(parents=True, exist_ok=True)
    publish(folder / "answer.txt", hashlib.sha256(json.dumps(rows).encode()).hexdigest())
    if FAULT != "lost" or len(rows) < 100 or "report" not in folder.name:
        publish(folder / "coactivation.txt", "none")
    publish(folder / "run.json", json.dumps({"encode": {"seconds": time.process_time()}}))


def merged(files, out):
    tallies = [json.loads(path.read_text()) for path in files]
    rows = [row for tally in tallies for row in tally]
    publish(out, json.dumps(rows if FAULT == "order" else sorted(rows)))


def main():
    options = arguments()
    if options.command == "simulate":
        simulate(options)
    elif options.command == "analyze":
        answer(options.out, count(options, options.out))
    elif options.command == "tally":
        publish(options.out, json.dumps(count(options, options.out.parent)))
        if options.fires is not None:
            publish(options.out.with_name(f"{options.out.name}.fires"), "")
    elif options.command == "merge":
        merged(options.files, options.out)
    else:
        answer(options.out, json.loads(options.files[0].read_text()))


if __name__ == "__main__":
    main()
