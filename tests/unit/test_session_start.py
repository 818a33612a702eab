"""The engine's cold start, phase by phase."""

from __future__ import annotations

import json
import re

import pytest

from tests.doubles.drawing import PALETTES, check
from tests.doubles.synthetic import NS
from tuiapp.events import ENGINE_EXIT, ENGINE_PHASE, Frame, Kind, facts_frame
from tuiapp.session.columns import Session
from tuiapp.session.start import EAGER, UNTOLD, left_out
from tuiapp.session.view import View
from tuiapp.tui.panes import pane_class
from tuiapp.tui.panes.base import Scene, stack
from tuiapp.tui.renderables.palette import Depth

EAGER_CPU = ("spawn", "import", "config", "import", "weights", "kv_cache", "ready")


def start(phases: tuple[str, ...], *, device: str = "cpu", eager: bool | None = True) -> Session:
    """A start whose phases take a second each."""
    session = Session()
    engine = {"device": device} | ({} if eager is None else {"enforce_eager": eager})
    session.fold(Frame(Kind.META, 0, 0, attrs={"engine": engine}))
    for at, name in enumerate(phases):
        session.fold(facts_frame(at * NS, ENGINE_PHASE, json.dumps({"phase": name})))
    return session


@pytest.mark.parametrize(
    ("phases", "device", "eager", "expected"),
    [
        (EAGER_CPU, "cpu", True, {"compile": EAGER, "warmup": EAGER}),
        (EAGER_CPU, "cuda", True, {"compile": EAGER, "warmup": UNTOLD}),
        (EAGER_CPU, "cpu", False, {"compile": UNTOLD, "warmup": UNTOLD}),
        (EAGER_CPU, "cpu", None, {"compile": UNTOLD, "warmup": UNTOLD}),
        (EAGER_CPU[:3], "cpu", True, {"compile": EAGER, "warmup": EAGER}),
        (EAGER_CPU[:3], "cuda", False, {}),
        (("spawn", "import", "config", "weights", "compile"), "cuda", False, {}),
        ((), "cpu", True, {}),
    ],
)
def test_a_phase_without_a_time_says_why(
    phases: tuple[str, ...], device: str, eager: bool | None, expected: dict[str, str]
) -> None:
    assert left_out(start(phases, device=device, eager=eager), 60 * NS) == expected


def lines(session: Session) -> list[str]:
    scene = Scene(View(session, 6 * NS), PALETTES[Depth.TRUE])
    parts = pane_class("start")("start").parts(scene, 60, 12)
    drawn = check(stack(parts, 60, 12, scene.palette), 60, 12)
    return [" ".join(line.split()) for line in drawn if line.strip()]


def labels(session: Session) -> list[str]:
    return [re.sub(r" [▏▎▍▌▋▊▉█].*", "", line) for line in lines(session)]


def test_the_waterfall_has_every_phase_in_its_place() -> None:
    assert labels(start(EAGER_CPU)) == [
        "✓ spawn",
        "✓ import",
        "✓ config",
        "✓ core import",
        "✓ weights",
        "– compile none: eager mode",
        "✓ KV cache",
        "– warm-up none: eager mode",
        "ready 6.0 s",
    ]
    begun = labels(start(EAGER_CPU[:3], device="cuda", eager=False))
    assert begun[3:] == ["· weights", "· compile", "· KV cache", "· warm-up", "so far 6.0 s"]


def test_a_failed_start_lists_nothing_that_would_have_come() -> None:
    session = start(EAGER_CPU[:5])
    gone = {"code": 1, "reason": "no memory", "advice": "", "expected": False}
    session.fold(facts_frame(5 * NS, ENGINE_EXIT, json.dumps(gone)))
    assert labels(session)[3:] == ["✓ core import", "✗ weights", "failed 5.0 s", "no memory"]
