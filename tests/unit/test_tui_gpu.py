"""What GPU panes say of GPUs that are lost, degraded, or may not be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.doubles import cards as trees
from tests.doubles.cards import Files
from tests.doubles.drawing import PALETTES, check, picture
from tests.doubles.gpu_scenes import GIB, HEALTH, NAN, last, lost, of_cards, row, silent, watched
from tests.doubles.scenes import NS, FakeRun, fact, serving, unavailable
from tuiapp.collectors.amdgpu import AmdgpuCollector
from tuiapp.collectors.base import Host
from tuiapp.collectors.cards import CardsCollector
from tuiapp.collectors.intel_gpu import IntelGpuCollector
from tuiapp.diagnosis.finding import BAD, Finding
from tuiapp.events import ENGINE_EXIT, PROBE_UNAVAILABLE
from tuiapp.session.view import View
from tuiapp.tui.panes import pane_class
from tuiapp.tui.panes.base import Scene, stack
from tuiapp.tui.panes.devices import devices, memory_words
from tuiapp.tui.panes.devices import unknown as reasons_of
from tuiapp.tui.panes.host import _why_slow
from tuiapp.tui.panes.lines import wrap_each
from tuiapp.tui.renderables.numbers import NumberLines
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
    assert "gpu5 lost at 00:58" in told
    assert "held" not in told


def test_a_silent_gpu_is_not_called_held() -> None:
    told = drawn(silent(), "gpu", 45, 7)
    assert "8 GPUs no answer for 12 s" in told
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


def test_a_gpu_that_is_lost_is_the_cause_at_once() -> None:
    """Not ten seconds later, when the host is judged again."""
    run, pane = watched(2), pane_class("host")("host")

    def told() -> str:
        scene = Scene(view_of(run), PALETTES[Depth.TRUE])
        parts = pane.parts(scene, 60, 8)
        return "\n".join(check(stack(parts, 60, 8, scene.palette), 60, 8))

    assert "gpu1" not in told()
    value = {"probe": "gpu1", "reason": "the GPU is lost: it has fallen off the bus"}
    run.fold(fact(64.9, PROBE_UNAVAILABLE, value))
    assert "why slow gpu1 lost" in told()
    run.fold(fact(64.95, PROBE_UNAVAILABLE, value | {"reason": ""}))
    assert "gpu1" not in told()


@pytest.mark.parametrize("width", range(20, 130))
def test_the_longest_stall_has_its_label_or_is_not_there(width: int) -> None:
    run = serving(gpus=8, stall=(40.0, 40.3), hiccups=True)
    line = drawn(run, "host", width, 2).splitlines()[0]
    assert (" ms" in line) == ("stall" in line)


def test_the_longest_stall_is_told_beside_eight_gpus() -> None:
    run = serving(gpus=8, stall=(40.0, 40.3), hiccups=True)
    assert re.search(r"stall +300 ms", drawn(run, "host", 78, 2))


@pytest.mark.parametrize(("pane", "size"), [("gpu", (118, 33)), ("gpu", (78, 22))])
def test_when_it_was_lost_can_be_read(pane: str, size: tuple[int, int]) -> None:
    told = drawn(lost(), pane, *size, full=True)
    assert re.search(r"gpu5 .* lost at 00:58( |:)", told)
    assert ("lost at 00:58: fallen off the bus" in told) == (size[0] > 100)


def test_all_that_holds_a_gpu_back_is_told_where_there_is_room() -> None:
    run = watched(2)
    run.fold(last(run, 0, throttle_reasons=float(0x40 | 0x20)))
    run.fold(last(run, 1, throttle_reasons=float(0x40 | 0x20 | 0x4)))
    assert "hw thermal, sw thermal, power cap" in drawn(run, "gpu", 118, 33, full=True)
    told = drawn(run, "gpu", 78, 22, full=True)
    assert "hw thermal +2" in told
    assert "°C" in told
    run.fold(last(run, 1, throttle_reasons=float(0x40 | 0x20)))
    assert "hw thermal, sw thermal" in drawn(run, "gpu", 78, 22, full=True)


def sliced(gpus: int, slices: int) -> FakeRun:
    """GPUs in MIG slices of 19.5 GiB, of which nothing tells how busy they are."""
    mig = {"enabled": True, "pending": True, "instances": [{}] * slices}
    run = watched(gpus, path="mig", mig=mig)
    for at in range(gpus):
        run.fold(last(run, at, util=NAN))
        for number in range(slices):
            used = {"mem_used_bytes": (18.0 - number) * GIB, "mem_total_bytes": 19.5 * GIB}
            run.fold(row(65.0, f"gpu{at}.mig{number}", **used, util=NAN))
    return run


@pytest.mark.parametrize(
    ("gpus", "slices", "size", "words"),
    [
        (1, 2, (36, 6), ["mig1", "87 %", "17.0/19.5 GiB"]),
        (2, 3, (36, 6), ["2 16.0/19.5 GiB"]),
        (2, 7, (36, 6), ["6 62 %"]),
        (2, 3, (63, 8), ["mig2", "82 %", "16.0/19.5 GiB"]),
    ],
)
def test_slices_tell_their_memory(
    gpus: int, slices: int, size: tuple[int, int], words: list[str]
) -> None:
    told = drawn(sliced(gpus, slices), "gpu", *size)
    assert all(word in told for word in words), told
    assert f"gpu0: MIG, {slices} slices; busy not told" in told


def test_a_divided_gpu_with_a_trouble_tells_that() -> None:
    run = sliced(2, 3)
    run.fold(row(65.0, "gpu1.health", **(HEALTH | {"ecc_uncorrected": 3.0})))
    told = drawn(run, "gpu", 36, 6)
    assert "gpu1: 3 uncorrected ECC" in told
    assert "gpu0: MIG, 3 slices" in told
    assert "MIG 75 %" in drawn(sliced(8, 2), "gpu", 36, 6)


@pytest.mark.parametrize(
    ("gpus", "size", "titles"),
    [
        (8, (198, 56), ["busy %", "power W", "memory %", "°C", "SM MHz"]),
        (8, (118, 31), ["busy %", "power W", "memory %"]),
        (1, (118, 31), ["gpu0 busy %", "gpu0 power W", "gpu0 memory %", "gpu0 °C", "gpu0 SM MHz"]),
        (2, (138, 41), ["gpu1 busy %", "gpu1 power W", "gpu1 SM MHz"]),
    ],
)
def test_each_gpu_has_its_history_in_full(
    gpus: int, size: tuple[int, int], titles: list[str]
) -> None:
    text = drawn(watched(gpus), "gpu", *size, full=True)
    assert all(title in text for title in titles), text
    rows = [line for line in text.splitlines() if re.search(r"[⠁-⣿▁-█]{12}", line)]
    assert len(rows) > size[1] // 3


def test_history_has_the_scale_of_its_limit() -> None:
    text = drawn(watched(1), "gpu", 118, 31, full=True)
    assert re.search(r"gpu0 power W.*\n.*700 ┤", text)
    gone = drawn(lost(), "gpu", 198, 56, full=True)
    assert not re.search(r"[^1]800 ┤| 2k ┤", gone), "a lost GPU has the scale of the others"


def test_that_no_process_is_listed_stands_below_its_head() -> None:
    run = serving(gpus=1)
    lines = drawn(run, "gpu", 118, 31, full=True).splitlines()
    at = next(at for at, line in enumerate(lines) if "process" in line)
    assert "no process is listed" in lines[at + 1]


def test_processes_without_room_are_counted() -> None:
    assert "8 processes not listed: no room here" in drawn(watched(8), "gpu", 78, 20, full=True)
    run = refused(8, "power_w")
    told = drawn(run, "gpu", 78, 19, full=True)
    assert "8 processes and 1 reason for unknown values: no room here" in told


def test_rows_that_are_due_for_remapping_are_explained() -> None:
    told = drawn(lost(), "gpu", 118, 33, full=True)
    assert "1 + due" in told
    assert "gpu2: more rows will be remapped at the next reset (due)" in told


def test_energy_has_a_unit() -> None:
    run = watched(1)
    assert "31.0 kJ" in drawn(run, "gpu", 138, 33, full=True)
    run.fold(row(65.0, "gpu0.health", **(HEALTH | {"energy_j": 0.0})))
    assert re.search(r" 0 J\b", drawn(run, "gpu", 138, 33, full=True))


CARDS: dict[str, tuple[str, Files, str, type[CardsCollector]]] = {
    "card": (trees.RX7900, trees.dgpu(), "amdgpu", AmdgpuCollector),
    "graphics": ("1002:15BF", trees.apu(), "amdgpu", AmdgpuCollector),
    "intel": ("8086:E20B", trees.xe_card(), "xe", IntelGpuCollector),
}


@pytest.fixture(params=CARDS)
def other_maker(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, FakeRun]:
    """A GPU that NVML does not read, and no NVML."""
    pci_id, files, driver, kind = CARDS[request.param]
    trees.add(tmp_path, 0, "0000:03:00.0", pci_id, files, driver=driver)
    return request.param, of_cards(kind(Host(str(tmp_path))))


def test_a_machine_without_nvidia_gpus_has_not_lost_them(other_maker: tuple[str, FakeRun]) -> None:
    _, run = other_maker
    assert "nvml" in view_of(run).probe_reasons
    assert "NVIDIA" not in drawn(run, "host", 78, 8)


@pytest.mark.parametrize("size", [(36, 6), (118, 31), (78, 22)])
def test_what_a_driver_never_tells_takes_no_room(
    other_maker: tuple[str, FakeRun], size: tuple[int, int]
) -> None:
    name, run = other_maker
    told = drawn(run, "gpu", *size, full=size[0] > 36)
    assert "of —" not in told
    assert "—/—" not in told
    assert "NVLink" not in told
    if size[0] > 36:
        assert "the driver does not list them" in told
        assert ("gpu0 busy %" in told) == (name != "intel")
    elif name == "intel":
        assert re.search(r"^SM +[▁-█]{30}", told, re.MULTILINE)


def test_a_silent_driver_has_its_own_name(tmp_path: Path) -> None:
    trees.add(tmp_path, 0, "0000:03:00.0", trees.RX7900, trees.dgpu())
    run = of_cards(AmdgpuCollector(Host(str(tmp_path))))
    run.clock.advance(10 * NS)
    assert "amdgpu has not answered for 10.0 s" in drawn(run, "gpu", 60, 6)


def test_when_the_numbers_of_a_silent_driver_were_told_is_in_the_title() -> None:
    scene = Scene(view_of(silent(2)), PALETTES[Depth.TRUE])
    assert pane_class("gpu")("gpu").title(scene).startswith("GPU · as of 01:05 · 2 ×")
    scene = Scene(view_of(watched(2)), PALETTES[Depth.TRUE])
    assert "as of" not in pane_class("gpu")("gpu").title(scene)


def test_what_was_silent_at_the_end_of_a_run_stays_so_after_it() -> None:
    """As of its newest sample; ages stand still with the run."""
    run = silent(2).fold(fact(77.0, ENGINE_EXIT, {"expected": True, "reason": "done"}))
    run.clock.advance(100 * NS)
    told = drawn(run, "gpu", 78, 12)
    assert "NVML has not answered for 12.0 s" in told
    assert "no answer for 12 s" in told
    assert re.search(r"gpu0 .* \d+ %", told)
    scene = Scene(view_of(run), PALETTES[Depth.TRUE])
    assert pane_class("gpu")("gpu").title(scene).startswith("GPU · as of 01:05 · 2 ×")


def test_a_run_that_is_over_has_not_lost_its_driver() -> None:
    run = watched(2).fold(fact(65.2, ENGINE_EXIT, {"expected": True, "reason": "done"}))
    run.clock.advance(100 * NS)
    assert "answer" not in drawn(run, "gpu", 78, 12)
    late = watched(2).fold(fact(75.0, ENGINE_EXIT, {"expected": True, "reason": "done"}))
    assert "answer" not in drawn(late, "gpu", 78, 12), "nothing else was sampled then either"


def test_a_long_cause_has_a_second_line_where_there_is_room() -> None:
    cause = Finding("ecc", BAD, "gpu1: GPU memory: 3 uncorrected memory errors", "")
    assert picture(NumberLines(tuple(_why_slow(cause, 36, lines=2))), 36, 2) == [
        "why slow gpu1: GPU memory: 3",
        "         uncorrected memory errors",
    ]
    assert picture(NumberLines(tuple(_why_slow(cause, 36))), 36, 1) == [
        "why slow gpu1: GPU memory: 3 …",
    ]


@pytest.mark.parametrize("gpus", [1, 2])
def test_why_a_gpu_is_lost_is_told_in_place_of_its_numbers(gpus: int) -> None:
    run = watched(gpus)
    value = {"probe": "gpu0", "reason": "the GPU is lost: it has fallen off the bus"}
    gone = {name: NAN for name in run.session.samples["gpu0"].names if name != "t_ns"}
    run.fold(fact(58.0, PROBE_UNAVAILABLE, value), row(65.0, "gpu0", **gone))
    assert "lost at 00:58: fallen off the bus" in drawn(run, "gpu", 36, 6)


def test_what_has_no_room_in_the_last_column_is_counted() -> None:
    run = watched(8)
    others = {"other_bytes": 12 * GIB, "other_util": 0.31, "throttle_reasons": 4.0}
    run.fold(*(last(run, at, **others) for at in range(8)))
    assert "power cap +1" in drawn(run, "gpu", 78, 22, full=True)


def test_a_gpu_that_may_not_be_read_is_not_called_lost() -> None:
    run = watched(8)
    gone = {name: NAN for name in run.session.samples["gpu5"].names if name != "t_ns"}
    value = {"probe": "gpu5", "reason": REFUSED}
    run.fold(fact(58.0, PROBE_UNAVAILABLE, value), row(65.0, "gpu5", **gone))
    told = drawn(run, "gpu", 60, 8)
    assert "gpu5 unread since 00:58: not permitted by the driver" in told
    assert "lost" not in told


@pytest.mark.parametrize("size", [(36, 6), (78, 22), (118, 33)])
def test_a_gpu_is_lost_before_its_next_row_says_so(size: tuple[int, int]) -> None:
    run = watched(8)
    value = {"probe": "gpu5", "reason": "the GPU is lost: it has fallen off the bus"}
    run.fold(fact(64.9, PROBE_UNAVAILABLE, value))
    assert "lost at 01:04" in drawn(run, "gpu", *size, full=size[0] > 36)
    assert "gpu5 lost at 01:04" in drawn(run, "host", 78, 2)
