"""How urgent our own work is to the kernel: never urgent enough to interrupt an engine."""

from __future__ import annotations

import os
from contextlib import suppress


def give_way() -> None:
    """Let this thread wait its turn instead of interrupting whoever computes when it wakes up.

    SCHED_BATCH (sched(7)): the same share of the CPU, without preemption on waking. The engine that
    is watched uses every core it gets, in step: one thread that is held up holds up all of them.
    Children and later threads inherit it. Where it cannot be set, nothing changes.
    """
    _set("SCHED_BATCH")


def stand_firm() -> None:
    """Back to the ordinary policy: for the process of the engine, whose parent gives way."""
    _set("SCHED_OTHER")


def _set(policy: str) -> None:
    with suppress(OSError, AttributeError):  # not every system has such policies
        os.sched_setscheduler(0, getattr(os, policy), os.sched_param(0))
