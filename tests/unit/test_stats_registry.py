"""The table of statistics, and what importing costs."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from tuiapp.stats import STATISTICS


@pytest.mark.parametrize("name", STATISTICS)
def test_every_statistic_resolves_and_is_documented(name: str) -> None:
    module, function = STATISTICS[name].split(":")
    statistic = getattr(importlib.import_module(module), function)
    assert callable(statistic)
    assert statistic.__doc__


@pytest.mark.parametrize(
    "module", ["tuiapp.stats", "tuiapp.stats.slo", "tuiapp.workload", "tuiapp.workload.presets"]
)
def test_names_and_presets_load_without_numpy(module: str) -> None:
    script = f"import sys, {module}; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
