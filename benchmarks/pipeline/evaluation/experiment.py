"""An experiment: methods on a dataset, doing only what is not done yet."""

from collections.abc import Mapping, Sequence

from benchmarks.pipeline.evaluation.evaluate import Evaluation
from benchmarks.pipeline.evaluation.fitted_method import CANNOT_LEARN
from benchmarks.pipeline.evaluation.sanity import SanityError
from benchmarks.pipeline.extraction.outcome import Extracted, failure
from benchmarks.pipeline.extraction.transformed import extract_for
from benchmarks.pipeline.methods.method import Method
from benchmarks.pipeline.records.recorder import Recorder
from benchmarks.pipeline.records.training import TRAINING, write_training
from datasets.errors import DamagedError
from datasets.task import Dataset


def run(
    evaluation: Evaluation, recorder: Recorder, methods: Sequence[Method], force: bool = False
) -> bool:
    """Run methods on a dataset and record them.

    Parameters
    ----------
    evaluation : Evaluation
        Of the dataset.
    recorder : Recorder
        Of the same dataset.
    methods : sequence of Method
        To be run.
    force : bool
        Do everything anew.

    Returns
    -------
    bool
        Whether a method failed.

    Raises
    ------
    InputError
        If records have been taken away meanwhile.
    """
    dataset, workforce = evaluation.dataset, evaluation.workforce
    recorder.clear()
    todo = []
    for method in methods:
        if reason := obstacle(method, dataset):
            recorder.skip(method, reason)
        elif force or not recorder.is_finished(method):
            todo.append(method)
    extracted = extract_for(todo, dataset, evaluation.cache, force, workforce)
    failed = False
    for method in workforce.track(todo, len(todo), f"searching {dataset.name}"):
        try:
            failed |= _evaluate(evaluation, recorder, method, extracted)
        except DamagedError:
            # It is removed, and the rest of its store known to be whole.
            extracted |= extract_for([method], dataset, evaluation.cache, False, workforce)
            failed |= _evaluate(evaluation, recorder, method, extracted)
    for name, mine in extracted.items():
        if mine.training:
            write_training(recorder.out / dataset.name / TRAINING, name, mine.training)
    recorder.require_records(methods)
    return failed


def obstacle(method: Method, dataset: Dataset) -> str | None:
    """Reason why a method cannot run on a dataset; None if it can."""
    if reason := method.untaught(dataset) or method.obstacle:
        return reason
    return method.tuning.obstacle(dataset) if method.tuning else None


def _evaluate(
    evaluation: Evaluation,
    recorder: Recorder,
    method: Method,
    extracted: Mapping[str, Extracted],
) -> bool:
    """Evaluate a method, or record why not; gives whether it failed."""
    parts = [extracted[one.name] for one in method.extractors]
    failures = [part.failed for part in parts if part.failed]
    skipped = [part.skipped for part in parts if part.skipped]
    if skipped and not failures:
        recorder.skip(method, skipped[0])
        return False
    if not failures:
        try:
            for result in evaluation.run(method, extracted):
                recorder.write(method, result)
        except CANNOT_LEARN as error:
            recorder.skip(method, str(error))
        except SanityError as error:
            failures.append(f"sanity check: {error}")
        except (Exception, SystemExit) as error:
            failures.append(failure(error))
    if failures:
        recorder.fail(method, failures[0])
    return bool(failures)
