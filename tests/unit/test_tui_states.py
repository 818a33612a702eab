"""What the screen says of each state of a run, and that nothing dead looks alive."""

from __future__ import annotations

import re

import pytest

from tests.doubles import gpu_scenes
from tests.doubles.drawing import HOSTILE
from tests.doubles.scenes import (
    NS,
    SCENES,
    FakeRun,
    client_limited,
    dead,
    disk_full,
    fact,
    failed_start,
    finished,
    load_paused,
    meta,
    serving,
    stalled,
    starting,
    unavailable,
)
from tests.doubles.terminal import Shown, shown
from tuiapp.events import CLIENT_LIMITED, LOAD_STATE, Frame, Kind, log_frame, mark_frame
from tuiapp.exports.summary import summary
from tuiapp.session.view import View
from tuiapp.tui.panes.base import Pane
from tuiapp.tui.renderables.palette import Ink


def inks(monitor: Shown, name: str) -> set[object]:
    """Colours of everything but blanks in a pane."""
    return {
        segment.style.color
        for strip in monitor.pane(name)._lines
        for segment in strip
        if segment.style and segment.text.strip()
    }


def colour(monitor: Shown, ink: Ink) -> object:
    return monitor.app.palette.styles[ink].color


def pane_text(monitor: Shown, name: str) -> str:
    return "\n".join(strip.text for strip in monitor.pane(name)._lines)


async def test_a_dead_engine_is_unmistakable_and_nothing_of_it_looks_alive() -> None:
    async with shown(dead()) as monitor:
        head, banner = monitor.lines[:2]
        assert head.startswith(" ✗ dead for 00:34")
        assert "Engine dead for 00:34: The kernel killed the engine: memory ran out." in banner
        assert "Use a smaller model" in banner
        traffic = pane_text(monitor, "traffic")
        assert re.search(r"out +— tok/s +in +— tok/s", traffic)
        assert re.search(r"run +— +wait +— +KV +— %", traffic)
        assert re.search(r"good +— /s failed +2 hit +— %", traffic)
        assert "Throughput · nothing since 00:55" in monitor.text
        assert "Host · as of 00:55" in monitor.text
        assert inks(monitor, "host") == {colour(monitor, Ink.DIM)}
        assert colour(monitor, Ink.WINDOW) not in inks(monitor, "traffic")
        assert "60 s to 00:55 over the run" in monitor.text


async def test_processes_that_are_gone_use_nothing() -> None:
    run = serving()
    at = int(65.2 * NS)
    gauges = {"t_ns": [at], "cpu_cores": [0.79], "rss_bytes": [0.0], "procs": [0.0]}
    run.fold(Frame(Kind.SAMPLES, at, at, gauges, {"group": "process"}))
    run.clock.advance(NS)
    async with shown(run, (140, 45)) as monitor:
        await monitor.draw()
        assert re.search(r"engine +— cores +rss +—", pane_text(monitor, "host"))


async def test_the_age_of_death_goes_on() -> None:
    async with shown(dead()) as monitor:
        monitor.run.clock.advance(60 * NS)
        await monitor.draw()
        assert monitor.lines[0].startswith(" ✗ dead for 01:34")


async def test_dead_gpus_are_faded_too() -> None:
    run = dead()
    alive = serving(gpus=2)
    run.session.samples = alive.session.samples
    async with shown(run.fold(meta(2))) as monitor:
        assert inks(monitor, "gpu") == {colour(monitor, Ink.DIM)}
        assert "GPU · as of 00:55" in monitor.text


async def test_looking_back_before_death_shows_life_and_says_what_became_of_it() -> None:
    async with shown(dead()) as monitor:
        await monitor.press("left", "left")
        assert monitor.lines[0].startswith(" ● serving")
        assert "now dead" in monitor.lines[0]
        assert re.search(r"out +\d+\.\d tok/s", pane_text(monitor, "traffic"))
        assert colour(monitor, Ink.STRONG) in inks(monitor, "host")


async def test_a_silent_engine_shows_who_waits_and_no_rate() -> None:
    async with shown(stalled()) as monitor:
        assert monitor.lines[0].startswith(" ! silent for 00:08")
        assert "43 requests in flight and no token delivered." in monitor.text
        traffic = pane_text(monitor, "traffic")
        assert re.search(r"out +— tok/s +in +— tok/s", traffic)
        assert re.search(r"run +— +wait +—", traffic)
        assert re.search(r"oldest +7,914 ms", traffic)
        assert "╱" in pane_text(monitor, "heatmap"), "what nobody measured is hatched"
        assert colour(monitor, Ink.STRONG) in inks(monitor, "host"), "the host is alive"


async def test_a_finished_run_shows_its_means() -> None:
    async with shown(finished()) as monitor:
        assert monitor.lines[0].startswith(" ■ done after 01:0")
        assert "Throughput · mean of the run" in monitor.text
        out = re.search(r"out +([\d.]+) tok/s", pane_text(monitor, "traffic"))
        view = monitor.live.viewport.view()
        assert view.measured is not None
        assert out is not None
        tokens = view.tokens(view.measured.start_ns - 1, view.measured.end_ns)
        assert float(out[1]) == pytest.approx(tokens / view.measured.seconds, rel=0.02)
        assert re.search(r"run +— +wait +—", pane_text(monitor, "traffic"))


@pytest.mark.parametrize("size", [(80, 24), (120, 35)])
async def test_a_failed_start_says_why_and_what_to_do(size: tuple[int, int]) -> None:
    async with shown(failed_start(), size) as monitor:
        words = " ".join(monitor.text.replace("│", " ").split())
        assert "Cold start failed" in words
        assert "ValueError: No available memory for the cache blocks." in words
        assert "use a smaller or quantized model, or free memory." in words
        assert words.count("Lower --gpu-memory-utilization") == 1, "once is enough"
        assert not monitor.live.query_one("#notice").display


async def test_the_cold_start_grows() -> None:
    async with shown(starting()) as monitor:
        assert re.search(r"⠙ weights .* 0\.3 s", monitor.text)
        monitor.run.clock.advance(2 * NS)
        await monitor.draw()
        assert re.search(r"⠙ weights .* 2\.3 s", monitor.text)


async def test_banners_come_and_go_and_the_panes_make_room() -> None:
    run = disk_full()
    async with shown(run) as monitor:
        height = monitor.pane("ttft").outer_size.height
        assert "Not recording: No space left on device." in monitor.text
        assert "NOT RECORDING" in monitor.lines[0]
        run.recording.failing = ""
        monitor.live.redraw()
        await monitor.settle()
        assert "Not recording" not in monitor.text
        assert monitor.pane("ttft").outer_size.height >= height
        assert "1.2 MB" in monitor.lines[0]


async def test_two_banners_share_the_room() -> None:
    run = client_limited()
    run.recording.failing = "No space left on device"
    async with shown(run, (80, 24)) as monitor:
        assert monitor.lines[1].startswith(" Not recording: No space left on device.")
        assert monitor.lines[3].startswith(" Client-limited")


async def test_what_to_do_about_a_dead_engine_is_not_cut_by_what_does_not_matter_any_more() -> None:
    run = dead()
    late = {"limited": True, "loop_lag_p99_s": 0.061, "schedule_lag_p99_s": 0.12}
    run.fold(fact(54, CLIENT_LIMITED, late))
    async with shown(run, (80, 24)) as monitor:
        banner = " ".join("".join(monitor.lines[1:4]).split())
        assert "memory ran out." in banner
        assert "Use a smaller model" in banner
        assert "Client-limited" not in monitor.text


async def test_the_gravest_banner_has_the_rows_that_are_left() -> None:
    run = dead()
    run.recording.failing = "No space left on device"
    async with shown(run, (80, 24)) as monitor:
        assert "Use a smaller model" in " ".join("".join(monitor.lines[1:3]).split())
        assert monitor.lines[3].startswith(" Not recording")


async def test_a_paused_load_is_not_a_paused_view() -> None:
    async with shown(load_paused()) as monitor:
        assert monitor.lines[0].startswith(" ‖ load paused")


async def test_a_new_rate_does_not_restart_the_clock_of_the_state() -> None:
    run = serving().fold(fact(60, LOAD_STATE, {"state": "running", "rate": 6.6}))
    async with shown(run) as monitor:
        assert monitor.lines[0].startswith(" ● serving 01:05")


async def test_gauges_say_why_they_are_unknown_one_key_away() -> None:
    run = serving(gpus=2).fold(unavailable("gpu1.power_w", "not supported"))
    run.fold(unavailable("host.os", "/etc/os-release: no such file or directory"))
    run.session.samples["gpu1"]["power_w"][:] = float("nan")
    async with shown(run) as monitor:
        assert re.search(r"mem +75 % +— W", pane_text(monitor, "gpu"))
        await monitor.press("8")
        assert "gpu1.power_w unknown: not supported" in monitor.text
        await monitor.press("7")
        assert "host.os unknown: /etc/os-release: no such file or directory" in monitor.text


async def test_without_nvml_one_line_says_so_and_the_host_gets_the_space() -> None:
    async with shown(serving()) as monitor:
        assert "GPU none: libnvidia-ml.so.1 not found" in monitor.text
        assert not monitor.pane("gpu").display
        assert monitor.pane("host").outer_size.width == 80


async def test_eight_gpus_are_all_there() -> None:
    async with shown(serving(gpus=8)) as monitor:
        cells = re.findall(r"(\d) [▁▂▃▄▅▆▇█ ]+ +\d+ % +61°", pane_text(monitor, "gpu"))
        assert sorted(cells) == [str(index) for index in range(8)]
        assert "not throttled" in pane_text(monitor, "gpu")
        await monitor.press("8")
        for index in range(8):
            assert re.search(rf"gpu{index} .*61 .*not throttled", monitor.text)


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (80, 40), (120, 24), (120, 35)])
async def test_gpus_are_on_the_screen_at_every_size(size: tuple[int, int]) -> None:
    async with shown(serving(gpus=2), size) as monitor:
        assert re.search(r"GPU +\d+ %|gpu1 █", monitor.text)


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 24)])
async def test_goodput_and_errors_are_on_the_smallest_screens(size: tuple[int, int]) -> None:
    async with shown(serving(), size) as monitor:
        assert re.search(r"good +[\d.]+ /s +failed +0", monitor.text)


async def test_a_silent_driver_is_not_shown_as_alive() -> None:
    async with shown(gpu_scenes.silent(1)) as monitor:
        assert "NVML has not answered for 12.0 s" in pane_text(monitor, "gpu")
        assert "79 %" in pane_text(monitor, "gpu"), "what it was last stays"
        dim = {str(s.style) for s in monitor.pane("gpu").render_line(1) if "79" in s.text}
        assert dim == {str(monitor.app.palette.styles[Ink.DIM])}


async def test_a_lost_gpu_is_said_since_when_and_the_others_go_on() -> None:
    async with shown(gpu_scenes.lost()) as monitor:
        assert "5 lost" in pane_text(monitor, "gpu")
        assert re.search(r"4 [▁▂▃▄▅▆▇█]+ +79 %", pane_text(monitor, "gpu"))
        await monitor.press("8")
        assert "lost at 00:58: fallen off the bus" in monitor.text


async def test_a_neighbour_is_named_and_an_engine_that_idles_is_not_blamed() -> None:
    async with shown(gpu_scenes.shared()) as monitor:
        assert "others have 12.3 GiB, 31 % busy" in pane_text(monitor, "gpu")
    run = serving(60.0, gpus=1)
    async with shown(run) as monitor:
        assert "while the engine idles" not in pane_text(monitor, "gpu")
    run.session.requests["t_end_ns"][:] = run.clock.now_ns() - 4 * NS
    async with shown(run) as monitor:
        assert "busy while the engine idles" in pane_text(monitor, "gpu")


async def test_throttling_and_slices_are_said() -> None:
    run = serving(gpus=2)
    run.session.samples["gpu0"]["throttle_reasons"][:] = float(0x4 | 0x40)
    slices = {"enabled": True, "pending": True, "instances": [{}, {}]}
    gpus = [{"index": 0, "name": "NVIDIA H100"}, {"index": 1, "name": "NVIDIA H100", "mig": slices}]
    run.fold(meta(2, host={"gpus": gpus}))
    async with shown(run) as monitor:
        assert "hw thermal, power cap" in pane_text(monitor, "gpu")
        await monitor.press("8")
        assert "MIG, 2 slices" in monitor.text
        await monitor.resize(80, 24)
        await monitor.press("escape")
        assert "gpu0: hw thermal" in pane_text(monitor, "host"), "the worst of all, in the one line"


def hostile(text: str) -> FakeRun:
    """A run in which every name and sentence from outside is ``text``."""
    run = serving(gpus=1).fold(
        meta(1, model={"name": text}, engine={"name": text, "version": text}),
        meta(1, host={"hostname": text, "cpu_model": text, "os": text}, workload={"name": text}),
        meta(1, host={"gpus": [{"index": 0, "name": text}]}),
        log_frame(NS, text, text, text),
        mark_frame(30 * NS, text),
        unavailable("gpu0.power_w", text),
        fact(55, "engine.exit", {"expected": False, "reason": text, "advice": text}),
    )
    run.recording.failing = text
    return run


@pytest.mark.parametrize("text", ["".join(HOSTILE), "[/]", "[red", "\\[x] $x[@click=app.quit]y"])
async def test_hostile_names_are_harmless_everywhere(text: str) -> None:
    async with shown(hostile(text)) as monitor:
        for key in (None, "4", "7", "8", "0", "question_mark", "escape", "m", "escape", "slash"):
            if key is not None:
                await monitor.press(key)
            shown_text = monitor.text
            assert not set(shown_text) & set("\x1b\x07\x08\x9b\u202e\u2066\u200f\x00\r\t")
            assert monitor.app.is_running
            if key == "slash":
                await monitor.press(*"mark")
                await monitor.pilot.pause(0.3)
                assert monitor.app.is_running
        assert "[bold]" not in text or "[bold]" in shown_text


async def test_long_names_are_cut_and_push_nothing_off_the_line() -> None:
    long = {"hostname": "h" * 200, "cpu_model": "c" * 200, "os": "o" * 200}
    run = serving().fold(meta(model={"name": "/models/" + "m" * 200}, host=long))
    async with shown(run, (80, 24)) as monitor:
        assert monitor.lines[0].startswith(" ● serving 01:05  " + "m" * 31 + "…")
        assert "1.2 MB" in monitor.lines[0]
        assert any("Host · cccc" in line and "…" in line for line in monitor.lines)
        assert [len(line) for line in monitor.lines] == [80] * 24


@pytest.mark.parametrize("scene", SCENES)
async def test_no_pane_is_empty_without_saying_why(scene: str) -> None:
    async with shown(SCENES[scene]()) as monitor:
        for pane in monitor.live.query(Pane):
            if pane.display:
                assert pane_text(monitor, pane.id or "").strip(), pane.id


async def test_a_missed_objective_is_red() -> None:
    async with shown(serving(ttft_s=0.06)) as monitor:
        line = monitor.pane("ttft")._lines[-1]
        red = [s.text.strip() for s in line if s.style and s.style.color == _bad(monitor)]
        assert float(red[0]) > 100
        tpot = monitor.pane("tpot")._lines[-1]
        assert not [s for s in tpot if s.style and s.style.color == _bad(monitor)]


def _bad(monitor: Shown) -> object:
    return colour(monitor, Ink.BAD)


async def test_a_finished_run_has_the_results_own_rates_and_counts_all_its_requests() -> None:
    run = finished()
    view = View(run.session, run.session.end_ns)
    result = summary(view)
    async with shown(run, size=(200, 60)) as monitor:
        text = pane_text(monitor, "traffic")
        assert f"out {result['output_tokens_per_s']:.1f} tok/s" in text
        sent, done = (int(re.search(rf"{word} +(\d+)", text)[1]) for word in ("sent", "done"))  # type: ignore[index]
        assert sent == done == result["requests"]["sent"]
        assert "rate" not in monitor.lines[-1]
        assert "hold load" not in monitor.lines[-1]


async def test_the_load_is_told_where_the_status_line_has_no_room_for_it() -> None:
    run = serving()
    run.session.meta["host"]["virtualization"] = "VM · Firecracker, a long badge"
    run.session.meta["model"]["name"] = "a-model-with-a-name-of-40-characters-here"
    async with shown(run, size=(80, 24)) as monitor:
        assert "req/s" not in monitor.lines[0]
        assert "Throughput · last 10 s · chat 6.0 req/s" in monitor.text


async def test_an_offer_of_the_pane_stands_there_once() -> None:
    async with shown(serving(), size=(200, 60)) as monitor:
        monitor.live.action_full_pane("host")
        await monitor.draw()
        assert monitor.lines[-1].count("why slow") == 1


async def test_the_column_that_sorts_is_always_shown() -> None:
    async with shown(serving(), size=(80, 24)) as monitor:
        await monitor.press("5", "s")
        title, head = monitor.text, pane_text(monitor, "requests")
        assert "by E2EL" in title
        assert "▼E2EL" in head


@pytest.mark.parametrize(("now_s", "wait_s"), [(61.2, 0.3), (61.5, 0.0), (61.9, 0.6)])
async def test_redraws_once_a_second_stand_between_the_seconds_of_the_clock(
    now_s: float, wait_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shown(serving(), fps=1.0) as monitor:
        waits: list[float] = []
        monkeypatch.setattr(monitor.run.clock, "now_ns", lambda: int(now_s * NS))
        monkeypatch.setattr(monitor.live, "set_timer", lambda delay, _: waits.append(delay))
        monitor.live.begin()
        assert waits == [pytest.approx(wait_s, abs=1e-6)]
