"""Numbers of a recording that ends, or is looked at, in the middle of a tick."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.doubles.comparing import SAMPLES
from tuiapp import cli
from tuiapp.session.columns import TICK_NS
from tuiapp.session.cut import cut
from tuiapp.session.reader import load, read_frames
from tuiapp.session.view import View

NS = 1_000_000_000
BURSTY = SAMPLES / "bursty.tuiapp"


def delivered(path: Path, after_ns: int) -> int:
    """Tokens that came after ``after_ns``, counted one by one."""
    frames = [frame.columns for frame in read_frames(path) if frame.kind == 3]
    t_ns = np.concatenate([np.asarray(columns["t_ns"]) for columns in frames])
    n = np.concatenate([np.asarray(columns["n"]) for columns in frames])
    return int(n[t_ns > after_ns].sum())


@pytest.mark.parametrize(("start_s", "end_s"), [(44.1, 44.6), (50, 50.9), (50, 51.15), (0, 59.9)])
def test_the_rate_of_a_part_is_that_of_its_own_tokens(
    tmp_path: Path, start_s: float, end_s: float
) -> None:
    path = tmp_path / "part.tuiapp"
    start_ns = round(start_s * NS)
    cut(BURSTY, start_ns, round(end_s * NS), path)
    session = load(path)
    view = View(session, session.end_ns)
    window = view.measured
    assert window is not None
    tokens = view.tokens(window.start_ns - 1, window.end_ns)
    assert tokens == delivered(path, max(start_ns, window.start_ns - 1))


@pytest.mark.parametrize("at", ["1:00", "59.9s"])
def test_an_export_of_a_moment_is_what_a_part_until_then_holds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], at: str
) -> None:
    def told(*command: str) -> dict[str, object]:
        assert cli.main(["sessions", *command]) == 0
        found: dict[str, object] = json.loads(capsys.readouterr().out)
        return {name: found[name] for name in ("itl_s", "ttft_s", "output_tokens_per_s")}

    exported = told("export", str(BURSTY), "--to", "json", "--at", at, "-o", "-")
    seconds = 60.0 if at == "1:00" else 59.75
    path = tmp_path / "part.tuiapp"
    cut(BURSTY, -1, round(seconds * NS) - 1, path)
    part = View(session := load(path), min(round(seconds * NS) - 1, session.end_ns))
    itl = exported["itl_s"]
    assert isinstance(itl, dict)
    assert itl["n"] == part.final("itl").n
    assert round(seconds * NS) % TICK_NS == 0


def test_the_report_tells_the_length_of_a_part(tmp_path: Path) -> None:
    path = tmp_path / "part.tuiapp"
    cut(BURSTY, 45 * NS, 60 * NS, path)
    assert (
        cli.main(["sessions", "export", str(path), "--to", "html", "-o", str(tmp_path / "x.html")])
        == 0
    )
    text = (tmp_path / "x.html").read_text()
    assert "<dt>Length</dt><dd>15.0 s" in text or "<dt>Length</dt><dd>00:15" in text
