"""Which atoms of a sparse autoencoder fire on true and on false structural-variant calls.

>>> import atomscope as ats
>>> res = ats.analyze("embeddings.pt", "sae.pt")  # doctest: +SKIP
>>> res.atoms.to_pandas()  # doctest: +SKIP

Results are exact, and the same bytes on every machine, with any number of threads, and on a GPU.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._activations import Activations
from ._calls import Calls
from ._core import VERSION as __version__
from ._core import CancelledError, DeviceError, InputError, InternalError
from ._doctor import doctor, show_versions
from ._results import Results
from ._run import Simulated, analyze, encode, merge, simulate, tally
from ._sae import SAE
from ._table import Table
from ._tally import Tally

if TYPE_CHECKING:
    from types import ModuleType

__all__ = [
    "SAE",
    "Activations",
    "Calls",
    "CancelledError",
    "DeviceError",
    "InputError",
    "InternalError",
    "Results",
    "Simulated",
    "Table",
    "Tally",
    "__version__",
    "analyze",
    "doctor",
    "encode",
    "merge",
    "show_versions",
    "simulate",
    "tally",
]


def __getattr__(name: str) -> ModuleType:
    # Plots need matplotlib, which is imported when it is needed.
    if name == "pl":
        import importlib

        return importlib.import_module(".pl", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
