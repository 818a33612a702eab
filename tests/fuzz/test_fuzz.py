"""Files that a search finds: for some seconds in every run of the tests, for long behind a flag.

``pytest tests/fuzz --fuzz-seconds 600`` searches for ten minutes, each way.
"""

from __future__ import annotations

import random
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.fuzz.corpus import corpus, mutated, once
from tuiapp.clock import monotonic_ns

MUTATIONS = 500
"""Files made by our own mutations in a short run."""


@pytest.mark.parametrize("name", corpus())
def test_what_the_search_begins_with(name: str, tmp_path: Path) -> None:
    once(tmp_path / "a.tuiapp", corpus()[name])


@pytest.mark.timeout(0)
def test_mutations(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Seeded: a failure comes again."""
    seeds, seconds = [*corpus().values()], request.config.getoption("--fuzz-seconds")
    path, number, end_ns = tmp_path / "a.tuiapp", 0, monotonic_ns() + seconds * 10**9
    while number < MUTATIONS or monotonic_ns() < end_ns:
        data = mutated(random.Random(number), seeds)
        try:
            once(path, data)
        except Exception as error:
            raise AssertionError(f"mutation {number}: {data.hex()}") from error
        number += 1


@pytest.mark.timeout(0)
@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris has no wheel for this Python")
def test_coverage_guided(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """The seed is fixed and the runs are counted, unless it is to go on for long."""
    seconds = request.config.getoption("--fuzz-seconds")
    bound = [f"-max_total_time={seconds}"] if seconds else ["-max_total_time=8", "-runs=3000"]
    options = ["-seed=7", "-timeout=20", "-rss_limit_mb=2048", "-print_final_stats=1", *bound]
    call = [sys.executable, "-m", "tests.fuzz.guided", str(tmp_path), *options]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-6000:]
    assert "stat::number_of_executed_units" in done.stderr
