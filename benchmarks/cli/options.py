"""Options that several commands share, and what they stand for."""

import argparse
import os
import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import platformdirs

import datasets
from benchmarks import LOCAL
from benchmarks.cli.command import Given, at_end
from benchmarks.cli.outputs import require_apart, require_results_apart
from benchmarks.formats.files import require_writable
from benchmarks.formats.vectors import read_vectors
from benchmarks.pipeline.methods.names import require_own_name
from benchmarks.pipeline.methods.own import use_models, use_plugins, use_weights
from benchmarks.pipeline.methods.vectors import GivenVectors
from benchmarks.pipeline.workers import Elsewhere
from datasets.errors import InputError
from datasets.reading import LIMIT, MAX_PIXELS
from datasets.roles import ROLES
from extractors import Extractor
from extractors.networks.inference import ENGINES, NoEngineError, chosen
from extractors.networks.inference import VARIABLE as ENGINE_VARIABLE


def positive(text: str) -> int:
    """Parse a positive integer."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return number


def natural(text: str) -> int:
    """Parse an integer that is not negative."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text} is negative")
    return number


def a_path(text: str) -> Path:
    """Parse a path; an empty one is no path, though Python takes it for the current folder."""
    if not text.strip():
        raise argparse.ArgumentTypeError("no path given (is a variable empty?)")
    if re.match(r"[a-z][a-z0-9+]+://", text):
        raise argparse.ArgumentTypeError(f"{text} is an address; give a path on this machine")
    try:
        return Path(text).expanduser()
    except RuntimeError:  # nobody has that name
        return Path(text)


def default_cache() -> Path:
    """The project's folder among the user's caches, where the system keeps them."""
    return platformdirs.user_cache_path("image-retrieval-benchmark", appauthor=False)


def _epochs(text: str) -> tuple[str, int]:
    """Parse ``N`` or ``NAME=N``."""
    name, sign, number = text.rpartition("=")
    if (sign and not name.strip()) or not number.strip().isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is neither N nor NAME=N")
    return name, positive(number)


class _Epochs(Given):
    """Takes numbers by name; the one without a name stands for all others."""

    def __call__(
        self, parser: Any, namespace: object, values: Any, option_string: str | None = None
    ) -> None:
        """Take the numbers, to those of the same option before."""
        taken = dict(getattr(namespace, self.dest))
        for name, number in values:
            if name in taken:
                parser.error(f"{option_string} {name or number}: one number is given already")
            taken[name] = number
        setattr(namespace, self.dest, taken)


class _Limit(Given):
    """Sets the environment variable that ``--max-pixels`` stands for, for workers as well."""

    def __call__(
        self, parser: Any, namespace: object, values: Any, option_string: str | None = None
    ) -> None:
        """Take the option's number."""
        super().__call__(parser, namespace, values, option_string)
        os.environ[LIMIT] = str(values)


_OPTIONS: dict[str, dict[str, Any]] = {
    "--dataset": {
        "nargs": "+",
        "metavar": "NAME|PATH",
        "default": [datasets.DEFAULT],
        "help": "datasets, by name, folder or NAME=PATH (default: %(default)s)",
    },
    "--layout": {
        "nargs": "+",
        "metavar": "FORM",
        "default": [],
        "help": "form of the datasets' folders, where it is not clear: classes, flat, or "
        "ROLE=FOLDER … (flat before them if there are no classes) with roles of "
        f"{', '.join(ROLES)}",
    },
    "--max-pixels": {
        "action": _Limit,
        "type": positive,
        "metavar": "N",
        "help": f"read pictures of up to N pixels (default: {MAX_PIXELS:,}); a worker needs about "
        "five bytes for each",
    },
    "--extractor": {
        "nargs": "+",
        "metavar": "NAME",
        "default": [],
        "help": "methods; a+b fuses two, a+b+rrf by reciprocal ranks, a+alpha-qe re-ranks",
    },
    "--preset": {
        "nargs": "+",
        "type": a_path,
        "metavar": "FILE",
        "default": [],
        "help": "methods whose parameters benchmarks.tune chose, as lines of their own",
    },
    "--vectors": {
        "nargs": "+",
        "metavar": "NAME=FILE",
        "default": [],
        "help": "vectors that were made elsewhere, as a method called NAME: .npz, .npy with ids "
        "beside it, .csv or .parquet",
    },
    "--metrics": {
        "nargs": "+",
        "metavar": "NAME",
        "help": "metrics that tables show, such as recall@20, mAP@100, nDCG@10; methods are in "
        "order of the first (default: those of every record, in order of mAP)",
    },
    "--precision-recall": {
        "action": "store_true",
        "help": "also write precision-recall.csv of each dataset, and plot it",
    },
    "--plugin": {
        "nargs": "+",
        "type": a_path,
        "metavar": "FILE.py",
        "default": [],
        "help": "Python code that adds extractors, datasets or metrics to the menus",
    },
    "--model": {
        "nargs": "+",
        "metavar": "NAME=FILE",
        "default": [],
        "help": "a network in an .onnx or .keras file, as an extractor called NAME; then the "
        "preparation of its pictures, such as size=224 scale=1/255, if no .json beside it tells",
    },
    "--weights": {
        "nargs": "+",
        "metavar": "NAME=FILE",
        "default": [],
        "help": "files of pretrained weights, ahead of Keras' own cache and download",
    },
    "--engine": {
        "choices": ENGINES,
        "help": "runs pretrained networks (default: keras); openvino is faster on processors, and "
        "an extra to be installed",
    },
    "--epochs": {
        "nargs": "+",
        "action": _Epochs,
        "type": _epochs,
        "metavar": "N|NAME=N",
        "default": {},
        "help": "train networks, or the one called NAME, for at most N epochs (default: as their "
        "recipes say); tables say so",
    },
    "--out": {
        "type": a_path,
        "metavar": "DIR",
        "default": LOCAL,
        "help": "results folder (default: results/local/ of the checkout; results/ is published)",
    },
    "--cache": {
        "type": a_path,
        "metavar": "DIR",
        "default": default_cache(),
        "help": "folder of vectors and rendered datasets (default: %(default)s)",
    },
    "--jobs": {
        "type": positive,
        "metavar": "N",
        "help": "worker processes (default: all cores); no influence on results",
    },
    "--scheduler": {
        "metavar": "ADDRESS",
        "help": "let a Dask cluster work, too: tcp://HOST:8786, or local:N for N processes here "
        "(needs the extra dask)",
    },
    "--send-pictures": {
        "action": "store_true",
        "help": "send pictures to the workers of --scheduler, which need not see the files",
    },
    "--seed": {
        "type": natural,
        "metavar": "N",
        "default": 0,
        "help": "seed of the split (default: 0)",
    },
    "--quiet": {"action": "store_true", "help": "print nothing but errors and warnings"},
}
"""Options that several commands have, and their settings."""

_TOGETHER = {
    "networks": ("plugin", "model", "weights", "engine"),
    "jobs": ("jobs", "scheduler", "send-pictures"),
}
"""Names that stand for several options."""


def add_options(parser: "argparse._ActionsContainer", *names: str, **settings: Any) -> None:
    """Add options that several commands share.

    Parameters
    ----------
    parser : argparse.ArgumentParser or group of one
        Gets the options.
    *names : str
        Keys of `_OPTIONS` without the dashes; ``networks`` are all that `use_networks` needs,
        ``jobs`` all that a `Workforce` does.
    **settings : object
        In place of the shared ones, for all options named.
    """
    for name in names:
        for one in _TOGETHER.get(name, (name,)):
            parser.add_argument(f"--{one}", **_OPTIONS[f"--{one}"] | settings)


def cluster(options: argparse.Namespace) -> Elsewhere | None:
    """Connect to the workers that ``--scheduler`` names; None if it names none."""
    if options.scheduler is None:
        if options.send_pictures:
            raise InputError("--send-pictures goes with --scheduler; name one")
        return None
    from benchmarks.pipeline.cluster import Cluster  # asks for a library that is an extra

    made = Cluster(options.scheduler, options.send_pictures)
    at_end(made.close)
    return made


def require_folders(options: argparse.Namespace, *names: str, inside: Sequence[str] = ()) -> None:
    """Make the folders that options name, outside of all datasets, and try to write there.

    Parameters
    ----------
    options : argparse.Namespace
        With ``dataset``, and ``layout``.
    *names : str
        Of the options.
    inside : sequence of str
        Folders of ``--out`` that are written to, besides one of each dataset's name.

    Raises
    ------
    InputError
        Naming the option whose folder cannot be written to, or is part of a dataset; or a dataset
        that has the name of another, and would write to its folder.
    """
    given = getattr(options, "dataset", [])
    texts = [given] if isinstance(given, str) else given
    found = [(text, *datasets.resolve(text, options.layout)) for text in texts]
    roots = [root for _, _, root in found]
    named: dict[str, str] = {}
    for text, source, root in found:
        if named.setdefault(source.name, text) != text:
            raise InputError(
                f"--dataset {text}: two datasets are called {source.name!r}; write "
                f"NAME={root or text}"
            )
    for name in names:
        folder = getattr(options, name)
        for text, source, root in found:
            require_apart(folder, f"--{name}", root)
            if folder.resolve() / source.name == LOCAL:
                raise InputError(
                    f"--dataset {text}: in {folder} the name {source.name} stands for runs that "
                    f"are not published; write NAME={root or text}"
                )
        if name == "out":
            written = [*(source.name for _, source, _ in found), *inside]
            require_results_apart(folder, f"--{name}", written, roots)
        require_writable(folder, f"--{name}")


def dataset_name(text: str, known: Collection[str]) -> str:
    """The one of some known datasets that a text behind ``--dataset`` means; itself if none."""
    named = text.partition("=")[0]
    if named in known:
        return named
    try:
        return datasets.resolve(text)[0].name
    except InputError:
        return text


def given_vectors(options: argparse.Namespace) -> dict[str, Extractor]:
    """Read the tables of ``--vectors``; each is an extractor by the name that it is given.

    Raises
    ------
    InputError
        If a pair is none, a name is taken or a file is no table of vectors.
    """
    made: dict[str, Extractor] = {}
    for pair in options.vectors:
        name, equals, file = pair.partition("=")
        if not equals or not file.strip():
            raise InputError(f"--vectors {pair}: write NAME=FILE, mine=vectors.npz for example")
        if require_own_name(name, f"--vectors {pair}") in made:
            raise InputError(f"--vectors {pair}: {name!r} is given twice; give one another name")
        try:
            made[name] = GivenVectors(read_vectors(file))
        except InputError as error:
            raise InputError(f"--vectors {name}={error}") from error
    return made


def use_networks(options: argparse.Namespace) -> list[str]:
    """Add plug-ins and networks in files to the menus, and set what the other options stand for.

    ``--weights`` and ``--engine`` stand for environment variables.

    Returns
    -------
    list of str
        Names of the extractors that ``--model`` gave.

    Raises
    ------
    InputError
        If a plug-in or a network cannot be used, a pair of ``--weights`` is none, its file or its
        network does not exist, or the engine is not to be had.
    """
    use_plugins(options.plugin)
    use_weights(options.weights)
    where = f"--engine {options.engine}" if options.engine else ENGINE_VARIABLE
    if options.engine:
        os.environ[ENGINE_VARIABLE] = options.engine
    try:
        chosen()
    except NoEngineError as error:
        raise InputError(f"{where}: {error}") from error
    return use_models(options.model)
