"""Imported sessions and the files they come from, for tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from tuiapp import imports
from tuiapp.exports.summary import summary
from tuiapp.session.columns import Session
from tuiapp.session.view import View

FIXTURES = Path(__file__).parent.parent / "fixtures" / "imports"
QUANTILES = {"p50": 50, "p90": 90, "p95": 95, "p99": 99}


def fixture(name: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((FIXTURES / name).read_text())
    return value


def records(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FIXTURES / name).read_text().splitlines()]


def write(path: Path, *values: Any) -> Path:
    path.write_text("\n".join(json.dumps(value) for value in values))
    return path


def session(path: Path, part: int | None = None) -> Session:
    found = Session()
    for frame in imports.read(path, part):
        found.fold(frame)
    return found


def result(path: Path, part: int | None = None) -> dict[str, Any]:
    found = session(path, part)
    return summary(View(found, found.end_ns))


def percentiles(values: Any) -> dict[str, float]:
    """As the programs compute them: linear between order statistics."""
    array = np.asarray(values, float)
    return {name: float(np.percentile(array, q)) for name, q in QUANTILES.items()}


def told(found: dict[str, Any], *words: str) -> bool:
    """One of the run's caveats has all of ``words`` in it."""
    return any(all(word in caveat for word in words) for caveat in found["caveats"])
