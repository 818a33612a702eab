"""The replay's screen: live's own panes at any moment, and the transport bar."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from textual.command import CommandPalette
from textual.pilot import Pilot

from tests.doubles.scenes import NEVER_FPS, FakeRun, screen_lines
from tests.doubles.synthetic import NS, Load, frames
from tests.doubles.terminal import shown
from tuiapp.clock import FakeClock, ReplayClock
from tuiapp.events import Frame, Kind, mark_frame
from tuiapp.exports import EXPORTS
from tuiapp.exports.summary import summary
from tuiapp.player import Player
from tuiapp.session.columns import TICK_NS
from tuiapp.session.cut import cut
from tuiapp.session.moments import MOMENTS
from tuiapp.session.reader import load
from tuiapp.session.samples import samples
from tuiapp.session.view import View
from tuiapp.session.writer import SessionWriter
from tuiapp.tui.panes import PANES
from tuiapp.tui.panes.base import Pane
from tuiapp.tui.panes.keys import KeysBar
from tuiapp.tui.panes.transport import TransportBar
from tuiapp.tui.replay_app import ReplayApp
from tuiapp.tui.screens.ask import AskScreen
from tuiapp.tui.screens.replay import ReplayScreen

LOAD = Load(seed=12, duration_s=90.0, failed_share=0.03, stall=(40.0, 42.0))


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    writer = SessionWriter(tmp_path_factory.mktemp("replay") / "run.tuiapp")
    for frame in (*frames(LOAD), mark_frame(20 * NS, "first"), mark_frame(60 * NS, "second")):
        writer.put(frame)
    writer.close()
    return writer.path


@dataclass
class Replay:
    """A replay whose real time only goes on when told to."""

    app: ReplayApp
    player: Player
    pilot: Pilot[None]
    real_ns: list[int]

    @property
    def screen(self) -> ReplayScreen:
        return next(screen for screen in self.app.screen_stack if isinstance(screen, ReplayScreen))

    @property
    def lines(self) -> list[str]:
        return screen_lines(self.app)

    @property
    def at_s(self) -> float:
        return (self.screen.viewport.cursor_ns + 1) / NS

    @property
    def said(self) -> str:
        """What was said last: in the place of the keys or, too long for them, above them."""
        popped_up = [notification.message for notification in self.app._notifications]
        return self.screen.query_one(KeysBar).said or popped_up[-1]

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()
        await self.pilot.pause()

    async def wait_s(self, seconds: float) -> None:
        self.real_ns[0] += round(seconds * NS)
        self.screen.redraw(force=True)
        await self.pilot.pause()
        await self.pilot.pause()


@asynccontextmanager
async def replay(path: Path, size: tuple[int, int] = (120, 35)) -> AsyncIterator[Replay]:
    player, real_ns = Player(path), [0]
    player.clock = ReplayClock(lambda: player.end_ns, 5 * NS - 1, lambda: real_ns[0])
    app = ReplayApp(player, fps=NEVER_FPS)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        found = Replay(app, player, pilot, real_ns)
        await found.wait_s(0)
        yield found
    player.close()


def drawn(app: object) -> dict[str, list[str]]:
    """The text of every pane that has a place on the screen."""
    panes = app.screen.query(Pane)  # type: ignore[attr-defined]
    return {str(pane.id): [strip.text for strip in pane._lines] for pane in panes if pane.display}


@pytest.mark.parametrize("at_s", [12.5, 50.0, 94.5])
async def test_a_pane_shows_what_it_showed_live(recorded: Path, at_s: float) -> None:
    """Live: everything until then and nothing later. Replay: all of it, the cursor there."""
    cursor = int(at_s * NS) - 1
    live = FakeRun(load(recorded), FakeClock(cursor))
    live.session = type(live.session)()
    live.fold(*(frame for frame in frames(LOAD) if frame.t1_ns <= cursor))
    live.fold(*(mark_frame(t * NS, "x") for t in (20, 60) if t * NS <= cursor))
    async with shown(live, (120, 38)) as monitor, replay(recorded, (120, 41)) as again:
        again.screen.viewport.jump(cursor)
        again.screen.redraw(force=True)
        await monitor.draw()
        assert again.screen.viewport.cursor_ns == cursor
        seen, expected = drawn(again.app), drawn(monitor.app)
        assert seen.keys() == expected.keys()
        assert len(seen) >= 6
        for name in PANES:
            assert seen.get(name) == expected.get(name), name


async def test_what_a_file_lost_is_told_where_it_is_missing(tmp_path: Path) -> None:
    """And nowhere else; an engine of which nothing was recorded is not called silent."""
    writer = SessionWriter(tmp_path / "run.tuiapp")
    for frame in frames(LOAD):
        if not 30 * NS <= frame.t1_ns < 50 * NS:
            writer.put(frame)
    lost = {"frames": 80, "reason": "No space left on device"}
    writer.put(Frame(Kind.GAP, 30 * NS, 50 * NS, attrs=lost))
    writer.close()
    async with replay(writer.path) as again:
        again.screen.viewport.window_ns = 10 * NS
        for at_s, told in ((25, False), (45, True), (55, True), (70, False)):
            again.screen.viewport.jump(at_s * NS)
            again.screen.redraw(force=True)
            await again.pilot.pause()
            text = "\n".join(again.lines)
            sentence = "Something is missing from 00:30 to 00:50: No space left on device."
            assert (sentence in text) == told, at_s
            assert "silent" not in text


async def test_it_plays_stands_and_changes_speed(recorded: Path) -> None:
    async with replay(recorded) as again:
        assert "‖ 1×" in again.lines[-4]
        await again.press("space")
        await again.wait_s(10)
        assert again.at_s == 15.0
        assert "▶ 1×     00:15 / 01:3" in again.lines[-4]
        await again.press("greater_than_sign", "plus")
        await again.wait_s(5)
        assert again.at_s == 35.0
        assert "▶ 4×" in again.lines[-4]
        await again.press("space")
        await again.wait_s(5)
        assert again.at_s == 35.0
        await again.press(*["less_than_sign"] * 9)
        assert "‖ 0.25×" in again.lines[-4]


async def test_keys_move_like_live(recorded: Path) -> None:
    async with replay(recorded) as again:
        await again.press("end")
        assert again.screen.viewport.cursor_ns == again.player.end_ns
        await again.press("left", "left")
        moved = again.player.end_ns - again.screen.viewport.cursor_ns
        assert 11.5 * NS < moved <= 12.25 * NS
        await again.press("home")
        assert again.screen.viewport.cursor_ns == 0
        await again.press("g", *"50%", "enter", "z")
        assert f"run to 00:{again.at_s:02.0f}" in "\n".join(again.lines)


async def test_g_goes_to_a_moment_or_says_what_it_wants(recorded: Path) -> None:
    async with replay(recorded) as again:
        await again.press("g", *"soon", "enter")
        assert isinstance(again.app.screen, AskScreen)
        assert "'soon' is no moment. Write 1:30" in "\n".join(again.lines)
        await again.press(*["backspace"] * 4, *"1:10", "enter")
        assert again.at_s == 70.0
        await again.press("g", "escape")
        assert again.at_s == 70.0


async def test_steps_go_to_marks_errors_and_outliers(recorded: Path) -> None:
    async with replay(recorded) as again:
        await again.press("right_square_bracket")
        assert again.at_s == 20.25
        assert again.said == "mark 1 of 2, 0:20.0: first"
        await again.press("right_square_bracket")
        assert again.at_s == 60.25
        await again.press("left_square_bracket")
        assert again.at_s == 20.25
        await again.press("u")
        found = MOMENTS["outlier"].times(View(again.player.session, again.player.end_ns))
        first = int(found[found > 20.25 * NS][0])
        assert 0 <= again.at_s * NS - first <= TICK_NS
        what = r"outlier \d+ of \d+, 0:\d\d\.\d: T(TFT|POT) ([\d.]+ m?s|∞), the median is"
        assert re.match(what, again.said)
        before = again.screen.viewport.view().traffic.failed
        await again.press("e")
        assert again.screen.viewport.view().traffic.failed > before
        await again.press("t")
        assert again.said == "no GPU throttle after this moment"


async def test_moments_of_one_tick_are_stepped_through_one_by_one(
    recorded: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.tuiapp"
    copy.write_bytes(recorded.read_bytes())
    player = Player(copy)
    for at_s in (30.01, 30.05, 30.1):
        player.mark(f"at {at_s}", round(at_s * NS))
    player.close()
    async with replay(copy) as again:
        said = []
        for key in ["right_square_bracket"] * 5 + ["left_square_bracket"] * 3:
            await again.press(key)
            said.append(again.said.split(",")[0])
        forth = [f"mark {at} of 5" for at in range(1, 6)]
        assert said == [*forth, *reversed(forth[1:4])]
        assert again.said == "mark 2 of 5, 0:30.0: at 30.01"


async def test_home_goes_to_where_a_part_begins(recorded: Path, tmp_path: Path) -> None:
    part = tmp_path / "part.tuiapp"
    cut(recorded, 30 * NS, 50 * NS, part)
    async with replay(part) as again:
        await again.press("end", "home")
        assert 30 <= again.at_s <= 30.25
        assert "starting" not in "\n".join(again.lines)


async def test_a_sample_is_not_changed_by_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    sample = samples()[0].path
    monkeypatch.chdir(sample.parent.parent)
    sample = sample.relative_to(Path.cwd())  # however it was named
    before = sample.read_bytes()
    async with replay(sample) as again:
        await again.press("m", *"mine", "enter")
        assert "comes with tuiapp and is not changed" in again.said
    assert sample.read_bytes() == before


async def test_a_slash_can_be_written_into_a_note(recorded: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.tuiapp"
    copy.write_bytes(recorded.read_bytes())
    async with replay(copy) as again:
        await again.press("m", *"a", "slash", *"b q", "enter")
        await again.press("slash")
        assert isinstance(again.app.screen, CommandPalette)
    assert "a/b q" in [mark.text for mark in load(copy).marks]


async def test_r_loops(recorded: Path) -> None:
    async with replay(recorded) as again:
        await again.press("g", *"30s", "enter", "r", "g", *"34s", "enter", "r")
        assert "▶ 1×↻" in again.lines[-4]
        assert "loop from 00:30 to 00:34; r ends it" in "\n".join(again.lines)
        await again.wait_s(9)
        assert again.at_s == 31.0
        await again.press("r")
        await again.wait_s(9)
        assert again.at_s == 40.0


async def test_a_seek_out_of_the_loop_ends_it_and_says_so(recorded: Path) -> None:
    async with replay(recorded) as again:
        await again.press("g", *"30s", "enter", "r", "g", *"34s", "enter", "r")
        await again.press("g", *"32s", "enter")
        assert "↻" in again.lines[-4]
        await again.press("g", *"10s", "enter")
        assert "↻" not in again.lines[-4]
        assert "outside it" in "\n".join(again.lines)


async def test_the_strip_shows_the_session_and_seeks_by_mouse(recorded: Path) -> None:
    async with replay(recorded) as again:
        bar = again.screen.query_one(TransportBar)
        strip = again.lines[-2][24:]
        assert strip.count("⚑") == 2
        assert "✗" in strip
        left, top = bar.content_region.offset
        width = bar.content_size.width
        await again.pilot.click(offset=(left + 23 + (width - 23) // 2, top + 1))
        await again.pilot.pause()
        assert again.at_s == pytest.approx(again.player.end_ns / NS / 2, rel=0.03)


async def test_m_notes_in_the_file(recorded: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.tuiapp"
    copy.write_bytes(recorded.read_bytes())
    async with replay(copy) as again:
        await again.press("g", *"33s", "enter", "m", *"third", "enter")
    assert [mark.text for mark in load(copy).marks] == ["first", "third", "second"]


async def test_a_file_that_cannot_be_changed_says_so(recorded: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.tuiapp"
    copy.write_bytes(recorded.read_bytes())
    async with replay(copy) as again:
        copy.unlink()
        await again.press("m", *"lost", "enter")
        assert again.said.startswith("Cannot write to")


async def test_at_80x24_the_strip_has_p99_and_throughput(recorded: Path) -> None:
    async with replay(recorded, (80, 24)) as again:
        await again.press("g", *"50s", "enter")
        assert again.lines[-3].startswith(" ‖ 1×     00:50 / 01:3")
        assert again.lines[-2].startswith("    ▀ p99 TTFT  ▄ tok/s")
        assert all(set(line[24:]) & set("▁▂▃▄▅▆▇█") for line in again.lines[-3:-1])
        assert "TTFT ms" in again.lines[1]
        assert all(len(line) == 80 for line in again.lines)


async def test_the_help_has_the_replay_keys(recorded: Path) -> None:
    async with replay(recorded, (120, 200)) as again:
        await again.press("question_mark")
        text = "\n".join(again.lines)
        for words in ("go to a moment", "faster", "to the next outlier", "loop: from here"):
            assert words in text
        assert "more load" not in text


async def test_x_exports_the_moment(
    recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with replay(recorded) as again:
        await again.press("g", *"50s", "enter", "x")
        await again.press(*["down"] * list(EXPORTS).index("json"), "enter")
        await again.app.workers.wait_for_complete()
        sent = again.screen.viewport.view().traffic.sent
    written = json.loads((tmp_path / f"{recorded.stem}.json").read_text())
    assert written["requests"]["sent"] == sent
    assert written == summary(View(load(recorded), 50 * NS - 1))
