"""`limits.max_failures`: how many failures an apply takes before it starts nothing more."""

from __future__ import annotations

import pytest

from builders import desired, output, source
from fakes import Process, Universe
from reconciler.apply.executor import Options

SERIES = [output(f"s{number}/x", crf=20 + number, of=source(f"masters/{number}.mov")) for number in range(5)]


@pytest.mark.parametrize(
    ("failed", "encoded", "not_run", "broken"),
    [(1, 4, 0, ["s0"]), (2, 0, 3, ["s0", "s1"]), (2, 1, 2, ["s0", "s2", "s3"])],
)
def test_one_below_at_and_above(failed, encoded, not_run, broken):
    """With two failures allowed, one stops nothing; at the second nothing more is started, so there is no third."""
    universe = Universe(paid=True, holds=True, fails={f"{name}/x" for name in broken})
    outcome = Process(universe).run(desired(*SERIES), options=Options(max_failures=2, parallelism=1))

    assert (failed, encoded, not_run) == (len(outcome.failed), len(outcome.encoded), outcome.not_run)
    assert failed + encoded == sum(universe.starts.values())
