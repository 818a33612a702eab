"""The memory's bandwidth, measured for an engine on the CPU before it starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuiapp import cli
from tuiapp.cli import memory_bandwidth
from tuiapp.cli.memory_bandwidth import measured_for
from tuiapp.cli.setup_run import build
from tuiapp.engine import gpu_memory
from tuiapp.tax import bandwidth

CACHES = [1 << 20]


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """No GPU, and caches that a file of a test can exceed."""
    monkeypatch.setattr(gpu_memory, "total_bytes", lambda: None)
    monkeypatch.setattr(bandwidth, "last_caches", lambda _: CACHES)


def model(folder: Path, size: int) -> str:
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    with (folder / "model.safetensors").open("wb") as file:
        file.truncate(size)
    return str(folder)


def test_a_model_beyond_the_caches_is_worth_it(tmp_path: Path) -> None:
    told = measured_for(model(tmp_path / "large", CACHES[0] + 1))
    assert told["memory_bandwidth_bytes_per_s"] > 1e8
    assert told["memory_bandwidth_array_bytes"] > CACHES[0]


def test_it_stands_in_the_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_bandwidth, "_may_exceed_caches", lambda _: True)
    large, out = model(tmp_path / "large", CACHES[0] + 1), str(tmp_path / "out.tuiapp")
    args = cli._parse(["run", large, "--headless", "-o", out])
    recorder = build(args, default_duration_s=1.0)
    assert recorder.session.meta["host"]["tax"]["memory_bandwidth_bytes_per_s"] > 1e8


def test_what_it_does_not_bound_costs_no_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measuring(_: str) -> None:
        raise AssertionError("measured")

    monkeypatch.setattr(memory_bandwidth, "say", measuring)
    assert measured_for(None) == {}
    assert measured_for(model(tmp_path / "small", CACHES[0])) == {}
    assert measured_for(str(tmp_path / "missing")) == {}
    assert measured_for(model(tmp_path / "beyond memory", 9 << 40)) == {}
    (tmp_path / "notes.txt").write_text("no model")
    assert measured_for(str(tmp_path / "notes.txt")) == {}
    monkeypatch.setattr(gpu_memory, "total_bytes", lambda: 80 << 30)
    assert measured_for("meta-llama/Llama-3.1-8B") == {}


def test_a_measurement_that_fails_costs_no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_bandwidth.sys, "executable", "/bin/false")
    assert measured_for("somebody/model") == {}
