"""Is the whole GPU ours?"""

from __future__ import annotations

from tuiapp.diagnosis.finding import BAD, FINE, WARN, Finding, fine, graded, unknown
from tuiapp.diagnosis.per_gpu import worst
from tuiapp.diagnosis.reading import (
    NOT_TOLD,
    Gpu,
    flag,
    gpus,
    host,
    items,
    mapping,
    mean,
    newest,
    percent,
    sentence,
    text,
    why,
)
from tuiapp.diagnosis.seen import Seen

OTHER_UTIL_WARN, OTHER_UTIL_BAD = 0.02, 0.10
"""Time on the GPU that other processes had. Own bounds."""
OTHER_BYTES = 1 << 30
"""Memory others hold; a display server takes some hundred MiB. Own bound."""


def slices(view: Seen) -> Finding | None:
    """MIG slices, vGPUs and virtual functions, and a vGPU's licence."""
    return worst(view, _slices)


def _slices(gpu: Gpu) -> Finding:
    path, mode = text(gpu.facts, "path"), text(gpu.facts, "virtualization")
    licences = items(gpu.facts, "licence")
    if licences and any(flag(entry, "licensed") is False for entry in licences):
        advice = "Without a licence NVIDIA's driver slows a vGPU down after 20 minutes: get one."
        evidence = f"{text(licences[0], 'feature') or 'a feature'} is not licensed (NVML)"
        return Finding("slices", BAD, "vGPU without a licence", evidence, advice, 0.8)
    if path == "vgpu" or mode == "vgpu":
        advice = "Other guests have turns on the same GPU: take a whole one."
        evidence = "the driver says that this is a vGPU (NVML virtualization mode)"
        return Finding("slices", WARN, "vGPU", evidence, advice, 0.5)
    if path == "mig" or flag(mapping(gpu.facts, "mig"), "enabled"):
        advice = "A slice has a part of the bandwidth; take the whole GPU for the lowest TPOT."
        passed = ", passed through" if text(gpu.facts, "card_path") == "passthrough" else ""
        return Finding("slices", WARN, f"MIG slice{passed}", "MIG is on (NVML)", advice, 0.45)
    if path == "sriov-vf":
        advice = "The physical GPU may be shared between guests: take a whole one."
        return Finding("slices", WARN, "virtual function", "an SR-IOV function", advice, 0.4)
    if path in ("", "unknown") and mode in ("", "none"):
        told = sentence(gpu.facts, "path_because") or NOT_TOLD
        reason = why(gpu.view, f"{gpu.group}.virtualization", otherwise=told)
        return unknown("slices", "GPU's path", reason)
    conflict = sentence(gpu.facts, "path_conflict")
    told = "neither MIG nor vGPU" if gpu.source == "NVML" else sentence(gpu.facts, "path_because")
    evidence = f"{told or 'no part of one'} ({gpu.source}){'; ' if conflict else ''}{conflict}"
    return fine("slices", f"whole GPU, {path or mode}", evidence)


def gpu_neighbour(view: Seen) -> Finding | None:
    """Processes that are not the engine's on its GPU."""
    return worst(view, _neighbour)


def _neighbour(gpu: Gpu) -> Finding:
    view, group = gpu.view, gpu.group
    if flag(mapping(gpu.facts, "mig"), "enabled"):
        return _beside_slices(gpu)
    advice = "Something else uses the GPU: take one for the engine alone."
    if "process" not in view.groups("process") and "engine" not in view.meta:
        used, util = gpu.newest("mem_used_bytes"), mean(view, group, "util")
        who = "while no engine of ours runs"
    else:
        used, util, who = gpu.newest("other_bytes"), mean(view, group, "other_util"), "by others"
    if used is None and util is None:
        reason = why(view, f"{group}.processes", f"{group}.other_bytes", f"{group}.other_util")
        return unknown("gpu_neighbour", "neighbours on the GPU", reason)
    parts = [] if util is None else [f"{percent(util)} of its time"]
    parts += [] if used is None else [f"{used / 2**30:.1f} GiB of its memory"]
    evidence = f"{' and '.join(parts)} in use {who} ({gpu.source})"
    severity = FINE if util is None else graded(util, OTHER_UTIL_WARN, OTHER_UTIL_BAD)
    if severity == FINE and used is not None and used > OTHER_BYTES:
        severity = WARN
    if severity == FINE:
        return fine("gpu_neighbour", "no neighbour on the GPU", evidence)
    return Finding("gpu_neighbour", severity, "neighbour on the GPU", evidence, advice, 0.65)


def _beside_slices(gpu: Gpu) -> Finding:
    """Of a divided GPU the driver tells what each slice holds; no time, and not always whose."""
    view = gpu.view
    ours = "process" in view.groups("process") or "engine" in view.meta
    name = "other_bytes" if ours else "mem_used_bytes"
    named = view.groups(f"{gpu.group}.mig")
    parts = [part for part in named if part.rpartition("mig")[2].isdigit()]
    held = [newest(view, part, name) for part in parts]
    known_bytes = [value for value in held if value is not None]
    who = "by others" if ours else "while no engine of ours runs"
    evidence = f"{sum(known_bytes) / 2**30:.1f} GiB of the slices' memory in use {who} (NVML)"
    if sum(known_bytes) > OTHER_BYTES:
        advice = "Other slices share the GPU's power and its links: take the whole GPU."
        return Finding("gpu_neighbour", WARN, "neighbour on the GPU", evidence, advice, 0.45)
    if not parts or len(known_bytes) < len(parts):
        told = "the driver does not tell whose the memory of its slices is"
        reason = why(view, *(f"{part}.{name}" for part in parts), otherwise=told)
        return unknown("gpu_neighbour", "neighbours on the GPU", reason)
    return fine("gpu_neighbour", "no neighbour on the GPU", evidence)


def confidential(view: Seen) -> Finding | None:
    """Memory encrypted by CPU or GPU; nothing to tell without a GPU in a machine without it."""
    gpu = mapping(host(view), "gpu_confidential")
    guest = text(mapping(host(view), "machine"), "confidential")
    if flag(gpu, "enabled"):
        evidence = "the driver says that confidential computing is on (NVML)"
        advice = (
            "Every copy between CPU and GPU is encrypted: expect 4 to 8 % less throughput on "
            "Hopper, 13 to 27 % on Blackwell, and loading of weights many times slower."
        )
        return Finding("confidential", WARN, "confidential GPU", evidence, advice, 0.45)
    if guest:
        evidence = f"memory is encrypted by the CPU ({guest})"
        advice = "Copies to devices go through bounce buffers: compare with a plain guest."
        return Finding("confidential", WARN, "confidential guest", evidence, advice, 0.2)
    if not gpus(view):
        return None
    if flag(gpu, "enabled") is None:
        reason = why(view, "nvml.confidential", otherwise=NOT_TOLD)
        return unknown("confidential", "confidential computing", reason)
    return fine("confidential", "no confidential computing", "off (NVML)")
