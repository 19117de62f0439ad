"""Evaluation from Python: an extractor of one's own, or vectors, by the benchmark's protocol."""

from benchmarks.evaluation.api import evaluate, evaluate_vectors
from benchmarks.evaluation.result import Comparison, Result

__all__ = ["Comparison", "Result", "evaluate", "evaluate_vectors"]
