"""The options of runs, as the extension takes them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

#: Arguments of analyze that are no options of the extension.
_OTHERS = ("activations", "atoms", "progress")
#: Options that bear on tables, and not on how rows are counted.
OF_TABLES = (
    "strata",
    "permutations",
    "block",
    "locus_distance",
    "seed",
    "min_support",
    "min_coactivation",
    "pairs",
    "max_pairs",
    "replicate",
    "bootstrap",
    "predict",
    "regions",
    "tables",
    "threads",
    "memory",
)


def _known() -> tuple[dict[str, Any], dict[str, str]]:
    """The defaults of all options, and their types, as the signature of :func:`analyze` has them."""
    from ._run import analyze

    defaults = {name: value for name, value in (analyze.__kwdefaults__ or {}).items() if name not in _OTHERS}
    defaults = {name: _as_words(name, value) for name, value in defaults.items()}
    return {**defaults, "save_fires": False}, {**analyze.__annotations__, "save_fires": "bool"}


def _as_words(name: str, value: Any) -> Any:
    """What is given, as the extension takes it."""
    from ._inputs import strings_of

    if name == "strata":
        return strata_of(value)
    if name == "predict":
        return None if value is False or value is None else "chrom" if value is True else str(value)
    if name == "regions":
        return file_paths(name, value)
    if name == "true_class":
        return strings_of(value)
    if name == "device" or (name == "layer" and value is not None):
        # Also a torch.device, and a number.
        return str(value)
    return value


def whole(argument: str, value: Any, least: int = 0, below: int = 2**63) -> int:
    """A whole number of at least ``least``, and less than ``below``."""
    from ._core import InputError
    from ._inputs import kind

    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise InputError(f"{argument}: found {kind(value)}, expected a whole number")
    number = int(value.__index__())
    if not least <= number < below:
        most = f"at least {least}" if number < least else f"less than 2**{below.bit_length() - 1}"
        raise InputError(f"{argument}: found {number}, expected a number of {most}")
    return number


def options(**given: Any) -> dict[str, Any]:
    """All options: those that are given, and the defaults of :func:`analyze` for the others."""
    defaults, types = _known()
    made = {name: _as_words(name, value) for name, value in given.items()}
    for name, value in made.items():
        made[name] = _checked(name, value, types[name])
    if 0 < made.get("bootstrap", 0) < 100:
        from ._core import InputError

        raise InputError(f"bootstrap: found {made['bootstrap']}, expected 0, or at least 100 replicates")
    return {**defaults, **made}


def table_options(**given: Any) -> dict[str, Any]:
    """The same of options that bear on tables alone. Strata that are not given are those that were counted."""
    unknown = [name for name in given if name not in OF_TABLES]
    if unknown:
        raise TypeError(f"{unknown[0]} is no option of tables; these are {', '.join(OF_TABLES)}")
    made = options(**given)
    return made if "strata" in given else {**made, "strata": None}


def _checked(name: str, value: Any, of: str) -> Any:
    """A value of an option, which is of a type that its annotation names."""
    from ._core import InputError
    from ._inputs import kind

    if value is None and of.endswith("| None"):
        return None
    of = of.removesuffix(" | None")
    if of == "int":
        return whole(name, value)
    if of == "str" and not isinstance(value, str):
        raise InputError(f"{name}: found {kind(value)}, expected a text")
    if of == "bool" and not isinstance(value, bool):
        raise InputError(f"{name}: found {kind(value)}, expected True or False")
    return value


def strata_of(strata: str | Iterable[str] | None) -> str:
    """Strata as the program writes them."""
    from ._core import InputError
    from ._inputs import kind

    if isinstance(strata, str):
        return strata
    if strata is not None and not isinstance(strata, Iterable):
        expected = "some of svtype, size, dataset, col:NAME, region:NAME, or None"
        raise InputError(f"strata: found {kind(strata)}, expected {expected}")
    names = () if strata is None else tuple(map(str, strata))
    return ",".join(names) if names else "none"


def file_paths(argument: str, given: Any) -> list[str]:
    """The paths of one, of several, or of none."""
    from ._core import InputError
    from ._inputs import is_path, kind

    if given is None:
        return []
    several = [given] if is_path(given) else list(given) if isinstance(given, Iterable) else [given]
    for path in several:
        if not is_path(path):
            raise InputError(f"{argument}: found {kind(path)}, expected a path or paths")
    return [os.fspath(path) for path in several]
