"""Runs all programs on the same files, alternating: first a round that checks, then rounds that are
timed. And a count of rows whose firing sets are not those of the definition."""

import hashlib
import statistics
from dataclasses import dataclass, field

import cohorts
import measure
import programs
from environment import say

# The largest cohort on which one thread is set against two.
THREADS_ROWS = 20_000
# A cohort of the count of rows that differ, and the seed of the first; not those that are timed.
EXACT_ROWS, EXACT_SEED = 20_000, 1000
CHUNKS = {"cpu": "[256, 512, 1024, 2048, 4096]", "cuda": "[1024, 4096, 16384, 65536]"}
PRECISIONS = ("float32", "bfloat16")


@dataclass
class Session:
    """What stays the same for all cases."""

    options: object
    python: str
    program: str
    work: object
    machine: dict
    variants: dict
    failures: list = field(default_factory=list)

    def fail(self, text):
        say(f"compare: {text}")
        self.failures.append(text)

    def tool(self, script, cohort, *options):
        tool = programs.Tool(script, self.work, self.python, *options)
        return tool.once(cohort)

    def simulated(self, case, rows, seed):
        say(f"{case.name}: simulating {rows} calls")
        return cohorts.simulated(self.program, self.work, case, rows, seed)

    def atomscopes(self, work, variants):
        return [programs.Atomscope(name, work, self.program, options)
                for name, options in variants.items()]


@dataclass
class Entry:
    """One cohort and all that runs on it."""

    cohort: object
    programs: list
    check: dict = field(default_factory=dict)

    def available(self):
        return [each for each in self.programs if not each.unavailable]


def calibrated(session, cohort):
    """The chunk at which torch is fastest here, for each precision, and how long each took."""
    chunks = CHUNKS["cuda" if session.machine["gpu"] else "cpu"]
    found = {}
    for precision in session.options.precisions:
        report = session.tool("expert.py", cohort, "--precision", precision, "--calibrate", chunks)
        found[precision] = {key: report[key] for key in ("chunk", "rows", "seconds_a_row")}
    return found


def entry_of(session, cohort, work, chunks, threads):
    """Everything that runs on a cohort."""
    variants = dict(session.variants)
    if threads:
        variants |= {"one thread": "--threads 1", "two threads": "--threads 2"}
    found = session.atomscopes(work, variants)
    for precision in session.options.precisions:
        given = ["--precision", precision, "--chunk", chunks[precision]["chunk"]]
        found.append(programs.Expert(f"expert {precision}", work, session.python, *given))
        found.append(programs.Rates(f"passes {precision}", work, session.python, *given, "--rates"))
    if cohort.rows <= session.options.notebook_rows:
        found.append(programs.Notebook("notebook", work, session.python))
    return Entry(cohort, found)


def once_if_known(each, cohort, first):
    """A run that writes what is compared; None from a variant of atomscope, other than the first,
    that this program does not know or this machine cannot run."""
    try:
        return each.once(cohort, check=not isinstance(each, programs.Rates))
    except measure.Failed as failed:
        if each is first or not isinstance(each, programs.Atomscope):
            raise
        each.unavailable = str(failed)
        say(str(failed))
        return None


def check(session, entry, where):
    """The round that checks: every program writes what is compared, and is compared with the first
    variant of atomscope. Variants that cannot be run are left out from here on."""
    first, answers, compared = entry.programs[0], {}, []
    for each in entry.programs:
        found = once_if_known(each, entry.cohort, first)
        if found and isinstance(each, programs.Atomscope):
            sets = hashlib.sha256((each.out / "fires.npy").read_bytes()).hexdigest()
            answers[each.name] = found["answer"] + sets
            if answers[each.name] != answers[first.name]:
                session.fail(f"{where}: {each.name} has another answer than {first.name}")
        if isinstance(each, (programs.Notebook, programs.Expert)):
            kind = "--loose" if "bfloat16" in each.name else "--strict"
            compared += [kind, f"{each.name}={each.out}"]
    report = session.tool("verify.py", entry.cohort, "--atomscope", first.out, *compared)
    entry.check = report["programs"]
    for failure in report["failures"]:
        session.fail(f"{where}: {failure}")


def timed_rounds(session, entries, where):
    """Every program on every cohort once a round; every other round in the opposite order."""
    options = session.options
    for number in range(options.repetitions):
        say(f"{where}: round {number + 1} of {options.repetitions}")
        order = [(entry, each) for entry in entries for each in entry.available()]
        for entry, each in order if number % 2 == 0 else reversed(order):
            if isinstance(each, programs.Notebook) and number >= options.notebook_repetitions:
                continue
            each.repetitions.append(each.once(entry.cohort))
    for entry in entries:
        for each in entry.available():
            answers = {found.get("answer") for found in each.repetitions}
            if isinstance(each, programs.Atomscope) and len(answers) > 1:
                session.fail(f"{where}: {each.name} gave {len(answers)} answers on the same files")


# What is the same in every repetition stands once.
CONSTANT = ("encoder", "shapes", "certificate", "torch", "threads", "device", "rows", "answer",
            "exit_code")


def found_of(each):
    """A program's figures over its repetitions."""
    if each.unavailable:
        return {"unavailable": each.unavailable}
    runs = each.repetitions
    known = [peak for peak in map(programs.peak, runs) if peak is not None]
    return {
        "command_options": [str(option) for option in each.options],
        **{key: runs[0][key] for key in CONSTANT if key in runs[0]},
        "different_answers": len({run.get("answer") for run in runs}),
        "wall_seconds": measure.summary(runs, "wall_seconds"),
        "start_and_imports": measure.summary(runs, "seconds", "start_and_imports"),
        "encode_seconds": measure.summary(runs, "encode_seconds"),
        "rows_per_second": {kind: measure.summary(runs, "rows_per_second", kind)
                            for kind in ("in_memory", "from_file")},
        "peak_memory_bytes": statistics.median(known) if known else None,
        "repetitions": [{key: value for key, value in run.items() if key not in CONSTANT}
                        for run in runs],
    }


def compare(session, case):
    """One case: figures of every program at every number of rows."""
    made = ([cohorts.real_cohort(session.options)] if case.name == cohorts.REAL
            else [session.simulated(case, rows, session.options.seed) for rows in case.rows])
    if made == [None]:
        say(f"{case.name}: skipped; neither --delly-mims nor ATOMSCOPE_DELLY_MIMS names its folder")
        return {"case": case.name, "skipped": "its folder is not named"}
    most = max((cohort.rows for cohort in made if cohort.rows <= THREADS_ROWS), default=0)
    entries = []
    chunks = calibrated(session, made[-1])
    for cohort in made:
        work = session.work / f"results-{case.name}-{cohort.rows}"
        entry = entry_of(session, cohort, work, chunks, cohort.rows == most and cohort.made)
        say(f"{case.name}: checking {cohort.rows or 'all'} calls")
        check(session, entry, f"{case.name}, {cohort.rows or 'all'} calls")
        entries.append(entry)
    timed_rounds(session, entries, case.name)
    found = [{"shape": shape(entry), "check": entry.check,
              "programs": {each.name: found_of(each) for each in entry.programs}}
             for entry in entries]
    if not session.options.work:
        for cohort in made:
            cohort.remove()
    return {"case": case.name, "calibration": chunks, "cohorts": found}


def shape(entry):
    """As atomscope found it, which knows the shape of real files too."""
    shapes = entry.programs[0].repetitions[0]["shapes"]
    return {"rows": shapes["rows"], "input_dim": shapes["input_dim"],
            "features": shapes["feature_dim"], "k": shapes["k"]}


def exact_cohort(session, cohort, total):
    """Adds one cohort's rows that differ from the definition to the total."""
    work, names = session.work / "exact", []
    made = session.atomscopes(work, session.variants)
    made += [programs.Expert(f"expert {precision}", work, session.python, "--precision", precision)
             for precision in session.options.precisions]
    for each in made:
        if once_if_known(each, cohort, made[0]) is None:
            total["unavailable"][each.name] = each.unavailable
            continue
        names += ["--fires", f"{each.name}={each.out / 'fires.npy'}"]
    report = session.tool("exact.py", cohort, *names)
    total["rows"] += report["rows"]
    total["rows_settled_canonically"] += report["rows_settled_canonically"]
    for name, count in report["rows_differ"].items():
        total["rows_differ"][name] = total["rows_differ"].get(name, 0) + count


def exact(session, case):
    """How many of many rows, of cohorts of their own, differ from the definition in binary64."""
    total = {"case": case.name, "rows": 0, "rows_settled_canonically": 0, "rows_differ": {},
             "unavailable": {}}
    if case.name == cohorts.REAL:
        cohort = cohorts.real_cohort(session.options)
        if cohort is None:
            return None
        exact_cohort(session, cohort, total)
    seed = EXACT_SEED
    while case.name != cohorts.REAL and total["rows"] < session.options.exact_rows:
        rows = min(EXACT_ROWS, session.options.exact_rows - total["rows"])
        cohort = session.simulated(case, rows, seed)
        exact_cohort(session, cohort, total)
        cohort.remove()
        seed += 1
        say(f"{case.name}: {total['rows']} rows against the definition: {total['rows_differ']}")
    for name, count in total["rows_differ"].items():
        if count and name.startswith("atomscope"):
            session.fail(f"{case.name}: {name} differs from the definition on {count} rows")
    return total
