"""Options are the program's, with its defaults."""

import re

import atomscope as ats
from atomscope._options import OF_TABLES
from conftest import program

#: Options that the program has under another name.
ELSEWHERE = {"compare_scores": "compare", "batch_rows": "batch-topk-rows", "batch_threshold": "batch-topk"}
OPTIONS = {name: value for name, value in ats.analyze.__kwdefaults__.items() if name != "progress"}


def flag_of(option):
    return ELSEWHERE.get(option, option.replace("_", "-"))


def flags_of(command):
    """The flags of a command, and their defaults where it names one."""
    _, *parts = re.split(r"\n {2,6}(?:-\w, )?--", program(command, "--help"))
    defaults = {re.match(r"[\w-]+", part)[0]: re.search(r"\[default: ([\w,-]+)\]", " ".join(part.split())) for part in parts}
    return {flag: found[1] if found else None for flag, found in defaults.items()}


def test_options_are_the_programs_with_its_defaults():
    flags = flags_of("analyze")
    compared = 0
    for option, default in OPTIONS.items():
        assert flag_of(option) in flags, option
        if isinstance(default, (bool, type(None))) or default == ():
            continue
        expected = ",".join(default) if isinstance(default, tuple) else str(default)
        assert flags[flag_of(option)] == expected, option
        compared += 1
    assert compared > 10


def test_options_of_tables_are_those_of_a_report():
    flags = flags_of("report")
    # The program's report has no threads, refuses scores, and asks for the layer of a model.
    for option in OPTIONS.keys() - {"threads", "compare_scores", "layer"}:
        assert (flag_of(option) in flags) == (option in OF_TABLES), option


def test_options_of_tables_are_in_the_docstring():
    assert all(re.search(rf"\b{option}\b", ats.Tally.analyze.__doc__) for option in OF_TABLES)
