"""Do data reach the GPUs at full speed?"""

from __future__ import annotations

from tuiapp.diagnosis.finding import BAD, WARN, Finding, fine, unknown
from tuiapp.diagnosis.per_gpu import worst
from tuiapp.diagnosis.reading import (
    Gpu,
    gpus_used,
    increase,
    known,
    listed,
    mapping,
    number,
    printable,
)
from tuiapp.diagnosis.seen import Seen
from tuiapp.words import plural

REPLAYS_BAD_PER_MIN = 60.0
"""A sound link repeats next to nothing; once a second and more points to cable, riser or slot.
Own bound."""


def pcie(view: Seen) -> Finding | None:
    """The PCIe link under load; at rest it slows down to save power, which means nothing."""
    return worst(view, _pcie)


def _pcie(gpu: Gpu) -> Finding:
    names = ("pcie_gen", "pcie_width", "pcie_gen_max", "pcie_width_max")
    gen, width, gen_max, width_max = gpu.loaded(*names)
    if not len(gen):
        return unknown("pcie", "PCIe link", gpu.not_loaded(*names))
    now = (gen.max(), width.max())
    best = (gen_max.max(), width_max.max())
    title = f"PCIe {now[0]:.0f} × {now[1]:.0f}"
    evidence = f"generation and lanes under load; possible {best[0]:.0f} × {best[1]:.0f} "
    evidence += f"({gpu.source}, sysfs)"
    if now[0] >= best[0] and now[1] >= best[1]:
        return fine("pcie", title, evidence)
    advice = "Reject the host, or have slot, riser and BIOS looked at: copies take longer."
    return Finding("pcie", BAD, f"{title} of {best[0]:.0f} × {best[1]:.0f}", evidence, advice, 0.6)


def pcie_replays(view: Seen) -> Finding | None:
    """Packets that had to be sent again."""
    return worst(view, _replays)


def _replays(gpu: Gpu) -> Finding:
    counts = known(gpu.view, f"{gpu.group}.health", "pcie_replays")
    if len(counts) < 2:
        told = "told once: how many come shows from the second time on, eight seconds later"
        reason = told if len(counts) else gpu.why("pcie_replays")
        return unknown("pcie_replays", "PCIe replays", reason)
    more = increase(counts)
    minutes = max((gpu.view.cursor_ns - max(gpu.view.window_start_ns, 0)) / 60e9, 1 / 60)
    evidence = f"{more:.0f} in this stretch of time, {counts[-1]:.0f} since the driver began (NVML)"
    if more == 0:
        return fine("pcie_replays", "no PCIe replays", evidence)
    severity = BAD if more / minutes > REPLAYS_BAD_PER_MIN else WARN
    advice = "The link loses packets: have cable, riser and slot looked at, or reject the host."
    title = plural(round(more), "PCIe replay")
    return Finding("pcie_replays", severity, title, evidence, advice, 0.45)


def p2p(view: Seen) -> Finding | None:
    """Whether the GPUs of one engine reach each other's memory; nothing to tell of one alone."""
    return worst(view, _p2p) if gpus_used(view) > 1 else None


def _p2p(gpu: Gpu) -> Finding:
    links = mapping(gpu.facts, "nvlink")
    there, active = number(links, "links"), number(links, "active")
    if there and active is not None and active < there:
        evidence = f"{active:.0f} of {there:.0f} NVLinks are up (NVML)"
        advice = "A link is down: have the GPU looked at, or reject the host."
        return Finding("p2p", BAD, f"{active:.0f} of {there:.0f} NVLinks", evidence, advice, 0.5)
    peers = {
        printable(str(other)): printable(status)
        for other, status in list(mapping(gpu.facts, "p2p").items())[:64]
        if isinstance(status, str)
    }
    if not peers:
        return unknown("p2p", "GPU to GPU", gpu.why("p2p"))
    barred = [f"gpu{other} {status}" for other, status in peers.items() if status != "ok"]
    if not barred:
        return fine("p2p", "GPU to GPU", f"direct to {plural(len(peers), 'other')} (NVML)")
    evidence = f"no direct way to {listed(barred)} (NVML): copies go through the CPU's memory"
    advice = "Take a machine, or a guest, that keeps the GPUs' topology (NVLink or one switch)."
    return Finding("p2p", WARN, "no direct way between GPUs", evidence, advice, 0.4)
