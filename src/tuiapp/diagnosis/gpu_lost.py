"""Is every GPU still there, and does its driver answer?"""

from __future__ import annotations

from tuiapp.diagnosis.finding import BAD, Finding, fine, unknown
from tuiapp.diagnosis.reading import Gpu, gpus, listed, probe_of, reason_words
from tuiapp.diagnosis.seen import Seen
from tuiapp.events import DRIVER_SILENT
from tuiapp.words import clock_face, plural

_DRIVERS = {"nvml": "NVIDIA driver", "amdgpu": "amdgpu driver", "intel_gpu": "Intel driver"}
_LOST = (
    ("fallen off the bus", "lost"),
    ("needs a reset", "needs a reset"),
    ("is gone", "is gone"),
)
"""Words of a GPU's reason, and what the title says of it."""
_OF_SEVERAL = {"needs a reset": "need a reset", "is gone": "are gone"}
_LOST_ADVICE = "Drain the host, then reset the GPU or reboot; dmesg names the error{}."
_FIRST_NS = 1_000_000_000
"""What is told before this was so from the start."""
_XID = " (Xid)"
"""What only NVIDIA's driver calls its errors."""
_SILENT_ADVICE = "Drain the host and reboot: whoever asks a hung driver hangs with it."
_GONE_ADVICE = "Was the driver reset or exchanged? Drain the host and load it anew, or reboot."


def gpu_lost(view: Seen) -> Finding | None:
    """GPUs that have gone, and drivers that do not answer; nothing to tell where there are none."""
    found, reasons = gpus(view), view.probe_reasons
    sources = {probe_of(gpu.facts) for gpu in found}
    for probe, driver in _DRIVERS.items():
        reason = reasons.get(probe, "")
        since = _unheard(view, probe, found)
        if reason == DRIVER_SILENT:
            evidence = f"no answer{since and ' '}{since} ({probe})"
            return _bad(f"{driver} silent", evidence, _SILENT_ADVICE)
        if reason and probe in sources:
            evidence = f"{reason_words(reason)}{since and ', '}{since} ({probe})"
            return _bad(f"{driver} gone", evidence, _GONE_ADVICE)
    lost = [(gpu, words) for gpu in found if (words := gone(reasons.get(gpu.group, "")))]
    if lost:
        first, words = lost[0]
        alike = [gpu.group for gpu, others in lost if others == words]
        sign = _sign(reasons[first.group])
        told = "" if sign in words else sign  # what the title says is not said again
        told = " ".join(part for part in (told, _since(view, first.group)) if part)
        evidence = f"{told}{told and '; '}{len(lost)} of {plural(len(found), 'GPU')}"
        have = words if len(alike) == 1 else _OF_SEVERAL.get(words, words)
        advice = _LOST_ADVICE.format(_XID if probe_of(first.facts) == "nvml" else "")
        return _bad(f"{listed(alike)} {have}", evidence, advice)
    return _not_lost(found, view)


def lost_gpu(view: Seen) -> str:
    """The same for the caveats of a result; empty where every driver and GPU answered."""
    found = gpu_lost(view)
    return f"{found.title}: {found.evidence}" if found is not None and found.is_cause else ""


def _not_lost(found: list[Gpu], view: Seen) -> Finding | None:
    unread = [gpu.group for gpu in found if gpu.group in view.probe_reasons]
    if unread:
        reason = reason_words(view.probe_reasons[unread[0]])
        return unknown("gpu_lost", "GPU in place", f"{listed(unread)} cannot be read: {reason}")
    if not found:
        return None
    return fine("gpu_lost", "every GPU in place", f"{plural(len(found), 'GPU')} answered")


def _sign(reason: str) -> str:
    return next((sign for sign, _ in _LOST if sign in reason), "")


def gone(reason: str) -> str:
    """What is said of a GPU that cannot be read; empty where the reason is not that it has gone."""
    return dict(_LOST).get(_sign(reason), "")


def _unheard(view: Seen, probe: str, found: list[Gpu]) -> str:
    """Since when nothing was heard of a driver: its newest sample, though it was noticed later."""
    rows = [view.last_row(gpu.group) for gpu in found if probe_of(gpu.facts) == probe]
    return _since(view, probe, max((row[0] for row in rows if row is not None), default=None))


def _since(view: Seen, probe: str, last_ns: int | None = None) -> str:
    """``since 01:31``, as the screen's clock has it; empty where it was so from the start."""
    told_ns = view.probe_since_ns.get(probe, 0)
    since_s = (told_ns if last_ns is None else min(told_ns, last_ns)) / 1e9
    return f"since {clock_face(since_s)}" if told_ns >= _FIRST_NS else ""


def _bad(title: str, evidence: str, advice: str) -> Finding:
    return Finding("gpu_lost", BAD, title, evidence, advice, 0.95)
