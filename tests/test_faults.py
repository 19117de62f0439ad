"""The harness of faults: it finds what is lost, and comes to the same with the same seed."""

import random
import re

import pytest
from faults import __main__ as command
from faults.bench import Ended
from faults.trials import Fault, NotTried, Tally, make_trials


def outcomes(bench, rng, count):
    def lose():
        raise KeyError("numbers")

    def refuse():
        raise NotTried("no root")

    for _ in range(count):
        yield rng.choice([lose, refuse, dict])


def test_an_error_of_any_kind_is_lost_and_fails_the_command(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(command, "FAULTS", (Fault("all | kinds", 60, outcomes),))
    assert command.main(["--out", str(tmp_path), "--seed", "3", "--jobs", "1"]) == 1
    page = (tmp_path / "reliability.md").read_text()
    [row] = re.findall(r"\| all \\\| kinds \| (\d+) \| (\d+) \| (\d+) \| (\d+): no root \|", page)
    tried, survived, lost, not_tried = map(int, row)
    assert survived + lost == tried == 60 - not_tried
    assert min(survived, lost, not_tried) > 0
    assert f"- all | kinds: KeyError: 'numbers' ({lost} times)" in page
    assert "Seed 3, commit " in page
    assert command.main(["--seed", "3", "--jobs", "1"]) == 1
    assert f"| {tried} | {survived} | {lost} |" in capsys.readouterr().out


def test_trials_depend_on_seed_and_kind_alone():
    fault, other = Fault("one", 40, outcomes), Fault("other", 40, outcomes)

    def drawn(fault, seed):
        tally = Tally(fault)
        return [tally.add(one) or len(tally.lost) for one in make_trials(fault, None, seed, 40)]

    random.random()
    assert drawn(fault, 1) == drawn(fault, 1)
    assert drawn(fault, 1) != drawn(fault, 2)
    assert drawn(fault, 1) != drawn(other, 1)


@pytest.mark.parametrize(
    ("code", "said", "signals", "is_clear"),
    [
        (0, "", (), True),
        (2, "error: no space\n", (), True),
        (2, "error: no space\nerror: again\n", (), False),
        (2, "Traceback (most recent call last):\nerror: no space\n", (), False),
        (1, "", (), False),
        (-7, "", (), False),
        (-9, "", (9,), True),
        (-9, "", (15,), False),
        (143, "interrupted; what is finished is kept, run again to do the rest\n", (15,), True),
        (143, "", (15,), False),
        (143, "interrupted; what is finished is kept, run again to do the rest\n", (2,), False),
    ],
)
def test_a_clear_end_is_known(code, said, signals, is_clear):
    if is_clear:
        Ended(code, said).require_clear(*signals)
    else:
        with pytest.raises(AssertionError):
            Ended(code, said).require_clear(*signals)


@pytest.mark.parametrize("kind", ["a file of an index", "a bit of", "preset", "code in"])
def test_some_faults_of_files_are_survived(kind, capsys):
    assert command.main(["--only", kind, "--most", "3", "--jobs", "1"]) == 0
    assert re.search(r"\| all \| [\d,]+ \| [\d,]+ \| 0 \|", capsys.readouterr().out)
