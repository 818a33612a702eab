"""Made-up runs whose GPUs are lost, silent, shared or divided."""

from __future__ import annotations

from typing import Any

from tests.doubles.scenes import NS, FakeRun, fact, meta, serving, unavailable
from tuiapp.collectors.cards import CardsCollector
from tuiapp.events import PROBE_UNAVAILABLE, Frame, Kind

NAN = float("nan")
GIB = float(1 << 30)
FACTS = {
    "source": "nvml",
    "path": "passthrough",
    "nvlink": {"links": 18, "active": 18},
    "ecc": {"enabled": True, "pending": True},
}
HEALTH = {
    "ecc_corrected": 0.0, "ecc_uncorrected": 0.0, "rows_remapped_corrected": 0.0,
    "rows_remapped_uncorrected": 0.0, "rows_remap_pending": 0.0, "pcie_replays": 0.0,
    "nvlink_crc_errors": 0.0, "nvlink_replays": 0.0, "nvlink_recoveries": 0.0,
    "energy_j": 31e3, "held_power_s": 1.5, "held_thermal_s": 0.0,
}  # fmt: skip


def row(t_s: float, group: str, **gauges: float) -> Frame:
    """One row of gauges."""
    at = int(t_s * NS)
    columns = {"t_ns": [at]} | {name: [value] for name, value in gauges.items()}
    return Frame(Kind.SAMPLES, at, at, columns, {"group": group})


def watched(gpus: int, **facts: Any) -> FakeRun:
    """GPUs with their error counters and one process of the engine's each."""
    run = serving(gpus=gpus)
    known = [{"index": at, "name": "NVIDIA H100 80GB HBM3", **FACTS, **facts} for at in range(gpus)]
    run.fold(Frame(Kind.META, 0, 0, attrs={"host": {"gpus": known}}))
    for at in range(gpus):
        own = {"own_bytes": 59 * GIB, "own_procs": 1.0, "other_procs": 0.0}
        run.fold(last(run, at, **own, other_bytes=0.0, other_util=0.0))
        run.fold(row(64.5, f"gpu{at}.health", **HEALTH))
        run.fold(row(64.5, f"gpu{at}.procs", p0_pid=4100.0 + at, p0_bytes=59 * GIB, p0_own=1.0))
    return run


def last(run: FakeRun, at: int, **changes: float) -> Frame:
    """The newest row of a GPU once more, with changes."""
    found = run.session.samples[f"gpu{at}"]
    old = {name: float(found[name][-1]) for name in found.names if name != "t_ns"}
    return row(65.0, f"gpu{at}", **(old | changes))


def shared() -> FakeRun:
    """Somebody else is on the second of two GPUs."""
    run = watched(2)
    run.fold(last(run, 1, other_bytes=12.3 * GIB, other_procs=1.0, other_util=0.31))
    others = {"p0_pid": 4101.0, "p0_bytes": 59 * GIB, "p0_own": 1.0}
    others |= {"p1_pid": 977.0, "p1_bytes": 12.3 * GIB, "p1_own": 0.0}
    return run.fold(row(65.0, "gpu1.procs", **others))


def lost() -> FakeRun:
    """The sixth of eight GPUs fell off the bus; the third has counted errors."""
    run = watched(8)
    gone = {name: NAN for name in run.session.samples["gpu5"].names if name != "t_ns"}
    value = {"probe": "gpu5", "reason": "the GPU is lost: it has fallen off the bus"}
    run.fold(fact(58.0, PROBE_UNAVAILABLE, value), row(65.0, "gpu5", **gone))
    wrong = {"ecc_uncorrected": 2.0, "rows_remapped_uncorrected": 1.0, "rows_remap_pending": 1.0}
    run.fold(row(65.0, "gpu2.health", **(HEALTH | wrong)))
    return run.fold(unavailable("gpu3.fan", "not supported by this GPU"))


def silent(gpus: int = 8) -> FakeRun:
    """The driver has not answered for twelve seconds; all else goes on."""
    run = watched(gpus)
    value = {"probe": "nvml", "reason": "the driver does not answer"}
    run.fold(fact(70.2, PROBE_UNAVAILABLE, value))
    cpu = run.session.samples["cpu"]
    old = {name: float(cpu[name][-1]) for name in cpu.names if name != "t_ns"}
    run.fold(row(77.0, "cpu", **old))
    run.clock.advance(12 * NS)
    return run


def divided() -> FakeRun:
    """One GPU in two MIG slices; the engine has the first."""
    slices = [{"name": "H100 MIG 3g.40gb"}, {"name": "H100 MIG 3g.40gb"}]
    run = watched(1, path="mig", mig={"enabled": True, "pending": True, "instances": slices})
    run.fold(last(run, 0, util=NAN))
    for at, used in enumerate((31.0, 0.1)):
        gauges = {"mem_used_bytes": used * GIB, "mem_total_bytes": 39.5 * GIB, "util": NAN}
        own = {"own_bytes": 30.5 * GIB if at == 0 else 0.0, "own_procs": float(at == 0)}
        run.fold(row(65.0, f"gpu0.mig{at}", **gauges, **own, other_bytes=0.0, other_procs=0.0))
    why = "not given while MIG divides the GPU"
    return run.fold(unavailable("gpu0.util", why), unavailable("gpu0.mig0.util", why))


def of_cards(collector: CardsCollector) -> FakeRun:
    """GPUs as a collector reads them, the same reading once a second; its reasons, too."""
    run = serving()
    collector.open()
    run.fold(meta(host={"gpus": collector.facts()["gpus"]}))
    for second in range(6, 66):
        for group, gauges in collector.sample(1.0).items():
            run.fold(row(float(second), group, **gauges))
    return run.fold(*(unavailable(*told) for told in collector.take_reasons()))
