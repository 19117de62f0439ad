"""Extractors of networks that were made elsewhere and come as a file."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from extractors.base import Extractor
from extractors.networks import engine
from extractors.networks.engine import run_padded
from extractors.networks.preparation import Interpolation, ToSize, Values
from extractors.networks.pretrained import Network, pool
from extractors.networks.runners import ModelFile, ModelFileError, Port, Runner, first_line
from extractors.precision import is_same

Layout = Literal["NHWC", "NCHW"]
Pooling = Literal["none", "mean", "max", "gem", "first"]

GEM = 3.0
"""Power of the generalised mean."""

_TYPES = ("float32", "float16", "float64", "uint8")

_LARGEST = 8192
"""Pixels of a side to which pictures may be scaled before their middle is cut out."""


class ModelExtractor(Network, Extractor):
    """A network in a file, with its declared preparation; see `model_extractor`.

    Parameters
    ----------
    file : ModelFile
        The network.
    prepare : ToSize
        Makes pictures of the network's size.
    values : Values
        Makes the values that it was trained on.
    layout : {"NHWC", "NCHW"}
        Order of rows, columns and channels, of its input and of its maps.
    output : str
        Name of the output that is used.
    pooling : {"none", "mean", "max", "gem", "first"}
        Makes a vector of a map or of tokens: all of it, its mean, its peaks, the generalised mean
        (GeM) or its first token.
    """

    summary = "A network that was made elsewhere"
    version = "model-file 1"

    def __init__(
        self,
        file: ModelFile,
        prepare: ToSize,
        values: Values,
        layout: Layout,
        output: str,
        pooling: Pooling,
    ) -> None:
        self.file = file
        self.prepare = prepare
        self.values = values
        self.layout = layout
        self.output = output
        self.pooling = pooling

    @property
    def name(self) -> str:
        """The file's name, for want of another."""
        return self.file.path.stem

    @property
    def implementation(self) -> dict[str, str]:
        """Names and releases of what runs it; its weights are the file's."""
        return self.file.open().implementation

    def run(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Run on up to `BATCH` prepared pictures."""
        return pooled(self.maps(batch), self.pooling)

    def maps(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The network's output for prepared pictures, its channels last."""
        runner = self.file.open()
        values: NDArray[Any] = batch if self.values.is_raw else self.values(batch)
        if self.values.is_raw and self.values.order == "BGR":
            values = values[..., ::-1]
        if self.layout == "NCHW":
            values = values.transpose(0, 3, 1, 2)
        values = np.ascontiguousarray(values, runner.input.dtype)
        size = (runner.input.shape or (None,))[0] or engine.BATCH
        parts = [values[start : start + size] for start in range(0, len(values), size)]
        made = np.concatenate(
            [run_padded(lambda full: runner.run(full, self.output), part, size) for part in parts]
        )
        is_map = made.ndim == 4 and self.layout == "NCHW"
        return made.transpose(0, 2, 3, 1) if is_map else made


@dataclass(frozen=True)
class Declaration:
    """The preparation of a network's pictures and the use of its output, as a user declares it.

    Parameters
    ----------
    values : Values
        Makes the values that it was trained on.
    size : int or tuple of int, optional
        Height and width; the network's own where it has one.
    crop : float, optional
        See `ToSize`.
    interpolation : str
        See `ToSize`.
    layout : {"NHWC", "NCHW"}, optional
        Read off the network's input, if left out.
    output : str, optional
        The only one, if left out.
    pooling : str, optional
        ``mean`` for maps and tokens, if left out.
    """

    values: Values
    size: int | tuple[int, int] | None = None
    crop: float | None = None
    interpolation: Interpolation = "area"
    layout: Layout | None = None
    output: str | None = None
    pooling: Pooling | None = None


def model_extractor(file: ModelFile, declared: Declaration) -> ModelExtractor:
    """Make an extractor of a file, checked against the network and tried on pictures of noise.

    Parameters
    ----------
    file : ModelFile
        The network.
    declared : Declaration
        What its user says of it.

    Raises
    ------
    ModelFileError
        If it is no network of one batch of pictures, or what is declared does not fit it.
    NoEngineError
        If what runs it is not installed.
    """
    runner = file.open()
    layout = _layout(runner.input, declared.layout)
    height, width = _size(runner.input, layout, declared.size)
    _require_type(runner.input, declared.values)
    output = _output(runner, declared.output)
    scaled = max(height, width) / (declared.crop or 1)
    if declared.crop and scaled > _LARGEST:
        raise ModelFileError(
            f"crop {declared.crop:g} would scale pictures to {scaled:,.0f} pixels a side, where "
            f"{_LARGEST:,} can be; declare a larger share, such as 0.875"
        )
    prepare = ToSize(height, width, declared.crop, declared.interpolation)
    made = ModelExtractor(file, prepare, declared.values, layout, output, "none")
    shape = _try(made, height, width)
    made.set_params(pooling=_pooling(shape, declared.pooling))
    return made


def pooled(made: NDArray[np.float32], how: Pooling) -> NDArray[np.float32]:
    """Vectors of vectors, tokens or maps.

    Parameters
    ----------
    made : ndarray of float32, shape (n, d), (n, tokens, d) or (n, rows, columns, d)
        A network's output.
    how : {"none", "mean", "max", "gem", "first"}
        See `ModelExtractor`.

    Returns
    -------
    ndarray of float32, shape (n, n_dims)
    """
    if how == "none" or made.ndim == 2:
        return made.reshape(len(made), -1)
    if how == "first":
        return made[:, 0]
    if how == "max":
        return made.max(axis=tuple(range(1, made.ndim - 1)))
    maps = made[:, :, None] if made.ndim == 3 else made
    return pool(maps, GEM if how == "gem" else 1.0)


def _layout(port: Port, declared: Layout | None) -> Layout:
    """Find the axis of the channels, which have to be three."""
    sizes = _in_words(port.shape)
    if len(port.shape) != 4:
        raise ModelFileError(
            f"its input {port.name} is {sizes}; a batch of pictures has four axes"
        )
    channels = {"NHWC": port.shape[3], "NCHW": port.shape[1]}
    if not {channels[one] for one in ([declared] if declared else channels)} & {3, None}:
        as_declared = f" as {declared}" if declared else ""
        raise ModelFileError(
            f"its input {port.name} is {sizes}, which has not the three channels of a picture"
            f"{as_declared}"
        )
    if declared:
        return declared
    if (channels["NHWC"] == 3) == (channels["NCHW"] == 3):
        raise ModelFileError(
            f"its input {port.name} is {sizes}, which does not tell where the channels are; "
            "declare layout (NHWC or NCHW)"
        )
    return "NHWC" if channels["NHWC"] == 3 else "NCHW"


def _size(port: Port, layout: Layout, declared: int | tuple[int, int] | None) -> tuple[int, int]:
    """Height and width of its pictures."""
    own = port.shape[1:3] if layout == "NHWC" else port.shape[2:4]
    wanted = (declared, declared) if isinstance(declared, int) else declared or own
    sizes = []
    for mine, said, word in zip(own, wanted, ("high", "wide"), strict=True):
        if said is None:
            raise ModelFileError("takes pictures of any size; declare size")
        if mine not in (None, said):
            raise ModelFileError(f"takes pictures {mine} pixels {word}, and size says {said}")
        sizes.append(said)
    return sizes[0], sizes[1]


def _require_type(port: Port, values: Values) -> None:
    if port.dtype not in _TYPES:
        raise ModelFileError(
            f"its input {port.name} is of {port.dtype}; {', '.join(_TYPES)} can be given"
        )
    if port.dtype == "uint8" and not values.is_raw:
        raise ModelFileError(
            f"its input {port.name} takes whole numbers of 0 to 255 as they are: declare scale 1, "
            "no mean and no std"
        )


def _output(runner: Runner, declared: str | None) -> str:
    names = [one.name for one in runner.outputs]
    listed = ", ".join(f"{one.name} ({_in_words(one.shape)})" for one in runner.outputs)
    if declared is None and len(names) > 1:
        raise ModelFileError(f"has {len(names)} outputs; declare output, one of {listed}")
    if declared is not None and declared not in names:
        raise ModelFileError(f"has no output {declared!r}; it has {listed}")
    return declared or names[0]


def _try(extractor: ModelExtractor, height: int, width: int) -> tuple[int, ...]:
    """Shape of what the network gives for one picture, whatever is beside it."""
    noise = np.random.default_rng(0).integers(0, 256, (2, height, width, 3), np.uint8)
    try:
        alone, together = extractor.maps(noise[:1]), extractor.maps(noise)
    except Exception as error:  # whatever its engine raises
        reason = f"{type(error).__name__}: {first_line(error)}"
        raise ModelFileError(f"fails on a picture ({reason})") from error
    if alone.ndim not in (2, 3, 4) or not alone.size:
        raise ModelFileError(
            f"its output {extractor.output} is {_in_words(alone.shape)} for one picture; a "
            "vector, tokens or a map can be used"
        )
    if not (np.isfinite(alone).all() and np.isfinite(together).all()):
        raise ModelFileError(
            f"its output {extractor.output} is not finite for pictures of noise; declare the "
            "values that it takes (scale, mean, std), or another output"
        )
    if not is_same(together[0], alone[0]):
        raise ModelFileError(
            f"its output {extractor.output} for a picture depends on the pictures beside it or on "
            "chance, so that no ranking would mean anything; export it for inference, and "
            "without sums over the batch"
        )
    if not together.any():
        raise ModelFileError(
            f"its output {extractor.output} is zero for pictures of noise; declare the values "
            "that it takes (scale, mean, std), or another output"
        )
    return alone.shape[1:]


def _pooling(shape: tuple[int, ...], declared: Pooling | None) -> Pooling:
    if len(shape) == 1:
        if declared not in (None, "none"):
            raise ModelFileError(f"gives vectors already; pooling {declared!r} has nothing to do")
        return "none"
    if len(shape) == 3 and declared == "first":
        raise ModelFileError("gives maps, which have no first token; pool by mean, max or gem")
    return declared or "mean"


def _in_words(shape: Sequence[int | None]) -> str:
    sizes = ["open" if one is None else str(one) for one in shape]
    return " x ".join(sizes) or "of unknown shape"
