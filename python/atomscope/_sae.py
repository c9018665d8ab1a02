"""Models: from files, from state dicts, from the objects of the libraries that train them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from . import _core
from ._activations import Activations
from ._core import InputError
from ._inputs import Path, kind, rows_of, warn
from ._options import options, whole
from ._progress import Progress, shown
from ._states import as_it_encodes, config_of, json_of, numbers, tensors, whitening_of

class SAE:
    """The encoder of a sparse autoencoder, and what is done to embeddings before it.

    Made by :meth:`load` or :meth:`from_state_dict`. A model is converted exactly, or refused by name.
    """

    __slots__ = ("_core",)

    def __init__(self, core: _core.Sae) -> None:
        if not isinstance(core, _core.Sae):
            raise InputError(
                f"SAE: found {kind(core)}, expected SAE.load(path) or SAE.from_state_dict(state)"
            )
        self._core = core
        for text in core.warnings:
            warn(text)

    @classmethod
    def load(
        cls,
        path: Path,
        *,
        k: int | None = None,
        subtract_decoder_bias: bool | None = None,
        orientation: str | None = None,
        threshold: float | None = None,
        layer: str | int | None = None,
    ) -> SAE:
        """Read a model from a file or folder of any format that the program knows.

        Parameters
        ----------
        path
            ``sae.pt``, ``BEST_MODEL.json``, a folder of SAELens, sparsify or dictionary_learning, …
        k, subtract_decoder_bias, orientation, threshold, layer
            Answers to what the files leave open: atoms that fire on a call; whether the decoder's bias is
            subtracted from embeddings; "inputs-first" or "features-first"; the one threshold; the layer.
        """
        given = _answers(k, subtract_decoder_bias, orientation, threshold, layer)
        return cls(_core.Sae.load(os.fspath(path), given))

    @classmethod
    def from_state_dict(
        cls,
        state: Any,
        *,
        config: Mapping[str, Any] | None = None,
        k: int | None = None,
        mean: Any = None,
        std: Any = None,
        subtract_decoder_bias: bool | None = None,
        orientation: str | None = None,
        threshold: float | None = None,
        name: str | None = None,
    ) -> SAE:
        """Take a model from memory.

        Parameters
        ----------
        state
            A mapping of names to tensors; a module with ``state_dict()``; an SAE of SAELens, a SparseCoder
            of sparsify or a dictionary of dictionary_learning, whose config is taken, too; what
            ``torch.load`` gives of the notebook's ``sae.pt``.
        config
            The config that the library writes beside the weights, where the object does not have it; with
            ``mean`` and ``std`` that of the notebook, whose sizes and k must be there.
        k
            Atoms that fire on a call, where nothing says it.
        mean, std
            The whitening, [d_in] each or one number: then scores are ``(x - mean) / (std + 1e-6) @ W.T + b``
            with ``encoder.weight`` and ``encoder.bias``, and the k largest fire, be they negative.
        subtract_decoder_bias, orientation, threshold
            As in :meth:`load`.
        name
            What messages call it.
        """
        name = name or f"the state dict of {kind(state)}"
        if config is not None and not isinstance(config, Mapping):
            raise InputError(f"config: found {kind(config)}, expected a mapping of names to values")
        is_package = False
        if isinstance(state, Mapping) and "model_state_dict" in state:
            package, state = state, state["model_state_dict"]
            of_package = package.get("config")
            if isinstance(of_package, Mapping):
                is_package = True
                mean, std, inside = whitening_of(of_package, mean, std)
                config = inside if config is None and mean is not None else config
        if config is None:
            config = config_of(state)
        if (mean is None) != (std is None):
            found = "mean without std" if std is None else "std without mean"
            raise InputError(f"mean, std: found {found}, expected both, or neither")
        whitening = None if mean is None else [numbers(mean, "mean"), numbers(std, "std")]
        given = _answers(k, subtract_decoder_bias, orientation, threshold, None)
        told = None if config is None else json_of(config)
        encodes = as_it_encodes(state)
        has_decoder = encodes is state
        read = _core.Sae.of_tensors(name, tensors(encodes), told, whitening, given, has_decoder, is_package)
        return cls(read)

    @property
    def d_in(self) -> int:
        """The length of an embedding."""
        return self._core.d_in

    @property
    def d_sae(self) -> int:
        """The number of atoms."""
        return self._core.d_sae

    @property
    def k(self) -> int | None:
        """Atoms that fire on every call; None where calls differ."""
        return self._core.k

    @property
    def activation(self) -> str:
        """The rule for which atoms fire: "topk", "threshold", "batchtopk", …"""
        return self._core.activation

    @property
    def family(self) -> str:
        """The library whose formula it is."""
        return self._core.family

    @property
    def about(self) -> str:
        """How scores are computed, and which atoms fire, in words."""
        return f"{self._core.scores}; {self._core.fires}" if self._core.scores else self.activation

    @property
    def weight(self) -> Any:
        """The encoder's weight, a float32 array [d_sae, d_in] that is not to be written to."""
        import numpy as np

        return np.asarray(self._core.weight())

    @property
    def bias(self) -> Any:
        """The encoder's bias, a float32 array [d_sae] that is not to be written to."""
        import numpy as np

        return np.asarray(self._core.bias())

    def digest(self) -> str:
        """The SHA-256 of its content, by which tallies of models in memory know it."""
        return self._core.digest()

    def encode(
        self,
        x: Any,
        *,
        key: str | None = None,
        layer: str | int | None = None,
        pool: str | None = None,
        nonfinite: str = "error",
        batch_rows: int | None = None,
        batch_threshold: bool = False,
        device: str = "auto",
        threads: int | None = None,
        progress: Progress = None,
    ) -> Activations:
        """Find the atoms that fire on each row of embeddings, and their activations.

        Parameters
        ----------
        x
            Embeddings [calls, d_in]: an array, AnnData, a path or paths, as in :func:`atomscope.analyze`.

        Returns
        -------
        Activations
            ``top_indices`` uint32 [calls, k] and ``top_acts`` float64 [calls, k].
        """
        layer = None if layer is None else str(layer)
        rows = rows_of(x, key=key, layer=layer, pool=pool)
        chosen = options(
            nonfinite=nonfinite,
            batch_rows=batch_rows,
            batch_threshold=batch_threshold,
            device=device,
            threads=threads,
        )
        with shown(progress) as told:
            return Activations(_core.encode(rows, self._core, chosen, told))

    def __repr__(self) -> str:
        k = f", k={self.k}" if self.k is not None else ""
        return f"SAE({self.d_in} -> {self.d_sae}, {self.activation}{k}, {self.family})"


def sae_of(sae: Any) -> SAE:
    """A model of whatever stands for one: an SAE, a path, an object of a library."""
    if isinstance(sae, SAE):
        return sae
    if isinstance(sae, (str, os.PathLike)):
        return SAE.load(sae)
    if isinstance(sae, Mapping) or hasattr(sae, "state_dict"):
        return SAE.from_state_dict(sae)
    expected = "an SAE, a path, a module or a state dict"
    raise InputError(f"sae: found {kind(sae)}, expected {expected}")


def _answers(
    k: int | None,
    subtract_decoder_bias: bool | None,
    orientation: str | None,
    threshold: float | None,
    layer: str | int | None,
) -> tuple[int | None, bool | None, str | None, float | None, str | None]:
    k = None if k is None else whole("k", k)
    if threshold is not None and (isinstance(threshold, bool) or not isinstance(threshold, (int, float))):
        raise InputError(f"threshold: found {kind(threshold)}, expected a number")
    if subtract_decoder_bias is not None and not isinstance(subtract_decoder_bias, bool):
        raise InputError(
            f"subtract_decoder_bias: found {subtract_decoder_bias!r}, expected True, False or None"
        )
    if orientation is not None and not isinstance(orientation, str):
        raise InputError(
            f'orientation: found {kind(orientation)}, expected "inputs-first", "features-first" or None'
        )
    return k, subtract_decoder_bias, orientation, threshold, None if layer is None else str(layer)
