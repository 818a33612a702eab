"""One finding for all GPUs of a host."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tuiapp.diagnosis.finding import Finding, ranked
from tuiapp.diagnosis.reading import Gpu, gpus
from tuiapp.diagnosis.seen import Seen


def worst(view: Seen, judge: Callable[[Gpu], Finding | None]) -> Finding | None:
    """The gravest of what ``judge`` says of each GPU, and of how many; None without any."""
    judged = [(gpu, found) for gpu in gpus(view) if (found := judge(gpu)) is not None]
    if not judged:
        return None
    top = ranked(found for _, found in judged)[0]
    gpu = next(gpu for gpu, found in judged if found is top)
    alike = sum(found.severity == top.severity for _, found in judged)
    if len(judged) == 1:
        return top
    if not top.is_cause:
        return replace(top, evidence=f"{top.evidence}; {alike} of {len(judged)} GPUs")
    evidence = f"{top.evidence}; {alike} of {len(judged)} GPUs"
    return replace(top, title=f"{gpu.label}{top.title}", evidence=evidence)
