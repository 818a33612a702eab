"""Everything the program does with a session, done to one: whatever it holds, nothing may raise."""

from __future__ import annotations

import io
import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from tests.doubles.drawing import PALETTE, check
from tuiapp.errors import SessionError
from tuiapp.events import Frame, Kind
from tuiapp.exports import EXPORTS, export, write_file
from tuiapp.session.columns import TICK_NS, Session
from tuiapp.session.deliveries import between, of_request
from tuiapp.session.file import SessionFile
from tuiapp.session.reader import Report, load, read_frames
from tuiapp.session.view import View
from tuiapp.tui.panes import PANES, pane_class
from tuiapp.tui.panes.base import Scene, stack
from tuiapp.tui.renderables.canvas import clean

SIZES = {False: ((76, 8), (38, 4)), True: ((78, 20),)}
NS = 1_000_000_000


def read_all(path: Path) -> tuple[Session, Report] | None:
    """Both readers and the session of a file; None when it was refused in one sentence."""
    report = Report()
    try:
        frames = list(read_frames(path, report))
    except SessionError:
        with pytest.raises(SessionError):  # one reader takes what the other does
            SessionFile(path)
        return None
    assert len(frames) == report.frames
    with SessionFile(path) as file:
        for frame in file.frames():
            assert frame.kind != Kind.INDEX
        assert file.end_ns >= 0
    session = load(path)
    assert fold(frames).rejected == session.rejected
    return session, report


def fold(frames: list[Frame]) -> Session:
    """A session of frames."""
    session = Session()
    for frame in frames:
        session.fold(frame)
    return session


def cursors(session: Session) -> Iterator[int]:
    """Moments at which a screen may stand."""
    end = session.end_ns
    yield from (end // 2 // TICK_NS * TICK_NS + TICK_NS - 1, end, 0)


ON_A_TERMINAL = ("text", "json")
"""What ``tuiapp run`` and ``sessions show`` print; the other formats are files for programs."""


def use(session: Session, *, draw: bool = True) -> None:
    """Look at it in every way."""
    for window, cursor in zip((10 * NS, None, 2 * NS), cursors(session), strict=True):
        view = View(session, cursor, window)
        if draw and cursor:
            draw_panes(view, full=window is None)
        numbers(view)
    view = View(session, session.end_ns)
    for name in (name for name, form in EXPORTS.items() if form.kind == "text"):
        out = io.StringIO()
        export(name)(view, out)
        if name in ON_A_TERMINAL:
            assert_harmless(out.getvalue(), lines=True)
        if name in ("json", "trace", "vllm-bench"):
            json.loads(out.getvalue())
    for name in (name for name, form in EXPORTS.items() if form.kind == "folder" and draw):
        with TemporaryDirectory() as folder:
            write_file(name, view, Path(folder, "out"))
    for batch in between(session, -1, session.end_ns):
        assert len(batch.req) == len(batch.t_ns) == len(batch.n)
    for req in range(min(len(session.requests), 3)):
        of_request(session, req, session.end_ns)


def numbers(view: View) -> None:
    """What screens ask of a view apart from drawings."""
    assert view.traffic.sent >= 0
    assert view.health.state
    for name in ("split", "goodput_per_s", "cold_start_s", "probe_reasons", "driver_lag_s"):
        getattr(view, name)
    for metric in ("ttft", "tpot", "itl", "e2el"):
        assert view.recent(metric).n >= 0
        when, values = view.points(metric, -1) if metric != "itl" else (np.empty(0), np.empty(0))
        assert len(when) == len(values)
    for group in view.groups(""):
        for name in view.session.samples[group].names[:40]:
            view.gauge(group, name)
    view.log(5), view.facts(), view.marks()


def draw_panes(view: View, *, full: bool) -> None:
    """Every pane as the screens draw it: in its place, or with the screen to itself."""
    scene = Scene(view, PALETTE, full=full, log_axis=not full)
    for name in PANES:
        for width, height in SIZES[full]:
            pane = pane_class(name)(name)
            assert_harmless(clean(pane.title(scene)))
            check(stack(pane.parts(scene, width, height), width, height, PALETTE), width, height)


def assert_harmless(text: str, *, lines: bool = False) -> None:
    """Nothing in ``text`` steers a terminal, reorders or hides what stands there."""
    found = {c for c in text if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}}
    assert found <= ({"\n"} if lines else set()), sorted(map(ascii, found))
