"""Published protocols as data: who asks, who is searched, what is junk, and how it is scored."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """Numbers that others published; context, never a claim of this suite.

    Attributes
    ----------
    method : str
        Their method.
    scores : mapping of str to float
        By the keys of metrics, on the scale of those.
    source : str
        Whose word it is.
    """

    method: str
    scores: Mapping[str, float]
    source: str


@dataclass(frozen=True)
class Protocol:
    """A published protocol, or this suite's own where a set has none.

    Attributes
    ----------
    name : str
        The name that tables say, such as ``revisited Oxford, Medium``.
    queries, gallery : str
        Who asks, and who is searched.
    relevant : str
        The images that are right answers.
    metrics : tuple of str
        Names of the metrics, as ``--metrics`` takes them; the first is the headline.
    denominators : str
        The number by which each is divided, and the queries that its mean is over.
    source : str
        Whose protocol it is.
    n_queries, n_gallery : int or None
        Images that ask and are searched in a whole copy; None where no source counts them.
    junk : str
        The images that take no part.
    keeps_query : bool
        Whether a query finds itself, as a right answer like any other.
    published : tuple of Published
        Numbers of others under this protocol.
    """

    name: str
    queries: str
    gallery: str
    relevant: str
    metrics: tuple[str, ...]
    denominators: str
    source: str
    n_queries: int | None
    n_gallery: int | None
    junk: str = "none"
    keeps_query: bool = False
    published: tuple[Published, ...] = ()

    def differences(self, n_queries: int, n_gallery: int) -> Iterator[str]:
        """Tell by what a run differs from the protocol.

        Parameters
        ----------
        n_queries, n_gallery : int
            Images that ask and are searched in the run.

        Yields
        ------
        str
            A few words for each.
        """
        for found, known, what in (
            (n_queries, self.n_queries, "queries"),
            (n_gallery, self.n_gallery, "images searched"),
        ):
            if known not in (None, found):
                yield f"{found:,} {what}, not {known:,}"
