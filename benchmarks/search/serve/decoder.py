"""Decoding of pictures that somebody sent: in processes of their own, which are ended in time."""

import os
import sys
from collections.abc import Sequence
from concurrent.futures import TimeoutError as TooLateError
from concurrent.futures.process import BrokenProcessPool
from queue import SimpleQueue

from joblib.externals.loky.process_executor import ProcessPoolExecutor

from benchmarks.pipeline.workers import begin
from datasets.errors import UnreadableImageError
from datasets.reading import LIMIT, Pixels, max_pixels, read_bytes

MOST_BYTES = 32 * 2**20
"""Largest file that is taken."""

MOST_PIXELS = 50_000_000
"""Largest picture that is decoded, unless ``--max-pixels`` allows fewer."""

SECONDS = 10.0
"""Longest time of decoding."""

_START = 60.0
"""Longest time that a process takes to start, on a busy machine."""


class Decoder:
    """Decodes pictures through the reader that everybody uses; may be shared by threads.

    Parameters
    ----------
    processes : int
        Pictures that are decoded at a time.
    seconds : float
        Longest time of decoding.
    """

    def __init__(self, processes: int = 2, seconds: float = SECONDS) -> None:
        self.pixels = min(MOST_PIXELS, max_pixels())
        self.seconds = seconds
        self._free: SimpleQueue[ProcessPoolExecutor] = SimpleQueue()
        for _ in range(processes):
            self._free.put(self._start())

    def decode(self, data: bytes) -> Pixels:
        """Decode a picture.

        Parameters
        ----------
        data : bytes
            The content of a file that is said to be a picture.

        Raises
        ------
        UnreadableImageError
            If it is none, too large, or takes too long.
        """
        process = self._free.get()
        try:
            process.submit(os.getpid).result(_START)  # its start is not the picture's fault
            return process.submit(read_bytes, data).result(self.seconds)
        except TooLateError as error:
            process = self._replace(process)
            raise UnreadableImageError(f"takes more than {self.seconds:g} s to decode") from error
        except BrokenProcessPool as error:
            process = self._replace(process)
            raise UnreadableImageError("ends the process that decodes it") from error
        finally:
            self._free.put(process)

    def close(self) -> None:
        """End the processes; those that are decoding still, too."""
        while not self._free.empty():
            self._free.get().shutdown(wait=False, kill_workers=True)

    def _replace(self, process: ProcessPoolExecutor) -> ProcessPoolExecutor:
        process.shutdown(wait=False, kill_workers=True)
        return self._start()

    def _start(self) -> ProcessPoolExecutor:
        made = ProcessPoolExecutor(
            1, initializer=_begin, initargs=(os.getpid(), tuple(sys.path), self.pixels)
        )
        made.submit(os.getpid)  # so that it is ready when it is needed
        return made


def _begin(parent: int, path: Sequence[str], pixels: int) -> None:
    begin(parent, path)
    os.environ[LIMIT] = str(pixels)
