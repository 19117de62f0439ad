"""Figures of the import graph: ``python tests/import_graph.py [CHECKOUT]``.

A node is a module, or a folder with all that is in it; a tie is a pair of nodes of which one
imports the other; levels are counted along the longest chain of imports.
"""

import ast
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("benchmarks", "datasets", "extractors", "retrieval")

Graph = dict[str, set[str]]
"""Node to the nodes that it imports."""


def imports(path: Path) -> Iterator[str]:
    """Dotted names that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def modules(folder: Path) -> Iterator[Path]:
    """Python files below a folder, tests and faces of packages aside."""
    for path in sorted(folder.rglob("*.py")):
        if path.name != "__init__.py" and not path.name.startswith("test_"):
            yield path


def graph(root: Path, inside: str = "") -> Graph:
    """The import graph of the project, or of one folder.

    Parameters
    ----------
    root : Path
        A checkout.
    inside : str
        Folder whose children are the nodes; of the whole project these are the children of
        ``benchmarks/`` and the other packages.
    """
    folders = [root / inside] if inside else [root / package for package in PACKAGES]

    def node_of(dotted: str) -> str | None:
        parts = dotted.split(".")
        if inside and parts[: inside.count("/") + 1] != inside.split("/"):
            return None
        if not inside and parts[0] != "benchmarks":
            return parts[0] if parts[0] in PACKAGES else None
        depth = inside.count("/") + 1 if inside else 1
        return parts[depth] if len(parts) > depth else None

    names = {
        ".".join(path.relative_to(root).with_suffix("").parts): path
        for folder in folders
        for path in modules(folder)
    }
    nodes = {node for name in names if (node := node_of(name))}
    found: Graph = {node: set() for node in nodes}
    for name, path in names.items():
        if (mine := node_of(name)) is not None:
            others = {node_of(other) for other in imports(path)}
            found[mine] |= {other for other in others if other in nodes and other != mine}
    return found


def levels(found: Graph) -> int:
    """Nodes on the longest chain of imports; raises `graphlib.CycleError` where there is none."""
    level: dict[str, int] = {}
    for node in TopologicalSorter(found).static_order():
        level[node] = 1 + max((level[other] for other in found[node]), default=0)
    return max(level.values(), default=0)


def ties(found: Graph) -> int:
    """Pairs of nodes of which one imports the other."""
    return sum(map(len, found.values()))


def main(root: Path) -> None:
    """Print the figures."""
    places = ["", "benchmarks", "benchmarks/report", "benchmarks/pipeline"]
    places += ["extractors", "retrieval", "datasets"]
    sys.stdout.write(f"{'':24}{'nodes':>6}{'levels':>8}{'ties':>6}\n")
    for place in places:
        if not (root / place).is_dir():
            continue
        found = graph(root, place)
        figures = f"{len(found):6}{levels(found):8}{ties(found):6}"
        sys.stdout.write(f"{place or 'whole project':24}{figures}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT)
