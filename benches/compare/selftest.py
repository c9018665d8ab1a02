"""That the comparison finds what it is there to find: faults are planted in the results of a small
cohort, one after the other, and each must be reported."""

import shutil
import subprocess

import cohorts
import programs
from environment import HERE, say
from measure import Failed

CASE = cohorts.parse_case("64x128x8:700")

# Run by the Python that has numpy: a folder of results is changed. "count": one count is; "set": in
# one row an atom that does not fire takes the place of one that does; "both": the counts follow.
PLANT = """
import sys, numpy, torch
folder, kind, embeddings = sys.argv[1:]
if kind != "count":
    fires = numpy.load(folder + "/fires.npy")
    lost, gained = fires[5, 0], next(atom for atom in range(128) if atom not in fires[5])
    fires[5, 0] = gained
    fires[5].sort()
    numpy.save(folder + "/fires.npy", fires)
if kind != "set":
    counts = numpy.load(folder + "/counts.npy")
    call = torch.load(embeddings, mmap=True)["sv_info"][5]
    label = 0 if call["truvari_class"] in ("TP", "tp_comp_vcf") else 1
    if kind == "both":
        counts[label, lost] -= 1
        counts[label, gained] += 1
    else:
        counts[label, 3] += 1
    numpy.save(folder + "/counts.npy", counts)
"""

# The canonical sum and the order of ties, against sums written out one number after the other.
DEFINITION = """
import numpy, torch
from definition import Definition, canonical_scores
random = numpy.random.default_rng(5)
x, w = (random.standard_normal(s).astype(numpy.float32) for s in ((9, 70), (12, 70)))
b = random.standard_normal(12).astype(numpy.float32)
w[7], b[7] = w[2], b[2]  # two atoms that always tie
w[11], b[11] = w[2], b[2]
def naive(row, atom):
    lanes = [0.0] * 32
    for i in range(70):
        lanes[i % 32] += float(row[i]) * float(w[atom, i])
    for half in (16, 8, 4, 2, 1):
        lanes = [lanes[lane] + lanes[lane ^ half] for lane in range(32)]
    return lanes[0] + float(b[atom])
t = torch.from_numpy
made = Definition(t(w), t(b), torch.zeros(1, 70), torch.ones(1, 70), 5)
tied = 0
for force in (False, True):
    if force:  # every pair by the canonical sum
        made.tolerance = lambda x: torch.full((len(x), 1), 1e9, dtype=torch.float64)
    sets, close = made.sets(t(x))
    tied += close
    for row in range(9):
        scores = [naive(x[row], atom) for atom in range(12)]
        assert scores == canonical_scores(x[row], w, b).tolist(), "canonical scores"
        best = sorted(range(12), key=lambda atom: (-scores[atom], atom))[:5]
        assert sorted(best) == sets[row].tolist(), (force, row, best, sets[row])
assert 9 < tied < 18, f"{tied} rows were settled canonically"
"""


def python(session, code, *given):
    """Runs a piece of Python beside our modules; whether it ended well."""
    command = [session.python, "-c", code, *map(str, given)]
    return subprocess.run(command, cwd=HERE, check=False).returncode == 0


def results(session, cohort):
    """One run each of atomscope and of the programs that it is compared with."""
    made = {"atomscope": programs.Atomscope("auto", session.work, session.program),
            "notebook": programs.Notebook("notebook", session.work, session.python),
            "expert": programs.Expert("expert", session.work, session.python)}
    for each in made.values():
        each.once(cohort, check=True)
    return {name: each.out for name, each in made.items()}


def verify(session, cohort, folders):
    report = session.tool("verify.py", cohort, "--atomscope", folders["atomscope"],
                          "--strict", f"notebook={folders['notebook']}",
                          "--strict", f"expert={folders['expert']}")
    return report["failures"]


def planted(session, cohort, folders, name, kind):
    """The folders, one of them a copy with a fault in it."""
    copy = session.work / f"planted-{name}-{kind}"
    shutil.copytree(folders[name], copy, dirs_exist_ok=True)
    if not python(session, PLANT, copy, kind, cohort.embeddings):
        raise Failed("the fault could not be planted")
    return {**folders, name: copy}


def run(session):
    """What was not as it must be."""
    wrong = []

    def expect(what, holds):
        say(f"selftest: {what}: {'yes' if holds else 'NO'}")
        if not holds:
            wrong.append(f"selftest: not so: {what}")

    cohort = session.simulated(CASE, CASE.rows[0], 1)
    expect("ties are settled as a sum written out settles them", python(session, DEFINITION))
    folders = results(session, cohort)
    expect("sound results pass", not verify(session, cohort, folders))
    faults = {"count": "other counts", "set": "other counts", "both": "than rounding explains"}
    for name in ("notebook", "expert"):
        for kind, said in faults.items():
            found = verify(session, cohort, planted(session, cohort, folders, name, kind))
            expect(f"a fault of the {name} is found: {kind}",
                   len(found) == 1 and found[0].startswith(name) and said in found[0])
    changed = planted(session, cohort, folders, "atomscope", "set")
    found = verify(session, cohort, changed)
    expect("a changed firing set of atomscope is found", found and found[0].startswith("atomscope"))
    sound = [f"--fires=sound={folders['atomscope'] / 'fires.npy'}",
             f"--fires=changed={changed['atomscope'] / 'fires.npy'}"]
    found = session.tool("exact.py", cohort, *sound)["rows_differ"]
    expect("the definition gives atomscope's sets", found["sound"] == 0)
    expect("one changed row is one row that differs", found["changed"] == 1)
    return wrong
