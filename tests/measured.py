"""Pieces of work to be measured in processes of their own, which import little to begin fast."""

import os

import numpy as np

MEBIBYTE = 2**20


def held(size):
    return int(np.ones(size, np.uint8).sum())


def holding(size):
    """Hold some bytes, first in this process, then in two workers."""

    def work():
        from benchmarks.pipeline.workers import in_parallel

        assert [held(size), *in_parallel(held, [size] * 2, 2)] == [size] * 3
        return {"size": float(size)}

    return work


def failing(place):
    def work():
        raise ValueError(f"nothing at {place}")

    return work


def dying(place):
    return lambda: os._exit(7)
