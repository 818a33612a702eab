"""Fixtures that several of the unit tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doubles import nvml


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripted ``libnvidia-ml.so.1``; skips where there is no compiler to build it with."""
    try:
        return nvml.build(tmp_path_factory.mktemp("nvml"))
    except LookupError as error:
        pytest.skip(str(error))
