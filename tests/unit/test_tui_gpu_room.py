"""What GPU panes show where words are long, numbers absurd, or GPUs divided."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.doubles.drawing import PALETTES, check
from tests.doubles.gpu_scenes import GIB, HEALTH, NAN, divided, last, row, watched
from tests.doubles.scenes import FakeRun, fact, meta, serving, unavailable
from tuiapp.events import PROBE_UNAVAILABLE
from tuiapp.session.view import View
from tuiapp.tui.panes import pane_class
from tuiapp.tui.panes.base import Scene, stack
from tuiapp.tui.panes.devices import devices, memory_words, unknown
from tuiapp.tui.panes.gpu_history import METRICS, _values
from tuiapp.tui.renderables.palette import Depth

REMOVED = "the GPU is gone: the kernel removed its device"
REFUSED = "not permitted by the driver"


def view_of(run: FakeRun) -> View:
    return View(run.session, run.clock.now_ns(), None)


def drawn(run: FakeRun, width: int, height: int, *, full: bool = False) -> str:
    scene = Scene(view_of(run), PALETTES[Depth.TRUE], full=full)
    parts = pane_class("gpu")("gpu").parts(scene, width, height)
    return "\n".join(check(stack(parts, width, height, scene.palette), width, height))


def gone(run: FakeRun, at: int, reason: str) -> FakeRun:
    nothing = {name: NAN for name in run.session.samples["gpu0"].names if name != "t_ns"}
    value = {"probe": f"gpu{at}", "reason": reason}
    return run.fold(fact(58.0, PROBE_UNAVAILABLE, value), row(65.0, f"gpu{at}", **nothing))


@pytest.mark.parametrize("reason", [REMOVED, f"{REFUSED}, which is the case {'so ' * 20}often"])
@pytest.mark.parametrize("size", [(118, 33), (98, 33), (78, 22)])
def test_why_one_gpu_cannot_be_read_costs_the_others_no_column(
    reason: str, size: tuple[int, int]
) -> None:
    def head(run: FakeRun) -> list[str]:
        return drawn(run, *size, full=True).splitlines()[0].split()

    fine = head(watched(8))
    short = reason != REMOVED and size[0] == 98  # the words themselves are longer, not their why
    told = head(gone(watched(8), 3, reason))
    assert [title for title in fine if title not in told] == (["SM", "MHz"] if short else [])
    assert "°C" in fine


def test_why_a_device_was_removed_is_told_in_few_words() -> None:
    told = drawn(gone(watched(8), 3, REMOVED), 118, 33, full=True)
    assert re.search(r"gpu3 .* lost at 00:58: device removed *$", told, re.MULTILINE)


def test_other_long_words_leave_temperature_and_history() -> None:
    run = watched(8)
    others = {"other_bytes": 12 * GIB, "other_util": 0.31, "throttle_reasons": float(0x6C)}
    told = drawn(run.fold(last(run, 1, **others)), 98, 33, full=True)
    assert "history" in told
    assert "°C" in told


def test_a_gpu_that_is_gone_brings_no_column_of_nothing() -> None:
    run = serving(gpus=2)
    run.fold(meta(host={"gpus": [{"index": at, "source": "amdgpu"} for at in range(2)]}))
    assert "energy" not in drawn(gone(run, 1, REMOVED), 118, 33, full=True)


def test_a_divided_gpu_holds_what_its_instances_hold() -> None:
    run = divided()
    run.fold(last(run, 0, util=NAN, mem_used_bytes=0.1 * GIB, mem_total_bytes=79.6 * GIB))
    device = devices(view_of(run))[0]
    assert memory_words(device) == "31.1 of 79.6 GiB"
    assert device.memory == pytest.approx(31.1 / 79.6)
    run.fold(last(run, 0, util=NAN, mem_used_bytes=40 * GIB, mem_total_bytes=79.6 * GIB))
    assert memory_words(devices(view_of(run))[0]) == "40.0 of 79.6 GiB"


def test_its_course_is_no_lower_than_what_its_instances_hold() -> None:
    run = divided()
    run.fold(last(run, 0, util=NAN, mem_used_bytes=0.1 * GIB, mem_total_bytes=79.6 * GIB))
    device = devices(view_of(run))[0]
    memory = next(metric for metric in METRICS if metric.gauge == "mem_used_bytes")
    course = _values(device, memory, 120)
    assert course[np.isfinite(course)][-1] == pytest.approx(31.1 * GIB, rel=1e-3)
    whole = devices(view_of(watched(1)))[0]
    assert np.nanmax(_values(whole, memory, 120)) == whole.gauge("mem_used_bytes")


def test_reasons_that_matter_come_first() -> None:
    run = watched(3).fold(
        unavailable("gpu0.pcie_tx_bytes_per_s", "not read: amdgpu counts for a second"),
        unavailable("gpu0.fan", "the driver has no file for it"),
        unavailable("gpu0.util", "gpu_busy_percent says -5 %"),
        unavailable("amdgpu", "no such device"),
        unavailable("gpu1.temp_c", REFUSED),
        unavailable("gpu2", REMOVED),
    )
    assert [told.partition(" ")[0] for told in unknown(view_of(run))] == [
        "gpu2",
        "gpu1.temp_c",
        "gpu0.util",
        "gpu0.fan",
        "gpu0.pcie_tx_bytes_per_s",
        "amdgpu",
    ]


def test_what_is_due_is_not_counted_as_a_reason() -> None:
    run = watched(8).fold(row(65.0, "gpu2.health", **(HEALTH | {"rows_remap_pending": 1.0})))
    run.fold(*(unavailable(f"gpu{at}.fan", f"odd reason {at}") for at in range(5)))
    told = drawn(run, 78, 19, full=True)
    assert "8 processes and 5 reasons for unknown values: no room here" in told
    assert "gpu2: more rows will be remapped" in drawn(run, 118, 33, full=True)


@pytest.mark.parametrize("size", [(36, 6), (78, 22)])
def test_an_absurd_number_keeps_to_its_field(size: tuple[int, int]) -> None:
    run = watched(8)
    run.fold(last(run, 1, temp_c=1e15, util=1e9))
    told = drawn(run, *size, full=size[0] > 36)
    assert "99999" not in told
    assert "00000" not in told
    assert re.search(r"1 .*… %.*…", told)
