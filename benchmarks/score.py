"""Score a challenge's answers once the truth is there: ``python -m benchmarks.score A TRUTH``.

A is what a run writes for unlabelled galleries, ``{"groupname": …, "images": {query: [ten gallery
names]}}``. TRUTH has the same form, with all right gallery names of each query.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cli import command, make_parser
from benchmarks.formats.files import Json, require_writable, write_json
from benchmarks.formats.markdown import markdown
from datasets.errors import InputError
from retrieval.statistics import intervals

DEPTHS = (1, 3, 5, 10)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return command(lambda: _main(arguments))


def _main(arguments: Sequence[str] | None) -> int:
    parser = make_parser("score", __doc__)
    parser.add_argument("answers", type=Path, metavar="ANSWERS")
    parser.add_argument("truth", type=Path, metavar="TRUTH")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the scores there, too")
    options = parser.parse_args(arguments)
    answers, truth = read_images(options.answers), read_images(options.truth)
    made = score_answers(answers, truth, options.answers)
    cells = [
        [f"top-{k}", f"{made[f'top{k}']:.4f}", *(f"{end:.4f}" for end in made[f"top{k}_interval"])]
        for k in DEPTHS
    ]
    sys.stdout.write(f"{made['queries']} queries\n\n")
    sys.stdout.write(markdown(["", "score", "95 % from", "to"], cells))
    if options.json:
        require_writable(options.json.parent, "--json")
        write_json(options.json, made)
    return 0


def score_answers(answers: dict[str, list[str]], truth: dict[str, list[str]], path: Path) -> Json:
    """Top-1, 3, 5 and 10 of answers, each with its interval over queries.

    Parameters
    ----------
    answers, truth : dict of str to list of str
        Query to gallery names, best first; query to its right gallery names.
    path : Path
        Where the answers come from, for errors.

    Raises
    ------
    InputError
        If answers and truth are not about the same queries, or an answer is too long or holds a
        name twice.
    """
    for query, names in answers.items():
        if query not in truth:
            raise _fault(path, query, "the truth has no such query")
        if len(names) > max(DEPTHS):
            raise _fault(path, query, f"{len(names)} names; at most {max(DEPTHS)} count")
        if len(set(names)) < len(names):
            raise _fault(path, query, "holds a name twice")
    if missing := sorted(truth.keys() - answers.keys()):
        raise InputError(f"{path}: {len(missing)} queries lack an answer, {missing[0]!r} first")
    asked = [query for query in sorted(truth) if truth[query]]
    if not asked:
        raise InputError(f"{path}: no query of the truth has a right answer, nothing to score")
    hits = np.array(
        [[bool(set(answers[query][:k]) & set(truth[query])) for k in DEPTHS] for query in asked],
        float,
    )
    made: Json = {"queries": len(asked), "queries left out": len(truth) - len(asked)}
    for k, column, ends in zip(DEPTHS, hits.T, intervals(hits), strict=True):
        made |= {f"top{k}": float(column.mean()), f"top{k}_interval": [float(e) for e in ends]}
    return made


def read_images(path: Path) -> dict[str, list[str]]:
    """Read the ``images`` of a file of answers or truth.

    Raises
    ------
    InputError
        If the file is missing or malformed, with the line at fault.
    """
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text, object_pairs_hook=_no_key_twice)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error})") from error
    except json.JSONDecodeError as error:
        raise InputError(f"{path}, line {error.lineno}: no JSON ({error.msg})") from error
    except _RepeatedKeyError as error:
        key = str(error)
        raise InputError(
            f"{path}, line {_line(text, key, last=True)}: {key!r} stands twice"
        ) from None
    if not isinstance(content, dict) or not isinstance(content.get("images"), dict):
        raise InputError(f'{path}, line 1: must be {{"groupname": …, "images": {{query: […]}}}}')
    for query, names in content["images"].items():
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise _fault(path, query, "must be a list of gallery file names")
    return content["images"]


class _RepeatedKeyError(ValueError):
    """A JSON object has a key twice."""


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, value in pairs:
        if key in made:
            raise _RepeatedKeyError(key)
        made[key] = value
    return made


def _fault(path: Path, query: str, what: str) -> InputError:
    line = _line(path.read_text(encoding="utf-8"), query)
    return InputError(f"{path}, line {line}: {query!r}: {what}")


def _line(text: str, key: str, last: bool = False) -> int:
    """The line where a key stands."""
    forms = {json.dumps(key), json.dumps(key, ensure_ascii=False)}
    lines = [
        number
        for number, line in enumerate(text.splitlines(), 1)
        if any(form in line for form in forms)
    ]
    return lines[-1 if last else 0] if lines else 1


if __name__ == "__main__":
    sys.exit(main())
