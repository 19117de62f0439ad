"""Page of invariance: what is left of a method's lead when queries are transformed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.formats.files import Json
from benchmarks.formats.markdown import DIGITS
from benchmarks.pipeline.cache.fingerprint import digest
from benchmarks.pipeline.records.invariance import Measured, Study, read_invariance
from benchmarks.pipeline.records.record import PHOTOS
from benchmarks.pipeline.records.results import Results
from benchmarks.report.comparisons import estimate, members
from benchmarks.report.families import OTHER, best_of_each_family, families_of
from benchmarks.report.format import write_csv, write_page
from benchmarks.report.plots.axes import Mark, Series
from benchmarks.report.plots.book import PlotBook
from benchmarks.report.plots.charts import HeatMap
from benchmarks.report.plots.panels import Panels
from retrieval.bootstrap import intervals, ratio_intervals
from retrieval.statistics import oracle

_PAGE = "invariance"
_NAMED = 3
"""Transformations and methods that a cell of a table names."""

_FORMER = "its row is of something else by now; run it again with --invariance"
_PAIRS = 10
_DRAWS = 2000
"""Resamples of an interval; a method has a hundred of them."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Profiles:
    """Scores of methods with transformed queries, and what is left of their leads.

    Parameters
    ----------
    study : Study
        Queries and transformations.
    measured : mapping of str to Measured
        By method.
    """

    study: Study
    measured: Mapping[str, Measured]

    @property
    def methods(self) -> list[str]:
        """Names, in the order of all arrays."""
        return list(self.measured)

    @property
    def names(self) -> list[str]:
        """Names of the transformations."""
        return [one.name for one in self.study.transformations]

    @cached_property
    def clean(self) -> Floats:
        """Average precision of the queries as they are, shape (n_methods, n_queries)."""
        return np.stack([one.clean for one in self.measured.values()]).astype(np.float64)

    @cached_property
    def scores(self) -> Floats:
        """Of their copies, shape (n_methods, n_transformations, n_strengths, n_queries)."""
        return np.stack([one.scores for one in self.measured.values()]).astype(np.float64)

    @cached_property
    def transformed(self) -> Floats:
        """Mean over the strengths, shape (n_methods, n_transformations, n_queries)."""
        return np.nanmean(self.scores, axis=2)

    @cached_property
    def leads(self) -> NDArray[np.bool_]:
        """Methods whose lead over chance, with the queries as they are, is known well enough.

        A share of a lead that may be half as large, or none at all, tells nothing.
        """
        lead = self._lead(self.clean)
        half = lead.mean(axis=1) / 2
        return (half > 0) & (intervals(lead.T)[:, 0] > half)

    @cached_property
    def kept(self) -> Floats:
        """Share of the lead over chance that is left, with the ends of its interval.

        Shape (n_methods, 1 + n_transformations, 3); the mean over all transformations is first.
        NaN for methods without a lead that is known.
        """
        mean = self.transformed.mean(axis=1, keepdims=True)
        after = self._lead(np.concatenate([mean, self.transformed], axis=1))
        made = np.full((*after.shape[:2], 3), np.nan)
        for m in np.flatnonzero(self.leads):
            before = np.broadcast_to(self._lead(self.clean[m]), after[m].shape)
            made[m, :, 0] = after[m].mean(axis=-1) / before.mean(axis=-1)
            made[m, :, 1:] = ratio_intervals(after[m].T, before.T, _DRAWS)
        return made

    def bands(self, method: int) -> Floats:
        """A method's means by strength, with the ends of their intervals.

        Shape (n_transformations, 1 + n_strengths, 3), from strength 0; NaN behind the last.
        """
        clean = np.broadcast_to(self.clean[method], (len(self.names), 1, self.clean.shape[1]))
        values = np.concatenate([clean, self.scores[method]], axis=1)
        known = np.isfinite(values[..., 0])
        made = np.full((*values.shape[:2], 3), np.nan)
        made[known, 0] = values[known].mean(axis=-1)
        made[known, 1:] = intervals(values[known].T, _DRAWS)
        return made

    @cached_property
    def order(self) -> list[int]:
        """Places of the methods: by what they keep, then those without a lead that is known."""
        kept, score = self.kept[:, 0, 0], self.transformed.mean(axis=(1, 2))
        return sorted(
            range(len(kept)),
            key=lambda m: (np.isnan(kept[m]), -np.nan_to_num(kept[m]), -score[m]),
        )

    def worst(self, method: int) -> list[Json]:
        """Transformations that leave least to a method whose lead is known."""
        kept = self.kept[method, 1:]
        if not self.leads[method]:
            return []
        places = np.argsort(kept[:, 0], kind="stable")[:_NAMED]
        return [{"name": self.names[t], "kept": kept[t].tolist()} for t in places]

    def _lead(self, values: Floats) -> Floats:
        return values - np.array(self.study.chance)


def write_invariance(folder: Path, results: Results, book: PlotBook) -> None:
    """Write ``invariance.md`` and ``invariance.csv``, where queries were transformed."""
    found, task = read_invariance(folder), results.tasks.get(PHOTOS)
    if found is None or task is None or found[0].split_hash != results.about.split_hash:
        return
    study, every = found
    cards = {one["method"]: digest(one["card"]["extractor"]) for one in task.records}
    measured = {m: one for m, one in every.items() if one.card in ("", cards.get(m))}
    if not measured:
        return
    left_out = dict.fromkeys(every, _FORMER) | study.left_out
    profiles = Profiles(study, measured)
    write_csv(folder / f"{_PAGE}.csv", list(_lines(profiles)))
    fused = {
        record["method"]: parts
        for record in task.records
        if len(parts := members(record)) > 1 and record["method"] in measured
    }
    write_page(
        folder / f"{_PAGE}.md",
        _PAGE,
        name=results.about.name,
        study=study,
        chance=float(np.mean(study.chance)),
        left_out={m: why for m, why in left_out.items() if m not in measured},
        rows=_rows(profiles),
        best=_best(profiles),
        fusions=fusion_rows(profiles, fused),
        pairs=pair_rows(profiles, [m for m in profiles.methods if m not in fused])[:_PAIRS],
        heat_map=draw_kept(profiles, book),
        curves=draw_curves(profiles, families_of(task), book),
    )


def _lines(profiles: Profiles) -> Iterator[Json]:
    """Every mean with its interval, for machines; strength 0 is the queries as they are."""
    for m, method in enumerate(profiles.methods):
        bands = profiles.bands(m)
        yield _line(method, "none", 0, bands[0, 0])
        for t, one in enumerate(profiles.study.transformations):
            for strength in range(1, 1 + len(one.values)):
                yield _line(method, one.name, strength, bands[t, strength])


def _line(method: str, name: str, strength: int, band: Floats) -> Json:
    numbers = zip(("map", "map_low", "map_high"), band.round(DIGITS).tolist(), strict=True)
    return {"method": method, "transformation": name, "strength": strength} | dict(numbers)


def _rows(profiles: Profiles) -> list[Json]:
    """Lines of the first table."""
    return [
        {
            "method": profiles.methods[m],
            "clean": float(profiles.clean[m].mean()),
            "transformed": float(profiles.transformed[m].mean()),
            "kept": profiles.kept[m, 0].tolist() if profiles.leads[m] else None,
            "worst": profiles.worst(m),
        }
        for m in profiles.order
    ]


def _best(profiles: Profiles) -> list[Json]:
    """Methods that score best by each transformation, and those that keep most."""
    means = profiles.transformed.mean(axis=2)
    rows = []
    for t, name in enumerate(profiles.names):
        kept = profiles.kept[:, t + 1]
        by_score = np.argsort(-means[:, t], kind="stable")[:_NAMED]
        # In order of the lower ends: a large share of a small lead is often chance.
        clear = [m for m in np.argsort(-kept[:, 1], kind="stable") if profiles.leads[m]]
        row = {
            "name": name,
            "scores": [(profiles.methods[m], float(means[m, t])) for m in by_score],
            "kept": [(profiles.methods[m], kept[m].tolist()) for m in clear[:_NAMED]],
            "typical": float(np.nanmedian(kept[:, 0])) if clear else None,
        }
        rows.append(row)
    return sorted(rows, key=lambda row: row["typical"] or 0)


def fusion_rows(profiles: Profiles, fused: Mapping[str, Sequence[str]]) -> list[Json]:
    """Compare fused methods with the best of what they fuse, where all of it was measured.

    Parameters
    ----------
    profiles : Profiles
        All methods.
    fused : mapping of str to sequence of str
        Fused method to what it fuses.

    Returns
    -------
    list of dict
        ``method``; ``best``, the member that scores best with transformed queries; ``clean`` and
        ``transformed``, differences of the means with their intervals; ``most``, the
        transformation by which the fusion gains most, and ``gain`` there. Best first.
    """
    place = {name: m for m, name in enumerate(profiles.methods)}
    overall = profiles.transformed.mean(axis=1)
    rows: list[Json] = []
    for name, parts in fused.items():
        if not all(part in place for part in parts):
            continue
        best = max(parts, key=lambda part: overall[place[part]].mean())
        one, other = place[name], place[best]
        changes = profiles.transformed[one] - profiles.transformed[other]
        most = int(changes.mean(axis=1).argmax())
        rows.append(
            {
                "method": name,
                "best": best,
                "clean": estimate(profiles.clean[one] - profiles.clean[other]),
                "transformed": estimate(overall[one] - overall[other]),
                "most": profiles.names[most],
                "gain": estimate(changes[most]),
            }
        )
    return sorted(rows, key=lambda row: -row["transformed"][0])


def pair_rows(profiles: Profiles, names: Sequence[str]) -> list[Json]:
    """Compare pairs of methods that have a clear lead: how unlike their weaknesses are.

    Parameters
    ----------
    profiles : Profiles
        All methods.
    names : sequence of str
        Those to be paired, none of them fused; an extractor is not paired with itself.

    Returns
    -------
    list of dict
        ``pair``; ``alone``, the mean of the better one over all transformed queries;
        ``by_transformation`` and ``by_query``, that of the better one for each transformation and
        for each copied query; ``correlation`` of what both lose. Largest gain first.
    """
    clear = [m for m, name in enumerate(profiles.methods) if name in names and profiles.leads[m]]
    means = profiles.transformed.mean(axis=2)
    losses = (profiles.clean[:, None] - profiles.transformed).reshape(len(profiles.methods), -1)
    rows: list[Json] = []
    for pair in map(list, combinations(clear, 2)):
        if len({profiles.methods[m].partition("+")[0] for m in pair}) == 1:
            continue  # one extractor, compressed in two ways
        both = profiles.transformed[pair].reshape(2, -1)
        varied = bool((losses[pair].std(axis=1) > 0).all())
        rows.append(
            {
                "pair": [profiles.methods[m] for m in pair],
                "alone": float(both.mean(axis=1).max()),
                "by_transformation": float(means[pair].max(axis=0).mean()),
                "by_query": float(oracle(both.T).mean()),
                "correlation": float(np.corrcoef(*losses[pair])[0, 1]) if varied else None,
            }
        )
    return sorted(rows, key=lambda row: row["alone"] - row["by_query"])


def draw_kept(profiles: Profiles, book: PlotBook) -> str:
    """Draw what every method with a clear lead keeps, the hardest transformations left."""
    rows = [m for m in profiles.order if profiles.leads[m]]
    if not rows:
        return ""
    values = profiles.kept[rows, :, 0]
    columns = [0, *(1 + np.argsort(values[:, 1:].mean(axis=0), kind="stable"))]
    names = ["all", *profiles.names]
    return book.add(
        "invariance",
        PHOTOS,
        "Share of the lead over chance in mAP that is left with transformed queries, mean over "
        "the strengths; less than nothing counts as 0.",
        HeatMap(
            title=f"{book.folder.name}: what transformed queries leave of the lead over chance",
            rows=[profiles.methods[m] for m in rows],
            columns=[names[t] for t in columns],
            values=np.maximum(values[:, columns], 0),
        ),
    )


def draw_curves(profiles: Profiles, families: Mapping[str, str], book: PlotBook) -> str:
    """Draw the best method of each family by strength, a chart for each transformation."""
    score = profiles.transformed.mean(axis=(1, 2))
    names = [profiles.methods[m] for m in np.argsort(-score, kind="stable")]
    known = {name: families.get(name, OTHER) for name in names}
    chosen = best_of_each_family(names, known)
    series = [
        Series(
            f"{known[name]}: {name}",
            Mark.of(known[name]),
            profiles.bands(profiles.methods.index(name)),
        )
        for name in chosen
    ]
    return book.add(
        "invariance-curves",
        PHOTOS,
        "mAP by the strength of each transformation, of the best method of each family; bands are "
        "95 % intervals, the dotted line is a random order.",
        Panels(
            title=f"{book.folder.name}: mAP of transformed queries, the best of each family",
            xlabel="strength; 0 is the query as it is",
            panels=profiles.names,
            across=range(1 + profiles.study.shape[1]),
            series=series,
            chance=float(np.mean(profiles.study.chance)),
        ),
    )
