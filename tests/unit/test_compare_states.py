"""The comparison's screen with what can go wrong: unreadable, empty and hostile recordings."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doubles.comparing import NOISY, QUIET, compared, record
from tests.doubles.drawing import HOSTILE
from tests.doubles.synthetic import Load
from tuiapp.compare.reading import Question
from tuiapp.errors import SessionError
from tuiapp.events import Frame, Kind
from tuiapp.session.writer import SessionWriter
from tuiapp.tui.pairs import TABS


@pytest.mark.parametrize("size", [(80, 24), (120, 35)])
async def test_what_cannot_be_read_is_one_sentence(tmp_path: Path, size: tuple[int, int]) -> None:
    bad = tmp_path / "bad.tuiapp"
    bad.write_text("this is no session at all")
    async with compared(Question(([QUIET], [bad])), size) as shown:
        assert isinstance(shown.screen.failed, SessionError)
        assert "bad.tuiapp" in shown.text.replace("\n", "")
        assert "Traceback" not in shown.text
        await shown.press("space", "left", "a", "z", "2", "enter")
        await shown.press("escape")


@pytest.mark.parametrize(
    "load",
    [
        Load(seed=1, duration_s=0.2, rate=5),
        Load(seed=1, duration_s=10, failed_share=1.0),
    ],
    ids=["one request", "all failed"],
)
async def test_a_run_that_measured_next_to_nothing(tmp_path: Path, load: Load) -> None:
    odd = record(tmp_path / "odd.tuiapp", load)
    for sides in (([odd], [NOISY]), ([QUIET], [odd])):
        async with compared(Question(sides)) as shown:
            for key in map(str, range(1, len(TABS) + 1)):
                await shown.press(key)
            await shown.press("1", "home", "right", "z", "z", "l")
            assert "no verdict" in shown.text


async def test_a_run_without_any_request(tmp_path: Path) -> None:
    writer = SessionWriter(tmp_path / "empty.tuiapp")
    writer.put(Frame(Kind.META, 0, 0, attrs={"model": {"name": "m"}}))
    writer.close()
    async with compared(Question(([QUIET], [writer.path]))) as shown:
        for key in map(str, range(1, len(TABS) + 1)):
            await shown.press(key)
        await shown.press("1", "home", "space", "d", "l", "z")
        assert "no verdict" in shown.text


@pytest.mark.parametrize("text", ["".join(HOSTILE), "".join(HOSTILE[::-1])])
async def test_no_string_of_a_recording_moves_the_cursor(tmp_path: Path, text: str) -> None:
    meta = {
        "model": {"name": text}, "engine": {"version": text}, "note": text, "slo": [text],
        "host": {"hostname": text, "cpu_model": text, "virtualization": text, "kernel": text,
                 "fingerprint": {"machine": text, "hypervisor": text, "gpus": [text]},
                 "machine": {"confidential": text}},
        "workload": {"digest": text, "arrival": text}, "imported": {"program": text},
    }  # fmt: skip
    hostile = record(tmp_path / "a.tuiapp", Load(seed=1, duration_s=6), **meta)
    async with compared(Question(([hostile], [NOISY])), (80, 24)) as shown:
        for key in map(str, range(1, len(TABS) + 1)):
            await shown.press(key)
            assert len(shown.lines) == 24
            assert not {c for c in shown.text if ord(c) < 32 and c != "\n"}
            assert "\x1b" not in shown.text
            assert "\u202e" not in shown.text
