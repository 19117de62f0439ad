"""Files that hold a network, ``.onnx`` and ``.keras``, opened without running code in them."""

import hashlib
import importlib
import importlib.metadata
import importlib.util
import json
import mmap
import re
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from extractors.networks import inference
from extractors.networks.engine import Model, engine, load_keras
from extractors.networks.inference import NoEngineError, chosen, forward
from extractors.networks.weights import file_hash

ONNX, KERAS = SUFFIXES = (".onnx", ".keras")

_RUNTIME = "onnxruntime"
_NOT_RUN = ("Lambda", "TFSMLayer", "__lambda__")
"""Classes of Keras that hold code of the file's maker."""

_EXTERNAL = re.compile(rb"\n\x08location\x12([\x80-\xff]{0,2}[\x00-\x7f])")
"""Entry of an ONNX file that names a file of tensors beside it, up to the name's length."""


class ModelFileError(ValueError):
    """The file is no network that can be used here; the message says why."""


@dataclass(frozen=True)
class ModelFile:
    """A file that holds a network, known by its content wherever it lies.

    Attributes
    ----------
    sha256 : str
        Hash of its content, and of that of files of tensors that it names.
    path : Path
        The file.
    """

    version: ClassVar[str] = "network-file 1"

    sha256: str
    path: Path = field(compare=False)

    @classmethod
    def at(cls, path: Path) -> "ModelFile":
        """The file at a path.

        Raises
        ------
        ModelFileError
            If there is none, or it is of no known kind.
        """
        if path.suffix.lower() not in SUFFIXES:
            raise ModelFileError(f"{path.name} ends neither in {ONNX} nor in {KERAS}")
        if not path.is_file():
            raise ModelFileError(f"{path} is not a file")
        hashes = [file_hash(path), *map(file_hash, _tensors(path))]
        together = hashlib.sha256("".join(hashes).encode()).hexdigest()
        return cls(together if hashes[1:] else hashes[0], path)

    def open(self) -> "Runner":
        """The network, ready to run by the engine that the user chose; once per process.

        Raises
        ------
        ModelFileError
            If it cannot be opened.
        NoEngineError
            If what runs it is not installed.
        """
        return _open(self, chosen())


@dataclass(frozen=True)
class Port:
    """An input or output of a network.

    Attributes
    ----------
    name : str
        Its name.
    shape : tuple of int or None
        Its sizes, None where they are open; empty where nothing is known.
    dtype : str
        NumPy's name of its type.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str


class Runner(ABC):
    """A network of one input, opened.

    Attributes
    ----------
    input : Port
        Takes pictures.
    outputs : tuple of Port
        At least one.
    implementation : dict of str to str
        Names and releases of what runs it.
    """

    input: Port
    outputs: tuple[Port, ...]
    implementation: dict[str, str]

    @abstractmethod
    def run(self, batch: NDArray[Any], output: str) -> NDArray[np.float32]:
        """Run it on a batch and give one of its outputs."""


class OnnxRunner(Runner):
    """An ONNX network, run by onnxruntime on the processor."""

    def __init__(self, path: Path) -> None:
        if importlib.util.find_spec(_RUNTIME) is None:
            raise NoEngineError(
                f"{_RUNTIME} is not installed; pip install {_RUNTIME} (the extra onnx), or run "
                "ONNX files with --engine openvino"
            )
        runtime = importlib.import_module(_RUNTIME)
        options = runtime.SessionOptions()
        options.log_severity_level = 4
        try:
            self._session = runtime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # its own classes, derived from Exception
            raise ModelFileError(f"no ONNX network ({first_line(error)})") from error
        self.input = _only([_onnx_port(one) for one in self._session.get_inputs()])
        self.outputs = tuple(_onnx_port(one) for one in self._session.get_outputs())
        self.implementation = {_RUNTIME: importlib.metadata.version(_RUNTIME)}

    def run(self, batch: NDArray[Any], output: str) -> NDArray[np.float32]:
        """Run it on a batch."""
        [made] = self._session.run([output], {self.input.name: batch})
        return np.asarray(made, np.float32)


class OpenVinoRunner(Runner):
    """An ONNX network, run by OpenVINO in float32."""

    def __init__(self, path: Path) -> None:
        try:
            network = inference.read_network(path)
        except RuntimeError as error:
            raise ModelFileError(f"no ONNX network ({first_line(error)})") from error
        self.input = _only([_openvino_port(one) for one in network.inputs])
        self.outputs = tuple(_openvino_port(one) for one in network.outputs)
        self._compiled = inference.compiled(network)
        self.implementation = inference.implementation()

    def run(self, batch: NDArray[Any], output: str) -> NDArray[np.float32]:
        """Run it on a batch."""
        # Its memory is not lent: an output that is the input would outlive it.
        made = self._compiled(batch, share_inputs=False)
        return np.array(made[[one.name for one in self.outputs].index(output)], np.float32)


class KerasRunner(Runner):
    """A network that Keras saved, run by the chosen engine."""

    def __init__(self, path: Path) -> None:
        _refuse_code(path)
        keras = load_keras()
        try:
            self._model: Model = keras.saving.load_model(path, compile=False, safe_mode=True)
            inputs, outputs = self._model.inputs, self._model.outputs
            names = self._model.output_names
        except Exception as error:  # anything, since a config may ask for anything
            raise ModelFileError(f"Keras does not load it ({first_line(error)})") from error
        self.input = _only([Port(one.name, tuple(one.shape), one.dtype) for one in inputs])
        self.outputs = tuple(
            Port(name, tuple(one.shape), one.dtype)
            for name, one in zip(names, outputs, strict=True)
        )
        self.implementation = engine() | inference.implementation()
        self._parts: dict[tuple[str, tuple[int, ...]], inference.Forward] = {}

    def run(self, batch: NDArray[Any], output: str) -> NDArray[np.float32]:
        """Run it on a batch."""
        key = (output, batch.shape)
        if key not in self._parts:
            keras = load_keras()
            number = [one.name for one in self.outputs].index(output)
            pictures = keras.Input(batch_shape=batch.shape, dtype=self.input.dtype)
            made = self._model(pictures, training=False)
            parts = list(made.values()) if isinstance(made, dict) else made
            chosen_part = parts[number] if isinstance(parts, list | tuple) else parts
            self._parts[key] = forward(keras.Model(pictures, chosen_part), len(batch))
        return np.asarray(self._parts[key](batch), np.float32)


@cache
def _open(file: ModelFile, named: str) -> Runner:
    if file.path.suffix.lower() == KERAS:
        return KerasRunner(file.path)
    return OpenVinoRunner(file.path) if named == inference.OPENVINO else OnnxRunner(file.path)


def _tensors(path: Path) -> list[Path]:
    """Files of tensors that an ONNX file names, as far as they lie beside it."""
    if path.suffix.lower() != ONNX or not path.stat().st_size:
        return []
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        names = {
            data[found.end() : found.end() + _varint(found[1])]
            for found in _EXTERNAL.finditer(data)
        }
    made = []
    for name in sorted(names):
        with suppress(OSError):  # what only looks like a name may be longer than any
            if (place := path.parent / name.decode("utf-8", "replace")).is_file():
                made.append(place)
    return made


def _varint(encoded: bytes) -> int:
    return sum((byte & 127) << 7 * place for place, byte in enumerate(encoded))


def _only(inputs: Sequence[Port]) -> Port:
    if len(inputs) != 1:
        names = ", ".join(one.name for one in inputs)
        raise ModelFileError(
            f"takes {len(inputs)} inputs ({names}); a network of one, a batch of pictures, is "
            "what can be used"
        )
    return inputs[0]


def _onnx_port(port: Any) -> Port:
    names = {"float": "float32", "double": "float64", "float16": "float16", "uint8": "uint8"}
    kind = re.sub(r"\Atensor\((.*)\)\Z", r"\1", port.type)
    shape = tuple(one if isinstance(one, int) else None for one in port.shape or ())
    return Port(port.name, shape, names.get(kind, kind))


def _openvino_port(port: Any) -> Port:
    partial = port.get_partial_shape()
    sizes = list(partial) if partial.rank.is_static else []
    shape = tuple(one.get_length() if one.is_static else None for one in sizes)
    return Port(port.get_any_name(), shape, np.dtype(port.get_element_type().to_dtype()).name)


def _refuse_code(path: Path) -> None:
    """Refuse what names code of its maker's, before Keras reads it."""
    try:
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read("config.json"))
    except (zipfile.BadZipFile, KeyError, ValueError, RecursionError) as error:
        raise ModelFileError(f"no .keras file ({first_line(error)})") from error
    for one in _objects(config):
        module, kind = one.get("module"), one.get("class_name")
        if kind in _NOT_RUN:
            raise ModelFileError(
                f"holds code ({kind}), which is not run; save it without, or as ONNX"
            )
        if isinstance(module, str) and module.partition(".")[0] not in ("keras", "builtins"):
            raise ModelFileError(
                f"needs {kind} of {module}, a class of its maker's, which is not run; save it as "
                "ONNX"
            )


def _objects(content: Any) -> Iterator[dict[str, Any]]:
    """Every object of a JSON document, those inside others included."""
    waiting = [content]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            yield one
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one


def first_line(error: Exception) -> str:
    """The first line of what an error says, or its class if it says nothing."""
    text = str(error).strip() or type(error).__name__
    return text.partition("\n")[0][:200]
