"""Whether the answer is the same bytes however the calls are cut, on whatever code path each cut is
counted, and in whatever order and nesting the tallies are merged."""

import random
import subprocess

from session import of, outputs

PART = "identity"
# Nothing in it is a multiple of anything.
SHAPE = {"rows": 5003, "input_dim": 67, "features": 517, "k": 7}
CUTS = [1, 2, 7, 64]
CHOICES = {"--threads": ["1", "2"], "--screen": ["auto", "single", "bfloat16"],
           "--simd": ["auto", "avx2", "portable"], "--batch-rows": ["1", "3", "17", "64", "1000", "4096"]}


def run(session):
    draw = random.Random(session.options.seed)
    whole = session.simulate(PART, "identity", SHAPE)
    choices, refused = available(session, whole)
    results = session.fresh("identity-results")
    session.run(PART, "analyze", "--quiet", *of(whole), "--out", results / "analyze")
    expected = outputs(results / "analyze")
    cuts = []
    for pieces in CUTS:
        folder = session.simulate(PART, "identity", SHAPE, pieces)
        found, merges = merged_report(session, draw, choices, folder, pieces)
        what = f"identity: {pieces} shards, where one analyze of one file has other bytes"
        same = session.compare(what, expected, found)
        together = session.fresh("identity-together")
        session.run(PART, "analyze", "--quiet", *of(folder, pieces), "--out", together)
        same &= session.compare(f"identity: analyze of {pieces} files", expected, outputs(together))
        cuts.append({"shards": pieces, "merges": merges, "same_bytes": same})
    return {"shape": SHAPE, "outputs": sorted(expected), "choices": choices, "refused": refused, "cuts": cuts}


def available(session, whole):
    """The choices that this program takes on this machine, and the others."""
    choices, refused = {}, []
    for option, values in CHOICES.items():
        choices[option] = []
        for value in values:
            words = ["analyze", "--quiet", *of(whole), option, value, "--out", session.fresh("identity-probe")]
            done = subprocess.run([session.program, *map(str, words)], capture_output=True, check=False)
            if done.returncode == 0:
                choices[option].append(value)
            else:
                refused.append(f"{option} {value}")
    return choices, refused


def merged_report(session, draw, choices, folder, pieces):
    """The outputs of `report` over a merge of all pieces' tallies, and how many merges it took."""
    work = session.fresh("identity-tallies")
    tallies = []
    for number, piece in enumerate(sorted(folder.glob("embeddings*.pt"))):
        tally = work / f"{number}.tally"
        options = [word for option, values in choices.items() for word in (option, draw.choice(values))]
        session.run(PART, "tally", "--quiet", "--embeddings", piece, "--model", folder / "sae.pt", "--fires",
                    *options, "--out", tally)
        tallies.append(tally)
    fires = [tally.with_name(f"{tally.name}.fires") for tally in tallies]
    draw.shuffle(fires)
    merges = 0
    while len(tallies) > 1 or merges == 0:
        draw.shuffle(tallies)
        # At least two at a time, where there are two: it comes to an end.
        several = draw.randint(min(2, len(tallies)), len(tallies))
        out = work / f"merged-{merges}.tally"
        session.run(PART, "merge", "--quiet", "--out", out, *tallies[:several])
        tallies[:several] = [out]
        merges += 1
    results = session.fresh("identity-report")
    session.run(PART, "report", "--quiet", tallies[0], "--out", results, "--fires", *fires)
    return outputs(results), merges


def render(found):
    lines = ["one analyze of {rows} calls in one file, {input_dim} -> {features}, k = {k}".format(**found["shape"])
             + ", against analyze of all files, and against tally, merge and report",
             f"outputs: {', '.join(found['outputs'])}"]
    for cut in found["cuts"]:
        same = "the same bytes" if cut["same_bytes"] else "OTHER BYTES"
        lines.append(f"{cut['shards']:>3} shards, {cut['merges']:>3} merges: {same}")
    if found["refused"]:
        lines.append(f"not to be had here: {', '.join(found['refused'])}")
    return "\n".join(lines)
