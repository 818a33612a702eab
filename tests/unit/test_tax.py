"""What the layers below cost, measured here for real; bounds are those of any machine."""

from __future__ import annotations

import ctypes
import math
import platform
import sys
import textwrap
from pathlib import Path

import pytest

from tuiapp.collectors.base import Host
from tuiapp.collectors.tax import TaxCollector
from tuiapp.errors import Unavailable
from tuiapp.tax import PROBES, bandwidth, clocks, exits, faults, gpu, steal, switches, wakeups
from tuiapp.tax.native_loops import Calls
from tuiapp.tax.ranks import apart, rank, time_text
from tuiapp.tax.run import run

x86_64 = pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64"), reason="machine code for x86-64"
)
SANE_S = 0.1


@x86_64
def test_an_exit_is_timed_one_by_one() -> None:
    found = exits.probe(200)
    assert 10 < found.cpuid_exit_cycles < 10_000_000
    assert 0 < found.cpuid_exit_s <= found.cpuid_exit_p99_s < SANE_S


@x86_64
def test_the_counter_runs_at_a_frequency_of_a_processor() -> None:
    assert 1e8 < exits.ticks_per_s() < 1e10


def test_a_system_call_costs_more_than_the_vdso_or_as_much() -> None:
    found = clocks.probe(5)
    assert 0 < found.clock_read_s < SANE_S
    assert found.clock_syscall_s is None or found.clock_syscall_s > 0.5 * found.clock_read_s


def test_switching_costs_something() -> None:
    assert 0 < switches.probe().context_switch_s < SANE_S


def test_a_first_touch_costs_something() -> None:
    assert 0 < faults.probe(4).page_fault_s < SANE_S


def test_waking_up_is_late_in_order_of_percentiles() -> None:
    found = wakeups.probe(50)
    assert 0 <= found.wakeup_p50_s <= found.wakeup_p99_s <= found.wakeup_p999_s
    assert found.timer_slack_s is None or 0 < found.timer_slack_s < 1


def test_memory_moves_at_some_speed() -> None:
    found = bandwidth.probe(16 << 20, 2)
    assert 1e6 < found.memory_bandwidth_core_bytes_per_s < 1e13
    assert 1e6 < found.memory_bandwidth_bytes_per_s < 1e13


def test_calls_are_really_made() -> None:
    text = ctypes.create_string_buffer(b"x" * 8)
    address = ctypes.addressof(text)
    calls = Calls([("memset", address, ord("a"), 4), ("memset", address + 4, ord("b"), 2)])
    calls.run(3)
    assert text.raw[:8] == b"aaaabbxx"


def test_steal_is_a_share_of_all_ticks() -> None:
    found = steal.between((10, 0, 5, 100, 5, 0, 0, 2), (30, 0, 15, 150, 5, 0, 0, 22))
    assert found.steal == pytest.approx(0.2)
    assert found.busy == pytest.approx(0.3)
    with pytest.raises(Unavailable):
        steal.between((1,) * 8, (1,) * 8)


def test_a_probe_that_fails_costs_only_itself() -> None:
    told: list[str] = []
    probes = {
        "clock_read": PROBES["clock_read"],
        "broken": "tests.unit.test_tax:broken",
        "nowhere": "tests.unit.test_tax:nowhere",
    }
    found = run(probes, told.append, None)
    assert told == ["clock read", "broken", "nowhere"]
    assert found.unknown["broken"] == "ZeroDivisionError: division by zero"
    assert found.unknown["nowhere"] == "not here"
    assert found.as_json()["clock_read_s"] > 0
    assert any("broken: unknown" in line for line in found.text_lines())


def broken() -> None:
    1 / 0  # noqa: B018 - it is broken


def nowhere() -> None:
    raise Unavailable("not here")


def test_ranks_are_nearest_ranks() -> None:
    values = list(range(1, 101))
    assert (rank(values, 0.5), rank(values, 0.99), rank(values, 1.0)) == (50, 99, 100)
    assert apart([1, 1, 2, 2]) == pytest.approx(1.0)
    assert apart([1]) is None


@pytest.mark.parametrize(
    ("seconds", "text"), [(62e-9, "62 ns"), (3.81e-6, "3.81 µs"), (3.1e-4, "0.31 ms")]
)
def test_times_carry_their_unit(seconds: float, text: str) -> None:
    assert time_text(seconds) == text


# -- the GPU: torch is a scripted stand-in, for this machine has neither ---------------------

TORCH = """
    class _Cuda:
        def is_available(self): return {available}
        def synchronize(self): pass
    cuda = _Cuda()
    uint8 = "uint8"
    class _Tensor:
        def copy_(self, other): return self
        def add_(self, one): return self
    def device(name): return name
    def empty(size, **settings): return _Tensor()
"""


def with_torch(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    (folder / "torch.py").write_text(textwrap.dedent(text))
    monkeypatch.setenv("PYTHONPATH", str(folder))


def test_a_gpu_is_measured_through_the_engines_torch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_torch(tmp_path, monkeypatch, TORCH.format(available=True))
    found = gpu.measure(sys.executable)
    assert found.kernel_launch_s > 0
    assert found.to_gpu_bytes_per_s > 0
    assert len(found.lines()) == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (TORCH.format(available=False), "sees no GPU"),
        ("raise RuntimeError('broken torch')", "broken torch"),
        ("import os; os._exit(3)", "could not run"),
    ],
)
def test_a_torch_that_cannot_says_why(
    text: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_torch(tmp_path, monkeypatch, text)
    with pytest.raises(Unavailable, match=says):
        gpu.measure(sys.executable)


def test_a_python_that_is_none_is_said() -> None:
    with pytest.raises(Unavailable, match="could not run"):
        gpu.measure("/no/such/python")


# -- the light one ----------------------------------------------------------------------------


def test_the_collector_tells_what_it_can() -> None:
    collector = TaxCollector(Host())
    collector.open()
    facts, gauges = collector.facts()["tax"], collector.sample(1.0)["tax"]
    assert 0 < gauges["clock_read_s"] < SANE_S
    assert facts["clock_read_s"] > 0
    if platform.machine() in ("x86_64", "AMD64"):
        assert 0 < gauges["cpuid_exit_s"] < SANE_S
    else:
        assert math.isnan(gauges["cpuid_exit_s"])
        assert "cpuid_exit_s" not in facts
