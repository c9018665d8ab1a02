"""The programs that are compared: how each is started, and what it says of itself."""

import hashlib
import json
import shlex

import measure
from environment import HERE

# What must have the same bytes whatever the variant of atomscope.
OUTPUTS = ["sae_feature_bias_analysis.csv", "top_biased_features.json", "coactivation.csv", "report.txt"]


class Program:
    """One of them, on one cohort, with a folder of its own."""

    def __init__(self, name, work):
        self.name, self.unavailable, self.repetitions = name, None, []
        self.out = work / name.replace(" ", "-")

    def files(self, cohort):
        return ["--embeddings", cohort.embeddings, "--model", cohort.model, "--out", self.out]

    def once(self, cohort, check=False):
        """Runs it. In the round that checks, it also writes what is compared."""
        self.out.mkdir(parents=True, exist_ok=True)
        log = self.out / "printed.txt"
        found = measure.run(self.command(cohort, check), log)
        if found["exit_code"] != 0:
            raise measure.Failed(f"{self.name}: exit code {found['exit_code']}: "
                                 f"{measure.error_line(log)}")
        return {**found, **self.report()}


class Atomscope(Program):
    """A variant: the same program with other options, which must not change the answer."""

    def __init__(self, name, work, path, options=""):
        super().__init__(f"atomscope {name}", work)
        self.path, self.options = path, shlex.split(options)

    def command(self, cohort, check):
        saved = ["--save-fires"] if check else []
        # What the notebook answers; the tables beside that have measurements of their own.
        tables = ["--tables", "notebook"]
        return [self.path, "analyze", "--quiet", *self.files(cohort), *tables, *saved, *self.options]

    def report(self):
        run = json.loads((self.out / "run.json").read_text())
        digest = hashlib.sha256()
        for name in OUTPUTS:
            digest.update((self.out / name).read_bytes())
        encode = run["encode"]
        # Names of files say nothing to others.
        shapes = {name: value for name, value in run["shapes"].items() if name != "shards"}
        return {"answer": digest.hexdigest(), "encode_seconds": encode["seconds"],
                "rows_per_second": {"from_file": run["shapes"]["rows"] / encode["seconds"]},
                "reported_peak_bytes": run["peak_memory_bytes"], "encoder": run["encoder"],
                "shapes": shapes, "seconds": run["seconds"],
                "thread_seconds": encode["thread_seconds"], "certificate": run["certificate"]}


class Python(Program):
    """One of ours in Python."""

    script, options = "", ()

    def __init__(self, name, work, python, *options):
        super().__init__(name, work)
        self.python, self.options = python, [*options]

    def command(self, cohort, check):
        return [self.python, HERE / self.script, *self.files(cohort), "--started", "@STARTED@",
                *(["--check"] if check else []), *self.options]

    def report(self):
        report = json.loads((self.out / "report.json").read_text())
        report["answer"] = report.pop("counts", None)
        rates = {}
        # The notebook's rows lie in memory when it encodes; the expert's whole job reads its file then.
        for stage, name in self.stages.items():
            if stage in report.get("seconds", {}):
                rates[name] = report["rows"] / report["seconds"][stage]
        return {**report, "rows_per_second": rates}


class Notebook(Python):
    script, stages = "notebook.py", {"encode": "in_memory"}


class Expert(Python):
    script, stages = "expert.py", {"encode": "from_file"}


class Rates(Python):
    """The expert's passes over rows alone, warmed up."""

    script = "expert.py"
    stages = {"encode_in_memory": "in_memory", "encode_from_file": "from_file"}


class Tool(Python):
    """A check: not timed."""

    stages = {}

    def __init__(self, script, work, python, *options):
        super().__init__(script.removesuffix(".py"), work, python, *options)
        self.script = script


def peak(found):
    """A run's peak memory: as the system counted it, or as the program did where the former is
    hidden behind that of the process that started it."""
    return found["peak_memory_bytes"] or found.get("reported_peak_bytes")
