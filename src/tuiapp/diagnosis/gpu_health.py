"""Is the GPU sound, and can it be read at all?"""

from __future__ import annotations

from tuiapp.diagnosis.finding import BAD, WARN, Finding, fine, unknown
from tuiapp.diagnosis.per_gpu import worst
from tuiapp.diagnosis.reading import Gpu, gpus, host, increase, items, known, text, why
from tuiapp.diagnosis.seen import Seen
from tuiapp.words import plural

_BROKEN = (
    ("ecc_uncorrected", "uncorrected memory error", ""),
    ("rows_remap_failed", "row", " that could not be remapped"),
)
_WORN = (
    ("rows_remap_pending", "row", " to be remapped at the next reset"),
    ("pages_retire_pending", "page", " to be retired at the next reset"),
    ("rows_remapped_uncorrected", "row", " remapped after uncorrected errors"),
    ("pages_retired_uncorrected", "page", " retired after uncorrected errors"),
)
"""Gauge, what it counts, and what became of it."""
_COUNTED = tuple(name for name, *_ in (*_BROKEN, *_WORN))


def gpu_visible(view: Seen) -> Finding | None:
    """GPUs on the PCI bus that no probe can read; nothing to tell where there are none."""
    seen = items(host(view), "pci_gpus")
    if gpus(view) or not seen:
        return None
    place = text(seen[0], "address") or "the PCI bus"
    reason = why(view, "nvml", "amdgpu", "intel_gpu", otherwise="no probe has read it")
    advice = "To use it here, install the driver's library, or give the container access to it."
    return unknown("gpu_visible", f"GPU at {place}", f"it cannot be read: {reason}", advice)


def ecc(view: Seen) -> Finding | None:
    """Memory errors, and what was taken out of use because of them."""
    return worst(view, _ecc)


def _ecc(gpu: Gpu) -> Finding:
    counts = {name: gpu.newest(name, "health") for name in _COUNTED}
    corrected = known(gpu.view, f"{gpu.group}.health", "ecc_corrected")
    if all(count is None for count in counts.values()) and not len(corrected):
        reason = why(gpu.view, f"{gpu.group}.ecc_uncorrected", f"{gpu.group}.health")
        return unknown("ecc", "GPU memory errors", reason)
    broken, worn = (
        [f"{plural(round(count), noun)}{rest}" for name, noun, rest in kind
         if (count := counts[name])]
        for kind in (_BROKEN, _WORN)
    )  # fmt: skip
    advice = "The card's memory is failing: change the host."
    if broken:
        title = f"GPU memory: {broken[0]}"
        return Finding("ecc", BAD, title, f"{', '.join(broken + worn)} (NVML)", advice, 0.6)
    more = increase(corrected)
    if more:
        worn.append(f"{plural(round(more), 'error')} corrected in this stretch of time")
    if worn:
        title = f"GPU memory: {worn[0]}"
        return Finding("ecc", WARN, title, f"{', '.join(worn)} (NVML)", advice, 0.3)
    return fine("ecc", "GPU memory errors", "none uncorrected, no row or page lost (NVML)")
