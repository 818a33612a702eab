"""How ``tuiapp host`` tells the way in which the processor was asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tuiapp import cli
from tuiapp.machine import looking
from tuiapp.machine.inspection import inspect
from tuiapp.machine.tree import Tree


class Leafless:
    """A processor that answers nothing."""

    source = "the CPUID instruction, mapped from memory"

    def read(self, leaf: int, subleaf: int = 0) -> None:
        return None


def told(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    assert cli.main(["host", *argv]) == 0
    return capsys.readouterr()[0]


def test_the_way_is_a_signal_that_proves_nothing(tmp_path: Path) -> None:
    signals = inspect(Tree(tmp_path), Leafless()).signals
    found = next(signal for signal in signals if signal.where == "CPUID")
    assert (found.source, found.value) == ("cpuid", Leafless.source)
    assert not found.proves
    assert not found.fact


def test_the_way_is_in_json_and_with_explain(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "root/proc").mkdir(parents=True)
    (tmp_path / "cpuid.json").write_text(json.dumps({"leaves": {}}))
    source = "read from a recorded cpuid.json"
    assert f"CPUID: {source}" in told(capsys, "--root", str(tmp_path), "--explain")
    assert source not in told(capsys, "--root", str(tmp_path))
    assert json.loads(told(capsys, "--root", str(tmp_path), "--json"))["cpuid_source"] == source
    (tmp_path / "cpuid.json").unlink()
    assert json.loads(told(capsys, "--root", str(tmp_path), "--json"))["cpuid_source"] is None


def test_why_the_processor_could_not_be_asked_is_kept(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    why = "memfd: no child process could be started (Resource temporarily unavailable)"
    monkeypatch.setattr(looking, "execute", lambda: (None, why))
    unread = json.loads(told(capsys, "--json"))["unread"]
    assert {"source": "cpuid", "where": "CPUID", "unread": why} in unread
