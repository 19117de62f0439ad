"""The table of problems: broken pictures first, files that are no pictures counted at its end."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import PurePosixPath

from datasets.task import Problem, ProblemKind


def tabulate(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Put problems in order, and files of one kind that are no pictures into one row.

    Parameters
    ----------
    problems : iterable of Problem
        In any order.
    """
    rows: list[Problem] = []
    alike: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for problem in problems:
        if problem.kind is ProblemKind.PASSED_OVER:
            ending = PurePosixPath(problem.id).suffix
            alike[ending, problem.what, problem.outcome].append(problem.id)
        else:
            rows.append(problem)
    for (ending, what, outcome), names in alike.items():
        if len(names) == 1:
            rows.append(Problem(names[0], what, outcome, ProblemKind.PASSED_OVER))
        else:
            counted = f"{what}: {len(names):,} files, such as {min(names)}"
            name = f"*{ending}" if ending else "* (no ending)"
            rows.append(Problem(name, counted, outcome, ProblemKind.PASSED_OVER))
    return tuple(sorted(rows, key=lambda row: row.order))
