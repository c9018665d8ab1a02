"""What the workflow runs: which shards there are, and the tree in which their tallies are merged.

Nothing here needs Snakemake, so that it can be tested without. Whatever is wrong with the
configuration is a `Refusal`, whose text is one line.
"""

import csv
import glob
import itertools
import os
import re
from dataclasses import dataclass

# Every key of config.yaml. One that is not here is a slip of the pen, and would otherwise be
# ignored in silence for as long as the cohort takes.
KEYS = {
    "samples", "embeddings", "model", "out", "atomscope", "device", "tally_args", "report_args",
    "min_support", "checkpoint_rows", "merge_width",
    "tally_threads", "tally_mem_mb", "tally_runtime", "tally_gpu", "tally_gres",
    "merge_mem_mb", "merge_runtime", "report_mem_mb", "report_runtime",
}  # fmt: skip

# Keys that must be whole numbers, and the least that each may be.
NUMBERS = {
    "min_support": 0, "checkpoint_rows": 0, "merge_width": 2,
    "tally_threads": 1, "tally_mem_mb": 1, "tally_runtime": 1, "tally_gpu": 1,
    "merge_mem_mb": 1, "merge_runtime": 1, "report_mem_mb": 1, "report_runtime": 1,
}  # fmt: skip

# A shard's name becomes a file's name, a wildcard and part of a comment in the queue.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


# What Snakemake takes for a wildcard wherever a file is named, also in what a function gives, and
# without a way to say that it is none.
WILDCARD = re.compile(r"\{[^{}]*\w[^{}]*\}")


class Refusal(Exception):
    """The workflow cannot start as it is configured; the text is one line that says why."""


@dataclass(frozen=True)
class Shard:
    """One tally job: a file of embeddings, or some rows of one."""

    name: str
    embeddings: str
    metadata: str = ""
    rows: str = ""

    @property
    def range(self):
        """First row and the row after the last; without `rows` the whole file."""
        if not self.rows:
            return 0, float("inf")
        first, end = self.rows.split("..")
        return int(first), int(end)


def check_config(config):
    """Refuses keys that do not exist and values that cannot be meant; returns numbers as numbers.

    On the command line (`--config merge_width=3`) values can arrive as text.
    """
    unknown = sorted(set(config) - KEYS)
    if unknown:
        raise Refusal(
            f"config: there is no option {unknown[0]!r}; workflow/config.yaml has them all"
        )
    checked = dict(config)
    for key, least in NUMBERS.items():
        try:
            checked[key] = int(str(config[key]))
        except (KeyError, ValueError):
            raise Refusal(
                f"config: {key} is {config.get(key)!r}; expected a whole number"
            ) from None
        if checked[key] < least:
            raise Refusal(f"config: {key} is {checked[key]}; expected {least} or more")
    for key in KEYS - set(NUMBERS) - {"embeddings"}:
        value = config.get(key)
        checked[key] = "" if value is None else str(value)
    if not re.fullmatch(r"auto|cpu|cuda(:\d+|:all)?", checked["device"]):
        raise Refusal(
            f"config: device is {checked['device']!r}; expected auto, cpu, cuda, cuda:N or cuda:all"
        )
    for key in ("out", "atomscope"):
        if not checked[key]:
            raise Refusal(f"config: {key} is empty")
    refuse_wildcards("config: out", checked["out"])
    return checked


def find_shards(config):
    """The shards that the configuration names, in the order of the sheet or of the paths."""
    patterns = config.get("embeddings") or []
    if isinstance(patterns, str):
        patterns = [patterns]
    if config["samples"] and patterns:
        raise Refusal("config: both samples and embeddings are given; expected one of them")
    if config["samples"]:
        shards = read_sheet(config["samples"])
    elif patterns:
        shards = from_globs(patterns)
    else:
        raise Refusal("config: no shards; give samples (a sheet) or embeddings (a glob)")

    source = config["samples"] or "embeddings"
    seen = {}
    for shard in shards:
        if shard.name in seen:
            raise Refusal(
                f"{source}: two shards are called {shard.name!r}: {seen[shard.name].embeddings} and "
                f"{shard.embeddings}; give each its own in the column name of a sample sheet"
            )
        seen[shard.name] = shard
        refuse_wildcards(source, shard.embeddings)
        refuse_wildcards(source, shard.metadata)
    refuse_overlaps(source, shards)
    return shards


def from_globs(patterns):
    """One shard for each file that a glob matches."""
    paths = []
    for pattern in patterns:
        # As the program takes it: what is there under that very name is meant, and no folder is.
        found = [pattern] if os.path.exists(pattern) else glob.glob(pattern, recursive=True)
        found = sorted(path for path in found if not os.path.isdir(path))
        if not found:
            raise Refusal(f"embeddings: nothing matches {pattern!r} in {os.getcwd()}")
        paths += found
    # A file that two globs match is one shard.
    return [Shard(default_name(path, ""), path) for path in dict.fromkeys(paths)]


def read_sheet(path):
    """The shards of a sample sheet: TSV, or CSV where the header has no tab."""
    try:
        # utf-8-sig, as spreadsheets put a byte order mark before the first column's name.
        with open(path, newline="", encoding="utf-8-sig") as file:
            lines = file.read().splitlines()
    except OSError as error:
        raise Refusal(f"samples: {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Refusal(f"samples: {path} is not text in UTF-8") from None

    numbered = [(n, line) for n, line in enumerate(lines, 1) if line.strip() and line[0] != "#"]
    if not numbered:
        raise Refusal(f"samples: {path} is empty; expected a header with the column embeddings")
    delimiter = "\t" if "\t" in numbered[0][1] else ","
    table = list(csv.reader((line for _, line in numbered), delimiter=delimiter))
    header = [column.strip() for column in table[0]]
    if "embeddings" not in header:
        raise Refusal(
            f"samples: {path} has no column embeddings; it has {', '.join(header)} "
            f"(read as {'TSV' if delimiter == chr(9) else 'CSV'})"
        )
    shards = []
    for (line, _), cells in zip(numbered[1:], table[1:]):
        if len(cells) > len(header):
            raise Refusal(
                f"samples: {path} line {line}: {len(cells)} cells under {len(header)} columns"
            )
        row = dict(zip(header, (cell.strip() for cell in cells)))
        embeddings, rows = row.get("embeddings", ""), row.get("rows", "")
        if not embeddings:
            raise Refusal(f"samples: {path} line {line}: the cell embeddings is empty")
        match = re.fullmatch(r"(\d+)\.\.(\d+)", rows)
        if rows and not (match and int(match[1]) < int(match[2])):
            raise Refusal(
                f"samples: {path} line {line}: rows is {rows!r}; expected A..B with A below B"
            )
        name = row.get("name") or default_name(embeddings, rows)
        if not NAME.fullmatch(name):
            raise Refusal(
                f"samples: {path} line {line}: the name {name!r} would not make a file's name; "
                "expected letters, digits and . _ -"
            )
        shards.append(Shard(name, embeddings, row.get("metadata", ""), rows))
    if not shards:
        raise Refusal(f"samples: {path} has a header and no shard")
    return shards


def ignored_columns(path):
    """Columns of a sheet that say nothing to the workflow: a sheet may have them, a slip too."""
    with open(path, newline="", encoding="utf-8-sig") as file:
        header = next(line for line in file if line.strip() and line[0] != "#").rstrip("\r\n")
    columns = next(csv.reader([header], delimiter="\t" if "\t" in header else ","))
    return [
        c.strip() for c in columns if c.strip() not in ("embeddings", "name", "metadata", "rows")
    ]


def default_name(path, rows):
    """A shard's name where the sheet gives none: its file's, and its rows."""
    stem = re.sub(r"\.(pt|pth|npy|npz|safetensors)$", "", os.path.basename(path))
    name = re.sub(r"[^A-Za-z0-9._-]", "_", stem).lstrip("._-") or "shard"
    return f"{name}.{rows.replace('..', '-')}" if rows else name


def tables_beside(path):
    """Tables that the program reads without being told, where a file of embeddings has no calls.

    It takes the one that has the file's name. Which of several is no matter here: it refuses them.
    """
    stem = os.path.splitext(path)[0]
    endings = [".csv", ".tsv", ".jsonl", ".ndjson", ".parquet"]
    names = [stem + ending + zipped for ending in endings for zipped in ("", ".gz")]
    return [name for name in names if name != path and os.path.isfile(name)]


def refuse_wildcards(source, path):
    """One line where Snakemake would end with a stack of calls, or look for another file."""
    found = WILDCARD.search(path)
    if found:
        raise Refusal(
            f"{source}: Snakemake takes {found[0]} in {path!r} for a wildcard; rename it, or give a "
            "link without braces (ln -s), also of a table beside it"
        )


def refuse_overlaps(source, shards):
    """A call that is in two shards would be counted twice, and no merge could tell."""
    by_file = {}
    for shard in shards:
        by_file.setdefault(os.path.abspath(shard.embeddings), []).append(shard)
    for same in by_file.values():
        same.sort(key=lambda shard: shard.range)
        for one, next_one in itertools.pairwise(same):
            if next_one.range[0] < one.range[1]:
                raise Refusal(
                    f"{source}: the shards {one.name!r} and {next_one.name!r} have rows of "
                    f"{one.embeddings} in common"
                )


def refuse_missing(source, shards):
    """One line where files are not there, before a queue fills with jobs that fail."""
    missing = [
        path
        for shard in shards
        for path in (shard.embeddings, shard.metadata)
        if path and not os.path.exists(path)
    ]
    if missing:
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        raise Refusal(f"{source}: no such file: {missing[0]}{more}")


def model_file(path):
    """The file whose change makes every tally out of date; refuses a model that is not there."""
    if not path:
        raise Refusal("config: no model; give sae.pt, its folder, or a BEST_MODEL.json")
    refuse_wildcards("config: model", path)
    if os.path.isfile(path):
        return path
    if os.path.isdir(path):
        for name in ("sae.pt", "BEST_MODEL.json"):
            if os.path.isfile(os.path.join(path, name)):
                return os.path.join(path, name)
        raise Refusal(f"model: the folder {path} has no sae.pt and no BEST_MODEL.json")
    raise Refusal(f"model: no such file or folder: {path}")


def merge_tree(leaves, width, root, node):
    """The merge jobs as {output: inputs}: each takes at most `width`, and `root` has every leaf.

    A level cuts what is left into runs of `width`; a run of one goes up as it is, as a job that
    merges one tally would only copy it. The exception is a cohort of one shard, so that the root
    is there for any number of shards. `node(level, index)` names what is neither leaf nor root.
    """
    jobs = {}
    level, nodes = 1, list(leaves)
    while len(nodes) > width:
        above = []
        for index, first in enumerate(range(0, len(nodes), width)):
            run = nodes[first : first + width]
            if len(run) == 1:
                above += run
            else:
                output = node(level, index)
                jobs[output] = run
                above.append(output)
        level, nodes = level + 1, above
    jobs[root] = nodes
    return jobs
