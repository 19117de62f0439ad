"""The protocol card: everything that must be equal for two numbers to be comparable."""

import os
import platform
import subprocess
from functools import cache
from pathlib import Path

from benchmarks import CHECKOUT, PACKAGES
from benchmarks.pipeline.loading.variants import is_drawn
from benchmarks.pipeline.methods.method import Method
from datasets.task import Task
from extractors.preprocessing import INTERPOLATION
from retrieval import protocol
from retrieval.ranking import DEPTH
from retrieval.threads import kernels

RULES = {
    "distance": "Euclidean on L2-normalised vectors, exact; a zero vector is orthogonal to all",
    "ties": "listed by distance, then by id; scores are means over all orders of tied images",
    "self": "the query itself, found in the gallery by content hash, is excluded once",
    "lone queries": "queries without a relevant image are left out of every mean",
    "average precision": "divided by the number of relevant images",
    "distractors": "negatives",
    "junk": "removed before ranks are counted",
    "colour order": "RGB, 8 bit, upright (EXIF), transparency over white",
    "interpolation": INTERPOLATION,
    "neighbours kept": DEPTH,
}


def protocol_card(task: Task, method: Method, seed: int) -> dict[str, object]:
    """Describe how a method's numbers on a task came about.

    Parameters
    ----------
    task : Task
        The query set and its dataset.
    method : Method
        The method.
    seed : int
        Seed of the split.
    """
    dataset = task.dataset
    rules: dict[str, object] = dict(RULES)
    if task.keeps_query:
        rules["self"] = "a query finds itself, as a right answer like any other"
    if task.protocol:
        rules |= {"published": task.protocol.name, "differences": task.differences}
    judged = task.judgements_fingerprint
    fitted_on = f"{len(dataset.training)} training images" if method.learns else "nothing"
    if method.centring and any(map(is_drawn, dataset.queries)):
        fitted_on += ", as they are and drawn"
    return {
        "dataset": dataset.name,
        "query set": task.query_set,
        "split": dataset.split,
        "split hash": dataset.fingerprint,
        "task hash": task.fingerprint,
        **({"judgements hash": judged} if judged else {}),
        "seed": seed,
        "extractor": method.card,
        "fitted on": fitted_on,
        "protocol": rules,
        "protocol version": protocol.VERSION,
        "commit": commit(),
        "python": platform.python_version(),
        "machine": machine(),
    }


@cache
def commit() -> str:
    """The checkout's commit, marked if its code differs from it."""
    try:
        name = _git("rev-parse", "--short=12", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files", "--", *PACKAGES)
    except (OSError, subprocess.CalledProcessError):
        return "unknown (not a git checkout)"
    return f"{name} with changes" if changed else name


def _git(*arguments: str) -> str:
    # Named, since git takes that of a folder above, or that which a hook of its own is run for.
    own = ("--git-dir", str(CHECKOUT / ".git"), "--work-tree", str(CHECKOUT))
    found = subprocess.run(
        ["git", *own, *arguments], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    return found.stdout.strip()


@cache
def machine() -> dict[str, object]:
    """Processor, kernels of BLAS, cores and system; no names of hosts or users."""
    return {
        "processor": _processor(),
        "blas": kernels(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"
