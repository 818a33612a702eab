"""Fixtures of the tests that start an engine child."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.engine_child import Traces


@pytest.fixture
def traces(monkeypatch: pytest.MonkeyPatch) -> Iterator[Traces]:
    """A temporary folder of the test's own; short, because socket paths are bounded."""
    temp = Path(tempfile.mkdtemp(prefix="tui-"))
    monkeypatch.setenv("TMPDIR", str(temp))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield Traces(temp)
    monkeypatch.undo()
    shutil.rmtree(temp, ignore_errors=True)
