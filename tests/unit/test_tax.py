"""What the layers below cost, measured here for real; bounds are those of any machine."""

from __future__ import annotations

import ctypes
import math
import platform
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tuiapp.collectors.base import Host
from tuiapp.collectors.tax import TaxCollector
from tuiapp.errors import Unavailable
from tuiapp.tax import PROBES, bandwidth, clocks, core, exits, faults, gpu, steal, switches, wakeups
from tuiapp.tax.native_loops import Calls, add_chain
from tuiapp.tax.ranks import apart, rank, time_text, times_text
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


@x86_64
def test_a_core_adds_one_by_one_at_the_clock_of_a_processor() -> None:
    assert add_chain()(3, 1000) == 3 * 1000 * 16  # every addition was made
    read = core.clock_reader()
    assert 5e8 < rank([read() for _ in range(50)], 0.5) < 1e10


def test_a_core_is_timed_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    found = core.probe(3)
    assert 0 < found.core_python_s < 10
    assert found.core_python.endswith(platform.python_version())

    def none() -> None:
        raise Unavailable("no machine code for it")

    monkeypatch.setattr(core, "add_chain", none)
    assert core.probe(1).core_clock_hz is None
    assert "clock unknown" in core.probe(1).lines()[0]


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


@pytest.mark.parametrize(
    ("every", "cores", "doubtful"), [(17.9e9, 2, True), (21e9, 2, False), (17.9e9, 1, False)]
)
def test_all_cores_cannot_do_less_than_one(
    every: float, cores: int, doubtful: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = bandwidth.Bandwidth(0.0, every, 21e9, cores, 1 << 30, 1 << 20)
    monkeypatch.setattr(bandwidth, "probe", lambda: result)
    found = run({"memory": "tuiapp.tax.bandwidth:probe"}, lambda _: None)
    told = [caveat for caveat in found.caveats if caveat.startswith("memory: 2 cores together")]
    assert bool(told) == doubtful
    assert result.lines()[0].startswith(
        f"memory bandwidth {every / 1e9:.1f} GB/s with {cores} core{'s' * (cores > 1)}, 21.0 GB/s"
    )


def test_arrays_are_larger_than_the_caches_whatever_the_number_of_cores() -> None:
    assert bandwidth.array_bytes(384 << 20, 256 << 20, spare=1 << 40) == 8 * (384 << 20)
    assert bandwidth.array_bytes(0, 256 << 20, spare=1 << 40) == 256 << 20
    assert bandwidth.array_bytes(1 << 40, 1, spare=1 << 40) == 4 << 30
    assert bandwidth.array_bytes(0, 256 << 20, spare=512 << 20) == 128 << 20
    with pytest.raises(Unavailable, match="free memory"):
        bandwidth.array_bytes(0, 256 << 20, spare=1 << 20)


def write_cache(root: Path, core: int, level: int, size: str, shared: str) -> None:
    folder = root / f"cpu{core}/cache/index{level}"
    folder.mkdir(parents=True)
    for name, text in {"level": str(level), "size": size, "shared_cpu_list": shared}.items():
        (folder / name).write_text(text + "\n")


def test_a_cache_that_cores_share_counts_once(tmp_path: Path) -> None:
    for at in range(4):
        write_cache(tmp_path, at, 2, "1024K", str(at))
        write_cache(tmp_path, at, 3, "32768K", "0-1" if at < 2 else "2-3")
    write_cache(tmp_path, 4, 3, "much", "4")
    assert bandwidth.last_caches([0, 1], tmp_path) == [32 << 20]
    assert bandwidth.last_caches(range(5), tmp_path) == [32 << 20, 32 << 20]
    assert bandwidth.last_caches([4, 9], tmp_path) == []


def test_bandwidth_says_when_caches_may_be_in_it() -> None:
    def line(caches: int | None) -> str:
        return bandwidth.Bandwidth(None, 2e9, 1e9, 2, 256 << 20, caches).lines()[0]

    assert line(32 << 20).endswith("2.0 GB/s with 2 cores, 1.0 GB/s with one")
    assert "only 2.0 times the caches" in line(128 << 20)
    assert "unknown size" in line(None)


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


def test_times_that_are_compared_have_one_unit() -> None:
    assert times_text(5e-5, 3.1e-4) == ["0.05 ms", "0.31 ms"]
    assert times_text(4.925e-5, 5e-5) == ["49.25 µs", "50.00 µs"]
    found = wakeups.Wakeup(None, 1.2e-4, 7e-4, 5.6e-3, 4.9e-5, 1e-4, 5e-5)
    assert found.lines() == [
        "waking up late from 1 ms: p50 0.12 ms, p99 0.70 ms, p99.9 5.60 ms; "
        "0.05 ms of it may be timer slack",
        "  in the real-time class: p50 0.05 ms, p99 0.10 ms",
    ]


def test_shares_are_written_as_elsewhere() -> None:
    assert steal.Steal(None, 0.013, 0.5).lines()[0].startswith("steal 1.3 % of")


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
    assert "core_clock_hz" not in facts
    if platform.machine() in ("x86_64", "AMD64"):
        assert 0 < gauges["cpuid_exit_s"] < SANE_S
        assert 1e8 < gauges["core_clock_hz"] < 1e10
    else:
        assert math.isnan(gauges["cpuid_exit_s"])
        assert "cpuid_exit_s" not in facts


@x86_64
def test_an_instruction_that_faults_does_not_end_the_agent() -> None:
    """An undefined instruction in place of CPUID; the process that times it dies of it."""
    code = """
        from tuiapp.tax import native_loops
        native_loops.TIME_CPUID = bytes.fromhex("0f0b")
        from tuiapp.collectors.base import Host
        from tuiapp.collectors.tax import TaxCollector
        collector = TaxCollector(Host())
        collector.open()
        print(sorted(collector.facts()["tax"]), *collector.take_reasons())
    """
    path = str(Path(__file__).parents[2] / "src")
    lead = f"import sys; sys.path.insert(0, {path!r})\n"
    done = subprocess.run(
        [sys.executable, "-c", lead + textwrap.dedent(code)], capture_output=True, text=True
    )
    assert done.returncode == 0
    reason = ("tax.cpuid_exit_s", "it was ended by SIGILL")
    assert done.stdout.strip() == f"['clock_read_s'] {reason}"


@pytest.mark.skipif(sys.platform != "linux", reason="/proc/self/maps")
def test_the_collector_maps_nothing_more_as_it_goes_on() -> None:
    def executable() -> int:
        lines = Path("/proc/self/maps").read_text().splitlines()
        return sum("x" in line.split()[1] for line in lines)

    collector = TaxCollector(Host())
    collector.open()
    collector.sample(1.0)
    before = executable()
    for _ in range(5):
        collector.sample(1.0)
    assert executable() == before
