"""Whether ten million calls take a hundred times as long as a hundred thousand, and no more memory:
the whole `analyze`, on one small file and on the large cohort in 100 and in 10 files."""

import json

import measure
from session import goal, of, outputs

PART = "rows"
SHAPE = {"input_dim": 64, "features": 512, "k": 8}
MOST_RATIO, MOST_BYTES = 1.05, 1.5e9


def run(session):
    large = session.options.rows
    cases = [case(session, rows, pieces) for rows, pieces in [(large // 100, 1), (large, 100), (large, 10)]]
    for each in cases:
        # Not timed: what is compared, and files in the page cache.
        analyze(session, each)
    one, other = (outputs(each["folder"] / "results") for each in cases[1:])
    same = session.compare("rows: the large cohort in 10 files, where 100 have other bytes", one, other)
    for round_ in range(session.options.rounds):
        for each in cases if round_ % 2 == 0 else cases[::-1]:
            each["runs"].append(analyze(session, each))
    small = figures(cases[0])
    found = [small] + [figures(each) for each in cases[1:]]
    for each in found:
        each["ratio"] = each["microseconds_a_row"]["median"] / small["microseconds_a_row"]["median"]
    return {"shape": SHAPE, "cases": found, "same_bytes": same}


def case(session, rows, pieces):
    folder = session.simulate(PART, f"rows-{rows}", {"rows": rows, **SHAPE}, pieces)
    return {"rows": rows, "pieces": pieces, "folder": folder, "runs": []}


def analyze(session, each):
    folder = each["folder"]
    measured = session.run(PART, "analyze", "--quiet", "--tables", "notebook",
                           *of(folder, each["pieces"]), "--out", folder / "results")
    record = json.loads((folder / "results" / "run.json").read_text())
    scale = 1e6 / each["rows"]
    return {**measured, "microseconds_a_row": measured["wall_seconds"] * scale,
            "processor_microseconds_a_row": measured["processor_seconds"] * scale,
            "encode_microseconds_a_row": record["encode"]["seconds"] * scale}


def figures(each):
    names = ["wall_seconds", "microseconds_a_row", "processor_microseconds_a_row",
             "encode_microseconds_a_row", "peak_memory_bytes", "others_share"]
    return {"rows": each["rows"], "pieces": each["pieces"],
            **{name: measure.summary(each["runs"], name) for name in names}}


def render(found):
    shape = "{input_dim} -> {features}, k = {k}".format(**found["shape"])
    lines = [f"analyze, {shape}",
             f"{'rows':>10} {'files':>5} {'seconds':>9} {'us/row':>8} {'spread':>7} {'cpu us':>7} "
             f"{'encode':>7} {'peak MB':>8} {'ratio':>6}"]
    for each in found["cases"]:
        time, peak = each["microseconds_a_row"], each["peak_memory_bytes"]
        # The peak of a run that is smaller than this program is not known.
        peak = f"{peak['median'] / 1e6:8.0f}" if peak else f"{'-':>8}"
        lines.append(f"{each['rows']:>10} {each['pieces']:>5} {each['wall_seconds']['median']:>9.2f} "
                     f"{time['median']:>8.3f} {time['spread']:>7.1%} "
                     f"{each['processor_microseconds_a_row']['median']:>7.3f} "
                     f"{each['encode_microseconds_a_row']['median']:>7.3f} {peak} {each['ratio']:>6.3f}")
    large = found["cases"][1:]
    ratio = max(each["ratio"] for each in large)
    peak = max((each["peak_memory_bytes"] or {"median": 0})["median"] for each in large)
    lines.append(f"goals: ratio {ratio:.3f} <= {MOST_RATIO}: {goal(ratio <= MOST_RATIO)}; "
                 f"peak {peak / 1e6:.0f} MB < {MOST_BYTES / 1e6:.0f}: {goal(peak < MOST_BYTES)}; "
                 f"100 and 10 files give the same bytes: {'yes' if found['same_bytes'] else 'NO'}")
    busy = [each["others_share"]["median"] for each in found["cases"] if each["others_share"]]
    if busy:
        lines.append(f"meanwhile others took up to {max(busy):.0%} of the processors: where that is much, "
                     "times and ratios mean little")
    return "\n".join(lines)
