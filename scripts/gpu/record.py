"""The record of scripts/gpu-check, from what its steps have written so far, and a table of the goals.

    record.py WORK FOLDER SMALL COMMIT FAILED SECONDS WHEN

WORK has the steps, their output and the lines of the record, which is put into FOLDER. WHEN is "part"
after each part, so that what ends the script loses no part that was done, and "end".
"""

import datetime, json, pathlib, re, sys, tempfile

work, where, small, commit, failed, seconds, when = sys.argv[1:]
work, where, small = pathlib.Path(work), pathlib.Path(where), small == "1"


def text(name, most=4000):
    path = work / name
    return path.read_text(errors="replace")[-most:] if path.exists() else ""


def steps():
    for line in text("steps", 1 << 20).splitlines():
        name, kind, status, took, code, note = (line.split("\t") + [""] * 6)[:6]
        step = {"name": name, "kind": kind, "status": status, "seconds": int(took), "note": note}
        if status not in ("passed", "skipped"):
            step["output_end"] = text(f"{name}.log", 3000)
        yield step


lines = []
for line in text("lines", 1 << 26).splitlines():
    try:
        lines.append(json.loads(line))
    except ValueError:
        pass
device = next((l for l in lines if l.get("mode") == "device" and "device" in l), {})


def of(mode, **wanted):
    found = [l for l in lines if l.get("mode") == mode and "error" not in l]
    return [l for l in found if all(l.get(k) == v for k, v in wanted.items())]


def last(mode, key, **wanted):
    found = [l[key] for l in of(mode, **wanted) if l.get(key) is not None]
    return found[-1] if found else None


def ratio(a, b):
    return a / b if a and b else None


def sizes():
    return sorted({l["features"] for l in of("stages") + of("resident") + of("torch_vectorised")})


goals = []


def goal(name, value, least=None, most=None, unit=""):
    if value is None:
        met = None
    elif small:
        met = None
    else:
        met = value >= least if least is not None else value <= most
    goals.append({"goal": name, "measured": value, "unit": unit, "least": least, "most": most, "met": met})


copy = last("copy", "device_copy_bytes_per_second")
into = last("copy", "host_to_device_bytes_per_second")
for f in sizes():
    ours = last("resident", "rows_per_second", features=f)
    goal(f"(a) F={f}: rows/s over vectorised torch's", ratio(ours, last("torch_vectorised", "rows_per_second", features=f)), least=8, unit="x")
    book = of("torch_notebook", features=f)
    rows = book[-1]["rows"] if book else None
    same = last("resident", "rows_per_second", features=f, rows=rows) if rows else None
    goal(f"(b) F={f}: rows/s over the notebook's, {rows or '?'} rows", ratio(same, book[-1]["rows_per_second"] if book else None), least=100, unit="x")
largest = max(sizes(), default=None)
share = None
for l in of("stages", features=largest):
    share = l["product_share"]
goal(f"(c) F={largest}: the product's share of the stages' time", share and 100 * share, least=65, unit="%")
for f in sizes():
    bytes_a_second = last("stages", "score_bytes_per_second", features=f)
    r = ratio(bytes_a_second, copy)
    goal(f"(d) F={f}: select's bytes/s of the device copy's", r and 100 * r, least=60, unit="%")
for f in {l["features"] for l in of("pinned")}:
    l = of("pinned", features=f)[-1]
    r = ratio(l["rows_per_second"] * l["dim"] * 4, into)
    goal(f"(e) F={f}: page-locked rows of the copy rate", r and 100 * r, least=90, unit="%")
# Each case's screens answer for the same rows: rows are counted once, differences always.
exact = of("exact")
checked = {(l["data"], l["rows"], l["dim"], l["features"]): l["rows"] for l in exact}
rows = sum(checked.values())
wrong = sum(l["rows_differing"] for l in exact) if exact else None
goal(f"(f) rows differing from binary64, of {rows}", wrong, most=0)
if wrong is not None and not small and rows < 1_000_000:
    goals[-1]["met"] = False
ruled = of("activations")
wrong = sum(l["rows_differing"] for l in ruled) if ruled else None
goal(f"(f) the same by every activation, of {sum(l['rows'] for l in ruled)}", wrong, most=0)
for form in ("half", "single"):
    # A sum that is no number is written as null.
    fractions = [l["fraction_of_bound"] for l in of("rounding", format=form)]
    fractions = [float("inf") if f is None else f for f in fractions]
    goal(f"    worst rounding of {form} products, of the bound", max(fractions, default=None), most=1)

steps = list(steps())
name = device.get("device", {}).get("name", "unknown")
slug = re.sub(r"[^a-z0-9]+", "-", name.lower().replace("nvidia", "")).strip("-") or "unknown"
if name == "unknown" and when == "part":
    sys.exit()  # no step has met the device so far
if name == "unknown" and where == pathlib.Path("benches/record"):
    where = pathlib.Path(tempfile.mkdtemp(prefix="gpu-check-"))  # no device: no record among the others
now = datetime.datetime.now(datetime.timezone.utc)
path = where / f"gpu-{now:%Y-%m-%d}-{slug}.json"
number = 1
while path.exists():
    number += 1
    path = where / f"gpu-{now:%Y-%m-%d}-{slug}-{number}.json"
# The first part has named the file.
named = work / "record-path"
if named.exists():
    path = pathlib.Path(named.read_text())
named.write_text(str(path))
record = {
    "date": f"{now:%Y-%m-%dT%H:%M:%SZ}", "commit": commit.strip(), "small": small,
    "seconds": int(seconds), "all_checks_passed": failed == "0", "ended": when == "end", "device": device,
    "nvidia_smi": {"before": text("clocks-before"), "between": text("clocks-between")},
    "goals": goals, "steps": steps, "lines": [l for l in lines if l.get("mode") != "device"],
}
written = path.with_suffix(".part")
written.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
written.replace(path)
if when == "part":
    sys.exit()


def shown(value, unit="", scale=1.0):
    if value is None:
        return "-"
    value *= scale
    number = f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{number} {unit}".strip()


print(f"\n{name}, commit {commit.strip()[:50]}")
for l in of("stages"):
    parts = ", ".join(f"{k} {shown(v, scale=1e9)}" for k, v in l["seconds_a_row"].items())
    print(f"F={l['features']}: ns a row: {parts}; {shown(l['product_operations_per_second'], 'TFLOP/s', 1e-12)}")
for mode in ("resident", "pinned"):
    for l in of(mode):
        more = l.get("marginal_rows_per_second")
        print(f"F={l['features']}: {mode}, {l['rows']:,} rows: {shown(l['rows_per_second'])} rows/s"
              + (f", {shown(more)} beyond the size before" if more else ""))
print()
print(f"{'goal':<64} {'measured':>12} {'wanted':>10}")
for g in goals:
    wanted = f">= {g['least']} {g['unit']}" if g["least"] is not None else f"<= {g['most']} {g['unit']}"
    verdict = {True: "met", False: "NOT MET", None: "not judged" if g["measured"] is not None else "not measured"}[g["met"]]
    print(f"{g['goal']:<64} {shown(g['measured'], g['unit']):>12} {wanted.strip():>10}  {verdict}")
print(f"\nrecord: {path}")
bad = [s for s in steps if s["kind"] == "check" and s["status"] not in ("passed", "skipped")]
for s in bad:
    print(f"\n-- {s['name']} {s['status']}; its last output:\n{s.get('output_end', '')[-1500:]}")
