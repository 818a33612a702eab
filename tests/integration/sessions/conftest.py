"""A library with two recordings, and ``tuiapp sessions`` over it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.doubles.synthetic import NS, Load, frames
from tuiapp.cli import main
from tuiapp.events import Frame, Kind
from tuiapp.session.blocks import merge_frames
from tuiapp.session.edit import rewrite

META = {"created_ns": 1_764_000_000 * NS, "origin_ns": 5, "session": "/home/agathe/run.tuiapp"}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's library, with two recordings; the working folder is another."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    library = tmp_path / "data" / "tuiapp" / "sessions"
    library.mkdir(parents=True)
    for name, seed in (("quiet", 1), ("quieter", 2)):
        seconds: dict[int, list[Frame]] = {}
        meta = Frame(Kind.META, 1, 1, attrs=META | {"origin_ns": seed})
        for frame in [*frames(Load(seed=seed, duration_s=4.0)), meta]:
            seconds.setdefault(frame.t1_ns // NS, []).append(frame)
        blocks = (block for at in sorted(seconds) for block in merge_frames(seconds[at]))
        rewrite(blocks, library / f"{name}.tuiapp")
    return library


@pytest.fixture
def call(home: Path, capfd: pytest.CaptureFixture[str]) -> Any:
    """``tuiapp sessions`` with these words: (exit code, stdout, stderr)."""

    def run(*words: object) -> tuple[int, str, str]:
        capfd.readouterr()
        code = main(["sessions", *map(str, words)])
        return code, *capfd.readouterr()

    return run
