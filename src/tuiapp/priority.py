"""How urgent our own work is to the kernel: never urgent enough to interrupt an engine."""

from __future__ import annotations

import os
import resource
from contextlib import suppress

_RUNAWAY_US = 200_000


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


def come_first() -> bool:
    """Take a core from ordinary work whenever this process wakes up; whether that is allowed.

    Only for what sleeps nearly all the time: the hiccup meter, which has to tell a core that the
    host took away from one that the engine keeps busy. SCHED_FIFO at its lowest priority goes
    before all ordinary work and behind everything else of the real-time class. Where it is not
    allowed (it needs CAP_SYS_NICE or an RLIMIT_RTPRIO) the ordinary policy is taken, whose
    sleepers wait for a core like any other thread's. A meter that did not sleep any more would be
    ended by the kernel after 0.2 s of computing.
    """
    with suppress(OSError, ValueError, AttributeError):
        resource.setrlimit(resource.RLIMIT_RTTIME, (_RUNAWAY_US, _RUNAWAY_US))
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(1))
        return True
    stand_firm()
    return False


def _set(policy: str) -> None:
    with suppress(OSError, AttributeError):  # not every system has such policies
        os.sched_setscheduler(0, getattr(os, policy), os.sched_param(0))
