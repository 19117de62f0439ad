"""The only package that knows all the others: it joins, runs, times, caches and reports."""

import importlib.util
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
PACKAGES = ("benchmarks", "datasets", "extractors", "retrieval")


def require_own_packages() -> None:
    """Stop with one clear line if a package of another project hides one of ours.

    The top-level names are plain words, which other projects use as well.

    Raises
    ------
    ImportError
        Naming the package that is in the way and the remedy. Under ``python -m`` the line is
        printed and the process ends with code 2 instead.
    """
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        found = Path(spec.origin).resolve() if spec and spec.origin else None
        if found is None or found.parents[1] != CHECKOUT:
            message = (
                f"the name {package!r} means {found or 'nothing'} here, not {CHECKOUT / package}: "
                "another package has the same name; use an environment of its own for this "
                f"project, or run from {CHECKOUT}"
            )
            # While `python -m` looks for its module, sys.argv[0] is "-m".
            if sys.argv[0] == "-m":
                sys.stderr.write(f"error: {message}\n")
                raise SystemExit(2)
            raise ImportError(message)


require_own_packages()
