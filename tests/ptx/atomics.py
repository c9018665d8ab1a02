"""Atomics: what words become, and what each thread sees of them, in an order of chance."""

import numpy as np

from ops import Fault, number_type


def changed(words, places, operation, value, wanted, order):
    """Changes words by values. Gives what each thread saw before its own change, where that is wanted."""
    name, kind = operation.split(".")
    if name == "add" and wanted:
        return added(words, places, value, order)
    if name == "add":
        np.add.at(words, places, value)
    elif name in ("max", "min") and not wanted:
        function = np.maximum if name == "max" else np.minimum
        function.at(words.view(number_type(kind)), places, value.view(number_type(kind)))
    else:
        raise Fault(f"atom.{operation} is not known" + (" with its result" if wanted else ""))
    return np.zeros(len(places), words.dtype)


def added(words, places, value, order):
    """Adds in an order, and gives what was there before each addition."""
    inside = order[np.argsort(places[order], kind="stable")]
    at, values = places[inside], value[inside].astype(words.dtype)
    sums = np.cumsum(values, dtype=words.dtype)
    first = np.concatenate(([True], at[1:] != at[:-1]))
    start = np.maximum.accumulate(np.where(first, np.arange(len(at)), 0))
    before = words[at] + (sums - values) - (sums[start] - values[start])
    np.add.at(words, places, value.astype(words.dtype))
    found = np.empty(len(at), words.dtype)
    found[inside] = before
    return found
