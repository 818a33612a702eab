"""What the layers below cost, measured. A new probe is one file here and one line in ``PROBES``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuiapp.tax.report import Tax

PROBES: dict[str, str] = {
    "cpuid_exit": "tuiapp.tax.exits:probe",
    "clock_read": "tuiapp.tax.clocks:probe",
    "core": "tuiapp.tax.core:probe",
    "context_switch": "tuiapp.tax.switches:probe",
    "page_fault": "tuiapp.tax.faults:probe",
    "wakeup": "tuiapp.tax.wakeups:probe",
    "memory": "tuiapp.tax.bandwidth:probe",
    "gpu": "tuiapp.tax.gpu:probe",
}
"""Name to ``"module:function"``, resolved on use; the order is that of measuring."""


def measure(
    progress: Callable[[str], None] | None = None,
    *,
    engine_python: str | None = None,
    spare_bytes: int | None = None,
) -> Tax:
    """Run every probe once: about three seconds, and torch's import where there is a GPU.

    Args:
        progress: told, before each probe, what is being measured.
        engine_python: a Python that has torch, for the GPU; this one, when left out.
        spare_bytes: memory that may be used, of which the probes take a part; what the machine
            has free, when left out.
    """
    from tuiapp.tax.run import run  # numpy and all probes; `tuiapp --help` must not load them

    options: dict[str, dict[str, Any]] = {
        "gpu": {"python": engine_python},
        "memory": {"spare": spare_bytes},
    }
    return run(PROBES, progress or (lambda _: None), options)
