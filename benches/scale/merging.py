"""How long a thousand tallies of a wide SAE take to merge."""

import concurrent.futures
import json
import subprocess

import measure
from measure import Failed
from session import goal

PART = "merge"
# So many calls a tally that each type is met with both labels.
ROWS_A_TALLY = 64
# More types than are simulated, given by a table beside the embeddings: sixteen strata.
TYPES = ["BND", "CNV", "DEL", "DUP", "INS", "INV", "TRA", "UNK"]
SHAPE = {"input_dim": 16, "features": 32768, "k": 8}
MOST_SECONDS = 5.0


def run(session):
    count = session.options.tallies
    folder = session.simulate(PART, "merge", {"rows": count * ROWS_A_TALLY, **SHAPE}, count)
    tallies = tallies_of(session, folder)
    read = sum(path.stat().st_size for path in tallies)
    out = session.fresh("merge-results") / "merged.tally"
    runs = []
    for _ in range(session.options.rounds + 1):
        out.unlink(missing_ok=True)
        runs.append(session.run(PART, "merge", "--quiet", "--out", out, *tallies))
    # The first brings the files into the page cache.
    timed = runs[1:]
    seconds = measure.summary(timed, "wall_seconds")
    return {"tallies": len(tallies), "features": SHAPE["features"], "strata": strata_of(out),
            "bytes_read": read, "wall_seconds": seconds,
            "processor_seconds": measure.summary(timed, "processor_seconds"),
            "bytes_a_second": read / seconds["median"],
            "peak_memory_bytes": measure.summary(timed, "peak_memory_bytes"),
            "merged_bytes": out.stat().st_size}


def tallies_of(session, folder):
    """A tally of each piece: two processes at a time, of one thread each, as starting a process is most
    of the work."""
    out = session.fresh("merge-tallies")

    table = folder / "calls.csv"
    calls = [f"{TYPES[row % len(TYPES)]},{'TP' if row // len(TYPES) % 2 else 'FP'}" for row in range(ROWS_A_TALLY)]
    table.write_text("\n".join(["svtype,truvari_class", *calls]) + "\n")

    def tally(piece):
        path = out / f"{piece.stem}.tally"
        words = ["tally", "--quiet", "--threads", "1", "--embeddings", piece, "--metadata", table,
                 "--model", folder / "sae.pt", "--out", path]
        session.remember(PART, words)
        done = subprocess.run([session.program, *map(str, words)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            said = done.stderr.strip().splitlines()
            raise Failed(f"atomscope tally ended with {done.returncode}: {said[-1] if said else 'it said nothing'}")
        return path

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return list(pool.map(tally, sorted(folder.glob("embeddings*.pt"))))


def strata_of(tally):
    """How many strata, label by SV type, a tally has; None of what is no tally, as a stand-in's."""
    content = tally.read_bytes()
    length = int.from_bytes(content[:8], "little")
    if content[8:9] != b"{" or length > len(content):
        return None
    return len(json.loads(json.loads(content[8:8 + length])["__metadata__"]["strata"]))


def render(found):
    seconds, peak = found["wall_seconds"], found["peak_memory_bytes"]
    peak = f"{peak['median'] / 1e6:.0f} MB" if peak else "not known"
    return (f"merge of {found['tallies']} tallies, {found['features']} atoms, {found['strata']} strata\n"
            f"{seconds['median']:.2f} s (spread {seconds['spread']:.1%}), {found['bytes_read'] / 1e6:.0f} MB read, "
            f"{found['bytes_a_second'] / 1e6:.0f} MB/s, peak {peak}\n"
            f"goal: {MOST_SECONDS} s: {goal(seconds['median'] <= MOST_SECONDS)}")
