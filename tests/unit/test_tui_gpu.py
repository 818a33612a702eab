"""What GPU panes say of GPUs that are lost, degraded, or may not be read."""

from __future__ import annotations

import pytest

from tests.doubles.drawing import PALETTES, check
from tests.doubles.gpu_scenes import last, lost, silent, watched
from tests.doubles.scenes import FakeRun, serving, unavailable
from tuiapp.session.view import View
from tuiapp.tui.panes import pane_class
from tuiapp.tui.panes.base import Scene, stack
from tuiapp.tui.panes.devices import devices, memory_words
from tuiapp.tui.panes.devices import unknown as reasons_of
from tuiapp.tui.panes.lines import wrap_each
from tuiapp.tui.renderables.palette import Depth

REFUSED = "not permitted by the driver"


def view_of(run: FakeRun) -> View:
    return View(run.session, run.clock.now_ns(), None)


def drawn(run: FakeRun, pane: str, width: int, height: int, *, full: bool = False) -> str:
    scene = Scene(view_of(run), PALETTES[Depth.TRUE], full=full)
    parts = pane_class(pane)(pane).parts(scene, width, height)
    return "\n".join(check(stack(parts, width, height, scene.palette), width, height))


def refused(gpus: int, *gauges: str) -> FakeRun:
    run = watched(gpus)
    return run.fold(
        *(unavailable(f"gpu{at}.{gauge}", REFUSED) for at in range(gpus) for gauge in gauges)
    )


@pytest.mark.parametrize(
    ("gpus", "gauges", "told"),
    [
        (1, ["power_w"], f"gpu0.power_w unknown: {REFUSED}"),
        (2, ["power_w", "temp_c"], f"gpu0, gpu1: power_w, temp_c unknown: {REFUSED}"),
        (4, ["power_w"], f"4 GPUs: power_w unknown: {REFUSED}"),
    ],
)
def test_what_is_alike_is_told_once(gpus: int, gauges: list[str], told: str) -> None:
    assert reasons_of(view_of(refused(gpus, *gauges))) == [told]


@pytest.mark.parametrize(
    ("rows", "shown"),
    [
        (4, ["a", "b", "c", "d"]),
        (3, ["a", "b", "2 more"]),
        (1, ["4 more"]),
        (0, []),
    ],
)
def test_what_is_cut_is_counted(rows: int, shown: list[str]) -> None:
    assert wrap_each(["a", "b", "c", "d"], 20, rows, "{} more") == shown


def test_reasons_without_room_are_said_in_a_small_terminal() -> None:
    run = refused(8, "power_w")
    run.fold(*(unavailable(f"gpu{at}.fan", f"odd reason {at}") for at in range(5)))
    assert "more reasons for unknown values" in drawn(run, "gpu", 78, 22, full=True)
    assert REFUSED in drawn(run, "gpu", 118, 33, full=True)


def test_a_lost_gpu_is_not_called_held() -> None:
    told = drawn(lost(), "gpu", 45, 6)
    assert "1 lost: gpu5" in told
    assert "held" not in told


def test_a_silent_gpu_is_not_called_held() -> None:
    told = drawn(silent(), "gpu", 45, 7)
    assert "8 without an answer" in told
    assert "held" not in told


def test_a_degraded_link_tells_the_best_one() -> None:
    run = watched(2)
    best = {"pcie_width": 16.0, "pcie_gen_max": 5.0, "pcie_width_max": 16.0}
    run.fold(last(run, 0, **best, pcie_gen=5.0), last(run, 1, **best, pcie_gen=3.0))
    told = drawn(run, "gpu", 118, 33, full=True)
    assert told.count("3 × 16 of 5 × 16") == 1
    assert told.count("of 5 × 16") == 1


@pytest.mark.parametrize(("mib", "words"), [(100, "0.10 of 79.6 GiB"), (61440, "60.0 of 79.6 GiB")])
def test_memory_fits_its_column(mib: int, words: str) -> None:
    run = watched(1)
    run.fold(last(run, 0, mem_used_bytes=mib * 2.0**20, mem_total_bytes=79.6 * 2**30))
    assert memory_words(devices(view_of(run))[0]) == words
    assert len(words) <= 16


@pytest.mark.parametrize("width", [44, 78])
def test_that_nvml_is_refused_is_said_in_the_overview(width: int) -> None:
    run = serving().fold(unavailable("nvml", f"NVML does not start: {REFUSED}"))
    assert f"none: NVML: {REFUSED}"[: width - 7] in drawn(run, "host", width, 6)
