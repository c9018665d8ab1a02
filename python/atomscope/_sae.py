"""Models: from files, from state dicts, from the objects of the libraries that train them."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

from . import _core
from ._activations import Activations
from ._core import InputError
from ._inputs import Path, exported, kind, rows_of
from ._options import options, whole
from ._progress import Progress, shown

#: The keys under which a package of a state dict keeps the whitening, as the notebook's has it.
_MEANS = ("μ", "\u00b5", "mu", "mean")
_STDS = ("σ", "std", "sigma")


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
            warnings.warn(text, UserWarning, stacklevel=3)

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
            The config that the library writes beside the weights, where the object does not have it.
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
        if isinstance(state, Mapping) and "model_state_dict" in state:
            package, state = state, state["model_state_dict"]
            of_package = package.get("config")
            if isinstance(of_package, Mapping):
                k = _told(k, of_package, ("k",), "k")
                mean = _told(mean, of_package, _MEANS, "mean")
                std = _told(std, of_package, _STDS, "std")
        if config is None:
            config = _config_of(state)
        if (mean is None) != (std is None):
            found = "mean without std" if std is None else "std without mean"
            raise InputError(f"mean, std: found {found}, expected both, or neither")
        whitening = None if mean is None else [_numbers(mean, "mean"), _numbers(std, "std")]
        given = _answers(k, subtract_decoder_bias, orientation, threshold, None)
        told = None if config is None else _json(config)
        encodes = _as_it_encodes(state)
        has_decoder = encodes is state
        return cls(_core.Sae.of_tensors(name, _tensors(encodes), told, whitening, given, has_decoder))

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
    if threshold is not None and not isinstance(threshold, (int, float)):
        raise InputError(f"threshold: found {kind(threshold)}, expected a number")
    return k, subtract_decoder_bias, orientation, threshold, None if layer is None else str(layer)


def _told(given: Any, package: Mapping[str, Any], names: Iterable[str], argument: str) -> Any:
    """What a package says under one of some names, unless the caller says it."""
    found = [package[name] for name in names if package.get(name) is not None]
    if given is not None or not found:
        return given
    if argument == "k":
        return int(found[0])
    first = _numbers(found[0], argument)
    if any(_numbers(other, argument) != first for other in found[1:]):
        raise InputError(f"{argument}: found several that differ in the package's config, expected one")
    return first


def _numbers(values: Any, argument: str) -> list[float]:
    """The numbers of an array, list or number of any shape, in order."""
    if hasattr(values, "detach"):
        values = values.detach().cpu().float()
    values = values.tolist() if hasattr(values, "tolist") else values
    flat: list[float] = []
    waiting = [values]
    while waiting:
        value = waiting.pop()
        if isinstance(value, (list, tuple)):
            waiting.extend(reversed(value))
        elif isinstance(value, (int, float)):
            flat.append(float(value))
        else:
            raise InputError(f"{argument}: found {kind(value)}, expected numbers")
    return flat


def _tensors(state: Any) -> list[tuple[str, Any, bool]]:
    if not isinstance(state, Mapping):
        if not hasattr(state, "state_dict"):
            raise InputError(
                f"state: found {kind(state)}, expected a mapping of names to tensors, or an object with state_dict()"
            )
        state = state.state_dict()
    tensors = []
    for name, tensor in state.items():
        if not isinstance(name, str):
            raise InputError(f"state: found the key {name!r}, expected names")
        if hasattr(tensor, "detach"):
            tensor = tensor.detach().cpu()
        if not hasattr(tensor, "__dlpack__"):
            raise InputError(f"state[{name!r}]: found {kind(tensor)}, expected a tensor")
        array, is_bf16 = exported(tensor, f"state[{name!r}]")
        tensors.append((name, array, is_bf16))
    return tensors


def _as_it_encodes(state: Any) -> Any:
    """What an object encodes by, where that differs from what its library makes of its file.

    A file of dictionary_learning's AutoEncoder is opened with a decoder of unit norm, by which activations are
    multiplied; an object encodes without. So it gets another decoder, which is none.
    """
    if _is_dictionary(state) and type(state).__name__ == "AutoEncoder":
        tensors = dict(state.state_dict())
        unit = tensors["decoder.weight"] * 0
        unit[0] += 1
        return {**tensors, "decoder.weight": unit}
    if "sae_lens" in _modules(state) and type(state).__name__ == "JumpReLUTrainingSAE":
        below = sum(threshold < 0 for threshold in _numbers(state.state_dict()["threshold"], "threshold"))
        if below:
            raise InputError(
                f"state: found a JumpReLUTrainingSAE with {below} thresholds below 0, which fires at negative scores, "
                "as what it saves does not; expected SAE.load_from_disk of what save_inference_model wrote"
            )
    return state


def _is_dictionary(state: Any) -> bool:
    return "dictionary_learning" in _modules(state)


def _modules(state: Any) -> set[str]:
    return {base.__module__.partition(".")[0] for base in type(state).__mro__}


def _config_of(state: Any) -> dict[str, Any] | None:
    """The config that an object's library would write beside its weights."""
    modules = _modules(state)
    cfg = getattr(state, "cfg", None)
    if "sae_lens" in modules and cfg is not None:
        return _dict_of(cfg)
    if modules & {"sparsify", "sae"} and cfg is not None:
        return {**_dict_of(cfg), "d_in": int(state.d_in)}
    if _is_dictionary(state):
        trainer: dict[str, Any] = {"dict_class": type(state).__name__}
        for attribute in ("activation_dim", "dict_size"):
            if hasattr(state, attribute):
                trainer[attribute] = int(getattr(state, attribute))
        return {"trainer": trainer}
    return None


def _dict_of(cfg: Any) -> dict[str, Any]:
    if isinstance(cfg, Mapping):
        return dict(cfg)
    if hasattr(cfg, "to_dict"):
        return dict(cfg.to_dict())
    dataclasses = sys.modules.get("dataclasses")
    if dataclasses is not None and dataclasses.is_dataclass(cfg):
        return dict(dataclasses.asdict(cfg))
    return dict(vars(cfg))


def _json(config: Mapping[str, Any]) -> str:
    import json

    # As the libraries write them: types and devices of torch by their names.
    return json.dumps(dict(config), default=str)
