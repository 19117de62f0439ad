"""Score the answers to an unlabelled challenge: ``python -m benchmarks.score ANSWERS TRUTH``.

ANSWERS is a file that a run writes for an unlabelled gallery, ``{"groupname": …, "images": {query:
[ten gallery names]}}``. TRUTH has the same form, with all right gallery names of each query.
"""

import logging
import posixpath
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from benchmarks.cli.command import command, make_parser
from benchmarks.cli.options import a_path
from benchmarks.cli.outputs import has_json, require_output_file
from benchmarks.formats.files import Json, write_json
from benchmarks.formats.markdown import markdown
from datasets.errors import InputError
from datasets.json_files import check_json, read_json_as
from datasets.names import canonical, misspelt, require_once
from retrieval.bootstrap import intervals, too_few

DEPTHS = (1, 3, 5, 10)
_REMEDY = 'write {"groupname": …, "images": {query: [gallery names]}}'

log = logging.getLogger(__name__)


class _File(msgspec.Struct):
    """A file of answers or truth; further fields are allowed."""

    images: dict[str, object]


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    parser = make_parser("score", __doc__)
    parser.add_argument("answers", type=a_path, metavar="ANSWERS")
    parser.add_argument("truth", type=a_path, metavar="TRUTH")
    parser.add_argument("--json", type=a_path, metavar="FILE", help="write the scores there, too")
    options = parser.parse_args(arguments)
    if options.json:
        inputs = (options.answers, options.truth)
        require_output_file(
            options.json, "--json", inputs, "file of scores", has_json(_are_scores)
        )
    answers, truth = read_images(options.answers), read_images(options.truth)
    scores = score_answers(answers, truth, options.answers)
    cells = [
        [f"top-{k}", *(f"{x:.4f}" for x in (scores[f"top{k}"], *scores[f"top{k}_interval"]))]
        for k in DEPTHS
    ]
    left_out = scores["queries left out"]
    without = f"; {left_out} left out, without a right answer" if left_out else ""
    sys.stdout.write(f"{scores['queries']} queries{without}\n\n")
    sys.stdout.write(markdown(["", "score", "95 % from", "to"], cells))
    if told := too_few(scores["queries"]):
        log.warning("%s: %s", options.truth, told)
    if options.json:
        write_json(options.json, scores)
    return 0


def _are_scores(content: object) -> bool:
    return isinstance(content, dict) and {"queries", "queries left out"} <= content.keys()


def score_answers(answers: dict[str, list[str]], truth: dict[str, list[str]], path: Path) -> Json:
    """Compute the top-1, 3, 5 and 10 of answers, each with its interval over queries.

    Parameters
    ----------
    answers, truth : dict of str to list of str
        Query to gallery names, best first; query to its right gallery names.
    path : Path
        File of the answers, for errors.

    Returns
    -------
    dict
        Counts of queries, ``top1`` to ``top10`` (0 to 1) and their 95 % intervals.

    Raises
    ------
    InputError
        If answers and truth are not about the same queries or spell names in different ways, or
        an answer is too long or holds a name twice.
    """
    for query, names in answers.items():
        where = f"{path}: {query!r}"
        if query not in truth:
            near = misspelt([query], truth).get(query)
            remedy = f"did you mean {near!r}? Write both alike" if near else "remove it"
            raise InputError(f"{where}: the truth has no such query; {remedy}")
        if len(names) > max(DEPTHS):
            raise InputError(f"{where}: {len(names)} names; at most {max(DEPTHS)} count")
        if len(set(names)) < len(names):
            raise InputError(f"{where}: holds a name twice; remove one")
    if missing := sorted(truth.keys() - answers.keys()):
        raise InputError(f"{path}: {len(missing)} queries lack an answer, {missing[0]!r} first")
    _require_one_spelling(answers, truth, path)
    scored = [query for query in sorted(truth) if truth[query]]
    if not scored:
        raise InputError(f"{path}: no query of the truth has a right answer, nothing to score")
    hits = np.array(
        [[bool(set(answers[query][:k]) & set(truth[query])) for k in DEPTHS] for query in scored],
        float,
    )
    scores: Json = {"queries": len(scored), "queries left out": len(truth) - len(scored)}
    for k, column, ends in zip(DEPTHS, hits.T, intervals(hits), strict=True):
        scores |= {f"top{k}": float(column.mean()), f"top{k}_interval": [float(e) for e in ends]}
    return scores


def _require_one_spelling(
    answers: dict[str, list[str]], truth: dict[str, list[str]], path: Path
) -> None:
    """Refuse a gallery name that may be a right one, which the answer spells in another way."""
    for query, names in sorted(answers.items()):
        for name, right in sorted(misspelt(names, truth[query]).items()):
            if right not in names:
                what = f"{name!r} may be the truth's {right!r}"
                raise InputError(f"{path}: {what}; write both alike")
    given, known = (set().union(*some.values()) for some in (answers, truth))
    if given & known:
        return
    stems = {_stem(right): right for right in known}
    alike = [(name, stems[_stem(name)]) for name in sorted(given) if _stem(name) in stems]
    if len(alike) > 1:  # two pictures may be called alike but for their form; not all of them
        name, right = alike[0]
        raise InputError(
            f"{path}: names nothing that the truth does, as {name!r} for {right!r}; write both "
            "alike"
        )


def _stem(name: str) -> str:
    return posixpath.splitext(posixpath.normpath(name))[0]


def read_images(path: Path) -> dict[str, list[str]]:
    """Read the ``images`` of a file of answers or truth, names in composed Unicode (NFC).

    Raises
    ------
    InputError
        If the file is missing or malformed; names the query at fault.
    """
    file = read_json_as(path, _File, _REMEDY)
    if file is None:
        raise InputError(f"{path}: no such file; name a file of answers or truth")
    require_once(file.images, str(path))
    return {
        canonical(query): [
            canonical(name) for name in check_json(names, list[str], f"{path}: {query!r}", _REMEDY)
        ]
        for query, names in file.images.items()
    }


if __name__ == "__main__":
    sys.exit(main())
