"""Evaluation from Python: an extractor of one's own, or vectors, by the benchmark's protocol."""

from benchmarks.evaluation.api import evaluate, evaluate_vectors
from benchmarks.evaluation.result import Comparison, Result
from benchmarks.pipeline.methods.own import load_model

__all__ = ["Comparison", "Result", "evaluate", "evaluate_vectors", "load_model"]
