"""Every key of the live screen does what the help says."""

from __future__ import annotations

import asyncio

import pytest

from tests.doubles.scenes import NS, SCENES, FakeRun, mark_frame, serving
from tests.doubles.synthetic import Frame, Kind
from tests.doubles.terminal import Shown, shown
from tuiapp.tui.panes import PANE_KEYS
from tuiapp.tui.screens.ask import AskScreen
from tuiapp.tui.screens.help import HelpScreen
from tuiapp.tui.screens.live import LiveScreen
from tuiapp.tui.screens.request import RequestScreen


async def later(monitor: Shown, seconds: float) -> None:
    """Time goes on."""
    monitor.run.clock.advance(int(seconds * NS))
    await monitor.draw()


async def test_space_stands_still_and_follows_again() -> None:
    async with shown(serving()) as monitor:
        await monitor.press("space")
        await later(monitor, 5)
        assert "‖ at 01:05" in monitor.text
        assert "end back to now" in monitor.text
        assert "TTFT ms · 60 s to 01:05 over the run · SLO 100" in monitor.text
        await monitor.press("space")
        assert monitor.live.viewport.cursor_ns == 70 * NS
        assert "‖ at" not in monitor.text


MOVES = {
    "left": 59,
    "left left": 53,
    "left left right": 59,
    "left right": 65,
    "shift+left": 5,
    "pageup": 5,
    "pageup pagedown": 65,
    "pageup shift+right": 65,
    "home": 0,
    "home end": 65,
}


async def test_time_moves_by_tenths_of_the_window_and_by_whole_ones() -> None:
    async with shown(serving()) as monitor:
        reached = {}
        for keys in MOVES:
            await monitor.press(*keys.split())
            reached[keys] = monitor.live.viewport.cursor_ns / NS
            await monitor.press("end")
        assert reached == pytest.approx(MOVES, abs=0.25)
        await monitor.press("z", "left")
        assert monitor.live.viewport.cursor_ns / NS == pytest.approx(58.5, abs=0.25)
        await monitor.press("end", "z", "left")
        assert monitor.live.viewport.cursor_ns / NS == pytest.approx(64, abs=0.25)


async def test_z_changes_the_window() -> None:
    async with shown(serving()) as monitor:
        titles = []
        for _ in range(4):
            titles.append(monitor.lines[1][2:60].strip("─╭ "))
            await monitor.press("z")
        assert titles[0] == titles[3]
        assert titles[0].startswith("TTFT ms · last 60 s over the run · SLO 100")
        assert titles[1].startswith("TTFT ms · whole run · SLO 100")
        assert titles[2].startswith("TTFT ms · last 10 s over the run · SLO 100")


async def test_l_changes_the_axis() -> None:
    async with shown(serving()) as monitor:
        logarithmic = monitor.text
        await monitor.press("l")
        linear = monitor.text
        assert logarithmic.splitlines()[11].split()[1:5] == ["10", "20", "50", "100"]
        assert linear.splitlines()[11].split()[1:5] == ["0", "20", "40", "60"]
        await monitor.press("l")
        assert monitor.text == logarithmic


async def test_a_digit_gives_a_pane_the_screen_and_takes_it_back() -> None:
    async with shown(serving(gpus=2)) as monitor:
        before = monitor.text
        for at, (name, digit) in enumerate(PANE_KEYS.items()):
            await monitor.press(digit)
            assert monitor.pane(name).outer_size == (120, 33)
            assert [pane.id for pane in monitor.live.query(".pane") if pane.display] == [name]
            assert "esc back" in monitor.text
            await monitor.press("escape" if at % 2 else digit)
            await monitor.press("1", "1")  # the focus back to where it was
            assert monitor.text == before


async def test_enter_gives_the_focused_pane_the_screen() -> None:
    async with shown(serving()) as monitor:
        await monitor.press("tab", "enter")
        assert monitor.pane("tpot").outer_size == (120, 33)
        await monitor.press("enter")
        assert monitor.pane("tpot").outer_size.width == 60


async def test_enter_on_the_full_heatmap_shows_the_next_metric() -> None:
    async with shown(serving()) as monitor:
        await monitor.press("4")
        heads = []
        for _ in range(4):
            heads.append(monitor.lines[1].split()[1:2])
            await monitor.press("enter")
        assert heads == [["TTFT"], ["TPOT"], ["E2EL"], ["TTFT"]]


async def test_m_records_a_note_and_escape_does_not() -> None:
    async with shown(serving()) as monitor:
        await monitor.press("m", "o", "o", "p", "s", "escape")
        assert monitor.run.noted == []
        await monitor.press("m")
        assert isinstance(monitor.screen, AskScreen)
        await monitor.press("o", "k", "space", "q", "enter")
        assert monitor.run.noted == [("ok q", 65 * NS)]
        assert monitor.lines[-1].strip() == "noted at 01:05"
        assert "⚑" in monitor.text


async def test_a_mark_belongs_to_the_moment_one_looks_at() -> None:
    async with shown(serving()) as monitor:
        await monitor.press("left", "m", "enter")
        [(text, t_ns)] = monitor.run.noted
        assert text == "mark"
        assert t_ns == monitor.live.viewport.cursor_ns < 60 * NS


async def test_plus_and_minus_change_the_rate_by_a_tenth() -> None:
    async with shown(serving()) as monitor:
        await monitor.press("plus", "equals_sign", "minus")
        rates = [values["value"] for op, values in monitor.run.commands if op == "rate"]
        assert rates == pytest.approx([6.6, 7.26, 6.6])


async def test_plus_and_minus_change_the_clients_of_a_closed_loop() -> None:
    closed = {"workload": {"name": "chat", "arrival": "closed", "concurrency": 2}}
    run = serving().fold(Frame(Kind.META, 0, 0, attrs=closed))
    async with shown(run) as monitor:
        await monitor.press("plus", "plus", *["minus"] * 5)
        clients = [values["value"] for op, values in run.commands if op == "concurrency"]
        assert clients == [3, 4, 3, 2, 1, 1, 1]
        assert "2 clients" in monitor.lines[0]


async def test_p_holds_the_load_and_lets_it_go_on() -> None:
    from tests.doubles.scenes import load_paused

    for run, order in ((serving(), "pause"), (load_paused(), "resume")):
        async with shown(run) as monitor:
            await monitor.press("p")
            assert [op for op, _ in run.commands] == [order]


@pytest.mark.parametrize("scene", ["finished", "dead"])
async def test_a_load_that_has_ended_cannot_be_steered(scene: str) -> None:
    run = SCENES[scene]()
    async with shown(run, (120, 35)) as monitor:
        await monitor.press("plus", "minus", "p")
        await monitor.settle()
        assert run.commands == []
        assert "the load has ended" in monitor.text


async def test_s_sorts_by_the_next_column() -> None:
    async with shown(serving(), (140, 45)) as monitor:
        seen = []
        for _ in range(8):
            title = next(line for line in monitor.lines if "Where the time goes" in line)
            seen.append(title.split("by ")[1].split(" ·")[0].strip())
            await monitor.press("s")
        names = ["TTFT", "E2EL", "TPOT", "queue", "prefill", "output tokens", "arrival"]
        assert seen == [*names, "TTFT"]


async def test_arrows_select_a_request_d_shows_it_and_escape_lets_go() -> None:
    async with shown(serving()) as monitor:
        before = monitor.text
        await monitor.press("5", "down", "down", "j", "k", "up", "down")
        requests = monitor.pane("requests")
        assert requests._selected == requests._rows[1].req
        await monitor.press("d")
        assert isinstance(monitor.screen, RequestScreen)
        assert f"Request #{requests._rows[1].req}" in monitor.text
        await monitor.press("escape", "enter")
        assert isinstance(monitor.screen, RequestScreen)
        await monitor.press("enter", "escape", "1", "1")
        assert requests._selected is None
        assert monitor.text == before


async def test_the_selection_can_go_beyond_what_fits() -> None:
    async with shown(serving()) as monitor:
        monitor.pane("requests").focus()
        await monitor.press(*["down"] * 12)
        requests = monitor.pane("requests")
        assert requests._selected == requests._rows[11].req
        assert f"#{requests._selected} " in monitor.text


async def test_capital_l_shows_the_log() -> None:
    async with shown(serving()) as monitor:
        await monitor.press("L")
        assert "GPU KV cache size: 65,536 tokens" in monitor.text


@pytest.mark.parametrize("key", ["question_mark", "f1"])
async def test_help_opens_and_closes(key: str) -> None:
    async with shown(serving()) as monitor:
        await monitor.press(key)
        assert isinstance(monitor.screen, HelpScreen)
        assert "time to first token" in monitor.text
        await monitor.press("escape")
        assert isinstance(monitor.screen, LiveScreen)


def marked() -> FakeRun:
    return serving().fold(mark_frame(20 * NS, "one"), mark_frame(40 * NS, "two"))


async def test_brackets_go_from_mark_to_mark() -> None:
    async with shown(marked()) as monitor:
        cursors = []
        keys = ("left_square_bracket", "left_square_bracket", "left_square_bracket")
        for key in (*keys, "right_square_bracket", "right_square_bracket"):
            await monitor.press(key)
            cursors.append(round(monitor.live.viewport.cursor_ns / NS))
        assert cursors == [40, 20, 20, 40, 40]


async def test_a_mark_can_be_found_in_the_palette() -> None:
    async with shown(marked()) as monitor:
        await monitor.press("slash", *"mark 00:20")
        await monitor.pilot.pause(0.3)
        await monitor.press("enter")
        await monitor.pilot.pause(0.3)
        assert round(monitor.live.viewport.cursor_ns / NS) == 20


async def test_escape_leaves_the_palette_and_keys_work_again() -> None:
    async with shown(serving()) as monitor:
        await monitor.press("slash")
        assert monitor.screen is not monitor.live
        await monitor.press("escape", "z")
        assert monitor.screen is monitor.live
        assert "whole run" in monitor.text


async def test_tab_goes_through_the_panes_that_can_be_seen() -> None:
    async with shown(serving()) as monitor:
        seen = []
        for _ in range(7):
            seen.append(monitor.live.focused.id if monitor.live.focused else "")
            await monitor.press("tab")
        assert seen == ["ttft", "tpot", "heatmap", "requests", "traffic", "host", "ttft"]


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
async def test_q_ends_the_run_and_leaves(key: str) -> None:
    async with shown(serving()) as monitor:
        await monitor.press(key)
        assert monitor.run.finished
        assert not monitor.app.is_running or monitor.app._exit


async def test_what_there_is_to_say_stands_in_the_place_of_the_keys_for_a_while() -> None:
    async with shown(serving()) as monitor:
        await monitor.press("left_square_bracket")
        assert monitor.lines[-1].strip() == "no mark before this moment"
        await monitor.click("#keys", 3, 0)
        assert "q quit" in monitor.lines[-1], "a click brings the keys back"
        monitor.app.notify("gone soon", timeout=0.01)
        await asyncio.sleep(0.1)
        await monitor.settle()
        assert "q quit" in monitor.lines[-1]


@pytest.mark.parametrize("said", ["so long " * 20, "two\nlines"])
async def test_what_has_no_room_there_pops_up(said: str) -> None:
    async with shown(serving()) as monitor:
        monitor.app.notify(said)
        await monitor.settle()
        assert "q quit" in monitor.lines[-1]
        assert [note.message for note in monitor.app._notifications] == [said]
