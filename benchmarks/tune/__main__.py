"""Choose a method's parameters by the training images alone, and keep them as a preset.

``python -m benchmarks.tune --dataset NAME|PATH --extractor NAME…`` tries the values declared in
`extractors.spaces` and writes ``<out>/<dataset>/presets/``; ``benchmarks.run --preset FILE`` uses
what is there.
"""

import argparse
import sys
from collections.abc import Sequence

from benchmarks.cli.command import command, make_parser
from benchmarks.cli.options import add_options, cluster, require_folders, use_networks
from benchmarks.pipeline.loading.training import load_training
from benchmarks.pipeline.methods.presets import write_preset
from benchmarks.pipeline.methods.space import search_space
from benchmarks.pipeline.records.description import require_own_results
from benchmarks.pipeline.records.record import DESCRIPTION
from benchmarks.pipeline.records.results import read_results
from benchmarks.pipeline.workers import Workforce
from benchmarks.report.console import print_preset
from benchmarks.report.pages.presets import write_presets
from benchmarks.tune.choose import NotTriedError, tune
from datasets.errors import InputError


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code (1 if a method failed, 2 after bad input)."""
    options = _parser().parse_args(arguments)
    use_networks(options)
    spaces = [search_space(name) for name in dict.fromkeys(options.extractor)]
    for space in spaces:
        if space.method.obstacle:
            raise InputError(f"--extractor {space.method.name}: {space.method.obstacle}")
    require_folders(options, "out", "cache")
    workforce = Workforce(options.jobs, options.quiet, cluster(options))
    failed = False
    for text in dict.fromkeys(options.dataset):
        dataset = load_training(text, options.cache, workforce, options.seed, options.layout)
        require_own_results(options.out / dataset.name)
        for space in spaces:
            try:
                preset = tune(space, dataset, options.cache, workforce, options.seed)
            except NotTriedError as error:
                failed = True
                workforce.log(f"{space.method.name} cannot be tuned: {error}")
                continue
            path = write_preset(options.out, preset)
            if not options.quiet:
                print_preset(preset)
            workforce.log(f"The preset is {path}")
        folder = options.out / dataset.name
        tasks = read_results(folder).tasks if (folder / DESCRIPTION).exists() else {}
        write_presets(folder, tasks)
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    epilog = "Neither gallery nor queries are looked at. Options are those of benchmarks.run."
    parser = make_parser("tune", __doc__, epilog)
    tuned = "methods to tune; a+b chooses the way of fusion"
    add_options(parser, "extractor", required=True, help=tuned)
    add_options(
        parser,
        "dataset",
        "layout",
        "max-pixels",
        "networks",
        "out",
        "cache",
        "jobs",
        "seed",
        "quiet",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
