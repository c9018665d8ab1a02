"""Ratios from a record's figures, and everything as tables that a README can quote."""

REFERENCE = "atomscope auto"


def median(found, *keys):
    for key in keys:
        found = (found or {}).get(key)
    return found["median"] if isinstance(found, dict) else found


def over(one, other):
    return one / other if one is not None and other else None


def rate(found, kind):
    return median(found, "rows_per_second", kind)


def variants(programs):
    """The ways of running atomscope that are no measurement of threads, and are there."""
    return [name for name in programs if name.startswith("atomscope") and "thread" not in name
            and "unavailable" not in programs[name]]


def cohort_ratios(programs):
    """How many times faster each variant of atomscope is, and two threads than one."""
    found = {}
    for name in variants(programs):
        ours = programs[name]
        wall, ratios = median(ours, "wall_seconds"), {}
        for precision in ("float32", "bfloat16"):
            passes = programs.get(f"passes {precision}")
            for kind in ("in_memory", "from_file"):
                ratios[f"rows_per_second_over_{precision}_{kind}"] = (
                    over(rate(ours, "from_file"), rate(passes, kind)))
        for other in ("expert float32", "expert bfloat16", "notebook"):
            theirs = median(programs.get(other), "wall_seconds")
            start = median(programs.get(other), "start_and_imports")
            key = f"whole_process_over_{other.replace(' ', '_')}"
            ratios[key] = over(theirs, wall)
            ratios[f"{key}_without_imports"] = over(theirs - start, wall) if start else None
        found[name] = ratios
    one, two = (programs.get(f"atomscope {name}") for name in ("one thread", "two threads"))
    if one and two:
        found["two threads over one"] = {
            "rows_per_second": over(rate(two, "from_file"), rate(one, "from_file")),
            "whole_process": over(median(one, "wall_seconds"), median(two, "wall_seconds"))}
    return found


def growth(cohorts):
    """For N and 10 N rows of a case: time and peak memory, and what memory grows by besides the
    firing sets, which take 4 k bytes a row."""
    found = []
    for small in cohorts:
        for large in cohorts:
            rows = small["shape"]["rows"]
            if large["shape"]["rows"] != 10 * rows:
                continue
            for name in small["programs"].keys() & large["programs"].keys():
                pair = small["programs"][name], large["programs"][name]
                if name.startswith("passes") or any("unavailable" in each for each in pair):
                    continue
                found.append(growth_of(name, rows, small["shape"]["k"], *pair))
    return sorted(found, key=lambda each: (each["rows"], each["program"]))


def growth_of(name, rows, k, small, large):
    peaks = small["peak_memory_bytes"], large["peak_memory_bytes"]
    more = peaks[1] - peaks[0] if None not in peaks else None
    return {"program": name, "rows": rows,
            "wall_seconds": [median(each, "wall_seconds") for each in (small, large)],
            "wall_ratio": over(median(large, "wall_seconds"), median(small, "wall_seconds")),
            "peak_memory_bytes": peaks, "memory_growth_bytes": more,
            "memory_growth_less_firing_sets_bytes": more and more - 4 * k * 9 * rows}


def add_ratios(record):
    for case in record["cases"]:
        for cohort in case.get("cohorts", []):
            cohort["ratios"] = cohort_ratios(cohort["programs"])
        case["growth"] = growth(case.get("cohorts", []))


def number(value, form=",.0f"):
    return "–" if value is None else format(value, form)


def times(value):
    return number(value, ".3g")


def megabytes(value):
    return number(value and value / 1e6)


def grid(head, rows):
    """A table in Markdown, its columns padded to be read as it stands."""
    rows = [[str(cell) for cell in row] for row in [head, *rows]]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |"
             for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def title(shape):
    return (f"{shape['input_dim']} → {shape['features']}, k = {shape['k']}, "
            f"{shape['rows']:,} calls")


def cohort_rows(cohort):
    """A line for each program."""
    shape, programs = title(cohort["shape"]), cohort["programs"]
    ours = median(programs[REFERENCE], "wall_seconds")
    for name, found in programs.items():
        if "unavailable" in found:
            continue
        wall = found["wall_seconds"]
        differ = cohort["check"].get(name, {}).get("rows_differ")
        if name.startswith("atomscope"):
            differ = "its own"
        passes = name.startswith("passes")
        yield [shape, name, "–" if passes else f"{wall['median']:.2f} ±{wall['spread'] / 2:.0%}",
               "–" if passes else times(over(wall["median"], ours)),
               number(median(found, "start_and_imports"), ".2f"),
               megabytes(found["peak_memory_bytes"]), number(rate(found, "in_memory")),
               number(rate(found, "from_file")), "–" if differ is None else differ]


RATIOS = {
    "torch float32, in memory": "rows_per_second_over_float32_in_memory",
    "from file": "rows_per_second_over_float32_from_file",
    "torch bfloat16, in memory": "rows_per_second_over_bfloat16_in_memory",
    "from file ": "rows_per_second_over_bfloat16_from_file",
    "whole expert, float32": "whole_process_over_expert_float32",
    "less imports": "whole_process_over_expert_float32_without_imports",
    "whole notebook": "whole_process_over_notebook",
    "less imports ": "whole_process_over_notebook_without_imports",
}


def ratio_rows(cohort):
    for name in variants(cohort["programs"]):
        ratios = cohort["ratios"][name]
        yield [title(cohort["shape"]), name, *(times(ratios[key]) for key in RATIOS.values())]


def thread_rows(cohort):
    ratios = cohort["ratios"].get("two threads over one")
    if ratios:
        yield [title(cohort["shape"]), times(ratios["rows_per_second"]), times(ratios["whole_process"])]


def growth_rows(case):
    for each in case["growth"]:
        small, large = each["wall_seconds"]
        rest = each["memory_growth_less_firing_sets_bytes"]
        yield [case["case"], each["program"], f"{each['rows']:,} → {10 * each['rows']:,}",
               f"{small:.2f} → {large:.2f}", times(each["wall_ratio"]),
               " → ".join(megabytes(peak) for peak in each["peak_memory_bytes"]),
               number(rest and rest / 1e6, ".1f")]


def exact_rows(each):
    for name, count in each["rows_differ"].items():
        yield [each["case"], name, f"{each['rows']:,}", count, each["rows_settled_canonically"]]


def notes(cohorts):
    """What each variant of atomscope ran on, and which could not be run."""
    found = set()
    for cohort in cohorts:
        for name, each in cohort["programs"].items():
            if "unavailable" in each:
                found.add(f"not available: {each['unavailable']}")
            elif "encoder" in each:
                encoder = each["encoder"]
                found.add(f"{name}: {encoder['device']}, {encoder['code_path']}, "
                          f"threads: {encoder['threads']}")
    return "\n".join(sorted(found))


def disturbance(cohorts):
    """A line that says whether the machine had other work, which bends every ratio: the notebook's
    thousands of short parallel steps wait for each other, and suffer most."""
    shares = [run["others_share"] for cohort in cohorts for each in cohort["programs"].values()
              for run in each.get("repetitions", []) if run["wall_seconds"] > 0.5
              and run["others_share"] is not None]
    if not shares:
        return "whether the machine had other work is not known"
    share = sum(shares) / len(shares)
    advice = "; run it again on an idle machine" if share > 0.05 else ""
    return f"other work took {share:.0%} of the processors' time, {max(shares):.0%} at most{advice}"


def render(record):
    """All tables of a record, as text."""
    cases = [case for case in record["cases"] if "cohorts" in case]
    cohorts = [cohort for case in cases for cohort in case["cohorts"]]
    tables = [
        (["files", "program", "whole process, s", "of atomscope auto's", "start and imports, s",
          "peak memory, MB", "rows/s, in memory", "rows/s, from file", "rows that differ"],
         cohorts, cohort_rows),
        (["files", "how many times faster than", *(head.strip() for head in RATIOS)],
         cohorts, ratio_rows),
        (["files", "two threads over one: rows/s", "whole process"], cohorts, thread_rows),
        (["case", "program", "calls", "whole process, s", "ratio", "peak memory, MB",
          "growth beside firing sets, MB"], cases, growth_rows),
        (["case", "program", "rows", "rows that differ from the definition",
          "rows that the canonical sum settled"], record["exact"], exact_rows),
    ]
    parts = []
    for head, things, rows_of in tables:
        rows = [row for thing in things for row in rows_of(thing)]
        if rows:
            parts.append(grid(head, rows))
    return "\n\n".join([*parts, notes(cohorts) + "\n" + disturbance(cohorts)])
