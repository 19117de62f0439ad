"""Outcome of an extraction: vectors, or the reason why there are none."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.formats.files import is_disk_full
from benchmarks.pipeline.cache.feature_store import FeatureStore
from benchmarks.pipeline.cache.store import ArrayStore, MapStore, Store
from benchmarks.pipeline.loading.training import LeakError
from datasets.errors import DamagedError, InputError
from extractors.base import NothingToLearnError
from extractors.networks.weights import NoWeightsError


@dataclass
class Extracted:
    """One extractor's vectors of a dataset's images, or the reason why there are none.

    Attributes
    ----------
    store : ArrayStore
        Vectors of all images.
    features : FeatureStore or None
        Local features of all images, where the extractor begins with a detector.
    maps : MapStore or None
        Feature maps of all images, where it begins with the stem of a network.
    training : Path or None
        Folder of its training, where it trains a network.
    skipped : str
        Reason why it has no vectors of these images; empty if it has.
    failed : str
        Error that it ended with; empty if with none.
    damaged : bool
        Whether that was damage to what is kept, which is removed and can be made again.
    """

    store: ArrayStore
    features: FeatureStore | None = None
    maps: MapStore | None = None
    training: Path | None = None
    skipped: str = ""
    failed: str = ""
    damaged: bool = False

    @property
    def obstacle(self) -> str:
        """Reason why not all vectors are there; empty if they are."""
        return self.failed or self.skipped

    @property
    def is_usable(self) -> bool:
        """Whether all vectors are there."""
        return not self.obstacle

    @property
    def stores(self) -> list[Store[Any]]:
        """Everything that is stored on the way to the vectors, in order."""
        return [one for one in (self.features, self.maps, self.store) if one is not None]

    @contextmanager
    def outcome(self) -> Iterator[None]:
        """Note what ends the work on this extractor alone; what ends all work goes on.

        Raises
        ------
        LeakError, InputError, OSError
            As of `failure`.
        """
        try:
            yield
        except DamagedError as error:
            self.failed, self.damaged = str(error), True
        except (NoWeightsError, NothingToLearnError) as error:
            self.skipped = str(error)
        except (Exception, SystemExit) as error:
            self.failed = failure(error)


def failure(error: BaseException) -> str:
    """Tell of an error that ends the work on one extractor or method alone.

    Raises
    ------
    LeakError, InputError
        These end all work: nothing that was learned may be trusted, or a picture has gone.
    OSError
        If the disk is full, which would end the work on every other one, too.
    """
    if isinstance(error, LeakError | InputError) or is_disk_full(error):
        raise error
    return f"{type(error).__name__}: {error}"
